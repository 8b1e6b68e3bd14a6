"""Every word about a server's own rules: what they are, and what became of a change. Pure.

Members are named by mentions, which show a name and, in an embed, ping nobody.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

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
ACTS = {
    "cancelled": mark("taken back"),
    "offered": mark("offered again"),
    "let out": mark("let out"),
    "looked at": mark("looked at"),
}
"""What moderators do about somebody's clip."""
_CHOICES = {"consent": CONSENTS, "flagged": FLAGGED, "age_restricted": FLAGGED}


class Problem(StrEnum):
    """What a server's rules need that is not there."""

    LACKS = "lacks"
    """Permissions, in a channel or in the whole server."""
    NOWHERE = "nowhere"
    """No channel is left in which clips may be asked for."""
    NO_LOG = "no log"
    """The channel of the log is gone."""
    UNSEEN = "unseen"
    """Other people's messages cannot be read."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is missing."""

    problem: Problem
    channel_id: int | None = None
    permissions: tuple[str, ...] = ()


def act(row: AuditRow) -> str:
    """Say what a change of the rules changed, as the audit has it."""
    say = tongue()
    if row.action == "job":
        _, short_id = row.target.split()
        return say("Clip {id}: {what}", id=short_id, what=say(ACTS.get(row.after, row.after)))
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


def changed(
    before: Policy, after: Policy, about: Collection[str], findings: Sequence[Finding] = ()
) -> Note:
    """Say what became of a change, or how the rules are that it was `about`, by their names.

    `findings` are what is missing for them.
    """
    say = tongue()
    was, now = before.told_from(after), after.told_from(before)
    warnings = [f"⚠️ {missing(one)}" for one in findings]
    tone = Tone.WARNING if warnings else Tone.DONE
    if not now:
        lines = [*_rules(after, about), *_hints(after, about), *warnings]
        return Note(say("✅ Nothing to change"), "\n".join(lines), tone)
    lines = [
        say(
            "{name}: {now} (was {before})",
            name=field(name),
            now=value(name, found),
            before=value(name, was[name]),
        )
        for name, found in now.items()
    ]
    return Note(say("✅ Changed"), "\n".join([*lines, *_hints(after, now), *warnings]), tone)


def _rules(policy: Policy, about: Collection[str]) -> list[str]:
    return [
        f"**{field(name)}** · {value(name, getattr(policy, name))}"
        for name in about
        if name != "consent_roles" or policy.consent is Consent.ROLES
    ]


def _hints(policy: Policy, about: Collection[str]) -> list[str]:
    """Say what some rules come to that their names do not tell."""
    say = tongue()
    hints = []
    if policy.is_paused and "is_paused" in about:
        hints.append(say("Clips in the making still arrive."))
    is_for_roles = policy.consent is Consent.ROLES and not policy.consent_roles
    if is_for_roles and not {"consent", "consent_roles"}.isdisjoint(about):
        hints.append(say("No role is chosen yet, so other people's pictures are nobody's."))
    if policy.reaction and policy.oldest_days and "reaction" in about:
        hints.append(say("Who reacts pays, never who posted the picture."))
    return [f"-# {hint}" for hint in hints]


def view(policy: Policy, blocked: int) -> Note:
    """Show all rules of a server, and how many are blocked."""
    say = tongue()
    lines = [*_rules(policy, FIELDS), *_hints(policy, FIELDS)]
    lines.append(
        "-# "
        + say.many("{n} member is blocked", "{n} members are blocked", blocked)
        + f" · {say.command('animate-admin blocked')}"
    )
    lines.append("-# " + say("Limits on money: `/quota view`"))
    return Note(say("📋 Rules in this server"), fitted(lines), Tone.WORKING)


# --- What is missing -----------------------------------------------------------------------------


def panel(policy: Policy, findings: Sequence[Finding]) -> Note:
    """Show the rules that the panel sets, and what is missing for them."""
    say = tongue()
    shown = ("is_paused", "channels", "denied_channels", "roles", "consent", "log_channel_id")
    lines = _rules(policy, shown)
    lines += (
        ["", *(f"⚠️ {missing(one)}" for one in findings)]
        if findings
        else [
            "",
            say("✅ Everything that these rules need is in place."),
        ]
    )
    lines.append("")
    lines.append("-# " + say("Limits on money: `/quota set`. All rules: `/animate-admin`."))
    tone = Tone.WARNING if findings else Tone.WORKING
    return Note(say("🎬 Clips in this server"), fitted(lines), tone)


def missing(finding: Finding) -> str:
    """Say what is missing, and where."""
    say = tongue()
    where = f"<#{finding.channel_id}>"
    match finding.problem:
        case Problem.LACKS:
            names = ", ".join(map(permission, finding.permissions))
            if finding.channel_id is None:
                text = say("I lack in this server: {names}.", names=names)
            else:
                text = say("I lack in {where}: {names}.", where=where, names=names)
        case Problem.NOWHERE:
            text = say("The channels that were chosen are gone: nobody can ask. Choose others.")
        case Problem.NO_LOG:
            text = say("The channel of the log is gone. Choose another.")
        case _:
            text = say(
                "I can't read other people's messages, so reactions and replies find no pictures;"
                " the message menu does. The bot's owner can switch on the Message Content Intent."
            )
    return text


def cannot_log(channel_id: int, missing: Sequence[str]) -> Note:
    """Say that the bot could not write its lines there."""
    say = tongue()
    names = ", ".join(map(permission, missing))
    text = say(
        "I lack in {where}: {names}. Nothing was changed.", where=f"<#{channel_id}>", names=names
    )
    return Note(say("🚫 I can't write there"), text, Tone.WARNING)


def permission(name: str) -> str:
    """Write the name of a permission as Discord does."""
    return " ".join(part.capitalize() for part in name.split("_"))


def chosen() -> dict[str, str]:
    """Return what the panel's menus say."""
    say = tongue()
    return {
        "channels": say("Where may clips be asked for? (nothing: everywhere)"),
        "roles": say("Who may ask? (nothing: everybody)"),
        "consent": say("Whose pictures may be animated by others?"),
        "log": say("Where does a line for each clip go? (nothing: nowhere)"),
        "reaction": say("Reaction 🎬"),
        "replies": say("Replies"),
        "digest": say("Daily digest"),
        "check": say("Check again"),
    }


# --- Who is blocked ------------------------------------------------------------------------------


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
