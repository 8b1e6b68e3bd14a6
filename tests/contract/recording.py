"""What was said between a bot and the local Discord, held against Discord's published contracts."""

from dataclasses import dataclass
from typing import Any

import orjson

from bot.sandbox.discord import LocalDiscord
from bot.sandbox.person import Person
from tests.contract.openapi import contract, gateway_mistakes
from tests.sandbox.discord_client import Api


@dataclass
class Recording:
    """A server, a person in it, and what the contracts say of all that was said."""

    server: LocalDiscord
    api: Api
    mia: Person

    @property
    def events(self) -> list[tuple[str, Any]]:
        """Every event so far, as (name, data)."""
        sent = self.server.gateway_server.sent
        return [(name, orjson.loads(data)) for name, data in sent]

    def of(self, name: str) -> list[Any]:
        """The data of all events of a name."""
        return [data for one, data in self.events if one == name]

    def check(self) -> None:
        """Hold every recorded exchange to the document, and every event to its schema."""
        assert self.server.requests
        found = [mistake for one in self.server.requests for mistake in contract().mistakes(one)]
        for name, data in self.events:
            found += event_mistakes(name, data)
        for frame in self.server.gateway_server.received:
            name = "Identify" if frame["op"] == 2 else "ResumeData"
            found += gateway_mistakes(name, frame["d"])
        assert not found, "\n".join(dict.fromkeys(found))


def event_mistakes(name: str, data: Any) -> list[str]:
    """What the published schema has against an event; nothing for events without one."""
    schemas = {
        "READY": "Ready",
        "GUILD_CREATE": "GuildCreate",
        "MESSAGE_CREATE": "Msg",
        "MESSAGE_UPDATE": "Msg",
        "MESSAGE_REACTION_ADD": "ReactionAdd",
    }
    if name == "INTERACTION_CREATE":
        kinds = {2: {1: "ChatInput", 3: "MsgCtx"}, 3: {2: "ButtonClick"}}
        detail = data["data"].get("type") or data["data"].get("component_type")
        schema = "ModalSubmit" if data["type"] == 5 else kinds.get(data["type"], {}).get(detail)
        return gateway_mistakes(schema, data) if schema else []
    return gateway_mistakes(schemas[name], data) if name in schemas else []
