"""Every word to moderators about what is in the making in their server, and what they do about it.

Members are named by mentions, which show a name and, in an embed, ping nobody. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.lifecycle import Job, State
from bot.money import usd
from bot.prose import fitted
from bot.tongue import mark, tongue
from bot.words import Note, Tone

STATES = {
    State.QUEUED: mark("Queued"),
    State.SUBMITTING: mark("Being sent"),
    State.RENDERING: mark("Animating"),
    State.RENDERED: mark("Waits to be posted"),
    State.LOST: mark("Lost, and looked for"),
    State.DELIVERED: mark("Posted"),
    State.FAILED: mark("Failed"),
}
HELD = mark("Held for a moderator")


class Deed(StrEnum):
    """What a moderator can do about a clip that is not posted yet."""

    CANCEL = "cancel"
    OFFER = "offer"
    LET_OUT = "letout"


DEEDS = {
    Deed.CANCEL: mark("Cancel it"),
    Deed.OFFER: mark("Post it now"),
    Deed.LET_OUT: mark("Let it out"),
}
LOOK = mark("Look at it")
_DONE = {
    Deed.CANCEL: mark("It is taken back. Nothing was charged."),
    Deed.OFFER: mark("I try to post it now."),
    Deed.LET_OUT: mark("I post it now, as a spoiler."),
}
_TOO_LATE = {  # to take one back: `clip_words.too_late`, for why depends on the clip
    Deed.OFFER: mark("It doesn't wait to be posted any more."),
    Deed.LET_OUT: mark("It isn't held any more."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A clip in the making, as moderators see it."""

    job: Job
    micro: int
    """What is held for it, or what it has cost."""
    ahead: int | None = None
    is_held: bool = False
    """Whether it waits for a moderator."""

    @property
    def deed(self) -> Deed | None:
        """What can be done about it, if anything."""
        if self.is_held:
            return Deed.LET_OUT
        return {State.QUEUED: Deed.CANCEL, State.RENDERED: Deed.OFFER}.get(self.job.state)


def state(item: Item) -> str:
    """Say where a clip is."""
    say = tongue()
    text = say(HELD if item.is_held else STATES[item.job.state])
    if item.job.state is State.QUEUED and item.ahead is not None:
        text += " · " + say("{n} before it", n=item.ahead)
    return text


def listed(items: Sequence[Item], trouble: str = "") -> Note:
    """List what is in the making; `trouble` is of the log channel."""
    say = tongue()
    lines = [_line(item) for item in items] or [say("Nothing is in the making.")]
    if trouble:
        lines.append(f"⚠️ {trouble}")
    title = say.many("🎞️ {n} clip in the making", "🎞️ {n} clips in the making", len(items))
    return Note(title, fitted(lines), Tone.WORKING)


def _line(item: Item) -> str:
    job = item.job
    facts = (
        f"**{state(item)}**",
        usd(item.micro),
        f"<@{job.member_id}>",
        f"<#{job.channel_id}>",
        f"<t:{job.created_at // 1000}:R>",
        f"`{job.short_id}`",
    )
    return " · ".join(facts)


def choice(item: Item) -> str:
    """Name a clip in the menu of those about which something can be done."""
    return f"{item.job.short_id} · {state(item)} · {usd(item.micro)}"


def choose() -> str:
    """Say what the menu is for."""
    say = tongue()
    return say("Choose a clip to do something about it")


def refresh() -> str:
    """Name the button that looks again."""
    say = tongue()
    return say("Refresh")


def done(deed: Deed, short_id: str, *, was_time: bool) -> Note:
    """Say what became of a deed."""
    say = tongue()
    if was_time:
        return Note(say("✅ Clip {id}", id=short_id), say(_DONE[deed]), Tone.DONE)
    return Note(say("✖️ Too late"), say(_TOO_LATE[deed]), Tone.WARNING)


def looked_at(job: Job) -> str:
    """Say above a clip whose it is, to the moderator who looks at it."""
    say = tongue()
    return say(
        "🛡️ A clip of {member}'s, for your eyes only · `{id}`",
        member=f"<@{job.member_id}>",
        id=job.short_id,
    )


def unknown() -> Note:
    """Say that there is no such clip in this server."""
    say = tongue()
    text = say("There is no such clip in this server, or its record was deleted.")
    return Note(say("✖️ No such clip"), text, Tone.WARNING)
