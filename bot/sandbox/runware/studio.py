"""Gets clips rendered: one worker process, started at the first need, and a cache on disk.

Owns the process, the queue before it and the finished files. The server's event loop only waits.
Called by `Clips`; knows nothing of tasks.
"""

import asyncio
import hashlib
import logging
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import av
from PIL import Image

from bot.sandbox.runware.render import FORMATS, Shot, render

log = logging.getLogger(__name__)

UNRENDERABLE = (OSError, ValueError, av.FFmpegError, BrokenProcessPool)
"""What a clip may fail with; the last means that the worker died, twice."""


class Studio:
    """Renders into `folder`. Close it to end the worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool: ProcessPoolExecutor | None = None
        self._leash: tuple[Connection, Connection] | None = None
        self._clips: dict[str, asyncio.Task[Path]] = {}

    async def clip(self, picture: Path, sha256: str, shot: Shot) -> Path:
        """Return the rendered clip; the same one again costs nothing. Raises `UNRENDERABLE`."""
        key = hashlib.sha256(f"{sha256} {shot}".encode()).hexdigest()
        if key not in self._clips:
            path = self._folder / f"{key}.{FORMATS[shot.container]}"
            self._clips[key] = asyncio.create_task(self._render(picture, shot, path))
        try:
            return await asyncio.shield(self._clips[key])
        except UNRENDERABLE:
            self._clips.pop(key, None)
            raise

    async def canned(self, shot: Shot) -> Path:
        """Return the one small clip of this shape, whatever the picture; made at the first need."""
        plain = self._folder / "plain.png"
        if not plain.exists():
            Image.new("RGB", (320, 320), (88, 101, 242)).save(plain)
        return await self.clip(plain, "plain", replace(shot, quality=20, move=0))

    def copy(self, clip: Path, mark: str) -> Path:
        """Return a copy that ends with `mark` in a box of MP4's, always of the same bytes."""
        path = self._folder / f"{clip.stem}-{mark}{clip.suffix}"
        if not path.exists():
            content = mark.encode()
            box = (8 + len(content)).to_bytes(4, "big") + b"free" + content
            path.write_bytes(clip.read_bytes() + box)
        return path

    async def close(self) -> None:
        """Stop rendering and end the worker."""
        for task in self._clips.values():
            task.cancel()
        await asyncio.gather(*self._clips.values(), return_exceptions=True)
        self._let_go()
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    async def _render(self, picture: Path, shot: Shot, path: Path) -> Path:
        loop = asyncio.get_running_loop()
        before = loop.time()
        worker = self._worker()
        try:
            await loop.run_in_executor(worker, render, picture, shot, path)
        except BrokenProcessPool:
            # All that waited for this worker come here; only the first may replace it.
            if self._pool is worker:
                log.warning("the render worker died; starting another one")
                self._pool = None
            await loop.run_in_executor(self._worker(), render, picture, shot, path)
        log.info("rendered %s in %.2f s", path.name, loop.time() - before)
        return path

    def _worker(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._let_go()
            context = multiprocessing.get_context("spawn")
            self._leash = context.Pipe()
            self._pool = ProcessPoolExecutor(
                max_workers=1,
                mp_context=context,
                initializer=_settle_in,
                initargs=(self._leash[1],),
            )
        return self._pool

    def _let_go(self) -> None:
        """End the worker at once, in the middle of a clip too: it ends when its leash is closed."""
        for end in self._leash or ():
            end.close()
        self._leash = None


def _settle_in(leash: Connection) -> None:
    """Make the worker polite, deaf to Ctrl-C, and mortal together with its parent."""
    os.nice(5)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(leash,), daemon=True).start()


def _follow(leash: Connection) -> None:
    leash.poll(None)
    os._exit(1)
