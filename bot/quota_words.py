"""Every word about quotas and usage: cards for members, answers and refusals for admins.

Members are named by mentions, which show a name and, in an embed, ping nobody. Amounts are exact,
times are Discord's own, in the reader's zone. Pure.
"""

import re
from collections.abc import Sequence
from datetime import date

from bot import picker
from bot.accounts import AuditRow, OpenHold, Server, Usage
from bot.ledger import Statement
from bot.money import usd
from bot.rules import Account, Limits, Line, Measure, Rule, Source, Target, Values
from bot.words import PERIODS, Note, Tone

_SEGMENTS = 12
_MOST_RULES = 40
_MOST_NAMED = 10

# --- Amounts -------------------------------------------------------------------------------------


def value(measure: Measure, amount: int | None) -> str:
    """Write a rule's value: "$5.00 a month", "3 clips at once", "unlimited"."""
    if amount is None:
        return {
            Measure.CLIPS: "any number of clips at once",
            Measure.COOLDOWN: "no pause between clips",
        }.get(measure, f"unlimited a {measure}")
    match measure:
        case Measure.CLIPS:
            return f"{amount} clip{'' if amount == 1 else 's'} at once"
        case Measure.COOLDOWN:
            return f"{span(amount)} between clips" if amount else "no pause between clips"
    return f"{usd(amount)} a {measure}"


def span(seconds: int) -> str:
    """Write a length of time: "30 s", "5 min", "2 h"."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def whom(rule: Rule) -> str:
    """Name a rule's target."""
    return {
        Target.SERVER: "this server",
        Target.DEFAULT: "each member",
        Target.ROLE: f"<@&{rule.target_id}>",
        Target.MEMBER: f"<@{rule.target_id}>",
    }[rule.target]


def _source(line: Line) -> str:
    match line.source:
        case Source.OWN:
            return "set for this member"
        case Source.ROLE:
            return f"from the role <@&{line.role_id}>"
        case Source.DEFAULT:
            return "this server's default"
        case Source.SERVER:
            return "set for this server"
        case Source.OPERATOR:
            return "set by the bot's owner"


# --- What a member can still use -----------------------------------------------------------------


def card(statement: Statement) -> Note:
    """Show a member what is spent, held and left, by which rule, and when it resets."""
    own = [line for line in statement.money_lines(Account.MEMBER) if line.value is not None]
    blocks = [_money_block(statement, line, "") for line in own]
    if not own:
        blocks = ["**No limit of your own.** Only the server's budget counts."]
    blocks += _credits(statement)
    blocks += _pace(statement)
    blocks += [_money_block(statement, line, "This server, ") for line in _tightest(statement)]
    return Note("💳 What you can use here", "\n".join(blocks), Tone.WORKING)


def explanation(statement: Statement, holds: Sequence[OpenHold]) -> Note:
    """Show an admin every limit in force for a member, where it comes from, and what is held."""
    blocks = [f"<@{statement.member_id}>"]
    blocks += [_money_block(statement, line, "") for line in statement.money_lines(Account.MEMBER)]
    blocks += _credits(statement)
    blocks += _pace(statement)
    blocks += [
        _money_block(statement, line, "This server, ")
        for line in statement.money_lines(Account.SERVER)
    ]
    if holds:
        held = [
            f"`{hold.job_id[:8]}` {usd(hold.held_micro)}, {hold.state}"
            for hold in holds[:_MOST_NAMED]
        ]
        blocks.append(f"**Held by clips in progress**\n{_listed(held, len(holds))}")
    else:
        blocks.append("**Held by clips in progress**\nnothing")
    return Note("🔎 Which limits hold here", "\n".join(blocks), Tone.WORKING)


def _money_block(statement: Statement, line: Line, whose: str) -> str:
    name = f"**{_capital(whose + PERIODS[line.measure])}**"
    if line.value is None:
        return f"{name} · unlimited\n-# {_source(line)}"
    balance, room = statement.balance(line), statement.room_micro(line) or 0
    facts = [f"{usd(balance.spent_micro)} spent"]
    facts += [f"{usd(balance.held_micro)} held"] if balance.held_micro else []
    facts += [f"{usd(balance.excused_micro)} not counted"] if balance.excused_micro else []
    facts += [_source(line), f"resets <t:{statement.resets_at(line)}:R>"]
    return (
        f"{name} · {usd(room)} left of {usd(line.value)}\n"
        f"{_bar(line.value - room, line.value)}\n-# {' · '.join(facts)}"
    )


def _tightest(statement: Statement) -> list[Line]:
    """Return one limit of the server per period: of its own and the owner's, the tighter one."""
    best: dict[Measure, Line] = {}
    for line in statement.money_lines(Account.SERVER):
        known = best.get(line.measure)
        if line.value is not None and (known is None or line.value < (known.value or 0)):
            best[line.measure] = line
    return list(best.values())


def _credits(statement: Statement) -> list[str]:
    if not statement.credits:
        return []
    parts = [
        f"{usd(credit.left_micro)} "
        + (
            "without end"
            if credit.expires_at is None
            else f"until <t:{credit.expires_at // 1000}:D>"
        )
        for credit in statement.credits[:_MOST_NAMED]
    ]
    total = usd(statement.credit_micro)
    return [f"**Credit** · {total} beside your limits\n-# {_listed(parts, len(statement.credits))}"]


def _pace(statement: Statement) -> list[str]:
    blocks = []
    for line in statement.lines:
        if line.account is not Account.MEMBER or line.value is None:
            continue
        if line.measure is Measure.CLIPS:
            running = statement.running[Account.MEMBER]
            blocks.append(f"**In progress** · {running} of {line.value} clips\n-# {_source(line)}")
        elif line.measure is Measure.COOLDOWN and line.value:
            blocks.append(f"**Between clips** · {span(line.value)}\n-# {_source(line)}")
    return blocks


def _bar(used: int, limit: int) -> str:
    """Draw how much is used; something is never nothing, and only all is all."""
    filled = _SEGMENTS if limit == 0 else used * _SEGMENTS // limit
    filled = min(_SEGMENTS, max(filled, int(used > 0)))
    return "▰" * filled + "▱" * (_SEGMENTS - filled)


# --- What admins are shown -----------------------------------------------------------------------


def rules(found: Sequence[Rule], limits: Limits, server: Server) -> Note:
    """List the limits that are set in a server, and what is inherited beside them."""
    lines: list[str] = []
    for target in dict.fromkeys((rule.target, rule.target_id) for rule in found[:_MOST_RULES]):
        own = [rule for rule in found if (rule.target, rule.target_id) == target]
        said = ", ".join(value(rule.measure, rule.value) for rule in own)
        lines.append(f"**{_capital(whom(own[0]))}** · {said}")
    if len(found) > _MOST_RULES:
        lines.append(f"… and {len(found) - _MOST_RULES} more")
    if not lines:
        lines.append("No limit is set in this server yet: `/quota set`.")
    lines.append(f"**From the bot's owner** · each member: {_values(limits.member)}")
    lines.append(f"-# this server, never wider: {_values(limits.server)}")
    receipts = "on" if server.receipts else "off"
    lines.append(f"-# Time zone {server.timezone} · receipts {receipts}")
    return Note("📋 Limits in this server", "\n".join(lines), Tone.WORKING)


def _values(values: Values) -> str:
    said = [
        value(measure, amount)
        for measure, amount in values.items()
        if amount is not None and not (measure is Measure.COOLDOWN and amount == 0)
    ]
    return ", ".join(said) or "no limits"


def rule_set(rule: Rule, before: Rule | None) -> Note:
    """Say that a rule is in force now."""
    was = "" if before is None else f" Before: {value(before.measure, before.value)}."
    text = f"{_capital(whom(rule))}: {value(rule.measure, rule.value)}.{was}"
    return Note("✅ Limit set", text, Tone.DONE)


def rule_dropped(rule: Rule, before: Rule | None) -> Note:
    """Say that a target inherits again."""
    if before is None:
        text = f"{_capital(whom(rule))}: {picker.MEASURES[rule.measure]} had no limit set here."
    else:
        text = (
            f"{_capital(whom(rule))}: {picker.MEASURES[rule.measure]} inherits again."
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
    text = (
        f"{usd(micro)} that <@{member_id}> has spent no longer counts against their limits."
        " It stays in this server's budget, and so does what clips in progress hold."
    )
    return Note("✅ Limits begin anew", text, Tone.DONE)


def zone_set(server: Server, before: Server, midnight: int) -> Note:
    """Say when days begin now; `midnight` in Unix seconds."""
    text = (
        f"This server's days begin at midnight in {server.timezone}, the next <t:{midnight}:R>."
        f" Before: {before.timezone}. What was booked stays on the days it had."
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
    return Note("🧾 Last changes", "\n".join(blocks) or "None yet.", Tone.WORKING)


def _act(row: AuditRow) -> str:
    match row.action, row.target.split():
        case "rule", [target, target_id, measure]:
            about = Rule(
                target=Target(target), target_id=int(target_id), measure=Measure(measure), value=0
            )
            was, now = (_written(about.measure, text) for text in (row.before, row.after))
            return f"{_capital(whom(about))}: {was} → {now}"
        case "grant", [_, member_id]:
            return f"<@{member_id}>: {usd(int(row.after))} credit"
        case "reset", [_, member_id]:
            return f"<@{member_id}>: {usd(int(row.before))} no longer counts"
    return f"{row.before} → {row.after}"


def _written(measure: Measure, text: str) -> str:
    match text:
        case "inherit":
            return f"inherited {picker.MEASURES[measure]}"
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
    "Nothing was changed that you can rely on. Look with `/quota view` before you try again.",
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


def _listed(parts: Sequence[str], total: int) -> str:
    more = f" · and {total - len(parts)} more" if total > len(parts) else ""
    return " · ".join(parts) + more


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
