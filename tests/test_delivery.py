"""Clips go into a channel of the local Discord: once, whatever becomes of the answers.

discord.py is real, the client is only logged in, and time and losses are ordered at the local
Discord. What the pipeline makes of it is `test_posting.py`'s.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from bot.delivery import Delivery
from bot.errors import DeliveryError
from bot.lifecycle import Job, State, again
from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.discord.message import Message
from bot.sandbox.faults import Rule
from tests.conftest import NOON, make_job
from tests.corridor import clip

POST = {"method": "POST", "path": "/messages$"}
HISTORY = {"method": "GET", "path": r"/messages\?"}
AT_ONCE = Limits(nonce_window_s=0.0)
"""A Discord that has forgotten a nonce before it is sent again."""


@dataclass(slots=True)
class Post:
    """A channel, a job with its clips on the disk, and what posts them."""

    server: LocalDiscord
    client: discord.Client
    delivery: Delivery
    job: Job
    folder: Path

    def clips(self, *sizes: int) -> Sequence[Path]:
        """Files of at least a real clip's size, in bytes."""
        paths = []
        for number, size in enumerate(sizes):
            paths.append(self.folder / f"{number}.mp4")
            paths[-1].write_bytes(clip().ljust(size, b"\0"))
        return paths

    async def post(self, *sizes: int) -> int:
        """Try once more, as the pipeline does: counted first."""
        self.job = again(self.job, NOON, NOON)
        return await self.delivery.post(self.job, self.clips(*sizes or (0,)), "Ready", "A wave")

    async def refused(self, *sizes: int) -> DeliveryError:
        with pytest.raises(DeliveryError) as caught:
            await self.post(*sizes)
        return caught.value

    def restart(self) -> None:
        """Forget what a process forgets."""
        self.delivery = Delivery(self.client)

    def trouble(self, **rule: Any) -> str:
        return self.server.faults.add(Rule(**rule))

    async def deny(self, *permissions: str) -> None:
        """Take permissions from the bot in this channel."""
        form = {"channel_id": str(self.job.channel_id), "deny": permissions}
        url = f"{self.server.url}/sandbox/control/channel"
        async with aiohttp.ClientSession() as http, http.patch(url, json=form) as response:
            assert response.ok, await response.text()

    @property
    def posts(self) -> list[Message]:
        return [one for one in self.server.messages if one.attachments]

    def asked(self, method: str) -> int:
        """How often messages of the channel were asked for, or new ones sent."""
        return sum(
            request.method == method and request.path.endswith("/messages")
            for request in self.server.requests
        )


@asynccontextmanager
async def posting(
    folder: Path, monkeypatch: pytest.MonkeyPatch, limits: Limits | None = None
) -> AsyncIterator[Post]:
    async with LocalDiscord(limits=limits) as server:
        monkeypatch.setattr("discord.http.Route.BASE", server.api)
        client = discord.Client(intents=discord.Intents.none())
        async with client:
            await client.login("a-local-token")
            guild_id = int(server.world.guild.id)
            channel_id = next(int(one.id) for one in server.world.channels.values())
            status = await client.get_partial_messageable(channel_id).send("⏳ Queued")
            job = make_job(
                state=State.RENDERED,
                guild_id=guild_id,
                channel_id=channel_id,
                status_message_id=status.id,
            )
            yield Post(server, client, Delivery(client), job, folder)


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    async with posting(tmp_path, monkeypatch, AT_ONCE) as made:
        yield made


# --- A clip that is there already ----------------------------------------------------------------


async def test_a_clip_whose_answer_was_lost_is_found_when_its_nonce_is_long_forgotten(
    here: Post,
) -> None:
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    here.restart()
    found = await here.post()

    (post,) = here.posts
    assert found == int(post.id)
    assert here.asked("POST") == 2  # the status message, and one clip
    assert here.asked("GET") == 1


async def test_a_first_try_asks_for_nothing(here: Post) -> None:
    await here.post()
    assert here.asked("GET") == 0


async def test_a_clip_that_never_came_through_is_posted_after_a_look(here: Post) -> None:
    here.trouble(do="drop", match=POST)
    await here.refused()
    await here.post()
    assert len(here.posts) == 1


async def test_a_clip_is_found_behind_more_messages_than_one_request_brings(here: Post) -> None:
    here.server.set_limits({"rate_limits_enabled": False})
    channel = here.client.get_partial_messageable(here.job.channel_id)
    for number in range(120):
        await channel.send(f"meanwhile {number}")
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    await here.post()
    assert len(here.posts) == 1


async def test_the_clip_of_another_job_is_not_taken_for_this_one(here: Post) -> None:
    mine = here.job
    here.job = make_job(
        **{
            name: getattr(mine, name)
            for name in ("state", "guild_id", "channel_id", "status_message_id")
        }
    )
    other = await here.post()
    here.job = again(mine, NOON, NOON)
    assert await here.post() != other
    assert len(here.posts) == 2


async def test_a_job_without_a_status_message_is_looked_for_from_its_beginning(here: Post) -> None:
    here.job = replace(here.job, status_message_id=None)
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    await here.post()
    assert len(here.posts) == 1


async def test_where_the_history_may_not_be_read_the_nonce_has_to_do(
    here: Post,
) -> None:
    here.server.set_limits({"nonce_window_s": 180.0})
    await here.deny("READ_MESSAGE_HISTORY")
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    await here.post()
    assert len(here.posts) == 1


@pytest.mark.parametrize("trouble", [{"do": "drop", "times": 3}, {"do": "status", "status": 503}])
async def test_nothing_is_posted_while_it_is_not_known_whether_it_is_there(
    here: Post, trouble: dict[str, Any]
) -> None:
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    here.trouble(match=HISTORY, **trouble)
    await here.refused()
    assert len(here.posts) == 1
