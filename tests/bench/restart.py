"""Rows of a restart: the bot is killed while thousands of clips are made, and starts again.

Somebody sends a command as soon as they see it online. The floor is the bare bot, which has no
clips.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from bot.sandbox.discord.server import LocalDiscord
from bot.sandbox.person import Person
from tests.bench import rendering
from tests.bench.answers import Answers, animate
from tests.bench.doors import Start, Town, bare, ours
from tests.bench.service import service
from tests.bench.table import Row

ROUNDS = 3
_BEFORE_THE_BLOW = 5.0
_LOOK_EVERY = 0.02
_MOST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds from the start of a process."""

    acknowledged: float
    all_looked_at: float = 0


async def measure() -> list[Row]:
    """Measure all rounds and return the rows."""
    mine: list[Round] = []
    floor: list[Round] = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            async with (
                LocalDiscord() as discord,
                service(
                    canned=True, render_seconds=86_400, stagger=0, balance_micro=10**12
                ) as runware,
                Person(discord.url, "Mia") as mia,
            ):
                town = Town(discord, runware.url, Path(name))
                floor.append(Round(await _acknowledged(bare, town, mia)))
                mine.append(await _restarted(town, mia))

    def row(what: str, pick: Callable[[Round], float], most: float) -> Row:
        return Row(what=what, unit="s", ours=[pick(one) for one in mine], most_ours=most)

    acknowledged = row(
        f"SIGKILL with {rendering.JOBS:,} open jobs → start → first acknowledgement",
        lambda one: one.acknowledged,
        1,
    )
    return [
        replace(
            acknowledged,
            floor=[one.acknowledged for one in floor],
            floor_name="bare discord.py, no jobs",
        ),
        row("… → all looked at", lambda one: one.all_looked_at, 5),
    ]


async def _restarted(town: Town, mia: Person) -> Round:
    path = town.folder / "data" / "animate.db"
    await rendering.prepare(path.parent, town.runware_url, rendering.crowd())
    async with ours(town) as process:
        await mia.wait_for_bot(within=_MOST_SECONDS)
        await asyncio.sleep(_BEFORE_THE_BLOW)
        process.kill()
        await process.wait()
        await mia.wait_for_bot(online=False)
    _, leased_until = _due(path)
    looked_at = asyncio.create_task(_looked_at(path, leased_until))
    started = time.time()
    acknowledged = await _acknowledged(ours, town, mia, until=looked_at)
    return Round(acknowledged, await looked_at - started)


async def _acknowledged(
    start: Start, town: Town, mia: Person, until: asyncio.Task[float] | None = None
) -> float:
    """Start a bot, send a command when it is online; return when it was acknowledged."""
    command = await animate(mia)
    answers = Answers(town.discord, mia)
    started = time.time()
    async with start(town):
        await mia.wait_for_bot(within=_MOST_SECONDS)
        answers.send(command)
        acknowledged = await answers.first_at() - started
        if until is not None:
            await until
    await mia.wait_for_bot(online=False)
    return acknowledged


async def _looked_at(path: Path, leased_until: int) -> float:
    """Wait until each job has a lease that is newer than those before the blow; return when."""
    async with asyncio.timeout(_MOST_SECONDS):
        while _due(path)[0] <= leased_until:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(_LOOK_EVERY)
    return time.time()


def _due(path: Path) -> tuple[int, int]:
    """Return when the first and the last job that renders is due, by the file."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        first, last = db.execute(
            "SELECT min(due_at), max(due_at) FROM jobs WHERE state = 'rendering'"
        ).fetchone()
    return int(first), int(last)
