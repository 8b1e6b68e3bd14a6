"""Rate limits: fixed windows for each route and its major parameter, and one global window.

Counts a request, or refuses it with 429 as Discord does. Knows routes by the name of their bucket
only.
"""

import hashlib
import math
import time
from dataclasses import dataclass

import orjson
from aiohttp import web

from bot.sandbox.discord.limits import Limits, Rate


@dataclass(slots=True)
class Window:
    """One bucket's present window. Times are monotonic seconds."""

    rate: Rate
    ends_at: float = 0.0
    used: int = 0

    def take(self, now: float) -> float:
        """Count one request; returns 0, or the seconds to wait if there was no room."""
        if now >= self.ends_at:
            self.ends_at, self.used = now + self.rate[1], 0
        if self.used >= self.rate[0]:
            return self.ends_at - now
        self.used += 1
        return 0.0


class RateLimits:
    """All buckets of one server."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], Window] = {}
        self._global = Window((50, 1.0))

    def take_global(self, limits: Limits) -> web.Response | None:
        """Count a request of the bot token; a 429 when over the global rate."""
        if not limits.rate_limits_enabled:
            return None
        self._global.rate = limits.global_rate
        wait = self._global.take(time.monotonic())
        return _refusal(wait, {}, scope="global") if wait else None

    def take(
        self, limits: Limits, bucket: str, rate: Rate, major: str
    ) -> tuple[dict[str, str], web.Response | None]:
        """Count a request in a bucket: the headers to send, and a 429 when there was no room."""
        if not limits.rate_limits_enabled:
            return {}, None
        now = time.monotonic()
        self._sweep(now)
        window = self._windows.setdefault((bucket, major), Window(rate))
        window.rate = rate
        wait = window.take(now)
        headers = _headers(window, bucket, now)
        return headers, _refusal(wait, headers, scope="user") if wait else None

    def _sweep(self, now: float) -> None:
        """Forget windows that ended, oldest first, so that a long run does not grow."""
        while self._windows:
            key = next(iter(self._windows))
            if self._windows[key].ends_at >= now or self._windows[key].used == 0:
                return
            del self._windows[key]


def _headers(window: Window, bucket: str, now: float) -> dict[str, str]:
    left = max(window.ends_at - now, 0)
    return {
        "X-RateLimit-Limit": str(window.rate[0]),
        "X-RateLimit-Remaining": str(max(window.rate[0] - window.used, 0)),
        "X-RateLimit-Reset": f"{time.time() + left:.3f}",
        "X-RateLimit-Reset-After": f"{left:.3f}",
        "X-RateLimit-Bucket": hashlib.md5(bucket.encode(), usedforsecurity=False).hexdigest(),
    }


def _refusal(wait: float, headers: dict[str, str], *, scope: str) -> web.Response:
    is_global = scope == "global"
    body = {
        "message": "You are being rate limited.",
        "retry_after": round(wait, 3),
        "global": is_global,
        "code": 0,
    }
    headers = {
        **headers,
        "Content-Type": "application/json",
        "Retry-After": str(math.ceil(wait)),
        "X-RateLimit-Scope": scope,
    }
    if is_global:
        headers["X-RateLimit-Global"] = "true"
    return web.Response(status=429, body=orjson.dumps(body), headers=headers)
