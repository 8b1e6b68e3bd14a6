"""Where pictures are developed: a few processes, started with the first picture, ended soon after.

Owns these processes, how many there are, their time and their memory. What they do is `develop.py`,
where it is told why they are apart. Knows nothing of a picture but its bytes.
"""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.errors import DarkroomBroken, NotAccepting, PictureProblem, PictureRefused
from bot.framing import Size
from bot.image import Frame, Rules
from bot.preview import Preview
from bot.wish import Fit

AT_ONCE = 2
"""Two cores' worth, and a bound on memory."""
_WITHIN = 15.0
"""Seconds after which a picture is given up."""
_STARTS_WITHIN = 30.0
_LINGER = 30.0
"""Seconds that a process waits for another picture."""
_LARGE = 300_000_000
"""Bytes of memory: of the pictures that need more, one is decoded at a time."""
_MOST_BYTES = 32_000_000
_MOST_SAID = 40
_CHUNK = 1 << 20
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
"""All that they see of the bot's. Memory that is only set aside for threads would count as used."""

Answer = tuple[Mapping[str, Any], bytes]


class Darkroom:
    """`python` runs the processes. `close` it."""

    def __init__(
        self, *, python: str = sys.executable, within: float = _WITHIN, linger: float = _LINGER
    ) -> None:
        self._python = python
        self._within = within
        self._linger = linger
        self._places = asyncio.Semaphore(AT_ONCE)
        self._large = asyncio.Lock()
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._is_closed = False

    async def prepare(
        self, data: bytes, rules: Rules, size: Size | None = None, fit: Fit = Fit.CROP
    ) -> Frame:
        """Do as `image.prepare`. Raises `PictureRefused` and `DarkroomBroken`."""
        told, jpeg = await self._developed("prepare", data, rules, size, fit)
        return Frame(jpeg, _size(told))

    async def preview(
        self, data: bytes, rules: Rules, size: Size | None = None, fit: Fit = Fit.CROP
    ) -> Preview:
        """Do as `preview.preview`. Raises `PictureRefused` and `DarkroomBroken`."""
        told, jpeg = await self._developed("preview", data, rules, size, fit)
        return Preview(jpeg, _size(told), float(told["kept"]))

    async def close(self) -> None:
        """End all processes, and start none; a picture that is not done is `NotAccepting`."""
        self._is_closed = True
        await asyncio.gather(*map(self._end, list(self._workers)))

    async def _developed(
        self, do: str, data: bytes, rules: Rules, size: Size | None, fit: Fit
    ) -> Answer:
        order = {"do": do, "rules": asdict(rules), "size": size, "fit": fit}
        async with self._places, self._worker() as worker:
            told, jpeg = await worker.asked(order, data)
            if (needs := told.get("needs")) is not None:
                worker.is_spent = needs > _LARGE
                async with self._large if worker.is_spent else nullcontext():
                    told, jpeg = await worker.asked({})
        if (problem := told.get("problem")) is not None:
            found, limit = (str(told[name])[:_MOST_SAID] for name in ("found", "limit"))
            raise PictureRefused(PictureProblem(problem), found, limit)
        return told, jpeg

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator["_Worker"]:
        """Lend a process; one that failed, or took much memory, is not used again."""
        worker = self._waiting() or await self._start()
        try:
            self._check_open()
            yield worker
        except BaseException:
            worker.is_spent = True
            self._check_open()
            raise
        finally:
            if worker.is_spent:
                await self._end(worker)
            else:
                self._idle.append(worker)
                worker.leaving = asyncio.create_task(self._leave(worker))

    def _check_open(self) -> None:
        if self._is_closed:
            raise NotAccepting from None

    def _waiting(self) -> "_Worker | None":
        while self._idle:
            worker = self._idle.pop()
            worker.stay()
            if worker.is_alive:
                return worker
            self._workers.discard(worker)
        return None

    async def _start(self) -> "_Worker":
        self._check_open()
        try:
            process = await asyncio.create_subprocess_exec(
                *(self._python, "-m", "bot.develop"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,  # it would be what a stranger's file has a decoder say
                cwd=Path(__file__).parent.parent,
                env=_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C is the bot's to hear
            )
        except OSError as error:
            raise DarkroomBroken(f"no process starts: {error}") from error
        worker = _Worker(process, self._within)
        self._workers.add(worker)
        try:
            async with asyncio.timeout(_STARTS_WITHIN):
                await worker.heard()
        except (OSError, EOFError, ValueError) as error:
            await self._end(worker)
            self._check_open()
            raise DarkroomBroken(f"its process ends at once, exit {process.returncode}") from error
        return worker

    async def _leave(self, worker: "_Worker") -> None:
        await asyncio.sleep(self._linger)
        worker.leaving = None
        await self._end(worker)

    async def _end(self, worker: "_Worker") -> None:
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        await worker.end()


class _Worker:
    """One process of `develop.py`."""

    def __init__(self, process: Process, within: float) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._to = process.stdin
        self._back = process.stdout
        self._within = within
        self.is_spent = False
        self.leaving: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended by itself, as far as is known."""
        return self._process.returncode is None

    async def asked(self, order: Mapping[str, object], data: bytes = b"") -> Answer:
        """Return the answer; one that does not come, or makes no sense, is the picture's fault."""
        try:
            async with asyncio.timeout(self._within):
                self._to.write(json.dumps({**order, "bytes": len(data)}).encode() + b"\n")
                for start in range(0, len(data), _CHUNK):
                    self._to.write(data[start : start + _CHUNK])
                    await self._to.drain()
                return await self.heard()
        except TimeoutError:
            raise PictureRefused(PictureProblem.UNSAFE) from None
        except (OSError, EOFError, ValueError) as error:
            raise PictureRefused(PictureProblem.DAMAGED) from error

    async def heard(self) -> Answer:
        """Return what it says next."""
        told = json.loads(await self._back.readline())
        return told, await self._back.readexactly(min(int(told["bytes"]), _MOST_BYTES))

    def stay(self) -> None:
        """Do not leave: there is another picture."""
        if self.leaving is not None:
            self.leaving.cancel()
            self.leaving = None

    async def end(self) -> None:
        """Kill the process and wait until it is gone."""
        self.stay()
        if self.is_alive:
            self._process.kill()
        self._to.close()
        await self._process.wait()


def _size(told: Mapping[str, Any]) -> Size:
    width, height = told["size"]
    return int(width), int(height)
