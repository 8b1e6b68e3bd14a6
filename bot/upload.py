"""A clip on its way to Discord, which is sent only while what was seen before it holds.

What is sent twice within minutes comes once, by its nonce; later only a look into the channel tells
that it is there. discord.py may hold a request back for longer than either: behind one that got no
answer, or for a rate limit. So a file knows until when it may be sent, however long it then takes;
a message that only links to a clip is small, and is cut off at that moment. Knows nothing of jobs.
"""

import asyncio
import math
from pathlib import Path
from typing import Any

import discord

from bot.errors import DeliveryError

FRESH = 60.0
"""Seconds after a look, or after it was first sent, within which a clip may be sent (again).

Discord remembers a nonce for "a few minutes".
"""


def in_time(until: float) -> float:
    """Return until when what is sent now may be sent again; moments of the loop's time.

    Raises `DeliveryError` after `until`.
    """
    now = asyncio.get_running_loop().time()
    if now > until:
        raise DeliveryError("it had to wait for too long: whether it is there is looked up anew")
    return min(until, now + FRESH)


class Upload(discord.File):
    """A file whose every sending is in time, or a `DeliveryError`: nothing was sent with that."""

    __slots__ = ("until",)

    def __init__(self, path: Path, *, until: float = math.inf, **given: Any) -> None:
        super().__init__(path, **given)
        self.until = until
        """A moment of the loop's time."""

    def reset(self, *, seek: int | bool = True) -> None:
        """Begin anew: discord.py calls this whenever the request's turn has come."""
        self.until = in_time(self.until)
        super().reset(seek=seek)
