"""Rows of the front door: how fast a command is acknowledged, and what an idle bot costs.

Ours and the bare bot run on the same local Discord, round by round in turn.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.demo import bot_process
from bot.sandbox.discord.server import LocalDiscord
from bot.sandbox.person import Person
from bot.sandbox.runware.server import LocalRunware
from tests.bench.answers import Answers, animate, p99
from tests.bench.table import Row
from tests.town import NO_LIMITS

BURST = 200
ROUNDS = 5
_ROOT = Path(__file__).parent.parent.parent
RUNTIME = _ROOT / ".venv" / "runtime" / "bin" / "python"
"""An installation of `requirements.txt` alone, which is what runs in production. Development tools
would make some libraries load more (httpx its command line)."""
SETTLED = 2.0
"""Seconds after READY until memory is read."""


@dataclass(frozen=True, slots=True)
class Town:
    """A local Discord, the address of a local Runware, and a folder."""

    discord: LocalDiscord
    runware_url: str
    folder: Path

    def settings(self, **more: str) -> dict[str, str]:
        """Return what points the bot at them; nothing limits it."""
        return NO_LIMITS | {
            "DISCORD_TOKEN": "a-local-token",
            "RUNWARE_API_KEY": "a-local-key",
            "ANIMATE_DATA_DIR": str(self.folder / "data"),
            "ANIMATE_DISCORD_API": self.discord.api,
            "ANIMATE_DISCORD_GATEWAY": self.discord.gateway,
            "ANIMATE_DISCORD_MEDIA_HOSTS": self.discord.cdn_host,
            "ANIMATE_RUNWARE_API": self.runware_url,
            **more,
        }


Start = Callable[[Town], AbstractAsyncContextManager[asyncio.subprocess.Process]]


@asynccontextmanager
async def ours(town: Town, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the production bot."""
    log = town.folder / "ours.log"
    async with bot_process(town.settings(**settings), os.environ, log, str(RUNTIME)) as process:
        yield process


@asynccontextmanager
async def bare(town: Town) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the floor."""
    process = await asyncio.create_subprocess_exec(
        *(str(RUNTIME), "-m", "tests.bench.bare_bot", town.discord.api, town.discord.gateway),
        cwd=_ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Round:
    """What one start of one bot showed."""

    start_s: float
    memory_mb: float
    ack_p99_ms: float
    all_acked_ms: float


async def measure() -> list[Row]:
    """Measure all rounds and return the rows."""
    mine: list[Round] = []
    floor: list[Round] = []
    for number in range(ROUNDS):
        pairs = [(ours, mine), (bare, floor)]
        for start, rounds in pairs if number % 2 else reversed(pairs):
            rounds.append(await _round(start))

    def row(what: str, unit: str, pick: Callable[[Round], float], most: float) -> Row:
        return Row(
            what=what,
            unit=unit,
            ours=[pick(one) for one in mine],
            floor=[pick(one) for one in floor],
            floor_name="bare discord.py",
            most_ratio=most,
            most_ours=300 if "p99" in what else None,
        )

    return [
        row(f"/animate → deferred, {BURST} at once, p99", "ms", lambda r: r.ack_p99_ms, 1.3),
        row("idle memory", "MB", lambda r: r.memory_mb, 1.5),
        row("start → READY", "s", lambda r: r.start_s, 1.5),
    ]


async def _round(start: Start) -> Round:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            LocalDiscord() as discord,
            LocalRunware(canned=True, render_seconds=1, balance_micro=10**12) as runware,
            Person(discord.url, "Mia") as mia,
        ):
            discord.set_limits({"rate_limits_enabled": False})
            started = time.monotonic()
            async with start(Town(discord, runware.url, Path(folder))) as process:
                await mia.wait_for_bot(within=30)
                start_s = time.monotonic() - started
                await mia.wait_for_command("animate")
                await asyncio.sleep(SETTLED)
                memory_mb = resident_mb(process.pid)
                times = await _burst(discord, mia)
    return Round(start_s, memory_mb, p99(times), times[-1])


async def _burst(discord: LocalDiscord, mia: Person) -> list[float]:
    """Dispatch `BURST` commands in one go; return how long each waited for its answer, in ms."""
    answers = Answers(discord, mia)
    command = await animate(mia)
    for _ in range(BURST):
        answers.send(command)
    return await answers.all()


def resident_mb(pid: int) -> float:
    """Return the memory that a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
