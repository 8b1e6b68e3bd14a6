"""One open client of the local Discord: what a person sees, and waiting for what they will see.

Follows the people's socket and keeps the picture current. What a person does is `person.py`, which
builds on this. Knows the page's contract, nothing of the bot.
"""

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

JSON = dict[str, Any]

_DEFAULT_CHANNEL = "studio"
_CONNECT_WITHIN_S = 10.0
_FIRST_ERROR = 400
_MESSAGE_EVENTS = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE"})
#: Parts of the state that are pushed whole.
_PARTS = frozenset({"COMMANDS", "CHANNELS", "PEOPLE", "PORTAL"})
_CLOSED = "the local Discord closed the connection"


class PersonError(Exception):
    """The local Discord refused what a person tried. `errors` names the options that are wrong."""

    def __init__(self, status: int, body: JSON) -> None:
        super().__init__(f"{status}: {body.get('error')} {body.get('errors') or ''}".rstrip())
        self.status = status
        self.errors: dict[str, str] = body.get("errors") or {}


class Onlooker:
    """A client that watches. `who` is a user name, a display name or an id."""

    def __init__(self, base_url: str, who: str, channel: str = _DEFAULT_CHANNEL) -> None:
        self._base = base_url.rstrip("/")
        self._who = who
        self._channel = channel
        #: Who waits, and what each of them asks after every event.
        self._waiting: dict[asyncio.Future[None], Callable[[], object]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._http: aiohttp.ClientSession | None = None
        self._messages: dict[str, dict[str, JSON]] = {}
        #: What the server said first, kept current: me, people, guild, channels, commands, ...
        self.state: JSON = {}
        #: Every event since, as (name, data), oldest first.
        self.events: list[tuple[str, Any]] = []
        #: This person's id.
        self.id = ""

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Open the client and wait for the state of the world."""
        self._http = aiohttp.ClientSession()
        try:
            self.id = await self._identity()
            self._reader = asyncio.create_task(self._read())
            await self._until(lambda: self.state, within=_CONNECT_WITHIN_S)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the client."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError):
                await self._reader
        if self._http is not None:
            await self._http.close()

    def messages(self, channel: str | None = None) -> list[JSON]:
        """Say what this person sees in a channel now, oldest first."""
        return list(self._messages.get(self.channel_id(channel), {}).values())

    def everything(self) -> list[JSON]:
        """Say what this person sees in all channels, oldest first."""
        every = (one for channel in self._messages.values() for one in channel.values())
        return sorted(every, key=lambda one: int(one["id"]))

    def channel_id(self, channel: str | None = None) -> str:
        """Return the id of a channel, from its name or its id.

        "@bot" is the direct messages with the bot.
        """
        wanted = (channel or self._channel).removeprefix("#")
        for one in self.state["channels"]:
            name = "@bot" if one["guild_id"] is None else one["name"]
            if wanted in {name, one["id"]}:
                return str(one["id"])
        raise KeyError(f"{self._who} sees no channel {wanted}")

    def person_id(self, name: str) -> str:
        """Return the id of a person or the bot, from a user name or a display name."""
        people = self.state["people"]
        if name == "bot":
            return next(str(one["id"]) for one in people if one["bot"])
        return next(
            str(one["id"]) for one in people if name in {one["username"], one["global_name"]}
        )

    def role_id(self, name: str) -> str:
        """Return the id of a role, from its name; of the first server that has one."""
        roles = (role for guild in self.state["guilds"] for role in guild["roles"])
        return next(str(one["id"]) for one in roles if one["name"] == name)

    def guild_id(self, name: str) -> str:
        """Return the id of a server, from its name."""
        return next(str(one["id"]) for one in self.state["guilds"] if one["name"] == name)

    def roles(self, name: str) -> list[str]:
        """Return the names of the roles that somebody has now, the highest first."""
        names = {one["id"]: one["name"] for one in self.state["guild"]["roles"]}
        [who] = [one for one in self.state["people"] if one["id"] == self.person_id(name)]
        return [names[one] for one in who["roles"] if one in names]

    async def wait_for_roles(self, name: str, *roles: str, within: float = 10.0) -> None:
        """Wait until somebody has exactly these roles, the highest first."""
        await self._until(lambda: self.roles(name) == list(roles), within)

    async def download(self, file: JSON) -> bytes:
        """Fetch a file that a message shows: an attachment, or an embed's image, by its link."""
        if self._http is None:
            raise RuntimeError("connect first")
        async with self._http.get(file["url"]) as response:
            response.raise_for_status()
            return await response.read()

    async def control(self, method: str, lever: str, form: JSON | None = None) -> Any:
        """Pull a lever of /sandbox/control, such as ("PATCH", "limits", {...})."""
        return await self._call(method, f"/sandbox/control/{lever}", json=form or {})

    async def wait_for(self, predicate: Callable[[JSON], object], within: float = 10.0) -> JSON:
        """Return the first message, present or coming, that satisfies `predicate`; any channel.

        Raises TimeoutError after `within` seconds.
        """
        present = next((one for one in self.everything() if predicate(one)), None)
        if present is not None:
            return present
        message: JSON = await self._coming(_MESSAGE_EVENTS, predicate, within)
        return message

    async def wait_for_event(
        self, name: str, predicate: Callable[[Any], object] = bool, within: float = 10.0
    ) -> Any:
        """Return the data of the first such event, past or coming, that satisfies `predicate`."""
        return await self._coming(frozenset({name}), predicate, within, since=0)

    async def _coming(
        self,
        names: frozenset[str],
        predicate: Callable[[Any], object],
        within: float,
        since: int | None = None,
    ) -> Any:
        """Return the first event's data from position `since` on; each event is looked at once."""
        position = len(self.events) if since is None else since
        found: list[Any] = []

        def look() -> bool:
            nonlocal position
            while not found and position < len(self.events):
                name, data = self.events[position]
                position += 1
                if name in names and predicate(data):
                    found.append(data)
            return bool(found)

        await self._until(look, within)
        return found[0]

    async def wait_for_bot(self, *, online: bool = True, within: float = 10.0) -> None:
        """Wait until the bot is online (or gone)."""
        await self._until(lambda: self.state.get("bot_online") is online, within)

    async def _identity(self) -> str:
        people = (await self._call("GET", "/sandbox/people"))["people"]
        for one in people:
            if self._who in {one["id"], one["username"], one["global_name"]}:
                return str(one["id"])
        if self._who.isdecimal():
            return self._who
        raise KeyError(f"there is no person {self._who}")

    async def _call(self, method: str, path: str, **options: Any) -> Any:
        if self._http is None:
            raise RuntimeError("connect first")
        async with self._http.request(method, self._base + path, **options) as response:
            content = await response.read()
            body = orjson.loads(content) if content else None
            if response.status >= _FIRST_ERROR:
                raise PersonError(response.status, body or {})
            return body

    async def _read(self) -> None:
        """Follow the socket, keep the picture of the world current, and wake who waits for it."""
        if self._http is None:
            raise RuntimeError("connect first")
        url = f"{self._base}/sandbox/socket?as={self.id}"
        try:
            async with self._http.ws_connect(url, max_msg_size=0) as socket:
                async for frame in socket:
                    body = orjson.loads(frame.data)
                    self._apply(body["t"], body["d"])
                    self._wake()
        finally:
            for waiting in self._waiting:
                if not waiting.done():
                    waiting.set_exception(ConnectionError(_CLOSED))

    def _wake(self) -> None:
        for waiting, look in list(self._waiting.items()):
            if not waiting.done() and look():
                waiting.set_result(None)

    def _apply(self, name: str, data: Any) -> None:
        self.events.append((name, data))
        if name in _PARTS:
            self.state[name.lower()] = data
        elif name in {"STATE", "GUILDS"}:
            self._keep(data if name == "STATE" else {"guilds": data})
        elif name == "BOT":
            self.state["bot_online"] = data["online"]
        elif name == "MESSAGE_DELETE":
            self._messages.get(data["channel_id"], {}).pop(data["id"], None)
        elif name in _MESSAGE_EVENTS:
            self._messages.setdefault(data["channel_id"], {})[data["id"]] = data
        elif name == "REACTIONS":
            message = self._messages.get(data["channel_id"], {}).get(data["message_id"])
            if message is not None:
                message["reactions"] = data["reactions"]

    def _keep(self, state: JSON) -> None:
        """Keep a part of the state; `guild` is the person's first, where roles are looked up."""
        self.state |= {**state, "guild": state["guilds"][0]}
        if "messages" in state:
            self._messages = {
                channel: {one["id"]: one for one in messages}
                for channel, messages in state["messages"].items()
            }

    async def _until(self, look: Callable[[], object], within: float) -> None:
        """Wait until `look` says yes. It is asked once now, then after every event."""
        if look():
            return
        if self._reader is None or self._reader.done():
            raise ConnectionError(_CLOSED)
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[waiting] = look
        try:
            async with asyncio.timeout(within):
                await waiting
        finally:
            del self._waiting[waiting]
