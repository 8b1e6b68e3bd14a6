"""The files of clips: there until they are posted and for a time after, and never without end."""

import logging
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import Answers
from bot.database import Database
from bot.errors import StoreError
from bot.keeper import ClipFiles, Keeper
from bot.lifecycle import Clip, Job, State
from bot.shelf import Shelf
from bot.store import Store
from tests.conftest import UNLIMITED, Clock, make_job
from tests.corridor import world
from tests.town import until

HOUR = 3600.0
MB = 1_000_000


class House:
    """A folder of clips, the jobs that they belong to, and who sweeps it."""

    def __init__(self, folder: Path, database: Database, clock: Clock) -> None:
        self.clock = clock
        self.database = database
        self.store = Store(database)
        self.shelf = Shelf(database, clock, lambda: None)
        self.settle(ClipFiles(folder=folder, keep_for=24 * HOUR, most_bytes=10 * MB))

    def settle(self, files: ClipFiles) -> None:
        """Begin anew with a folder of these settings."""
        self.files = files
        self.keeper = self.keeper_of(self.store)

    def keeper_of(self, store: Store) -> Keeper:
        """Return who sweeps this folder, again and again once started."""
        answers = Answers(self.database, self.clock)
        return Keeper(self.files, store, self.shelf, answers, self.clock, every=0.01)

    async def waiting(self, size: int = MB) -> Path:
        """Have a job with a clip that is not posted."""
        job = make_job()
        await self.store.accept(job, UNLIMITED)
        return self._clip(job, size)

    def posted(self, size: int = MB, *, hours_ago: float = 0) -> Path:
        """Have a clip that was posted; its job is done."""
        path = self._clip(make_job(), size)
        self.files.release([path], self.clock() - round(hours_ago * HOUR * 1000))
        return path

    def _clip(self, job: Job, size: int) -> Path:
        clip = Clip(job_id=job.id, ordinal=0, video_uuid="v", url="u", seed=None, cost_micro=1)
        path = self.files.path(clip)
        path.write_bytes(b"\0" * size)
        # As old as the job, by the clock of the test.
        os.utime(path, (self.clock() / 1000, self.clock() / 1000))
        return path

    @property
    def there(self) -> set[Path]:
        return set(self.files.folder.iterdir())


@pytest.fixture
def house(tmp_path: Path, database: Database, clock: Clock) -> House:
    return House(tmp_path / "clips", database, clock)


def said(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno == level]


# --- For how long --------------------------------------------------------------------------------


async def test_a_posted_clip_is_kept_for_its_hours_and_then_swept(house: House) -> None:
    path = house.posted()
    house.clock.forward(seconds=24 * HOUR - 1)
    await house.keeper.round()
    assert house.there == {path}
    house.clock.forward(seconds=1)
    await house.keeper.round()
    assert house.there == set()


async def test_a_clip_that_waits_is_kept_for_ever(house: House) -> None:
    path = await house.waiting()
    house.clock.forward(seconds=1000 * 24 * HOUR)
    await house.keeper.round()
    assert house.there == {path}


async def test_where_nothing_is_to_be_kept_a_posted_clip_is_gone_at_once(house: House) -> None:
    house.settle(replace(house.files, keep_for=0))
    waiting = await house.waiting()
    house.posted()
    assert house.there == {waiting}


async def test_what_a_crash_left_behind_is_swept_too(house: House) -> None:
    part = house.posted().rename(house.files.folder / f"{make_job().id}-0.mp4.part")
    stranger = house.files.folder / "thumbs.db"
    stranger.write_bytes(b"")
    os.utime(stranger, (0, 0))
    house.clock.forward(seconds=25 * HOUR)
    await house.keeper.round()
    assert not {part, stranger} & house.there


async def test_a_folder_that_is_not_there_yet_is_no_trouble(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.keeper.round()
    assert caplog.records == []


async def test_a_strangers_folder_among_the_clips_keeps_nothing_from_being_swept(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = house.files.folder / "@eaDir"
    stranger.mkdir(parents=True)
    (stranger / "thumb.jpg").write_bytes(b"")
    os.utime(stranger, (0, 0))
    house.posted(hours_ago=25)
    await house.keeper.round()
    assert house.there == {stranger}
    assert caplog.records == []


async def test_a_file_that_cannot_be_removed_keeps_no_other_and_counts_as_what_is_left(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    stubborn = house.posted(3 * MB, hours_ago=26)
    house.posted(2 * MB, hours_ago=25)
    kept = house.posted(MB)
    files = house.files.listed()
    stubborn.unlink()
    stubborn.mkdir()  # as stubborn as a file of another user
    assert house.files.sweep(files, frozenset(), house.clock()) == 3 * MB + MB
    assert house.there == {stubborn, kept}
    (warning,) = said(caplog, logging.WARNING)
    assert stubborn.name in warning


async def test_a_clip_that_is_posted_takes_its_copies_with_it_and_no_other_clip(
    house: House,
) -> None:
    house.settle(replace(house.files, keep_for=0))
    waiting = await house.waiting()
    path = house.files.folder / f"{make_job().id}-1.mp4"
    for name in (path, path.with_suffix(".10.mp4"), path.with_suffix(".part")):
        name.write_bytes(b"")
    eleventh = path.with_name(path.name.replace("-1.", "-11."))
    eleventh.write_bytes(b"")
    house.files.release([path], house.clock())
    assert house.there == {waiting, eleventh}


# --- How much ------------------------------------------------------------------------------------


async def test_over_the_cap_what_was_posted_first_goes_first_and_no_more_than_needed(
    house: House,
) -> None:
    old, newer, newest = (house.posted(4 * MB, hours_ago=hours) for hours in (3, 2, 1))
    await house.keeper.round()
    assert house.there == {newer, newest}
    assert old not in house.there


async def test_a_clip_that_waits_is_never_removed_to_make_room_and_the_operator_hears_it_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.posted(MB, hours_ago=1)
    waiting = {await house.waiting(6 * MB) for _ in range(2)}
    for _ in range(3):
        await house.keeper.round()
    assert house.there == waiting
    (error,) = said(caplog, logging.ERROR)
    assert error.startswith("clips that wait to be posted take 12 MB of 10 MB")
    assert "ANIMATE_KEEP_CLIPS_MAX_MB" in error


async def test_a_cap_that_fills_up_again_is_told_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = await house.waiting(6 * MB), await house.waiting(6 * MB)
    await house.keeper.round()
    first.unlink()
    await house.keeper.round()
    await house.waiting(6 * MB)
    await house.keeper.round()
    assert len(said(caplog, logging.ERROR)) == 2


# --- Going round ---------------------------------------------------------------------------------


async def test_the_keeper_sweeps_at_its_start_and_again(house: House) -> None:
    house.settle(replace(house.files, keep_for=HOUR))
    house.keeper.start()
    for _ in range(2):
        house.posted(hours_ago=2)
        await until(lambda: not house.there)
    await house.keeper.stop()


class ForgetfulStore(Store):
    """A store that cannot be read at first."""

    is_read = False

    async def open_jobs(self, among: Iterable[State] = tuple(State)) -> frozenset[str]:
        was_read, self.is_read = self.is_read, True
        if not was_read:
            raise StoreError("the disk is away")
        return await super().open_jobs(among)


async def test_a_sweep_that_breaks_removes_nothing_and_is_not_the_last_one(
    house: House, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    house.posted(hours_ago=25)
    store = ForgetfulStore(database)
    keeper = house.keeper_of(store)
    with pytest.raises(StoreError):
        await keeper.round()
    assert len(house.there) == 1

    store.is_read = False
    keeper.start()
    await until(lambda: not house.there)
    await keeper.stop()
    assert said(caplog, logging.WARNING) == ["clips could not be swept: the disk is away"]


async def test_what_waits_is_told_once_an_hour_and_an_empty_shelf_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as here, here.bot() as bot:
        keeper = Keeper(here.clip_files, bot.store, bot.shelf, bot.answers, here.clock)
        await keeper.round()
        assert said(caplog, logging.WARNING) == []

        job = await bot.until(await bot.accept(), [State.RENDERED])
        here.clock.now = job.created_at
        for _ in range(150):
            here.clock.forward(seconds=60)
            await keeper.round()
        first, second = said(caplog, logging.WARNING)
        assert first == "paid clips that wait to be posted: 1, the oldest asked for 1.0 hours ago"
        assert second.endswith("2.0 hours ago")
