"""Rows of the wait for clips: what it costs, and how soon a clip that is ready is seen.

Ours and the service's official client have as many clips made, all of them in flight at the same
time, from the submit until the result is known. Each has a local Runware of its own, all of which
are in this process: their requests are counted apart, and the weather is the same.
"""

import asyncio
import json
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot.demo import PICTURE
from bot.image import Rules, prepare
from bot.sandbox.runware.server import LocalRunware
from bot.settings import Settings
from tests.bench.doors import RUNTIME
from tests.bench.life import LifeOrder
from tests.bench.table import Row
from tests.conformance.official import PYTHON
from tests.conftest import ROOT

JOBS = 200
RENDER_SECONDS = 20.0
"""Give or take a fifth, task by task."""
GAP = 4.0
"""Seconds from one client's start to the next one's: their submits do not meet, their waits do."""
ROUNDS = 3
USUAL = float(Settings.model_fields["look_every_seconds"].default)
_PEER = "runware-sdk"
_MOST_SECONDS = 70
"""Beyond the rendering."""


@dataclass(frozen=True, slots=True)
class Life:
    """What one process showed, per clip; `waits` are seconds from ready to seen, sorted."""

    cpu_ms: float
    waiting_cpu_ms: float
    """Of it, what was used once all clips were accepted."""
    requests: float
    polls: float
    waits: Sequence[float]

    @property
    def median(self) -> float:
        return self.waits[len(self.waits) // 2]

    @property
    def p99(self) -> float:
        return self.waits[int(len(self.waits) * 0.99)]


@dataclass(frozen=True, slots=True)
class Client:
    """A program that waits for clips."""

    python: Path
    module: str
    look_every: float = 0
    has_webhooks: bool = False


OURS = Client(RUNTIME, "tests.bench.lone_worker", USUAL)
PEER = Client(PYTHON, "tests.bench.official_client")


async def measure() -> list[Row]:
    """Measure all rounds and return the rows."""
    lives: dict[Client, list[Life]] = {OURS: [], PEER: []}
    for number in range(ROUNDS):
        clients = list(lives)
        order = clients[number % len(clients) :] + clients[: number % len(clients)]
        starts = (lived(client, after=GAP * place) for place, client in enumerate(order))
        for client, life in zip(order, await asyncio.gather(*starts), strict=True):
            lives[client].append(life)

    def row(
        what: str,
        unit: str,
        pick: Callable[[Life], float],
        client: Client = OURS,
        *,
        most_ratio: float | None = None,
        most_ours: float | None = None,
    ) -> Row:
        return Row(
            what=what,
            unit=unit,
            ours=[pick(life) for life in lives[client]],
            floor=[pick(life) for life in lives[PEER]],
            floor_name=_PEER,
            most_ratio=most_ratio,
            most_ours=most_ours,
        )

    usual = f"ready → seen, looking every {USUAL:g} s"
    return [
        row(f"{JOBS} clips in flight, CPU per clip", "ms", lambda r: r.cpu_ms, most_ratio=0.25),
        row("… of it once all are accepted", "ms", lambda r: r.waiting_cpu_ms),
        row(f"{JOBS} clips in flight, requests per clip", "", lambda r: r.requests, most_ratio=0.1),
        row("… of them polls", "", lambda r: r.polls),
        row(f"{usual}, median", "s", lambda r: r.median),
        row(f"{usual}, p99", "s", lambda r: r.p99, most_ours=1.2),
    ]


async def lived(
    client: Client, *, after: float = 0, render_seconds: float = RENDER_SECONDS
) -> Life:
    """Have `JOBS` clips made by one client and read both ends of each wait."""
    await asyncio.sleep(after)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = folder / "first-frame.jpg"
        await asyncio.to_thread(picture.write_bytes, first_frame())
        async with LocalRunware(
            canned=True, render_seconds=render_seconds, balance_micro=10**12
        ) as runware:
            order = LifeOrder(
                url=runware.url,
                picture=str(picture),
                jobs=JOBS,
                folder=str(folder / "ours"),
                look_every=client.look_every,
                hook_port=free_port() if client.has_webhooks else None,
            )
            async with (
                asyncio.timeout(render_seconds + _MOST_SECONDS),
                _process(client, order) as process,
            ):
                accepted_s = await _cpu_when_accepted(runware, process)
                told = json.loads((await process.communicate())[0])
            return _life_of(runware, told, accepted_s)


def _life_of(runware: LocalRunware, told: dict[str, Any], accepted_s: float) -> Life:
    waits = [at - runware.ledger.ready_at(task) for task, at in told["seen"].items()]
    assert len(waits) == runware.ledger.accepted == JOBS
    return Life(
        cpu_ms=(told["end_s"] - told["start_s"]) * 1000 / JOBS,
        waiting_cpu_ms=(told["end_s"] - accepted_s) * 1000 / JOBS,
        requests=runware.ledger.requests / JOBS,
        polls=runware.ledger.polls / JOBS,
        waits=sorted(waits),
    )


@asynccontextmanager
async def _process(client: Client, order: LifeOrder) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the client's process."""
    process = await asyncio.create_subprocess_exec(
        *(client.python, "-m", client.module, json.dumps(asdict(order))),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _cpu_when_accepted(runware: LocalRunware, process: asyncio.subprocess.Process) -> float:
    """Wait until all jobs are accepted; return the CPU seconds of the process until then."""
    for _ in range(_MOST_SECONDS * 50):
        if runware.ledger.accepted == JOBS:
            return cpu_s(process.pid)
        await asyncio.sleep(0.02)
    raise AssertionError(f"only {runware.ledger.accepted} of {JOBS} jobs were accepted")


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@cache
def first_frame() -> bytes:
    """Prepare the demo's picture as the bot does."""
    rules = Rules(sizes=[(1280, 720)], least_side=300, most_side=8000, most_pixels=64_000_000)
    return prepare(PICTURE.read_bytes(), rules).jpeg
