"""Every word on what members set for themselves, what is kept of them, and what there is to use.

Said in the language of who is answered.
"""

from collections.abc import Callable

from bot.catalog import AUTO, Model, seconds
from bot.door_words import fit as fit_name
from bot.door_words import shape as shape_name
from bot.members import MemberSettings
from bot.privacy import Kept
from bot.tongue import mark, tongue
from bot.wish import Fit
from bot.words import Note, Tone

Mention = Callable[[str], str]
"""Writes a command so that it can be clicked."""

# --- Settings ------------------------------------------------------------------------------------

SWITCHES = {
    "is_private": (
        mark("Private clips"),
        mark("Your clips are shown to you alone, unless you say otherwise."),
    ),
    "dm_copies": (
        mark("Copies in DMs"),
        mark("Each clip comes as a direct message too."),
    ),
    "dm_when_lost": (
        mark("DM when it can't be posted"),
        mark("A clip that can be posted nowhere else comes as a direct message."),
    ),
    "has_opted_out": (
        mark("Don't animate my pictures"),
        mark("Nobody else can have your pictures animated, in any server."),
    ),
}
"""By the name of the setting: what it is called, and what it means where it is on."""


def settings(mine: MemberSettings, model: Model) -> Note:
    """Show what somebody has set."""
    say = tongue()
    lines = []
    if len(model.durations) > 1:
        lines.append(say("**Duration:** {choice}", choice=duration(mine.duration, model)))
    if model.sizes:
        lines.append(say("**Shape:** {choice}", choice=shape_name(_known(mine.shape, model))))
        lines.append(
            say("**If the picture has another shape:** {choice}", choice=fit_name(fit_of(mine)))
        )
    for name, (title, text) in SWITCHES.items():
        is_on = getattr(mine, name)
        lines.append(f"{'☑️' if is_on else '⬜'} **{say(title)}**\n-# {say(text)}")
    lines.append(say("These hold for you in every server, where you don't say otherwise."))
    return Note(say("⚙️ Your settings"), "\n".join(lines), Tone.WORKING)


def _known(shape: str | None, model: Model) -> str:
    return shape if shape in model.shapes else AUTO


def fit_of(mine: MemberSettings) -> Fit:
    """Return how pictures are brought to another shape for somebody."""
    return mine.fit or Fit.CROP


def duration(chosen: float | None, model: Model) -> str:
    """Name a duration; None, or one that the model does not have, is the model's own."""
    say = tongue()
    known = chosen if chosen in model.durations else model.durations[0]
    return say("{seconds} seconds", seconds=seconds(known or 0))


def switch(name: str, *, is_on: bool) -> str:
    """Name the button that turns a setting."""
    say = tongue()
    title = say(SWITCHES[name][0])
    return say("{setting}: on", setting=title) if is_on else say("{setting}: off", setting=title)


def questions() -> dict[str, str]:
    """Return what is asked above each choice."""
    say = tongue()
    return {
        "duration": say("How long your clips are"),
        "shape": say("Which shape they have"),
        "fit": say("If the picture has another shape"),
    }


# --- What is kept --------------------------------------------------------------------------------


def privacy(kept: Kept, keep_hours: float) -> Note:
    """Say what is kept of somebody, for how long, and who gets it."""
    say = tongue()
    there_is = mark(
        "**About you there is:** {clips} in {servers}, and what of it is in the accounts."
    )
    if kept.has_settings:
        there_is = mark(
            "**About you there is:** {clips} in {servers}, your settings, and what of it is in the"
            " accounts."
        )
    blocks = [
        say(
            there_is,
            clips=say.many("{n} clip", "{n} clips", kept.clips),
            servers=say.many("{n} server", "{n} servers", kept.servers),
        ),
        say(
            "**Of each clip** I keep who asked for it, where and when, what was chosen, what it"
            " cost, whose picture it is and where that was, and where the clip is."
        ),
        say(
            "**Pictures** are kept until they are sent, without their notes and positions; that of"
            " a clip that failed, as long as clips' files: {hours} hours after they were posted."
            " Clips that wait to be posted are kept until then.",
            hours=f"{keep_hours:g}",
        ),
        say(
            "**The video service** (Runware) gets the picture and the texts of the wish, and"
            " nothing that names you. Nobody else gets anything, and I use nothing for training or"
            " for profiles."
        ),
        say("**Other people's messages** I look at only when somebody asks for a picture in them."),
    ]
    if kept.of_their_pictures:
        blocks.append(
            say.many(
                "**{n} clip of others** was made of your pictures.",
                "**{n} clips of others** were made of your pictures.",
                kept.of_their_pictures,
            )
        )
    blocks.append(say("Get it all by `/privacy export`, have it deleted by `/privacy delete`."))
    return Note(say("🔏 What is kept about you"), "\n\n".join(blocks), Tone.WORKING)


def exported() -> Note:
    """Say what the file is."""
    say = tongue()
    text = say("All that is kept about you, in every server, as JSON.")
    return Note(say("🔏 Your data"), text, Tone.DONE)


def export_alt() -> str:
    """Describe the file."""
    say = tongue()
    return say("All that is kept about you")


def asked_to_forget(kept: Kept) -> Note:
    """Say what would be deleted, what stays and why, before anything is."""
    say = tongue()
    blocks = [
        say(
            "**Deleted:** what you chose and wrote for {clips} in all servers, where they were"
            " asked for and posted, kept files of clips and pictures, and your settings.",
            clips=say.many("{n} clip", "{n} clips", kept.clips - kept.open_clips),
        ),
        *_what_stays(kept),
        say(
            "**Clips in channels** stay where they are, and their buttons work no more: delete"
            " those you want to be gone first."
        ),
        say("It can't be undone."),
    ]
    return Note(say("🔏 Delete what is kept about you?"), "\n\n".join(blocks), Tone.WARNING)


def _what_stays(kept: Kept) -> list[str]:
    say = tongue()
    found = [
        say(
            "**Stays, with your id:** the amounts, days and states of your clips, because accounts"
            " are only ever added to, and your limits would begin anew; what moderators have set,"
            " blocked and noted; and if you opted out of having your pictures animated, that."
        ),
        say(
            "**Stays with clips of others** that were made of your pictures: that they are yours,"
            " so that you can delete them; and with yours of others' pictures where they are, so"
            " that those people can."
        ),
    ]
    if kept.open_clips:
        found.append(
            say.many(
                "**{n} clip in the making** stays until it is done.",
                "**{n} clips in the making** stay until they are done.",
                kept.open_clips,
            )
        )
    return found


def forget_button() -> str:
    """Name the button that deletes."""
    say = tongue()
    return say("Delete it")


def forgotten(count: int) -> Note:
    """Say that it is done."""
    say = tongue()
    text = say.many(
        "Your settings and what was known of {n} clip are deleted.",
        "Your settings and what was known of {n} clips are deleted.",
        count,
    )
    backups = say("In the owner's backups they are until those are.")
    return Note(say("🔏 Deleted"), f"{text} {backups}", Tone.DONE)


# --- Help ----------------------------------------------------------------------------------------


def usage_help(mention: Mention, *, is_admin: bool, sees_messages: bool) -> Note:
    """Say what there is to use, in a few lines.

    `sees_messages` is whether an answer to somebody's message finds the picture in it.
    """
    say = tongue()
    of_others = say(
        "A picture that is here already: press it for long, or right-click it, then *Apps*"
        " and *Animate*."
    )
    if sees_messages:
        of_others = say(
            "A picture that is here already: press it for long, or right-click it, then *Apps*"
            " and *Animate*; or answer it and mention me."
        )
    lines = [
        say("{command} turns a picture of yours into a clip.", command=mention("animate")),
        of_others,
        say(
            "{queue} shows what is in the making, {history} what became of the rest;"
            " {show} shows a clip again.",
            queue=mention("queue"),
            history=mention("history"),
            show=mention("show"),
        ),
        say("{usage} tells what you can still use.", usage=mention("usage me")),
        say(
            "{settings} keeps your own choices, {privacy} what is kept about you.",
            settings=mention("settings"),
            privacy=mention("privacy show"),
        ),
        say("Under each clip are buttons; who presses one pays for what it starts."),
    ]
    if is_admin:
        lines.append(
            say(
                "For moderators: {quota} and {admin}.",
                quota=mention("quota view"),
                admin=mention("animate-admin setup"),
            )
        )
    return Note(say("🎬 What I can do"), "\n".join(f"- {line}" for line in lines), Tone.WORKING)
