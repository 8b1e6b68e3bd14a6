"""Every word on a limit that a clip does not fit: what is left, what helps, when it begins anew.

Each figure is the one that decided. Of everybody's money together a member hears only what is
left: what the bot's owner spends is the owner's affair. Pure.
"""

from bot.errors import LimitReached, TooManyAtOnce
from bot.money import usd
from bot.tongue import mark, tongue
from bot.words import NOT_CHARGED, PERIODS, Note, Tone

REACHED = {
    "day": mark("🚫 Daily limit reached"),
    "week": mark("🚫 Weekly limit reached"),
    "month": mark("🚫 Monthly limit reached"),
}
USED_UP = {
    "server": mark("🚫 This server's budget is used up"),
    "bot": mark("🚫 The bot's budget is used up"),
}
LEFT = {
    "member": mark(
        "You have {left} left of {limit} {period} ({facts}), and this clip needs {wanted}."
    ),
    "server": mark(
        "This server has {left} left of {limit} {period} ({facts}), and this clip needs {wanted}."
    ),
    "bot": mark("Everybody together has {left} left {period}, and this clip needs {wanted}."),
}
OWN_IS_NOT = mark("Your own limit isn't affected.")
BESIDE = {
    "member": mark("`/usage me` shows all your limits."),
    "server": OWN_IS_NOT,
    "bot": OWN_IS_NOT,
}
PARTLY_HELD = {
    "member": (
        mark("⏳ Waiting for your other clips"),
        mark("{held} of your last {free} is held by clips in progress."),
    ),
    "server": (
        mark("⏳ Waiting for this server's other clips"),
        mark("{held} of this server's last {free} is held by clips in progress."),
    ),
    "bot": (
        mark("⏳ Waiting for other clips"),
        mark("{held} of the bot's last {free} is held by clips in progress."),
    ),
}
NO_BUDGET = {
    "member": (
        mark("🚫 No budget for you here"),
        mark("Your limit in this server is $0.00. Ask a moderator if you think that's a mistake."),
    ),
    "server": (
        mark("🚫 No budget for this server"),
        mark("Its limit is $0.00. Ask a moderator if you think that's a mistake."),
    ),
    "bot": (mark("🚫 No budget"), mark("The bot's owner has set its limit to $0.00.")),
}
AT_ONCE = {
    "member": (
        mark("⏳ You have {clips} in progress"),
        mark(
            "Your limit is {limit} at a time. Try again when one has finished; `/queue` shows them."
        ),
    ),
    "server": (
        mark("⏳ This server has {clips} in progress"),
        mark("Its limit is {limit} at a time. Try again when one has finished."),
    ),
    "bot": (
        mark("⏳ I have {clips} in progress"),
        mark("I take {limit} at a time from all servers. Try again when one has finished."),
    ),
}
NO_CLIPS = {
    "member": (
        mark("🚫 No clips for you here"),
        mark("Your limit in this server is none at all. Ask a moderator if that's a mistake."),
    ),
    "server": (
        mark("🚫 No clips in this server"),
        mark("Its limit is none at all. Ask a moderator if you think that's a mistake."),
    ),
    "bot": (
        mark("🚫 No clips"),
        mark("The bot's owner has set how many I take at a time to none."),
    ),
}


def reached(error: LimitReached) -> Note:
    """Say that a clip does not fit a limit on money, and whether waiting helps."""
    free = error.limit_micro + error.credit_micro - error.spent_micro + error.excused_micro
    if error.limit_micro + error.credit_micro + error.held_micro == 0:
        return _refused(*map(tongue(), NO_BUDGET[error.whom]))
    if error.held_micro and free >= error.wanted_micro:
        return _partly_held(error, free)
    return _used_up(error)


def _partly_held(error: LimitReached, free: int) -> Note:
    say = tongue()
    title, text = PARTLY_HELD[error.whom]
    # Of a limit that was lowered since, less comes back than is held.
    held = say(text, held=usd(free - error.left_micro), free=usd(free))
    needs = say(
        "This one needs {wanted}: try again when they have finished.",
        wanted=usd(error.wanted_micro),
    )
    resets = say("The limit resets {when}.", when=_when(error.resets_at))
    return _refused(say(title), held, needs, resets if error.limit_micro else "")


def _used_up(error: LimitReached) -> Note:
    say = tongue()
    text = say(
        LEFT[error.whom],
        left=usd(error.left_micro),
        limit=_limit(error),
        period=say(PERIODS[error.period]),
        facts=", ".join(_facts(error)),
        wanted=usd(error.wanted_micro),
    )
    title = REACHED[error.period] if error.whom == "member" else USED_UP[error.whom]
    resets = say("It resets {when}.", when=_when(error.resets_at))
    return _refused(say(title), text, resets if error.limit_micro else "", say(BESIDE[error.whom]))


def _limit(error: LimitReached) -> str:
    limit = usd(error.limit_micro)
    if not error.credit_micro:
        return limit
    say = tongue()
    return say("{limit} and {credit} credit", limit=limit, credit=usd(error.credit_micro))


def _facts(error: LimitReached) -> list[str]:
    say = tongue()
    facts = [say("{usd} is spent", usd=usd(error.spent_micro))]
    if error.held_micro:
        facts.append(say("{usd} held by clips in progress", usd=usd(error.held_micro)))
    if error.excused_micro:
        facts.append(say("{usd} of it not counted", usd=usd(error.excused_micro)))
    return facts


def _when(at: int) -> str:
    say = tongue()
    return say("<t:{at}:R>, on <t:{at}:F>", at=at)


def too_many(error: TooManyAtOnce) -> Note:
    """Say that as many clips are in progress as may be; of none at all, that waiting is in vain."""
    say = tongue()
    if error.limit == 0:
        return _refused(*map(say, NO_CLIPS[error.whom]))
    title, text = AT_ONCE[error.whom]
    clips = say.many("{n} clip", "{n} clips", error.running)
    return _refused(say(title, clips=clips), say(text, limit=error.limit))


def too_many_in_public(error: TooManyAtOnce) -> str:
    """Return a title that does not tell how many there are."""
    titles = PARTLY_HELD if error.limit else NO_CLIPS
    return tongue()(titles[error.whom][0])


def _refused(title: str, *sentences: str) -> Note:
    body = " ".join(filter(None, [*sentences, tongue()(NOT_CHARGED)]))
    return Note(title, body, Tone.WARNING)
