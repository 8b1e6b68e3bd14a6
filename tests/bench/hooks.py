"""Rows of the webhooks: how soon a clip that is ready is seen where the service calls.

As in `waiting.py`, with the usual looks as the safety net that they are; no peer, because the
official client waits by polling alone.
"""

from collections.abc import Callable

from tests.bench.doors import RUNTIME
from tests.bench.table import Row
from tests.bench.waiting import JOBS, USUAL, Client, Life, lived

RENDER_SECONDS = 10.0
ROUNDS = 2
_HOOKED = Client(RUNTIME, "tests.bench.lone_worker", USUAL, has_webhooks=True)


async def measure() -> list[Row]:
    """Measure all rounds and return the rows."""
    lives = [await lived(_HOOKED, render_seconds=RENDER_SECONDS) for _ in range(ROUNDS)]

    def row(what: str, pick: Callable[[Life], float], most: float | None = None) -> Row:
        ours = [pick(life) * 1000 for life in lives]
        return Row(what=what, unit="ms", ours=ours, most_ours=most)

    name = f"ready → seen, {JOBS} clips with webhooks"
    return [row(f"{name}, median", lambda r: r.median, 50), row("… p99", lambda r: r.p99)]
