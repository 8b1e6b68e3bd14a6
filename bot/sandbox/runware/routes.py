"""The service on the wire: `POST /v1`, its WebSocket, the clips and the uploaded pictures.

Owns envelopes, authentication and status codes. What a task means is `Service`'s; nothing here
decides it.
"""

import hmac
import logging
import time
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import WSMsgType, hdrs, web

from bot.sandbox.runware.journal import Journal
from bot.sandbox.runware.ledger import Ledger
from bot.sandbox.runware.pictures import Pictures
from bot.sandbox.runware.refusal import Refused
from bot.sandbox.runware.service import Reply, Service
from bot.sandbox.runware.settings import Settings

log = logging.getLogger(__name__)

SILENCE_SECONDS = 120.0
"""After which a WebSocket without traffic is closed."""
DRY_RUN = "X-Runware-Dry-Run"


class Routes:
    """The HTTP side of one service."""

    def __init__(
        self,
        service: Service,
        settings: Settings,
        ledger: Ledger,
        pictures: Pictures,
        journal: Journal,
    ) -> None:
        self._service = service
        self._settings = settings
        self._ledger = ledger
        self._pictures = pictures
        self._journal = journal

    def add_to(self, app: web.Application) -> None:
        """Serve the API, the clips and the pictures."""
        app.router.add_post("/v1", self.post)
        app.router.add_get("/v1", self.upgrade)
        app.router.add_get(r"/video/{way:.+}/{name}", self.video)
        app.router.add_get("/image/ii/{uuid}", self.image)
        app.on_response_prepare.append(self._count)

    async def post(self, request: web.Request) -> web.Response:
        """Answer an array of tasks."""
        body = await request.read()
        try:
            tasks = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _refusal(Refused("invalidJSON", "The body must be JSON."))
        if not isinstance(tasks, list):
            return _refusal(Refused("invalidRequest", "The body must be an array of tasks."))
        dry_run = request.headers.get(DRY_RUN) == "1"
        self._journal.note(tasks, at=time.time(), transport="http", dry_run=dry_run)
        greeting: list[dict[str, Any]] = []
        key = _bearer(request)
        if _is_authentication(tasks[:1]):
            key = tasks.pop(0).get("apiKey")
            greeting = [{"taskType": "authentication"}]
        try:
            self._authenticate(key)
        except Refused as refused:
            return _refusal(refused)
        reply = await self._service.answer(tasks, dry_run=dry_run)
        reply.data[:0] = greeting
        return _json(reply.body(), reply.status)

    def _authenticate(self, key: Any) -> None:
        if not key:
            raise _no_key("An API key is required.")
        expected = self._settings.api_key
        if not isinstance(key, str) or (
            expected is not None and not hmac.compare_digest(key.encode(), expected.encode())
        ):
            raise Refused("invalidApiKey", "The API key is invalid.", "apiKey", status=401)

    async def upgrade(self, request: web.Request) -> web.StreamResponse:
        """Serve the same tasks over a WebSocket, whose first message must authenticate."""
        socket = web.WebSocketResponse(max_msg_size=64 * 1024 * 1024)
        if not socket.can_prepare(request).ok:
            raise web.HTTPMethodNotAllowed("GET", ["POST"])
        await socket.prepare(request)
        trusted = False
        while True:
            try:
                message = await socket.receive(timeout=SILENCE_SECONDS)
            except TimeoutError:
                break
            if message.type is not WSMsgType.TEXT:
                break
            reply, trusted = await self._answer_message(message.data, trusted)
            if reply.data or reply.errors or trusted:
                await socket.send_str(orjson.dumps(reply.body()).decode())
        await socket.close()
        return socket

    async def _answer_message(self, text: str, trusted: bool) -> tuple[Reply, bool]:
        try:
            tasks = orjson.loads(text)
        except orjson.JSONDecodeError:
            tasks = None
        if not isinstance(tasks, list):
            return _errors(Refused("invalidRequest", "Send an array of tasks.")), trusted
        self._journal.note(tasks, at=time.time(), transport="websocket", dry_run=False)
        greeting = []
        if _is_authentication(tasks[:1]):
            hello = tasks.pop(0)
            try:
                self._authenticate(hello.get("apiKey"))
            except Refused as refused:
                return _errors(refused), False
            session = hello.get("connectionSessionUUID") or self._service.new_session()
            greeting = [{"taskType": "authentication", "connectionSessionUUID": session}]
            trusted = True
        if not trusted:
            return _errors(_no_key("Authenticate first.")), False
        reply = await self._service.answer(tasks)
        reply.data[:0] = greeting
        return reply, True

    async def video(self, request: web.Request) -> web.StreamResponse:
        """Serve a clip, or a range of it, while its URL lives."""
        name = request.match_info["name"]
        found = self._service.result_of(name.partition(".")[0].lower())
        if found is None or name.rpartition(".")[2] != found[0].order.output_format.lower():
            raise web.HTTPNotFound
        task, result = found
        is_overtaken = request.query.get("renewal", "0") != str(result.renewals)
        expires_at = task.url_expires_at(result, self._settings.url_seconds)
        if is_overtaken or self._service.clock() >= expires_at:
            return web.Response(status=self._settings.expired_status, text="expired")
        self._ledger.downloads += 1
        if task.outcome.next == "corrupt":
            return web.Response(body=b"\x00noise" * 1000, content_type="video/mp4")
        path = await self._service.clips.file_of(task, result)
        return web.FileResponse(path, headers={"Accept-Ranges": "bytes"})

    async def _count(self, request: web.Request, response: web.StreamResponse) -> None:
        """Count the bytes of a clip when its headers leave, because then their number is known."""
        if request.method == "GET" and request.path.startswith("/video/"):
            served = response.status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)
            self._ledger.bytes_served += served * (response.content_length or 0)

    async def image(self, request: web.Request) -> web.StreamResponse:
        """Serve an uploaded picture."""
        picture = self._pictures.uploaded(request.match_info["uuid"].lower())
        if picture is None:
            raise web.HTTPNotFound
        return web.FileResponse(picture.path, headers={hdrs.CONTENT_TYPE: picture.media_type})


def task_types(_request: web.Request, body: bytes) -> str:
    """Label a request for the fault rules: its task types, with spaces between."""
    try:
        tasks = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(tasks, list):
        return ""
    return " ".join(str(task.get("taskType")) for task in tasks if isinstance(task, dict))


def _no_key(message: str) -> Refused:
    return Refused("missingApiKey", message, "apiKey", status=401)


def _is_authentication(first: list[Any]) -> bool:
    return any(
        isinstance(task, dict) and task.get("taskType") == "authentication" for task in first
    )


def _bearer(request: web.Request) -> str:
    scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _errors(refused: Refused) -> Reply:
    return Reply(errors=[refused.to_json({})], status=refused.status)


def _refusal(refused: Refused) -> web.Response:
    return _json(_errors(refused).body(), refused.status)


def _json(value: Any, status: int) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
