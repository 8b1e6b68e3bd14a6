"""Every word of `/animate-admin` in Discord's picker: descriptions, and names of choices.

Discord takes a hundred characters each. What is answered is in `policy_words.py`.
"""

from bot.policy import Consent, Flagged
from bot.tongue import mark

NAMES = {
    name: name
    for name in (
        mark("animate-admin"),
        mark("channels"),
        mark("allow"),
        mark("deny"),
        mark("forget"),
        mark("list"),
        mark("roles"),
        mark("require"),
        mark("block"),
        mark("unblock"),
        mark("blocked"),
        mark("trigger"),
        mark("consent"),
        mark("pause"),
        mark("resume"),
        mark("jobs"),
        mark("setup"),
        mark("log-channel"),
        mark("sensitive"),
        mark("confirm"),
        mark("channel"),
        mark("role"),
        mark("member"),
        mark("reason"),
        mark("reaction"),
        mark("replies"),
        mark("oldest"),
        mark("whose"),
        mark("digest"),
        mark("clear"),
        mark("flagged"),
        mark("age-restricted"),
        mark("above"),
    )
}
"""Names of commands and options. Discord takes small letters alone, and no spaces."""

ADMIN = mark("Who may have what animated where in this server.")
SETUP = mark("Set up clips in this server, step by step, and check that all is in place.")
CHANNELS = mark("Where clips may be asked for.")
ALLOW = mark("Have clips in this channel or category, and in no other that you don't allow too.")
DENY = mark("Have no clips in this channel or category.")
FORGET = mark("Neither allow nor deny this channel or category any more.")
LIST = mark("Show all rules of this server.")
ROLES = mark("Who may ask for clips.")
REQUIRE = mark("Have only members ask who have this role, or another that you require.")
FORGET_ROLE = mark("Require this role no more.")
BLOCK = mark("Let a member have no clips in this server.")
UNBLOCK = mark("Let a member have clips again.")
BLOCKED = mark("Show who is blocked, since when and why.")
TRIGGER = mark("Whether a reaction or a reply to a picture asks for a clip.")
CONSENT = mark("Whose pictures may be animated by others.")
PAUSE = mark("Take no new clips in this server; those in the making still arrive.")
RESUME = mark("Take new clips again.")
JOBS = mark("Show what is in the making in this server, and what can be done about it.")
LOG_CHANNEL = mark("Have a line for each clip in a channel, and a digest each day.")
SENSITIVE = mark("What becomes of clips that are not for everybody.")
CONFIRM = mark("Above which price a button asks first.")
OPTIONS = {
    "channel": mark("The channel, or a category with all its channels."),
    "role": mark("The role."),
    "member": mark("The member."),
    "reason": mark("Why; it is kept with the change."),
    "reaction": mark("The emoji that asks for a clip, such as 🎬; or off."),
    "replies": mark("Whether a reply to a picture that mentions me asks for a clip."),
    "oldest": mark("How many days old a message may be to react to."),
    "whose": mark("Whose pictures."),
    "consent_role": mark("A role whose members may use other people's pictures."),
    "log_channel": mark("The channel for the lines."),
    "digest": mark("Whether there is a digest each day."),
    "clear": mark("Have no log any more."),
    "flagged": mark("What becomes of clips that the video service marks as sensitive."),
    "age_restricted": mark("What becomes of clips in age-restricted channels."),
    "above": mark("Dollars, such as 1.00; 0 to be asked always, or never."),
}
CONSENTS = {
    f"{Consent.ANYONE}": mark("anyone's"),
    f"{Consent.OWN}": mark("each member's own alone"),
    f"{Consent.ROLES}": mark("others' by some roles alone"),
    f"{Consent.ASK}": mark("others' when their author allows it"),
}
FLAGGED = {
    f"{Flagged.POST}": mark("post them"),
    f"{Flagged.SPOILER}": mark("post them as a spoiler"),
    f"{Flagged.HOLD}": mark("hold them for a moderator"),
}
