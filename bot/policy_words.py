"""Every word about a server's own rules: what they are, and what became of a change. Pure.

Members are named by mentions, which show a name and, in an embed, ping nobody.
"""

import json
from collections.abc import Iterable, Sequence

from bot.accounts import AuditRow
from bot.money import usd
from bot.policies import Block
from bot.policy import Consent, Policy
from bot.prose import escaped, fitted
from bot.tongue import mark, tongue
from bot.words import Note, Tone

FIELDS = {
    "is_paused": mark("Paused"),
    "channels": mark("Channels"),
    "denied_channels": mark("Channels without clips"),
    "roles": mark("Roles"),
    "consent": mark("Other people's pictures"),
    "consent_roles": mark("Roles for other people's pictures"),
    "reaction": mark("Reaction"),
    "has_replies": mark("Replies"),
    "oldest_days": mark("Oldest message"),
    "confirm_over_micro": mark("Buttons ask first above"),
    "flagged": mark("Sensitive clips"),
    "age_restricted": mark("Clips in age-restricted channels"),
    "log_channel_id": mark("Log channel"),
    "has_digest": mark("Daily digest"),
}
"""The names of the rules."""
CONSENTS = {
    "anyone": mark("everybody may"),
    "own": mark("only their author"),
    "roles": mark("only some roles, and their author"),
    "ask": mark("the author is asked"),
}
FLAGGED = {
    "post": mark("posted"),
    "spoiler": mark("posted as a spoiler"),
    "hold": mark("held for a moderator"),
}
_CHOICES = {"consent": CONSENTS, "flagged": FLAGGED, "age_restricted": FLAGGED}


def act(row: AuditRow) -> str:
    """Say what a change of the rules changed, as the audit has it."""
    say = tongue()
    if row.action == "block":
        _, member_id = row.target.split()
        what = say("blocked") if row.after else say("no longer blocked")
        return f"<@{member_id}>: {what}"
    before, after = json.loads(row.before), json.loads(row.after)
    return ", ".join(
        say(
            "{name}: {now} (was {before})",
            name=field(name),
            now=value(name, now),
            before=value(name, before[name]),
        )
        for name, now in after.items()
    )


def changed(before: Policy, after: Policy) -> Note:
    """Say what became of a change."""
    say = tongue()
    was, now = before.told_from(after), after.told_from(before)
    if not now:
        return Note(say("✅ Nothing to change"), say("It was so already."), Tone.DONE)
    lines = [
        say(
            "{name}: {now} (was {before})",
            name=field(name),
            now=value(name, found),
            before=value(name, was[name]),
        )
        for name, found in now.items()
    ]
    return Note(say("✅ Changed"), "\n".join([*lines, *_hints(after)]), Tone.DONE)


def _hints(policy: Policy) -> list[str]:
    """Say what a rule comes to that its name does not tell."""
    say = tongue()
    hints = []
    if policy.is_paused:
        hints.append(say("Clips in the making still arrive."))
    if policy.consent is Consent.ROLES and not policy.consent_roles:
        hints.append(say("No role is chosen yet, so other people's pictures are nobody's."))
    if policy.reaction and policy.oldest_days:
        hints.append(say("Who reacts pays, never who posted the picture."))
    return [f"-# {hint}" for hint in hints]


def view(policy: Policy, blocked: int) -> Note:
    """Show all rules of a server, and how many are blocked."""
    say = tongue()
    lines = [
        f"**{field(name)}** · {value(name, getattr(policy, name))}"
        for name in FIELDS
        if name != "consent_roles" or policy.consent is Consent.ROLES
    ]
    lines += _hints(policy)
    lines.append(
        "-# "
        + say.many("{n} member is blocked", "{n} members are blocked", blocked)
        + " · `/animate-admin blocked`"
    )
    lines.append("-# " + say("Limits on money: `/quota view`"))
    return Note(say("📋 Rules in this server"), fitted(lines), Tone.WORKING)


def blocked(member_id: int, *, is_new: bool) -> Note:
    """Say that a member has no clips any more."""
    say = tongue()
    if not is_new:
        text = say("<@{member}> was blocked already.", member=member_id)
        return Note(say("✅ Nothing to change"), text, Tone.DONE)
    text = say(
        "<@{member}> can have no new clips in this server. Those in the making still arrive.",
        member=member_id,
    )
    return Note(say("✅ Blocked"), text, Tone.DONE)


def unblocked(member_id: int, *, was_blocked: bool) -> Note:
    """Say that a member can have clips again."""
    say = tongue()
    if not was_blocked:
        text = say("<@{member}> was not blocked.", member=member_id)
        return Note(say("✅ Nothing to change"), text, Tone.DONE)
    text = say("<@{member}> can have clips again.", member=member_id)
    return Note(say("✅ No longer blocked"), text, Tone.DONE)


def blocks(found: Sequence[Block]) -> Note:
    """List who is blocked."""
    say = tongue()
    lines = [
        f"<@{one.member_id}> · <t:{one.at // 1000}:f> · <@{one.actor_id}> · {escaped(one.reason)}"
        for one in found
    ]
    return Note(say("🚫 Blocked members"), fitted(lines) or say("Nobody."), Tone.WORKING)


def field(name: str) -> str:
    """Name a rule; one of a later release by its own name."""
    return tongue()(FIELDS.get(name, name))


def value(name: str, found: object) -> str:
    """Write a rule's value for people."""
    say = tongue()
    text = say(_CHOICES.get(name, {}).get(str(found), str(found)))
    match name, found:
        case _, bool():
            text = say("on") if found else say("off")
        case (("channels" | "denied_channels"), _):
            text = _listed(found, "<#{}>", say("all") if name == "channels" else say("none"))
        case (("roles" | "consent_roles"), _):
            text = _listed(found, "<@&{}>", say("everybody") if name == "roles" else say("none"))
        case "confirm_over_micro", int():
            text = usd(found)
        case "log_channel_id", int():
            text = f"<#{found}>"
        case "oldest_days", int():
            text = say.many("{n} day", "{n} days", found)
        case _, (None | ""):
            text = say("off")
    return text


def _listed(ids: object, form: str, nothing: str) -> str:
    assert isinstance(ids, Iterable)
    return " ".join(form.format(one) for one in sorted(ids)) or nothing
