"""A clip on its way to Discord, which is sent only while what was seen before it holds.

What is sent twice within minutes comes once, by its nonce; later only a look into the channel tells
that it is there. discord.py may hold a request back for longer than either: behind one that got no
answer, or for a rate limit. So it is asked whenever its turn has come. To cut a request of
discord.py off is no way: in a global rate limit that would hold back all others for ever. Knows
nothing of jobs.
"""

import asyncio
import io
import math
from pathlib import Path
from typing import Any

import discord

from bot.errors import DeliveryError

FRESH = 60.0
"""Seconds after a look, or after it was first sent, within which a clip may be sent (again).

Discord remembers a nonce for "a few minutes".
"""


class Upload(discord.File):
    """A file each sending of which begins in time; else it is a `DeliveryError`, and not sent."""

    __slots__ = ("until",)

    def __init__(
        self, content: Path | io.BytesIO, *, until: float = math.inf, **given: Any
    ) -> None:
        super().__init__(content, **given)
        self.until = until
        """A moment of the loop's time."""

    def reset(self, *, seek: int | bool = True) -> None:
        """Begin anew: discord.py calls this whenever the request's turn has come."""
        now = asyncio.get_running_loop().time()
        if now > self.until:
            raise DeliveryError(
                "it had to wait for too long: whether it is there is looked up anew"
            )
        self.until = min(self.until, now + FRESH)
        super().reset(seek=seek)


async def say(
    client: discord.Client,
    channel: discord.PartialMessageable,
    until: float,
    *,
    reference: discord.MessageReference | None,
    **given: Any,
) -> int:
    """Send a message without a file in time all the same, and return its id.

    discord.py's own `send` asks files alone. So this is what that does, with a file that is asked
    and not sent. Raises what `send` does, and `DeliveryError`.
    """
    where = discord.utils.MISSING if reference is None else reference.to_message_reference_dict()
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    with discord.http.handle_message_parameters(message_reference=where, **given) as parts:
        said = await client.http.request(
            route, json=parts.payload, files=[Upload(io.BytesIO(), until=until)]
        )
    return int(said["id"])
