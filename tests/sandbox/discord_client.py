"""What the tests of the local Discord use from outside: a raw REST client, an unmodified bot."""

import asyncio
import io
import warnings
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
import yarl
from PIL import Image

from bot.sandbox.discord import LocalDiscord
from bot.sandbox.discord.interactions import Interaction
from bot.sandbox.person import Started

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # discord.py imports audioop on 3.11
    import discord
    from discord.ext import commands

__all__ = ["ANIMATE", "JSON", "PING", "TOKEN", "Api", "commands", "connected", "discord", "png"]

JSON = dict[str, Any]
AnyBot = commands.Bot | commands.AutoShardedBot
TOKEN = "a-local-token"

ANIMATE: JSON = {
    "name": "animate",
    "description": "Animate a picture",
    "options": [
        {"type": 11, "name": "image", "description": "The picture", "required": True},
        {"type": 3, "name": "prompt", "description": "What happens", "max_length": 20},
        {"type": 4, "name": "seconds", "description": "How long", "min_value": 3, "max_value": 10},
        {
            "type": 3,
            "name": "shape",
            "description": "The shape",
            "choices": [{"name": "Wide", "value": "16:9"}, {"name": "Square", "value": "1:1"}],
        },
    ],
}
PING: JSON = {"name": "ping", "description": "Answer"}


def png(width: int = 64, height: int = 48) -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, "PNG")
    return buffer.getvalue()


class Api:
    """The REST API as a program without discord.py calls it."""

    def __init__(self, server: LocalDiscord, token: str | None = TOKEN) -> None:
        self.server = server
        self._headers = {} if token is None else {"Authorization": f"Bot {token}"}
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def call(self, method: str, path: str, payload: Any = None) -> tuple[int, Any]:
        """Send JSON; returns the status and the body, decoded."""
        response, body = await self.exchange(method, path, payload)
        return response.status, body

    async def exchange(
        self, method: str, path: str, payload: Any = None, data: Any = None
    ) -> tuple[aiohttp.ClientResponse, Any]:
        """Send JSON or `data`; returns the response with its headers, and the body."""
        url = self.server.api + path
        options: JSON = {"data": data} if data is not None else {}
        if payload is not None:
            options["json"] = payload
        request = self._http.request(
            method, yarl.URL(url, encoded=True), headers=self._headers, **options
        )
        async with request as response:
            content = await response.read()
            return response, orjson.loads(content) if content else None

    async def upload(
        self, method: str, path: str, payload: JSON, *files: tuple[str, bytes]
    ) -> tuple[int, Any]:
        """Send a multipart body as discord.py does: payload_json and files[n]."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("payload_json", orjson.dumps(payload).decode())
        for index, (filename, content) in enumerate(files):
            form.add_field(
                f"files[{index}]",
                content,
                filename=filename,
                content_type="application/octet-stream",
            )
        response, body = await self.exchange(method, path, data=form)
        return response.status, body

    async def register(self, *forms: JSON) -> list[JSON]:
        """Register global commands."""
        path = f"/applications/{self.server.world.application_id}/commands"
        status, made = await self.call("PUT", path, list(forms))
        assert status == 200, made
        commands_made: list[JSON] = made
        return commands_made

    async def callback(self, started: Started, kind: int, data: JSON | None = None) -> Any:
        """Answer an interaction; returns the status and the body."""
        payload = {"type": kind} if data is None else {"type": kind, "data": data}
        path = f"/interactions/{started.id}/{self.token(started)}/callback?with_response=1"
        return await self.call("POST", path, payload)

    async def webhook(
        self, started: Started, method: str, tail: str = "", payload: Any = None
    ) -> tuple[int, Any]:
        """Call a route of an interaction's webhook."""
        root = f"/webhooks/{self.server.world.application_id}/{self.token(started)}"
        return await self.call(method, root + tail, payload)

    def token(self, started: Started) -> str:
        """An interaction's token."""
        return self.interaction(started).token

    def interaction(self, started: Started) -> Interaction:
        """An interaction, from inside the server."""
        found = self.server.interactions.get(started.id)
        assert found is not None
        return found

    def channel(self, name: str) -> str:
        """The id of a channel."""
        channels = self.server.world.channels.values()
        return next(one.id for one in channels if one.name == name)


@asynccontextmanager
async def connected(
    server: LocalDiscord,
    prepare: Callable[[Any], None] = lambda _bot: None,
    *,
    intents: discord.Intents | None = None,
    kind: type[AnyBot] = commands.Bot,
    events: Mapping[str, Callable[..., Any]] | None = None,
) -> AsyncIterator[AnyBot]:
    """Run an unmodified discord.py bot: ready and synced on entry, closed on exit."""
    discord.http.Route.BASE = server.api
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway)
    wanted = intents or discord.Intents(guilds=True, guild_messages=True, guild_reactions=True)
    bot = kind("!", intents=wanted, guild_ready_timeout=0.05)
    ready = asyncio.Event()

    async def on_ready() -> None:
        ready.set()

    bot.add_listener(on_ready)
    for name, handler in (events or {}).items():
        bot.add_listener(handler, name)
    prepare(bot)
    running = asyncio.create_task(bot.start(TOKEN))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({running, waiting}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        if running.done():
            running.result()
        await bot.tree.sync()
        yield bot
    finally:
        await bot.close()
        await asyncio.gather(running, return_exceptions=True)
