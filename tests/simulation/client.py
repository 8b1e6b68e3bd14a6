"""discord.py's own client in the simulation: only its HTTP session is not a real one."""

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import discord
import orjson

from tests.simulation.chat import AUTHOR, Chat
from tests.simulation.weather import Side
from tests.simulation.wire import Answer, NoAnswer, Silence, Wire

_PATIENCE = 300.0
"""aiohttp's own, in seconds."""
_API = urlsplit(discord.http.Route.BASE).path


class SimulatedClient(discord.Client):
    """Logged in, without a gateway."""

    def __init__(self, wire: Wire, chat: Chat) -> None:
        super().__init__(
            intents=discord.Intents.none(),
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._us = discord.User(state=self._connection, data=AUTHOR)
        over = asyncio.Event()
        over.set()
        # What its login would set, which asks for a session on a real network.
        vars(self.http).update(
            _HTTPClient__session=_Session(wire, chat), _global_over=over, token="simulated"
        )

    @property
    def user(self) -> Any:  # a `ClientUser`, which only a login makes
        return self._us


class _Session:
    """The part of `aiohttp.ClientSession` that discord.py uses."""

    def __init__(self, wire: Wire, chat: Chat) -> None:
        self._wire = wire
        self._chat = chat

    def request(self, method: str, url: str, **given: Any) -> "_Request":
        return _Request(self._wire, self._chat, method, url, given)


class _Request:
    """A request, and in its block the answer to it."""

    def __init__(
        self, wire: Wire, chat: Chat, method: str, url: str, given: dict[str, Any]
    ) -> None:
        self._wire = wire
        self._chat = chat
        self._method = method
        self._path = urlsplit(url).path.removeprefix(_API)
        self._given = given

    async def __aenter__(self) -> "_Response":
        body, files = await _read(self._given.get("data"))
        query = self._given.get("params") or {}
        label = {"POST": "post", "PATCH": "edit"}.get(self._method, "history")
        try:
            answer = await self._wire.exchange(
                Side.DISCORD,
                label,
                lambda: self._chat.answer(self._method, self._path, query, body, files),
                _PATIENCE,
            )
        except NoAnswer as error:
            if error.silence is Silence.TIMEOUT:
                raise TimeoutError from None
            raise aiohttp.ServerDisconnectedError from None
        return _Response(answer)

    async def __aexit__(self, *_: object) -> None:
        pass


class _Response:
    """The part of `aiohttp.ClientResponse` that discord.py uses."""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.reason = ""
        self.headers = answer.headers
        self._body = answer.body

    async def text(self, encoding: str) -> str:
        return self._body.decode(encoding)


async def _read(data: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the JSON of a body and the files beside it."""
    if data is None:
        return {}, {}
    if not isinstance(data, aiohttp.FormData):
        return orjson.loads(data), {}
    body: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for part, _, _ in data():  # type: ignore[attr-defined] # its parts, without an encoding
        sink = _Sink()
        await part.write(sink)
        said = part.headers["Content-Disposition"]
        name = re.search(r'filename="([^"]+)"', said)
        if name is None:
            body = orjson.loads(bytes(sink.data))
        else:
            files[name[1]] = bytes(sink.data)
    return body, files


class _Sink(aiohttp.abc.AbstractStreamWriter):
    """Takes what a part of a form writes."""

    def __init__(self) -> None:
        self.data = bytearray()

    async def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self.data += chunk

    async def write_eof(self, chunk: bytes = b"") -> None:
        self.data += chunk

    async def drain(self) -> None:
        pass

    def enable_compression(self, *_: Any) -> None:
        pass

    def enable_chunking(self) -> None:
        pass

    async def write_headers(self, *_: Any) -> None:
        pass
