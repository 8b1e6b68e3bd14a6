"""Discord as the simulation has it: channels, messages, and nonces that it remembers for a while.

It knows nothing of the bot, and does what its REST interface is documented to do.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.conftest import NOON
from tests.simulation.journal import Journal
from tests.simulation.weather import Weather
from tests.simulation.wire import Answer

AUTHOR: Any = {"id": "777", "username": "bot", "discriminator": "0", "avatar": None}
NONCE_SECONDS = 240.0
"""Discord says "a few minutes"."""
_EPOCH = 1_420_070_400_000
_NEVER = 1 << 64
_MOST_LISTED = 100
_JSON = {"content-type": "application/json"}
Json = dict[str, Any]


@dataclass(slots=True)
class Message:
    """One message of the bot."""

    id: int
    channel_id: int
    content: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    pinged: tuple[int, ...] = ()
    """Members who were notified when it was posted."""
    embed: Json = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    """All that its embed has ever said: an edit that was under way may overtake a newer one."""


class Chat:
    """One Discord. Times are the loop's, in seconds."""

    def __init__(self, weather: Weather, journal: Journal) -> None:
        self._now: Callable[[], float] = asyncio.get_running_loop().time
        self._weather = weather
        self._journal = journal
        self.messages: dict[int, Message] = {}
        self._nonces: dict[tuple[int, str], tuple[int, float]] = {}

    def placeholder(self, channel_id: int) -> int:
        """Return the id of a new message that says "thinking…"."""
        return self._add(Message(self._new_id(), channel_id))

    def answer(
        self, method: str, path: str, query: Mapping[str, Any], body: Json, files: dict[str, bytes]
    ) -> Answer:
        """Answer one request of the REST interface."""
        found = re.fullmatch(r"/channels/(\d+)/messages(?:/(\d+))?", path)
        assert found is not None, path
        channel_id = int(found[1])
        if self._weather.has(self._weather.forbidden, self._now()):
            return Answer(403, b'{"code": 50013, "message": "Missing Permissions"}', _JSON)
        match method:
            case "POST":
                said: Any = self._post(channel_id, body, files)
            case "PATCH":
                message = self.messages[int(found[2])]
                self.edit(message.id, body["embeds"][0])
                said = _json(message)
            case _:
                # The newest first, as Discord lists them; nobody asks for what came after.
                before = int(query.get("before", _NEVER))
                listed = [
                    message
                    for message in self.messages.values()
                    if message.channel_id == channel_id and message.id < before
                ]
                said = [
                    _json(one) for one in reversed(listed[-min(_MOST_LISTED, query["limit"]) :])
                ]
        return Answer(200, orjson.dumps(said), _JSON)

    def edit(self, message_id: int, embed: Json) -> None:
        """Change what a message shows."""
        self.messages[message_id].embed = embed
        self.messages[message_id].told.append(embed.get("description", ""))
        self._journal.note(f"discord: {message_id & 0xFFFF} shows {embed.get('title')!r}")

    def _post(self, channel_id: int, body: Json, files: dict[str, bytes]) -> Json:
        nonce = str(body["nonce"])
        known, at = self._nonces.get((channel_id, nonce), (0, 0.0))
        if known and self._now() - at < NONCE_SECONDS:
            self._journal.note("discord: knows the nonce, posts nothing")
            return _json(self.messages[known])
        content = body.get("content") or ""
        allowed = {int(one) for one in body.get("allowed_mentions", {}).get("users", ())}
        pinged = tuple(one for one in map(int, re.findall(r"<@(\d+)>", content)) if one in allowed)
        message = Message(self._new_id(), channel_id, content, files, pinged)
        self._add(message)
        self._nonces[channel_id, nonce] = (message.id, self._now())
        self._journal.note(f"discord: {', '.join(files)} posted, pings {pinged}")
        return _json(message)

    def _add(self, message: Message) -> int:
        self.messages[message.id] = message
        return message.id

    def _new_id(self) -> int:
        at = NOON + round(self._now() * 1000)
        return (at - _EPOCH) << 22 | len(self.messages) + 1


def _json(message: Message) -> Json:
    return {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "type": 0,
        "content": message.content,
        "author": AUTHOR,
        "attachments": [
            {"id": str(place), "filename": name, "size": len(data), "url": "", "proxy_url": ""}
            for place, (name, data) in enumerate(message.files.items(), start=1)
        ],
        "embeds": [message.embed] if message.embed else [],
        "mentions": [],
        "mention_roles": [],
        "timestamp": "2026-11-07T12:00:00+00:00",
        "edited_timestamp": None,
    }
