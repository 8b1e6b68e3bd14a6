"""Every word on what can be done with a clip afterwards, and on why it cannot.

Chosen by type and attributes. The life of a clip is in `words.py`, its buttons in `labels.py`.
"""

from bot.rights import ClipProblem, ClipRefused
from bot.tongue import mark, tongue
from bot.words import NOT_CHARGED, Note, Tone

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
}


def refused(error: ClipRefused) -> Note:
    """Say why nothing was done with a clip."""
    say = tongue()
    title, text = REFUSED[error.problem]
    body = say(text, owner=f"<@{error.owner_id}>")
    return Note(say(title), f"{body} {say(NOT_CHARGED)}", Tone.WARNING)
