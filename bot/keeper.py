"""The files of clips: kept until they are posted, for a settable time after, and then swept.

A cap on all of them together is held by what was posted, oldest first; a clip that waits to be
posted is never removed to make room. `handover.py` puts files here, `Keeper` goes round by itself,
and has the tokens of private answers go that have expired.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.answers import Answers
from bot.errors import StoreError
from bot.lifecycle import Clip
from bot.media import MEGABYTE
from bot.shelf import Shelf
from bot.store import Store

log = logging.getLogger(__name__)

_ROUND = 60.0
"""Seconds from one sweep to the next: the cap holds but for the clips of a minute."""
_HOUR = 3600 * 1000
"""Milliseconds between two reports of what waits."""
_ID_LENGTH = 36
"""Characters of a job's id, with which the names of its files begin."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size: int
    posted_at: float
    """Unix seconds; of a clip that is not posted yet, when it was downloaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFiles:
    """The folder. A file's own time is the moment at which its clip was posted."""

    folder: Path
    keep_for: float
    """Seconds after a clip was posted; 0 is not at all."""
    most_bytes: int

    def path(self, clip: Clip) -> Path:
        """Where a clip is kept; there is room for it."""
        suffix = Path(clip.url.partition("?")[0]).suffix or ".mp4"
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{clip.job_id}-{clip.ordinal}{suffix}"

    def release(self, paths: Iterable[Path], now: int) -> None:
        """Note that these are posted now, in Unix milliseconds; what stays behind is swept.

        With them go the copies that were made of them, and what a crash has left of one.
        """
        names = tuple(f"{path.stem}." for path in paths)
        for entry in self._entries():
            if not entry.name.startswith(names):
                continue
            try:
                if self.keep_for:
                    os.utime(entry, (now / 1000, now / 1000))
                else:
                    Path(entry).unlink(missing_ok=True)
            except OSError as error:
                log.warning("a posted clip is not put away: %s", error)

    def remove(self, job_id: str) -> None:
        """Remove what is kept of a job: it was deleted. What stays behind is swept."""
        for path in self.folder.glob(f"{job_id}-*"):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("a deleted clip's file stays behind: %s", error)

    def listed(self) -> list[_File]:
        """Return the files that are there, those of the longest ago first.

        A folder in it is somebody else's, such as a storage's own, and is left alone.
        """
        files = []
        for entry in self._entries():
            with contextlib.suppress(FileNotFoundError):  # a download has just been finished
                if entry.is_file(follow_symlinks=False):
                    stat = entry.stat()
                    files.append(_File(Path(entry), stat.st_size, stat.st_mtime))
        return sorted(files, key=lambda file: file.posted_at)

    def _entries(self) -> list[os.DirEntry[str]]:
        """List the folder, which may have thousands of entries."""
        try:
            with os.scandir(self.folder) as entries:
                return list(entries)
        except FileNotFoundError:
            return []

    def sweep(self, files: Iterable[_File], open_jobs: Container[str], now: int) -> int:
        """Remove what was kept for long enough, and more where all take more than they may.

        `files` were listed before `open_jobs` were read, so a clip of none of them is done with.
        Returns the bytes that are left, with those of a file that cannot be removed.
        """
        files = list(files)
        left = sum(file.size for file in files)
        for file in files:
            if file.path.name[:_ID_LENGTH] in open_jobs:
                continue
            if now / 1000 - file.posted_at >= self.keep_for or left > self.most_bytes:
                try:
                    file.path.unlink(missing_ok=True)
                except OSError as error:
                    log.warning("a file among the clips cannot be removed: %s", error)
                else:
                    left -= file.size
        return left


class Keeper:
    """Goes round `every` so many seconds; tells the operator each hour what waits to be posted."""

    def __init__(
        self,
        files: ClipFiles,
        store: Store,
        shelf: Shelf,
        answers: Answers,
        clock: Callable[[], int],
        *,
        every: float = _ROUND,
    ) -> None:
        self._files = files
        self._store = store
        self._shelf = shelf
        self._answers = answers
        self._clock = clock
        self._every = every
        self._is_full = False
        self._told_at = 0
        self._going: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to go round, at once."""
        self._going = asyncio.create_task(self._go())

    async def stop(self) -> None:
        """Go round no more."""
        if self._going is not None:
            self._going.cancel()
            await asyncio.wait([self._going])

    async def round(self) -> None:
        """Sweep, and say what the operator should know. Raises `StoreError` or `OSError`."""
        now = self._clock()
        await self._answers.sweep()
        files = await asyncio.to_thread(self._files.listed)
        open_jobs = await self._store.open_jobs()
        left = await asyncio.to_thread(self._files.sweep, files, open_jobs, now)
        self._tell_if_full(left)
        if now - self._told_at >= _HOUR:
            self._told_at = now
            await self._tell_what_waits(now)

    def _tell_if_full(self, left: int) -> None:
        was_full, self._is_full = self._is_full, left > self._files.most_bytes
        if self._is_full and not was_full:
            log.error(
                "clips that wait to be posted take %d MB of %d MB (ANIMATE_KEEP_CLIPS_MAX_MB);"
                " they are kept, and more come: see why they cannot be posted, or give them room",
                left // MEGABYTE,
                self._files.most_bytes // MEGABYTE,
            )

    async def _tell_what_waits(self, now: int) -> None:
        waiting = await self._shelf.waiting()
        if waiting.since is not None:
            log.warning(
                "paid clips that wait to be posted: %d, the oldest asked for %.1f hours ago",
                waiting.clips,
                (now - waiting.since) / _HOUR,
            )

    async def _go(self) -> None:
        while True:
            try:
                await self.round()
            except (StoreError, OSError) as error:
                log.warning("clips could not be swept: %s", error)
            except Exception:
                log.exception("a sweep of the clips broke; the next comes all the same")
            await asyncio.sleep(self._every)
