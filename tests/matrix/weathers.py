"""Faults alone and in pairs, each with a death in the middle of it."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import combinations
from random import Random

from tests.matrix.faults import Fault, faults
from tests.matrix.lives import Lives
from tests.matrix.moments import AT_WORK, nothing

_LONGEST = 4.0
"""Seconds after which the bot is killed, if no server has done it at a request."""
_NATURAL = [request for request in AT_WORK if request.prepare is nothing]
_GOES_ON = 1.0
"""Seconds at most that the weather lasts after the bot was started again."""


@dataclass(frozen=True, slots=True)
class Storm:
    """One fault or two, and a death: at some request, or else at some moment."""

    faults: tuple[Fault, ...]

    @property
    def name(self) -> str:
        return " + ".join(fault.name for fault in self.faults)

    @property
    def group(self) -> str:
        return "a fault" if len(self.faults) == 1 else "two faults"

    async def play(self, lives: Lives, random: Random) -> None:
        """Kill the bot while the faults last, start it into them, then let them pass."""
        await lives.up()
        async with AsyncExitStack() as weather:
            for fault in self.faults:
                await weather.enter_async_context(fault.weather(lives.here))
            request = random.choice(_NATURAL)
            when = random.choice(request.whens)
            lives.blow(request.server, request.match, when, random.randint(0, 1))
            await lives.ask(2, random, bad=request.bad)
            if not await lives.dies(_LONGEST):
                await lives.kill()
            await lives.start()
            await asyncio.sleep(random.uniform(0.5, 0.5 + _GOES_ON))
        lives.calm()


def alone() -> Iterator[Storm]:
    """Each fault by itself."""
    return (Storm((fault,)) for fault in faults())


def pairs() -> Iterator[Storm]:
    """Any two faults that are of different kinds."""
    paired = (fault for fault in faults() if fault.is_paired)
    return (Storm(two) for two in combinations(paired, 2) if not two[0].kinds & two[1].kinds)
