"""Rows of pictures: what it takes to make a frame of one, and what the bot feels of that.

The floor is bare Pillow with its best settings. Decoding is also measured as the bot has it done,
in processes apart, beside the same in two threads of its own. Memory is that of a process that does
nothing else.
"""

import asyncio
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling, Transpose

from bot.darkroom import AT_ONCE, Darkroom
from bot.image import Rules, prepare
from bot.intake import Prepare, in_a_thread
from bot.wish import Fit
from tests.bench.table import Row
from tests.conftest import ROOT
from tests.gallery import encoded
from tests.test_hostile import HOSTILE

ROUNDS = 9
TOGETHER = 8
PANORAMAS = 3
_TICK = 0.001
WIDE, TALL = (1280, 720), (720, 1280)
RULES = Rules(
    sizes=(WIDE, (720, 720), TALL), least_side=300, most_side=2048, most_pixels=64_000_000
)


async def measure() -> list[Row]:
    """Measure all rounds and return the rows."""
    phone = encoded(photo((3000, 4000)), "JPEG", 6, quality=92, subsampling=2)
    return [
        *_frame_rows(phone),
        *await _process_rows(phone),
        *[await _lag_row(kind, data) for kind, data in _crowd(phone).items()],
        *_panorama_rows(),
        *_hostile_rows(),
    ]


def photo(size: tuple[int, int]) -> Image.Image:
    """A picture with detail of every size, and a little noise, as a phone takes it."""
    chance = np.random.default_rng(1)
    whole = np.zeros((size[1], size[0], 3), np.float32)
    for share in (4, 16, 64, 256):
        few = chance.integers(0, 256, (share, share, 3), dtype=np.uint8)
        large = Image.fromarray(few).resize(size, Resampling.BICUBIC)
        whole += np.asarray(large, np.float32) / 4
    whole += chance.normal(0, 4, whole.shape).astype(np.float32)
    return Image.fromarray(whole.clip(0, 255).astype(np.uint8))


# --- One picture ---------------------------------------------------------------------------------


def bare(data: bytes, *, is_drafted: bool = True) -> bytes:
    """Do the same by hand: for a picture that is known to lie on its side, and to be tall."""
    image = Image.open(io.BytesIO(data))
    if is_drafted:
        image.draft(None, WIDE)
    width, height = image.size
    cut = (height - width * 9 / 16) / 2
    frame = image.resize(WIDE, Resampling.LANCZOS, box=(0, cut, width, height - cut))
    out = io.BytesIO()
    frame.transpose(Transpose.ROTATE_270).save(out, "JPEG", quality=92, subsampling=0)
    return out.getvalue()


def _frame_rows(phone: bytes) -> list[Row]:
    mine, floor = _in_turn(partial(prepare, phone, RULES), partial(bare, phone), ROUNDS)
    unlike = 1 - ssim(prepare(phone, RULES).jpeg, bare(phone, is_drafted=False))
    return [
        Row(
            what="12-megapixel phone JPEG → frame",
            unit="ms",
            ours=mine,
            floor=floor,
            floor_name="bare Pillow, draft",
            most_ratio=1.1,
        ),
        Row(what="… unlike the full decode (1 less SSIM)", unit="", ours=[unlike], most_ours=0.02),
    ]


def _in_turn(
    mine: Callable[[], object], floor: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each, after one round that does not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for place, work in enumerate((mine, floor)):
            begun = time.perf_counter()
            work()
            if number:
                taken[place].append((time.perf_counter() - begun) * 1000)
    return taken


def ssim(one: bytes, other: bytes) -> float:
    """Return how alike two pictures are to the eye, up to 1: the mean over windows of 8 × 8."""
    a, b = (
        np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"), np.float64) for jpeg in (one, other)
    )
    mean_a, mean_b = _windows(a), _windows(b)
    var_a, var_b = _windows(a * a) - mean_a**2, _windows(b * b) - mean_b**2
    shared = _windows(a * b) - mean_a * mean_b
    light, contrast = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mean_a * mean_b + light) * (2 * shared + contrast)
    return float((alike / ((mean_a**2 + mean_b**2 + light) * (var_a + var_b + contrast))).mean())


def _windows(values: NDArray[np.float64], side: int = 8) -> NDArray[np.float64]:
    """Return the mean of each window."""
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    total = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.asarray(total / side**2)


# --- As the bot has it done ----------------------------------------------------------------------


async def _process_rows(phone: bytes) -> list[Row]:
    async def timed(room: Darkroom) -> float:
        begun = time.perf_counter()
        await room.prepare(phone, RULES)
        return (time.perf_counter() - begun) * 1000

    room = Darkroom()
    first = []
    for _ in range(3):
        await room.close()
        room = Darkroom()
        first.append(await timed(room))
    warm = [await timed(room) for _ in range(ROUNDS)]
    await room.close()
    floor = _in_turn(partial(prepare, phone, RULES), lambda: None, ROUNDS)[0]
    return [
        Row(
            what="… in a process apart",
            unit="ms",
            ours=warm,
            floor=floor,
            floor_name="in this one",
        ),
        Row(what="… with its start", unit="ms", ours=first),
    ]


def _crowd(phone: bytes) -> dict[str, bytes]:
    image = photo((4000, 3000))
    return {
        "phone JPEGs": phone,
        "12-megapixel WebPs": encoded(image, "WEBP", quality=80, method=0),
        "GIFs": encoded(image.resize((1600, 1200)).quantize(64), "GIF"),
    }


async def _lag_row(what: str, data: bytes) -> Row:
    room = Darkroom()
    await room.prepare(data, RULES)
    mine = [await _longest_lag(room.prepare, data) for _ in range(3)]
    await room.close()
    floor = [await _longest_lag(in_a_thread, data)]
    return Row(
        what=f"{TOGETHER} {what} at once, longest lag of the loop",
        unit="ms",
        ours=mine,
        floor=floor,
        floor_name="in two threads",
        most_ours=30,
        holds_for_each=True,
    )


async def _longest_lag(work: Prepare, data: bytes) -> float:
    """Return the most milliseconds that the loop was kept while `TOGETHER` were made."""
    places = asyncio.Semaphore(AT_ONCE)
    longest = 0.0

    async def one() -> None:
        async with places:
            await work(data, RULES, None, Fit.CROP)

    async def watch() -> None:
        nonlocal longest
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(_TICK)
            longest = max(longest, time.perf_counter() - begun - _TICK)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.05)
    await asyncio.gather(*(one() for _ in range(TOGETHER)))
    watching.cancel()
    return longest * 1000


# --- Large ones, and bad ones --------------------------------------------------------------------

_ALONE = """
import io, sys, time
from pathlib import Path
from PIL import Image, ImageCms, ImageOps, ImageStat
from tests.bench.pictures import RULES, WIDE, prepare
from tests.hostile import peak

def ours(data):
    prepare(data, RULES)

def bare(data):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    ImageOps.fit(image, WIDE, Image.Resampling.LANCZOS).save(io.BytesIO(), "JPEG", quality=92)

data = Path(sys.argv[2]).read_bytes()
ours(Path(sys.argv[3]).read_bytes())
before, begun = peak(), time.perf_counter()
{"ours": ours, "bare": bare}[sys.argv[1]](data)
print(time.perf_counter() - begun, peak() - before)
"""


def _panorama_rows() -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "small").write_bytes(encoded(photo((320, 180)), "PNG"))
        wide = photo((2500, 1250)).resize((10_000, 5000))
        for kind, options in (("PNG", {"compress_level": 1}), ("WEBP", {"method": 0})):
            (folder / "large").write_bytes(encoded(wide, kind, **options))
            every = [(_alone("ours", folder), _alone("bare", folder)) for _ in range(PANORAMAS)]
            for place, (unit, most) in enumerate((("s", 1.1), ("MB", 1.1))):
                rows.append(
                    Row(
                        what=f"50-megapixel {kind} → frame" if unit == "s" else "… extra memory",
                        unit=unit,
                        ours=[ours[place] for ours, _ in every],
                        floor=[bare[place] for _, bare in every],
                        floor_name="bare Pillow",
                        most_ratio=most,
                    )
                )
    return rows


def _alone(whose: str, folder: Path) -> tuple[float, float]:
    """Return the seconds and the megabytes that a process of its own took for the large picture."""
    ended = subprocess.run(
        [sys.executable, "-c", _ALONE, whose, folder / "large", folder / "small"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    seconds, size = ended.stdout.split()
    return float(seconds), float(size) / 1e6


def _hostile_rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        files = []
        for number, (made, _) in enumerate(HOSTILE.values()):
            files.append(Path(name) / str(number))
            files[-1].write_bytes(made())
        ended = subprocess.run(
            [sys.executable, "-m", "tests.hostile", *files],
            cwd=ROOT,
            env={"MALLOC_ARENA_MAX": "1"},
            capture_output=True,
            check=True,
        )
    *answers, last = map(json.loads, ended.stdout.splitlines())
    slowest = max(answer["seconds"] for answer in answers)
    return [
        Row(what=f"{len(files)} hostile files, the slowest", unit="s", ours=[slowest], most_ours=1),
        Row(what="… extra memory", unit="MB", ours=[last["more"] / 1e6], most_ours=100),
    ]
