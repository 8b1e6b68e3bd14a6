"""What exactly is wrong, where one kind of error has many causes with words of their own."""

from enum import StrEnum


class PictureProblem(StrEnum):
    """Why a picture was refused."""

    MISSING = "missing"
    """The command came without one."""
    NONE_THERE = "none there"
    """The message has none."""
    FORGOTTEN = "forgotten"
    """It was to be chosen, or its cut, too long ago."""
    UNSEEN = "unseen"
    """The message may have one, which its sender sees and the bot does not."""
    EMPTY = "empty"
    TOO_LARGE = "too large"
    TOO_SMALL = "too small"
    TOO_MANY_PIXELS = "too many pixels"
    TOO_NARROW = "too narrow"
    NOT_A_PICTURE = "not a picture"
    DAMAGED = "damaged"
    UNSAFE = "unsafe"
    """Opening it would take far more memory or time than a picture does."""
    UNREACHABLE = "unreachable"
    GONE = "gone"
    """It was there once; neither its message nor its clip is any more."""


class Bar(StrEnum):
    """What in a server stands in the way of a wish."""

    PAUSED = "paused"
    BLOCKED = "blocked"
    CHANNEL = "channel"
    ROLE = "role"
    OPTED_OUT = "opted out"
    NOT_YOURS = "not yours"
    FORWARDED = "forwarded"
    """Nobody can tell whose picture it is."""
    NOBODY = "nobody"
    """It is no person's, so nobody can agree."""
    DECLINED = "declined"
