"""Private answers: their tokens are kept with the job, and are the one way to show its status."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import discord
import pytest

from bot import lifecycle, words
from bot.answers import Answer, Answers
from bot.database import Database
from bot.delivery import Bundle, Delivery
from bot.errors import DeliveryError, LimitReached, TooLarge, Unpostable
from bot.keeper import ClipFiles, Keeper
from bot.ladder import Posted
from bot.lifecycle import Event, Failure, Job
from bot.places import MIB, Places
from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.discord.message import Message
from bot.sandbox.faults import Match, Rule
from bot.sandbox.person import Person, Started
from bot.shelf import Shelf
from bot.store import Store
from tests.conftest import UNLIMITED, Clock, make_job, monthly
from tests.corridor import clip
from tests.sandbox.discord_client import PING, TOKEN, Api
from tests.town import until

QUARTER = 900.0
DEFERRED, EPHEMERAL = 5, 64


def private(**changes: object) -> Job:
    return make_job(status_message_id=None, **changes)


def answer(clock: Clock, token: str = "a-token-of-an-interaction", **more: object) -> Answer:
    return replace(Answer(token=token, expires_at=clock() + 900_000), **more)  # type: ignore[arg-type]


# --- Keeping them --------------------------------------------------------------------------------


async def test_an_answer_comes_with_its_job_and_lasts_a_quarter_of_an_hour(
    database: Database, clock: Clock
) -> None:
    job, kept = private(), answer(clock, most_bytes=10, takes_clips=True)
    answers = Answers(database, clock)
    await Store(database).accept(job, UNLIMITED, kept)

    assert await answers.of(job.id) == kept
    clock.forward(seconds=QUARTER - 6)
    assert await answers.of(job.id) == kept
    clock.forward(seconds=1)
    assert await answers.of(job.id) is None


async def test_a_job_that_is_refused_leaves_no_token_behind(
    database: Database, clock: Clock
) -> None:
    job = private()
    with pytest.raises(LimitReached):
        await Store(database).accept(job, monthly(member=1), answer(clock))
    assert await Answers(database, clock).of(job.id) is None


async def test_a_second_event_of_one_wish_changes_no_answer(
    database: Database, clock: Clock
) -> None:
    job, first = private(), answer(clock)
    store, answers = Store(database), Answers(database, clock)
    await store.accept(job, UNLIMITED, first)
    again = private(source=job.source)
    await store.accept(again, UNLIMITED, answer(clock, "another"))

    assert await answers.of(job.id) == first
    assert await answers.of(again.id) is None


async def test_what_has_expired_is_swept_and_nothing_else(
    database: Database, clock: Clock, tmp_path: Path
) -> None:
    old, new = private(), private()
    store, answers = Store(database), Answers(database, clock)
    await store.accept(old, UNLIMITED, answer(clock))
    clock.forward(seconds=QUARTER / 2)
    await store.accept(new, UNLIMITED, answer(clock))
    clock.forward(seconds=QUARTER / 2)
    files = ClipFiles(folder=tmp_path / "clips", keep_for=0, most_bytes=1)
    shelf = Shelf(database, clock, lambda: None)
    await Keeper(files, store, shelf, answers, clock).round()

    left = await database.run(lambda db: db.execute("SELECT job_id FROM answers").fetchall())
    assert [row["job_id"] for row in left] == [new.id]


def test_a_token_is_not_shown_where_an_answer_is(clock: Clock) -> None:
    assert "a-token" not in repr(answer(clock))


# --- Showing a status in one ---------------------------------------------------------------------


@dataclass(slots=True)
class Scene:
    """Mia, who was answered privately, and what shows a status or a clip there."""

    server: LocalDiscord
    started: Started
    answers: Answers
    delivery: Delivery
    store: Store
    job: Job
    database: Database

    folder: Path

    async def shown(self) -> None:
        await self.delivery.close(2.0)

    async def post(self, *contents: bytes, is_spoiler: bool = False) -> Posted:
        """Put clips into the answer."""
        paths = {}
        for number, content in enumerate(contents or (clip(),), start=1):
            paths[number] = self.folder / f"{number}.mp4"
            paths[number].write_bytes(content)
        kept = await self.answers.of(self.job.id)
        assert kept is not None
        bundle = Bundle(files=paths, text="Ready", alt="A wave", is_spoiler=is_spoiler)
        return await self.delivery.post_in(kept, self.job, bundle)

    @property
    def message(self) -> Message:
        """The answer."""
        (message,) = (one for one in self.server.messages if one.ephemeral)
        return message

    @property
    def text(self) -> str:
        """What Mia reads in the answer."""
        return " ".join(str(embed["title"]) for embed in self.message.embeds)

    @property
    def routes(self) -> list[str]:
        return [
            f"{one.method} {one.path.split('/')[1]}"
            for one in self.server.requests
            if one.method == "PATCH"
        ]


@pytest.fixture
async def scene(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Scene]:
    monkeypatch.setattr("bot.status._GAP", 0.01)
    async with (
        LocalDiscord(limits=Limits(rate_limits_enabled=False)) as server,
        Api(server) as api,
        Person(server.url, "Mia") as mia,
        discord.Client(intents=discord.Intents.none()) as client,
    ):
        monkeypatch.setattr("discord.http.Route.BASE", server.api)
        await client.login(TOKEN)
        await api.register(PING)
        started = await mia.command("ping")
        await api.callback(started, DEFERRED, {"flags": EPHEMERAL})
        answers, store = Answers(database, clock), Store(database)
        job = private(channel_id=int(started.channel_id))
        await store.accept(job, UNLIMITED, answer(clock, api.token(started)))
        delivery = Delivery(client, Places(client, MIB), answers)
        yield Scene(server, started, answers, delivery, store, job, database, tmp_path)


async def test_the_status_of_a_private_wish_is_shown_in_its_answer_also_after_a_restart(
    scene: Scene,
) -> None:
    scene.delivery.show(scene.job, words.queued(scene.job, 0))
    await scene.shown()
    assert scene.text == "⏳ Queued"
    assert scene.routes == ["PATCH webhooks"]


async def test_an_answer_that_is_out_of_reach_is_not_touched_nor_the_channel(
    scene: Scene, clock: Clock
) -> None:
    clock.forward(seconds=QUARTER)
    scene.delivery.show(scene.job, words.queued(scene.job, 0))
    await scene.shown()
    assert scene.routes == []


async def test_the_last_word_is_shown_and_the_token_is_gone(scene: Scene, clock: Clock) -> None:
    failed = lifecycle.advance(scene.job, Event.CANCEL, clock(), failure=Failure.CANCELLED)
    scene.delivery.show(failed, words.failed(failed))
    await scene.shown()
    assert scene.text == "✖️ Cancelled"
    assert await scene.answers.of(scene.job.id) is None


async def test_a_lost_edit_is_tried_again_and_a_refused_token_is_not(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    scene.server.faults.add(Rule(do="drop", match=Match(method="PATCH")))
    scene.delivery.show(scene.job, words.queued(scene.job, 0))
    await until(lambda: scene.text == "⏳ Queued")

    scene.server.set_limits({"token_life_s": 0.0})
    before = len(scene.routes)
    scene.delivery.show(scene.job, words.animating(scene.job))
    await until(lambda: len(scene.routes) > before)
    await scene.shown()
    assert len(scene.routes) == before + 1
    assert scene.text == "⏳ Queued"
    (kept,) = await scene.database.run(
        lambda db: db.execute("SELECT token FROM answers").fetchall()
    )
    assert "status not shown" in caplog.text
    assert kept["token"] not in caplog.text


# --- Clips in one --------------------------------------------------------------------------------


async def test_clips_take_the_place_of_the_status_in_an_answer(scene: Scene) -> None:
    scene.delivery.show(scene.job, words.animating(scene.job))
    await until(lambda: scene.text == "🎞️ Animating")
    posted = await scene.post(clip(), clip(6), is_spoiler=True)

    assert (str(posted.message_id), scene.text) == (scene.message.id, "")
    assert scene.message.content == "Ready"
    assert [one.filename for one in scene.message.attachments] == [
        f"SPOILER_clip-{scene.job.short_id}-{number}.mp4" for number in (1, 2)
    ]
    assert {one.description for one in scene.message.attachments} == {"A wave"}
    assert all(one.ephemeral for one in scene.message.attachments)


@pytest.mark.parametrize("do", ["lose_answer", "drop"])
async def test_an_answer_has_each_clip_once_however_often_it_is_put_there(
    scene: Scene, do: str
) -> None:
    scene.server.faults.add(Rule(do=do, match={"method": "PATCH"}))  # type: ignore[arg-type]
    with pytest.raises(DeliveryError):
        await scene.post()
    await scene.post()
    await scene.post()
    assert len(scene.message.attachments) == 1
    assert len(scene.server.messages) == 1


async def test_a_status_that_was_still_to_be_shown_does_not_cover_the_clips(scene: Scene) -> None:
    scene.delivery.show(scene.job, words.queued(scene.job, 0))
    await until(lambda: scene.text == "⏳ Queued")
    scene.delivery.show(scene.job, words.animating(scene.job))  # waits for its turn
    await scene.post()
    await scene.shown()
    assert scene.message.content == "Ready"
    assert scene.text == ""


async def test_an_answer_takes_what_discord_says_that_it_takes(scene: Scene) -> None:
    refusal = {"message": "Request entity too large", "code": 40005}
    scene.server.faults.add(
        Rule(do="status", status=413, body=refusal, match=Match(method="PATCH"))
    )
    with pytest.raises(TooLarge) as caught:
        await scene.post(clip().ljust(9 * MIB, b"\0"))
    assert caught.value.most_bytes == 8 * MIB


@pytest.mark.parametrize("is_deleted", [True, False])
async def test_an_answer_that_is_gone_is_out_of_reach(scene: Scene, *, is_deleted: bool) -> None:
    if is_deleted:
        message = scene.message
        del scene.server.world.channels[message.channel_id].messages[message.id]
    else:
        scene.server.set_limits({"token_life_s": 0.0})
    with pytest.raises(Unpostable):
        await scene.post()
