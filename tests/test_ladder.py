"""The ladder of delivery at a local Discord: whatever is closed, a clip is posted once, or kept.

Each test closes places, loses answers or ends the process, and looks at what people see.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from discord.http import Route

from bot.errors import DeliveryError, Unpostable
from bot.ladder import Rung, rungs
from bot.sandbox.discord import Limits
from bot.sandbox.discord.message import Message, MessageType
from tests.conftest import make_job
from tests.test_delivery import FORGETFUL, KB, POST, SMALL, Post, numbers, posting

REMEMBERS = Limits(rate_limits_enabled=False)
REFUSED_BEFORE = {"thread": 0, "parent": 1, "direct": 2}
"""Of the posts of one try, those that are refused before the one in such a place."""
WRITING_IN_THREADS = "SEND_MESSAGES_IN_THREADS"


class Street:
    """A thread, the channel that it belongs to, and a member with direct messages."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.parent_id = post.job.channel_id
        self.thread_id = 0
        self.may_dm = False

    async def move_in(self) -> None:
        """Open a thread and have the job be one of its own."""
        client, server = self.post.client, self.post.server
        route = Route("POST", "/channels/{channel_id}/threads", channel_id=self.parent_id)
        made: Any = await client.http.request(route, json={"name": "night", "type": 11})
        self.thread_id = int(made["id"])
        status = await client.get_partial_messageable(self.thread_id).send("⏳ Queued")
        self.post.job = replace(
            self.post.job,
            channel_id=self.thread_id,
            parent_channel_id=self.parent_id,
            status_message_id=status.id,
            member_id=int(next(server.world.people).id),
        )
        self.post.text = f"<@{self.post.job.member_id}> ready"

    async def lock(self) -> None:
        """Archive the thread and lock it, as a moderator does."""
        await self._edit(archived=True, locked=True)

    async def unlock(self) -> None:
        await self._edit(archived=False, locked=False)

    async def _edit(self, **changes: bool) -> None:
        route = Route("PATCH", "/channels/{channel_id}", channel_id=self.thread_id)
        await self.post.client.http.request(route, json=changes)

    async def delete(self, channel_id: int) -> None:
        await self.post.control("DELETE", {"channel_id": str(channel_id)})

    async def close_thread(self) -> None:
        await self.post.deny(WRITING_IN_THREADS, channel_id=self.parent_id)

    async def close_everything(self) -> None:
        await self.post.deny(WRITING_IN_THREADS, "SEND_MESSAGES", channel_id=self.parent_id)

    async def reopen(self) -> None:
        await self.post.deny(channel_id=self.parent_id)

    async def try_once(self, *sizes: int) -> int:
        """Post, and return the channel that it ended in."""
        return (await self.post.post(*sizes, may_dm=self.may_dm)).channel_id

    async def refused(self, *sizes: int) -> DeliveryError:
        with pytest.raises(DeliveryError) as caught:
            await self.try_once(*sizes)
        return caught.value

    @property
    def direct(self) -> list[Message]:
        """What the member has in their direct messages with the bot."""
        person = str(self.post.job.member_id)
        return list(self.post.server.world.direct_channel(person).messages.values())

    @property
    def only(self) -> Message:
        """The one message with a clip that is anywhere."""
        (message,) = self.post.posts
        return message

    def pings(self) -> int:
        """How many messages with clips that are still there mention the member."""
        member = str(self.post.job.member_id)
        return sum(member in one.mentions for one in self.post.posts)


@pytest.fixture(params=[FORGETFUL, REMEMBERS], ids=["forgetful", "remembers"])
async def street(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Street]:
    """Discord as it is minutes later, and as it is at once: with the nonce forgotten, and not."""
    async with posting(tmp_path, monkeypatch, request.param) as made:
        street = Street(made)
        await street.move_in()
        yield street


# --- The ladder itself ---------------------------------------------------------------------------


def test_the_ladder_goes_from_the_answer_down_to_direct_messages_only_if_they_are_wished() -> None:
    job = make_job(channel_id=1, parent_channel_id=2, status_message_id=3)
    public = [Rung(1, reply_to=3), Rung(1), Rung(2, is_elsewhere=True)]
    assert rungs(job, may_dm=False) == public
    assert rungs(job, may_dm=True) == [*public, Rung(None, is_elsewhere=True)]
    assert rungs(replace(job, parent_channel_id=None), may_dm=False) == public[:2]
    assert rungs(replace(job, status_message_id=None), may_dm=False) == public[1:]


# --- Each step down ------------------------------------------------------------------------------


async def test_a_clip_answers_the_status_message(street: Street) -> None:
    assert await street.try_once() == street.thread_id
    assert street.only.type is MessageType.REPLY
    assert street.only.content == street.post.text


async def test_where_the_status_message_is_gone_the_clip_is_a_plain_message(street: Street) -> None:
    route = Route(
        "DELETE",
        "/channels/{channel_id}/messages/{message_id}",
        channel_id=street.thread_id,
        message_id=street.post.job.status_message_id,
    )
    await street.post.client.http.request(route)
    assert await street.try_once() == street.thread_id
    assert street.only.type is MessageType.DEFAULT
    assert street.only.content == street.post.text


async def test_where_the_history_is_closed_the_clip_is_a_plain_message(street: Street) -> None:
    await street.post.deny("READ_MESSAGE_HISTORY", channel_id=street.parent_id)
    assert await street.try_once() == street.thread_id
    assert street.only.type is MessageType.DEFAULT
    assert street.only.content == street.post.text


@pytest.mark.parametrize("closed", ["deleted", "locked", "forbidden"])
async def test_where_the_thread_is_closed_the_clip_goes_to_its_channel_and_says_so(
    street: Street, closed: str
) -> None:
    match closed:
        case "deleted":
            await street.delete(street.thread_id)
        case "locked":
            await street.lock()
        case _:
            await street.close_thread()
    street.may_dm = True
    assert await street.try_once() == street.parent_id
    assert street.only.content == (
        f"{street.post.text}\n-# You asked for this in <#{street.thread_id}>, where I can't post."
    )
    assert street.only.reference is None
    assert street.direct == []


async def test_an_archived_thread_that_is_not_locked_takes_the_clip(street: Street) -> None:
    await street._edit(archived=True)  # noqa: SLF001 - the only thread that is left unlocked
    assert await street.try_once() == street.thread_id


async def test_what_can_be_posted_nowhere_comes_as_a_direct_message_to_who_wished_that(
    street: Street,
) -> None:
    street.may_dm = True
    await street.close_everything()
    await street.try_once()
    (message,) = street.direct
    assert message == street.only
    assert f"<#{street.thread_id}>" in message.content


async def test_nobody_gets_a_direct_message_who_has_not_asked_for_one(street: Street) -> None:
    await street.close_everything()
    assert isinstance(await street.refused(), Unpostable)
    assert street.post.posts == []
    assert not any(one.path.endswith("/users/@me/channels") for one in street.post.server.requests)


@pytest.mark.parametrize("at", ["/users/@me/channels$", "POST"])
async def test_a_member_who_takes_no_direct_messages_has_the_clip_kept(
    street: Street, at: str
) -> None:
    street.may_dm = True
    await street.close_everything()
    street.post.trouble(
        do="status",
        status=403,
        body={"code": 50007, "message": "Cannot send messages to this user"},
        match={"path": at} if at.startswith("/") else POST,
        times=None,
    )
    error = await street.refused()
    assert isinstance(error, Unpostable)
    street.post.server.faults.clear()
    await street.reopen()
    assert await street.try_once() == street.thread_id
    assert street.pings() == 1


@pytest.mark.parametrize("gone", ["deleted", "left"])
async def test_where_all_is_gone_the_clip_is_kept(street: Street, gone: str) -> None:
    if gone == "deleted":
        await street.delete(street.parent_id)
    else:
        world = street.post.server.world
        world.guild.members.pop(world.bot.id)
    for _ in range(3):
        assert isinstance(await street.refused(), Unpostable)
    assert street.post.posts == []


async def test_a_clip_that_was_kept_is_posted_at_the_top_when_the_way_is_free_again(
    street: Street,
) -> None:
    await street.close_everything()
    for _ in range(3):
        await street.refused()
    await street.reopen()
    assert await street.try_once() == street.thread_id
    assert street.only.type is MessageType.REPLY


# --- Answers that are lost, on any rung ----------------------------------------------------------


@pytest.mark.parametrize("where", ["thread", "parent", "direct"])
@pytest.mark.parametrize("then", ["stays", "opens"])
async def test_a_clip_whose_answer_was_lost_is_found_wherever_it_is(
    street: Street, where: str, then: str
) -> None:
    street.may_dm = True
    close = {"parent": street.close_thread, "direct": street.close_everything}.get(where)
    if close is not None:
        await close()
    skip = REFUSED_BEFORE[where]
    street.post.trouble(do="lose_answer", match=POST, skip=skip)
    await street.refused()
    (before,) = street.post.posts
    street.post.restart()
    if then == "opens":
        await street.reopen()
    await street.try_once()

    assert street.only == before
    assert street.pings() == 1


@pytest.mark.parametrize("where", ["thread", "parent", "direct"])
async def test_an_unclear_answer_sends_nobody_a_step_down(street: Street, where: str) -> None:
    street.may_dm = True
    close = {"parent": street.close_thread, "direct": street.close_everything}.get(where)
    if close is not None:
        await close()
    skip = REFUSED_BEFORE[where]
    street.post.trouble(do="status", status=503, match=POST, skip=skip)
    assert not isinstance(await street.refused(), Unpostable)
    assert street.post.posts == []
    assert street.post.asked("POST") == 2 + skip  # the status messages, and what was refused


async def test_a_clip_in_a_thread_that_was_closed_behind_it_is_found_and_not_sent_again(
    street: Street,
) -> None:
    street.post.trouble(do="lose_answer", match=POST)
    await street.refused()
    street.post.restart()
    await street.lock()
    assert await street.try_once() == street.thread_id
    assert street.pings() == 1


async def test_a_clip_that_went_down_with_its_thread_is_posted_again_once_that_is_sure(
    street: Street,
) -> None:
    street.post.trouble(do="lose_answer", match=POST)
    await street.refused()
    street.post.restart()
    await street.delete(street.thread_id)
    if street.post.server.limits.nonce_window_s:
        # Discord still knows the nonce, of a message that is gone: no place is closed, it passes.
        assert not isinstance(await street.refused(), Unpostable)
        street.post.server.set_limits({"nonce_window_s": 0.0})
    assert await street.try_once() == street.parent_id
    assert street.pings() == 1


async def test_a_clip_is_not_posted_below_while_it_is_not_known_whether_it_is_above(
    street: Street,
) -> None:
    street.post.trouble(do="lose_answer", match=POST)
    await street.refused()
    await street.close_thread()
    history = {"method": "GET", "path": r"/messages\?"}
    street.post.trouble(do="status", status=503, match=history)
    await street.refused()
    assert len(street.post.posts) == 1


# --- Several clips -------------------------------------------------------------------------------


async def test_clips_that_come_one_by_one_say_in_each_place_where_they_were_asked_for_and_ping_once(
    street: Street,
) -> None:
    street.post.server.set_limits(SMALL)
    await street.close_thread()
    await street.try_once(30 * KB, 30 * KB, 30 * KB, 30 * KB)
    assert numbers(street.post.posts) == [["1"], ["2"], ["3"], ["4"]]
    note = f"-# You asked for this in <#{street.thread_id}>, where I can't post."
    assert [one.content for one in street.post.posts] == [
        f"{street.post.text}\n{note}",
        note,
        note,
        note,
    ]
    assert street.post.asked("POST") == 2 + 1 + 1 + 4  # closed, too large together, and each


async def test_clips_that_are_halfway_out_when_the_thread_closes_go_on_in_its_channel(
    street: Street,
) -> None:
    street.post.server.set_limits(SMALL)
    street.post.trouble(do="drop", match=POST, skip=3)
    sizes = (30 * KB,) * 4
    await street.refused(*sizes)
    street.post.restart()
    await street.close_thread()
    assert await street.try_once(*sizes) == street.thread_id
    assert numbers(street.post.posts) == [["1"], ["2"], ["3"], ["4"]]
    places = [int(one.channel_id) for one in street.post.posts]
    assert places == [street.thread_id] * 2 + [street.parent_id] * 2
    assert [one.content.partition("\n")[0] for one in street.post.posts][1] == ""
