"""How long people wait until a command is acknowledged.

Both ends are read in the local Discord's own process, so no client of ours is in the figures.
"""

import asyncio
import time
from typing import Any

from bot.demo import PICTURE
from bot.sandbox.discord.server import LocalDiscord
from bot.sandbox.person import Person

JSON = dict[str, Any]

_HTTP_ERRORS = 400
_LOOK_EVERY = 0.02
_MOST_SECONDS = 60.0


class Answers:
    """The commands that one person sends, and when each was acknowledged; Unix seconds."""

    def __init__(self, discord: LocalDiscord, person: Person) -> None:
        self._discord = discord
        self._whose = {"as": person.id, "channel_id": person.channel_id(), "nonce": "bench"}
        self._sent: dict[str, float] = {}
        self._answered: dict[str, float] = {}

    def send(self, command: JSON) -> None:
        """Dispatch a command now."""
        at = time.time()
        form = self._whose | {"kind": "command", "type": 1} | command
        self._sent[self._discord.people.interact(form)["interaction_id"]] = at

    async def all(self) -> list[float]:
        """Wait until all are acknowledged and return how long each took, in ms, sorted."""
        async with asyncio.timeout(_MOST_SECONDS):
            while len(self._answered) < len(self._sent):
                await asyncio.sleep(_LOOK_EVERY)
                self.note()
        return sorted((self._answered[one] - at) * 1000 for one, at in self._sent.items())

    async def first_at(self) -> float:
        """Wait until any is acknowledged and return when."""
        async with asyncio.timeout(_MOST_SECONDS):
            while not self._answered:
                await asyncio.sleep(_LOOK_EVERY)
                self.note()
        return min(self._answered.values())

    def note(self) -> None:
        """Look through what the bot sent; the local Discord forgets it after 2000 requests."""
        for exchange in self._discord.requests:
            parts = exchange.path.split("/")
            is_answer = parts[-1] == "callback" and exchange.status < _HTTP_ERRORS
            if is_answer and parts[2] in self._sent:
                self._answered.setdefault(parts[2], exchange.at)


async def animate(person: Person) -> JSON:
    """Return `/animate` with the demo's picture."""
    image = await person.attach(PICTURE.read_bytes(), "demo.jpg")
    return {"name": "animate", "options": [{"name": "image", "type": 11, "value": image.id}]}


def card() -> JSON:
    """Return `/usage me`."""
    return {"name": "usage", "options": [{"name": "me", "type": 1, "options": []}]}


def p99(ordered: list[float]) -> float:
    """Return what ninety-nine of a hundred do not exceed."""
    return ordered[int(len(ordered) * 0.99)]
