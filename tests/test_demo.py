"""`python -m bot demo`: the whole story on this machine, and an honest end to it."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.test_command_line import assert_plain
from tests.town import (
    clean_environment,
    command,
    end_of,
    film,
    photo_file,
    started_command,
    until,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
FAST = ("--render-seconds", "0", "--port", "0")
OPERATORS_OWN = {
    "DISCORD_TOKEN": "the-operators-real-token",
    "RUNWARE_API_KEY": "the-operators-real-key",
    "ANIMATE_MEMBER_MONTHLY_USD": "0",
    "ANIMATE_DATA_DIR": "precious",
    "ANIMATE_TYPO": "x",
}


@pytest.fixture
def photo(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A picture on the disk; of a shape of choice, by indirect parametrization."""
    path = tmp_path / "my photo.png"
    path.write_bytes(photo_file(*getattr(request, "param", (640, 360))))
    return path


Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def started(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a demo, which does not outlive a test that fails."""
    running: list[asyncio.subprocess.Process] = []

    async def start(*arguments: str | Path, **settings: str) -> asyncio.subprocess.Process:
        process = await started_command("demo", *arguments, settings=settings, folder=tmp_path)
        running.append(process)
        return process

    yield start
    for process in running:
        if process.returncode is None:
            process.terminate()
            await end_of(process, within=15)


@pytest.mark.parametrize(
    ("photo", "size"),
    [
        pytest.param((1600, 900), "1280×720", id="landscape"),
        pytest.param((900, 1600), "720×1280", id="portrait"),
        pytest.param((800, 800), "720×720", id="square"),
    ],
    indirect=["photo"],
)
async def test_a_demo_with_ones_own_picture_tells_the_story_and_keeps_the_clip(
    tmp_path: Path, photo: Path, size: str
) -> None:
    ended = await command(
        *("demo", "--once", "--image", photo, "--data", tmp_path / "kept", *FAST), folder=tmp_path
    )
    assert_plain(ended, 0)
    for part in (
        "local Discord and local Runware are up",
        "animate-bot is online and has published /animate",
        "Mia: /animate image: my photo.png",
        "thinking",
        "Queued",
        f"clip posted: {size}, 5.00 s, 150 frames, h264",
    ):
        assert part in ended.out
    receipt = re.search(r"^ +5 s · .*?(\$[\d.]+)", ended.out, re.MULTILINE)
    books = re.search(r"own books: (\d+) task, (\$[\d.]+) billed$", ended.out, re.MULTILINE)
    assert receipt is not None
    assert books is not None
    assert books.groups() == ("1", receipt[1])
    saved = re.search(r"saved as (.+\.mp4)$", ended.out, re.MULTILINE)
    assert saved is not None
    assert size_of(Path(saved[1])) == size


async def test_a_file_that_is_no_picture_ends_the_demo_with_what_mia_was_told(
    tmp_path: Path,
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a picture")
    ended = await command("demo", "--once", "--image", text, *FAST, folder=tmp_path)
    assert_plain(ended, 1)
    assert "Can't read that file" in ended.err
    assert "You were not charged." in ended.err


@pytest.mark.parametrize("name", ["missing.png", ".", "no/such/folder.png"])
async def test_a_picture_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    ended = await command("demo", "--image", name, *FAST, folder=tmp_path)
    assert_plain(ended, 1)
    assert ended.err == f"{Path(name)} is not a file. Name a picture with --image.\n"
    assert ended.out == ""


async def test_a_picture_that_discord_does_not_take_is_no_crash(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(30 * 1024 * 1024))
    ended = await command("demo", "--once", "--image", large, *FAST, folder=tmp_path)
    assert_plain(ended, 1)
    assert "too powerful" in ended.err


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", [b"are up", b"Animating"])
async def test_a_demo_that_is_stopped_in_the_middle_leaves_nobody_and_nothing_behind(
    started: Start, tmp_path: Path, moment: bytes, number: signal.Signals
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = await started(
        *("--once", "--render-seconds", "600", "--port", "0", "--data", tmp_path / "kept"),
        TMPDIR=str(temporary),
    )
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readuntil(moment), 20)
    family = children(process.pid)
    assert family or moment == b"are up"
    assert list(temporary.iterdir())
    process.send_signal(number)
    process.send_signal(number)  # a second one does not disturb the end
    assert_plain(await end_of(process, within=15), 130)
    await until(lambda: not any(map(is_alive, family)))
    assert list(temporary.iterdir()) == []


@linux
async def test_a_demo_in_the_background_where_ctrl_c_is_ignored_is_stopped_all_the_same(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", "trap '' INT; exec \"$@\"", "sh"),
        *(sys.executable, "-m", "bot", "demo", "--once", "--render-seconds", "600", "--port", "0"),
        env=clean_environment(),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readuntil(b"are up"), 20)
    process.send_signal(signal.SIGTERM)
    assert_plain(await end_of(process, within=15), 130)


@linux
@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"next": "moderated"}, "The video service declined this"),
        ({"next": "failed", "code": "insufficientCredits"}, "Paused"),
    ],
)
async def test_a_job_that_ends_without_a_clip_ends_the_demo_at_once_whatever_it_is_called(
    started: Start, outcome: dict[str, str], words: str
) -> None:
    process = await started("--once", *FAST)
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readuntil(b"are up"), 20)
    await until(lambda: runware_of(process.pid))
    url = f"{runware_of(process.pid)}/sandbox/control/outcomes"
    async with aiohttp.ClientSession() as http, http.post(url, json=[outcome]) as response:
        assert response.status == 204
    ended = await end_of(process, within=30)
    assert_plain(ended, 1)
    assert words in ended.err
    assert "You were not charged." in ended.err


async def test_without_once_it_brings_a_picture_stays_up_and_touches_nothing_of_the_operators(
    started: Start, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("ANIMATE_MEMBER_MONTHLY_USD=0\n")
    process = await started(*FAST, **OPERATORS_OWN)
    assert process.stdout is not None
    shown = (await asyncio.wait_for(process.stdout.readuntil(b"Ctrl-C"), 50)).decode()
    assert "clip posted" in shown
    assert re.search(r"Open http://127\.0\.0\.1:\d+/\S* and try it", shown)

    process.send_signal(signal.SIGTERM)
    ended = await end_of(process, within=15)
    assert_plain(ended, 0)
    names, logs = left_in(tmp_path)
    assert names == [".env", "animate-demo"]
    assert "the-operators-real" not in shown + ended.text + logs


def size_of(clip: Path) -> str:
    width, height = film(clip.read_bytes()).size
    return f"{width}×{height}"


def left_in(folder: Path) -> tuple[list[str], str]:
    """What is in a folder now, and what the bots below it have logged."""
    names = sorted(path.name for path in folder.iterdir())
    return names, "".join(path.read_text() for path in folder.rglob("bot.log"))


def stat(pid: int) -> list[str]:
    """What Linux says of a process: its state, its parent, and more; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def children(parent: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    every = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    own = [pid for pid in every if stat(pid)[1:2] == [str(parent)]]
    return [one for pid in own for one in (pid, *children(pid))]


def runware_of(demo: int) -> str:
    """Where a demo's local Runware is, from the settings of its bot; empty before there is one."""
    given = [Path(f"/proc/{pid}/environ").read_text() for pid in children(demo)]
    found = re.search(r"ANIMATE_RUNWARE_API=([^\0]+)/v1\0", "".join(given))
    return found[1] if found else ""


def is_alive(pid: int) -> bool:
    return stat(pid)[:1] not in ([], ["Z"])
