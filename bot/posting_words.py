"""Every word on how a finished clip is handed over, or why it is not yet.

Chosen by type and attributes. The life of a clip is in `words.py`.
"""

import math
from collections.abc import Sequence

from bot.errors import DeliveryError, TooLarge, Unpostable
from bot.ledger import Statement
from bot.lifecycle import Job
from bot.money import usd
from bot.rules import Account
from bot.tongue import mark, tongue
from bot.words import MOST_ALT, PERIODS, Note, Tone, facts, fine_print, name, paid

_MIB = 1 << 20


def delivered(
    job: Job,
    made: int,
    cost_micro: int,
    receipt: str,
    *,
    was_lost: bool = False,
    remarks: Sequence[str] = (),
) -> str:
    """Return the text above the clips, of which there are `made`, with a line for each remark."""
    say = tongue(job.wish.locale)
    lines = [
        say.many(
            "🎬 {member} your clip is ready",
            "🎬 {member} your {n} clips are ready",
            made,
            member=f"<@{job.member_id}>",
        )
    ]
    missing = job.order.results - made
    if missing > 0:
        lines.append(
            say(
                "{missing} of {wanted} could not be made, and cost nothing.",
                missing=missing,
                wanted=job.order.results,
            )
        )
    cost = usd(cost_micro)
    if was_lost:
        lines.append(say("I had lost track of it. Now that it's here, it counts: {usd}.", usd=cost))
    if cost_micro > job.quote_micro:
        lines.append(
            say(
                "The video service charged {usd}, more than the {estimate} I had estimated.",
                usd=cost,
                estimate=usd(job.quote_micro),
            )
        )
    small = " · ".join(filter(None, [*facts(job), cost, receipt, name(job)]))
    return "\n".join([*lines, *remarks, f"-# {small}"])


def elsewhere(job: Job) -> str:
    """Say, below clips that could not be posted where they were asked for, where that was."""
    say = tongue(job.wish.locale)
    return "-# " + say(
        "You asked for this in {place}, where I can't post.", place=f"<#{job.channel_id}>"
    )


RECEIPTS = {
    Account.MEMBER: mark("you have {left} left {period}, resets {when}"),
    Account.SERVER: mark("this server has {left} left {period}, resets {when}"),
}


def receipt(statement: Statement, locale: str | None = None) -> str:
    """Say what the member has left, and the server where that is less; empty where nothing limits.

    Everybody reads it: what the owner's budget for all servers leaves is not told.
    """
    say = tongue(locale)
    told: dict[int, str] = {}
    for account, text in RECEIPTS.items():
        line = statement.tightest(account)
        left = statement.left_micro(line) if line is not None else None
        if line is None or left is None or left >= min(told, default=left + 1):
            continue
        told[left] = say(
            text,
            left=usd(left),
            period=say(PERIODS[line.measure]),
            when=f"<t:{statement.resets_at(line)}:R>",
        )
    return " · ".join(told.values())


def alt_text(job: Job) -> str:
    """Describe the clip for people who do not see it."""
    say = tongue(job.wish.locale)
    what = job.order.prompt or say("A picture, brought to motion")
    return f"{what} ({', '.join(facts(job))})"[:MOST_ALT]


def unfetched(job: Job, paid_micro: int) -> Note:
    """Say that a paid clip could not be downloaded yet."""
    say = tongue(job.wish.locale)
    text = say(
        "The video service doesn't hand the clip over yet. I keep trying, and mention you then."
    )
    body = f"{text} {paid(say, paid_micro)}{fine_print(job)}"
    return Note(say("📦 Finished, but not here yet"), body, Tone.WARNING)


def waiting(job: Job, problem: DeliveryError, paid_micro: int) -> Note:
    """Say that a paid clip could not be posted, why, and that it is kept."""
    say = tongue(job.wish.locale)
    match problem:
        case Unpostable():
            title = say("📦 Finished, but I can't post it here")
            text = say(
                "I need View Channel, Send Messages and Attach Files here; in a thread, Send"
                " Messages in Threads. Who manages this server can give me that. Your clip is safe,"
                " and comes by itself then."
            )
        case TooLarge(size=size):
            title = say("📦 Too large for this server")
            text = say(
                "The clip is {size}, and that is more than this server takes. Your clip is safe,"
                " and I try again now and then.",
                size=megabytes(size),
            )
        case _:
            title = say("📦 Finished, but not posted yet")
            text = say("Discord isn't taking it right now. Your clip is safe, and I keep trying.")
    return Note(title, f"{text} {paid(say, paid_micro)}{fine_print(job)}", Tone.WARNING)


def smaller(job: Job, sizes: Sequence[int], most_bytes: int, *, is_private: bool) -> str:
    """Say that clips of these sizes are posted as smaller copies, and why."""
    say = tongue(job.wish.locale)
    size, most = megabytes(max(sizes)), megabytes(most_bytes)
    if is_private:
        return say.many(
            "📦 The clip is {size} and only {most} fit here, so I made a smaller copy.",
            "📦 The clips are up to {size} and only {most} fit here, so I made smaller copies.",
            len(sizes),
            size=size,
            most=most,
        )
    return say.many(
        "📦 The clip is {size} and this server takes {most}, so I made a smaller copy.",
        "📦 The clips are up to {size} and this server takes {most}, so I made smaller copies.",
        len(sizes),
        size=size,
        most=most,
    )


def by_link(job: Job, size: int, link: str, until: int) -> str:
    """Say that a clip comes as a link, which lives until then, in Unix seconds."""
    say = tongue(job.wish.locale)
    name = say("the clip")
    return say(
        "📦 The clip is {size}, too large to post, and no smaller copy could be made. Here it is at"
        " the video service until about {when}: {link}",
        size=megabytes(size),
        when=f"<t:{until}:f>",
        link=f"[{name}]({link})",
    )


def uncopied(job: Job, paid_micro: int) -> Note:
    """Say that the copy of a paid clip is not made yet."""
    say = tongue(job.wish.locale)
    text = say("I'm making a copy of it that fits here. Your clip is safe, and I keep trying.")
    body = f"{text} {paid(say, paid_micro)}{fine_print(job)}"
    return Note(say("📦 Finished, but not here yet"), body, Tone.WARNING)


def held(job: Job, paid_micro: int, *, is_flagged: bool) -> Note:
    """Say that a clip is kept until a moderator lets it out."""
    say = tongue(job.wish.locale)
    if is_flagged:
        text = say(
            "The video service marked this clip as sensitive, so it isn't posted here until a"
            " moderator lets it out."
        )
    else:
        text = say("A moderator looks at clips in this channel before they are posted.")
    body = f"{text} {paid(say, paid_micro)}{fine_print(job)}"
    return Note(say("🛡️ Held for review"), body, Tone.WARNING)


def out_of_reach(job: Job, paid_micro: int) -> Note:
    """Say that a private clip can be had in another way."""
    say = tongue(job.wish.locale)
    text = say("I can't reach you here any more. Your clip is safe: fetch it with `/history`.")
    body = f"{text} {paid(say, paid_micro)}{fine_print(job)}"
    return Note(say("📦 Finished, and kept for you"), body, Tone.WARNING)


def megabytes(size: int) -> str:
    """Write a size as Discord does, never smaller than it is."""
    return f"{math.ceil(size / _MIB * 10) / 10:g} MB"
