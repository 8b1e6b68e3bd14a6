"""Every word on where a member stands: what is spent, held and left, by which rule, until when.

Amounts are exact, times are Discord's own, in the reader's zone. What admins set and change is
worded in `admin_words.py`. Pure.
"""

from collections.abc import Sequence

from bot.accounts import OpenHold
from bot.ledger import Statement
from bot.money import usd
from bot.rules import Account, Line, Measure, Source
from bot.shelf import NOTHING, Waiting
from bot.words import PERIODS, Note, Tone

_SEGMENTS = 12
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


def card(statement: Statement, waiting: Waiting = NOTHING) -> Note:
    """Show a member what is spent, held and left, by which rule, when it resets, what waits."""
    own = [line for line in statement.money_lines(Account.MEMBER) if line.value is not None]
    blocks = [_money_block(statement, line, "") for line in own]
    if not own:
        blocks = ["**No limit of your own.** Only the server's budget counts."]
    blocks += _credits(statement)
    blocks += _pace(statement)
    blocks += [_money_block(statement, line, "This server, ") for line in _tightest(statement)]
    blocks += _kept(waiting)
    return Note("💳 What you can use here", "\n".join(blocks), Tone.WORKING)


def explanation(statement: Statement, holds: Sequence[OpenHold]) -> Note:
    """Show an admin every limit in force for a member, where it comes from, and what is held.

    "Unlimited" is said where somebody chose it, not where nobody set a limit.
    """
    blocks = [f"<@{statement.member_id}>"]
    blocks += [
        _money_block(statement, line, "")
        for line in statement.money_lines(Account.MEMBER)
        if line.value is not None or line.source is not Source.OPERATOR
    ]
    blocks += _credits(statement)
    blocks += _pace(statement)
    blocks += [_money_block(statement, line, "This server, ") for line in _tightest(statement)]
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
    name = f"**{capital(whose + PERIODS[line.measure])}**"
    if line.value is None:
        return f"{name} · unlimited\n-# {_source(line)}"
    balance, room = statement.balance(line), statement.room_micro(line) or 0
    facts = [f"{usd(balance.spent_micro)} spent"]
    facts += [f"{usd(balance.held_micro)} held"] if balance.held_micro else []
    facts += [f"{usd(balance.excused_micro)} of it not counted"] if balance.excused_micro else []
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
    return [
        f"**Credit** · {total} on top of these limits\n-# {_listed(parts, len(statement.credits))}"
    ]


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


def _kept(waiting: Waiting) -> list[str]:
    if waiting.since is None:
        return []
    what = "1 finished clip waits" if waiting.clips == 1 else f"{waiting.clips} finished clips wait"
    title = f"**📦 {what} to be posted** · asked for <t:{waiting.since // 1000}:R>"
    facts = "-# paid and safe; I try again by myself, and at once when I may post there again"
    return [f"{title}\n{facts}"]


def _bar(used: int, limit: int) -> str:
    """Draw how much is used; something is never nothing, and only all is all."""
    filled = _SEGMENTS if limit == 0 else used * _SEGMENTS // limit
    filled = min(_SEGMENTS, max(filled, int(used > 0)))
    return "▰" * filled + "▱" * (_SEGMENTS - filled)


def _listed(parts: Sequence[str], total: int) -> str:
    more = f" · and {total - len(parts)} more" if total > len(parts) else ""
    return " · ".join(parts) + more


def capital(text: str) -> str:
    """Begin a line with a capital letter."""
    return text[:1].upper() + text[1:]
