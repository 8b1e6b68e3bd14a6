"""A job on its way through the corridor: what it becomes, what it costs, what is left behind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ledger import Kind
from bot.lifecycle import State
from tests.corridor import PRICE, World, clip, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def test_a_wish_becomes_one_paid_task_and_one_posted_clip(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        (post,) = here.channel.posts.values()
        assert done.message_id == post.id
        assert post.clips == (clip(),)
        assert here.runware.ledger.accepted == 1
        assert here.runware.ledger.clips == 1
        assert here.runware.ledger.billed_micro == PRICE
        assert await bot.spent_micro(job) == PRICE
        assert await bot.held_micro(job) == 0
        entries = await bot.entries(job)
        assert entries.keys() == {Kind.HOLD, Kind.SPEND}
        assert entries[Kind.SPEND].note == ""
        assert here.leftovers == []
