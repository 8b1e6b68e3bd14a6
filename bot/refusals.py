"""Every word of a refusal: what happened, what to do, and that nothing was charged.

Chosen by the error's type and attributes, never by its text. `words.py` has the life of a clip.
"""

from collections.abc import Callable
from typing import Any

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
    QueueFull,
    TooManyAtOnce,
)
from bot.lifecycle import Failure
from bot.money import usd
from bot.words import FAILURES, NOT_CHARGED, PERIODS, Note, Tone

PICTURE = {
    PictureProblem.MISSING: (
        "🖼️ No picture found",
        "Attach a picture to the `image` option and send the command again.",
    ),
    PictureProblem.EMPTY: ("🖼️ That file is empty", "It has 0 bytes. Attach the picture again."),
    PictureProblem.TOO_LARGE: (
        "🖼️ Picture is too large",
        "It's {found}; the limit is {limit}. Send a smaller copy.",
    ),
    PictureProblem.TOO_SMALL: (
        "🖼️ Picture is too small",
        "It's {found}; at least {limit} is needed. Send a larger one.",
    ),
    PictureProblem.TOO_MANY_PIXELS: (
        "🖼️ Picture has too many pixels",
        "It's {found} pixels; the limit is {limit} megapixels. Send a smaller copy.",
    ),
    PictureProblem.TOO_NARROW: (
        "🖼️ Picture is too narrow",
        "At {found} too little of it would be left. Crop it closer to a screen's shape first.",
    ),
    PictureProblem.NOT_A_PICTURE: (
        "🖼️ Can't read that file",
        "It isn't a picture I can open. Try PNG or JPEG.",
    ),
    PictureProblem.DAMAGED: (
        "🖼️ Can't read that picture",
        "It's damaged, cut short or of a rare kind. Save it again as PNG or JPEG and send that.",
    ),
    PictureProblem.UNSAFE: (
        "🖼️ Can't open that picture safely",
        "It takes more memory or time than a picture should. Save it again as PNG or JPEG.",
    ),
    PictureProblem.UNREACHABLE: (
        "🖼️ Can't fetch that picture",
        "Discord didn't hand it over. Attach it again and resend the command.",
    ),
}


_MOST_NAMED = 10


CLOSED: dict[type[Exception], tuple[str, str]] = {
    QueueFull: (
        "🔧 The video service isn't answering",
        "Enough clips are kept in line for it already. Try again later.",
    ),
    NotAccepting: (
        "⏸️ Not taking new clips right now",
        "I'm restarting or waiting for my owner. Try again in a few minutes.",
    ),
    AccountPaused: FAILURES[Failure.ACCOUNT],
}


BARRED = {
    Bar.PAUSED: (
        "⏸️ Paused by the moderators",
        "New clips are off in this server for now. Clips in progress will still arrive.",
        "",
    ),
    Bar.BLOCKED: (
        "🚫 You can't use this here",
        "A moderator switched it off for you. Ask them if you think that's a mistake.",
        "",
    ),
    Bar.CHANNEL: (
        "🚫 Not in this channel",
        "Clips are off in this channel.",
        "Clips are switched on in {}.",
    ),
    Bar.ROLE: (
        "🚫 Role needed",
        "Animating here needs a role that you don't have.",
        "Animating here needs one of: {}.",
    ),
    Bar.OPTED_OUT: (
        "🙋 Not available for this picture",
        "Its author asked that their pictures are not animated.",
        "",
    ),
    Bar.NOT_YOURS: (
        "🙋 Not your picture",
        "In this server you can have your own pictures animated, not other people's.",
        "Other people's pictures need one of these roles here: {}.",
    ),
}
"""By what stands in the way: the title, the text, and the text where something would do."""


KINDS = {"day": "Daily", "week": "Weekly", "month": "Monthly"}
USED_UP = {
    "member": ("🚫 {kind} limit reached", "You have"),
    "server": ("🚫 This server's budget is used up", "This server has"),
    "bot": ("🚫 The bot's budget is used up", "Everybody together has"),
}
PARTLY_HELD = {
    "member": ("⏳ Waiting for your other clips", "your"),
    "server": ("⏳ Waiting for this server's other clips", "this server's"),
    "bot": ("⏳ Waiting for other clips", "the bot's"),
}
NO_BUDGET = {
    "member": (
        "🚫 No budget for you here",
        "Your limit in this server is $0.00. Ask a moderator if you think that's a mistake.",
    ),
    "server": (
        "🚫 No budget for this server",
        "Its limit is $0.00. Ask a moderator if you think that's a mistake.",
    ),
    "bot": ("🚫 No budget", "The bot's owner has set its limit to $0.00."),
}
AT_ONCE = {
    "member": (
        "⏳ You have {clips} in progress",
        "Your limit is {limit} at a time. Try again when one has finished.",
    ),
    "server": (
        "⏳ This server has {clips} in progress",
        "Its limit is {limit} at a time. Try again when one has finished.",
    ),
    "bot": (
        "⏳ I have {clips} in progress",
        "I take {limit} at a time from all servers. Try again when one has finished.",
    ),
}


def _limit(error: LimitReached) -> Note:
    free = error.limit_micro + error.credit_micro - error.spent_micro + error.excused_micro
    if error.limit_micro + error.credit_micro == 0:
        return _refused(*NO_BUDGET[error.whom])
    when = f"<t:{error.resets_at}:R>, on <t:{error.resets_at}:F>"
    if error.held_micro and free >= error.wanted_micro:
        title, whose = PARTLY_HELD[error.whom]
        text = (
            f"{usd(error.held_micro)} of {whose} last {usd(free)} is held by clips in progress."
            f" This one needs {usd(error.wanted_micro)}: try again when they have finished."
        )
        return _refused(title, f"{text} The limit resets {when}.")
    title, who = USED_UP[error.whom]
    left = max(0, free - error.held_micro)
    parts = [f"{usd(error.spent_micro - error.excused_micro)} is spent"]
    parts += [f"{usd(error.held_micro)} held by clips in progress"] if error.held_micro else []
    parts += [f"{usd(error.credit_micro)} credit is left"] if error.credit_micro else []
    text = (
        f"{who} {usd(left)} left of {usd(error.limit_micro)} {PERIODS[error.period]}"
        f" ({', '.join(parts)}), and this clip needs {usd(error.wanted_micro)}."
    )
    return _refused(title.format(kind=KINDS[error.period]), f"{text} It resets {when}.")


def _too_many(error: TooManyAtOnce) -> Note:
    title, text = AT_ONCE[error.whom]
    clips = "1 clip" if error.running == 1 else f"{error.running} clips"
    return _refused(title.format(clips=clips), text.format(limit=error.limit))


def _refused(title: str, body: str) -> Note:
    return Note(title, f"{body} {NOT_CHARGED}", Tone.WARNING)


def _permission(name: str) -> str:
    return " ".join(part.capitalize() for part in name.split("_"))


def _picture(error: PictureRefused) -> Note:
    title, body = PICTURE[error.problem]
    return _refused(title, body.format(found=error.found, limit=error.limit))


def _option(error: OptionRefused) -> Note:
    text = f"`{error.option}` takes {error.allowed}."
    return _refused("⚙️ Not available for this model", text)


def _too_fresh(error: CoolingDown) -> Note:
    return _refused("⏳ One moment", f"You can start another clip <t:{error.until}:R>.")


def _not_here(error: CannotPostHere) -> Note:
    names = ", ".join(_permission(name) for name in error.missing)
    text = f"I need {names} in this channel. Ask a moderator, or use another channel."
    return _refused("🚫 I can't post here", text)


def _barred(error: Barred) -> Note:
    named = error.ids[:_MOST_NAMED]
    title, any_text, one_text = BARRED[error.bar]
    form = "<#{}>" if error.bar is Bar.CHANNEL else "<@&{}>"
    return _refused(
        title, one_text.format(", ".join(map(form.format, named))) if named else any_text
    )


def _consent(error: ConsentNeeded) -> Note:
    text = f"<@{error.author_id}> decides about their own pictures in this server."
    return _refused("🙋 Its author decides", text)


def _closed(error: Exception) -> Note:
    return _refused(*CLOSED[type(error)])


_SAID: dict[type[Exception], Callable[[Any], Note]] = {
    PictureRefused: _picture,
    OptionRefused: _option,
    LimitReached: _limit,
    TooManyAtOnce: _too_many,
    CoolingDown: _too_fresh,
    CannotPostHere: _not_here,
    Barred: _barred,
    ConsentNeeded: _consent,
    NotAccepting: _closed,
    QueueFull: _closed,
    AccountPaused: _closed,
}


def refusal(error: Exception) -> Note:
    """Say why nothing was started, what to do, and that it cost nothing."""
    say = _SAID.get(type(error))
    if say is not None:
        return say(error)
    return _refused(
        "🔧 Something broke on my side", "It's been logged. Try again; nothing was started."
    )
