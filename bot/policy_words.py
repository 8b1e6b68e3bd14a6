"""Every word about a server's own rules: what they are, and what became of a change. Pure."""

import json
from collections.abc import Iterable

from bot.accounts import AuditRow
from bot.money import usd
from bot.tongue import mark, tongue

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
