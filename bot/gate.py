"""The gate: whether the bot's account with the video service is in order.

Shut when the service refuses the account (key, credit), which only its owner can mend: nothing new
is accepted or sent then, while running jobs are looked at as ever. A shut gate looks at the balance
by itself, ever more rarely, and opens when the account answers and can pay; only a task that the
service takes proves it, and until then tasks pass one by one, so that no more than one is refused.
Kept in memory: after a restart the next task finds out again.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from bot import lifecycle
from bot.errors import AccountTrouble, ProviderError

log = logging.getLogger(__name__)


class Gate:
    """`balance` returns the account's micro-dollars, or None where the service does not say."""

    def __init__(
        self, balance: Callable[[], Awaitable[int | None]], chance: Callable[[], float]
    ) -> None:
        self._balance = balance
        self._chance = chance
        self._needed_micro = 1
        self._looks = 0
        """Since the last proof, so that an account that only looks well is not asked for ever."""
        self._is_told = False
        self.is_proven = False
        """Whether the service took a task since it last refused the account, if it did."""
        self._one_by_one = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self.is_open = True

    def shut(self, error: AccountTrouble, needed_micro: int = 1) -> None:
        """Accept nothing new until the account has `needed_micro`; tell the owner, once."""
        if not self._is_told:
            log.critical("the video service refuses the account; it needs its owner: %s", error)
        else:
            log.warning("the video service still refuses the account: %s", error)
        self._is_told = True
        self.is_proven = False
        self._needed_micro = needed_micro
        self.is_open = False
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._keep_looking())

    def prove(self) -> None:
        """Note that the service took a task, which says more than any balance."""
        self._open()
        self.is_proven = True
        self._is_told = False
        self._looks = 0

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
        """Look at the account once, and open if it answers and can pay."""
        self._looks += 1
        try:
            balance = await self._balance()
        except ProviderError as error:
            log.info("the account is not in order yet: %s", error)
            return
        if balance is None or balance >= self._needed_micro:
            self._open()

    async def stop(self) -> None:
        """Look no more."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch

    def _open(self) -> None:
        if not self.is_open:
            log.warning("the account seems to be in order again; new clips are accepted")
        self.is_open = True

    async def _keep_looking(self) -> None:
        while not self.is_open:
            await asyncio.sleep(lifecycle.retry_delay(self._looks, self._chance()))
            try:
                await self.look()
            except Exception:
                # Nothing may end what alone can open the gate.
                log.exception("a look at the account broke; trying again")
