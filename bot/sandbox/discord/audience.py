"""The people who are watching: their WebSockets, and what each of them is told.

Fed by `feed.py`; knows nothing of permissions or messages.
"""

from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from bot.sandbox.discord.outbox import Outbox


class Audience:
    """Sockets by person. A person may watch from several windows."""

    def __init__(self) -> None:
        self._boxes: dict[str, set[Outbox]] = {}

    @property
    def watching(self) -> list[str]:
        """The people with at least one window open."""
        return list(self._boxes)

    def tell(self, person_id: str, event: str, data: Any) -> None:
        """Send an event to every window of one person."""
        boxes = self._boxes.get(person_id)
        if boxes:
            frame = _frame(event, data)
            for box in boxes:
                box.send(frame)

    def tell_all(self, event: str, data: Any) -> None:
        """Send the same event to everybody."""
        frame = _frame(event, data)
        for boxes in self._boxes.values():
            for box in boxes:
                box.send(frame)

    async def watch(
        self, request: web.Request, person_id: str, first: Callable[[], Any]
    ) -> web.WebSocketResponse:
        """Serve one window until it closes; `first` makes the STATE that it starts from."""
        socket = web.WebSocketResponse(heartbeat=30, max_msg_size=1024)
        await socket.prepare(request)
        box = Outbox(socket)
        box.send(_frame("STATE", first()))
        self._boxes.setdefault(person_id, set()).add(box)
        try:
            await _until_closed(socket)
        finally:
            self._boxes[person_id].discard(box)
            if not self._boxes[person_id]:
                del self._boxes[person_id]
            await box.finish()
        return socket

    def close(self) -> None:
        """Send everybody away: the server is stopping."""
        for boxes in self._boxes.values():
            for box in boxes:
                box.close(1001)


def _frame(event: str, data: Any) -> bytes:
    return orjson.dumps({"t": event, "d": data})


async def _until_closed(socket: web.WebSocketResponse) -> None:
    async for frame in socket:
        if frame.type is WSMsgType.ERROR:
            return
