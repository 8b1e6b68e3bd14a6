"""Discord's permission bits, and the arithmetic of roles and channel overwrites.

Pure: numbers in, numbers out. The world supplies the roles and the overwrites.
"""

from collections.abc import Iterable
from enum import IntFlag


class Permission(IntFlag):
    """The bits that this sandbox uses, by Discord's names."""

    KICK_MEMBERS = 1 << 1
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    SEND_TTS_MESSAGES = 1 << 12
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CHANGE_NICKNAME = 1 << 26
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    USE_EXTERNAL_APPS = 1 << 50


P = Permission
EVERYTHING = int(~P(0))

#: What a newcomer may do.
EVERYONE = int(
    P.ADD_REACTIONS
    | P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.EMBED_LINKS
    | P.ATTACH_FILES
    | P.READ_MESSAGE_HISTORY
    | P.USE_EXTERNAL_EMOJIS
    | P.CHANGE_NICKNAME
    | P.USE_APPLICATION_COMMANDS
    | P.CREATE_PUBLIC_THREADS
    | P.SEND_MESSAGES_IN_THREADS
    | P.USE_EXTERNAL_APPS
)
#: What the administrator's role adds: all but ADMINISTRATOR, which would hide every other check.
ADMIN = EVERYTHING & ~int(P.ADMINISTRATOR)
#: What both sides of a direct message may do.
DIRECT = int(
    P.ADD_REACTIONS
    | P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.EMBED_LINKS
    | P.ATTACH_FILES
    | P.READ_MESSAGE_HISTORY
    | P.USE_EXTERNAL_EMOJIS
    | P.MENTION_EVERYONE
    | P.USE_APPLICATION_COMMANDS
)
#: Plain numbers: arithmetic on an IntFlag is slow, and this is asked for every event.
_ADMINISTRATOR, _VIEW, _SEND = int(P.ADMINISTRATOR), int(P.VIEW_CHANNEL), int(P.SEND_MESSAGES)
#: What goes with SEND_MESSAGES when that is denied.
_NEEDS_SENDING = int(P.EMBED_LINKS | P.ATTACH_FILES | P.MENTION_EVERYONE | P.SEND_TTS_MESSAGES)

#: (allow, deny) of one overwrite.
Overwrite = tuple[int, int]


def in_channel(base: int, layers: Iterable[Iterable[Overwrite]]) -> int:
    """Say what is allowed in a channel.

    `base` is the union of the roles; `layers` are the overwrites in Discord's order: @everyone,
    then all roles together, then the member.
    """
    if base & _ADMINISTRATOR:
        return EVERYTHING
    allowed = base
    for layer in layers:
        allow = deny = 0
        for one_allow, one_deny in layer:
            allow |= one_allow
            deny |= one_deny
        allowed = allowed & ~deny | allow
    return implied(allowed)


def implied(allowed: int) -> int:
    """Without a view there is nothing; without sending, nothing that needs it."""
    if not allowed & _VIEW:
        return 0
    if not allowed & _SEND:
        allowed &= ~_NEEDS_SENDING
    return allowed


def bits(names: Iterable[str]) -> int:
    """Return the bits of some permission names. Raises KeyError for an unknown name."""
    total = 0
    for name in names:
        total |= Permission[name]
    return total
