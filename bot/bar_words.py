"""Every word on what a server's own rules, or the author of a picture, do not let pass. Pure."""

from bot.errors import Bar, Barred, ConsentNeeded
from bot.tongue import mark, tongue
from bot.words import NOT_CHARGED, Note, Tone

_MOST_NAMED = 10

BARRED = {
    Bar.PAUSED: (
        mark("⏸️ Paused by the moderators"),
        mark("New clips are off in this server for now. Clips in progress will still arrive."),
        "",
    ),
    Bar.BLOCKED: (
        mark("🚫 You can't use this here"),
        mark("A moderator switched it off for you. Ask them if you think that's a mistake."),
        "",
    ),
    Bar.CHANNEL: (
        mark("🚫 Not in this channel"),
        mark("Clips are off in this channel."),
        mark("Clips are switched on in {names}."),
    ),
    Bar.ROLE: (
        mark("🚫 Role needed"),
        mark("Animating here needs a role that you don't have."),
        mark("Animating here needs one of: {names}."),
    ),
    Bar.OPTED_OUT: (
        mark("🙋 Not available for this picture"),
        mark("Its author asked that their pictures are not animated."),
        "",
    ),
    Bar.DECLINED: (
        mark("🙋 Not available for this picture"),
        mark("Its author has said no to you today."),
        "",
    ),
    Bar.NOT_YOURS: (
        mark("🙋 Not your picture"),
        mark("In this server you can have your own pictures animated, not other people's."),
        mark("Other people's pictures need one of these roles here: {names}."),
    ),
    Bar.FORWARDED: (
        mark("🙋 Whose picture is it?"),
        mark("It was forwarded, and I can't tell from whom. Use the original message."),
        "",
    ),
    Bar.NOBODY: (
        mark("🙋 Nobody can agree to it"),
        mark(
            "A bot or a webhook posted this picture, so there is nobody I could ask. If it's your"
            " own, use `/animate`; if not, ask an admin."
        ),
        "",
    ),
}
"""By what stands in the way: the title, the text, and the text where something would do."""


def barred(error: Barred) -> Note:
    """Say what stands in the way, and what would do."""
    say = tongue()
    title, any_text, one_text = BARRED[error.bar]
    form = "<#{}>" if error.bar is Bar.CHANNEL else "<@&{}>"
    names = ", ".join(map(form.format, error.ids[:_MOST_NAMED]))
    return _refused(say(title), say(one_text, names=names) if names else say(any_text))


def consent(error: ConsentNeeded) -> Note:
    """Say that the author of the picture decides, and whether they were asked."""
    say = tongue()
    author = f"<@{error.author_id}>"
    decides = say("{author} decides about their own pictures in this server.", author=author)
    if error.expires_at is None:
        return _refused(say("🙋 Its author decides"), decides)
    asked = say("I've asked, and go on if they agree before <t:{at}:t>.", at=error.expires_at)
    return _refused(say("🙋 Waiting for the author"), f"{decides} {asked}")


def _refused(title: str, body: str) -> Note:
    return Note(title, f"{body} {tongue()(NOT_CHARGED)}", Tone.WARNING)
