"""Every word that a person reads, in one place, so that it can be reviewed and translated.

A note is a title, a body and a tone; how it looks is the door's affair. Each error says what
happened, what to do, and what it cost. Chosen by type and attributes; the service's own texts are
never shown.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from bot.catalog import seconds, shape_name
from bot.errors import (
    DeliveryError,
    TooLarge,
    Unpostable,
)
from bot.ledger import Statement
from bot.lifecycle import Failure, Job, Order
from bot.money import usd
from bot.pace import Usual

NOT_CHARGED = "You were not charged."
_MOST_ALT = 1024
"""Characters that Discord takes as the description of a picture."""
_MINUTE = 60
PERIODS = {"day": "today", "week": "this week", "month": "this month"}


class Tone(IntEnum):
    """The colour of a note; its icon and words always say the same."""

    WORKING = 0x5865F2
    DONE = 0x2ECC71
    WARNING = 0xF1C40F
    FAILED = 0xE74C3C


@dataclass(frozen=True, slots=True)
class Note:
    """A short message to a person."""

    title: str
    body: str
    tone: Tone


# --- The life of a clip --------------------------------------------------------------------------


def queued(job: Job, ahead: int | None) -> Note:
    """Say that the clip is accepted, and how many are before it; None: more than were counted."""
    match ahead:
        case None:
            line = "Many clips are in line; servers and members take turns."
        case 0:
            line = "You're next."
        case _:
            line = f"You're {_ordinal(ahead + 1)} in line."
    return Note(
        "⏳ Queued",
        f"{line} Estimated cost {usd(job.quote_micro)}; I'll mention you here when it's ready."
        + _fine_print(job),
        Tone.WORKING,
    )


def animating(job: Job, usual: Usual | None = None) -> Note:
    """Say that the clip is being made, and how long such clips usually take, where it is known."""
    since = f"<t:{job.updated_at // 1000}:R>"
    span = "" if usual is None else f", usually {_span(usual.median, usual.most)}"
    text = f"The video service has it, started {since}{span}. I'll mention you when it's ready."
    return Note("🎞️ Animating", text + _fine_print(job), Tone.WORKING)


def done(job: Job) -> Note:
    """Say that the clip is in the channel."""
    what = "clip is" if job.order.results == 1 else "clips are"
    return Note("✅ Done", f"Your {what} {_where(job)}.{_fine_print(job)}", Tone.DONE)


def paused(job: Job) -> Note:
    """Say that the clip waits for the owner of the bot's account."""
    text = (
        "The bot's account with the video service needs its owner. Your clip is kept in line and"
        " starts when that is mended, no need to send it again."
    )
    return Note("🔧 Paused", f"{text} {_held(job)}{_fine_print(job)}", Tone.WARNING)


def unanswered(job: Job) -> Note:
    """Say that the clip waits in line until the service answers."""
    text = (
        "You're kept in line; your clip starts by itself when the service is back, no need to send"
        " it again."
    )
    body = f"{text} {_held(job)}{_fine_print(job)}"
    return Note("🔧 The video service isn't answering", body, Tone.WARNING)


def unsent(job: Job) -> Note:
    """Say that the clip is late because it could not be sent yet."""
    text = "The video service isn't taking it yet. I keep trying, no need to send it again."
    body = f"{text} {_held(job)}{_fine_print(job)}"
    return Note("⏳ Not sent yet", body, Tone.WARNING)


def slow(job: Job) -> Note:
    """Say that the clip is late, which is not failed."""
    text = (
        "It's still being made. I'll post it here and mention you, even if that's hours from now."
    )
    body = f"{text} {_held(job)}{_fine_print(job)}"
    return Note("⏳ Taking longer than usual", body, Tone.WARNING)


def lost(job: Job) -> Note:
    """Say that nobody knows what became of the clip, and that it may still come."""
    title, _ = FAILURES[Failure.LOST]
    text = (
        "The video service has no word about it. If it turns up within a week I'll still post it"
        " here, and it counts only then."
    )
    return Note(title, f"{text} {NOT_CHARGED}{_fine_print(job)}", Tone.WARNING)


def delivered(job: Job, made: int, cost_micro: int, receipt: str, *, was_lost: bool = False) -> str:
    """Return the text above the clips, of which there are `made`."""
    what = "clip is" if made == 1 else f"{made} clips are"
    lines = [f"🎬 <@{job.member_id}> your {what} ready"]
    missing = job.order.results - made
    if missing > 0:
        lines.append(f"{missing} of {job.order.results} could not be made, and cost nothing.")
    if was_lost:
        lines.append(f"I had lost track of it. Now that it's here, it counts: {usd(cost_micro)}.")
    if cost_micro > job.quote_micro:
        lines.append(
            f"The video service charged {usd(cost_micro)}, more than the {usd(job.quote_micro)}"
            " I had estimated."
        )
    facts = [*_facts(job.order), usd(cost_micro), receipt, f"job {job.short_id}"]
    return "\n".join([*lines, "-# " + " · ".join(filter(None, facts))])


def elsewhere(job: Job) -> str:
    """Say, below clips that could not be posted where they were asked for, where that was."""
    return f"-# You asked for this in <#{job.channel_id}>, where I can't post."


def receipt(statement: Statement) -> str:
    """Say what the member has left, and when it resets; empty where nothing limits it."""
    line = statement.tightest()
    if line is None:
        return ""
    left = usd(statement.left_micro(line) or 0)
    return f"you have {left} left {PERIODS[line.measure]}, resets <t:{statement.resets_at(line)}:R>"


def alt_text(job: Job) -> str:
    """Describe the clip for people who do not see it."""
    what = job.order.prompt or "A picture, brought to motion"
    return f"{what} ({', '.join(_facts(job.order))})"[:1024]


def unfetched(job: Job, paid_micro: int) -> Note:
    """Say that a paid clip could not be downloaded yet."""
    text = "The video service doesn't hand the clip over yet. I keep trying, and mention you then."
    body = f"{text} {_paid(paid_micro)}{_fine_print(job)}"
    return Note("📦 Finished, but not here yet", body, Tone.WARNING)


def waiting(job: Job, problem: DeliveryError, paid_micro: int) -> Note:
    """Say that a paid clip could not be posted, why, and that it is kept."""
    match problem:
        case Unpostable():
            title = "📦 Finished, but I can't post it here"
            text = (
                "I need View Channel, Attach Files and Send Messages there; in a thread, Send"
                " Messages in Threads. Your clip is safe, and I keep trying."
            )
        case TooLarge(size=size):
            title = "📦 Too large for this server"
            text = (
                f"The clip is {_megabytes(size)}, and that is more than this server takes. Your"
                " clip is safe, and I try again now and then."
            )
        case _:
            title = "📦 Finished, but not posted yet"
            text = "Discord isn't taking it right now. Your clip is safe, and I keep trying."
    return Note(title, f"{text} {_paid(paid_micro)}{_fine_print(job)}", Tone.WARNING)


FAILURES = {
    Failure.DECLINED: (
        "🛡️ The video service declined this",
        "It didn't accept this picture or prompt. Try a different one.",
    ),
    Failure.ACCOUNT: (
        "🔧 Paused",
        "The bot's account with the video service needs its owner. Try again later.",
    ),
    Failure.SILENT: (
        "⚠️ Never started",
        "The video service didn't answer for too long. Send it again if you still want it.",
    ),
    Failure.REFUSED: (
        "⚠️ Clip failed",
        "The video service couldn't make this clip. Try again, or with another picture.",
    ),
    Failure.CANCELLED: ("✖️ Cancelled", "It hadn't been sent yet."),
    Failure.LOST: (
        "⚠️ I lost track of this one",
        "The video service has no word about it. Send it again if you still want it.",
    ),
}


def failed(job: Job) -> Note:
    """Say that there will be no clip, and what that cost."""
    title, body = FAILURES[job.failure or Failure.LOST]
    return Note(title, f"{body} {NOT_CHARGED}{_fine_print(job)}", Tone.FAILED)


# --- What was spent ------------------------------------------------------------------------------


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
    spent = f"{usd(spent_micro)} spent" if spent_micro else "nothing spent yet"
    lines = [f"{heading}: {spent}{f', {usd(held_micro)} held' if held_micro else ''}."]
    if limit:
        used = "" if used_micro is None else f"; {usd(used_micro)} spent in the latest"
        lines.append(f"{limit.capitalize()}{used}.")
    if spent_micro:
        lines.append(f"Most on {busiest[0]}: {usd(busiest[1])}.")
    if members:
        lines.append(f"By member: {', '.join(f'{name} {usd(spent)}' for name, spent in members)}.")
    text = " ".join(lines)
    return text if len(text) <= _MOST_ALT else f"{text[: _MOST_ALT - 1]}…"


def _where(job: Job) -> str:
    match job.message_channel_id:
        case None | job.channel_id:
            return "below"
        case job.parent_channel_id:
            return f"in <#{job.parent_channel_id}>, as I can't post here"
    return "in your direct messages, as I can't post here"


def _facts(order: Order) -> list[str]:
    facts = [f"{seconds(order.duration)} s"]
    if order.width and order.height:
        facts.append(shape_name(order.width, order.height))
    return facts


def _fine_print(job: Job) -> str:
    facts = [*_facts(job.order), f"job {job.short_id}"]
    return "\n-# " + " · ".join(facts)


def _held(job: Job) -> str:
    return f"{usd(job.quote_micro)} is held."


def _paid(micro: int) -> str:
    return f"{usd(micro)} is paid; trying again is free."


def _span(least: float, most: float) -> str:
    """Say a span of seconds in whole minutes, or where it is short in steps of ten seconds."""
    if most > _MINUTE:
        low, high, unit = math.ceil(least / _MINUTE), math.ceil(most / _MINUTE), "min"
    else:
        low, high, unit = *(max(10, math.ceil(span / 10) * 10) for span in (least, most)), "s"
    return f"{low}–{high} {unit}" if low < high else f"about {high} {unit}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _ordinal(number: int) -> str:
    ending = (
        "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{ending}"
