"""A person of the local Discord, played by code: types commands, presses buttons, watches channels.

A small client of the people's side over HTTP and WebSocket; the demo, tests and benchmarks act
through it. Knows the page's contract, nothing of the bot.

    async with Person(discord.url, "mia") as mia:
        image = await mia.attach(png, "cat.png")
        sent = await mia.command("animate", image=image)
        reply = await mia.wait_for(lambda m: m["content"].startswith("Queued"))
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

JSON = dict[str, Any]

_SUB_COMMAND, _SUB_COMMAND_GROUP, _ATTACHMENT = 1, 2, 11
_DEFAULT_CHANNEL = "studio"


class PersonError(Exception):
    """The local Discord refused what a person tried. `errors` names the options that are wrong."""

    def __init__(self, status: int, body: JSON) -> None:
        super().__init__(f"{status}: {body.get('error')} {body.get('errors') or ''}".rstrip())
        self.status = status
        self.errors: dict[str, str] = body.get("errors") or {}


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that was handed to Discord, ready for an option, a form or a message."""

    id: str


@dataclass(slots=True)
class Started:
    """An interaction that this person started; its states come in over the socket."""

    id: str
    nonce: str


class Person:
    """One person with one client open. `who` is a user name or an id; not for two loops."""

    def __init__(self, base_url: str, who: str, channel: str = _DEFAULT_CHANNEL) -> None:
        self._base = base_url.rstrip("/")
        self._who = who
        self._channel = channel
        self._news = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self._http: aiohttp.ClientSession | None = None
        self._messages: dict[str, dict[str, JSON]] = {}
        #: What the server said first: me, people, guild, channels, commands.
        self.state: JSON = {}
        #: Every event since, as (name, data), oldest first.
        self.events: list[tuple[str, Any]] = []
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
            await self._until(lambda: self.state or self._reader_ended(), within=10)
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

    async def attach(self, content: bytes, filename: str) -> Attached:
        """Hand a file to Discord. Raises PersonError 413 over the limit."""
        form = aiohttp.FormData()
        form.add_field("file", content, filename=filename, content_type="application/octet-stream")
        made = await self._call("POST", f"/sandbox/attachments?as={self.id}", data=form)
        return Attached(made["id"])

    async def command(self, name: str, /, channel: str | None = None, **options: Any) -> Started:
        """Type a slash command. Subcommands are words of the name: `command("animate settings")`.

        An option may be an `Attached`, a text, a number, True or False, or an id.
        Raises PersonError with `errors` by option.
        """
        words = name.split()
        command = self._find(words[0], kind=1)
        return await self._interact(
            "command",
            channel,
            name=words[0],
            type=1,
            options=_nested(command, words[1:], options),
        )

    async def send_raw(self, form: Mapping[str, Any], channel: str | None = None) -> Started:
        """Start an interaction from its form as it is, unchecked: what if a client lies."""
        rest = {name: value for name, value in form.items() if name != "kind"}
        return await self._interact(form["kind"], channel, unchecked=True, **rest)

    async def complete(
        self, name: str, focused: str, text: str, /, channel: str | None = None, **options: Any
    ) -> list[JSON]:
        """Return the choices that autocompletion offers for the option `focused` with `text` in it."""
        words = name.split()
        given = _nested(self._find(words[0], kind=1), words[1:], {**options, focused: text})
        inner = given
        while inner and inner[0]["type"] in {_SUB_COMMAND, _SUB_COMMAND_GROUP}:
            inner = inner[0]["options"]
        for option in inner:
            if option["name"] == focused:
                option["focused"] = True
        started = await self._interact(
            "autocomplete", channel, name=words[0], type=1, options=given
        )
        state = await self.wait_for_state(started, "choices", "failed")
        choices: list[JSON] = state.get("choices") or []
        return choices

    async def menu(self, name: str, message: JSON) -> Started:
        """Choose an app's entry in a message's context menu."""
        return await self._interact(
            "command", message["channel_id"], name=name, type=3, target_id=message["id"]
        )

    async def click(self, message: JSON, custom_id: str) -> Started:
        """Press a button."""
        return await self.choose(message, custom_id)

    async def choose(self, message: JSON, custom_id: str, *values: str) -> Started:
        """Choose from a select menu; or press a button, without values."""
        return await self._interact(
            "component",
            message["channel_id"],
            message_id=message["id"],
            custom_id=custom_id,
            values=list(values),
        )

    async def modal(self, started: Started, **answers: Any) -> Started:
        """Fill in and submit the form that an interaction brought up, by custom_id.

        An answer may be a text, True or False, a list of values, or a list of `Attached`.
        """
        state = await self.wait_for_state(started, "modal")
        shown: JSON = state["modal"]
        channel_id = next(
            (event["channel_id"] for event in [state] if "channel_id" in event),
            None,
        )
        return await self._interact(
            "modal",
            channel_id,
            interaction_id=started.id,
            custom_id=shown["custom_id"],
            components=[_answer(one, answers) for one in shown["components"]],
        )

    async def send(
        self,
        content: str = "",
        *attachments: Attached,
        channel: str | None = None,
        reply_to: JSON | None = None,
        ping: bool = True,
    ) -> JSON:
        """Write a message."""
        form = {
            "as": self.id,
            "channel_id": self.channel_id(channel),
            "content": content,
            "attachments": [one.id for one in attachments],
            "reply_to": None if reply_to is None else reply_to["id"],
            "ping": ping,
        }
        if reply_to is not None and channel is None:
            form["channel_id"] = reply_to["channel_id"]
        made: JSON = await self._call("POST", "/sandbox/messages", json=form)
        return made

    async def react(self, message: JSON, emoji: str) -> None:
        """Put a reaction on a message."""
        await self._call("PUT", "/sandbox/reactions", json=self._about(message, emoji=emoji))

    async def unreact(self, message: JSON, emoji: str) -> None:
        """Take a reaction back."""
        await self._call("DELETE", "/sandbox/reactions", json=self._about(message, emoji=emoji))

    async def delete(self, message: JSON) -> None:
        """Delete one's own message, or dismiss an ephemeral one."""
        await self._call("DELETE", "/sandbox/messages", json=self._about(message))

    def messages(self, channel: str | None = None) -> list[JSON]:
        """Say what this person sees in a channel now, oldest first."""
        return list(self._messages.get(self.channel_id(channel), {}).values())

    def everything(self) -> list[JSON]:
        """Say what this person sees in all channels, oldest first."""
        every = (one for channel in self._messages.values() for one in channel.values())
        return sorted(every, key=lambda one: int(one["id"]))

    def channel_id(self, channel: str | None = None) -> str:
        """Return the id of a channel, from its name or its id."""
        wanted = (channel or self._channel).removeprefix("#")
        for one in self.state["channels"]:
            if wanted in {one["name"], one["id"]}:
                return str(one["id"])
        raise KeyError(f"{self._who} sees no channel {wanted}")

    async def wait_for(self, predicate: Callable[[JSON], object], within: float = 10.0) -> JSON:
        """Return the first message, present or coming, that satisfies `predicate`; any channel.

        Raises TimeoutError after `within` seconds.
        """
        found: list[JSON] = []

        def look() -> bool:
            found.extend(one for one in self.everything() if predicate(one))
            return bool(found)

        await self._until(look, within)
        return found[0]

    async def wait_for_reply(self, started: Started, within: float = 10.0) -> JSON:
        """Return the message that answers an interaction, once it is no longer "thinking"."""

        def answers(message: JSON) -> bool:
            about = message.get("interaction_metadata") or {}
            return about.get("id") == started.id and not message["flags"] & 128

        return await self.wait_for(answers, within)

    async def wait_for_event(
        self, name: str, predicate: Callable[[Any], object] = bool, within: float = 10.0
    ) -> Any:
        """Return the data of the first event of a name, past or coming, that satisfies `predicate`."""
        found: list[Any] = []

        def look() -> bool:
            found.extend(data for one, data in self.events if one == name and predicate(data))
            return bool(found)

        await self._until(look, within)
        return found[0]

    async def wait_for_state(self, started: Started, *states: str, within: float = 10.0) -> JSON:
        """Return the first of these states that an interaction reaches: acknowledged, done, failed, ..."""
        event: JSON = await self.wait_for_event(
            "INTERACTION",
            lambda data: data["interaction_id"] == started.id and data["state"] in states,
            within,
        )
        return event

    async def wait_for_command(self, name: str, within: float = 10.0) -> JSON:
        """Return the command as the bot registered it, as soon as it has."""
        await self._until(lambda: self._command(name, None) is not None, within)
        return self._find(name)

    async def wait_for_bot(self, *, online: bool = True, within: float = 10.0) -> None:
        """Wait until the bot is online (or gone)."""
        await self._until(lambda: self.state.get("bot_online") is online, within)

    async def _interact(self, kind: str, channel: str | None, **form: Any) -> Started:
        nonce = secrets.token_hex(8)
        body = {
            "as": self.id,
            "channel_id": self.channel_id(channel),
            "nonce": nonce,
            "kind": kind,
            **form,
        }
        made = await self._call("POST", "/sandbox/interactions", json=body)
        return Started(made["interaction_id"], nonce)

    def _about(self, message: JSON, **more: str) -> JSON:
        place = {"as": self.id, "channel_id": message["channel_id"], "message_id": message["id"]}
        return place | more

    def _command(self, name: str, kind: int | None) -> JSON | None:
        for one in self.state["commands"]:
            if one["name"] == name and kind in {None, one["type"]}:
                found: JSON = one
                return found
        return None

    def _find(self, name: str, kind: int | None = None) -> JSON:
        found = self._command(name, kind)
        if found is None:
            raise KeyError(f"the bot has no command {name}")
        return found

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
            if response.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
                raise PersonError(response.status, body or {})
            return body

    async def _read(self) -> None:
        """Follow the socket and keep the picture of the world up to date."""
        if self._http is None:
            raise RuntimeError("connect first")
        url = f"{self._base}/sandbox/socket?as={self.id}"
        async with self._http.ws_connect(url, max_msg_size=0) as socket:
            async for frame in socket:
                body = orjson.loads(frame.data)
                async with self._news:
                    self._apply(body["t"], body["d"])
                    self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    def _apply(self, name: str, data: Any) -> None:
        self.events.append((name, data))
        if name == "STATE":
            self.state = data
            self._messages = {
                channel: {one["id"]: one for one in messages}
                for channel, messages in data["messages"].items()
            }
        elif name in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
            self._messages.setdefault(data["channel_id"], {})[data["id"]] = data
        elif name == "MESSAGE_DELETE":
            self._messages.get(data["channel_id"], {}).pop(data["id"], None)
        elif name == "REACTIONS":
            message = self._messages.get(data["channel_id"], {}).get(data["message_id"])
            if message is not None:
                message["reactions"] = data["reactions"]
        elif name in {"COMMANDS", "CHANNELS"}:
            self.state[name.lower()] = data
        elif name == "BOT":
            self.state["bot_online"] = data["online"]

    def _reader_ended(self) -> bool:
        return self._reader is not None and self._reader.done()

    async def _until(self, satisfied: Callable[[], object], within: float) -> None:
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: satisfied() or self._reader_ended())
        if not satisfied():
            raise ConnectionError("the local Discord closed the connection")


def _nested(command: JSON, words: list[str], options: Mapping[str, Any]) -> list[JSON]:
    """Options as the people's side takes them, inside the subcommands that `words` name."""
    declared: list[JSON] = command.get("options") or []
    if words:
        inner = next(one for one in declared if one["name"] == words[0])
        return [
            {
                "name": words[0],
                "type": inner["type"],
                "options": _nested(inner, words[1:], options),
            }
        ]
    kinds = {one["name"]: one["type"] for one in declared}
    return [
        {"name": name, "type": kinds.get(name, _kind(value)), "value": _plain(value)}
        for name, value in options.items()
    ]


def _kind(value: Any) -> int:
    """Return an option type for a value of an option that the command does not have."""
    return _ATTACHMENT if isinstance(value, Attached) else 3


def _plain(value: Any) -> Any:
    if isinstance(value, Attached):
        return value.id
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _answer(component: JSON, answers: Mapping[str, Any]) -> JSON:
    """Return a component of a form with this person's answer in it."""
    shape: JSON = {
        name: component[name] for name in ("type", "id", "custom_id") if name in component
    }
    if "components" in component:
        return shape | {"components": [_answer(one, answers) for one in component["components"]]}
    if "component" in component:
        return shape | {"component": _answer(component["component"], answers)}
    if component.get("custom_id") in answers:
        value = _plain(answers[component["custom_id"]])
        shape["values" if isinstance(value, list) else "value"] = value
    return shape
