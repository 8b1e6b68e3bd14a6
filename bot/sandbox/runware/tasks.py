"""The book of accepted tasks, and what each would answer at a given moment.

Owns acceptance, the spread of results over time, and the answers of `getResponse`. No timers: what
a task is, is worked out from the clock when somebody asks. Knows no HTTP; clips are handed in.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from bot.sandbox.runware.outcomes import Outcome
from bot.sandbox.runware.pictures import Picture
from bot.sandbox.runware.refusal import DOCUMENTATION
from bot.sandbox.runware.render import MOVES
from bot.sandbox.runware.settings import Settings
from bot.sandbox.runware.validation import Order

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Result:
    """One clip of a task: billed when it is ready. Times in seconds of the service's clock."""

    index: int
    video_uuid: str
    seed: int
    ready_at: float
    failure: tuple[str, str] | None
    clip: Path | None = None
    """Set once it is really rendered; never for a canned one."""
    answer: Json | None = None
    """What `getResponse` says of it, once that can no longer change."""
    renewals: int = 0
    """How often it was listed under another URL; only the last one works."""
    renewed_at: float | None = None

    @property
    def move(self) -> int:
        """The camera move that the seed stands for."""
        return self.seed % MOVES


@dataclass(slots=True, kw_only=True)
class Task:
    """An accepted task. `price_micro` is that of each result, `request` is what was sent."""

    order: Order
    picture: Picture
    outcome: Outcome
    accepted_at: float
    price_micro: int
    results: tuple[Result, ...]
    request: Json
    canned: bool
    """Nothing is rendered for it: its clips are ready when their time has come."""
    refusal: Json | None = None
    """The last time its UUID was refused, which is what the archive shows then."""
    duplicates: int = 0

    def is_over(self, result: Result, now: float) -> bool:
        """Whether the result is there, as a clip or as a failure."""
        if self.outcome.next == "never" or now < result.ready_at:
            return False
        return self.canned or result.clip is not None or result.failure is not None

    def billed_micro(self, now: float) -> int:
        """Return what has been billed for it by now."""
        over = [result for result in self.results if self.is_over(result, now)]
        billed = [result for result in over if result.failure is None or self.outcome.billed]
        return self.price_micro * len(billed)

    @property
    def committed_micro(self) -> int:
        """What will have been billed for it in the end."""
        if self.outcome.next == "never":
            return 0
        paid = [result for result in self.results if self.outcome.billed or not result.failure]
        return self.price_micro * len(paid)

    def url_expires_at(self, result: Result, url_seconds: float) -> float:
        """When the URL of the clip goes dead."""
        if self.outcome.next == "expired" and result.renewed_at is None:
            return result.ready_at
        since = result.ready_at if result.renewed_at is None else result.renewed_at
        ttl = self.order.ttl
        return since + (url_seconds if ttl is None else ttl)


@dataclass(slots=True)
class TaskBook:
    """All tasks since the start. `base_url` is where clips are served."""

    settings: Settings
    base_url: str
    tasks: dict[str, Task] = field(default_factory=dict)
    by_video: dict[str, tuple[Task, Result]] = field(default_factory=dict)

    def accept(
        self, order: Order, picture: Picture, outcome: Outcome, request: Json, now: float
    ) -> Task:
        """Write the task down. Its UUID must be new: that is the caller's promise."""
        assert order.task_uuid not in self.tasks
        seconds = outcome.render_seconds
        stagger = 0.0 if seconds is not None else self.settings.stagger
        seconds = self.settings.render_seconds if seconds is None else seconds
        results = tuple(
            _result(order, index, picture, outcome, now + seconds * _luck(order, index, stagger))
            for index in range(order.results)
        )
        price = order.model.price_micro(order.seconds) * self.settings.price_percent // 100
        task = Task(
            order=order,
            picture=picture,
            outcome=outcome,
            accepted_at=now,
            price_micro=price,
            results=results,
            request=request,
            canned=self.settings.canned,
        )
        self.tasks[order.task_uuid] = task
        self.by_video.update({result.video_uuid: (task, result) for result in results})
        return task

    def poll(self, task_uuid: str, now: float) -> Iterator[Json]:
        """Give one answer per result. A failure has a `code`, and belongs among the errors."""
        task = self.tasks[task_uuid]
        for result in task.results:
            if result.answer is not None:
                self._renew(task, result, now)
                yield result.answer
            elif not task.is_over(result, now):
                if self.settings.running_answer == "processing":
                    yield self._running(task, result, now)
            else:
                result.answer = self.final(task, result)
                yield result.answer

    def _renew(self, task: Task, result: Result, now: float) -> None:
        is_dead = now >= task.url_expires_at(result, self.settings.url_seconds)
        if self.settings.renew_urls and is_dead and result.failure is None:
            result.renewals += 1
            result.renewed_at = now
            result.answer = self.final(task, result)

    def final(self, task: Task, result: Result) -> Json:
        """Say how the result ended, or will have ended."""
        whose = {"taskType": "videoInference", "taskUUID": task.order.task_uuid}
        if result.failure is not None:
            return _failed(whose, *result.failure, self.settings.failure_form == "item")
        answer: Json = whose | {
            "status": "success",
            "videoUUID": result.video_uuid,
            "videoURL": self.url(task, result),
            "seed": result.seed,
        }
        cost = self.settings.cost
        if cost == "always" or (cost == "asked" and task.order.include_cost):
            answer["cost"] = task.price_micro / 1e6
        if task.order.checks_content or task.outcome.flagged:
            answer["NSFWContent"] = task.outcome.flagged
        return answer

    def url(self, task: Task, result: Result) -> str:
        """Where the clip is served; the same kind of path as the real one's."""
        extension = task.order.output_format.lower()
        query = f"?renewal={result.renewals}" if result.renewals else ""
        return f"{self.base_url}/video/os/a21d05/ws/5/vi/{result.video_uuid}.{extension}{query}"

    def _running(self, task: Task, result: Result, now: float) -> Json:
        answer: Json = {
            "taskType": "videoInference",
            "taskUUID": task.order.task_uuid,
            "status": "processing",
        }
        if self.settings.progress:
            whole = max(result.ready_at - task.accepted_at, 0.001)
            answer["progress"] = min(99, int(100 * (now - task.accepted_at) / whole))
        return answer


def _failed(whose: Json, code: str, message: str, as_item: bool) -> Json:
    if as_item:
        return whose | {"status": "error", "error": {"code": code, "message": message}}
    return {
        "code": code,
        "status": "error",
        "message": message,
        "documentation": DOCUMENTATION,
    } | whose


def _result(
    order: Order, index: int, picture: Picture, outcome: Outcome, ready_at: float
) -> Result:
    """Make a result whose seed's low bits, the move, follow from the picture alone.

    So the same picture is rendered once, however often it is sent.
    """
    chance = _chance(order, index)
    seed = int.from_bytes(chance[1:5], "big") >> 1
    move = (int(picture.sha256[:2], 16) + index) % MOVES
    return Result(
        index=index,
        video_uuid=str(UUID(bytes=chance[8:24], version=4)),
        seed=seed - seed % MOVES + move,
        ready_at=ready_at,
        failure=outcome.failure(index, order.results),
    )


def _luck(order: Order, index: int, stagger: float) -> float:
    """Return the factor on the rendering time, 1 - stagger to 1 + stagger."""
    return 1 + stagger * (2 * (_chance(order, index)[0] / 255) - 1)


def _chance(order: Order, index: int) -> bytes:
    """Return 32 bytes that look random, and are the same for the same task."""
    return hashlib.sha256(f"{order.task_uuid} {index}".encode()).digest()
