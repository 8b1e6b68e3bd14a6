"""Every word of the members' own commands in Discord's picker.

Discord takes a hundred characters each. What is answered is in the other modules of words.
"""

from bot.tongue import mark

NAMES = {
    name: name
    for name in (
        mark("queue"),
        mark("history"),
        mark("show"),
        mark("cancel"),
        mark("settings"),
        mark("privacy"),
        mark("export"),
        mark("delete"),
        mark("help"),
        mark("job"),
        mark("everybody"),
    )
}
"""Names of commands and options. Discord takes small letters alone, and no spaces."""

QUEUE = mark("See your clips in the making, and take back what wasn't sent yet.")
HISTORY = mark("See what became of your clips, and get them again.")
SHOW = mark("Show one of your clips to everybody here.")
CANCEL = mark("Take back a clip that wasn't sent yet.")
SETTINGS = mark("Choose how your clips are made where you don't say, and about direct messages.")
PRIVACY = mark("What is kept about you.")
PRIVACY_SHOW = mark("See what is kept about you, for how long, and who gets it.")
PRIVACY_EXPORT = mark("Get all that is kept about you as a file.")
PRIVACY_DELETE = mark("Have what is kept about you deleted, as far as accounts allow.")
HELP = mark("See what I can do.")
OPTIONS = {
    "job": mark("The clip; start to type its number, or choose."),
    "everybody": mark("For moderators: the clips of everybody in this server."),
}
