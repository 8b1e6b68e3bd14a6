"""Discord's limits, by name: what an app may do, how long it has, what the portal allows it.

A frozen record; the server holds one and swaps it whole (`revised`), so that a test or the control
interface can make fifteen minutes last a second. Knows no world and no protocol.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

MIB = 1024 * 1024

#: What the kinds of Nitro allow: none, classic, Nitro, basic.
_NITRO_BYTES = (0, 50 * MIB, 500 * MIB, 50 * MIB)

#: A rate: so many requests in so many seconds.
Rate = tuple[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every number that is enforced here: seconds, bytes, characters, or (count, seconds)."""

    #: The first answer to an interaction must arrive within this, or its token is void.
    interaction_deadline_s: float = 3.0
    #: After the first answer, an interaction's token works this long.
    token_life_s: float = 900.0
    #: The largest file in a message, in bytes, where the guild is not boosted, or to tier 1.
    upload_limit_bytes: int = 20 * MIB
    #: The same for tiers 2 and 3.
    tier2_upload_limit_bytes: int = 50 * MIB
    tier3_upload_limit_bytes: int = 100 * MIB
    #: The largest file that any invoking person may have, in interactions only.
    nitro_upload_limit_bytes: int = 0
    #: The largest whole request.
    request_limit_bytes: int = 25 * MIB
    #: How long a signed CDN link works.
    cdn_link_life_s: float = 86_400.0
    #: For how long an enforced nonce finds the message that carried it.
    nonce_window_s: float = 180.0
    content_max_chars: int = 2_000
    attachments_max: int = 10
    embeds_max: int = 10
    #: The heartbeat interval that HELLO asks for.
    heartbeat_interval_ms: int = 41_250
    #: How long a lost gateway session may be resumed, and how many events it may have missed.
    resume_window_s: float = 300.0
    resume_events_max: int = 10_000
    #: How many sessions may be started in how many seconds; one more, and the token is void.
    session_starts: Rate = (1_000, 86_400.0)
    #: How long after a message its links are previewed.
    preview_delay_s: float = 0.05
    #: How many kinds of reaction a message may have.
    reactions_max: int = 20
    #: The developer portal's switches for privileged intents, off for a new app.
    message_content_enabled: bool = False
    members_enabled: bool = False
    presences_enabled: bool = False
    rate_limits_enabled: bool = True
    global_rate: Rate = (50, 1.0)
    message_create_rate: Rate = (5, 5.0)
    message_edit_rate: Rate = (5, 5.0)
    message_delete_rate: Rate = (5, 1.0)
    reaction_rate: Rate = (1, 0.25)
    typing_rate: Rate = (5, 5.0)
    #: Every route of one interaction's webhook.
    webhook_rate: Rate = (5, 2.0)
    #: Follow-ups of all interactions in one channel.
    followup_channel_rate: Rate = (30, 60.0)

    def upload_limit(self, tier: int) -> int:
        """Return the largest file where the guild is boosted so far."""
        raised = {2: self.tier2_upload_limit_bytes, 3: self.tier3_upload_limit_bytes}
        return raised.get(tier, self.upload_limit_bytes)

    def nitro_limit(self, premium_type: int) -> int:
        """Return the largest file that a subscription allows its holder."""
        return max(self.nitro_upload_limit_bytes, _NITRO_BYTES[premium_type])

    def request_limit(self, upload_limit: int) -> int:
        """Return the largest whole request: it grows with what a boost or Nitro adds to files."""
        return self.request_limit_bytes + max(0, upload_limit - self.upload_limit_bytes)

    def as_json(self) -> dict[str, Any]:
        """All limits by name; rates are two-element lists."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    def revised(self, changes: Mapping[str, Any]) -> "Limits":
        """Return a copy with some limits changed.

        Raises ValueError, with a sentence, for an unknown name or a value of the wrong kind.
        """
        known = {field.name for field in fields(self)}
        cleaned = {}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"There is no limit named {name}.")
            cleaned[name] = _like(getattr(self, name), value, name)
        return replace(self, **cleaned)


def _like(present: Any, value: Any, name: str) -> Any:
    """`value`, if it is of the same kind as `present`."""
    if isinstance(present, tuple):
        return _rate(value, name)
    if isinstance(present, bool) or isinstance(value, bool):
        if isinstance(present, bool) and isinstance(value, bool):
            return value
        raise ValueError(
            f"{name} must be {'true or false' if isinstance(present, bool) else 'a number'}."
        )
    if not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{name} must be a number that is not negative.")
    return type(present)(value)


def _rate(value: Any, name: str) -> Rate:
    if isinstance(value, list | tuple) and len(value) == len(("count", "seconds")):
        count, seconds = value
        if (
            isinstance(count, int)
            and isinstance(seconds, int | float)
            and count > 0
            and seconds > 0
        ):
            return count, float(seconds)
    raise ValueError(f"{name} must be [count, seconds], both above zero.")
