"""Rows of the handover: from the moment at which clips are ready to their messages in the channel.

One clip comes first, which has everything loaded. Then many are ready at the same moment, each with
a status message that it answers. The bot hears
of them by webhooks, as a courier that is told, and so does the floor: a bare script that downloads
and posts the same bytes with httpx or aiohttp, whichever is faster.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

import aiohttp

from bot import transport
from bot.database import Database
from bot.hooks import Signer
from bot.lifecycle import Job
from bot.provider import Provider
from bot.sandbox.discord.server import LocalDiscord
from bot.sandbox.person import Person
from bot.store import Store
from tests.bench import rendering
from tests.bench.courier import BOT, Errand
from tests.bench.doors import RUNTIME, SETTLED, Town, ours
from tests.bench.service import service
from tests.bench.table import Row
from tests.bench.waiting import cpu_s, free_port
from tests.conftest import ROOT
from tests.corridor import clip as tiny_clip

CLIPS = 50
ROUNDS = 3
_BYTES = 5_000_000
_RENDER_SECONDS = 15.0
"""Time enough for the bot to start."""
_HOOK_KEY = "a-key"
_MOST_SECONDS = 60.0
_HTTP_ERRORS = 400


@dataclass(frozen=True, slots=True)
class Carried:
    """Seconds from ready to posted, sorted, and CPU per clip."""

    waits: Sequence[float]
    cpu_ms: float

    @property
    def median(self) -> float:
        return self.waits[len(self.waits) // 2]

    @property
    def p99(self) -> float:
        return self.waits[int(len(self.waits) * 0.99)]


async def measure() -> list[Row]:
    """Measure all rounds and return the rows."""
    mine: list[Carried] = []
    floors: dict[str, list[Carried]] = {"aiohttp": [], "httpx": []}
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            await _round(Path(name), number, mine, floors)
    best = min(floors, key=lambda name: sum(one.p99 for one in floors[name]))

    def row(what: str, unit: str, figures: Sequence[tuple[float, float]]) -> Row:
        return Row(
            what=what,
            unit=unit,
            ours=[ours for ours, _ in figures],
            floor=[floor for _, floor in figures],
            floor_name=f"bare script with {best}",
            most_ratio=1.2,
        )

    pairs = list(zip(mine, floors[best], strict=True))
    ready = f"{CLIPS} clips of {_BYTES / 1e6:g} MB ready → posted"
    return [
        row(f"{ready}, median", "s", [(a.median, b.median) for a, b in pairs]),
        row("… p99", "s", [(a.p99, b.p99) for a, b in pairs]),
        row("… CPU per clip", "ms", [(a.cpu_ms, b.cpu_ms) for a, b in pairs]),
    ]


async def _round(
    folder: Path, number: int, mine: list[Carried], floors: dict[str, list[Carried]]
) -> None:
    canned = folder / "canned.mp4"
    await asyncio.to_thread(canned.write_bytes, padded(number, _BYTES))
    settings = {"canned": True, "canned_clip": str(canned), "stagger": 0}
    async with (
        LocalDiscord() as discord,
        service(render_seconds=_RENDER_SECONDS, balance_micro=10**12, **settings) as runware,
        Person(discord.url, "Mia") as mia,
    ):
        discord.set_limits({"rate_limits_enabled": False})
        town = Town(discord, runware.url, folder)
        await runware.order(next="success", render_seconds=0)
        carried, jobs = await _ours(town, mia)
        mine.append(carried)
        clips = await _addresses(town, jobs)
        for name in sorted(floors, reverse=number % 2 == 1):
            errand = Errand(
                clips=clips,
                statuses=[job.status_message_id or 0 for job in jobs],
                channel_id=jobs[0].channel_id,
                api=discord.api,
                with_httpx=name == "httpx",
            )
            floors[name].append(await _bare(town, errand))


async def _ours(town: Town, mia: Person) -> tuple[Carried, list[Job]]:
    data, port = town.folder / "data", free_port()
    signer = Signer(f"http://127.0.0.1:{port}", _HOOK_KEY.encode())
    async with Database(data) as database:
        await Store(database).fact_or("webhook key", _HOOK_KEY)
    first, *jobs = await _asked_for(town, mia)
    await rendering.prepare(data, town.runware_url, [first, *jobs], signer.url)
    ready = time.time() + _RENDER_SECONDS
    hooks = {"ANIMATE_PUBLIC_URL": signer.base, "ANIMATE_WEB_PORT": f"{port}"}
    async with ours(town, **hooks) as process:
        await mia.wait_for_bot(within=_RENDER_SECONDS)
        await asyncio.sleep(ready - 1 - time.time())
        before = cpu_s(process.pid)
        _, *times = await posted(town.discord, 1 + CLIPS)
        await asyncio.sleep(SETTLED)
        cpu_ms = (cpu_s(process.pid) - before) * 1000 / CLIPS
    return Carried([at - ready for at in times], cpu_ms), jobs


async def _asked_for(town: Town, mia: Person) -> list[Job]:
    """Return jobs of Mia's, each with a status message in her channel."""
    url = f"{town.discord.api}/channels/{mia.channel_id()}/messages"
    jobs = []
    async with aiohttp.ClientSession(headers=BOT) as http:
        for job in rendering.crowd(1 + CLIPS):
            async with http.post(url, json={"content": "Animating"}) as response:
                status = await response.json()
            asked = replace(job, member_id=int(mia.id), status_message_id=int(status["id"]))
            guild_id = int(mia.state["guild"]["id"])
            jobs.append(replace(asked, guild_id=guild_id, channel_id=int(mia.channel_id())))
    return jobs


async def _addresses(town: Town, jobs: Sequence[Job]) -> list[str]:
    async with transport.client() as http:
        found = await Provider(http, town.runware_url, "a-key").look(
            [job.task_uuid for job in jobs]
        )
    return [found[job.task_uuid].results[0].url for job in jobs]


async def _bare(town: Town, errand: Errand) -> Carried:
    before = len(_posts(town.discord))
    process = await asyncio.create_subprocess_exec(
        *(RUNTIME, "-m", "tests.bench.courier", json.dumps(asdict(errand))),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    ready = time.time()
    told, _ = await process.communicate(b"\n")
    times = _posts(town.discord)[before:]
    return Carried([at - ready for at in times], float(told) * 1000 / CLIPS)


async def posted(discord: LocalDiscord, count: int) -> list[float]:
    """Wait until so many clips are in the channel, and return when each came."""
    async with asyncio.timeout(_MOST_SECONDS):
        while len(_posts(discord)) < count:  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.05)
    return _posts(discord)


def _posts(discord: LocalDiscord) -> list[float]:
    return [
        one.at
        for one in discord.requests
        if one.multipart and one.path.endswith("/messages") and one.status < _HTTP_ERRORS
    ]


def padded(number: int, size: int) -> bytes:
    """Return a real clip, made long by a box at its end that players skip."""
    clip = tiny_clip()
    rest = size - len(clip)
    return clip + rest.to_bytes(4, "big") + b"free" + Random(number).randbytes(rest - 8)
