"""Every word that a person reads, in one place, so that it can be reviewed and translated.

A note is a title, a body and a tone; how it looks is the door's affair. Each error says what
happened, what to do, and what it cost. Chosen by type and attributes; the service's own texts are
never shown.
"""

import math
from dataclasses import dataclass, replace
from enum import IntEnum

from bot import labels
from bot.catalog import seconds, shape_name
from bot.lifecycle import Failure, Job
from bot.money import usd
from bot.pace import Usual
from bot.rights import Press
from bot.tongue import Tongue, mark, tongue

NOT_CHARGED = mark("You were not charged.")
MOST_ALT = 1024
"""Characters that Discord takes as the description of a picture."""
_MINUTE = 60
_ANSWERED_FOR = 15 * _MINUTE * 1000
"""Milliseconds for which an answer that only one person sees can be changed, by Discord's rule."""
PERIODS = {"day": mark("today"), "week": mark("this week"), "month": mark("this month")}


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
    buttons: tuple[Press, ...] = ()
    """What its reader can do about it."""

    def with_buttons(self, buttons: tuple[Press, ...]) -> "Note":
        """Return the same with these to press."""
        return replace(self, buttons=buttons)


# --- The life of a clip --------------------------------------------------------------------------


def queued(job: Job, ahead: int | None) -> Note:
    """Say that the clip is accepted, and how many are before it; None: more than were counted."""
    say = tongue(job.wish.locale)
    match ahead:
        case None:
            line = say("Many clips are in line; servers and members take turns.")
        case 0:
            line = say("You're next.")
        case _:
            line = say("You're {place} in line.", place=_ordinal(ahead + 1), n=ahead + 1)
    if job.wish.is_private:
        cost = say(
            "Estimated cost {usd}. Only you will see your clip: here, until {when}. If it takes"
            " longer, it comes as a direct message where you've asked for that, or it waits in"
            " `/history`.",
            usd=usd(job.quote_micro),
            when=f"<t:{(job.created_at + _ANSWERED_FOR) // 1000}:t>",
        )
    else:
        cost = say(
            "Estimated cost {usd}; I'll mention you here when it's ready.", usd=usd(job.quote_micro)
        )
    body = f"{line} {cost}{fine_print(job)}"
    return Note(say("⏳ Queued"), body, Tone.WORKING, labels.of_status(job))


def animating(job: Job, usual: Usual | None = None) -> Note:
    """Say that the clip is being made, and how long such clips usually take, where it is known."""
    say = tongue(job.wish.locale)
    since = f"<t:{job.updated_at // 1000}:R>"
    if usual is None:
        text = say("The video service has it, started {since}.", since=since)
    else:
        span = _span(say, usual.median, usual.most)
        text = say(
            "The video service has it, started {since}, usually {span}.", since=since, span=span
        )
    if job.wish.is_private:
        promise = say("Only you will see it.")
    else:
        promise = say("I'll mention you when it's ready.")
    return Note(say("🎞️ Animating"), f"{text} {promise}{fine_print(job)}", Tone.WORKING)


def posting(job: Job) -> Note:
    """Say that the clip is made, and on its way."""
    say = tongue(job.wish.locale)
    text = say("Your clip is made. I'm getting it ready to post.")
    return Note(say("📤 Posting"), text + fine_print(job), Tone.WORKING)


def done(job: Job) -> Note:
    """Say that the clip is in the channel."""
    say = tongue(job.wish.locale)
    made = job.order.results
    match job.message_channel_id:
        case None | job.channel_id:
            text = say.many("Your clip is below.", "Your clips are below.", made)
        case job.parent_channel_id:
            text = say.many(
                "Your clip is in {place}, as I can't post here.",
                "Your clips are in {place}, as I can't post here.",
                made,
                place=f"<#{job.parent_channel_id}>",
            )
        case place if job.picture is not None and place == job.picture.channel_id:
            text = say.many(
                "Your clip is in {place}.", "Your clips are in {place}.", made, place=f"<#{place}>"
            )
        case _:
            text = say.many(
                "Your clip is in your direct messages, as I can't post here.",
                "Your clips are in your direct messages, as I can't post here.",
                made,
            )
    return Note(say("✅ Done"), text + fine_print(job), Tone.DONE)


def paused(job: Job) -> Note:
    """Say that the clip waits for the owner of the bot's account."""
    say = tongue(job.wish.locale)
    text = say(
        "The bot's account with the video service needs its owner. Your clip is kept in line and"
        " starts when that is mended, no need to send it again."
    )
    body = f"{text} {_held(job)}{fine_print(job)}"
    return Note(say("🔧 Paused"), body, Tone.WARNING, labels.of_status(job))


def unanswered(job: Job) -> Note:
    """Say that the clip waits in line until the service answers."""
    say = tongue(job.wish.locale)
    text = say(
        "You're kept in line; your clip starts by itself when the service is back, no need to send"
        " it again."
    )
    body = f"{text} {_held(job)}{fine_print(job)}"
    title = say("🔧 The video service isn't answering")
    return Note(title, body, Tone.WARNING, labels.of_status(job))


def unsent(job: Job) -> Note:
    """Say that the clip is late because it could not be sent yet."""
    say = tongue(job.wish.locale)
    text = say("The video service isn't taking it yet. I keep trying, no need to send it again.")
    body = f"{text} {_held(job)}{fine_print(job)}"
    return Note(say("⏳ Not sent yet"), body, Tone.WARNING)


def slow(job: Job) -> Note:
    """Say that the clip is late, which is not failed."""
    say = tongue(job.wish.locale)
    if job.wish.is_private:
        text = say("It's still being made. If you miss it here, it waits in `/history`.")
    else:
        text = say(
            "It's still being made. I'll post it here and mention you, even if that's hours from"
            " now."
        )
    body = f"{text} {_held(job)}{fine_print(job)}"
    return Note(say("⏳ Taking longer than usual"), body, Tone.WARNING)


def lost(job: Job) -> Note:
    """Say that nobody knows what became of the clip, and that it may still come."""
    say = tongue(job.wish.locale)
    title, _ = FAILURES[Failure.LOST]
    text = say(
        "The video service has no word about it. If it turns up within a week I'll still post it"
        " here, and it counts only then."
    )
    return Note(say(title), f"{text} {say(NOT_CHARGED)}{fine_print(job)}", Tone.WARNING)


FAILURES = {
    Failure.DECLINED: (
        mark("🛡️ The video service declined this"),
        mark("It didn't accept this picture or prompt. Try a different one."),
    ),
    Failure.ACCOUNT: (
        mark("🔧 Paused"),
        mark("The bot's account with the video service needs its owner. Try again later."),
    ),
    Failure.SILENT: (
        mark("⚠️ Never started"),
        mark("The video service didn't answer for too long. Send it again if you still want it."),
    ),
    Failure.REFUSED: (
        mark("⚠️ Clip failed"),
        mark("The video service couldn't make this clip. Try again, or with another picture."),
    ),
    Failure.CANCELLED: (mark("✖️ Cancelled"), mark("It hadn't been sent yet.")),
    Failure.LOST: (
        mark("⚠️ I lost track of this one"),
        mark("The video service has no word about it. Send it again if you still want it."),
    ),
}


def failed(job: Job, *, has_picture: bool = False) -> Note:
    """Say that there will be no clip, and what that cost; `has_picture`: it can be tried again."""
    say = tongue(job.wish.locale)
    title, body = FAILURES[job.failure or Failure.LOST]
    return Note(
        say(title),
        f"{say(body)} {say(NOT_CHARGED)}{fine_print(job)}",
        Tone.FAILED,
        labels.of_status(job, has_picture=has_picture),
    )


def facts(job: Job) -> list[str]:
    """Say what was ordered: its duration, and its shape where it has one."""
    order = job.order
    found = [f"{seconds(order.duration)} s"]
    if order.width and order.height:
        # "wide 16:9": the word is translated, the ratio is not
        shape, *ratio = shape_name(order.width, order.height).rsplit(" ", 1)
        found.append(" ".join([tongue(job.wish.locale)(shape), *ratio]))
    return found


def name(job: Job) -> str:
    """Name a job as people can quote it."""
    say = tongue(job.wish.locale)
    return say("job {id}", id=job.short_id)


def fine_print(job: Job) -> str:
    """Return the small line below every note on a job."""
    return "\n-# " + " · ".join([*facts(job), name(job)])


def _held(job: Job) -> str:
    say = tongue(job.wish.locale)
    return say("{usd} is held.", usd=usd(job.quote_micro))


def paid(say: Tongue, micro: int) -> str:
    """Say that nothing more is to be paid."""
    return say("{usd} is paid; trying again is free.", usd=usd(micro))


def _span(say: Tongue, least: float, most: float) -> str:
    """Say a span of seconds in whole minutes, or where it is short in steps of ten seconds."""
    if most > _MINUTE:
        low, high, unit = math.ceil(least / _MINUTE), math.ceil(most / _MINUTE), "min"
    else:
        low, high, unit = *(max(10, math.ceil(span / 10) * 10) for span in (least, most)), "s"
    if low < high:
        return f"{low}–{high} {unit}"
    return say("about {time}", time=f"{high} {unit}")


def _ordinal(number: int) -> str:
    ending = (
        "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{ending}"
