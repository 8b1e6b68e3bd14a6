"""A picture is somebody's: it is forgotten as soon as its job has no more use for it.

At each end, and after a crash at each end, which comes between the books and the file.
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.errors import AccountTrouble, Unpostable
from bot.lifecycle import FINAL, Failure, Job, State
from bot.sandbox.runware.outcomes import Outcome
from tests.corridor import NOTHING_KNOWN, WHERE, Bot, World, world

PATIENCE = 1800.0
End = Callable[[World, Bot], Awaitable[Job]]


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def delivered(_: World, bot: Bot) -> Job:
    return await bot.finished(await bot.accept())


async def paid_and_kept(here: World, bot: Bot) -> Job:
    here.channel.refusals.append(Unpostable("403"))
    job = await bot.until(await bot.accept(), [State.RENDERED])
    await bot.work()
    return await bot.reread(job)


async def declined(here: World, bot: Bot) -> Job:
    here.runware.outcomes.add(Outcome(next="moderated"))
    return await bot.finished(await bot.accept())


async def refused_for_the_account(here: World, bot: Bot) -> Job:
    here.runware.settings.balance_micro = 0
    return await bot.finished(await bot.accept())


async def held_back_for_too_long(here: World, bot: Bot) -> Job:
    here.runware.settings.balance_micro = 0  # or the gate opens as soon as it has looked again
    job = await bot.accept()
    bot.gate.shut(AccountTrouble("insufficientCredits", status=402))
    return await bot.finished(job)


async def never_acknowledged(here: World, bot: Bot) -> Job:
    here.trouble(match=WHERE["submit"], do="drop", times=None)
    return await bot.until(await bot.accept(), [State.LOST])


async def lost(here: World, bot: Bot) -> Job:
    here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    return await bot.until(await bot.accept(), [State.LOST])


async def lost_and_found(here: World, bot: Bot) -> Job:
    job = await lost(here, bot)
    here.runware.faults.clear()
    return await bot.finished(job)


async def lost_for_good(here: World, bot: Bot) -> Job:
    return await bot.finished(await lost(here, bot))


ENDS: dict[End, tuple[State, Failure | None]] = {
    delivered: (State.DELIVERED, None),
    paid_and_kept: (State.RENDERED, None),
    declined: (State.FAILED, Failure.DECLINED),
    refused_for_the_account: (State.FAILED, Failure.ACCOUNT),
    held_back_for_too_long: (State.FAILED, Failure.ACCOUNT),
    never_acknowledged: (State.LOST, None),
    lost: (State.LOST, None),
    lost_and_found: (State.DELIVERED, None),
    lost_for_good: (State.FAILED, Failure.LOST),
}


def pictures(here: World) -> list[str]:
    return [name for name in here.leftovers if name.endswith(".jpg")]


@pytest.mark.parametrize("end", ENDS)
async def test_a_picture_is_forgotten_at_every_end_of_its_job(here: World, end: End) -> None:
    async with here.bot(give_up_after=PATIENCE) as bot:
        job = await end(here, bot)
        assert (job.state, job.failure) == ENDS[end]
    assert pictures(here) == []


@pytest.mark.parametrize("end", ENDS)
async def test_a_picture_that_a_crash_left_behind_is_forgotten_at_the_next_start(
    here: World, end: End
) -> None:
    async with here.bot(give_up_after=PATIENCE) as bot:
        job = await end(here, bot)
        bot.pictures.keep(job.id, b"as if the process had ended before this went")
    async with here.bot(give_up_after=PATIENCE) as bot:
        await bot.pipeline.recover()
        assert pictures(here) == []
        assert (await bot.reread(job)).state is job.state


@pytest.mark.parametrize("state", [State.QUEUED, State.SUBMITTING])
async def test_a_picture_that_may_have_to_be_sent_outlives_a_start(
    here: World, state: State
) -> None:
    here.trouble(match=WHERE["submit"], do="drop")
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [state])
    async with here.bot() as bot:
        await bot.pipeline.recover()
        assert pictures(here) == [f"{job.id}.jpg"]
        assert (await bot.finished(job)).state in FINAL
    assert pictures(here) == []


async def test_a_folder_of_pictures_that_is_gone_stops_nobody(here: World) -> None:
    async with here.bot() as bot:
        await bot.finished(await bot.accept())
        shutil.rmtree(here.folder / "pictures")
        await bot.pipeline.recover()
        assert (await bot.finished(await bot.accept())).state is State.DELIVERED


async def test_a_strangers_folder_among_the_pictures_stops_no_start(here: World) -> None:
    async with here.bot() as bot:
        stranger = here.folder / "pictures" / "@eaDir"
        stranger.mkdir(parents=True)
        left_behind = here.folder / "pictures" / "gone.jpg"
        left_behind.write_bytes(b"")
        await bot.pipeline.recover()
        assert pictures(here) == []
        assert stranger.exists()
        assert (await bot.finished(await bot.accept())).state is State.DELIVERED
