"""Counts every point at which the process may die, and has it die at the chosen ones.

A point is each request before it leaves, after it was processed, and before its answer is read;
each commit before and after; each file before, amid and after it is written.
"""

import asyncio
import random
from collections.abc import Callable

from tests.simulation.journal import Journal
from tests.simulation.loop import Crash

_MOST_CRASHES = 4
_NEXT_WITHIN = 60
"""Points after a crash, among which the next one may be."""


class Peril:
    """The first crash is at point `first`, counted from 1; 0: there is none."""

    def __init__(self, journal: Journal, first: int, chance: random.Random) -> None:
        self._journal = journal
        self._chance = chance
        self._next = first
        self.points = 0
        self.crashes = 0
        self.is_dead = False
        self.died = asyncio.Event()

    def point(self, name: str, torn: Callable[[], None] | None = None) -> None:
        """Die here if it is time to, leaving behind what `torn` does. Raises `Crash` then."""
        if self.is_dead:
            raise Crash
        self.points += 1
        if self.points == self._next:
            if torn is not None:
                torn()
            self.crashes += 1
            self._journal.note(f"CRASH at point {self.points} ({name})")
            self.end()
            raise Crash

    def end(self) -> None:
        """Have nothing of this life do anything any more."""
        self.is_dead = True
        self.died.set()

    def revive(self) -> None:
        """Begin the next life, and choose whether it dies too."""
        self.is_dead = False
        self.died.clear()
        if self.points >= self._next > 0 and self.crashes < _MOST_CRASHES:
            again = self._chance.random() < 0.4
            self._next = self.points + self._chance.randint(1, _NEXT_WITHIN) if again else 0
