"""What a server's rules need that is not there: permissions, channels, a switch of the bot's owner.

Reads discord.py's own picture of the server, and asks nobody. What it says is in `policy_words.py`.
"""

from collections.abc import Iterator
from typing import Any

import discord

from bot.policy import Policy
from bot.policy_words import Finding, Problem

_TO_POST = (
    *("view_channel", "send_messages", "embed_links", "attach_files", "read_message_history"),
)
_TO_LOG = ("view_channel", "send_messages", "embed_links")


def findings(guild: discord.Guild, policy: Policy, *, sees_messages: bool) -> tuple[Finding, ...]:
    """Return what is missing, the gravest first."""
    return (*_channels(guild, policy), *of_log(guild, policy), *_reading(policy, sees_messages))


def missing_to_log(channel: discord.abc.GuildChannel) -> tuple[str, ...]:
    """Return what the bot lacks to write its lines into a channel."""
    return _missing(channel, _TO_LOG)


def _channels(guild: discord.Guild, policy: Policy) -> Iterator[Finding]:
    if not policy.channels:
        allowed = guild.me.guild_permissions
        missing = tuple(name for name in _TO_POST if not getattr(allowed, name))
        if missing:
            yield Finding(Problem.LACKS, None, missing)
        return
    there = [one for one in map(guild.get_channel, sorted(policy.channels)) if one is not None]
    if not there:
        yield Finding(Problem.NOWHERE)
    for channel in there:
        for place in _within(channel):
            missing = _missing(place, _TO_POST)
            if missing and place.id not in policy.denied_channels:
                yield Finding(Problem.LACKS, place.id, missing)


def _within(channel: discord.abc.GuildChannel) -> list[Any]:
    """Return a category's channels that people write in, or the channel itself."""
    if isinstance(channel, discord.CategoryChannel):
        return [*channel.text_channels, *channel.forums]
    return [channel]


def _missing(channel: discord.abc.GuildChannel, needed: tuple[str, ...]) -> tuple[str, ...]:
    allowed = channel.permissions_for(channel.guild.me)
    return tuple(name for name in needed if not getattr(allowed, name))


def of_log(guild: discord.Guild, policy: Policy) -> Iterator[Finding]:
    """Yield what is missing for the log, if the server has one."""
    if policy.log_channel_id is None:
        return
    channel = guild.get_channel(policy.log_channel_id)
    if channel is None:
        yield Finding(Problem.NO_LOG, policy.log_channel_id)
    elif missing := missing_to_log(channel):
        yield Finding(Problem.LACKS, channel.id, missing)


def _reading(policy: Policy, sees_messages: bool) -> Iterator[Finding]:
    if not sees_messages and policy.reads_messages:
        yield Finding(Problem.UNSEEN)
