"""What the pipeline does to bring a paid clip into the channel, and what it says meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import StoreError
from bot.lifecycle import Job, State
from bot.store import Store
from tests.corridor import World, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def test_a_disk_that_stays_full_fills_no_channel(here: World) -> None:
    class FullDisk(Store):
        async def move(self, before: Job, after: Job, **more: Any) -> Job:
            if before.state is State.RENDERED:
                raise StoreError("database or disk is full")
            return await super().move(before, after, **more)

    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
    async with here.bot(store_type=FullDisk) as bot:
        for _ in range(3):
            with pytest.raises(StoreError):
                await bot.work()
    assert here.channel.attempts == 0

    async with here.bot() as bot:
        assert (await bot.finished(job)).state is State.DELIVERED
    assert here.channel.attempts == 1
