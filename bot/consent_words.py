"""Every word between who wants a picture animated, its author, and everybody who looks on. Pure."""

from bot.approvals import Outcome
from bot.prose import escaped
from bot.tongue import mark, tongue
from bot.words import NOT_CHARGED, Note, Tone

YES, NO = mark("Allow"), mark("Don't allow")
_MOST_PROMPT = 200
_ENDS = {
    Outcome.AGREED: (
        mark("🙋 Its author agreed"),
        mark("<@{member}> has it animated."),
        Tone.DONE,
    ),
    Outcome.DECLINED: (
        mark("🙋 Not available for this picture"),
        mark("Its author did not agree, so nothing was started. Nothing was charged."),
        Tone.WARNING,
    ),
    Outcome.EXPIRED: (
        mark("🙋 No answer in time"),
        mark("Its author did not answer, so nothing was started. Nothing was charged."),
        Tone.WARNING,
    ),
    Outcome.WITHDRAWN: (
        mark("✖️ Taken back"),
        mark("<@{member}> no longer asks for it. Nothing was charged."),
        Tone.WARNING,
    ),
}
"""What everybody sees of a question that is over."""


def question(member_id: int, prompt: str | None, expires_at: int) -> Note:
    """Ask an author; `prompt` is what the member wrote, `expires_at` in Unix seconds."""
    say = tongue()
    lines = [
        say(
            "<@{member}> would like to have your picture animated. Nothing happens unless you"
            " allow it, and it costs you nothing.",
            member=member_id,
        )
    ]
    if prompt:
        lines.append(say("What should happen in the clip: {prompt}", prompt=_shown(prompt)))
    lines.append("-# " + say("This expires <t:{at}:R>.", at=expires_at))
    return Note(say("🙋 May your picture be animated?"), "\n".join(lines), Tone.WORKING)


def _shown(prompt: str) -> str:
    text = " ".join(prompt.split())
    return escaped(text if len(text) <= _MOST_PROMPT else f"{text[:_MOST_PROMPT]}…")


def over(outcome: Outcome, member_id: int) -> Note:
    """Say what became of a question, for everybody to see."""
    say = tongue()
    title, text, tone = _ENDS[outcome]
    return Note(say(title), say(text, member=member_id), tone)


def not_started(member_id: int) -> Note:
    """Say, for everybody to see, that a wish failed though its author agreed; why is not theirs."""
    say = tongue()
    text = say(
        "It could not be started, <@{member}>: send it again to see why. Nothing was charged.",
        member=member_id,
    )
    return Note(say("🙋 Its author agreed"), text, Tone.WARNING)


def declined() -> Note:
    """Tell who asked, and nobody else, that the author does not agree."""
    say = tongue()
    text = say("Its author did not agree, so nothing was started.")
    return Note(
        say("🙋 Not available for this picture"), f"{text} {say(NOT_CHARGED)}", Tone.WARNING
    )


def agreed(place_id: int | None = None) -> Note:
    """Tell who asked that the author agrees; and the channel of the clip, where that is not seen.

    Said in the place of what they were told first, it takes back that nothing was charged.
    """
    say = tongue()
    text = say("It is being made; I'll mention you when it's ready.")
    if place_id is not None:
        text += " " + say("The clip comes in {channel}.", channel=f"<#{place_id}>")
    return Note(say("🙋 Its author agreed"), text, Tone.DONE)


def not_yours(author_id: int) -> Note:
    """Refuse somebody who would answer for the author."""
    say = tongue()
    text = say("Only <@{author}> can answer this.", author=author_id)
    return Note(say("🙅 That's not yours"), text, Tone.WARNING)


def no_question() -> Note:
    """Say that there is nothing to be answered any more."""
    say = tongue()
    text = say("It has been answered, or its time ran out.")
    return Note(say("🙋 This question is over"), text, Tone.WARNING)
