"""The front door of the REST API: token, rate limits, refusals as JSON, headers, the journal.

Wraps each handler of `routes.py`. A handler returns JSON (200), None (204) or a `Reply`.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from bot.sandbox.discord.errors import ApiError, Refusal
from bot.sandbox.discord.journal import Journal
from bot.sandbox.discord.limits import Limits, Rate
from bot.sandbox.discord.ratelimit import RateLimits

log = logging.getLogger(__name__)

API_ROOT = "/api/v10"
#: An interaction's token is a secret: whoever has it can speak as the app.
_TOKEN = re.compile(r"^(/(?:interactions|webhooks)/[^/]+/)[^/]+")

Handler = Callable[[web.Request], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status of its own."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route of the API."""

    method: str
    path: str
    handler: Handler
    #: Which limit bounds it, and the parameter that has a bucket of its own.
    rate: Callable[[Limits], Rate] | None = None
    major: str = "channel_id"
    #: Whether the bot token opens it; if not, the path carries the interaction's token.
    bot_token: bool = True


class FrontDoor:
    """Makes aiohttp handlers of routes."""

    def __init__(
        self,
        limits: Callable[[], Limits],
        token_accepted: Callable[[str], bool],
        rate_limits: RateLimits,
        journal: Journal,
    ) -> None:
        self._limits = limits
        self._token_accepted = token_accepted
        self._rate_limits = rate_limits
        self._journal = journal

    def wrap(self, route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return the aiohttp handler of a route."""
        bucket = f"{route.method} {route.path}"

        async def handle(request: web.Request) -> web.Response:
            headers, response = self._admit(route, bucket, request)
            if response is None:
                response = await self._run(route.handler, request)
                response.headers.update(headers)
            self._journal.note(request, _without_token(request), response)
            return response

        return handle

    async def missing(self, request: web.Request) -> web.Response:
        """Refuse any path that the API does not have."""
        log.warning("no such route: %s %s", request.method, _without_token(request))
        return _refused(ApiError(Refusal.NOT_FOUND))

    def _admit(
        self, route: Route, bucket: str, request: web.Request
    ) -> tuple[dict[str, str], web.Response | None]:
        """Check the token and the rates: the headers to send, and a refusal if there is one."""
        limits = self._limits()
        if route.bot_token:
            if not self._authorized(request):
                return {}, _refused(ApiError(Refusal.UNAUTHORIZED))
            refusal = self._rate_limits.take_global(limits)
            if refusal is not None:
                return {}, refusal
        if route.rate is None:
            return {}, None
        major = request.match_info.get(route.major, "")
        return self._rate_limits.take(limits, bucket, route.rate(limits), major)

    def _authorized(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Bot" and self._token_accepted(token)

    async def _run(self, handler: Handler, request: web.Request) -> web.Response:
        try:
            result = await handler(request)
        except ApiError as error:
            return _refused(error)
        except web.HTTPRequestEntityTooLarge:
            return _refused(ApiError(Refusal.REQUEST_TOO_LARGE))
        except web.HTTPException:
            raise
        except Exception:
            log.exception("a handler failed: %s %s", request.method, _without_token(request))
            return _refused(ApiError(Refusal.INTERNAL))
        return _response(result)


async def mark(_request: web.Request, response: web.StreamResponse) -> None:
    """Sign every response as the edge does; without `Via`, discord.py takes a 429 for a ban."""
    response.headers["Via"] = "1.1 google"


def operation(request: web.Request, _content: bytes) -> str:
    """Name what a request does, for fault rules: `PATCH /channels/{channel_id}/messages/...`."""
    resource = request.match_info.route.resource
    path = request.path if resource is None else resource.canonical
    return f"{request.method} {path.removeprefix(API_ROOT)}"


def json_response(body: Any, status: int = 200) -> web.Response:
    """JSON with the exact Content-Type that Discord sends; clients compare it as a whole."""
    headers = {"Content-Type": "application/json"}
    return web.Response(status=status, body=orjson.dumps(body), headers=headers)


def _response(result: Any) -> web.Response:
    """Turn what a handler returned into a response."""
    if result is None:
        return web.Response(status=204)
    if isinstance(result, web.Response):
        return result
    if isinstance(result, Reply):
        return json_response(result.body, result.status)
    return json_response(result)


def _refused(error: ApiError) -> web.Response:
    return json_response(error.as_json(), error.status)


def _without_token(request: web.Request) -> str:
    """Return the path below the API's root, with the interaction's token left out."""
    return _TOKEN.sub(r"\1{token}", request.path.removeprefix(API_ROOT))
