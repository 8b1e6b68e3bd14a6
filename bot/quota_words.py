"""Every word on where a member stands: what is spent, held and left, by which rule, until when.

Amounts are exact, times are Discord's own, in the reader's zone. What admins set and change is
worded in `admin_words.py`. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot import ids
from bot.accounts import OpenHold
from bot.ledger import Statement
from bot.lifecycle import State
from bot.money import usd
from bot.rules import Account, Line, Measure, Source
from bot.shelf import NOTHING, Waiting
from bot.tongue import mark, tongue
from bot.words import MOST_ALT, PERIODS, Note, Tone

STATES = {
    State.QUEUED: mark("queued"),
    State.SUBMITTING: mark("submitting"),
    State.RENDERING: mark("rendering"),
    State.RENDERED: mark("rendered"),
    State.LOST: mark("lost"),
    State.DELIVERED: mark("delivered"),
    State.FAILED: mark("failed"),
}
_SEGMENTS = 12
_MOST_NAMED = 10
_OTHERS = (Account.MEMBER, Account.SERVER)
"""Beside the whole bot's."""

EACH = {
    Measure.DAY: mark("{usd} a day"),
    Measure.WEEK: mark("{usd} a week"),
    Measure.MONTH: mark("{usd} a month"),
}
SERVERS = {
    Measure.DAY: mark("This server, today"),
    Measure.WEEK: mark("This server, this week"),
    Measure.MONTH: mark("This server, this month"),
}
EVERYBODYS = {
    Measure.DAY: mark("Everybody together, today"),
    Measure.WEEK: mark("Everybody together, this week"),
    Measure.MONTH: mark("Everybody together, this month"),
}
RUNNING = {
    Account.MEMBER: mark("**In progress** · {running} of {limit} clips"),
    Account.SERVER: mark("**In progress in this server** · {running} of {limit} clips"),
    Account.BOT: mark("**In progress in all servers** · {running} of {limit} clips"),
}

# --- Amounts -------------------------------------------------------------------------------------


def value(measure: Measure, amount: int | None) -> str:
    """Write a rule's value: "$5.00 a month", "3 clips at once", "unlimited"."""
    say = tongue()
    match measure, amount:
        case Measure.CLIPS, None:
            return say("any number of clips at once")
        case Measure.CLIPS, int(clips):
            return say.many("{n} clip at once", "{n} clips at once", clips)
        case Measure.COOLDOWN, None | 0:
            return say("no pause between clips")
        case Measure.COOLDOWN, int(seconds):
            return say("{span} between clips", span=span(seconds))
    return say(EACH[measure], usd=say("unlimited") if amount is None else usd(amount))


def span(seconds: int) -> str:
    """Write a length of time: "30 s", "5 min", "2 h"."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _source(line: Line) -> str:
    say = tongue()
    match line.source:
        case Source.OWN:
            return say("set for this member")
        case Source.ROLE:
            return say("from the role {role}", role=f"<@&{line.role_id}>")
        case Source.DEFAULT:
            return say("this server's default")
        case Source.SERVER:
            return say("set for this server")
        case Source.OPERATOR:
            return say("set by the bot's owner")


# --- What a member can still use -----------------------------------------------------------------


def card(statement: Statement, waiting: Waiting = NOTHING) -> Note:
    """Show a member what is spent, held and left, by which rule, when it resets, what waits."""
    own = [line for line in statement.money_lines(Account.MEMBER) if line.value is not None]
    say = tongue()
    blocks = [_money_block(statement, line, PERIODS) for line in own]
    shared = _shared(statement)
    if not own:
        is_the_servers_alone = len(shared) == len(_tightest(statement)) > 0
        blocks = [
            say("**No limit of your own.** Only the server's budget counts.")
            if is_the_servers_alone
            else say("**No limit of your own.**")
        ]
    blocks += [*_credits(statement), *_pace(statement), *shared, *_kept(waiting)]
    return Note(say("💳 What you can use here"), "\n".join(blocks), Tone.WORKING)


def explanation(statement: Statement, holds: Sequence[OpenHold]) -> Note:
    """Show an admin every limit in force for a member, where it comes from, and what is held.

    "Unlimited" is said where somebody chose it, not where nobody set a limit.
    """
    say = tongue()
    blocks = [f"<@{statement.member_id}>"]
    blocks += [
        _money_block(statement, line, PERIODS)
        for line in statement.money_lines(Account.MEMBER)
        if line.value is not None or line.source is not Source.OPERATOR
    ]
    blocks += [*_credits(statement), *_pace(statement), *_shared(statement)]
    held = [
        f"`{ids.short(hold.job_id)}` {usd(hold.held_micro)}, {say(STATES[State(hold.state)])}"
        for hold in holds[:_MOST_NAMED]
    ]
    listed = _listed(held, len(holds)) or say("nothing")
    title = say("Held by clips in progress")
    blocks.append(f"**{title}**\n{listed}")
    return Note(say("🔎 Which limits hold here"), "\n".join(blocks), Tone.WORKING)


def usage_alt(
    *,
    heading: str,
    spent_micro: int,
    held_micro: int,
    limit: str,
    used_micro: int | None,
    busiest: tuple[str, int],
    members: Sequence[tuple[str, int]],
) -> str:
    """Describe the picture of what a server has spent, for those who cannot see it."""
    say = tongue()
    facts = [say("{usd} spent", usd=usd(spent_micro)) if spent_micro else say("nothing spent yet")]
    facts += [say("{usd} held", usd=usd(held_micro))] if held_micro else []
    lines = [f"{heading}: {', '.join(facts)}."]
    if limit:
        used = say("{usd} spent in the latest", usd=usd(used_micro or 0))
        lines.append(f"{limit.capitalize()}{'' if used_micro is None else f'; {used}'}.")
    if spent_micro:
        lines.append(say("Most on {day}: {usd}.", day=busiest[0], usd=usd(busiest[1])))
    if members:
        named = ", ".join(f"{name} {usd(spent)}" for name, spent in members)
        lines.append(say("By member: {members}.", members=named))
    text = " ".join(lines)
    return text if len(text) <= MOST_ALT else f"{text[: MOST_ALT - 1]}…"


def _money_block(statement: Statement, line: Line, names: Mapping[Any, str]) -> str:
    say = tongue()
    name = f"**{capital(say(names[line.measure]))}**"
    if line.value is None:
        unlimited = say("unlimited")
        return f"{name} · {unlimited}\n-# {_source(line)}"
    balance, room = statement.balance(line), statement.room_micro(line) or 0
    facts = [say("{usd} spent", usd=usd(balance.spent_micro))]
    if balance.held_micro:
        facts.append(say("{usd} held", usd=usd(balance.held_micro)))
    if balance.excused_micro:
        facts.append(say("{usd} of it not counted", usd=usd(balance.excused_micro)))
    resets = say("resets {when}", when=f"<t:{statement.resets_at(line)}:R>")
    facts += [_source(line), resets]
    left = say("{left} left of {limit}", left=usd(room), limit=usd(line.value))
    bar = _bar(line.value - room, line.value)
    return f"{name} · {left}\n{bar}\n-# {' · '.join(facts)}"


def _shared(statement: Statement) -> list[str]:
    """Show the limits of the server, and everybody's where that leaves less than all others."""
    blocks = [_money_block(statement, line, SERVERS) for line in _tightest(statement)]
    bots, others = statement.tightest(Account.BOT), statement.tightest(*_OTHERS)
    if bots is None:
        return blocks
    left_micro = statement.left_micro(bots) or 0
    if others is not None and (statement.left_micro(others) or 0) <= left_micro:
        return blocks
    # Nothing of what is spent of it and allowed: that is its owner's affair.
    say = tongue()
    name, left = say(EVERYBODYS[bots.measure]), say("{left} left", left=usd(left_micro))
    resets = say("resets {when}", when=f"<t:{statement.resets_at(bots)}:R>")
    return [*blocks, f"**{name}** · {left}\n-# {_source(bots)} · {resets}"]


def _tightest(statement: Statement) -> list[Line]:
    """Return one limit of the server per period: of its own and the owner's, the tighter one."""
    best: dict[Measure, Line] = {}
    for line in statement.money_lines(Account.SERVER):
        known = best.get(line.measure)
        if line.value is not None and (known is None or line.value < (known.value or 0)):
            best[line.measure] = line
    return list(best.values())


def left(statement: Statement) -> list[str]:
    """Say in a line for each period what is left for a server, where there is a limit."""
    say = tongue()
    return [
        f"**{say(SERVERS[line.measure])}** · "
        + say(
            "{left} left of {limit}",
            left=usd(statement.room_micro(line) or 0),
            limit=usd(line.value or 0),
        )
        for line in _tightest(statement)
    ]


def _credits(statement: Statement) -> list[str]:
    if not statement.credits:
        return []
    say = tongue()
    parts = [
        say("{usd} without end", usd=usd(credit.left_micro))
        if credit.expires_at is None
        else say(
            "{usd} until {when}",
            usd=usd(credit.left_micro),
            when=f"<t:{credit.expires_at // 1000}:D>",
        )
        for credit in statement.credits[:_MOST_NAMED]
    ]
    total = say("**Credit** · {usd} on top of these limits", usd=usd(statement.credit_micro))
    return [f"{total}\n-# {_listed(parts, len(statement.credits))}"]


def _pace(statement: Statement) -> list[str]:
    """Show what holds for a member's clips at once, and all others' where no more may begin."""
    say = tongue()
    blocks = []
    for account in Account:
        limits = [
            line
            for line in statement.lines
            if line.account is account and line.measure is Measure.CLIPS and line.value is not None
        ]
        line = min(limits, key=lambda one: one.value or 0, default=None)
        running = statement.running[account]
        if line is None or (account is not Account.MEMBER and running < (line.value or 0)):
            continue
        clips = say(RUNNING[account], running=running, limit=line.value)
        blocks.append(f"{clips}\n-# {_source(line)}")
    for line in statement.lines:
        if line.measure is Measure.COOLDOWN and line.value:
            pause = say("**Between clips** · {span}", span=span(line.value))
            blocks.append(f"{pause}\n-# {_source(line)}")
    return blocks


def _kept(waiting: Waiting) -> list[str]:
    if waiting.since is None:
        return []
    say = tongue()
    what = say.many(
        "**📦 {n} finished clip waits to be posted**",
        "**📦 {n} finished clips wait to be posted**",
        waiting.clips,
    )
    since = say("asked for {when}", when=f"<t:{waiting.since // 1000}:R>")
    facts = say("paid and safe; I try again by myself, and at once when I may post there again")
    return [f"{what} · {since}\n-# {facts}"]


def _bar(used: int, limit: int) -> str:
    """Draw how much is used; something is never nothing, and only all is all."""
    filled = _SEGMENTS if limit == 0 else used * _SEGMENTS // limit
    filled = min(_SEGMENTS, max(filled, int(used > 0)))
    return "▰" * filled + "▱" * (_SEGMENTS - filled)


def _listed(parts: Sequence[str], total: int) -> str:
    if total <= len(parts):
        return " · ".join(parts)
    say = tongue()
    more = say("and {more} more", more=total - len(parts))
    return " · ".join([*parts, more])


def capital(text: str) -> str:
    """Begin a line with a capital letter."""
    return text[:1].upper() + text[1:]
