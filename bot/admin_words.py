"""Every word to a server's admins: what is set, what they changed, what cannot be done.

Members are named by mentions, which show a name and, in an embed, ping nobody. Pure.
"""

import re
from collections.abc import Sequence
from datetime import date

from bot import picker
from bot.accounts import AuditRow, Server, Usage
from bot.money import usd
from bot.quota_words import capital, value
from bot.rules import Limits, Measure, Rule, Target, Values
from bot.words import Note, Tone

_MOST_NAMED = 10
_MOST_BODY = 4096
"""Characters that Discord takes as the description of an embed."""
_MORE = "… and {} more"


def whom(rule: Rule) -> str:
    """Name a rule's target."""
    return {
        Target.SERVER: "this server",
        Target.DEFAULT: "each member",
        Target.ROLE: f"<@&{rule.target_id}>",
        Target.MEMBER: f"<@{rule.target_id}>",
    }[rule.target]


def rules(found: Sequence[Rule], limits: Limits, server: Server) -> Note:
    """List the limits that are set in a server, and what is inherited beside them."""
    lines: list[str] = []
    for target in dict.fromkeys((rule.target, rule.target_id) for rule in found):
        own = [rule for rule in found if (rule.target, rule.target_id) == target]
        said = ", ".join(value(rule.measure, rule.value) for rule in own)
        lines.append(f"**{capital(whom(own[0]))}** · {said}")
    if not lines:
        lines.append("No limit is set in this server yet: `/quota set`.")
    receipts = "on" if server.receipts else "off"
    inherited = (
        f"\n**From the bot's owner** · each member: {_values(limits.member)}"
        f"\n-# this server, never wider: {_values(limits.server)}"
        f"\n-# Time zone {server.timezone} · receipts {receipts}"
    )
    body = _fitted(lines, beside=len(inherited)) + inherited
    return Note("📋 Limits in this server", body, Tone.WORKING)


def _values(values: Values) -> str:
    said = [
        value(measure, amount)
        for measure, amount in values.items()
        if amount is not None and not (measure is Measure.COOLDOWN and amount == 0)
    ]
    return ", ".join(said) or "no limits"


def rule_set(rule: Rule, before: Rule | None, limits: Limits) -> Note:
    """Say that a rule is in force now, and where the owner's `limits` are tighter."""
    text = f"{capital(whom(rule))}: {value(rule.measure, rule.value)}."
    if before is not None and before != rule:
        text += f" Before: {value(before.measure, before.value)}."
    widest = limits.server.get(rule.measure) if rule.target is Target.SERVER else None
    if widest is not None and (rule.value is None or widest < rule.value):
        text += (
            f"\n-# The bot's owner allows this server {value(rule.measure, widest)}: that counts."
        )
    return Note("✅ Limit set", text, Tone.DONE)


def rule_dropped(rule: Rule, before: Rule | None) -> Note:
    """Say that a target inherits again."""
    if before is None:
        text = f"{capital(whom(rule))}: {picker.MEASURES[rule.measure]} had no limit set here."
    else:
        text = (
            f"{capital(whom(rule))}: {picker.MEASURES[rule.measure]} inherits again."
            f" Before: {value(before.measure, before.value)}."
        )
    return Note("✅ Limit cleared", text, Tone.DONE)


def granted(member_id: int, micro: int, expires_at: int | None) -> Note:
    """Say that a member has credit now; `expires_at` in Unix milliseconds."""
    until = "" if expires_at is None else f" It expires <t:{expires_at // 1000}:R>."
    text = (
        f"<@{member_id}> has {usd(micro)} more: it pays where their own limits don't, within this"
        f" server's budget.{until}"
    )
    return Note("✅ Credit given", text, Tone.DONE)


def reset_done(member_id: int, micro: int) -> Note:
    """Say what no longer counts."""
    if micro == 0:
        text = f"<@{member_id}> has spent nothing that counts. What clips in progress hold stays."
        return Note("✅ Nothing to reset", text, Tone.DONE)
    text = (
        f"{usd(micro)} that <@{member_id}> has spent no longer counts against their limits."
        " It stays in this server's budget, and so does what clips in progress hold."
    )
    return Note("✅ Limits begin anew", text, Tone.DONE)


def zone_set(server: Server, before: Server, midnight: int) -> Note:
    """Say when days begin now; `midnight` in Unix seconds."""
    was = "" if before.timezone == server.timezone else f" Before: {before.timezone}."
    text = (
        f"This server's days begin at midnight in {server.timezone}, the next <t:{midnight}:R>."
        f"{was} What was booked stays on the days it had."
    )
    return Note("✅ Time zone set", text, Tone.DONE)


def receipts_set(server: Server) -> Note:
    """Say whether clips come with what is left."""
    what = "tell" if server.receipts else "no longer tell"
    return Note("✅ Receipts", f"Clips {what} what their member has left.", Tone.DONE)


def changes(rows: Sequence[AuditRow]) -> Note:
    """List the last changes, the newest first."""
    blocks = [
        f"**{_act(row)}**\n-# <t:{row.at // 1000}:f> · <@{row.actor_id}>"
        + (f" · {escaped(row.reason)}" if row.reason else "")
        for row in rows
    ]
    return Note("🧾 Last changes", _fitted(blocks) or "None yet.", Tone.WORKING)


def _act(row: AuditRow) -> str:
    match row.action, row.target.split():
        case "rule", [target, target_id, measure]:
            about = Rule(
                target=Target(target), target_id=int(target_id), measure=Measure(measure), value=0
            )
            was, now = (_written(about.measure, text) for text in (row.before, row.after))
            inherited = f"{picker.MEASURES[about.measure]} inherited"
            before = "" if was == now else f" (was {was or 'inherited'})"
            return f"{capital(whom(about))}: {now or inherited}{before}"
        case "grant", [_, member_id]:
            return f"<@{member_id}>: {usd(int(row.after))} credit"
        case "reset", [_, member_id]:
            return f"<@{member_id}>: {usd(int(row.before))} no longer counts"
    was_and_is = zip(row.before.split(", "), row.after.split(", "), strict=True)
    changed = [f"{now} (was {was})" for was, now in was_and_is if was != now]
    return f"This server: {', '.join(changed) or 'nothing'}"


def _written(measure: Measure, text: str) -> str:
    """Write a rule's value as the audit has it; "" where there was no rule."""
    match text:
        case "inherit":
            return ""
        case "unlimited":
            return value(measure, None)
    return value(measure, int(text))


def escaped(text: str) -> str:
    """Write somebody's own words so that they are shown as they are."""
    return re.sub(r"([\\*_~`|>#\[\]()<:@-])", r"\\\1", text)


def usage(found: Usage, name: str) -> Note:
    """Say what a server has spent over some days; the picture has the rest."""
    total = sum(found.spent.values())
    held = f", {usd(found.held_micro)} held" if found.held_micro else ""
    top = ", ".join(
        f"<@{share.member_id}> {usd(share.spent_micro)}" for share in found.shares[:_MOST_NAMED]
    )
    by = f"\n-# {top}" if top else ""
    return Note(f"📊 Spent {name}", f"{usd(total)} spent{held}.{by}", Tone.WORKING)


def exported(first: date, last: date, entries: int) -> Note:
    """Say what is in the file."""
    text = f"{entries} entries from {first.isoformat()} to {last.isoformat()}. Amounts in dollars."
    return Note("🧾 This server's accounts", text, Tone.WORKING)


# --- Refusals to admins --------------------------------------------------------------------------

NOT_ALLOWED = Note(
    "🙅 That's for moderators",
    "You need Manage Server for this. Nothing was changed.",
    Tone.WARNING,
)
UNREADABLE = Note(
    "🔧 The accounts can't be read right now",
    "Until they can, no clip is accepted. Try again in a few minutes; if you were changing"
    " something, look first whether it was changed.",
    Tone.WARNING,
)
BROKEN = Note(
    "🔧 Something broke on my side",
    "It's been logged. If you were changing something, look whether it was changed before you try"
    " again.",
    Tone.WARNING,
)
UNDRAWN = Note(
    "🔧 The picture could not be drawn",
    "The figures are all there: try again, or get them with `/usage export`.",
    Tone.WARNING,
)


def unclear(option: str, allowed: str) -> Note:
    """Say that an option could not be read, and what it takes."""
    return Note(
        "⚙️ Can't read that", f"`{option}` takes {allowed}. Nothing was changed.", Tone.WARNING
    )


def _fitted(blocks: Sequence[str], *, beside: int = 0) -> str:
    """Join as many blocks as fit in an embed, `beside` characters left free; say what is not."""
    kept: list[str] = []
    room = _MOST_BODY - beside - len(_MORE)
    for block in blocks:
        room -= len(block) + 1
        if room < 0:
            return "\n".join([*kept, _MORE.format(len(blocks) - len(kept))])
        kept.append(block)
    return "\n".join(kept)
