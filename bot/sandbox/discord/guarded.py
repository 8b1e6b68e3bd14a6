"""The people's side of a mistake: what a handler refuses becomes a sentence that can be shown."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.sandbox.discord.errors import ApiError, PeopleError
from bot.sandbox.discord.front import json_response

log = logging.getLogger(__name__)


def guarded(
    handler: Callable[[web.Request], Awaitable[Any]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a handler whose refusals become `{"error": sentence}`; None becomes 204."""

    async def handle(request: web.Request) -> web.Response:
        try:
            result = await handler(request)
        except PeopleError as error:
            return json_response(error.as_json(), error.status)
        except ApiError as error:
            return json_response({"error": error.message, **error.as_json()}, error.status)
        except web.HTTPException:
            raise
        except Exception:
            log.exception("a handler failed: %s %s", request.method, request.path)
            return json_response({"error": "The local Discord made a mistake."}, 500)
        return web.Response(status=204) if result is None else json_response(result)

    return handle
