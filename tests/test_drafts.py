"""What somebody is still choosing: kept for a day, theirs alone, whole."""

import pytest

from bot.database import Database
from bot.drafts import Draft, Drafts
from bot.options import Options
from bot.wish import Door, Fit, Origin, Picture
from tests.conftest import Clock

HERS, HIS = 30, 31
DAY = 24 * 3600
ORIGIN = Origin(channel_id=5, message_id=7, key="forward attachment:9", author_id=31)
DRAFT = Draft(
    door=Door.MENU,
    pictures=(
        Picture(url="https://cdn.discordapp.com/a.png", size=9, origin=ORIGIN, is_spoiler=True),
        Picture(url="https://cdn.discordapp.com/b.png"),
    ),
    options=Options(duration=10.0, shape="tall 9:16", fit=Fit.PAD, prompt="“it's\n{rain}”", seed=3),
)


@pytest.fixture
def drafts(database: Database, clock: Clock) -> Drafts:
    return Drafts(database, clock)


async def test_a_draft_comes_back_as_it_was(drafts: Drafts) -> None:
    number = await drafts.keep(HERS, DRAFT)
    assert await drafts.of(number, HERS) == DRAFT


async def test_a_draft_is_found_by_nobody_else(drafts: Drafts) -> None:
    number = await drafts.keep(HERS, DRAFT)
    assert await drafts.of(number, HIS) is None
    assert await drafts.change(number, HIS, shape="auto") is None
    await drafts.drop(number, HIS)
    assert await drafts.of(number, HERS) == DRAFT


async def test_what_is_changed_stays_changed_and_the_rest_as_it_was(drafts: Drafts) -> None:
    number = await drafts.keep(HERS, DRAFT)
    changed = await drafts.change(number, HERS, shape="auto", fit=Fit.CROP)
    assert changed is not None
    assert changed == await drafts.of(number, HERS)
    assert (changed.options.shape, changed.options.fit) == ("auto", Fit.CROP)
    assert (changed.pictures, changed.options.seed) == (DRAFT.pictures, 3)


async def test_a_draft_that_was_dropped_is_gone(drafts: Drafts) -> None:
    number = await drafts.keep(HERS, DRAFT)
    await drafts.drop(number, HERS)
    assert await drafts.of(number, HERS) is None
    assert await drafts.change(number, HERS, shape="auto") is None


async def test_drafts_live_for_a_day_and_no_number_is_used_again(
    drafts: Drafts, database: Database, clock: Clock
) -> None:
    first = await drafts.keep(HERS, DRAFT)
    clock.forward(seconds=DAY - 1)
    assert await drafts.of(first, HERS) == DRAFT
    clock.forward(seconds=1)
    assert await drafts.of(first, HERS) is None
    second = await drafts.keep(HERS, DRAFT)
    assert second > first
    count = await database.run(lambda db: db.execute("SELECT count(*) FROM drafts").fetchone()[0])
    assert count == 1
