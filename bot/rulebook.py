"""What a server's moderators set of its own rules, and see of them, in their words.

Reads what they typed or chose, has `policies.py` keep it, and answers in notes. Whether somebody
may is decided at the door, `cogs/admin.py`.
"""

import re
import unicodedata
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

from bot import policy_words
from bot.admin import Change
from bot.desk import read_amount
from bot.errors import InputRefused
from bot.policies import Policies
from bot.policy import Consent, Flagged, Policy
from bot.policy_words import Finding, Problem
from bot.rules import Measure
from bot.tongue import mark, tongue
from bot.words import Note

MOST = 25
"""Channels or roles of one kind: what a select of Discord's takes."""
CLAPPER = "🎬"
OFF = "off"
NEVER = "never"
_PLACES = ("channels", "denied_channels")
_TRIGGER = ("reaction", "has_replies", "oldest_days")
_LOG = ("log_channel_id", "has_digest")
_OFFERED = mark("one of the choices")
_CUSTOM_EMOJI = re.compile(r"<a?:\w{2,32}:\d{15,20}>")
_LONGEST_EMOJI = 12
"""Characters of the longest that is put together of several, such as a family."""


class Rulebook:
    """The rules of all servers. Methods raise `InputRefused` and `StoreError`."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    async def view(self, guild_id: int) -> Note:
        """Show all rules of a server."""
        blocks = await self._policies.blocks(guild_id)
        return policy_words.view(await self._policies.policy(guild_id), len(blocks))

    # --- Where and who ---------------------------------------------------------------------------

    async def allow(self, change: Change, place_id: int) -> Note:
        """Have clips in a channel or category."""
        full = _full("channel")

        def edit(policy: Policy) -> Policy:
            channels = _with(policy.channels, place_id, full)
            return replace(
                policy, channels=channels, denied_channels=policy.denied_channels - {place_id}
            )

        return await self._edit(change, _PLACES, edit)

    async def deny(self, change: Change, place_id: int) -> Note:
        """Have no clips in a channel or category."""
        full = _full("channel")

        def edit(policy: Policy) -> Policy:
            denied = _with(policy.denied_channels, place_id, full)
            return replace(policy, denied_channels=denied, channels=policy.channels - {place_id})

        return await self._edit(change, _PLACES, edit)

    async def forget_place(self, change: Change, place_id: int) -> Note:
        """Neither allow nor deny a channel or category."""
        return await self._edit(
            change,
            _PLACES,
            lambda policy: replace(
                policy,
                channels=policy.channels - {place_id},
                denied_channels=policy.denied_channels - {place_id},
            ),
        )

    async def require(self, change: Change, role_id: int) -> Note:
        """Have only members ask who have a role, or another that is required."""
        if role_id == change.guild_id:
            raise _everybodys()
        full = _full("role")
        return await self._edit(
            change,
            ["roles"],
            lambda policy: replace(policy, roles=_with(policy.roles, role_id, full)),
        )

    async def forget_role(self, change: Change, role_id: int) -> Note:
        """Require a role no more."""
        return await self._edit(
            change, ["roles"], lambda policy: replace(policy, roles=policy.roles - {role_id})
        )

    async def block(self, change: Change, member_id: int) -> Note:
        """Let a member have no clips."""
        _check_reason(change)
        is_new = await self._policies.block(change, member_id)
        return policy_words.blocked(member_id, is_new=is_new)

    async def unblock(self, change: Change, member_id: int) -> Note:
        """Let a member have clips again."""
        was_blocked = await self._policies.unblock(change, member_id)
        return policy_words.unblocked(member_id, was_blocked=was_blocked)

    async def blocked(self, guild_id: int) -> Note:
        """List who is blocked."""
        return policy_words.blocks(await self._policies.blocks(guild_id))

    async def pause(self, change: Change) -> Note:
        """Take no new clips."""
        _check_reason(change)
        return await self._edit(
            change, ["is_paused"], lambda policy: replace(policy, is_paused=True)
        )

    async def resume(self, change: Change) -> Note:
        """Take new clips again."""
        return await self._edit(
            change, ["is_paused"], lambda policy: replace(policy, is_paused=False)
        )

    # --- How -------------------------------------------------------------------------------------

    async def set_trigger(
        self,
        change: Change,
        *,
        reaction: str | None,
        replies: bool | None,
        oldest: int | None,
        sees_messages: bool,
    ) -> Note:
        """Set which reaction asks for a clip, and whether replies do; None leaves it as it is.

        `sees_messages` is whether the bot would find the pictures: where not, that is said.
        """
        emoji = None if reaction is None else read_emoji(reaction)

        def edit(policy: Policy) -> Policy:
            return replace(
                policy,
                reaction=policy.reaction if emoji is None else emoji,
                has_replies=policy.has_replies if replies is None else replies,
                oldest_days=policy.oldest_days if oldest is None else oldest,
            )

        before, after = await self._policies.change(change, edit)
        is_blind = after.reads_messages and not sees_messages
        findings = (Finding(Problem.UNSEEN),) if is_blind else ()
        return policy_words.changed(before, after, _TRIGGER, findings)

    async def set_consent(self, change: Change, whose: str, role_id: int | None) -> Note:
        """Set whose pictures may be animated by others, and add a role that may."""
        if whose not in tuple(Consent):
            raise InputRefused("whose", tongue()(_OFFERED))
        if role_id == change.guild_id:
            raise _everybodys()
        full = _full("role")

        def edit(policy: Policy) -> Policy:
            roles = policy.consent_roles
            if role_id is not None:
                roles = _with(roles, role_id, full)
            return replace(policy, consent=Consent(whose), consent_roles=roles)

        return await self._edit(change, ["consent", "consent_roles"], edit)

    async def set_sensitive(
        self, change: Change, flagged: str | None, age_restricted: str | None
    ) -> Note:
        """Set what becomes of clips that are not for everybody; None leaves it as it is."""
        for option, chosen in (("flagged", flagged), ("age_restricted", age_restricted)):
            if chosen is not None and chosen not in tuple(Flagged):
                raise InputRefused(option, tongue()(_OFFERED))

        def edit(policy: Policy) -> Policy:
            return replace(
                policy,
                flagged=policy.flagged if flagged is None else Flagged(flagged),
                age_restricted=(
                    policy.age_restricted if age_restricted is None else Flagged(age_restricted)
                ),
            )

        return await self._edit(change, ["flagged", "age_restricted"], edit)

    async def set_confirm(self, change: Change, above: str) -> Note:
        """Set above which price a button asks first."""
        text = above.strip().lower()
        micro = None if text == NEVER else _dollars(text)
        return await self._edit(
            change,
            ["confirm_over_micro"],
            lambda policy: replace(policy, confirm_over_micro=micro),
        )

    async def set_log(
        self, change: Change, *, channel_id: int | None, digest: bool | None, clear: bool
    ) -> Note:
        """Set where a line for each clip goes, and whether there is a digest each day."""
        if clear:
            return await self._edit(
                change,
                _LOG,
                lambda policy: replace(policy, log_channel_id=None, has_digest=False),
            )

        say = tongue()
        nowhere = InputRefused("channel", say("a channel: there is no log yet"))

        def edit(policy: Policy) -> Policy:
            channel = policy.log_channel_id if channel_id is None else channel_id
            if channel is None and digest is None:  # only how it is, is asked
                return policy
            if channel is None:
                raise nowhere
            has_digest = policy.has_digest if digest is None else digest
            return replace(policy, log_channel_id=channel, has_digest=has_digest)

        return await self._edit(change, _LOG, edit)

    async def choose(self, change: Change, field: str, values: Sequence[str]) -> Policy:
        """Set what was chosen in the panel, and return all that is set then."""
        ids = frozenset(int(value) for value in values if value.isdecimal())

        def edit(policy: Policy) -> Policy:
            match field:
                case "channels":
                    denied = policy.denied_channels - ids
                    return replace(policy, channels=ids, denied_channels=denied)
                case "roles":
                    return replace(policy, roles=ids - {change.guild_id})
                case "consent" if set(values) & set(Consent):
                    return replace(policy, consent=Consent(values[0]))
                case "log":
                    log = min(ids, default=None)
                    return replace(
                        policy, log_channel_id=log, has_digest=policy.has_digest and log is not None
                    )
            return _flipped(policy, field)

        _, after = await self._policies.change(change, edit)
        return after

    async def _edit(
        self, change: Change, about: Collection[str], edit: Callable[[Policy], Policy]
    ) -> Note:
        """Change the rules; `about` names those that are shown where nothing changes."""
        before, after = await self._policies.change(change, edit)
        return policy_words.changed(before, after, about)


def _flipped(policy: Policy, field: str) -> Policy:
    match field:
        case "reaction":
            return replace(policy, reaction="" if policy.reaction else CLAPPER)
        case "replies":
            return replace(policy, has_replies=not policy.has_replies)
        case "digest":
            is_on = policy.log_channel_id is not None and not policy.has_digest
            return replace(policy, has_digest=is_on)
    return policy


Act = Callable[[Rulebook, Change], Awaitable[Note]]
"""What somebody does with it."""


def read_emoji(text: str) -> str:
    """Read the emoji that asks for a clip; "" is none. Raises `InputRefused`."""
    text = text.strip()
    if text.lower() == OFF:
        return ""
    is_plain = len(text) <= _LONGEST_EMOJI and any(map(_is_picture, text))
    is_plain = is_plain and all(map(_may_be_in_emoji, text))
    if not is_plain and not _CUSTOM_EMOJI.fullmatch(text):
        say = tongue()
        raise InputRefused("reaction", say("one emoji such as 🎬, or `off`"))
    return text


def _is_picture(sign: str) -> bool:
    return unicodedata.category(sign) in {"So", "Me"} or "\U0001f1e6" <= sign <= "\U0001f1ff"


def _may_be_in_emoji(sign: str) -> bool:
    """Also what joins, varies and colours them, and the keys of a telephone."""
    return _is_picture(sign) or sign in "0123456789#*" or unicodedata.category(sign) in _JOINING


_JOINING = {"Sk", "Mn", "Cf"}


def _with(known: frozenset[int], added: int, full: InputRefused) -> frozenset[int]:
    if len(known | {added}) > MOST:
        raise full
    return known | {added}


def _full(option: str) -> InputRefused:
    """Made before the change: that runs where nobody knows in which language it is answered."""
    say = tongue()
    return InputRefused(option, say("no more than {most} in all; take one away first", most=MOST))


def _everybodys() -> InputRefused:
    say = tongue()
    return InputRefused("role", say("a role that not everybody has"))


def _dollars(text: str) -> int:
    try:
        micro = read_amount(Measure.DAY, text)
    except InputRefused:
        micro = None
    if micro is None:
        say = tongue()
        raise InputRefused("above", say("dollars such as `1.00`, `0` or `never`"))
    return micro


def _check_reason(change: Change) -> None:
    if not change.reason:  # of blanks alone, which Discord lets pass
        say = tongue()
        raise InputRefused("reason", say("a few words"))
