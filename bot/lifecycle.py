"""What happens next to a job: one table of (state, event) → state, and the job's own record.

Everything that changes a state goes through `advance`. No I/O, no clock, no randomness: the time is
an argument. The diagram in the README is drawn from `TRANSITIONS` by `diagram`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from bot import ids
from bot.errors import IllegalTransition
from bot.wish import PLAIN, Door, Origin, Wish


class State(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    """Accepted: the row and the hold exist, nothing was sent. The worker moves it on."""
    SUBMITTING = "submitting"
    """The task UUID may have reached the service. Only ever sent again with the same UUID."""
    RENDERING = "rendering"
    """The service has it. The worker looks until the clips, or a final error, are there."""
    RENDERED = "rendered"
    """Paid. The clips are fetched and posted, as often as it takes."""
    LOST = "lost"
    """No word for too long. The hold is given back; what turns up is paid for and posted still."""
    DELIVERED = "delivered"
    """The clips are in the channel. Final."""
    FAILED = "failed"
    """There will be no clip. The hold is resolved. Final."""


class Event(StrEnum):
    """What can happen to a job."""

    SUBMIT = "submit"
    ACCEPTED = "accepted by the service"
    REFUSED = "refused by the service"
    FINISHED = "clips are ready"
    GIVE_UP = "given up"
    CANCEL = "cancelled"
    POSTED = "posted"


class Failure(StrEnum):
    """Why there will be no clip."""

    DECLINED = "declined"
    """The service will not show this content."""
    REFUSED = "refused"
    """The service cannot make this clip."""
    ACCOUNT = "account"
    """The operator's account at the service needs attention."""
    SILENT = "silent"
    """The service did not answer for too long; nothing was sent."""
    CANCELLED = "cancelled"
    """Its person, or a moderator, took it back before it was sent."""
    LOST = "lost"
    """No word from the service, or our copy of the picture is gone."""


TRANSITIONS: Mapping[State, Mapping[Event, State]] = MappingProxyType(
    {
        State.QUEUED: {
            Event.SUBMIT: State.SUBMITTING,
            Event.GIVE_UP: State.FAILED,
            Event.CANCEL: State.FAILED,
        },
        State.SUBMITTING: {
            Event.ACCEPTED: State.RENDERING,
            Event.REFUSED: State.FAILED,
            Event.GIVE_UP: State.LOST,
        },
        State.RENDERING: {
            Event.FINISHED: State.RENDERED,
            Event.REFUSED: State.FAILED,
            Event.GIVE_UP: State.LOST,
        },
        State.LOST: {
            Event.FINISHED: State.RENDERED,
            Event.REFUSED: State.FAILED,
            Event.GIVE_UP: State.FAILED,
        },
        State.RENDERED: {Event.POSTED: State.DELIVERED},
        State.DELIVERED: {},
        State.FAILED: {},
    }
)

FINAL = frozenset(state for state, events in TRANSITIONS.items() if not events)
"""States that nothing leaves; derived, so that it cannot disagree with the table."""
UNSENT = frozenset({State.QUEUED, State.SUBMITTING})
"""States in which the picture is still needed: it may have to be sent, or sent again."""
LOOKED_AT = frozenset({State.RENDERING, State.LOST})
"""States in which the next word is the service's."""
REMEMBERED = 24 * 3600
"""Seconds for which, at least, the service knows a task that is sent again as one that it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the person asked for, as it will be sent; fixed at acceptance."""

    model: str
    width: int | None
    height: int | None
    duration: float
    """Seconds."""
    results: int = 1
    guidance: float | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None

    @property
    def clip_kind(self) -> str:
        """Name what a clip's price depends on."""
        return _clip_kind(self.model, self.width, self.height, self.duration)


@lru_cache(maxsize=256)  # asked for with each look, and there are few
def _clip_kind(model: str, width: int | None, height: int | None, duration: float) -> str:
    size = f"{width}x{height}" if width else "as the picture"
    return f"{model}, {size}, {duration:g} s"


FORGOTTEN = "forgotten:"
"""How the source of a job begins whose person had it forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One accepted `/animate`. Times are Unix milliseconds; money is micro-dollars."""

    id: str
    source: str
    """What asked, uniquely: "interaction:123". A doubled event finds the job that is there."""
    task_uuid: str
    """The service's idempotency key, chosen by us and stored before it is sent."""
    guild_id: int
    channel_id: int
    parent_channel_id: int | None = None
    """Of a public thread, the channel that it belongs to."""
    member_id: int
    role_ids: tuple[int, ...] = ()
    """The member's roles at acceptance, which decided on the limits."""
    status_message_id: int | None
    order: Order
    door: Door = Door.COMMAND
    wish: Wish = PLAIN
    """What the service has no part in."""
    picture: Origin | None = None
    """The picture in a channel; None where the member handed over one of their own."""
    quote_micro: int
    """The hold: what the clips should cost."""
    state: State = State.QUEUED
    due_at: int
    """When the worker should do the next step; kept in the row, so a restart forgets nothing."""
    attempts: int = 0
    """Tries since the last change of state."""
    sent_at: int | None = None
    """Since when the service may have its task; None where it surely does not."""
    failure: Failure | None = None
    message_id: int | None = None
    """The message that carries the clips."""
    message_channel_id: int | None = None
    """Where that message is; None for one from before this was kept: where it was asked for."""
    created_at: int
    updated_at: int
    deleted_at: int | None = None
    """Since when its clips are deleted, by somebody who may; nothing posts them again."""

    @property
    def short_id(self) -> str:
        """What people see and can quote."""
        return ids.short(self.id)

    @property
    def is_forgotten(self) -> bool:
        """Whether its person had forgotten what can be; others may still delete its clips."""
        return self.source.startswith(FORGOTTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One finished result of a job; `cost_micro` is what the service reported, if it did."""

    job_id: str
    ordinal: int
    video_uuid: str
    url: str
    seed: int | None
    cost_micro: int | None
    is_flagged: bool = False
    """Whether the service calls it sensitive."""


def advance(job: Job, event: Event, now: int, *, due_at: int | None = None, **changes: Any) -> Job:
    """Return the job after `event`; the only code that changes a state.

    `due_at` is when to look at it next (default: at once). Raises `IllegalTransition`.
    """
    try:
        state = TRANSITIONS[job.state][event]
    except KeyError:
        raise IllegalTransition(f"{job.state} knows no {event.name}") from None
    due = now if due_at is None else due_at
    if event is Event.SUBMIT:
        changes["sent_at"] = now
    return replace(job, state=state, due_at=due, attempts=0, updated_at=now, **changes)


def again(job: Job, now: int, due_at: int) -> Job:
    """Return the job with one more attempt counted and its next step at `due_at`; same state."""
    return replace(job, due_at=due_at, attempts=job.attempts + 1, updated_at=now)


def turns_late(job: Job, now: int, after_seconds: float) -> bool:
    """Whether a try at `now` finds the job late, and none before it in this state did."""
    late_at = job.created_at + round(after_seconds * 1000)
    return now >= late_at and (job.attempts == 0 or job.updated_at < late_at)


def retry_delay(attempts: int, chance: float, most_seconds: float = 300) -> float:
    """Return seconds to the next try: 1, 2, 4 …; `chance` (0 to 1) takes up to half of it off."""
    full = min(most_seconds, 2.0 ** min(attempts, 20))
    return full * (0.5 + 0.5 * chance)


def diagram() -> str:
    """Draw `TRANSITIONS` as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.QUEUED}: accept"]
    for state, events in TRANSITIONS.items():
        lines += [f"    {state} --> {after}: {event}" for event, after in events.items()]
    lines += [f"    {state} --> [*]" for state in TRANSITIONS if state in FINAL]
    return "\n".join(lines)
