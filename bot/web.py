"""The provider's door: webhooks come in here, and supervisors ask whether the bot is well.

Owns what HTTP brings with it: paths, statuses, limits on size and time. What a call means is known
in `hooks.py`. Off until a port is set; `corridor.py` loads this module only then.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.errors import CannotListen, StoreError
from bot.hooks import Bell, Signer

log = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024
"""The largest body taken; a real one has a few hundred bytes."""
_BODY_WITHIN = 2.0
_ANSWER_WITHIN = 2.0
"""Seconds; the service waits for five before it calls again."""
_IDLE_WITHIN = 30.0
_FAREWELL = 1.0
"""Seconds that calls under way get when the bot stops."""

Readiness = Callable[[], Awaitable[str]]
"""Says in a few words why the bot is not ready, or "" where it is."""


class Web:
    """The server: `await start()`, and `await stop()` at the end.

    Without `signer` and `bell` it tells about the bot's health only.
    """

    def __init__(
        self,
        host: str,
        port: int,
        readiness: Readiness,
        signer: Signer | None = None,
        bell: Bell | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._readiness = readiness
        self._signer = signer
        self._bell = bell
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port that it listens on, also where any free one was asked for."""
        addresses = self._runner.addresses if self._runner else []
        return int(addresses[0][1]) if addresses else self._port

    @property
    def is_listening(self) -> bool:
        """Whether it can be called."""
        return self._runner is not None and bool(self._runner.addresses)

    async def start(self) -> None:
        """Listen. Raises `CannotListen`."""
        app = web.Application(middlewares=[_unbroken])
        app.router.add_get("/healthz", self._tell_health)
        app.router.add_get("/readyz", self._tell_readiness)
        if self._signer is not None:
            app.router.add_post("/hooks/{task_uuid}", self._take_call)
        self._runner = web.AppRunner(
            app,
            handle_signals=False,
            access_log=None,  # addresses hold tokens
            logger=_silent(),
            auto_decompress=False,  # bodies are counted, never read
            keepalive_timeout=_IDLE_WITHIN,
            lingering_time=_FAREWELL,
            shutdown_timeout=_FAREWELL,
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise CannotListen(
                f"ANIMATE_WEB_PORT: cannot listen on {self._host}, port {self._port}"
                f" ({error.strerror}). Stop what uses it, or set another."
            ) from error
        log.info("listening on %s, port %d", self._host, self.port)

    async def stop(self) -> None:
        """Take no more calls, and let those under way be answered."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._bell is not None:
            await self._bell.close()

    async def _take_call(self, request: web.Request) -> web.Response:
        assert self._signer is not None
        assert self._bell is not None
        task_uuid = request.match_info["task_uuid"]
        if not self._signer.is_genuine(task_uuid, request.query.get("token", "")):
            return _refusal(404)
        if problem := await _spoilt(request):
            return _refusal(problem)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                await self._bell.ring(task_uuid)
        except (StoreError, TimeoutError) as error:
            log.warning("a nudge could not be written: %s %s", type(error).__name__, error)
            return _refusal(503)
        return web.Response(status=204)

    async def _tell_health(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _tell_readiness(self, _: web.Request) -> web.Response:
        if reason := await self._readiness():
            return web.json_response({"ready": False, "reason": reason}, status=503)
        return web.json_response({"ready": True})


async def _spoilt(request: web.Request) -> int:
    """Take the body in and forget it; return the status of what is wrong with it, or 0."""
    if (request.content_length or 0) > MOST_BYTES:
        return 413
    size = 0
    try:
        async with asyncio.timeout(_BODY_WITHIN):
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size > MOST_BYTES:
                    return 413
    except TimeoutError:
        return 408
    except (ConnectionError, web.RequestPayloadError):
        return 400
    return 0


def _refusal(status: int) -> web.Response:
    response = web.Response(status=status)
    response.force_close()
    return response


@web.middleware
async def _unbroken(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Log what is our own fault, without the address, in which a token stands."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:
        log.exception("a call to the web server broke")
        return _refusal(500)


def _silent() -> logging.Logger:
    """Return a log for what the world sends that is not even HTTP: no news, and it quotes it."""
    quiet = logging.getLogger(f"{__name__}.noise")
    quiet.disabled = True
    return quiet
