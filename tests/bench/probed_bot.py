"""The production bot with a watch on its event loop: `python -m tests.bench.probed_bot FILE`.

Everything else is as in `python -m bot run`. At its end, FILE has a moment (`time.monotonic`) and a
lag for each tick of the watch, in seconds, as a flat array of doubles.
"""

import asyncio
import contextlib
import os
import sys
import time
from array import array
from pathlib import Path

from bot import app, logs
from bot.settings import Settings

_TICK = 0.005


async def _watch(ticks: "array[float]") -> None:
    """Note by how much each tick comes late. Those that are missed in a stall are late as well."""
    due = time.monotonic()
    while True:
        due += _TICK
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        now = time.monotonic()
        ticks.extend((now, max(0.0, now - due)))
        while due + _TICK < now:
            due += _TICK
            ticks.extend((now, now - due))


async def _run(file: Path) -> None:
    ticks = array("d")
    watch = asyncio.create_task(_watch(ticks))
    await app.run(Settings.from_env(os.environ))
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    await asyncio.to_thread(file.write_bytes, ticks.tobytes())


if __name__ == "__main__":
    logs.set_up("INFO", ())
    asyncio.run(_run(Path(sys.argv[1])))
