"""Rows of large clips: the memory that each takes on its way, and what a smaller copy costs.

The floor of memory is a bare script that posts the same file from the disk. The peer of copies is
the `ffmpeg` command with the same encoder's same settings.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bot.clip import probe
from bot.places import MIB
from bot.recode import PRESET, THREADS
from bot.sandbox.discord.server import LocalDiscord
from bot.sandbox.person import Person
from tests.bench.answers import Answers, animate
from tests.bench.clips import padded, posted
from tests.bench.doors import RUNTIME, SETTLED, Town, ours, resident_mb
from tests.bench.service import service
from tests.bench.table import Row
from tests.conftest import ROOT
from tests.footage import Film, likeness, make

TOGETHER = 4
"""As many as the bot posts at once."""
ROUNDS = 2
_BYTES = 20_000_000
_RENDER_SECONDS = 5.0
"""Time enough for the pictures' processes to be done."""
_LIMIT = 10 * MIB
_FILM = Film(megabytes=24, seconds=10)


async def measure() -> list[Row]:
    """Measure all rounds and return the rows."""
    return [await _memory_row(), *await _copy_rows()]


# --- Memory --------------------------------------------------------------------------------------


async def _memory_row() -> Row:
    mine, floor = [], []
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            clip = Path(name) / "clip.mp4"
            await asyncio.to_thread(clip.write_bytes, padded(number, _BYTES))
            mine.append(await _delivered(clip))
            floor.append(await _streamed(clip))
    return Row(
        what=f"{TOGETHER} clips of {_BYTES / 1e6:g} MB at once, memory for each",
        unit="MB",
        ours=mine,
        floor=floor,
        floor_name="bare script, from disk",
        most_above=3,
    )


async def _delivered(clip: Path) -> float:
    """Return the megabytes that each takes in the production bot, from ready to posted."""
    settings = {"canned": True, "canned_clip": str(clip), "stagger": 0}
    async with (
        LocalDiscord() as discord,
        service(render_seconds=_RENDER_SECONDS, balance_micro=10**12, **settings) as runware,
        Person(discord.url, "Mia") as mia,
        ours(Town(discord, runware.url, clip.parent)) as process,
    ):
        discord.set_limits({"rate_limits_enabled": False})
        await mia.wait_for_bot(within=30)
        await mia.wait_for_command("animate")
        await runware.order(next="success", render_seconds=0)
        answers = Answers(discord, mia)
        answers.send(await animate(mia))
        await posted(discord, 1)
        for command in [await animate(mia) for _ in range(TOGETHER)]:
            answers.send(command)
        await answers.all()
        await asyncio.sleep(SETTLED)
        before = _begin(process.pid)
        await posted(discord, 1 + TOGETHER)
        return (_peak_mb(process.pid) - before) / TOGETHER


async def _streamed(clip: Path) -> float:
    """Return the megabytes that each takes where nothing is done but posting."""
    async with LocalDiscord() as discord, Person(discord.url, "Mia") as mia:
        discord.set_limits({"rate_limits_enabled": False})
        process = await asyncio.create_subprocess_exec(
            *(str(RUNTIME), "-m", "tests.bench.streamer"),
            *(discord.api, mia.channel_id(), str(clip), str(TOGETHER)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        await process.stdout.readline()
        before = _begin(process.pid)
        process.stdin.write(b"\n")
        await process.stdout.readline()
        peak = _peak_mb(process.pid)
        await process.communicate(b"\n")
    return (peak - before) / TOGETHER


def _begin(pid: int) -> float:
    """Have the kernel note the peak from now on; return the megabytes that there are."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return resident_mb(pid)


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) * 1024 / 1e6


# --- Copies --------------------------------------------------------------------------------------


async def _copy_rows() -> list[Row]:
    ffmpeg = shutil.which("ffmpeg")
    mine, peer = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = await asyncio.to_thread(make, folder / "film.mp4", _FILM)
        copy, other = folder / "copy.mp4", folder / "other.mp4"
        for _ in range(ROUNDS):
            arguments = (str(film), str(copy), f"{_LIMIT}")
            mine.append(await _seconds(str(RUNTIME), "-m", "bot.recode", *arguments))
            if ffmpeg is not None:
                peer.append(await _seconds("nice", "-n10", ffmpeg, *_same(film, other)))
        facts = await asyncio.to_thread(probe, copy)
        unlike = 1 - await asyncio.to_thread(likeness, film, copy)
    size = f"{_FILM.megabytes:g} MB, {_FILM.seconds:g} s of 720p"
    what = f"{size} → a copy of {facts.size / MIB:.2f} MiB"
    return [
        Row(
            what=what if peer else f"{what} (there is no ffmpeg here to compare with)",
            unit="s",
            ours=mine,
            floor=peer,
            floor_name="ffmpeg",
            most_ratio=1.2 if peer else None,
        ),
        Row(what="… size", unit="MiB", ours=[facts.size / MIB], most_ours=_LIMIT / MIB),
        # Shown without a bound: no clip is as noise is. The tests have bounds for each size.
        Row(what="… unlike the clip (1 less SSIM), of noise", unit="", ours=[unlike]),
    ]


def _same(film: Path, copy: Path) -> Sequence[str]:
    """Return what has ffmpeg do as the bot does, at a rate that fits, and as low a priority."""
    rate = round(_LIMIT * 8 * 0.97 / _FILM.seconds)
    held = ("-b:v", f"{rate}", "-maxrate", f"{rate * 6 // 5}", "-bufsize", f"{rate}")
    encoder = ("-c:v", "libx264", "-preset", PRESET, "-profile:v", "high", "-threads", f"{THREADS}")
    rest = ("-x264-params", "ratetol=0.1", "-movflags", "+faststart", "-y", str(copy))
    reader = ("-v", "error", "-nostdin", "-threads", f"{THREADS}", "-i", str(film))
    return (*reader, *encoder, *held, *rest)


async def _seconds(*command: str) -> float:
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,  # ours ends when it is closed
        stderr=sys.stderr,
    )
    if await process.wait():
        raise RuntimeError(f"{command[0]} ends with {process.returncode}")
    return time.perf_counter() - begun
