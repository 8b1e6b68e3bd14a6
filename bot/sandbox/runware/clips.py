"""The files behind the results: rendered from the task's own picture, or canned.

Owns what is rendered for whom and when. Accepting a task starts it; routes and uploads ask for the
file. How a clip is made is `Studio`'s.
"""

import asyncio
import logging
from pathlib import Path

from bot.sandbox.runware.ledger import Ledger
from bot.sandbox.runware.render import Shot
from bot.sandbox.runware.settings import Settings
from bot.sandbox.runware.studio import UNRENDERABLE, Studio
from bot.sandbox.runware.tasks import Result, Task

log = logging.getLogger(__name__)

WRONG_BY = 4
"""Pixels by which a clip of the wrong size is too wide and too low."""


class Clips:
    """The clips of one service."""

    def __init__(self, studio: Studio, settings: Settings, ledger: Ledger) -> None:
        self._studio = studio
        self._settings = settings
        self._ledger = ledger
        self._rendering: set[asyncio.Task[None]] = set()

    def start(self, task: Task) -> None:
        """Begin to render what a task needs; canned clips are made when first asked for."""
        if task.canned or task.outcome.next == "never":
            return
        for result in task.results:
            if result.failure is None:
                rendering = asyncio.create_task(self._render(task, result))
                self._rendering.add(rendering)
                rendering.add_done_callback(self._rendering.discard)

    async def file_of(self, task: Task, result: Result) -> Path:
        """Return the file of a result that is ready."""
        if result.clip is not None:
            return result.clip
        assert task.canned
        path = self._settings.canned_clip or await self._studio.canned(_shot(task, result))
        if not self._settings.canned_apart:
            return path
        return self._studio.copy(path, result.video_uuid)

    async def close(self) -> None:
        """Stop waiting for clips."""
        for rendering in self._rendering:
            rendering.cancel()
        await asyncio.gather(*self._rendering, return_exceptions=True)

    async def _render(self, task: Task, result: Result) -> None:
        picture = task.picture
        try:
            shot = _shot(task, result)
            result.clip = await self._studio.clip(picture.path, picture.sha256, shot)
        except UNRENDERABLE as error:
            log.warning("rendering %s failed: %s", task.order.task_uuid, error)
            result.failure = ("processingFailed", "The clip could not be rendered.")
            if not task.outcome.billed:
                self._ledger.committed_micro -= task.price_micro


def _shot(task: Task, result: Result) -> Shot:
    order, picture = task.order, task.picture
    width, height = order.size or order.model.size_for((picture.width, picture.height))
    off = WRONG_BY if task.outcome.next == "wrong_size" else 0
    return Shot(
        width=width + off,
        height=height - off,
        seconds=order.seconds,
        frames_per_second=order.model.frames_per_second,
        container=order.output_format,
        quality=order.quality,
        move=result.move,
    )
