"""How long clips take to be made, learnt from the last of each kind; and when to look, by that.

What was late teaches nothing: it tells of an outage, or of our own absence. `pipeline.py` notes
what it sees, `timetable.py` plans looks by it and `words.py` tells people; `renders.py` keeps it.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from bot.lifecycle import Job, State

LATE_AFTER = 10 * 60
"""Seconds of rendering after which a clip is late. Late is not failed."""
KEPT = 50
"""Renders of each kind that are remembered."""
_ENOUGH = 5
"""Renders of a kind from which on something is known of it."""
_EARLY = 12.0
"""Seconds between two looks at a clip that should not be ready yet."""
_RARELY = 60.0
"""The longest pause between two looks, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Usual:
    """How long clips of a kind took lately, from the service's yes to our seeing it, in seconds."""

    fastest: float
    median: float
    most: float
    """What nine of ten took at most."""
    slowest: float

    @cached_property
    def opens(self) -> float:
        """From which age on a clip may be ready.

        A little before the fastest; by so much, that the next one is met in time even if that one
        was ready soon after the last early look before it.
        """
        return self.fastest - max(_EARLY, self.fastest / 5)

    @cached_property
    def closes(self) -> float:
        """By which age it should have been ready."""
        return self.slowest * 1.2


def usual(took: Iterable[float]) -> Usual | None:
    """Sum up how many seconds clips of a kind took; None where that is not enough to go by."""
    ordered = sorted(took)
    if len(ordered) < _ENOUGH:
        return None
    last = len(ordered) - 1
    return Usual(
        fastest=ordered[0],
        median=ordered[round(last * 0.5)],
        most=ordered[round(last * 0.9)],
        slowest=ordered[-1],
    )


def took(before: Job, after: Job) -> int | None:
    """Return how many milliseconds a clip took that is seen with this change; None otherwise."""
    if before.state is not State.RENDERING or after.state is not State.RENDERED:
        return None
    span = after.updated_at - before.updated_at
    return span if 0 <= span < LATE_AFTER * 1000 else None


def look_delay(age: float, least: float, usual: Usual | None = None) -> float:
    """Return seconds to the next look at a task that was taken `age` seconds ago.

    Never fewer than `least`. Where nothing is known of the kind: often at first, then rarely. Else
    rarely at first, each `least` seconds around the time at which such clips come, then rarely.
    """
    if usual is not None:
        if age < usual.opens:
            return max(least, min(_EARLY, usual.opens - age))
        if age <= usual.closes:
            return least
    by_age = max(least, min(_RARELY, age / 30))
    return by_age if usual is None else min(by_age, max(least, (age - usual.closes) / 10))


class Pace:
    """What is known of each kind of clip."""

    def __init__(self) -> None:
        self._took: dict[str, deque[float]] = {}
        self._usual: dict[str, Usual | None] = {}

    def note(self, clip_kind: str, took_ms: int) -> None:
        """Remember how long a clip took, and forget the oldest where that is one too many."""
        took = self._took.setdefault(clip_kind, deque(maxlen=KEPT))
        took.append(took_ms / 1000)
        self._usual[clip_kind] = usual(took)

    def usual(self, clip_kind: str) -> Usual | None:
        """Return how long clips of a kind take; None where too few were seen."""
        return self._usual.get(clip_kind)
