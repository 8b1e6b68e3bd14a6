"""The video service, Runware: submit, look, fetch, price, balance, ping.

Knows the wire and nothing of jobs or Discord. It decides by `errors[].code`, then by the HTTP
status, never by a message's text. A submit may be repeated with the same UUID for ever: an
acknowledgement and `conflictTaskUUID` both mean that the service has it.
Facts: runware.ai/docs, platform pages.
"""

import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot import task
from bot.catalog import Model
from bot.errors import Busy, ProviderError, Rejected, Unclear
from bot.lifecycle import Order
from bot.task import Frame, Output
from bot.wire import Fault, Item, Reply, is_conflict, is_unknown_task, read_reply

log = logging.getLogger(__name__)

_TIMEOUT = httpx.Timeout(60, connect=10)
_MOST_TOGETHER = 100
"""UUIDs in one look; the service states no limit, so a refused batch is halved."""
_CLIP_MOST_BYTES = 500_000_000
_HTTP_OK = 200
_HTTP_PARTIAL = 206
_DRY_RUN = {"X-Runware-Dry-Run": "1"}
"""Documented: validates and prices a task, without running or charging it."""


@dataclass(frozen=True, slots=True)
class Result:
    """One finished clip at the service. `cost_micro` is None where none was reported."""

    video_uuid: str
    url: str
    seed: int | None
    cost_micro: int | None


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
        self._headers = {"Authorization": f"Bearer {api_key}"}

    async def submit(self, task_uuid: str, order: Order, picture: bytes | Frame) -> None:
        """Have the task accepted; bytes are a JPEG. Safe to repeat with the same UUID.

        Raises `Rejected`, `Moderated`, `AccountTrouble`, `Busy` or `Unclear`.
        """
        reply = await self._post([self._request(task_uuid, order, picture)])
        errors = [error for error in reply.errors if error.task_uuid in (task_uuid, "")]
        if any(map(is_conflict, errors)):
            return
        if errors:
            raise errors[0].as_exception(reply.status)
        if not any(item.taskUUID == task_uuid for item in reply.items):
            raise Unclear("noAcknowledgement", "the answer names no task", status=reply.status)

    async def price(self, order: Order, picture: bytes | Frame) -> int | None:
        """Return what the task would cost in micro-dollars, None where the service does not say.

        A dry run: nothing is made and nothing is charged. Raises as `submit` does.
        """
        asked = self._request(str(uuid.uuid4()), order, picture)
        asked.pop("webhookURL", None)
        reply = await self._post([asked], _DRY_RUN)
        for error in reply.errors:
            raise error.as_exception(reply.status)
        costs = [item.cost_micro for item in reply.items if item.cost_micro is not None]
        return costs[0] if costs else None

    def _request(self, task_uuid: str, order: Order, picture: bytes | Frame) -> dict[str, Any]:
        frame = picture if isinstance(picture, Frame) else Frame.data_uri(picture)
        model = self._models.get(order.model)
        asked = task.request(task_uuid, order, frame, self._output, model)
        if self._callback_url is not None:
            asked["webhookURL"] = self._callback_url(task_uuid)
        return asked

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
        reply = await self._post(
            [{"taskType": "getResponse", "taskUUID": task_uuid} for task_uuid in task_uuids]
        )
        general = [fault for fault in reply.errors if _is_of_the_request(fault, reply.status)]
        if not general or reply.items or len(general) < len(reply.errors):
            return _progress(reply, task_uuids)
        problem = general[0].as_exception(reply.status)
        if isinstance(problem, Rejected) and len(task_uuids) > 1:
            middle = len(task_uuids) // 2
            return await self._look_at((task_uuids[:middle], task_uuids[middle:]))
        raise problem

    async def fetch(self, url: str, path: Path, most_bytes: int = _CLIP_MOST_BYTES) -> int:
        """Download a finished clip to `path` and return its size; a broken download goes on.

        Raises `Rejected` (gone, or over `most_bytes`) or `Busy` (try again).
        """
        self._check_host(url)
        part = path.with_name(path.name + ".part")
        have = _size(part)
        # Unpacked bytes could not be counted into a range of packed ones.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        try:
            async with self._http.stream("GET", url, headers=headers, timeout=_TIMEOUT) as response:
                if response.status_code not in (_HTTP_OK, _HTTP_PARTIAL):
                    raise _fetch_problem(response.status_code)
                is_rest = response.status_code == _HTTP_PARTIAL
                size = await _save(response, part, have if is_rest else 0, most_bytes)
        except httpx.HTTPError as error:
            raise Busy("downloadFailed", f"{type(error).__name__}: {error}") from error
        except ProviderError:
            part.unlink(missing_ok=True)
            raise
        part.replace(path)
        return size

    async def balance_micro(self) -> int | None:
        """Return the account's credit in micro-dollars, None where the service does not say."""
        task = {"taskType": "accountManagement", "operation": "getDetails"}
        reply = await self._post([task | {"taskUUID": str(uuid.uuid4())}])
        for error in reply.errors:
            raise error.as_exception(reply.status)
        return next((item.balance_micro for item in reply.items), None)

    async def ping(self) -> None:
        """Raise a `ProviderError` unless the service answers."""
        reply = await self._post([{"taskType": "ping", "ping": True}])
        for error in reply.errors:
            raise error.as_exception(reply.status)

    async def _post(
        self, tasks: list[dict[str, Any]], headers: Mapping[str, str] | None = None
    ) -> Reply:
        sent = self._headers | dict(headers or {})
        try:
            response = await self._http.post(self._url, json=tasks, headers=sent, timeout=_TIMEOUT)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Busy("unreachable", f"{type(error).__name__}: {error}") from error
        except httpx.HTTPError as error:
            raise Unclear("noAnswer", f"{type(error).__name__}: {error}") from error
        return read_reply(response.status_code, response.headers, response.content)

    def _check_host(self, url: str) -> None:
        """Refuse plain HTTP to anywhere but the service's own address, such as a local one."""
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise Rejected("invalidURL", str(error)) from error
        if target.scheme != "https" and target.host != self._url.host:
            raise Rejected("insecureURL", f"will not fetch from {target.scheme}://{target.host}")


def _is_of_the_request(fault: Fault, status: int) -> bool:
    """Tell whether a look itself met an error, which says nothing about the end of a task.

    An answer of 429 or 503 may well name the task that was asked about.
    """
    if fault.task_uuid == "":
        return True
    return status >= 400 and not isinstance(fault.as_exception(status), Rejected)  # noqa: PLR2004


def _ends_its_task(fault: Fault, status: int) -> bool:
    """Tell whether a task ended with this, or only this look at it failed.

    The service marks an end; beside that only a code that is final by itself counts.
    """
    is_told = fault.is_final or fault.is_rejection
    return is_told and not _is_of_the_request(fault, status)


def _progress(reply: Reply, task_uuids: Iterable[str]) -> dict[str, Progress]:
    """Sort an answer by task; repeated clips count once."""
    found: dict[str, Progress] = {}
    is_whole = not any(fault.task_uuid == "" for fault in reply.errors)
    all_items = defaultdict[str, list[Item]](list)
    for item in reply.items:
        all_items[item.taskUUID].append(item)
    all_faults = defaultdict[str, list[Fault]](list)
    for fault in reply.errors:
        if not is_unknown_task(fault):
            all_faults[fault.task_uuid].append(fault)
    for task_uuid in task_uuids:
        items, faults = all_items[task_uuid], all_faults[task_uuid]
        if not items and not faults and not is_whole:
            continue  # whether it was asked about cannot be told
        results = {item.videoUUID: _result(item) for item in items if item.is_finished}
        ends = [fault for fault in faults if _ends_its_task(fault, reply.status)]
        found[task_uuid] = Progress(
            results=tuple(results.values()),
            errors=tuple(fault.as_exception(reply.status) for fault in ends),
            is_processing=any(item.is_processing for item in items),
            is_known=bool(items or faults),
        )
    return found


def _result(item: Item) -> Result:
    return Result(item.videoUUID, item.videoURL, item.seed, item.cost_micro)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fetch_problem(status: int) -> ProviderError:
    kind = Rejected if status in (403, 404, 410) else Busy
    return kind("downloadFailed", "the clip could not be downloaded", status=status)


async def _save(response: httpx.Response, part: Path, have: int, most_bytes: int) -> int:
    with part.open("r+b" if have else "wb") as file:
        size = file.seek(have)
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > most_bytes:
                raise Rejected("clipTooLarge", f"over {most_bytes} bytes")
            file.write(chunk)
    return size
