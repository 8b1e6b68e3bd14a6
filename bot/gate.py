"""The gate: whether new tasks may be sent to the video service.

Shut when it refuses the account (key, credit), which only its owner can mend, and when it takes
nothing for some requests in a row; what runs is looked at as ever. A shut gate asks for the balance
by itself, ever more rarely, and opens when the service answers and the account can pay; only a task
that the service takes proves it, and until then tasks pass one by one, so that no more than one
is refused. Kept in memory: after a restart the next tasks find out again.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from bot import lifecycle
from bot.errors import AccountTrouble, ProviderError

log = logging.getLogger(__name__)

_MOST_MISSES = 5
"""Requests in a row that the service did not take, after which it is left in peace."""


class Gate:
    """`balance` returns the account's micro-dollars, or None where the service does not say."""

    def __init__(
        self, balance: Callable[[], Awaitable[int | None]], chance: Callable[[], float]
    ) -> None:
        self._balance = balance
        self._chance = chance
        self._needed_micro = 1
        self._misses = 0
        self._looks = 0
        """Since the last proof, so that what only looks well is not asked for ever."""
        self._is_told = False
        self.is_proven = False
        """Whether the service took a task since it last refused the account, if it did."""
        self._one_by_one = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self.trouble: ProviderError | None = None
        """Why it is shut; None while it is open."""

    @property
    def is_open(self) -> bool:
        """Whether new tasks may be sent."""
        return self.trouble is None

    @property
    def needs_owner(self) -> bool:
        """Whether it is shut until the account's owner has acted."""
        return isinstance(self.trouble, AccountTrouble)

    def shut(self, error: AccountTrouble, needed_micro: int = 1) -> None:
        """Send nothing new until the account has `needed_micro`; tell the owner, once."""
        if not self._is_told:
            log.critical("the video service refuses the account; it needs its owner: %s", error)
        else:
            log.warning("the video service still refuses the account: %s", error)
        self._is_told = True
        self._needed_micro = needed_micro
        self._shut(error)

    def miss(self, error: ProviderError) -> None:
        """Note a request that the service did not take; shut after some of them in a row."""
        self._misses += 1
        if self._misses < _MOST_MISSES or self.needs_owner:
            return
        if self._misses == _MOST_MISSES:
            log.warning("the video service does not answer; what is new is kept in line: %s", error)
        self._shut(error)

    def _shut(self, trouble: ProviderError) -> None:
        self.trouble = trouble
        self.is_proven = False
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._keep_looking())

    def prove(self) -> None:
        """Note that the service took a task, which says more than any balance."""
        self._open()
        self.is_proven = True
        self._is_told = False
        self._looks = self._misses = 0

    @contextlib.asynccontextmanager
    async def passage(self) -> AsyncIterator[bool]:
        """Tell whether a new task may be sent, in this block; wait for one that tries it first."""
        if not self.is_proven:
            async with self._one_by_one:
                if not self.is_proven:
                    yield self.is_open
                    return
        yield self.is_open

    async def look(self) -> None:
        """Ask for the balance once, and open if the service answers and the account can pay."""
        self._looks += 1
        try:
            balance = await self._balance()
        except ProviderError as error:
            log.info("the video service is not in order yet: %s", error)
            return
        if balance is None or balance >= self._needed_micro or not self.needs_owner:
            self._open()

    async def stop(self) -> None:
        """Look no more."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch

    def _open(self) -> None:
        if self.needs_owner:
            log.warning("the account seems to be in order again; new clips are accepted")
        elif not self.is_open:
            log.info("the video service answers again; what was kept in line is tried")
        self.trouble = None

    async def _keep_looking(self) -> None:
        while not self.is_open:
            await asyncio.sleep(lifecycle.retry_delay(self._looks, self._chance()))
            try:
                await self.look()
            except Exception:
                # Nothing may end what alone can open the gate.
                log.exception("a look at the balance broke; trying again")
