"""What a person wishes of a clip that the video service has no part in, and where it was asked for.

Pure records and their JSON, kept with the job: which door it came through, how its picture is cut,
who may see it, in which language its person reads.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache

ENGLISH = "en-US"
UNKNOWN = 0
"""The author of a picture that was forwarded from where the bot cannot look."""
NOBODY = -1
"""The author of a picture that a bot or a webhook has posted: there is no person to be asked."""


class Door(StrEnum):
    """How a clip was asked for."""

    COMMAND = "command"
    """`/animate`, with a picture of the person's own."""
    MENU = "menu"
    """The menu of a message."""
    REACTION = "reaction"
    """A reaction to a message."""
    REPLY = "reply"
    """A message that mentions the bot and answers another, or has a picture itself."""
    AGAIN = "again"
    """A button under a clip."""


class Fit(StrEnum):
    """How a picture comes to the shape of its clip; it is never stretched."""

    CROP = "crop"
    """The middle is kept, what does not fit is cut away."""
    PAD = "pad"
    """All of it is kept, on a blurred copy of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Fixed at acceptance."""

    locale: str = ENGLISH
    """Discord's name of the language that its person reads."""
    shape: str = "auto"
    """As it was asked for; the order has the size that came of it."""
    fit: Fit = Fit.CROP
    is_private: bool = False
    """Only its person sees the clip."""
    is_spoiler: bool = False
    most_bytes: int | None = None
    """What an answer to the interaction may carry, by Discord's word; None: there is none."""

    def to_json(self) -> str:
        """Write what differs from the defaults."""
        return _text(self)

    @staticmethod
    def from_json(text: str) -> "Wish":
        """Read what `to_json` wrote."""
        return _read(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The picture in a channel that a clip is made of, and whose it is."""

    channel_id: int
    message_id: int
    key: str
    """Which of the message's pictures: "attachment:123", "embed:0", "sticker:123"."""
    author_id: int
    """Who posted it, and may always have the clip removed.

    `UNKNOWN` where nobody can tell, `NOBODY` where it was no person.
    """

    @property
    def has_author(self) -> bool:
        """Whether it is known to be a person's."""
        return self.author_id not in (UNKNOWN, NOBODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that somebody may want to have animated."""

    url: str
    """Discord's own, never typed by a person; it lives for hours."""
    size: int | None = None
    """Bytes, by Discord's word; None where it does not say."""
    origin: Origin | None = None
    """Where it is in a channel; None: it is handed over."""
    again_of: str = ""
    """The earlier job that it was for, in the place of an address."""
    is_spoiler: bool = False


PLAIN = Wish()
"""What nobody has chosen otherwise."""
_DEFAULTS = asdict(PLAIN)


@lru_cache(maxsize=1024)
def _text(wish: Wish) -> str:
    fields = asdict(wish)
    return json.dumps({name: value for name, value in fields.items() if value != _DEFAULTS[name]})


@lru_cache(maxsize=1024)
def _read(text: str) -> Wish:
    fields = json.loads(text)
    return Wish(**fields | {"fit": Fit(fields.get("fit", Fit.CROP))})
