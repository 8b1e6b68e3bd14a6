"""Who may speak to a local server: programs of this machine, and the pages that it served itself.

Any page open in a browser can send requests to loopback, and a foreign name can be pointed at it.
Browsers say where a request comes from (`Origin`, `Sec-Fetch-Site`) and whom it is for (`Host`);
programs send no origin and pass. Used by both local servers, before anything else.
"""

import logging

from aiohttp import web

from bot.sandbox.faults import Handler

log = logging.getLogger(__name__)

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HTTP_PORT = 80


@web.middleware
async def neighbours_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse with 403 what another site's page sent, WebSocket upgrades included."""
    reason = _stranger(request)
    if reason is None:
        return await handler(request)
    log.warning("refused a %s from elsewhere: %s", request.method, reason)
    text = f"This local server serves this machine and its own page: {reason}."
    return web.json_response({"message": text}, status=403)


def _stranger(request: web.Request) -> str | None:
    """Say what gives a foreign request away; None if it is from a neighbour."""
    own = _addresses(request)
    if request.headers.get("Host") not in own:
        return "the Host is not its own"
    origin = request.headers.get("Origin")
    if origin is not None and origin.removeprefix("http://") not in own:
        return "the Origin is another site"
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return "it came from another site; type the address yourself"
    return None


def _addresses(request: web.Request) -> set[str]:
    """Return every way to write this server's host and port."""
    socket = request.transport and request.transport.get_extra_info("sockname")
    port = socket[1] if socket else None
    written = {f"{name}:{port}" for name in _NAMES}
    return written | set(_NAMES) if port == _HTTP_PORT else written
