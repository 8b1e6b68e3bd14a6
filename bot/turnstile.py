"""One picture of a member at a time, and a pause after several in a minute that were refused.

What is refused costs nobody anything, but it takes one of the few places where pictures are opened,
for as long as it likes. So somebody's second picture waits for their first, and keeps no place from
others meanwhile. Who still waits as the bot stops hears so at once. In memory: a restart forgives.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from bot.errors import NotAccepting, PictureRefused, PicturesPaused
from bot.problems import PictureProblem

MOST_REFUSED = 10
SLOW_COUNTS = 5
"""As how many one counts that had to be given up for its time or memory."""
WITHIN = 60
"""Seconds in which so many pictures may be refused."""

Places = asyncio.Lock | asyncio.Semaphore
"""Where pictures are opened, so many at a time."""


@dataclass(slots=True)
class _Member:
    place: asyncio.Lock = field(default_factory=asyncio.Lock)
    inside: int = 0
    """Pictures that are in work or wait for the place."""
    refused: list[int] = field(default_factory=list)
    """When, in Unix milliseconds; the latest ones."""


class Turnstile:
    """`clock` returns Unix milliseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._members: dict[int, _Member] = {}
        self._waits: set[asyncio.Timeout] = set()
        """Of those whose turn has not come."""
        self._is_shut = False

    @asynccontextmanager
    async def passing(self, member_id: int, places: Places) -> AsyncIterator[None]:
        """Let a picture of the member have one of the `places` when it is its turn.

        Raises `PicturesPaused`, and `NotAccepting` once it is `shut`.
        """
        member = self._members.setdefault(member_id, _Member())
        member.inside += 1
        try:
            self._check(member)
            async with AsyncExitStack() as held:
                async with self._waiting():
                    await held.enter_async_context(member.place)
                    self._check(member)  # those before it may have been refused
                    await held.enter_async_context(places)
                yield
        except PictureRefused as error:
            marks = [self._clock()] * _weight(error.problem)
            member.refused = [*member.refused, *marks][-MOST_REFUSED:]
            raise
        finally:
            member.inside -= 1
            self._forget()

    def shut(self) -> None:
        """Let nobody in any more, nor wait; who has a place keeps it."""
        self._is_shut = True
        now = asyncio.get_running_loop().time()
        while self._waits:
            self._waits.pop().reschedule(now)

    @asynccontextmanager
    async def _waiting(self) -> AsyncIterator[None]:
        if self._is_shut:
            raise NotAccepting
        wait = asyncio.timeout(None)
        try:
            async with wait:
                self._waits.add(wait)
                yield
        except TimeoutError:
            raise NotAccepting from None
        finally:
            self._waits.discard(wait)

    def _check(self, member: _Member) -> None:
        free_at = self._free_at(member)
        if free_at > self._clock():
            raise PicturesPaused(-(-free_at // 1000))

    def _free_at(self, member: _Member) -> int:
        is_full = len(member.refused) == MOST_REFUSED
        return member.refused[0] + WITHIN * 1000 if is_full else 0

    def _forget(self) -> None:
        """Drop those who have nothing in work, and of whom nothing was refused lately."""
        since = self._clock() - WITHIN * 1000
        for member_id, member in list(self._members.items()):
            if not member.inside and not any(at > since for at in member.refused):
                del self._members[member_id]


def _weight(problem: PictureProblem) -> int:
    """Return as how many a refusal counts; what Discord does not hand over, as none."""
    return {PictureProblem.UNREACHABLE: 0, PictureProblem.UNSAFE: SLOW_COUNTS}.get(problem, 1)
