"""Every word of the commands in Discord's picker: descriptions and names of choices.

Discord takes a hundred characters each. What the bot answers is in the other modules of words.
"""

from bot.catalog import seconds
from bot.rules import Measure
from bot.tongue import mark, tongue
from bot.wish import ENGLISH, Fit

NAMES = {
    name: name
    for name in (
        mark("animate"),
        mark("image"),
        mark("duration"),
        mark("shape"),
        mark("fit"),
        mark("guidance"),
        mark("results"),
        mark("private"),
        mark("spoiler"),
        mark("preview"),
        mark("quota"),
        mark("set"),
        mark("server"),
        mark("everyone"),
        mark("limit"),
        mark("amount"),
        mark("view"),
        mark("explain"),
        mark("grant"),
        mark("days"),
        mark("revoke"),
        mark("reset"),
        mark("timezone"),
        mark("zone"),
        mark("receipts"),
        mark("shown"),
        mark("changes"),
        mark("usage"),
        mark("me"),
        mark("export"),
        mark("period"),
        mark("prompt"),
        mark("negative"),
        mark("seed"),
    )
}
"""Of commands and options, as they are in the code. Discord takes small letters and no spaces."""

# --- /animate ------------------------------------------------------------------------------------

ANIMATE = mark("Turn a picture into a short video clip.")
OPTIONS = {
    "image": mark("The picture to animate: PNG, JPEG, WebP, GIF and more."),
    "prompt": mark("What should happen in the clip."),
    "negative": mark("What should not be in the clip."),
    "duration": mark("How long the clip is."),
    "shape": mark("How the picture is cut; auto takes the nearest."),
    "guidance": mark("How closely the clip keeps to the picture: low is free, high is strict."),
    "seed": mark("A number: the same one with the same picture gives a similar clip."),
    "results": mark("How many different clips to make; each one costs."),
    "fit": mark("What becomes of a picture of another shape."),
    "private": mark("Show the clip to you alone."),
    "spoiler": mark("Hide the clip behind a spoiler."),
    "preview": mark("See how the picture will be cut, and what it costs, before anything starts."),
}
FITS = {
    Fit.CROP: mark("cut it, and keep the middle"),
    Fit.PAD: mark("keep all of it, on a blurred copy"),
}
MENU = mark("Animate")
MENU_WITH_OPTIONS = mark("Animate with options…")
"""The entries of a message's menu; Discord takes 32 characters."""
SHAPES = {"wide": mark("wide"), "square": mark("square"), "tall": mark("tall")}
"""The words in the names of shapes, such as 'wide 16:9'."""
SHAPE_AUTO = mark("auto (nearest to the picture)")


def duration_choice(duration: float, locale: str = ENGLISH) -> str:
    """Name a duration in the picker."""
    say = tongue(locale)
    return say("{seconds} seconds", seconds=seconds(duration))


# --- /quota and /usage ----------------------------------------------------------------------------

QUOTA = mark("Who may spend how much on clips in this server.")
SET = mark("Set a limit.")
SET_SERVER = mark("Limit what the whole server may use.")
SET_DEFAULT = mark("Limit what each member may use, where no other rule is set for them.")
SET_ROLE = mark("Limit what each member with a role may use.")
SET_MEMBER = mark("Limit what one member may use.")
VIEW = mark("Show the limits that are set in this server.")
EXPLAIN = mark("Show which limits hold for a member, which rule won, and what is held.")
GRANT = mark("Give a member credit, which pays where their own limits don't.")
REVOKE = mark("End a member's credit: what is left of it pays nothing any more.")
RESET = mark("Let a member's limits begin anew: what they have spent so far no longer counts.")
TIMEZONE = mark("Set when this server's days, weeks and months begin.")
RECEIPTS = mark("Choose whether clips tell what their member has left.")
CHANGES = mark("Show the last changes to limits and credits, and who made them.")
USAGE = mark("What has been spent on clips.")
USAGE_ME = mark("Show what you can still use here, and when it resets.")
USAGE_SERVER = mark("Show what this server has spent, by day and by member.")
USAGE_EXPORT = mark("Get this server's accounts as a CSV file.")
QUOTA_OPTIONS = {
    "limit": mark("What to limit."),
    "amount": mark(
        "Dollars (2.50), clips (3) or time (30s, 5m); 0, unlimited, or inherit to clear it."
    ),
    "credit": mark("Dollars, such as 2.50."),
    "days": mark("After how many days what is left of it expires; leave it out for never."),
    "reason": mark("Why; it is kept with the change."),
    "role": mark("The role."),
    "member": mark("The member."),
    "zone": mark("A city's time zone, such as Europe/Berlin; start to type."),
    "shown": mark("Whether to tell it."),
    "period": mark("Which days."),
}
MEASURES = {
    Measure.DAY: mark("dollars a day"),
    Measure.WEEK: mark("dollars a week"),
    Measure.MONTH: mark("dollars a month"),
    Measure.CLIPS: mark("clips at once"),
    Measure.COOLDOWN: mark("time between clips"),
}
RANGES = {
    "this week": mark("this week"),
    "this month": mark("this month"),
    "last month": mark("last month"),
    "90 days": mark("the last 90 days"),
}
