"""Trouble on the wire, to order: rules that lose, delay, replace, cut or kill around one request.

Owns the rules, their order and their counts. Knows HTTP, and nothing of what the server behind it
does; a server hands in a `label` function if its requests should be told apart by more than method
and path. Used by both local servers, through their control interface or in the same process.
"""

import asyncio
import logging
import os
import re
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Action = Callable[["Rule", web.Request, Handler], Awaitable[web.StreamResponse]]
Label = Callable[[web.Request, bytes], str]

SPARED = "/sandbox/"
"""Paths below this are never touched, so that a rule cannot lock out whoever would remove it."""


class Match(BaseModel):
    """Which requests a rule is for; what is left out matches everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str | None = None
    path: re.Pattern[str] | None = None
    """Searched in the raw path, the query included."""
    label: re.Pattern[str] | None = None
    """Searched in what the server's `label` function says of the request and its body."""


class Rule(BaseModel):
    """One fault: whom it meets (`match`), what it does (`do`), from which match on, how often."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: Match = Match()
    do: Literal["lose_answer", "stall", "status", "drop", "truncate", "kill"]
    when: Literal["before", "after", "halfway", "answered"] = "before"
    """For `stall`, `status` and `kill`: before the request is processed, or after it.

    `kill` alone may also wait until it is answered, by half or as a whole.
    """
    skip: int = Field(default=0, ge=0)
    """Matches to let pass before the first one that is acted on."""
    times: int | None = Field(default=1, ge=1)
    """Matches to act on; `None` is for ever."""
    seconds: float = Field(default=0, ge=0, le=3600)
    status: int | None = Field(default=None, ge=200, le=599)
    body: Any = None
    headers: dict[str, str] = {}
    pid: int | None = Field(default=None, gt=1)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.do == "status" and self.status is None:
            raise ValueError("`status` needs a status")
        if self.do == "kill" and self.pid is None:
            raise ValueError("`kill` needs a pid above 1")
        if self.do in {"stall", "status"} and self.when in {"halfway", "answered"}:
            raise ValueError(f"`{self.do}` is before or after")
        return self


@dataclass(slots=True)
class _Entry:
    """A rule with its counts: requests that matched, and those it acted on."""

    rule: Rule
    seen: int = 0
    hits: int = 0

    def claims(self) -> bool:
        """Count one match, and say whether this rule acts on it."""
        self.seen += 1
        times = self.rule.times
        if self.seen <= self.rule.skip or (times is not None and self.hits >= times):
            return False
        self.hits += 1
        return True


class Faults:
    """The rules of one server: `app = web.Application(middlewares=[faults.middleware])`.

    Rules are asked in the order in which they were added. A rule that skips a request, or is spent,
    passes it on to the next; the first that acts is the only one that does.
    """

    def __init__(self, label: Label | None = None) -> None:
        self._label = label
        self._entries: dict[str, _Entry] = {}
        self._added = 0
        self._mortal: set[int] = set()

    def may_kill(self, pid: int) -> None:
        """Let `kill` rules strike this process. Only code can say so, never a request."""
        self._mortal.add(pid)

    def add(self, rule: Rule) -> str:
        """Add a rule behind the others; the answer is its id.

        Raises `PermissionError` for a `kill` of a process that is not given up by `may_kill`.
        """
        if rule.do == "kill" and rule.pid not in self._mortal:
            raise PermissionError(f"process {rule.pid} is not one that may be killed")
        self._added += 1
        key = str(self._added)
        self._entries[key] = _Entry(rule)
        return key

    def clear(self, key: str | None = None) -> None:
        """Remove one rule (`KeyError` if there is none), or all of them."""
        if key is None:
            self._entries.clear()
        else:
            del self._entries[key]

    def hits(self, key: str) -> int:
        """How often the rule acted; `KeyError` if it is gone."""
        return self._entries[key].hits

    def snapshot(self) -> list[dict[str, Any]]:
        """Every rule as JSON, with `id`, `seen` (matches) and `hits` (matches acted on)."""
        return [
            {"id": key, "seen": entry.seen, "hits": entry.hits}
            | entry.rule.model_dump(mode="json", exclude_defaults=True)
            for key, entry in self._entries.items()
        ]

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as the first rule that claims the request says, or as the handler does."""
        if not self._entries or request.path.startswith(SPARED):
            return await handler(request)
        rule = await self._claim(request)
        if rule is None:
            return await handler(request)
        # Not the path: an interaction's has its token in it.
        log.info("fault %s on a %s", rule.do, request.method)
        response = await _ACTIONS[rule.do](rule, request, handler)
        if isinstance(response, web.HTTPException):
            raise response
        return response

    async def _claim(self, request: web.Request) -> Rule | None:
        label: str | None = None
        for entry in list(self._entries.values()):
            match = entry.rule.match
            if match.method is not None and match.method.upper() != request.method:
                continue
            if match.path is not None and not match.path.search(request.raw_path):
                continue
            if match.label is not None:
                if label is None:
                    label = self._label(request, await request.read()) if self._label else ""
                if not match.label.search(label):
                    continue
            if entry.claims():
                return entry.rule
        return None

    def add_routes(self, app: web.Application, prefix: str = "/sandbox/control/faults") -> None:
        """Serve the rules: GET lists, POST adds (`{"id"}`), DELETE removes all or `?id=`."""
        app.router.add_get(prefix, self._get)
        app.router.add_post(prefix, self._post)
        app.router.add_delete(prefix, self._delete)

    async def _get(self, _request: web.Request) -> web.Response:
        return _json(self.snapshot())

    async def _post(self, request: web.Request) -> web.Response:
        try:
            rule = Rule.model_validate_json(await request.read())
        except ValidationError as error:
            return _json(error.errors(include_url=False, include_context=False), status=422)
        try:
            return _json({"id": self.add(rule)}, status=201)
        except PermissionError as error:
            return _json({"message": str(error)}, status=403)

    async def _delete(self, request: web.Request) -> web.Response:
        try:
            self.clear(request.query.get("id"))
        except KeyError:
            return _json({"message": "no such rule"}, status=404)
        return web.Response(status=204)


async def _process(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer as the server would, an HTTP error that it raises included."""
    try:
        return await handler(request)
    except web.HTTPException as raised:
        return raised


async def _lose_answer(rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse:
    del rule
    await _process(request, handler)
    return _cut(request)


async def _stall(rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse:
    if rule.when == "before":
        # Once its client has left, a body that is still on the wire can no longer be read.
        await request.read()
        await asyncio.sleep(rule.seconds)
        return await _process(request, handler)
    response = await _process(request, handler)
    await asyncio.sleep(rule.seconds)
    return response


async def _status(rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with a status, instead of processing the request or, `after`, of its own answer."""
    assert rule.status is not None
    await request.read()
    if rule.when == "after":
        await _process(request, handler)
    headers = {"Content-Type": "application/json"} | rule.headers
    body = b"" if rule.body is None else orjson.dumps(rule.body)
    return web.Response(status=rule.status, body=body, headers=headers)


async def _drop(rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse:
    del rule, handler
    return _cut(request)


async def _truncate(rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse:
    del rule
    await _send_half(request, await _process(request, handler))
    return _cut(request)


async def _kill(rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Kill the client; one that dies `before` has not been heard: its request is not processed."""
    assert rule.pid is not None
    if rule.when == "before":
        _sigkill(rule.pid)
        return _cut(request)
    response = await _process(request, handler)
    if rule.when == "halfway":
        await _send_half(request, response)
        _sigkill(rule.pid)
        return _cut(request)
    if rule.when == "answered":
        await response.prepare(request)
        await response.write_eof()
        await _flushed(request)
    _sigkill(rule.pid)
    return response


_ACTIONS: dict[str, Action] = {
    "lose_answer": _lose_answer,
    "stall": _stall,
    "status": _status,
    "drop": _drop,
    "truncate": _truncate,
    "kill": _kill,
}


def _cut(request: web.Request) -> web.StreamResponse:
    """Close the connection at once; the response is a stand-in that can no longer be sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _send_half(request: web.Request, response: web.StreamResponse) -> None:
    """Send the headers as if all of the body would follow, and the first half of it."""
    body = await asyncio.to_thread(_body_of, response)
    half = web.StreamResponse(status=response.status, headers=response.headers)
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    await _flushed(request)


async def _flushed(request: web.Request) -> None:
    """Wait until the kernel has taken what was written, or the client has gone."""
    while (transport := request.transport) is not None and not transport.is_closing():
        if not transport.get_write_buffer_size():
            return
        await asyncio.sleep(0.002)


def _body_of(response: web.StreamResponse) -> bytes:
    if isinstance(response, web.FileResponse):
        # aiohttp has no public way to ask a FileResponse for its file.
        return Path(response._path).read_bytes()  # noqa: SLF001
    body = response.body if isinstance(response, web.Response) else None
    return body if isinstance(body, bytes) else b""


def _sigkill(pid: int) -> None:
    assert pid > 1
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        log.warning("process %d is already gone", pid)


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
