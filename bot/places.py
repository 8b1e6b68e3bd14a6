"""What Discord says of the places that clips go to: how large a file may be, who may see it.

Reads the client's own memory of servers and channels, which costs no request, and remembers what
was refused. Sizes are in bytes. Nobody's word is final but a refusal: `ladder.py` reports it here,
and is told how large the next try may be.
"""

import logging

import discord

from bot.lifecycle import Job

log = logging.getLogger(__name__)

MIB = 1 << 20
_BOOSTED = {2: 50 * MIB, 3: 100 * MIB}
"""By a server's level of boosts; below, it is what the settings say."""
_STEPS = (100 * MIB, 50 * MIB, 25 * MIB, 20 * MIB, 10 * MIB, 8 * MIB)
"""All limits that Discord has ever had, for a file or for a request."""


class Places:
    """`usual_bytes` is what a file may have where nothing is known of the place."""

    def __init__(self, client: discord.Client, usual_bytes: int) -> None:
        self._client = client
        self._usual = usual_bytes
        self._refused: dict[tuple[int | None, int], int] = {}
        """By server and its level, what is left after refusals; None are direct messages."""

    def most_bytes(self, guild_id: int | None) -> int:
        """Return how large a file of the bot's may be in a server, or in direct messages (None)."""
        tier = self._tier(guild_id)
        known = max(self._usual, _BOOSTED.get(tier, 0))
        return min(known, self._refused.get((guild_id, tier), known))

    def refused(self, guild_id: int | None, size: int) -> int:
        """Remember that a file of that size was too large, and return what to try next."""
        left = below(size)
        log.info("a file of %d bytes is too large in server %s, next %d", size, guild_id, left)
        if left:
            self._refused[guild_id, self._tier(guild_id)] = left
        return left

    def is_age_restricted(self, job: Job) -> bool:
        """Tell whether a job's channel is for adults alone; a thread is as its channel."""
        guild = self._client.get_guild(job.guild_id)
        if guild is None:
            return False
        found = [
            guild.get_channel_or_thread(number)
            for number in (job.channel_id, job.parent_channel_id)
            if number is not None
        ]
        return any(channel is not None and channel.is_nsfw() for channel in found)

    def _tier(self, guild_id: int | None) -> int:
        guild = None if guild_id is None else self._client.get_guild(guild_id)
        return 0 if guild is None else int(guild.premium_tier)


def below(size: int) -> int:
    """Return the largest limit that Discord may have where it refuses `size`; 0: there is none."""
    return next((step for step in _STEPS if step < size), 0)
