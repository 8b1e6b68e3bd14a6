"""Mistakes that the design rules out, put into the running bot to see the simulation catch them.

A mutant replaces one function of the bot, or of the way its parts are put together, for a while.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from bot import delivery, ledger, lifecycle
from bot.ending import Ending
from bot.errors import Rejected, Unclear
from bot.handover import Handover
from bot.intake import Intake
from bot.ladder import Ladder, Posted
from bot.lifecycle import Event, Job, State
from bot.pictures import Pictures
from bot.pipeline import Pipeline
from bot.status import Status
from bot.store import Admitted, Store
from bot.submission import Submission
from tests.simulation.life import Life


@dataclass(frozen=True, slots=True)
class Mutant:
    """`make` is given the function `name` of `owner` and returns what takes its place."""

    says: str
    owner: Any
    name: str
    make: Callable[[Any], Any]
    seen_with: int = 0
    """The seed that showed it the last time. Tried first: few seeds show what is hard to see."""

    @contextlib.contextmanager
    def alive(self) -> Iterator[None]:
        """Have the bot make this mistake."""
        original = vars(self.owner)[self.name]
        setattr(self.owner, self.name, self.make(original))
        try:
            yield
        finally:
            setattr(self.owner, self.name, original)


def _a_fresh_uuid(original: Any) -> Any:
    async def repeat(self: Any, job: Job) -> None:
        fresh = replace(job, task_uuid=job.task_uuid[:-8] + f"{job.attempts:08x}")
        await _run(self, "UPDATE jobs SET task_uuid = ? WHERE id = ?", fresh.task_uuid, job.id)
        await original(self, fresh)

    return repeat


def _a_nonce_for_each_send(_: Any) -> Any:
    return lambda *_: secrets.token_hex(12)


def _a_nonce_for_each_channel(_: Any) -> Any:
    return lambda job, _number=None: f"{job.channel_id}"


def _sent_before_it_is_held(original: Any) -> Any:
    def init(self: Any, *given: Any) -> None:
        original(self, *given)
        accept = self.store.accept

        async def eager(job: Job, *given: Any) -> Any:
            with contextlib.suppress(Exception):
                await self.pipeline._submission._send([job])  # noqa: SLF001 - a mutant reaches in
            return await accept(job, *given)

        self.store.accept = eager

    return init


def _accepted_before_it_is_stored(original: Any) -> Any:
    async def accept(self: Any, job: Job, *given: Any) -> Any:
        _BACKGROUND.add(asyncio.create_task(original(self, job, *given)))
        return Admitted(job, is_new=True, ahead=0)

    return accept


_BACKGROUND: set[Any] = set()


def _released_when_unclear(original: Any) -> Any:
    async def settle(self: Any, job: Job, failure: Any) -> None:
        is_unclear = isinstance(failure, Unclear)
        await original(self, job, Rejected("unclear", "") if is_unclear else failure)

    return settle


def _released_when_not_found(original: Any) -> Any:
    def step_on(self: Any, job: Job, progress: Any) -> Any:
        if progress is not None and not progress.is_known and job.state is State.RENDERING:
            return self._ending.refuse(job, Rejected("taskNotFound", ""))
        return original(self, job, progress)

    return step_on


def _no_look_before_a_post(_: Any) -> Any:
    async def look(_: Any) -> dict[int, Posted]:
        return {}

    return look


def _tries_are_not_counted(_: Any) -> Any:
    return lambda job, now, due_at: replace(job, due_at=due_at, updated_at=now)


def _booked_twice(original: Any) -> Any:
    return lambda job, cost_micro, *rest: original(job, 2 * cost_micro, *rest)


def _never_released(_: Any) -> Any:
    async def fail(self: Any, job: Job, event: Event, failure: Any, _note: str) -> None:
        now = self._timetable.clock()
        failed = lifecycle.advance(job, event, now, failure=failure)
        await self._store.move(job, failed)

    return fail


def _the_estimate_is_booked(_: Any) -> Any:
    return lambda _costs, quote_micro, _expected: (quote_micro, "")


def _dropped_before_it_is_taken(original: Any) -> Any:
    async def send(self: Any, jobs: Any) -> Any:
        outcome = await original(self, jobs)
        for job in jobs:
            self._pictures.drop(job.id)
        return outcome

    return send


def _delivered_before_it_is_posted(original: Any) -> Any:
    async def deliver(self: Any, job: Job) -> None:
        table, move = self._timetable, self._store.move
        done = lifecycle.advance(job, Event.POSTED, table.clock(), message_id=1)
        await move(job, replace(done, message_channel_id=job.channel_id))
        self._store.move = _nothing
        try:
            await original(self, job)
        finally:
            self._store.move = move

    return deliver


async def _nothing(_before: Job, after: Job, **_: Any) -> Job:
    return after


def _a_late_find_is_free(original: Any) -> Any:
    async def move(self: Any, before: Job, after: Job, **more: Any) -> Job:
        if (before.state, after.state) == (State.LOST, State.RENDERED):
            more["resolution"] = None
        return await original(self, before, after, **more)  # type: ignore[no-any-return]

    return move


def _clips_are_listed_twice(original: Any) -> Any:
    async def clips(self: Any, job_id: str) -> Any:
        return 2 * await original(self, job_id)

    return clips


def _a_job_for_each_event(original: Any) -> Any:
    def job(self: Any, *given: Any) -> Job:
        made: Job = original(self, *given)
        return replace(made, source=made.id)

    return job


def _all_pictures_are_swept(original: Any) -> Any:
    def sweep(self: Any, _: Any) -> None:
        original(self, frozenset())

    return sweep


def _words_are_tried_once(_: Any) -> Any:
    return lambda *_: False


def _ends_are_told_once(_: Any) -> Any:
    async def retell(_: Any) -> None:
        pass

    return retell


async def _run(owner: Any, sql: str, *values: Any) -> None:
    store = getattr(owner, "_store", owner)
    await store._database.run(lambda db: db.execute(sql, values))  # noqa: SLF001


MUTANTS = (  # the one that takes longest comes first: its runs are busy to the end
    Mutant(
        "released when the outcome is unclear", Submission, "_settle", _released_when_unclear, 49
    ),
    Mutant("words are tried once", Status, "_is_worth_a_try", _words_are_tried_once, 22),
    Mutant("a fresh UUID for each retry", Submission, "repeat", _a_fresh_uuid, 18),
    Mutant("sent before the money is held", Life, "__init__", _sent_before_it_is_held),
    Mutant("accepted before it is stored", Store, "accept", _accepted_before_it_is_stored),
    Mutant("released when not found", Pipeline, "_step_on", _released_when_not_found),
    Mutant("the picture goes before it is taken", Submission, "_send", _dropped_before_it_is_taken),
    Mutant("all pictures are swept at a start", Pictures, "sweep", _all_pictures_are_swept, 9),
    Mutant("a spend is booked twice", ledger, "spend", _booked_twice),
    Mutant("a failed clip's hold is never released", Ending, "_fail", _never_released),
    Mutant("the estimate is booked", ledger, "total_cost", _the_estimate_is_booked),
    Mutant("a late find is not booked", Store, "move", _a_late_find_is_free),
    Mutant("a nonce for each send", delivery, "nonce", _a_nonce_for_each_send, 23),
    Mutant("a nonce for each channel", delivery, "nonce", _a_nonce_for_each_channel),
    Mutant("no look before a post", Ladder, "look", _no_look_before_a_post),
    Mutant("tries are not counted", lifecycle, "again", _tries_are_not_counted, 24),
    Mutant("delivered before it is posted", Handover, "deliver", _delivered_before_it_is_posted),
    Mutant("clips are listed twice", Store, "clips", _clips_are_listed_twice, 764),
    Mutant("a doubled event is another job", Intake, "_job", _a_job_for_each_event),
    Mutant("an end is not told again", Ending, "retell", _ends_are_told_once, 9),
)
