"""Every word of the lists of clips: what is in the making, and what became of the rest.

Said in the language of who is answered. One clip alone is `clip_words.py`'s.
"""

from collections.abc import Sequence

from bot.clip_words import state
from bot.history import Page, Waiting
from bot.lifecycle import Job, State
from bot.money import usd
from bot.prose import fitted
from bot.rights import Press, Verb
from bot.tongue import tongue
from bot.words import Note, Tone, facts

_MOST_LABEL = 100
"""Characters of a choice."""
_MOST_BUTTONS = 20


def queue(waiting: Sequence[Waiting], *, of_server: bool) -> Note:
    """List what is in the making, with what is held for it, and buttons to take it back."""
    say = tongue()
    title = say("⏳ Clips in the making here") if of_server else say("⏳ Your clips in the making")
    if not waiting:
        return Note(title, say("There are none."), Tone.WORKING)
    lines = [_waiting(one, of_server=of_server) for one in waiting]
    queued = [one.job for one in waiting if one.job.state is State.QUEUED][:_MOST_BUTTONS]
    return Note(
        title,
        fitted(lines),
        Tone.WORKING,
        tuple(Press(Verb.CANCEL, job.id, say("Cancel {job}", job=job.short_id)) for job in queued),
    )


def _waiting(one: Waiting, *, of_server: bool) -> str:
    say, job = tongue(), one.job
    parts = [f"`{job.short_id}`", *facts(job), f"<t:{job.created_at // 1000}:R>"]
    if of_server:
        parts.append(f"<@{job.member_id}>")
    now = state(job)
    if one.ahead is not None:
        now = say("{state}, {n} before it", state=now, n=one.ahead)
    money = (
        say("paid") if job.state is State.RENDERED else say("{usd} held", usd=usd(job.quote_micro))
    )
    return " · ".join([*parts, f"**{now}**", money])


def page(found: Page) -> Note:
    """List a page of somebody's clips."""
    say = tongue()
    if not found.jobs:
        text = say("You have asked for none in this server yet.")
        return Note(say("🗂️ Your clips"), text, Tone.WORKING)
    lines = [
        " · ".join(
            [f"`{job.short_id}`", *facts(job), f"<t:{job.created_at // 1000}:R>", _bold(job)]
        )
        for job in found.jobs
    ]
    title = say("🗂️ Your clips")
    if found.of > 1:
        title = say("🗂️ Your clips, page {n} of {of}", n=found.number + 1, of=found.of)
    return Note(title, fitted(lines), Tone.WORKING)


def _bold(job: Job) -> str:
    text = state(job)
    return f"**{text}**" if job.state is State.RENDERED else text


def choose() -> str:
    """Ask for one of the clips that are listed."""
    say = tongue()
    return say("Choose a clip…")


def choice(job: Job) -> str:
    """Name a clip where one is chosen."""
    text = " · ".join([job.short_id, *facts(job), state(job)])
    return text if len(text) <= _MOST_LABEL else f"{text[: _MOST_LABEL - 1]}…"


def newer() -> str:
    """Name the button to the page before."""
    say = tongue()
    return say("◀ Newer")


def older() -> str:
    """Name the button to the next page."""
    say = tongue()
    return say("Older ▶")


def back() -> str:
    """Name the button to the list."""
    say = tongue()
    return say("◀ Back")


def of_one(job: Job) -> tuple[Press, ...]:
    """Return what its person can do with a clip of the list."""
    say = tongue()
    if job.deleted_at is not None or job.state not in (State.RENDERED, State.DELIVERED):
        is_queued = job.state is State.QUEUED
        return (Press(Verb.CANCEL, job.id, say("Cancel")),) if is_queued else ()
    found = [
        Press(Verb.RESEND, job.id, say("Resend here"), "📦"),
        Press(Verb.DIRECT, job.id, say("Send to my DMs"), "✉️"),
    ]
    if job.state is State.DELIVERED:
        found.append(Press(Verb.DELETE, job.id, say("Delete"), "🗑️"))
    return tuple(found)
