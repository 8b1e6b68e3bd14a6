"""Every word on what can be done with a clip afterwards, and on why it cannot.

Said in the language of who is answered; what everybody sees, in that of the clip's person. The life
of a clip is in `words.py`, its buttons in `labels.py`.
"""

from collections.abc import Sequence

from bot.lifecycle import Failure, Job, State
from bot.money import usd
from bot.prose import escaped
from bot.rights import ClipProblem, ClipRefused
from bot.tongue import Tongue, mark, tongue
from bot.wish import Door, Fit
from bot.words import NOT_CHARGED, Note, Tone, facts, fine_print, name

_MOST_PROMPT = 200
"""Characters of a prompt that are shown."""
_MINUTE = 60_000

REFUSED = {
    ClipProblem.UNKNOWN: (
        mark("🗑️ Nothing is known of it"),
        mark("This clip's record was deleted."),
    ),
    ClipProblem.DELETED: (
        mark("🗑️ This clip was deleted"),
        mark("It can't be had again. Its picture may be: ask anew."),
    ),
    ClipProblem.GONE: (
        mark("📦 This clip's file is gone"),
        mark("I don't keep clips for ever, and its message was deleted or is closed to me."),
    ),
    ClipProblem.UNMADE: (
        mark("📦 There is no clip"),
        mark("It isn't finished, or it could not be made."),
    ),
    ClipProblem.HELD: (
        mark("🛡️ Held for review"),
        mark("A moderator decides about this clip first."),
    ),
    ClipProblem.FOR_ADULTS: (
        mark("🔞 Not in this channel"),
        mark("It's a clip of an age-restricted channel. Show it in one."),
    ),
    ClipProblem.REVIEWED: (
        mark("🔞 Not in this channel"),
        mark("In age-restricted channels moderators look at clips first here. Show it in another."),
    ),
    ClipProblem.ON_ITS_WAY: (
        mark("📤 It's being posted right now"),
        mark("Look again in a minute."),
    ),
    ClipProblem.ELSEWHERE: (
        mark("🙅 That's a clip of another server"),
        mark("Use its buttons in the server where it was asked for."),
    ),
    ClipProblem.NOT_YOURS: (
        mark("🙅 That's not yours"),
        mark("Only {owner} can do that with this clip."),
    ),
    ClipProblem.NOT_YOURS_TO_JUDGE: (
        mark("🙅 That's not yours"),
        mark("Only {owner} or a moderator can do that with this clip."),
    ),
    ClipProblem.TWICE: (
        mark("⏳ One moment"),
        mark("That was a second press within seconds, so nothing more was started."),
    ),
}
_NOTHING_MORE = mark("Nothing more was charged.")
_NOT_THEIRS = {ClipProblem.NOT_YOURS, ClipProblem.NOT_YOURS_TO_JUDGE}
"""Whoever hears these has not paid for the clip; everybody else may have."""


def refused(error: ClipRefused) -> Note:
    """Say why nothing was done with a clip, and what that cost."""
    say = tongue()
    title, text = REFUSED[error.problem]
    body = say(text, owner=f"<@{error.owner_id}>")
    cost = say(NOT_CHARGED if error.problem in _NOT_THEIRS else _NOTHING_MORE)
    return Note(say(title), f"{body} {cost}", Tone.WARNING)


# --- What was done -------------------------------------------------------------------------------


def asked(micro: int) -> Note:
    """Ask whether a price is all right, before anything is held."""
    say = tongue()
    text = say("This clip would cost {usd}. Nothing has been started.", usd=usd(micro))
    return Note(say("💵 {usd}?", usd=usd(micro)), text, Tone.WORKING)


def yes(micro: int) -> str:
    """Name the button that agrees to a price."""
    say = tongue()
    return say("Yes, for {usd}", usd=usd(micro))


def cancelled(job: Job, by: int) -> Note:
    """Say that a clip was taken back in time."""
    say = tongue()
    if by == job.member_id:
        text = say("It hadn't been sent yet. You were not charged.")
    else:
        text = say("It hadn't been sent yet. {member} was not charged.", member=_member(job))
    return Note(say("✖️ Cancelled"), f"{text}{fine_print(job)}", Tone.DONE)


def too_late(job: Job) -> Note:
    """Say why a clip cannot be taken back any more."""
    say = tongue()
    match job.state:
        case State.DELIVERED:
            text = say("It's posted. You can delete it.")
        case State.FAILED:
            text = say("There is no clip to wait for any more, and nothing is held for it.")
        case State.LOST:
            text = say(
                "The video service has no word about it. If it turns up within a week I'll still"
                " post it here, and it counts only then."
            )
        case _:
            text = say(
                "It's already being made and paid for. I'll post it when it's done; you can delete"
                " it afterwards."
            )
    return Note(say("✖️ Too late to cancel"), f"{text}{fine_print(job)}", Tone.WARNING)


def deleted(job: Job, *, is_gone: bool) -> Note:
    """Say that a clip was deleted, to who has done it."""
    say = tongue()
    if not is_gone:
        text = say(
            "I won't post it again, but one of its messages is closed to me. Ask a moderator to"
            " delete it, or press again later."
        )
        return Note(say("🗑️ Not all of it is gone"), f"{text}{fine_print(job)}", Tone.WARNING)
    text = say("What it cost stays spent.")
    return Note(say("🗑️ Deleted"), f"{text}{fine_print(job)}", Tone.DONE)


def taken_away(job: Job) -> Note:
    """Say, where the status of a clip was, that it is deleted."""
    say = tongue(job.wish.locale)
    text = say("This clip was posted, and deleted since.")
    return Note(say("🗑️ Deleted"), f"{text}{fine_print(job)}", Tone.DONE)


def sent_directly(job: Job) -> Note:
    """Say that a clip is in somebody's direct messages."""
    say = tongue()
    text = say("It is in your direct messages.")
    return Note(say("✉️ Sent"), f"{text}{fine_print(job)}", Tone.DONE)


def unsendable() -> Note:
    """Say that direct messages are closed."""
    say = tongue()
    text = say(
        "Discord doesn't let me. Allow direct messages from this server, or have it resent here."
    )
    return Note(say("✉️ I can't write to you"), text, Tone.WARNING)


def unshown() -> Note:
    """Say that a clip could not be put here."""
    say = tongue()
    text = say("Discord isn't taking it right now. Your clip is safe: try again in a moment.")
    return Note(say("📦 That did not work"), text, Tone.WARNING)


def shown(job: Job, remarks: Sequence[str] = ()) -> str:
    """Return the text above clips that are shown once more, with a line for each remark."""
    say = tongue(job.wish.locale)
    small = " · ".join([*facts(job), name(job)])
    return "\n".join([say("🎬 A clip of {member}'s", member=_member(job)), *remarks, f"-# {small}"])


# --- What is known of it -------------------------------------------------------------------------

DOORS = {
    Door.COMMAND: mark("by `/animate`"),
    Door.MENU: mark("by the menu of a message"),
    Door.REACTION: mark("by a reaction"),
    Door.REPLY: mark("by an answer to a message"),
    Door.AGAIN: mark("by a button under a clip"),
}
STATES = {
    State.QUEUED: mark("in line"),
    State.SUBMITTING: mark("sent"),
    State.RENDERING: mark("animating"),
    State.RENDERED: mark("finished, not posted yet"),
    State.LOST: mark("no word of it"),
    State.DELIVERED: mark("done"),
    State.FAILED: mark("failed"),
}
ENDS = {
    Failure.DECLINED: mark("declined"),
    Failure.CANCELLED: mark("cancelled"),
}
FITS = {Fit.CROP: mark("cut"), Fit.PAD: mark("whole")}


def state(job: Job) -> str:
    """Say where a clip is in its life."""
    say = tongue()
    if job.deleted_at is not None:
        return say("deleted")
    if job.failure in ENDS:
        return say(ENDS[job.failure])
    return say(STATES[job.state])


def info(job: Job, spent_micro: int, held_micro: int, clips: int) -> Note:
    """Say all that is known of a clip, and how to ask for the like."""
    say = tongue()
    lines = [
        _what(say, job),
        *_prompts(say, job),
        say(
            "Asked for by {member} {way}, {when}.",
            member=_member(job),
            way=say(DOORS[job.door]),
            when=f"<t:{job.created_at // 1000}:f>",
        ),
        *_picture(say, job),
        _end(say, job, clips),
        _money(say, job, spent_micro, held_micro),
        f"```\n{command(job)}\n```",
    ]
    return Note(f"ℹ️ {name(job)}", "\n".join(filter(None, lines)), Tone.WORKING)  # noqa: RUF001


def command(job: Job) -> str:
    """Return what to paste for such a clip; the picture is attached by hand.

    In English in every language: where a command is pasted, and not typed, Discord finds it and its
    options by their names in the code alone.
    """
    order = job.order
    given = {
        "duration": f"{order.duration:g}",
        "shape": "" if job.wish.shape == "auto" else job.wish.shape,
        "fit": "" if job.wish.fit is Fit.CROP else f"{job.wish.fit}",
        "guidance": "" if order.guidance is None else f"{order.guidance:g}",
        "results": "" if order.results == 1 else f"{order.results}",
        "prompt": _plain(order.prompt),
        "negative": _plain(order.negative_prompt),
        "seed": "" if order.seed is None else f"{order.seed}",
        "private": "True" if job.wish.is_private else "",
        "spoiler": "True" if job.wish.is_spoiler else "",
    }
    return " ".join(["/animate", *(f"{name}:{text}" for name, text in given.items() if text)])


def _what(say: Tongue, job: Job) -> str:
    order = job.order
    parts = [f"**{' · '.join(facts(job))}**", say(FITS[job.wish.fit])]
    if order.guidance is not None:
        parts.append(say("guidance {guidance}", guidance=f"{order.guidance:g}"))
    if order.results > 1:
        parts.append(say("{n} at once", n=order.results))
    if job.wish.is_private:
        parts.append(say("private"))
    return " · ".join([*parts, order.model])


def _prompts(say: Tongue, job: Job) -> list[str]:
    found = []
    if job.order.prompt:
        found.append(say("Prompt: {prompt}", prompt=escaped(_plain(job.order.prompt))))
    if job.order.negative_prompt:
        text = escaped(_plain(job.order.negative_prompt))
        found.append(say("Not in it: {prompt}", prompt=text))
    return found


def _plain(text: str | None) -> str:
    """Return a text on one line, shortened, and with nothing in it that ends a block of code."""
    line = " ".join((text or "").split()).replace("`", "'")
    return line if len(line) <= _MOST_PROMPT else f"{line[: _MOST_PROMPT - 1]}…"


def _picture(say: Tongue, job: Job) -> list[str]:
    where = job.picture
    if where is None or not where.has_author or where.author_id == job.member_id:
        return []
    link = f"https://discord.com/channels/{job.guild_id}/{where.channel_id}"
    if where.message_id:
        link += f"/{where.message_id}"
    author = f"<@{where.author_id}>"
    return [say("The picture is {author}'s: {link}", author=author, link=link)]


def _end(say: Tongue, job: Job, clips: int) -> str:
    if job.state is not State.DELIVERED:
        return say("Now: {state}.", state=state(job))
    took = _took(job.updated_at - job.created_at)
    text = say.many("{n} clip, after {took}.", "{n} clips, after {took}.", clips, took=took)
    since = say("Deleted since.")
    return text if job.deleted_at is None else f"{text} {since}"


def _took(ms: int) -> str:
    if ms < _MINUTE:
        return f"{ms / 1000:.0f} s"
    minutes, rest = divmod(ms, _MINUTE)
    return f"{minutes} min {rest // 1000} s" if minutes < 10 else f"{minutes} min"  # noqa: PLR2004 - then nobody counts seconds


def _money(say: Tongue, job: Job, spent_micro: int, held_micro: int) -> str:
    if held_micro:
        return say("{usd} is held for it.", usd=usd(held_micro))
    if spent_micro or job.state in (State.RENDERED, State.DELIVERED):
        return say("It cost {usd}.", usd=usd(spent_micro))
    return say("It cost nothing.")


def _member(job: Job) -> str:
    return f"<@{job.member_id}>"
