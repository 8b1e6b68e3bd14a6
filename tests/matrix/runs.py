"""Plays cells in several towns side by side, audits after each, and counts.

Chance comes from the seed and the name of the cell alone, so that a cell can be replayed by itself.
A town in which something went wrong is left as it is, and another one is opened.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

from tests.matrix.audit import Auditor
from tests.matrix.lives import Lives, Stuck, lives
from tests.town import until

CELLS_IN_A_TOWN = 25
"""After so many another town is opened: what is audited there grows with each."""


class Cell(Protocol):
    """One thing that happens to the bot; `group` is its line in the table."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...

    async def play(self, lives: Lives, random: Random) -> None:
        """Do it, in a town with a bot that may be down, and leave it as it comes."""


@dataclass(slots=True)
class Tally:
    """What happened in the cells of one group."""

    cells: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failed: dict[str, list[str]] = field(default_factory=dict)
    """By name of the cell, what was wrong."""


@dataclass(slots=True)
class Run:
    """One run of the matrix: what it does, and what it found so far."""

    seed: int
    folder: Path
    say: Callable[[str], object] = lambda _line: None
    """Told of each cell that fails, at once."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    _waiting: list[Cell] = field(default_factory=list)
    _towns: int = 0

    async def play(self, cells: Iterable[Cell], towns: int) -> None:
        """Play all of them, in so many towns at once."""
        self._waiting = list(cells)[::-1]
        async with asyncio.TaskGroup() as group:
            for _ in range(towns):
                group.create_task(self._in_towns())

    @property
    def violations(self) -> list[str]:
        return [
            f"{name}: {what}"
            for tally in self.tallies.values()
            for name, found in tally.failed.items()
            for what in found
        ]

    async def _in_towns(self) -> None:
        while self._waiting:
            self._towns += 1
            folder = self.folder / f"town-{self._towns}"
            await asyncio.to_thread(folder.mkdir, parents=True)
            async with lives(folder) as made:
                await self._in_one_town(made)

    async def _in_one_town(self, made: Lives) -> None:
        auditor = Auditor(made)
        cell = None
        for _ in range(CELLS_IN_A_TOWN):
            if not self._waiting:
                break
            cell = self._waiting.pop()
            if not await self._is_well(cell, made, auditor):
                return
        if cell is not None:
            await self._close(cell, made, auditor)

    async def _is_well(self, cell: Cell, made: Lives, auditor: Auditor) -> bool:
        """Play one cell and audit the town; whether all was well."""
        tally = self.tallies.setdefault(cell.group, Tally())
        tally.cells += 1
        before = _counted(made)
        try:
            await cell.play(made, Random(f"{self.seed}: {cell.name}"))
            found = await auditor.audit(await made.settle())
        except Stuck as stuck:
            found = [str(stuck)]
        except Exception as error:  # noqa: BLE001 - one broken cell must not end the run
            found = [f"the cell itself broke: {error!r}"]
        tally.counts += _counted(made) - before
        if found:
            self._note(cell.group, cell.name, [*found, f"see {made.here.folder / 'bot.log'}"])
        return not found

    async def _close(self, cell: Cell, made: Lives, auditor: Auditor) -> None:
        """Stop the bot cleanly, and audit the files that it leaves."""
        code = await made.stop()
        found = await auditor.audit(made.here.books())
        if code:
            found.append(f"told to stop, the bot ended with {code}")
        # Those of clips that were made in the last lives wait for the next start to be swept away,
        # and so does that of a wish that was cut off before it became a job.
        if _strangers(made):
            await made.up()
            with suppress(TimeoutError):
                await until(lambda: not _strangers(made))
            await made.stop()
        if strangers := _strangers(made):
            found.append(f"pictures of nobody: {sorted(strangers)}")
        if found:
            self._note(cell.group, f"the town after {cell.name}", found)

    def _note(self, group: str, name: str, found: list[str]) -> None:
        self.tallies[group].failed[name] = found
        self.say(f"{name}\n" + "\n".join(f"    {one}" for one in found))


def _strangers(made: Lives) -> set[str]:
    """Return the pictures of no job at all."""
    pictures = {path.stem for path in (made.here.data / "pictures").glob("*")}
    return pictures - {job["id"] for job in made.here.books().jobs}


def _counted(made: Lives) -> Counter[str]:
    books = made.here.books() if (made.here.data / "animate.db").exists() else None
    states = Counter(books.states) if books is not None else Counter[str]()
    return Counter(
        kills=made.kills,
        starts=made.starts,
        wishes=len(made.wishes),
        delivered=states["delivered"],
        declined=states["failed"] + states["lost"],
    )
