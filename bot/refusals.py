"""Every word of a refusal: what happened, what to do, and that nothing was charged.

Chosen by the error's type and attributes, never by its text, and said in the language of who is
answered. `words.py` has the life of a clip.
"""

from collections.abc import Callable
from typing import Any

from bot import bar_words, clip_words, limit_words
from bot.errors import (
    AccountPaused,
    Bar,
    Barred,
    CannotPostHere,
    ConsentNeeded,
    CoolingDown,
    LimitReached,
    NotAccepting,
    OptionRefused,
    PictureProblem,
    PictureRefused,
    PicturesPaused,
    QueueFull,
    TooManyAtOnce,
)
from bot.lifecycle import Failure
from bot.rights import ClipRefused
from bot.tongue import mark, tongue
from bot.words import FAILURES, NOT_CHARGED, Note, Tone

PICTURE = {
    PictureProblem.MISSING: (
        mark("🖼️ No picture found"),
        mark("Attach a picture to the `image` option and send the command again."),
    ),
    PictureProblem.NONE_THERE: (
        mark("🖼️ No picture found"),
        mark(
            "That message has no picture I can use. Right-click (or long-press) a message with one"
            " → Apps → Animate, or use `/animate`."
        ),
    ),
    PictureProblem.UNSEEN: (
        mark("🖼️ I can't see that picture"),
        mark(
            "Discord shows me other people's pictures only from the menu: right-click (or"
            " long-press) the message → Apps → Animate."
        ),
    ),
    PictureProblem.FORGOTTEN: (
        mark("🖼️ That was too long ago"),
        mark("I don't have that picture any more. Ask for the clip once more."),
    ),
    PictureProblem.EMPTY: (
        mark("🖼️ That file is empty"),
        mark("It has 0 bytes. Attach the picture again."),
    ),
    PictureProblem.TOO_LARGE: (
        mark("🖼️ Picture is too large"),
        mark("It's {found}; the limit is {limit}. Send a smaller copy."),
    ),
    PictureProblem.TOO_SMALL: (
        mark("🖼️ Picture is too small"),
        mark("It's {found}; at least {limit} is needed. Send a larger one."),
    ),
    PictureProblem.TOO_MANY_PIXELS: (
        mark("🖼️ Picture has too many pixels"),
        mark("It's {found} pixels; the limit is {limit} megapixels. Send a smaller copy."),
    ),
    PictureProblem.TOO_NARROW: (
        mark("🖼️ Picture is too narrow"),
        mark(
            "At {found} too little of it would be left. Crop it closer to a screen's shape first."
        ),
    ),
    PictureProblem.NOT_A_PICTURE: (
        mark("🖼️ Can't read that file"),
        mark("It isn't a picture I can open. Try PNG or JPEG."),
    ),
    PictureProblem.DAMAGED: (
        mark("🖼️ Can't read that picture"),
        mark(
            "It's damaged, cut short or of a rare kind. Save it again as PNG or JPEG and send that."
        ),
    ),
    PictureProblem.UNSAFE: (
        mark("🖼️ Can't open that picture safely"),
        mark("It takes more memory or time than a picture should. Save it again as PNG or JPEG."),
    ),
    PictureProblem.UNREACHABLE: (
        mark("🖼️ Can't fetch that picture"),
        mark("Discord didn't hand it over. Attach it again and resend the command."),
    ),
    PictureProblem.GONE: (
        mark("🖼️ That picture is gone"),
        mark("Its message was deleted, and the clip that was made of it. Send the picture again."),
    ),
}


CLOSED: dict[type[Exception], tuple[str, str]] = {
    QueueFull: (
        mark("🔧 The video service isn't answering"),
        mark("Enough clips are kept in line for it already. Try again later."),
    ),
    NotAccepting: (
        mark("⏸️ Not taking new clips right now"),
        mark("I'm restarting or waiting for my owner. Try again in a few minutes."),
    ),
    AccountPaused: FAILURES[Failure.ACCOUNT],
}


def _refused(title: str, body: str) -> Note:
    return Note(title, f"{body} {tongue()(NOT_CHARGED)}", Tone.WARNING)


def _permission(name: str) -> str:
    return " ".join(part.capitalize() for part in name.split("_"))


def _picture(error: PictureRefused) -> Note:
    say = tongue()
    title, body = PICTURE[error.problem]
    return _refused(say(title), say(body, found=error.found, limit=error.limit))


def _option(error: OptionRefused) -> Note:
    say = tongue()
    text = say("`{option}` takes {allowed}.", option=say.name(error.option), allowed=error.allowed)
    return _refused(say("⚙️ Not available for this model"), text)


def _too_fresh(error: CoolingDown) -> Note:
    say = tongue()
    when = f"<t:{error.until}:R>"
    if error.is_of_questions:
        text = say("Enough authors were asked for now. The next can be asked {when}.", when=when)
    else:
        text = say("You can start another clip {when}.", when=when)
    return _refused(say("⏳ One moment"), text)


def _paused(error: PicturesPaused) -> Note:
    say = tongue()
    text = say(
        "Several of your pictures couldn't be used just now. Send the next one {when}.",
        when=f"<t:{error.until}:R>",
    )
    return _refused(say("⏳ One moment"), text)


def _not_here(error: CannotPostHere) -> Note:
    say = tongue()
    text = say(
        "I need {permissions} in this channel. Ask a moderator, or use another channel.",
        permissions=", ".join(map(_permission, error.missing)),
    )
    return _refused(say("🚫 I can't post here"), text)


def _closed(error: Exception) -> Note:
    return _refused(*map(tongue(), CLOSED[type(error)]))


_SAID: dict[type[Exception], Callable[[Any], Note]] = {
    PictureRefused: _picture,
    OptionRefused: _option,
    LimitReached: limit_words.reached,
    TooManyAtOnce: limit_words.too_many,
    CoolingDown: _too_fresh,
    PicturesPaused: _paused,
    CannotPostHere: _not_here,
    Barred: bar_words.barred,
    ConsentNeeded: bar_words.consent,
    ClipRefused: clip_words.refused,
    NotAccepting: _closed,
    QueueFull: _closed,
    AccountPaused: _closed,
}


def refusal(error: Exception) -> Note:
    """Say why nothing was started, what to do, and that it cost nothing."""
    explain = _SAID.get(type(error))
    if explain is not None:
        return explain(error)
    say = tongue()
    text = say("It's been logged. Try again; nothing was started.")
    return _refused(say("🔧 Something broke on my side"), text)


def in_public(error: Exception) -> Note:
    """Say the same where everybody reads along: without who has spent what, and who is blocked."""
    say, note = tongue(), refusal(error)
    match error:
        case LimitReached():
            title = note.title
        case TooManyAtOnce():
            title = limit_words.too_many_in_public(error)
        case Barred(bar=Bar.BLOCKED):
            return _refused(note.title, say("`/animate` tells you alone why."))
        case _:
            return note
    return _refused(title, say("`/usage me` shows you alone what you can still use."))
