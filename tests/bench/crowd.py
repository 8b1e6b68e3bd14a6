"""Rows of a crowd: what the bot costs, and how quick it is, while thousands of clips are made.

The bot is the production bot with a watch on its event loop. First it has nothing to do, then it
waits for `rendering.JOBS` clips, and in the end people use its commands meanwhile: one in twenty
asks for a clip, the others for their card. The peer waits for clips of its own in the same minute.
"""

import asyncio
import os
import signal
import tempfile
import time
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bot.sandbox.discord.server import LocalDiscord
from bot.sandbox.person import Person
from tests.bench import rendering
from tests.bench.answers import Answers, animate, card, p99
from tests.bench.doors import RUNTIME, SETTLED, Town, bare, resident_mb
from tests.bench.service import Service, service
from tests.bench.table import Row
from tests.bench.waiting import JOBS as PEERS_JOBS
from tests.bench.waiting import PEER, USUAL, Life, cpu_s, lived
from tests.conftest import ROOT

SECONDS = 180.0
"""How long only clips are waited for."""
RATE = 100
"""Commands a second."""
_WATCHED_FOR = 20.0
_USED_FOR = 10.0
_CLIP_EACH = 20
_WARM = 15.0
"""Seconds until every job has been looked at and has its place in the timetable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What waiting takes, per job and minute; CPU in milliseconds."""

    cpu_ms: float
    requests: float


async def measure(seconds: float = SECONDS) -> list[Row]:
    """Measure once, waiting for so many seconds, and return the rows."""
    with tempfile.TemporaryDirectory() as name:
        async with (
            LocalDiscord() as discord,
            service(canned=True, render_seconds=86_400, stagger=0, balance_micro=10**12) as runware,
            Person(discord.url, "Mia") as mia,
        ):
            discord.set_limits({"rate_limits_enabled": False})
            town = Town(discord, runware.url, Path(name))
            floor = await _floor(town, mia)
            async with _bot(town, mia) as process:
                idle_mb = resident_mb(process.pid)
            await rendering.prepare(town.folder / "data", runware.url, rendering.crowd())
            async with _bot(town, mia) as process:
                await asyncio.sleep(_WARM)
                ours, life = await asyncio.gather(
                    _waited(runware, process.pid, seconds), lived(PEER, render_seconds=seconds)
                )
                await _warmed_up(discord, mia)
                watched = time.monotonic()
                process.send_signal(signal.SIGUSR1)
                await asyncio.sleep(_WATCHED_FOR)
                used = time.monotonic()
                acks = await _used(discord, mia)
                memory_mb = resident_mb(process.pid) - idle_mb
            ticks = array("d", await asyncio.to_thread(town.folder.joinpath("ticks").read_bytes))
    lag, lag_used = _lag_ms(ticks, watched, used), _lag_ms(ticks, used, used + _USED_FOR)
    return [
        *_cost_rows(ours, _of_peer(life, seconds), seconds),
        Row(what="… memory above idle", unit="MB", ours=[memory_mb], most_ours=100),
        Row(what="… event loop late, p99", unit="ms", ours=[lag], most_ours=20),
        Row(
            what=f"… {RATE} commands a second beside them → acknowledged, p99",
            unit="ms",
            ours=[p99(acks)],
            floor=[p99(floor)],
            floor_name="bare discord.py, no clips",
            most_ours=50,
        ),
        Row(what="… event loop late meanwhile, p99", unit="ms", ours=[lag_used], most_ours=20),
    ]


async def _warmed_up(discord: LocalDiscord, mia: Person) -> None:
    """Have one clip asked for: what reads pictures is loaded with the first."""
    answers = Answers(discord, mia)
    answers.send(await animate(mia))
    await answers.all()
    await asyncio.sleep(SETTLED)


async def _floor(town: Town, mia: Person) -> list[float]:
    """Have a bot used at the same rate that acknowledges and does no more."""
    async with bare(town):
        await mia.wait_for_bot(within=30)
        await mia.wait_for_command("animate", within=30)
        await asyncio.sleep(SETTLED)
        acks = await _used(town.discord, mia, clip_each=1)
    await mia.wait_for_bot(online=False)
    return acks


def _cost_rows(ours: Cost, peer: Cost, seconds: float) -> list[Row]:
    jobs = rendering.JOBS
    name = f"runware-sdk, {PEERS_JOBS} clips"
    return [
        Row(
            what=f"{jobs:,} clips in flight for {seconds:g} s, CPU",
            unit="% of a core",
            ours=[ours.cpu_ms * jobs / 60_000 * 100],
            most_ours=10,
        ),
        Row(
            what="… CPU per job-minute",
            unit="ms",
            ours=[ours.cpu_ms],
            floor=[peer.cpu_ms],
            floor_name=name,
        ),
        Row(
            what="… requests per job-minute",
            unit="",
            ours=[ours.requests],
            floor=[peer.requests],
            floor_name=name,
            most_ours=0.3,
        ),
    ]


@asynccontextmanager
async def _bot(town: Town, mia: Person) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the bot with a watch on its loop; it is online, and has come to rest, at the start."""
    settings = town.settings(ANIMATE_LOOK_EVERY_SECONDS=f"{USUAL}", PYTHONPATH=str(ROOT))
    with (town.folder / "bot.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(RUNTIME, "-m", "tests.bench.probed_bot", town.folder / "ticks"),
            env=os.environ | settings,
            cwd=town.folder,
            stdout=log,
            stderr=log,
        )
    try:
        await mia.wait_for_bot(within=30)
        await mia.wait_for_command("animate", within=30)
        await asyncio.sleep(SETTLED)
        yield process
    finally:
        process.terminate()
        await process.wait()
        await mia.wait_for_bot(online=False)


async def _waited(runware: Service, pid: int, seconds: float) -> Cost:
    requests, cpu = await runware.requests(), cpu_s(pid)
    await asyncio.sleep(seconds)
    job_minutes = rendering.JOBS * seconds / 60
    return Cost(
        cpu_ms=(cpu_s(pid) - cpu) * 1000 / job_minutes,
        requests=(await runware.requests() - requests) / job_minutes,
    )


def _of_peer(life: Life, seconds: float) -> Cost:
    """Return the peer's cost: its clips take as long to be made, give or take a fifth."""
    minutes = (seconds + sum(life.waits) / len(life.waits)) / 60
    return Cost(cpu_ms=life.cpu_ms / minutes, requests=life.requests / minutes)


async def _used(discord: LocalDiscord, mia: Person, clip_each: int = _CLIP_EACH) -> list[float]:
    """Send commands at random moments, `RATE` a second; return how long each waited, in ms.

    One in `clip_each` asks for a clip.
    """
    chance = Random(1)
    answers = Answers(discord, mia)
    clip = await animate(mia)
    now = time.monotonic()
    due, until = now, now + _USED_FOR
    number = 0
    while due < until:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        answers.send(card() if number % clip_each else clip)
        due += chance.expovariate(RATE)
        number += 1
        if number % RATE == 0:
            answers.note()
    return await answers.all()


def _lag_ms(ticks: "array[float]", since: float, until: float) -> float:
    moments, lags = ticks[::2], ticks[1::2]
    among = sorted(lag for at, lag in zip(moments, lags, strict=True) if since <= at <= until)
    return p99(among) * 1000
