"""The video service, Runware: submit, look, fetch, price, balance, ping.

Knows the wire and nothing of jobs or Discord. It decides by `errors[].code`, then by the HTTP
status, never by a message's text. A submit may be repeated with the same UUID for ever: an
acknowledgement and `conflictTaskUUID` both mean that the service has it.
Facts: runware.ai/docs, platform pages.
"""

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson

from bot import task
from bot.catalog import Model
from bot.download import download
from bot.errors import Busy, ProviderError, Rejected, Unclear
from bot.lifecycle import Order
from bot.parcel import Wanted, outcomes_of, parcels
from bot.task import Frame, Output
from bot.wire import Fault, Item, Reply, is_unknown_task, read_reply

log = logging.getLogger(__name__)

_TIMEOUT = httpx.Timeout(60, connect=10)
_MOST_SECONDS = 240
"""Of one request as a whole: an answer that drips would keep all others waiting."""
_MOST_TOGETHER = 500
"""UUIDs in one look; the service states no limit, so a refused batch is halved."""
_CLIP_MOST_BYTES = 500_000_000
KEPT_FOR_HOURS = 7 * 24
"""How long the service keeps a clip where nothing else was asked for, by all reports."""
_HTTP_BAD_REQUEST = 400
_DRY_RUN = {"X-Runware-Dry-Run": "1"}
"""Documented: validates and prices a task, without running or charging it."""


@dataclass(frozen=True, slots=True)
class Result:
    """One finished clip at the service. `cost_micro` is None where none was reported."""

    video_uuid: str
    url: str
    seed: int | None
    cost_micro: int | None
    is_flagged: bool = False
    """Whether the service calls it sensitive; it looks only where that is asked for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What the service says of one task so far."""

    results: tuple[Result, ...] = ()
    errors: tuple[ProviderError, ...] = ()
    is_processing: bool = False
    is_known: bool = True
    """Whether the answer mentioned the task at all. That it did not proves nothing."""

    def is_complete(self, wanted: int) -> bool:
        """Tell whether nothing more will come."""
        if len(self.results) + len(self.errors) >= wanted:
            return True
        # An error alone stands for the whole task. Beside results it may be one of several.
        return self.is_at_rest and not self.results

    @property
    def is_at_rest(self) -> bool:
        """Tell whether something failed and nothing is in the making; more may still be listed."""
        return bool(self.errors) and not self.is_processing


_IN_THE_MAKING = Progress(is_processing=True)
_NOT_MENTIONED = Progress(is_known=False)


class Provider:
    """A client of the service's REST interface. `http` is owned by the caller.

    `callback_url` says where the service may tell of a task's end, by task UUID; None: nowhere.
    `output` goes with every task. What a record in `models` rules out is refused unsent.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        api_key: str,
        callback_url: Callable[[str], str] | None = None,
        *,
        output: Output | None = None,
        models: Mapping[str, Model] | None = None,
    ) -> None:
        self._http = http
        self._callback_url = callback_url
        self._output = output or Output()
        self._models = models or {}
        self._url = httpx.URL(url)
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
        }

    async def submit(self, tasks: Iterable[Wanted]) -> dict[str, ProviderError | None]:
        """Have the tasks accepted in as few requests as their pictures allow.

        The result says of each, by UUID, what stood in the way: `Rejected`, `Moderated`,
        `AccountTrouble`, `Busy`, `Unclear`; None where it is accepted. Safe to repeat with the same
        UUID. Where an answer for several says nothing sure of one, that one is `Unclear`.
        """
        outcomes: dict[str, ProviderError | None] = {}
        for parcel in parcels(tasks):
            outcomes |= await self._send(parcel)
        return outcomes

    async def _send(self, parcel: Iterable[Wanted]) -> dict[str, ProviderError | None]:
        outcomes: dict[str, ProviderError | None] = {}
        requests: dict[str, bytes] = {}
        for wanted in parcel:
            try:
                requests[wanted.task_uuid] = self._request(wanted)
            except Rejected as error:
                outcomes[wanted.task_uuid] = error
        if not requests:
            return outcomes
        try:
            reply = await self._post(b"[%b]" % b",".join(requests.values()))
        except ProviderError as error:
            return outcomes | dict.fromkeys(requests, error)
        return outcomes | outcomes_of(requests, reply)

    async def price(self, order: Order, jpeg: bytes) -> int | None:
        """Return what the task would cost in micro-dollars, None where the service does not say.

        A dry run: nothing is made and nothing is charged. Raises what may stand in a task's way.
        """
        wanted = Wanted(str(uuid.uuid4()), order, Frame.data_uri(jpeg))
        reply = await self._post(b"[%b]" % self._request(wanted, has_callback=False), _DRY_RUN)
        for error in reply.errors:
            raise error.as_exception(reply.status)
        costs = [item.cost_micro for item in reply.items if item.cost_micro is not None]
        return costs[0] if costs else None

    def _request(self, wanted: Wanted, *, has_callback: bool = True) -> bytes:
        """Return the task as JSON. Raises `Rejected` for one that cannot be sent."""
        model = self._models.get(wanted.order.model)
        asked = task.request(wanted.task_uuid, wanted.order, wanted.picture, self._output, model)
        if has_callback and self._callback_url is not None:
            asked["webhookURL"] = self._callback_url(wanted.task_uuid)
        try:
            return orjson.dumps(asked)
        except orjson.JSONEncodeError as error:  # half a character, or a number without end
            raise Rejected("invalidTask", str(error)) from error

    async def look(self, task_uuids: Sequence[str]) -> dict[str, Progress]:
        """Return what is known of each task, asked in as few requests as the service allows.

        A task that was asked about is in the result, known or not; one that is missing could not
        be asked about. Raises a `ProviderError` where nothing could be learnt of any.
        """
        starts = range(0, len(task_uuids), _MOST_TOGETHER)
        return await self._look_at(task_uuids[start : start + _MOST_TOGETHER] for start in starts)

    async def _look_at(self, batches: Iterable[Sequence[str]]) -> dict[str, Progress]:
        """Ask batch after batch. One that is refused takes nothing from the others."""
        found: dict[str, Progress] = {}
        problem: ProviderError | None = None
        for batch in batches:
            try:
                found |= await self._look_together(batch)
            except Rejected as error:
                problem = error
            except ProviderError as error:
                problem = error
                break
        if problem is not None and not found:
            raise problem
        return found

    async def _look_together(self, task_uuids: Sequence[str]) -> dict[str, Progress]:
        asked = [{"taskType": "getResponse", "taskUUID": task_uuid} for task_uuid in task_uuids]
        reply = await self._post(orjson.dumps(asked))
        general = [fault for fault in reply.errors if _is_of_the_request(fault, reply.status)]
        if not general or reply.items or reply.waiting or len(general) < len(reply.errors):
            return _progress(reply, task_uuids)
        problem = general[0].as_exception(reply.status)
        if isinstance(problem, Rejected) and len(task_uuids) > 1:
            middle = len(task_uuids) // 2
            return await self._look_at((task_uuids[:middle], task_uuids[middle:]))
        raise problem

    async def fetch(self, url: str, path: Path, most_bytes: int = _CLIP_MOST_BYTES) -> int:
        """Download a finished clip to `path` and return its size; a broken download goes on.

        Raises `Rejected` (gone, over `most_bytes`, nowhere to fetch from) or `Busy` (try again).
        """
        return await download(self._http, url, path, most_bytes, self._is_safe)

    async def balance_micro(self) -> int | None:
        """Return the account's credit in micro-dollars, None where the service does not say."""
        asked = {"taskType": "accountManagement", "operation": "getDetails"}
        reply = await self._post(orjson.dumps([asked | {"taskUUID": str(uuid.uuid4())}]))
        for error in reply.errors:
            raise error.as_exception(reply.status)
        return next((item.balance_micro for item in reply.items), None)

    async def ping(self) -> None:
        """Raise a `ProviderError` unless the service answers."""
        reply = await self._post(orjson.dumps([{"taskType": "ping", "ping": True}]))
        for error in reply.errors:
            raise error.as_exception(reply.status)

    async def _post(self, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """Send tasks, a JSON array of them, in one request."""
        sent = self._headers | dict(headers or {})
        try:
            async with asyncio.timeout(_MOST_SECONDS):
                response = await self._http.post(
                    self._url, content=body, headers=sent, timeout=_TIMEOUT
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Busy("unreachable", f"{type(error).__name__}: {error}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unclear("noAnswer", f"{type(error).__name__}: {error}") from error
        return read_reply(response.status_code, response.headers, response.content)

    def _is_safe(self, url: httpx.URL) -> bool:
        """Allow plain HTTP only to the service's own address, such as a local one."""
        return url.scheme == "https" or url.host == self._url.host


def _is_of_the_request(fault: Fault, status: int) -> bool:
    """Tell whether a look itself met an error, which says nothing about the end of a task.

    An answer of 429 or 503 may well name the task that was asked about. One of 400 that marks the
    end of a task tells of the task, also where the account could not pay for it.
    """
    if fault.task_uuid == "":
        return True
    if fault.is_final and status == _HTTP_BAD_REQUEST:
        return False
    return status >= _HTTP_BAD_REQUEST and not isinstance(fault.as_exception(status), Rejected)


def _ends_its_task(fault: Fault, status: int) -> bool:
    """Tell whether a task ended with this, or only this look at it failed.

    The service marks an end; beside that only a code that is final by itself counts.
    """
    is_told = fault.is_final or fault.is_rejection
    return is_told and not _is_of_the_request(fault, status)


def _progress(reply: Reply, task_uuids: Collection[str]) -> dict[str, Progress]:
    """Sort an answer by task."""
    found: dict[str, Progress] = {}
    if not any(fault.task_uuid == "" for fault in reply.errors):
        found = dict.fromkeys(task_uuids, _NOT_MENTIONED)
    # Else it cannot be told whether one that is not mentioned was asked about.
    found |= dict.fromkeys(reply.waiting.intersection(task_uuids), _IN_THE_MAKING)
    items = defaultdict[str, list[Item]](list)
    for item in reply.items:
        items[item.taskUUID].append(item)
    faults = defaultdict[str, list[Fault]](list)
    for fault in reply.errors:
        if not is_unknown_task(fault):
            faults[fault.task_uuid].append(fault)
    for task_uuid in (items.keys() | faults.keys()).intersection(task_uuids):
        found[task_uuid] = _progress_of(task_uuid, items[task_uuid], faults[task_uuid], reply)
    return found


def _progress_of(
    task_uuid: str, items: Sequence[Item], faults: Sequence[Fault], reply: Reply
) -> Progress:
    """Take the parts of an answer for one task together; repeated clips count once."""
    results = {item.videoUUID: _result(item) for item in items if item.is_finished}
    ends = [fault for fault in faults if _ends_its_task(fault, reply.status)]
    is_waiting = task_uuid in reply.waiting
    return Progress(
        results=tuple(results.values()),
        errors=tuple(fault.as_exception(reply.status) for fault in ends),
        is_processing=is_waiting or any(item.is_processing for item in items),
    )


def _result(item: Item) -> Result:
    is_flagged = bool(item.NSFWContent)
    return Result(item.videoUUID, item.videoURL, item.seed, item.cost_micro, is_flagged)
