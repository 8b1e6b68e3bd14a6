"""Who may have what animated where: a server's own rules, and whether they let a wish pass.

Pure: the rules as a record with its JSON, and `check`, which raises what stands in the way. Money
is in `rules.py`; the SQL is in `policies.py`.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Any

from bot.errors import Bar, Barred, ConsentNeeded
from bot.wish import NOBODY, UNKNOWN


class Consent(StrEnum):
    """Whose pictures may be animated by others."""

    ANYONE = "anyone"
    OWN = "own"
    """Each member's own alone."""
    ROLES = "roles"
    """Others' pictures by members with one of `consent_roles` alone."""
    ASK = "ask"
    """The author of the picture decides, by a button."""


class Flagged(StrEnum):
    """What becomes of a clip that is sensitive, or in an age-restricted channel."""

    POST = "post"
    SPOILER = "spoiler"
    HOLD = "hold"
    """Kept until a moderator lets it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A server's rules; the defaults are those of a server that has set none."""

    is_paused: bool = False
    channels: frozenset[int] = frozenset()
    """Where clips may be asked for, by channel or category; empty: wherever it is not denied."""
    denied_channels: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    """One of these is needed; empty: none."""
    consent: Consent = Consent.ANYONE
    consent_roles: frozenset[int] = frozenset()
    reaction: str = ""
    """The emoji that asks for a clip, as Discord names it; empty: off."""
    has_replies: bool = True
    """Whether an answer to a picture that mentions the bot asks for a clip."""
    oldest_days: int = 7
    """How old a message may be whose picture is asked for by a reaction."""
    confirm_over_micro: int | None = 1_000_000
    """What a button spends without asking first; None: anything."""
    flagged: Flagged = Flagged.SPOILER
    age_restricted: Flagged = Flagged.POST
    """What becomes of clips in channels that are age-restricted."""
    log_channel_id: int | None = None
    has_digest: bool = False

    @property
    def reads_messages(self) -> bool:
        """Whether a wish may come by what others have posted, and not by an interaction."""
        return bool(self.reaction) or self.has_replies

    def to_json(self) -> str:
        """Write what differs from the defaults."""
        return json.dumps(self.told_from(DEFAULT), default=sorted, sort_keys=True)

    def told_from(self, other: "Policy") -> dict[str, object]:
        """Return the fields, with their values here, in which two policies differ."""
        theirs = asdict(other)
        return {name: value for name, value in asdict(self).items() if value != theirs[name]}

    @staticmethod
    def from_json(text: str) -> "Policy":
        """Read what `to_json` wrote; what a later release wrote besides is left out."""
        return _read(text)


DEFAULT = Policy()
"""Of a server that has set nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, where, and for whose picture, at this moment."""

    member_id: int
    role_ids: Collection[int]
    place_ids: Collection[int]
    """The channel, the channel of a thread, and the category above."""
    author_id: int
    """Whose picture it is: their own where they hand it over."""
    is_moderator: bool = False
    has_agreed: bool = False
    """Whether the author of the picture has said yes to this very wish."""


def check(
    policy: Policy, asker: Asker, *, is_blocked: bool = False, has_opted_out: bool = False
) -> None:
    """Let a wish pass or raise, by the first of these that stands in its way.

    `is_blocked` is of who asks, `has_opted_out` of the author of the picture. Raises `Barred` or
    `ConsentNeeded`. Moderators are not above it: whoever may change a rule can.
    """
    if policy.is_paused:
        raise Barred(Bar.PAUSED)
    if is_blocked:
        raise Barred(Bar.BLOCKED)
    places = frozenset(asker.place_ids)
    if places & policy.denied_channels or (policy.channels and not places & policy.channels):
        raise Barred(Bar.CHANNEL, tuple(sorted(policy.channels)))
    if policy.roles and not policy.roles.intersection(asker.role_ids):
        raise Barred(Bar.ROLE, tuple(sorted(policy.roles)))
    if asker.author_id != asker.member_id:
        _check_consent(policy, asker, has_opted_out=has_opted_out)


def _check_consent(policy: Policy, asker: Asker, *, has_opted_out: bool) -> None:
    if has_opted_out:
        raise Barred(Bar.OPTED_OUT)
    match policy.consent:
        case Consent.OWN | Consent.ASK if asker.author_id == UNKNOWN:
            raise Barred(Bar.FORWARDED)
        case Consent.ASK if asker.author_id == NOBODY:
            raise Barred(Bar.NOBODY)
        case Consent.OWN:
            raise Barred(Bar.NOT_YOURS)
        case Consent.ROLES if not policy.consent_roles.intersection(asker.role_ids):
            raise Barred(Bar.NOT_YOURS, tuple(sorted(policy.consent_roles)))
        case Consent.ASK if not asker.has_agreed:
            raise ConsentNeeded(asker.author_id)


_KINDS: dict[str, Any] = {
    "channels": frozenset,
    "denied_channels": frozenset,
    "roles": frozenset,
    "consent_roles": frozenset,
    "consent": Consent,
    "flagged": Flagged,
    "age_restricted": Flagged,
}
_NAMES = frozenset(field.name for field in fields(Policy))


@lru_cache(maxsize=1024)
def _read(text: str) -> Policy:
    found = {name: value for name, value in json.loads(text).items() if name in _NAMES}
    return Policy(**{name: _KINDS.get(name, lambda one: one)(it) for name, it in found.items()})
