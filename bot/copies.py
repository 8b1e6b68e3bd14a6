"""Copies of clips that fit and play everywhere: made by a process of its own, kept beside them.

A copy is named by what it had to fit into, so it is made once however often it is asked for. The
process (`recode.py`) has a low priority and a time limit, and a few at most run at once; whatever
becomes of it, the bot goes on. `packing.py` asks.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.clip import Facts, probe
from bot.errors import ClipBroken, CopyFailed

log = logging.getLogger(__name__)

Recode = Callable[[Path, Path, int], Awaitable[None]]
"""Makes a copy of the first file as the second one, of at most so many bytes. `CopyFailed`."""

AT_ONCE = 1
"""Of two processors' worth each."""
_WITHIN = 300.0
"""Seconds; a clip of ten seconds takes about as many."""
_NEVER = 3
"""The exit code with which it says that another try would be no better."""
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Original:
    """A clip as the service made it."""

    path: Path
    facts: Facts

    def fits(self, most_bytes: int) -> bool:
        """Tell whether it can be posted as it is."""
        return self.facts.plays_everywhere and self.facts.size <= most_bytes


class Copies:
    """`recode` makes one; by default in a process of its own."""

    def __init__(self, recode: Recode | None = None) -> None:
        self._recode = recode or recoded
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def fitting(self, original: Original, most_bytes: int) -> Path:
        """Return a copy of at most so many bytes. Raises `CopyFailed`."""
        path = original.path
        copy = path.with_name(f"{path.stem}.{most_bytes}.mp4")
        if await _is_whole(copy):
            return copy
        async with self._at_once:
            await self._recode(path, copy, most_bytes)
        if not await _is_whole(copy):
            raise CopyFailed(f"{copy.name} is no video")
        size = (await asyncio.to_thread(copy.stat)).st_size
        log.info("%s: a copy of %d bytes instead of %d", path.name, size, original.facts.size)
        return copy


async def _is_whole(copy: Path) -> bool:
    try:
        await asyncio.to_thread(probe, copy)
    except ClipBroken:
        return False
    return True


async def recoded(
    source: Path,
    target: Path,
    most_bytes: int,
    *,
    python: str = sys.executable,
    within: float = _WITHIN,
) -> None:
    """Have a process make a copy. Raises `CopyFailed`.

    It knows the two files and nothing else, no token either, and ends with this process.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *_command(python, source, target, most_bytes),
            stdin=asyncio.subprocess.PIPE,  # it ends when this is closed
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd=_ROOT,
            env={},
        )
    except OSError as error:
        raise CopyFailed(f"the encoding process does not start: {error}") from error
    assert process.stderr is not None
    try:
        async with asyncio.timeout(within):
            complaint = await process.stderr.read()
            code = await process.wait()
    except TimeoutError:
        raise CopyFailed(f"no copy within {within:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            _tidy(target, process.pid)
    if code:
        last = "".join(complaint.decode(errors="replace").strip().splitlines()[-1:])
        failed = CopyFailed(f"no copy, exit {code}: {last}")
        failed.is_final = code == _NEVER
        raise failed


def _command(python: str, source: Path, target: Path, most_bytes: int) -> Iterator[str]:
    yield from (python, "-m", "bot.recode")
    yield from (str(source.absolute()), str(target.absolute()), str(most_bytes))


def _tidy(target: Path, pid: int) -> None:
    """Remove what a process that was killed has left, by the name that it gives to it."""
    target.with_name(f"{target.name}.{pid}.part").unlink(missing_ok=True)
