"""What the API does with each task of a request: one answer, or one error, beside the others.

Owns the task types and the rules of acceptance (a used UUID is never accepted twice, an account
that is empty pays for nothing). Knows no HTTP beyond the status that an error asks for.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bot.sandbox.runware.account import details, found_models
from bot.sandbox.runware.callbacks import Callbacks
from bot.sandbox.runware.clips import Clips
from bot.sandbox.runware.journal import redacted
from bot.sandbox.runware.ledger import Ledger
from bot.sandbox.runware.outcomes import Outcomes
from bot.sandbox.runware.pictures import Pictures
from bot.sandbox.runware.refusal import Refused
from bot.sandbox.runware.settings import Settings
from bot.sandbox.runware.tasks import Json, Result, Task, TaskBook
from bot.sandbox.runware.validation import read_order, read_task_uuid

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reply:
    """What is sent back: `errors` is left out when there are none."""

    data: list[Json] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)
    status: int = 200

    def body(self) -> Json:
        """Return the envelope."""
        return {"data": self.data} | ({"errors": self.errors} if self.errors else {})


@dataclass(slots=True)
class Service:
    """The API, handed its parts by the server."""

    settings: Settings
    book: TaskBook
    ledger: Ledger
    pictures: Pictures
    clips: Clips
    callbacks: Callbacks
    outcomes: Outcomes
    clock: Callable[[], float]

    async def answer(self, tasks: list[Any], *, dry_run: bool = False) -> Reply:
        """Answer the tasks in their order. One that is refused leaves the others alone."""
        reply = Reply()
        refusals: list[int] = []
        for task in tasks:
            if isinstance(task, dict) and task.get("taskType") == "getResponse":
                self._look(task, reply)
                continue
            try:
                reply.data.append(await self._perform(task, dry_run))
            except Refused as refused:
                reply.errors.append(self._refuse(task, refused))
                refusals.append(refused.status)
        if refusals and not reply.data:
            reply.status = refusals[0]
        return reply

    def _look(self, task: Json, reply: Reply) -> None:
        """Answer `getResponse`: every result so far, failures among the errors."""
        uuid = task.get("taskUUID")
        uuid = uuid.lower() if isinstance(uuid, str) else ""
        if uuid not in self.book.tasks:
            if self.settings.unknown_task == "error":
                unknown = Refused("taskNotFound", "There is no such task.", "taskUUID")
                reply.errors.append(unknown.to_json(task))
            return
        for answer in self.book.poll(uuid, self.clock()):
            if "code" in answer:
                reply.errors.append(answer)
                if self.settings.failure_form == "http_400":
                    reply.status = 400
            else:
                reply.data.append(answer)

    async def _perform(self, task: Any, dry_run: bool) -> Json:
        if not isinstance(task, dict):
            raise Refused("invalidTask", "Every task must be an object.")
        kind = task.get("taskType")
        if kind is None:
            raise Refused("missingTaskType", "Missing required parameter 'taskType'.", "taskType")
        if kind == "ping":
            return {"taskType": "ping", "pong": True}
        if kind == "videoInference":
            return await self._submit(task, dry_run)
        perform = self._others().get(kind) if isinstance(kind, str) else None
        if perform is None:
            raise Refused("unsupportedTaskType", f"Unknown task type {kind!r:.80}.", "taskType")
        read_task_uuid(task)
        return {"taskType": kind, "taskUUID": task["taskUUID"]} | await perform(task)

    def _others(self) -> dict[str, Callable[[Json], Awaitable[Json]]]:
        return {
            "imageUpload": self._upload_image,
            "mediaStorage": self._store_media,
            "accountManagement": self._tell_account,
            "getTaskDetails": self._tell_details,
            "modelSearch": self._search_models,
        }

    async def _submit(self, task: Json, dry_run: bool) -> Json:
        """Accept a task, or say why not. From the last check to the entry nothing is awaited."""
        used = self._known(read_task_uuid(task))
        if used is not None:
            return used
        order = read_order(task, self.settings)
        picture = await self.pictures.frame(order.image, decode=not self.settings.canned)
        acknowledgement = {"taskType": "videoInference", "taskUUID": order.task_uuid}
        price = order.model.price_micro(order.seconds) * order.results
        price = price * self.settings.price_percent // 100
        if dry_run:
            self.ledger.dry_runs += 1
            return acknowledgement | {"dryRun": True, "cost": price / 1e6}
        used = self._known(order.task_uuid)
        if used is not None:
            return used
        if not self.ledger.can_pay(price):
            raise Refused("insufficientCredits", "The balance is insufficient.", status=402)
        accepted = self.book.accept(
            order, picture, self.outcomes.take(), redacted(task), self.clock()
        )
        self.ledger.committed_micro += accepted.committed_micro
        log.info("accepted %s: %s", order.task_uuid, accepted.outcome.next)
        self.clips.start(accepted)
        await self.callbacks.expect(accepted)
        return acknowledgement

    def _known(self, task_uuid: str) -> Json | None:
        """Acknowledge a used UUID again, or refuse it; `None` if it is new."""
        task = self.book.tasks.get(task_uuid)
        if task is None:
            return None
        self.ledger.duplicates += 1
        task.duplicates += 1
        if self.settings.duplicate == "accept":
            return {"taskType": "videoInference", "taskUUID": task_uuid}
        conflict = Refused(
            "conflictTaskUUID",
            f"A task with UUID '{task_uuid}' already exists.",
            "taskUUID",
            status=self.settings.duplicate,
        )
        task.refusal = conflict.to_json(
            {"taskUUID": task_uuid, "taskType": "videoInference"},
            parameter_as_list=self.settings.parameter_as_list,
        )
        raise conflict

    def _refuse(self, task: Any, refused: Refused) -> Json:
        self.ledger.refused += 1
        log.info("refused: %s", refused.code)
        return refused.to_json(
            task if isinstance(task, dict) else {},
            parameter_as_list=self.settings.parameter_as_list,
        )

    async def _upload_image(self, task: Json) -> Json:
        uuid, url = await self.pictures.upload(task.get("image"), "image")
        return {"imageUUID": uuid, "imageURL": url}

    async def _store_media(self, task: Json) -> Json:
        if task.get("operation") != "upload":
            raise Refused(
                "invalidOperation",
                "'operation' must be upload.",
                "operation",
                allowedValues=["upload"],
            )
        uuid, url = await self.pictures.upload(task.get("media"), "media")
        return {"operation": "upload", "mediaUUID": uuid, "mediaURL": url}

    async def _tell_account(self, task: Json) -> Json:
        return details(task, self.ledger, self.settings)

    async def _tell_details(self, task: Json) -> Json:
        """Show a past task as the archive keeps it: with its last response."""
        known = self.book.tasks.get(task["taskUUID"].lower())
        if known is None:
            raise Refused("taskNotFound", "There is no such task.", "taskUUID", status=404)
        reply = Reply()
        if known.refusal is not None:
            reply.errors.append(known.refusal)
        else:
            self._look(task, reply)
        return {"request": [known.request], "response": reply.body()}

    async def _search_models(self, task: Json) -> Json:
        return found_models(task, self.settings)

    def new_session(self) -> str:
        """Return the UUID of a new WebSocket session."""
        return str(uuid4())

    def result_of(self, video_uuid: str) -> tuple[Task, Result] | None:
        """Return the task and the result of a clip that is ready, its URL dead or not."""
        task, result = self.book.by_video.get(video_uuid, (None, None))
        if task is None or result is None or result.failure is not None:
            return None
        return (task, result) if task.is_over(result, self.clock()) else None
