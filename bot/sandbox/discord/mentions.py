"""Who a text mentions, within what `allowed_mentions` allows. Pure but for reading the world."""

import re
from dataclasses import dataclass
from typing import Any

from bot.sandbox.discord.world import Channel, World

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Mentions:
    """The users and roles that a message pings, in order, and whether it pings everyone."""

    users: list[str]
    roles: list[str]
    everyone: bool


def resolve(
    world: World, channel: Channel, content: str, allowed: Any, *, everyone: bool
) -> Mentions:
    """Say what a text in a channel mentions.

    `allowed` is the request's allowed_mentions object, or None for the default of parsing all;
    `everyone` is whether the author has the permission for @everyone and roles.
    """
    if not content or "@" not in content:
        return Mentions([], [], False)
    rules = allowed if isinstance(allowed, dict) else {"parse": ["users", "roles", "everyone"]}
    parse = set(rules.get("parse") or [])
    users = _allowed(_USER.findall(content), world.users, rules.get("users"), "users" in parse)
    there = {} if channel.is_direct else world.guild_of(channel).roles
    roles = _allowed(_ROLE.findall(content), there, rules.get("roles"), "roles" in parse)
    loud = everyone and "everyone" in parse and _EVERYONE.search(content) is not None
    return Mentions(users, roles, loud)


def _allowed(found: list[str], known: Any, named: Any, parse: bool) -> list[str]:
    """Return the ids that exist and may be pinged, each once."""
    listed = {str(one) for one in named or []}
    return list(dict.fromkeys(one for one in found if one in known and (parse or one in listed)))
