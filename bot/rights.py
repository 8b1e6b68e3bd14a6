"""Who may do what with a clip that was asked for: one table, asked again at every press.

Pure. A button's id can be sent again by anybody who ever saw it, so none is believed; the doors
bring the row and who presses, and `check` raises what stands in the way.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from types import MappingProxyType

from bot.errors import UserError
from bot.lifecycle import Job


class ClipProblem(StrEnum):
    """Why nothing can be done with a clip."""

    UNKNOWN = "unknown"
    DELETED = "deleted"
    GONE = "gone"
    UNMADE = "unmade"
    ON_ITS_WAY = "on its way"
    """It is being posted in this moment."""
    HELD = "held"
    """Until a moderator has looked at it."""
    FOR_ADULTS = "for adults"
    """It is of an age-restricted channel, and this is none."""
    REVIEWED = "reviewed"
    """In age-restricted channels like this one a moderator would have to look at it first."""
    TWICE = "twice"
    """Pressed twice within seconds."""
    ELSEWHERE = "elsewhere"
    NOT_YOURS = "not yours"
    NOT_YOURS_TO_JUDGE = "not yours to judge"
    """A moderator might."""


@dataclass(eq=False)
class ClipRefused(UserError):
    """What is wished of a clip cannot be, or not by this member, but by `owner_id`."""

    problem: ClipProblem
    owner_id: int = 0

    def __str__(self) -> str:
        return f"clip refused: {self.problem}"


class Verb(StrEnum):
    """What can be done with a clip; also the middle of a button's id."""

    AGAIN = "again"
    """Another clip of the same picture, with the same options."""
    LONGER = "longer"
    """The same for the model's next longer duration."""
    EDIT = "edit"
    """The same with other options."""
    RETRY = "retry"
    """The same, where there was no clip."""
    INFO = "info"
    DELETE = "delete"
    CANCEL = "cancel"
    RESEND = "resend"
    """Its files once more, for its person alone."""
    DIRECT = "direct"
    """The same, as a direct message."""
    SHOW = "show"
    """Its files once more, for everybody here."""


class Role(StrEnum):
    """What somebody is to a clip."""

    REQUESTER = auto()
    AUTHOR = auto()
    """Whose picture it was made of."""
    MODERATOR = auto()
    """Has Manage Messages there."""
    MEMBER = auto()
    """Anybody else in the server."""


_TWICE = 3_000
"""Milliseconds within which nobody means a second clip of the same."""
_REMEMBERED = 1000
EVERYBODY = frozenset(Role)
ALLOWED: Mapping[Verb, frozenset[Role]] = MappingProxyType(
    {
        Verb.AGAIN: EVERYBODY,
        Verb.LONGER: EVERYBODY,
        Verb.EDIT: EVERYBODY,
        Verb.INFO: EVERYBODY,
        Verb.RETRY: frozenset({Role.REQUESTER}),
        Verb.DELETE: frozenset({Role.REQUESTER, Role.AUTHOR, Role.MODERATOR}),
        Verb.CANCEL: frozenset({Role.REQUESTER, Role.MODERATOR}),
        Verb.RESEND: frozenset({Role.REQUESTER}),
        Verb.DIRECT: frozenset({Role.REQUESTER}),
        Verb.SHOW: frozenset({Role.REQUESTER}),
    }
)
"""Who may; that the server's rules let them, and their money, is asked besides."""
_UNSEEN = frozenset({Verb.DELETE, Verb.CANCEL})
"""What others may do with a clip that only its person sees."""


@dataclass(frozen=True, slots=True)
class Press:
    """A button that does something with a clip, as people see it."""

    verb: Verb
    job_id: str
    label: str
    emoji: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who is at the door, at this moment."""

    member_id: int
    guild_id: int | None
    """None: in direct messages."""
    is_moderator: bool = False


def check(verb: Verb, job: Job, visitor: Visitor) -> None:
    """Let `visitor` pass or raise `ClipRefused`."""
    if visitor.guild_id != job.guild_id:
        raise ClipRefused(ClipProblem.ELSEWHERE)
    roles = roles_of(job, visitor)
    is_hidden = job.wish.is_private and Role.REQUESTER not in roles and verb not in _UNSEEN
    if is_hidden or not roles & ALLOWED[verb]:
        is_judged = Role.MODERATOR in ALLOWED[verb]
        problem = ClipProblem.NOT_YOURS_TO_JUDGE if is_judged else ClipProblem.NOT_YOURS
        raise ClipRefused(problem, job.member_id)


def roles_of(job: Job, visitor: Visitor) -> frozenset[Role]:
    """Return all that somebody of the job's server is to it."""
    roles = {Role.MEMBER}
    if visitor.member_id == job.member_id:
        roles.add(Role.REQUESTER)
    if job.picture is not None and visitor.member_id == job.picture.author_id:
        roles.add(Role.AUTHOR)
    if visitor.is_moderator:
        roles.add(Role.MODERATOR)
    return frozenset(roles)


class Clicks:
    """Knows a second press of the same within seconds; by the moments that Discord tells."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, int] = OrderedDict()

    def is_second(self, what: Hashable, at: int) -> bool:
        """Note a press at a moment, Unix milliseconds, and tell whether there was one just now."""
        last = self._last.pop(what, None)
        self._last[what] = at
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        return last is not None and abs(at - last) < _TWICE
