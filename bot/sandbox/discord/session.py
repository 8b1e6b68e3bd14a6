"""One gateway session: its intents and shard, its sequence, and the events it can replay.

A session outlives its connection; `gateway.py` attaches and detaches connections.
"""

import time
from collections import deque
from enum import IntFlag
from typing import Any

import orjson

from bot.sandbox.discord.outbox import Outbox
from bot.sandbox.discord.snowflake import TIME_SHIFT


class Intent(IntFlag):
    """The gateway intents that matter here."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15


class Session:
    """A bot's session on one shard."""

    def __init__(
        self, session_id: str, intents: int, shard: tuple[int, int], replay_max: int
    ) -> None:
        self.id = session_id
        self.intents = intents
        self.shard = shard
        self.sequence = 0
        self.outbox: Outbox | None = None
        self.detached_at = 0.0
        self._replay: deque[tuple[int, bytes]] = deque(maxlen=replay_max)

    def serves(self, guild_id: str | None) -> bool:
        """Whether events of this guild (None: direct messages) belong to this shard."""
        number, count = self.shard
        if guild_id is None:
            return number == 0
        return (int(guild_id) >> TIME_SHIFT) % count == number

    def deliver(self, event: str, data: bytes) -> None:
        """Return number an event, keep it for a replay, and send it if somebody is connected."""
        self.sequence += 1
        frame = orjson.dumps({"op": 0, "t": event, "s": self.sequence, "d": orjson.Fragment(data)})
        self._replay.append((self.sequence, frame))
        if self.outbox is not None:
            self.outbox.send(frame)

    def missed_since(self, sequence: int) -> list[bytes] | None:
        """Return the frames after `sequence`; None if some of them are no longer kept."""
        if sequence == self.sequence:
            return []
        if not self._replay or self._replay[0][0] > sequence + 1:
            return None
        return [frame for number, frame in self._replay if number > sequence]

    def repeat_last(self, count: int) -> None:
        """Send the last events once more, with new numbers: Discord promises 0 to N deliveries."""
        for _, frame in list(self._replay)[-count:]:
            event: dict[str, Any] = orjson.loads(frame)
            self.deliver(event["t"], orjson.dumps(event["d"]))

    def attach(self, outbox: Outbox) -> None:
        """Give the session a connection."""
        self.outbox = outbox

    def detach(self) -> None:
        """Take the connection away; events wait for a resume."""
        self.outbox = None
        self.detached_at = time.monotonic()
