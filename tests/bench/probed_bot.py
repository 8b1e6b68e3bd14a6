"""The production bot with a watch on its event loop: `python -m tests.bench.probed_bot FILE`.

Everything else is as in `python -m bot run`. The watch, which costs some CPU itself, begins with a
SIGUSR1. At the end, FILE has a moment (`time.monotonic`) and a lag for each tick of the watch, in
seconds, as a flat array of doubles.
"""

import asyncio
import os
import signal
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
    begun = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, begun.set)

    async def watch() -> None:
        await begun.wait()
        await _watch(ticks)

    watching = asyncio.create_task(watch())
    await app.run(Settings.from_env(os.environ))
    watching.cancel()
    await asyncio.wait([watching])
    await asyncio.to_thread(file.write_bytes, ticks.tobytes())


if __name__ == "__main__":
    logs.set_up("INFO", ())
    asyncio.run(_run(Path(sys.argv[1])))
