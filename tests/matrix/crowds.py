"""Killed at any moment, with twenty clips in the making: what nobody thought of by name."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bot.sandbox.runware.outcomes import Outcome
from tests.matrix.lives import Lives

IN_FLIGHT = 20
DEATHS = 5
_LONGEST_RENDER = 6.0
_LONGEST_PAUSE = 1.5
_RECOVERS = 0.4
"""How often a life ends before the bot has recovered from the last one."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Some deaths in a row: of a bot with twenty clips in the making that take long or short, and
    of one that is about to take them up again.
    """

    number: int
    group: str = "any moment, 20 clips in the making"

    @property
    def name(self) -> str:
        return f"crowd {self.number}"

    async def play(self, lives: Lives, random: Random) -> None:
        """Kill the bot at moments that only the seed knows."""
        for death in range(DEATHS):
            if death and random.random() < _RECOVERS:
                await lives.start()
            else:
                await self._at_work(lives, random)
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE))
            await lives.kill()
        lives.here.runware.outcomes.clear()

    async def _at_work(self, lives: Lives, random: Random) -> None:
        """Wait until some of the wishes are jobs; others may be on their way."""
        await lives.up()
        missing = IN_FLIGHT - lives.in_flight
        for _ in range(missing):
            seconds = random.uniform(0, _LONGEST_RENDER)
            lives.here.runware.outcomes.add(Outcome(next="success", render_seconds=seconds))
        await lives.ask(missing, random, bad=1)
        await lives.has_in_flight(random.randint(1, IN_FLIGHT))


def crowds(count: int) -> Iterator[Crowd]:
    """So many of them."""
    return map(Crowd, range(count))
