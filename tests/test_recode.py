"""Copies of clips, made by the real process: they fit, are the same clip, and play anywhere."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from bot.clip import Facts, probe
from bot.copies import Copies, Original, recoded
from bot.errors import CopyFailed
from bot.places import MIB
from bot.recode import sides, worthwhile
from tests.conftest import ROOT
from tests.corridor import clip
from tests.footage import Film, likeness, make
from tests.town import until

SMALL = Film(megabytes=0.6, width=320, height=180)
Studio = Callable[[str, Film], Original]


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Makes films, each once."""
    folder = tmp_path_factory.mktemp("films")

    def made(suffix: str, film: Film) -> Original:
        path = folder / f"{hash((suffix, film)):x}{suffix}"
        if not path.exists():
            make(path, film)
        return Original(path, probe(path))

    return made


async def copied(original: Original, folder: Path, most_bytes: int) -> Path:
    target = folder / "copy.mp4"
    await recoded(original.path, target, most_bytes)
    return target


def frames_of(path: Path) -> int:
    return probe(path, whole=True).frames


# --- The sizes that it may get; `test_sizes.py` has whether it fits ------------------------------


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1280, 720, [(1280, 720), (960, 540), (640, 360)]),
        (720, 1280, [(720, 1280), (540, 960), (360, 640)]),
        (720, 720, [(720, 720), (540, 540), (360, 360)]),
        (853, 479, [(852, 478), (642, 360)]),
        (64, 48, [(64, 48)]),
    ],
)
def test_the_ladder_keeps_the_shape_and_has_even_sides(
    width: int, height: int, expected: list[tuple[int, int]]
) -> None:
    assert list(sides(width, height)) == expected


def test_a_clip_gets_fewer_pixels_where_its_bits_are_too_few_for_all() -> None:
    facts = Facts(width=1280, height=720, duration=10, frames=300, codec="h264", size=1)
    assert worthwhile(facts, 8_000_000)[0] == (1280, 720)
    assert worthwhile(facts, 400_000) == [(960, 540), (640, 360)]
    assert worthwhile(facts, 10_000) == [(640, 360)]
    assert worthwhile(facts, 0) == []


async def test_where_its_size_does_not_fit_the_next_smaller_one_is_taken(
    studio: Studio, tmp_path: Path
) -> None:
    original = studio(".mp4", Film(megabytes=2, seconds=2, width=854, height=480))
    copy = await copied(original, tmp_path, 40_000)

    made = probe(copy, whole=True)
    assert (made.width, made.height) == (640, 360)
    assert made.size <= 40_000
    assert made.frames == 60


async def test_what_no_step_fits_is_said_for_good_and_leaves_nothing(
    studio: Studio, tmp_path: Path
) -> None:
    left = tmp_path.iterdir
    with pytest.raises(CopyFailed, match="nothing of") as caught:
        await copied(studio(".mp4", SMALL), tmp_path, 3000)
    assert caught.value.is_final
    assert list(left()) == []


# --- It plays anywhere ---------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
async def test_what_is_only_packed_otherwise_is_packed_anew_and_not_encoded(
    studio: Studio, tmp_path: Path, suffix: str
) -> None:
    original = studio(suffix, SMALL)
    assert not original.facts.plays_everywhere
    copy = await copied(original, tmp_path, MIB)

    assert probe(copy).plays_everywhere
    assert frames_of(copy) == frames_of(original.path) == 30
    assert likeness(original.path, copy, every=1) == 1.0


@pytest.mark.parametrize(
    ("suffix", "film"),
    [
        (".webm", Film(megabytes=0.3, width=320, height=180, codec="libvpx-vp9")),
        (".mp4", Film(megabytes=0.6, width=320, height=180, pixels="yuv444p")),
        (".mp4", Film(megabytes=0.6, width=321, height=181, pixels="yuv444p")),
    ],
    ids=["WEBM", "all colours", "odd sides"],
)
async def test_what_phones_do_not_play_is_encoded_anew(
    studio: Studio, tmp_path: Path, suffix: str, film: Film
) -> None:
    original = studio(suffix, film)
    assert not original.facts.plays_everywhere
    copy = await copied(original, tmp_path, 2 * MIB)

    made = probe(copy, whole=True)
    assert made.plays_everywhere
    assert (made.width, made.height) == (320, 180)
    assert made.frames == 30
    assert made.duration == pytest.approx(1.0, abs=1 / 30)


@pytest.mark.parametrize(("suffix", "limit"), [(".mov", MIB), (".mp4", 400_000)])
async def test_sound_comes_along(studio: Studio, tmp_path: Path, suffix: str, limit: int) -> None:
    film = Film(megabytes=0.6, seconds=2, width=320, height=180, has_sound=True)
    copy = await copied(studio(suffix, film), tmp_path, limit)

    assert copy.stat().st_size <= limit
    with av.open(str(copy)) as container:
        heard = sum(frame.samples for frame in container.decode(audio=0))
    assert heard / 48_000 == pytest.approx(2.0, abs=0.1)
    assert frames_of(copy) == 60


async def test_a_copy_begins_to_play_before_it_is_all_there(studio: Studio, tmp_path: Path) -> None:
    for limit in (MIB, 300_000):
        content = (await copied(studio(".mov", SMALL), tmp_path, limit)).read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")


# --- The process ---------------------------------------------------------------------------------


async def test_what_is_no_clip_is_refused_for_good(tmp_path: Path) -> None:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(b"\0noise" * 1000)
    with pytest.raises(CopyFailed, match="ClipBroken") as caught:
        await recoded(noise, tmp_path / "copy.mp4", MIB)
    assert caught.value.is_final


def script(folder: Path, *lines: str) -> str:
    """Make what is started in the place of Python: SOURCE is `$3`, TARGET `$4`."""
    path = folder / "python"
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o700)
    return str(path)


async def test_a_process_that_takes_too_long_is_killed_and_what_it_has_written_is_removed(
    tmp_path: Path,
) -> None:
    target, left = tmp_path / "copy.mp4", tmp_path.glob
    idle = script(tmp_path, 'echo half > "$4.$$.part"', "exec sleep 60")
    with pytest.raises(CopyFailed, match=r"within 0\.5 s") as caught:
        await recoded(tmp_path / "clip.mp4", target, MIB, python=idle, within=0.5)
    assert not caught.value.is_final
    assert not list(left("*.part"))


async def test_a_process_that_dies_or_does_not_start_is_no_end_of_the_clip(
    studio: Studio, tmp_path: Path
) -> None:
    for python in (script(tmp_path, "kill -9 $$"), str(tmp_path / "nowhere")):
        with pytest.raises(CopyFailed) as caught:
            await recoded(studio(".mp4", SMALL).path, tmp_path / "copy.mp4", MIB, python=python)
        assert not caught.value.is_final


async def test_it_knows_nothing_of_the_bots_surroundings(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a-secret")
    curious = script(tmp_path, f'/usr/bin/env > "{tmp_path}/seen"')
    await recoded(studio(".mp4", SMALL).path, tmp_path / "copy.mp4", MIB, python=curious)
    seen = (tmp_path / "seen").read_text()
    assert "PWD" in seen
    assert "a-secret" not in seen


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
async def test_it_ends_with_the_bot(studio: Studio, tmp_path: Path) -> None:
    long = studio(".mp4", Film(megabytes=4, seconds=10, width=640, height=360))
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PARENT, str(long.path), str(tmp_path / "copy.mp4")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    await until(lambda: not Path(f"/proc/{child}").exists() or _is_dead(child))


_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "bot.recode", *sys.argv[1:], "1000000"],
                         stdin=subprocess.PIPE)
print(child.pid, flush=True)
time.sleep(60)
"""


def _is_dead(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


# --- Kept beside the clip ------------------------------------------------------------------------


class Recoder:
    """Makes copies by no process, and counts."""

    def __init__(self, *contents: bytes) -> None:
        self.contents = list(contents)
        self.asked = 0
        self.running = 0
        self.most_running = 0

    async def __call__(self, source: Path, target: Path, most_bytes: int) -> None:
        del source, most_bytes
        self.asked += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(0.01)
        await asyncio.to_thread(target.write_bytes, self.contents.pop(0))
        self.running -= 1


def kept(folder: Path) -> Original:
    path = folder / "job-0.mp4"
    path.write_bytes(clip(20))
    return Original(path, probe(path))


async def test_a_copy_is_made_once_for_each_limit(tmp_path: Path) -> None:
    recoder = Recoder(clip(), clip(6))
    copies, original = Copies(recoder), kept(tmp_path)
    first = await copies.fitting(original, 10_000)
    assert await copies.fitting(original, 10_000) == first
    other = await copies.fitting(original, 20_000)
    assert recoder.asked == 2
    assert {first.name, other.name} == {"job-0.10000.mp4", "job-0.20000.mp4"}


async def test_a_copy_that_a_power_cut_has_left_in_half_is_made_anew(tmp_path: Path) -> None:
    recoder, original = Recoder(clip()), kept(tmp_path)
    half = clip()[: len(clip()) // 2]
    original.path.with_name("job-0.10000.mp4").write_bytes(half)
    copy = await Copies(recoder).fitting(original, 10_000)
    assert copy.read_bytes() == clip()


async def test_what_is_made_and_is_no_video_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(CopyFailed):
        await Copies(Recoder(b"noise")).fitting(kept(tmp_path), 10_000)


async def test_one_copy_is_made_at_a_time(tmp_path: Path) -> None:
    recoder = Recoder(*[clip()] * 4)
    copies, original = Copies(recoder), kept(tmp_path)
    await asyncio.gather(*(copies.fitting(original, 10_000 + n) for n in range(4)))
    assert (recoder.asked, recoder.most_running) == (4, 1)
