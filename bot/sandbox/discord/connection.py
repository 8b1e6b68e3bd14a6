"""One WebSocket of the gateway: what it may send, what is sent to it, whose session it serves."""

import asyncio
import time
from typing import Any

import orjson
from aiohttp import web

from bot.sandbox.discord.outbox import Outbox
from bot.sandbox.discord.session import Session

_SENDS_MAX, _SENDS_WINDOW_S = 120, 60.0
_LOOK_S = 0.05


class GatewayClosed(Exception):
    """Ends a connection with one of Discord's close codes."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Connection:
    """One WebSocket: its outbox, its session once identified, and how much it has sent."""

    def __init__(self, request: web.Request, outbox: Outbox) -> None:
        self.request = request
        self.outbox = outbox
        self.session: Session | None = None
        #: True for one whose network has gone: a goodbye is not answered either.
        self.silent = False
        self._sends = 0
        self._window_ends = 0.0

    def send(self, op: int, data: Any = None) -> None:
        """Send a frame that is not an event."""
        self.outbox.send(orjson.dumps({"op": op, "d": data, "s": None, "t": None}))

    def count_send(self) -> None:
        """Raise GatewayClosed 4008 for a client that sends more than 120 frames a minute."""
        now = time.monotonic()
        if now >= self._window_ends:
            self._sends, self._window_ends = 0, now + _SENDS_WINDOW_S
        self._sends += 1
        if self._sends > _SENDS_MAX:
            raise GatewayClosed(4008)

    async def outlasted(self) -> None:
        """Keep a silent connection open, unanswered, until its client has cut it."""
        while self.silent and (transport := self.request.transport) is not None:
            if transport.is_closing():
                return
            await asyncio.sleep(_LOOK_S)
