"""Clips go into a channel of the local Discord: once, whatever becomes of the answers.

discord.py is real, the client is only logged in, and time and losses are ordered at the local
Discord. What the pipeline makes of it is `test_posting.py`'s.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from bot import upload
from bot.delivery import DIRECT_COPY, Bundle, Copy, Delivery
from bot.errors import DeliveryError, TooLarge, Unpostable
from bot.ladder import Posted, mark
from bot.lifecycle import Job, State, again
from bot.places import MIB, Places
from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.discord.message import Message
from bot.sandbox.faults import Rule
from bot.wish import Door, Origin
from bot.words import Note, Tone
from tests.conftest import NOON, make_job
from tests.corridor import clip

POST = {"method": "POST", "path": "/messages$"}
USUAL = 20 * MIB
HISTORY = {"method": "GET", "path": r"/messages\?"}
FORGETFUL = Limits(nonce_window_s=0.0, rate_limits_enabled=False)
"""A Discord that has forgotten a nonce before it is sent again."""


@dataclass(slots=True)
class Post:
    """A channel, a job with its clips on the disk, and what posts them."""

    server: LocalDiscord
    client: discord.Client
    delivery: Delivery
    job: Job
    folder: Path
    text: str = "Ready"
    links: dict[int, str] = field(default_factory=dict)
    is_spoiler: bool = False

    def clips(self, *sizes: int) -> Sequence[Path]:
        """Files of at least a real clip's size, in bytes."""
        paths = []
        for number, size in enumerate(sizes):
            paths.append(self.folder / f"{number}.mp4")
            paths[-1].write_bytes(clip().ljust(size, b"\0"))
        return paths

    async def post(self, *sizes: int, may_dm: bool = False) -> Posted:
        """Try once more, as the pipeline does: counted first."""
        self.job = again(self.job, NOON, NOON)
        return await self.delivery.post(self.job, self.bundle(*sizes), may_dm=may_dm)

    def bundle(self, *sizes: int) -> Bundle:
        """What there is to post: all clips but those that come as links."""
        files = dict(enumerate(self.clips(*sizes or (0,)), start=1))
        return Bundle(
            files={number: path for number, path in files.items() if number not in self.links},
            text=self.text,
            alt="A wave",
            links=self.links,
            is_spoiler=self.is_spoiler,
        )

    def link(self, number: int) -> None:
        """Have a clip come as a link."""
        self.links[number] = f"It is at [v](https://vm.test/a.mp4?s=1#{mark(self.job, number)})"

    async def refused(self, *sizes: int) -> DeliveryError:
        with pytest.raises(DeliveryError) as caught:
            await self.post(*sizes)
        return caught.value

    async def found_alone(self) -> None:
        """Try once more: the clip is there by now, and behind the status there is nothing else."""
        found = await self.post()
        assert [int(message.id) for message in self.server.messages[1:]] == [found.message_id]

    async def say(self, count: int) -> None:
        """Have much said in the channel."""
        channel = self.client.get_partial_messageable(self.job.channel_id)
        for number in range(count):
            await channel.send(f"meanwhile {number}")

    def restart(self) -> None:
        """Forget what a process forgets."""
        self.delivery = Delivery(self.client, Places(self.client, USUAL))

    def trouble(self, **rule: Any) -> str:
        return self.server.faults.add(Rule(**rule))

    async def deny(self, *permissions: str, channel_id: int | None = None) -> None:
        """Take permissions from the bot in this channel; none given gives all back."""
        place = str(channel_id or self.job.channel_id)
        await self.control("PATCH", {"channel_id": place, "deny": permissions})

    async def control(self, method: str, form: dict[str, Any]) -> None:
        """Change a channel as no bot can, or delete it."""
        url = f"{self.server.url}/sandbox/control/channel"
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, url, json=form) as response,
        ):
            assert response.ok, await response.text()

    async def shown(self) -> None:
        """Wait for the edits that are on their way."""
        await self.delivery.close(1.0)

    @property
    def edits(self) -> list[str]:
        """What the status message was changed to, one after the other."""
        changes = [one for one in self.server.requests if one.method == "PATCH"]
        return [one.payload["embeds"][0]["description"] for one in changes]

    @property
    def posts(self) -> list[Message]:
        return [one for one in self.server.messages if one.attachments]

    def asked(self, method: str) -> int:
        """How often messages of the channel were asked for, or new ones sent."""
        return sum(
            request.method == method and request.path.endswith("/messages")
            for request in self.server.requests
        )


async def forgotten(_: Posted) -> None:
    """Take in where a copy is, and note it nowhere."""


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
            delivery = Delivery(client, Places(client, USUAL))
            yield Post(server, client, delivery, job, folder)


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    async with posting(tmp_path, monkeypatch, FORGETFUL) as made:
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
    assert found.message_id == int(post.id)
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


@pytest.mark.parametrize(("before", "after"), [(0, 120), (120, 0), (520, 20)])
async def test_a_clip_is_found_whatever_was_said_before_it_and_since(
    here: Post, before: int, after: int
) -> None:
    await here.say(before)
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    await here.say(after)
    await here.post()
    assert len(here.posts) == 1


async def test_a_clip_is_found_behind_six_hundred_messages_when_the_books_have_forgotten_it(
    here: Post,
) -> None:
    before = here.job
    posted = await here.post()
    await here.say(600)
    here.restart()
    here.job = replace(before, attempts=1)  # as a restored job is tried

    assert await here.post() == posted
    assert len(here.posts) == 1
    assert here.asked("GET") == 5 + 2  # the newest five hundred, and the rest from its old end


async def test_clips_that_lie_at_both_ends_of_a_long_talk_are_all_found(here: Post) -> None:
    here.server.set_limits(SMALL)
    here.trouble(do="lose_answer", match=POST, skip=2)  # the first, with all four, is refused
    await here.refused(*FOUR)
    assert numbers(here.posts) == [["1"], ["2"]]
    await here.say(520)
    await here.post(*FOUR)
    here.restart()
    await here.post(*FOUR)
    assert numbers(here.posts) == [["1"], ["2"], ["3"], ["4"]]


async def test_a_clip_that_was_posted_just_now_is_not_looked_for_at_the_other_end(
    here: Post,
) -> None:
    await here.say(510)
    await here.post()
    await here.post()
    assert len(here.posts) == 1
    assert here.asked("GET") == 5


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


async def test_a_clock_that_runs_ahead_of_discords_hides_no_clip_from_a_look(here: Post) -> None:
    ahead = round(time.time() * 1000) + 5 * 60_000
    here.job = replace(here.job, status_message_id=None, created_at=ahead)
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


async def test_a_place_that_refuses_the_look_gets_no_clip_though_it_is_opened_meanwhile(
    here: Post,
) -> None:
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    here.restart()
    no_access = {"code": 50001, "message": "Missing Access"}
    here.trouble(do="status", status=403, body=no_access, match=HISTORY)
    assert isinstance(await here.refused(), Unpostable)
    await here.post()
    assert len(here.posts) == 1


@pytest.mark.parametrize("is_link", [False, True], ids=["file", "link"])
async def test_a_clip_that_had_to_wait_since_the_look_is_looked_for_anew_before_it_is_sent(
    here: Post, monkeypatch: pytest.MonkeyPatch, *, is_link: bool
) -> None:
    if is_link:
        here.link(1)
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    here.restart()
    here.trouble(do="status", status=200, body=[], match=HISTORY)  # it was still on its way
    with monkeypatch.context() as patch:
        patch.setattr(upload, "FRESH", -1.0)  # it has waited for so long
        await here.refused()
    assert here.asked("POST") == 2  # the status message, and the first try

    await here.found_alone()


@pytest.mark.parametrize("is_link", [False, True], ids=["file", "link"])
async def test_a_clip_that_discord_puts_off_for_long_is_not_sent_again_unseen(
    here: Post, monkeypatch: pytest.MonkeyPatch, *, is_link: bool
) -> None:
    if is_link:
        here.link(1)
    answer = {"message": "502: Bad Gateway", "code": 0}
    here.trouble(do="status", status=502, body=answer, when="after", match=POST)
    with monkeypatch.context() as patch:
        patch.setattr(upload, "FRESH", 0.0)
        await here.refused()
    await here.found_alone()


@pytest.mark.parametrize("trouble", [{"do": "drop", "times": 3}, {"do": "status", "status": 503}])
async def test_nothing_is_posted_while_it_is_not_known_whether_it_is_there(
    here: Post, trouble: dict[str, Any]
) -> None:
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    here.trouble(match=HISTORY, **trouble)
    await here.refused()
    assert len(here.posts) == 1


# --- Clips that do not fit into one message ------------------------------------------------------

KB = 1000
SMALL = {"request_limit_bytes": 100 * KB, "upload_limit_bytes": 40 * KB}
FOUR = (30 * KB,) * 4


def numbers(posts: Sequence[Message]) -> list[list[str]]:
    """The numbers of the clips in each message."""
    return [[one.filename.rpartition("-")[2][0] for one in post.attachments] for post in posts]


async def test_four_clips_that_fit_come_in_one_message(here: Post) -> None:
    await here.post(*FOUR)
    assert numbers(here.posts) == [["1", "2", "3", "4"]]


async def test_four_clips_that_are_too_large_together_come_one_by_one_in_order(here: Post) -> None:
    here.server.set_limits(SMALL)
    first = await here.post(*FOUR)

    assert numbers(here.posts) == [["1"], ["2"], ["3"], ["4"]]
    assert first.message_id == int(here.posts[0].id)
    assert [post.content for post in here.posts] == ["Ready", "", "", ""]
    assert len({post.nonce for post in here.posts}) == 4
    status = str(here.job.status_message_id)
    assert [(post.reference or {})["message_id"] for post in here.posts] == [status] * 4


async def test_clips_that_are_more_than_discord_ever_takes_are_not_tried_together(
    here: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.MOST_AT_ONCE", 100 * KB)
    await here.post(*FOUR)
    assert numbers(here.posts) == [["1"], ["2"], ["3"], ["4"]]
    assert here.asked("POST") == 1 + 4


@pytest.mark.parametrize("skip", [1, 2, 3, 4])
@pytest.mark.parametrize("do", ["lose_answer", "drop"])
async def test_a_crash_between_the_clips_doubles_none_and_loses_none(
    here: Post, skip: int, do: str
) -> None:
    here.server.set_limits(SMALL)
    here.trouble(do=do, match=POST, skip=skip)  # the first, with all four, is refused
    await here.refused(*FOUR)
    here.restart()
    first = await here.post(*FOUR)

    assert numbers(here.posts) == [["1"], ["2"], ["3"], ["4"]]
    assert first.message_id == int(here.posts[0].id)
    assert [post.content for post in here.posts] == ["Ready", "", "", ""]


async def test_four_clips_in_one_message_are_found_as_all_four(here: Post) -> None:
    here.trouble(do="lose_answer", match=POST)
    await here.refused(*FOUR)
    here.restart()
    here.server.set_limits(SMALL)
    assert (await here.post(*FOUR)).message_id == int(here.posts[0].id)
    assert numbers(here.posts) == [["1", "2", "3", "4"]]


async def test_a_clip_over_the_limit_is_named_by_its_size_and_keeps_none_behind_it(
    here: Post,
) -> None:
    here.server.set_limits(SMALL)
    sizes = (50 * KB, 30 * KB, 30 * KB)
    error = await here.refused(*sizes)

    assert isinstance(error, TooLarge)
    assert error.size == 50 * KB
    assert numbers(here.posts) == [["2"], ["3"]]
    assert [post.content for post in here.posts] == ["Ready", ""]

    here.server.set_limits({"upload_limit_bytes": 60 * KB})
    await here.post(*sizes)
    assert numbers(here.posts) == [["2"], ["3"], ["1"]]


async def test_where_the_history_may_not_be_read_what_was_posted_is_remembered(here: Post) -> None:
    here.server.set_limits(SMALL)
    await here.deny("READ_MESSAGE_HISTORY")
    for _ in range(3):
        assert isinstance(await here.refused(50 * KB, 30 * KB), TooLarge)
    assert numbers(here.posts) == [["2"]]


async def test_a_single_clip_over_the_limit_is_sent_once_a_try(here: Post) -> None:
    here.server.set_limits(SMALL)
    error = await here.refused(50 * KB)
    assert isinstance(error, TooLarge)
    assert error.size == 50 * KB
    assert here.asked("POST") == 1 + 1


# --- Covers, links, copies -----------------------------------------------------------------------


async def test_a_cover_is_in_the_name_and_hides_no_clip_from_a_look(here: Post) -> None:
    here.is_spoiler = True
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    here.restart()
    await here.post()
    (post,) = here.posts
    assert post.attachments[0].filename == f"SPOILER_{mark(here.job, 1)}.mp4"


async def test_a_link_that_was_posted_is_found_again_too(here: Post) -> None:
    here.link(1)
    here.trouble(do="lose_answer", match=POST)
    await here.refused()
    here.restart()
    found = await here.post()
    _, message = here.server.messages
    assert found.message_id == int(message.id)
    assert message.content == f"Ready\n{here.links[1]}"
    assert here.asked("POST") == 2


async def test_a_link_whose_answer_is_garbled_is_looked_for(here: Post) -> None:
    here.link(1)
    here.trouble(do="status", status=200, body="<html>", when="after", match=POST)
    await here.refused()
    await here.found_alone()


async def test_a_link_of_another_job_is_not_taken_for_this_ones(here: Post) -> None:
    here.link(1)
    await here.post()
    here.job = replace(make_job(channel_id=here.job.channel_id), guild_id=here.job.guild_id)
    here.link(1)
    here.trouble(do="drop", match=POST)
    await here.refused()
    await here.post()
    assert len(here.server.messages) == 1 + 2


async def test_links_come_with_the_first_clip_that_is_posted(here: Post) -> None:
    here.link(2)
    await here.post(*FOUR[:3])
    assert numbers(here.posts) == [["1", "3"]]
    assert here.posts[0].content == f"Ready\n{here.links[2]}"
    assert here.asked("POST") == 1 + 1


async def test_a_clip_that_becomes_a_link_after_others_were_posted_comes_by_itself(
    here: Post,
) -> None:
    here.server.set_limits(SMALL)
    assert isinstance(await here.refused(50 * KB, 30 * KB), TooLarge)
    here.link(1)
    await here.post(50 * KB, 30 * KB)
    _, first, second = here.server.messages
    assert (first.content, second.content) == ("Ready", here.links[1])
    assert numbers(here.posts) == [["2"]]


async def test_a_copy_is_another_message_and_the_same_copy_is_not(here: Post) -> None:
    here.server.set_limits({"nonce_window_s": 180.0})
    await here.post()
    there = Copy("show", here.job.channel_id)
    first = await here.delivery.post_copy(here.job, here.bundle(), there, forgotten)
    assert await here.delivery.post_copy(here.job, here.bundle(), there, forgotten) == first
    assert len(here.posts) == 2
    assert not here.posts[1].reference


async def test_a_copy_for_oneself_is_a_direct_message(here: Post) -> None:
    person = next(iter(here.server.world.people)).id
    here.job = replace(here.job, member_id=int(person))
    posted = await here.delivery.post_copy(here.job, here.bundle(), DIRECT_COPY, forgotten)
    assert posted.is_direct
    (message,) = here.server.world.direct_channel(person).messages.values()
    assert message.attachments


async def test_of_a_copy_in_several_messages_each_is_known(here: Post) -> None:
    here.server.set_limits(SMALL)
    noted: list[int] = []

    async def note(post: Posted) -> None:
        noted.append(post.message_id)

    there = Copy("show", here.job.channel_id)
    posted = await here.delivery.post_copy(here.job, here.bundle(*FOUR), there, note)
    every = [int(one.id) for one in here.posts]
    assert len(every) == 4
    assert [posted.message_id, *(one.message_id for one in posted.others)] == noted == every


async def test_of_a_copy_of_which_not_all_comes_through_what_does_is_known(here: Post) -> None:
    here.server.set_limits(SMALL)
    noted: list[int] = []

    async def note(post: Posted) -> None:
        noted.append(post.message_id)

    there = Copy("show", here.job.channel_id)
    with pytest.raises(TooLarge):
        await here.delivery.post_copy(here.job, here.bundle(50 * KB, 30 * KB), there, note)
    assert noted == [int(one.id) for one in here.posts]
    assert len(noted) == 1


# --- The picture that was asked for --------------------------------------------------------------


@pytest.mark.parametrize("door", [Door.MENU, Door.REACTION, Door.REPLY])
async def test_a_clip_answers_the_picture_that_it_was_made_of(here: Post, door: Door) -> None:
    picture = await pictured(here)
    here.job = replace(here.job, door=door, picture=picture)
    await here.post()
    (post,) = here.posts
    assert (post.reference or {})["message_id"] == str(picture.message_id)


@pytest.mark.parametrize("door", [Door.COMMAND, Door.AGAIN])
async def test_a_clip_that_was_asked_for_otherwise_answers_the_status(
    here: Post, door: Door
) -> None:
    here.job = replace(here.job, door=door, picture=await pictured(here))
    await here.post()
    (post,) = here.posts
    assert (post.reference or {})["message_id"] == str(here.job.status_message_id)


@pytest.mark.parametrize("why", ["the picture is gone", "no history"])
async def test_a_clip_whose_picture_cannot_be_answered_comes_all_the_same(
    here: Post, why: str
) -> None:
    picture = await pictured(here)
    if why == "no history":
        await here.deny("READ_MESSAGE_HISTORY")
    else:
        picture = replace(picture, message_id=picture.message_id + 1)
    here.job = replace(here.job, door=Door.MENU, picture=picture, status_message_id=None)
    await here.post()
    (post,) = here.posts
    assert post.reference is None


async def pictured(here: Post) -> Origin:
    """Have somebody post the picture."""
    channel = here.client.get_partial_messageable(here.job.channel_id)
    message = await channel.send("look")
    return Origin(
        channel_id=here.job.channel_id, message_id=message.id, key="attachment:1", author_id=5
    )


# --- The status message --------------------------------------------------------------------------


def warning(text: str) -> Note:
    return Note("📦", text, Tone.WARNING)


async def test_the_same_trouble_is_told_once_and_another_is_told_too(
    here: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.status._GAP", 0.0)
    told = ["one", "one", "two", "two", "one"]
    for text in told:
        here.delivery.show(here.job, warning(text))
        await here.shown()
    assert here.edits == ["one", "two", "one"]


@pytest.mark.parametrize("state", [State.RENDERED, State.FAILED])
async def test_no_word_is_remembered_of_a_job_that_has_ended(here: Post, state: State) -> None:
    here.job = replace(here.job, state=state)
    here.delivery.show(here.job, warning("one"))
    await here.shown()
    kept = here.delivery._status._warnings  # noqa: SLF001 - a leak is seen nowhere else
    assert bool(kept) is (state is State.RENDERED)


async def test_nothing_is_remembered_of_a_job_that_another_way_has_delivered(here: Post) -> None:
    here.trouble(do="drop", match=POST)
    await here.refused()
    assert here.job.id in here.delivery._posted  # noqa: SLF001 - a leak is seen nowhere else
    here.delivery.show(replace(here.job, state=State.DELIVERED), Note("✅", "done", Tone.DONE))
    assert here.delivery._posted == {}  # noqa: SLF001
    await here.shown()
