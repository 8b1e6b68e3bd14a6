"""Calls the client back: a webhook per result, and the PUT of a clip to its upload endpoint.

Owns when, how often and with what patience. One scheduler with a heap, however many tasks wait;
each attempt is a short task of its own. Reaches nobody but this machine.
"""

import asyncio
import heapq
import io
import itertools
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import aiohttp
import orjson

from bot.sandbox.runware.clips import Clips
from bot.sandbox.runware.ledger import Ledger
from bot.sandbox.runware.tasks import Result, Task, TaskBook

log = logging.getLogger(__name__)

LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
ACCEPTED = range(200, 300)
PATIENCE_SECONDS = 5.0
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 8.0
MOST_ATTEMPTS = 40
RENDER_CHECK_SECONDS = 0.05
"""How soon to look again at a clip that should be ready, but is not rendered yet."""


@dataclass(slots=True)
class _Call:
    """One thing to tell the client; `attempts` so far."""

    task: Task
    result: Result
    url: str
    is_upload: bool
    attempts: int = 0


class Callbacks:
    """The scheduler of one service; `async with` runs it."""

    def __init__(
        self, book: TaskBook, ledger: Ledger, clips: Clips, clock: Callable[[], float]
    ) -> None:
        self._book = book
        self._clips = clips
        self._ledger = ledger
        self._clock = clock
        self._heap: list[tuple[float, int, _Call]] = []
        self._order = itertools.count()
        self._news = asyncio.Event()
        self._attempts: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=PATIENCE_SECONDS),
            trust_env=False,
        )
        self._scheduler = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_exc: object) -> None:
        running = [self._scheduler, *self._attempts]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._http.close()

    async def expect(self, task: Task) -> None:
        """Plan the calls for a task just accepted; make the early one at once, if that is set."""
        settings = self._book.settings
        if task.outcome.next == "never":
            return
        webhook = _on_this_machine(task.order.webhook_url)
        upload = _on_this_machine(task.order.upload_endpoint)
        for result in task.results:
            if webhook is not None:
                due = result.ready_at + settings.webhook_delay_seconds
                for _ in range(settings.webhook_copies):
                    self._plan(due, _Call(task, result, webhook, is_upload=False))
            if upload is not None and result.failure is None:
                self._plan(result.ready_at, _Call(task, result, upload, is_upload=True))
        if webhook is not None and settings.webhook_before_ack:
            for result in task.results:
                await self._post(_Call(task, result, webhook, is_upload=False))

    def _plan(self, due: float, call: _Call) -> None:
        heapq.heappush(self._heap, (due, next(self._order), call))
        self._news.set()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            now = self._clock()
            while self._heap and self._heap[0][0] <= now:
                call = heapq.heappop(self._heap)[2]
                if call.task.is_over(call.result, now):
                    self._start(call)
                else:
                    self._plan(now + RENDER_CHECK_SECONDS, call)
            wait = self._heap[0][0] - now if self._heap else None
            try:
                # Not wait_for: until Python 3.12 it may swallow the cancellation of the end.
                async with asyncio.timeout(wait):
                    await self._news.wait()
            except TimeoutError:
                continue

    def _start(self, call: _Call) -> None:
        attempt = asyncio.create_task(self._attempt(call))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)

    async def _attempt(self, call: _Call) -> None:
        done = await (self._put(call) if call.is_upload else self._post(call))
        call.attempts += 1
        if done or call.attempts >= MOST_ATTEMPTS:
            return
        wait = min(FIRST_WAIT_SECONDS * 2 ** (call.attempts - 1), LONGEST_WAIT_SECONDS)
        self._plan(self._clock() + wait * random.uniform(0.9, 1.1), call)

    async def _post(self, call: _Call) -> bool:
        body = orjson.dumps(self._book.final(call.task, call.result))
        self._ledger.webhook_attempts += 1
        delivered = await self._send("POST", call.url, body, "application/json")
        self._ledger.webhooks_delivered += delivered
        return delivered

    async def _put(self, call: _Call) -> bool:
        path = await self._clips.file_of(call.task, call.result)
        clip = await asyncio.to_thread(path.read_bytes)
        return await self._send("PUT", call.url, clip, "video/mp4")

    async def _send(self, method: str, url: str, body: bytes, media_type: str) -> bool:
        """Send once; whether the other side took it with a 2xx."""
        headers = {"Content-Type": media_type}
        try:
            async with self._http.request(
                method, url, data=io.BytesIO(body), headers=headers, allow_redirects=False
            ) as response:
                return response.status in ACCEPTED
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("%s to the client failed: %s", method, type(error).__name__)
            return False


def _on_this_machine(url: str | None) -> str | None:
    """Return the URL if it may be called."""
    if url is None:
        return None
    host = urlsplit(url).hostname
    if host in LOOPBACK:
        return url
    log.warning("not calling %s: it is not on this machine", host)
    return None
