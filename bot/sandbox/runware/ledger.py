"""What the service did and what it charged: the figures a test holds the bot's accounts against.

Owns the counts and the balance. Money is whole micro-dollars. What is billed is read off the book
of tasks at the moment of asking, so that it cannot disagree with what was answered.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.runware.settings import Settings
from bot.sandbox.runware.tasks import Task, TaskBook


@dataclass(slots=True)
class Ledger:
    """The accounts of one service. `clock` is the service's."""

    book: TaskBook
    settings: Settings
    clock: Callable[[], float]
    committed_micro: int = 0
    """What will be billed in the end for all tasks accepted so far."""
    duplicates: int = 0
    refused: int = 0
    dry_runs: int = 0
    downloads: int = 0
    bytes_served: int = 0
    webhooks_delivered: int = 0
    webhook_attempts: int = 0
    requests: int = 0
    polls: int = 0
    """Requests that asked for responses."""
    asked: Counter[str] = field(default_factory=Counter)
    """Tasks received in requests, by `taskType`."""

    @property
    def accepted(self) -> int:
        """Tasks accepted."""
        return len(self.book.tasks)

    @property
    def billed_micro(self) -> int:
        """Billed by now, for clips that are ready."""
        now = self.clock()
        return sum(task.billed_micro(now) for task in self.book.tasks.values())

    @property
    def clips(self) -> int:
        """Clips that are ready."""
        now = self.clock()
        return sum(_ready(task, now) for task in self.book.tasks.values())

    @property
    def balance_micro(self) -> int:
        """What is left of the account now."""
        return self.settings.balance_micro - self.billed_micro

    def ready_at(self, task_uuid: str) -> float:
        """When the last clip of a task was ready, or will be; in seconds of `time.monotonic`.

        A clip that is really rendered may take longer. `KeyError` if there is no such task.
        """
        return max(result.ready_at for result in self.book.tasks[task_uuid].results)

    def can_pay(self, price_micro: int) -> bool:
        """Whether the balance covers this besides all that is already under way."""
        return self.settings.balance_micro - self.committed_micro >= price_micro

    def snapshot(self) -> dict[str, Any]:
        """Everything as JSON, with one line per task."""
        now = self.clock()
        return {
            "accepted": self.accepted,
            "clips": self.clips,
            "billed_micro": self.billed_micro,
            "committed_micro": self.committed_micro,
            "balance_micro": self.balance_micro,
            "duplicates": self.duplicates,
            "refused": self.refused,
            "dry_runs": self.dry_runs,
            "downloads": self.downloads,
            "bytes_served": self.bytes_served,
            "webhooks_delivered": self.webhooks_delivered,
            "webhook_attempts": self.webhook_attempts,
            "requests": self.requests,
            "polls": self.polls,
            "asked": dict(self.asked),
            "tasks": [_line(task, now) for task in self.book.tasks.values()],
        }


def _ready(task: Task, now: float) -> int:
    return sum(task.is_over(result, now) and result.failure is None for result in task.results)


def _line(task: Task, now: float) -> dict[str, Any]:
    return {
        "taskUUID": task.order.task_uuid,
        "results": len(task.results),
        "clips": _ready(task, now),
        "billed_micro": task.billed_micro(now),
        "over": all(task.is_over(result, now) for result in task.results),
        "outcome": task.outcome.next,
        "duplicates": task.duplicates,
        "videoUUIDs": [result.video_uuid for result in task.results],
    }
