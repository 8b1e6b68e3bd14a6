"""Puts the local Runware together and runs it on loopback: the only place that knows every part.

`async with LocalRunware() as runware:` serves until the block ends. Nothing survives it: tasks are
in memory, pictures and clips in a temporary folder.
"""

import logging
import socket
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from bot.sandbox.faults import Faults
from bot.sandbox.neighbours import neighbours_only
from bot.sandbox.runware.callbacks import Callbacks
from bot.sandbox.runware.clips import Clips
from bot.sandbox.runware.control import Control
from bot.sandbox.runware.journal import Journal
from bot.sandbox.runware.ledger import Ledger
from bot.sandbox.runware.outcomes import Outcomes
from bot.sandbox.runware.pictures import Pictures
from bot.sandbox.runware.routes import Routes, task_types
from bot.sandbox.runware.service import Service
from bot.sandbox.runware.settings import Settings
from bot.sandbox.runware.studio import Studio
from bot.sandbox.runware.tasks import TaskBook

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_BODY_BYTES = 64 * 1024 * 1024
BACKLOG = 2048


class LocalRunware:
    """One service. Any field of `Settings` may be given by its name; port 0 takes a free one."""

    ledger: Ledger
    url: str
    """Where the API is: `http://127.0.0.1:PORT/v1`."""
    base_url: str
    """Without the `/v1`: where clips and the control interface are."""

    def __init__(self, port: int = 0, **settings: Any) -> None:
        self._port = port
        self._life = AsyncExitStack()
        self.settings = Settings(**settings)
        self.faults = Faults(label=task_types)
        self.outcomes = Outcomes()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as life:
            await self._start(life)
            self._life = life.pop_all()
        log.info("local Runware at %s", self.url)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._life.aclose()

    async def _start(self, life: AsyncExitStack) -> None:
        folder = Path(life.enter_context(tempfile.TemporaryDirectory(prefix="local-runware-")))
        middlewares = [neighbours_only, self.faults.middleware]
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=middlewares)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        # The port must be known before the parts are made, and the parts before the first request:
        # so the socket is bound first, and listens last.
        listener = _bound(self._port)
        life.callback(listener.close)
        self.base_url = f"http://{HOST}:{listener.getsockname()[1]}"
        self.url = f"{self.base_url}/v1"
        await self._furnish(app, folder, life)
        await runner.setup()
        life.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener, backlog=BACKLOG).start()

    async def _furnish(self, app: web.Application, folder: Path, life: AsyncExitStack) -> None:
        clock = time.monotonic
        book = TaskBook(self.settings, self.base_url)
        self.ledger = Ledger(book, self.settings, clock)
        pictures = Pictures(folder, self.base_url)
        studio = Studio(folder)
        life.push_async_callback(studio.close)
        clips = Clips(studio, self.settings, self.ledger)
        life.push_async_callback(clips.close)
        callbacks = await life.enter_async_context(Callbacks(book, self.ledger, clips, clock))
        service = Service(
            settings=self.settings,
            book=book,
            ledger=self.ledger,
            pictures=pictures,
            clips=clips,
            callbacks=callbacks,
            outcomes=self.outcomes,
            clock=clock,
        )
        journal = Journal(self.ledger)
        Routes(service, self.settings, self.ledger, pictures, journal).add_to(app)
        Control(self.settings, self.ledger, self.outcomes, journal, book).add_to(app)
        self.faults.add_routes(app)


def _bound(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    return listener
