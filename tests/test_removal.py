"""A clip is taken away from everywhere: also from somebody's direct messages, and what comes late.

discord.py is real, its client only logged in; the messages are at the local Discord.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from bot.answers import Answers
from bot.copies import Copies
from bot.database import Database
from bot.delivery import DIRECT_COPY
from bot.handover import Hands
from bot.history import History
from bot.keeper import ClipFiles
from bot.lifecycle import Job, State
from bot.members import Members
from bot.packing import Packing
from bot.places import Places
from bot.policies import Policies
from bot.removal import Removal
from bot.review import Review
from bot.store import Store
from tests.conftest import Clock
from tests.test_delivery import FORGETFUL, FOUR, SMALL, USUAL, Post, posting
from tests.test_history import put

NOAH = 3001


@dataclass(slots=True)
class Here:
    """A delivered job of somebody of the local Discord, and what takes its clips away."""

    post: Post
    job: Job
    history: History
    packing: Packing
    removal: Removal

    @property
    def direct(self) -> list[str]:
        """The direct messages that its member has."""
        person = str(self.job.member_id)
        return list(self.post.server.world.direct_channel(person).messages)

    async def copy(self, *sizes: int) -> None:
        """Send the clips to the direct messages, as to who wishes for copies."""
        noted = partial(self.history.note_post, self.job.id)
        await self.post.delivery.post_copy(self.job, self.post.bundle(*sizes), DIRECT_COPY, noted)


@pytest.fixture
async def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store, database: Database, clock: Clock
) -> AsyncIterator[Here]:
    async with posting(tmp_path, monkeypatch, FORGETFUL) as post:
        person = int(next(iter(post.server.world.people)).id)
        where = {"guild_id": post.job.guild_id, "channel_id": post.job.channel_id}
        job = await put(store, State.DELIVERED, member_id=person, **where)
        places, history = Places(post.client, USUAL), History(database)
        packing = Packing(post.delivery, Copies(), places, 0)
        hands = Hands(
            delivery=post.delivery,
            packing=packing,
            review=Review(database, places, clock, policy_of=Policies(database).policy),
            answers=Answers(database, clock),
            files=ClipFiles(folder=tmp_path / "clips", keep_for=0, most_bytes=0),
            members=Members(database),
            history=history,
        )
        post.job = job
        yield Here(post, job, history, packing, Removal(post.client, history, hands, clock))


async def test_all_of_a_copy_in_several_direct_messages_goes(here: Here) -> None:
    here.post.server.set_limits(SMALL)
    await here.copy(*FOUR)
    assert len(here.direct) == 4
    assert await here.removal.delete(here.job, NOAH)
    assert here.direct == []


async def test_what_is_on_its_way_when_a_clip_is_deleted_goes_too(here: Here) -> None:
    async with here.packing.turn(here.job.id):
        deleting = asyncio.create_task(here.removal.delete(here.job, NOAH))
        await asyncio.sleep(0.05)
        await here.copy()
        assert len(here.direct) == 1
    assert await deleting
    assert here.direct == []


async def test_what_cannot_be_deleted_of_a_late_copy_is_said(here: Here) -> None:
    await here.copy()
    gone = {"method": "DELETE", "path": f"/messages/{here.direct[0]}"}
    here.post.trouble(do="status", status=403, match=gone, times=1)
    assert not await here.removal.delete(here.job, NOAH)
    assert await here.removal.delete(here.job, NOAH)
    assert here.direct == []
