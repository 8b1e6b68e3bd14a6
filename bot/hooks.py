"""What a webhook may do: say "look now" about one task, if it has that task's token.

Makes and checks the tokens, and turns calls into nudges, few however many calls there are. What a
call says is never read: lost, late, doubled or forged, it changes no outcome. Knows no HTTP;
`web.py` receives the calls.
"""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.errors import StoreError
from bot.lifecycle import LOOKED_AT, State
from bot.store import Store

log = logging.getLogger(__name__)

_REST = 1.0
"""Seconds between two nudges for one task."""
_EARLY = frozenset((State.QUEUED, State.SUBMITTING))


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and checks the address for a task. `base` is where the world reaches this server.

    The token stands in the query, because that is the only place that the service documents, and
    because proxies and `logs.py` know to strike it out there.
    """

    base: str
    key: bytes = field(repr=False)

    def url(self, task_uuid: str) -> str:
        """Return the address at which the service may tell of the end of this task."""
        return f"{self.base}/hooks/{task_uuid}?token={self._token(task_uuid)}"

    def is_genuine(self, task_uuid: str, token: str) -> bool:
        """Tell whether the token is this task's, in a time that says nothing about it."""
        return hmac.compare_digest(self._token(task_uuid).encode(), token.encode(errors="replace"))

    def _token(self, task_uuid: str) -> str:
        return hmac.new(self.key, task_uuid.encode(errors="replace"), hashlib.sha256).hexdigest()


class Bell:
    """Turns calls into nudges: at once, then at most one per task and second, and none is lost.

    `clock` returns Unix milliseconds; `wake` tells the worker.
    """

    def __init__(self, store: Store, clock: Callable[[], int], wake: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._resting: set[str] = set()
        self._again: set[str] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._is_open = True

    async def ring(self, task_uuid: str) -> None:
        """Have the task looked at, now or in a moment. Raises `StoreError`."""
        if task_uuid in self._resting:
            self._again.add(task_uuid)
            return
        self._resting.add(task_uuid)
        try:
            state = await self._store.nudge(task_uuid, self._clock())
        finally:
            asyncio.get_running_loop().call_later(_REST, self._rested, task_uuid)
        if state in LOOKED_AT:
            self._wake()
        elif state in _EARLY:
            # It is done before its submit was acknowledged: it can only be looked at after that.
            self._again.add(task_uuid)

    async def close(self) -> None:
        """Forget the calls of this second; polling finds what they were about."""
        self._is_open = False
        if self._late:
            await asyncio.wait(self._late)

    def _rested(self, task_uuid: str) -> None:
        self._resting.discard(task_uuid)
        if task_uuid in self._again and self._is_open:
            self._again.discard(task_uuid)
            task = asyncio.create_task(self._ring_late(task_uuid))
            self._late.add(task)
            task.add_done_callback(self._late.discard)

    async def _ring_late(self, task_uuid: str) -> None:
        try:
            await self.ring(task_uuid)
        except StoreError as error:
            log.warning("a nudge could not be written: %s", error)
