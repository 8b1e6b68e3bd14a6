"""Every word of the commands in Discord's picker: descriptions and names of choices.

Discord takes a hundred characters each. What the bot answers is in the other modules of words.
"""

from bot.catalog import seconds
from bot.rules import Measure

# --- /animate ------------------------------------------------------------------------------------

ANIMATE = "Turn a picture into a short video clip."
OPTIONS = {
    "image": "The picture to animate: PNG, JPEG, WebP, GIF and more.",
    "prompt": "What should happen in the clip.",
    "negative": "What should not be in the clip.",
    "duration": "How long the clip is.",
    "shape": "How the picture is cut; auto takes the nearest.",
    "guidance": "How closely the clip keeps to the picture: low is free, high is strict.",
    "seed": "A number: the same one with the same picture gives a similar clip.",
    "results": "How many different clips to make; each one costs.",
}
SHAPE_AUTO = "auto (nearest to the picture)"


def duration_choice(duration: float) -> str:
    """Name a duration in the picker."""
    return f"{seconds(duration)} seconds"


# --- /quota and /usage ----------------------------------------------------------------------------

QUOTA = "Who may spend how much on clips in this server."
SET = "Set a limit."
SET_SERVER = "Limit what the whole server may use."
SET_DEFAULT = "Limit what each member may use, where no other rule is set for them."
SET_ROLE = "Limit what each member with a role may use."
SET_MEMBER = "Limit what one member may use."
VIEW = "Show the limits that are set in this server."
EXPLAIN = "Show which limits hold for a member, which rule won, and what is held."
GRANT = "Give a member credit, which pays where their own limits don't."
RESET = "Let a member's limits begin anew: what they have spent so far no longer counts."
TIMEZONE = "Set when this server's days, weeks and months begin."
RECEIPTS = "Choose whether clips tell what their member has left."
CHANGES = "Show the last changes to limits and credits, and who made them."
USAGE = "What has been spent on clips."
USAGE_ME = "Show what you can still use here, and when it resets."
USAGE_SERVER = "Show what this server has spent, by day and by member."
USAGE_EXPORT = "Get this server's accounts as a CSV file."
QUOTA_OPTIONS = {
    "limit": "What to limit.",
    "amount": "Dollars (2.50), clips (3) or time (30s, 5m); 0, unlimited, or inherit to clear it.",
    "credit": "Dollars, such as 2.50.",
    "days": "After how many days what is left of it expires; leave it out for never.",
    "reason": "Why; it is kept with the change.",
    "role": "The role.",
    "member": "The member.",
    "zone": "A city's time zone, such as Europe/Berlin; start to type.",
    "shown": "Whether to tell it.",
    "period": "Which days.",
}
MEASURES = {
    Measure.DAY: "dollars a day",
    Measure.WEEK: "dollars a week",
    Measure.MONTH: "dollars a month",
    Measure.CLIPS: "clips at once",
    Measure.COOLDOWN: "time between clips",
}
RANGES = {
    "this week": "this week",
    "this month": "this month",
    "last month": "last month",
    "90 days": "the last 90 days",
}
