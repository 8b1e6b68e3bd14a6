"""Pictures are opened in processes apart: few, short-lived, killed when they must be, and poor."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.darkroom import AT_ONCE, Darkroom
from bot.errors import DarkroomBroken, NotAccepting, PictureProblem, PictureRefused
from bot.image import Rules, prepare
from bot.preview import preview
from bot.wish import Fit
from tests.corridor import picture
from tests.gallery import lying

RULES = Rules(
    sizes=((320, 180), (180, 180), (180, 320)), least_side=75, most_side=512, most_pixels=4_000_000
)
GREETS = """echo '{"bytes": 0}'"""
NEEDS_MUCH = """echo '{"needs": 400000000, "bytes": 0}'"""
Make = Callable[..., Darkroom]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Make a darkroom whose processes write down that they start, and may run `script` instead."""
    rooms: list[Darkroom] = []

    def made(script: str = f'exec {sys.executable} "$@"', **options: Any) -> Darkroom:
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/pids\n{script}\n")
        program.chmod(0o755)
        rooms.append(Darkroom(python=str(program), **options))
        return rooms[-1]

    yield made
    for room in rooms:
        await room.close()
    assert not any(map(is_alive, pids(tmp_path)))


def pids(folder: Path) -> list[int]:
    """Return the processes that were started, in their order."""
    file = folder / "pids"
    return [int(line) for line in file.read_text("ascii").split()] if file.exists() else []


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def oom_score(pid: int) -> int | None:
    """Return how readily the system kills a process; None where it has no such score."""
    file = Path(f"/proc/{pid}/oom_score_adj")
    return int(file.read_text("ascii")) if file.exists() else None


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)


async def refusal(room: Darkroom, data: bytes = b"a stranger's file") -> PictureRefused:
    with pytest.raises(PictureRefused) as refused:
        await room.prepare(data, RULES)
    return refused.value


@pytest.mark.parametrize("size", [None, (180, 320)])
@pytest.mark.parametrize("fit", Fit)
async def test_a_process_apart_does_what_the_bot_itself_would(
    make: Make, size: tuple[int, int] | None, fit: Fit
) -> None:
    room = make()
    assert await room.prepare(picture(), RULES, size, fit) == prepare(picture(), RULES, size, fit)
    assert await room.preview(picture(), RULES, size, fit) == preview(picture(), RULES, size, fit)


async def test_a_refusal_comes_with_its_facts_and_harms_nobody_after_it(
    make: Make, tmp_path: Path
) -> None:
    room = make()
    small = await refusal(room, picture(20, 30))
    assert (small.problem, small.found, small.limit) == (
        PictureProblem.TOO_SMALL,
        "20×30",
        "32 pixels",
    )
    assert (await refusal(room, b"hello, I am a text")).problem is PictureProblem.NOT_A_PICTURE
    assert (await room.prepare(picture(), RULES)).size == (320, 180)
    assert len(pids(tmp_path)) == 1


async def test_many_pictures_share_a_few_processes(make: Make, tmp_path: Path) -> None:
    room = make()
    for _ in range(2):
        await asyncio.gather(*(room.prepare(picture(), RULES) for _ in range(4 * AT_ONCE)))
    assert len(pids(tmp_path)) == AT_ONCE


async def test_no_process_is_there_before_the_first_picture_or_long_after_the_last(
    make: Make, tmp_path: Path
) -> None:
    room = make(linger=0.2)
    assert pids(tmp_path) == []
    await room.prepare(picture(), RULES)
    (first,) = pids(tmp_path)
    assert is_alive(first)

    await until(lambda: not is_alive(first))
    await room.prepare(picture(), RULES)
    assert len(pids(tmp_path)) == 2


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        pytest.param(f"{GREETS}; read line; kill -9 $$", PictureProblem.DAMAGED, id="killed"),
        pytest.param(f"{GREETS}; read line; echo hello", PictureProblem.DAMAGED, id="nonsense"),
        pytest.param(f"{GREETS}; exec sleep 60", PictureProblem.UNSAFE, id="takes for ever"),
        pytest.param(
            f"{GREETS}; {NEEDS_MUCH}; exec sleep 60", PictureProblem.UNSAFE, id="decodes for ever"
        ),
    ],
)
async def test_a_picture_that_its_process_does_not_survive_is_refused_and_the_next_gets_another(
    make: Make, tmp_path: Path, script: str, problem: PictureProblem
) -> None:
    room = make(script, within=1)
    for number in (1, 2):
        assert (await refusal(room)).problem is problem
        assert len(pids(tmp_path)) == number
        assert not is_alive(pids(tmp_path)[-1])


@pytest.mark.parametrize("script", ["exit 1", "echo hello", "kill -9 $$"])
async def test_no_picture_is_blamed_for_a_process_that_does_not_start(
    make: Make, script: str
) -> None:
    with pytest.raises(DarkroomBroken, match="ends at once"):
        await make(script).prepare(picture(), RULES)


async def test_no_picture_is_blamed_where_there_is_no_python(tmp_path: Path) -> None:
    with pytest.raises(DarkroomBroken, match="no process starts"):
        await Darkroom(python=str(tmp_path / "nothing")).prepare(picture(), RULES)


async def test_a_process_that_died_while_it_waited_costs_no_picture(
    make: Make, tmp_path: Path
) -> None:
    room = make()
    await room.prepare(picture(), RULES)
    (pid,) = pids(tmp_path)
    os.kill(pid, 9)
    await until(lambda: not is_alive(pid))
    await asyncio.sleep(0.1)  # until the event loop has heard of it
    assert (await room.prepare(picture(), RULES)).size == (320, 180)


async def test_a_process_ends_with_who_asked(make: Make, tmp_path: Path) -> None:
    room = make(f"{GREETS}; exec sleep 60")
    asking = asyncio.create_task(room.prepare(picture(), RULES))
    await until(lambda: pids(tmp_path) != [])
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not is_alive(pids(tmp_path)[0])


async def test_the_bot_ends_what_is_at_work_when_it_stops(make: Make, tmp_path: Path) -> None:
    room = make(f"{GREETS}; read line; touch {tmp_path}/asked; exec sleep 60")
    asking = asyncio.create_task(room.prepare(picture(), RULES))
    await until((tmp_path / "asked").exists)
    await room.close()
    with pytest.raises(NotAccepting):
        await asking


async def test_what_waits_for_a_place_as_the_bot_stops_starts_no_process(
    make: Make, tmp_path: Path
) -> None:
    room = make(f"{GREETS}; read line; touch {tmp_path}/asked.$$; exec sleep 60")
    asking = [asyncio.create_task(room.prepare(picture(), RULES)) for _ in range(AT_ONCE + 1)]
    await until(lambda: len(list(tmp_path.glob("asked.*"))) == AT_ONCE)
    await room.close()
    for one in asking:
        with pytest.raises(NotAccepting):
            await one
    assert len(pids(tmp_path)) == AT_ONCE


async def test_a_process_that_is_starting_as_the_bot_stops_is_ended_and_nothing_is_broken(
    make: Make, tmp_path: Path
) -> None:
    room = make("exec sleep 60")
    asking = asyncio.create_task(room.prepare(picture(), RULES))
    await until(lambda: pids(tmp_path) != [])
    await room.close()
    with pytest.raises(NotAccepting):
        await asking


async def test_it_sees_nothing_of_what_the_bot_knows(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a-secret")
    await refusal(make(f"env > {tmp_path}/env; {GREETS}; exit"))
    seen = (tmp_path / "env").read_text("utf-8")
    assert "MALLOC_ARENA_MAX" in seen
    assert "a-secret" not in seen


async def test_it_gets_no_more_memory_than_the_file_s_header_justifies(make: Make) -> None:
    room = make()
    honest, lie = lying("AVIF", (1600, 900), (1600, 900)), lying("AVIF", (6000, 5000), (640, 360))
    assert (await room.prepare(honest, RULES)).size == (320, 180)
    assert (await refusal(room, lie)).problem is PictureProblem.DAMAGED
    assert prepare(lie, RULES).size == (320, 180), "nothing is wrong with it but its memory"


async def test_of_the_pictures_that_need_much_memory_one_is_decoded_at_a_time(
    make: Make, tmp_path: Path
) -> None:
    note = f">> {tmp_path}/seen"
    granted = f"read go; echo begins {note}; sleep 0.3; echo ends {note}; kill -9 $$"
    room = make(f"{GREETS}; read line; {NEEDS_MUCH}; {granted}")
    await asyncio.gather(*(refusal(room) for _ in range(AT_ONCE)))
    seen = (tmp_path / "seen").read_text("ascii").split()
    assert seen == ["begins", "ends"] * AT_ONCE


async def test_a_process_lets_the_bot_go_first_and_goes_first_where_memory_is_short(
    make: Make, tmp_path: Path
) -> None:
    await make().prepare(picture(), RULES)
    (pid,) = pids(tmp_path)
    assert oom_score(pid) in (None, 1000)
    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
