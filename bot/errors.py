"""Everything that can go wrong, split first by who can act on it.

AnimateError
├── UserError               the person who asked can act; nothing was held or charged
│   ├── PictureRefused      the file is not a picture that the model can use
│   ├── OptionRefused       an option is outside what the model does
│   ├── LimitReached        the hold does not fit a limit on money
│   ├── TooManyAtOnce       as many clips are in flight as may be
│   ├── CoolingDown         the member's last clip is too fresh
│   ├── PicturesPaused      too many of the member's last pictures were refused
│   ├── CannotPostHere      the bot may not post the clip into this channel
│   ├── Barred              the server's own rules, or the picture's author, do not let them
│   ├── ConsentNeeded       the author of the picture has to agree first
│   ├── NotAccepting        the bot takes no new clips at the moment
│   ├── QueueFull           the video service does not answer, and enough clips wait for it
│   └── AccountPaused       its account with the video service needs its owner
├── InputRefused            what an admin typed cannot be read; nothing was changed
├── ZoneSetLately           a server's days were moved less than a week ago
├── ProviderError           the video service answered, or did not
│   ├── Rejected            final: a parameter is wrong
│   │   └── Moderated       final: the content was declined
│   ├── AccountTrouble      the operator must act: key, credit
│   ├── Busy                try again later; the service did not take it
│   └── Unclear             it may have happened: ask again with the same UUID
├── ConnectionTrouble       the bot cannot live on Discord
│   ├── DiscordRefuses      the operator must act: token, intents
│   └── DiscordUnreachable  no answer, or none that makes sense: try again
├── DeliveryError           Discord did not take the clip
│   ├── Unpostable          not here, not now: channel or permission gone
│   └── TooLarge            the file is over this channel's limit
├── ClipBroken              what the service returned is not a video
├── CopyFailed              no smaller copy of a clip could be made
├── DarkroomBroken          no picture can be opened: the process for it does not start
├── ChartBroken             the picture of what was spent could not be drawn
├── StoreError              the accounts cannot be read or written
│   ├── Locked              another process runs on this data directory
│   ├── StoreTrouble        the disk or another program is in the way
│   │   └── Unusable        damaged, or from a newer release: its owner must act
│   └── StaleJob            the job moved on since it was read
├── BackupRefused           a copy of the database cannot be made, or put back
├── SettingsError           the operator must mend the settings
├── CannotListen            the web server's port is taken, or is not ours to take
└── IllegalTransition       a bug: an event that a state does not know

It holds no words for people: those are in `words.py`, chosen by type and attributes, never by text.
"""

from dataclasses import dataclass

from bot.problems import Bar as Bar  # noqa: PLC0414 - they come with their errors
from bot.problems import PictureProblem as PictureProblem  # noqa: PLC0414


class AnimateError(Exception):
    """Base of all errors of this project; its docstring is the default message."""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").strip()


class UserError(AnimateError):
    """The person who asked can act; nothing was held or charged."""


@dataclass(eq=False)
class PictureRefused(UserError):
    """The file is not a picture that the model can use.

    `found` and `limit` are facts for the reader, already in a readable unit ("31 MB").
    """

    problem: PictureProblem
    found: str = ""
    limit: str = ""

    def __str__(self) -> str:
        return f"picture refused: {self.problem} {self.found} {self.limit}".rstrip()


@dataclass(eq=False)
class OptionRefused(UserError):
    """An option is outside what the model does; `allowed` says what it does."""

    option: str
    allowed: str

    def __str__(self) -> str:
        return f"option {self.option} refused, allowed: {self.allowed}"


@dataclass(eq=False)
class InputRefused(AnimateError):
    """What an admin typed cannot be read; nothing was changed. `allowed` says what it takes."""

    option: str
    allowed: str

    def __str__(self) -> str:
        return f"option {self.option} cannot be read, it takes {self.allowed}"


@dataclass(eq=False)
class ZoneSetLately(AnimateError):
    """A server's days were moved less than a week ago: not before `until`, Unix seconds."""

    until: int


@dataclass(eq=False, kw_only=True)
class LimitReached(UserError):
    """The hold does not fit a limit on money; micro-dollars."""

    whom: str
    """Whose: "member", "server" or "bot"."""
    period: str
    """"day", "week" or "month"."""
    limit_micro: int
    spent_micro: int
    held_micro: int
    excused_micro: int = 0
    """What of these two does not count."""
    credit_micro: int = 0
    """What credits add to the limit."""
    left_micro: int
    """What may still be used, credit included; never below 0, and less than is wanted."""
    wanted_micro: int
    resets_at: int
    """Unix seconds at which the period ends."""

    def __str__(self) -> str:
        return (
            f"{self.whom} limit {self.limit_micro} a {self.period} reached:"
            f" spent {self.spent_micro}, held {self.held_micro}, wanted {self.wanted_micro}"
        )


@dataclass(eq=False)
class TooManyAtOnce(UserError):
    """As many clips are in flight as `whom` ("member", "server" or "bot") may have."""

    whom: str
    limit: int
    running: int

    def __str__(self) -> str:
        return f"{self.whom} has {self.running} clips in flight of {self.limit}"


@dataclass(eq=False)
class CoolingDown(UserError):
    """The member's last clip is too fresh; `until` in Unix seconds."""

    until: int
    is_of_questions: bool = False
    """It is not clips but questions to the authors of pictures that there were enough of."""

    def __str__(self) -> str:
        what = "question" if self.is_of_questions else "clip"
        return f"the next {what} may begin at {self.until}"


@dataclass(eq=False)
class PicturesPaused(UserError):
    """Several of the member's pictures were refused just now; `until` in Unix seconds."""

    until: int

    def __str__(self) -> str:
        return f"the next picture is opened at {self.until}"


@dataclass(eq=False)
class CannotPostHere(UserError):
    """The bot may not post the clip into this channel; `missing` are Discord's permission names."""

    missing: tuple[str, ...]

    def __str__(self) -> str:
        return f"cannot post here, missing: {', '.join(self.missing)}"


@dataclass(eq=False)
class Barred(UserError):
    """The server's rules, or the picture's author, do not let this member; `ids` would."""

    bar: Bar
    ids: tuple[int, ...] = ()
    """The channels where clips are, or the roles of which one is needed."""

    def __str__(self) -> str:
        return f"barred: {self.bar}"


@dataclass(eq=False)
class ConsentNeeded(UserError):
    """The author of the picture has to agree first."""

    author_id: int
    expires_at: int | None = None
    """They have been asked, and can answer until then, in Unix seconds; None: not asked."""

    def __str__(self) -> str:
        return "the author of the picture has to agree first"


class NotAccepting(UserError):
    """The bot takes no new clips at the moment."""


class QueueFull(UserError):
    """The video service does not answer, and enough clips wait for it already."""


class AccountPaused(UserError):
    """The bot's account with the video service needs its owner."""


class ProviderError(AnimateError):
    """The video service answered with an error, or did not answer.

    `code` is the service's own (`errors[].code`) or ours where it gave none; `status` its HTTP
    status or 0; `parameter` names the field at fault. `message` is its text, for logs only.
    """

    def __init__(
        self, code: str, message: str = "", *, status: int = 0, parameter: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.parameter = parameter

    def __str__(self) -> str:
        where = f" ({self.parameter})" if self.parameter else ""
        return f"{type(self).__name__} {self.code}{where}, HTTP {self.status}: {self.message}"


class Rejected(ProviderError):
    """Final: the service refuses this request, and will again."""


class Moderated(Rejected):
    """Final: the service declined the content."""


class AccountTrouble(ProviderError):
    """The operator must act: the key is refused or the credit is used up."""


class Busy(ProviderError):
    """The service did not take the request, but may later. `retry_after` in seconds, if it said."""

    retry_after: float | None = None


class Unclear(ProviderError):
    """It may have happened: the answer was lost. Ask again with the same UUID."""


class ConnectionTrouble(AnimateError):
    """The bot cannot live on Discord; the message says why, for the operator."""


class DiscordRefuses(ConnectionTrouble):
    """Discord refuses this bot, and will again until its operator has acted."""


class DiscordUnreachable(ConnectionTrouble):
    """Discord gave no answer, or none that makes sense."""


class DeliveryError(AnimateError):
    """Discord did not take the clip this time; try again."""


class Unpostable(DeliveryError):
    """The channel is gone or closed to the bot."""


class TooLarge(DeliveryError):
    """A file is over the limit of its place; `size` is its bytes."""

    size: int = 0
    most_bytes: int = 0
    """What may fit there; 0: nobody knows a limit that would be lower."""


class ClipBroken(AnimateError):
    """What the service returned is not a video that can be played."""


class CopyFailed(AnimateError):
    """A copy of a clip that fits, or plays everywhere, could not be made."""

    is_final: bool = False
    """Whether another try would be no better."""


class DarkroomBroken(AnimateError):
    """No picture can be opened: the process for it does not start."""


class ChartBroken(AnimateError):
    """The picture of what was spent could not be drawn."""


class StoreError(AnimateError):
    """The accounts cannot be read or written."""


class Locked(StoreError):
    """Another process runs on this data directory."""


class StoreTrouble(StoreError):
    """The file cannot be used as long as the disk or another program is in the way.

    The message says what to do. It is logged once, where it arises.
    """


class Unusable(StoreTrouble):
    """The file is damaged, or from a newer release; nothing passes until its owner has acted."""


class StaleJob(StoreError):
    """The job moved on since it was read; whoever moved it has done the work."""


class BackupRefused(AnimateError):
    """A copy of the database cannot be made, or put back; nothing was changed."""


@dataclass(eq=False)
class SettingsError(AnimateError):
    """Settings are missing or malformed; a problem is one line: the variable and the fix."""

    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.problems)


class CannotListen(AnimateError):
    """The web server cannot listen on its port."""


class IllegalTransition(AnimateError):
    """A bug: an event that this state does not know."""
