"""The last REST requests of the bot and their answers, without tokens: for tests above all."""

import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.discord.bodies import PAYLOAD

_KEPT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer."""

    #: Unix seconds.
    at: float
    method: str
    #: The path below the API's root, with `{token}` where an interaction's token was.
    path: str
    query: str
    status: int
    #: The JSON that was sent (of a multipart body: its payload_json), if any.
    payload: Any
    multipart: bool
    authorized: bool
    answer: bytes

    def as_json(self) -> dict[str, Any]:
        """As the control interface shows it."""
        return {
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "multipart": self.multipart,
            "body": self.payload,
        }


class Journal:
    """A bounded list of exchanges, oldest first."""

    def __init__(self) -> None:
        self.exchanges: deque[Exchange] = deque(maxlen=_KEPT)

    def note(self, request: web.Request, path: str, response: web.StreamResponse) -> None:
        """Remember a request that was answered. `path` has no tokens in it."""
        body = response.body if isinstance(response, web.Response) else None
        self.exchanges.append(
            Exchange(
                at=time.time(),
                method=request.method,
                path=path,
                query=request.query_string,
                status=response.status,
                payload=request.get(PAYLOAD),
                multipart=request.content_type == "multipart/form-data",
                authorized="Authorization" in request.headers,
                answer=body if isinstance(body, bytes) else b"",
            )
        )
