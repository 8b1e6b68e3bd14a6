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
from bot.delivery import Delivery
from bot.errors import LimitReached
from bot.keeper import ClipFiles, Keeper
from bot.lifecycle import Event, Failure, Job
from bot.places import MIB, Places
from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.faults import Match, Rule
from bot.sandbox.person import Person, Started
from bot.shelf import Shelf
from bot.store import Store
from tests.conftest import UNLIMITED, Clock, make_job, monthly
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
    """Mia, who was answered privately, and what shows a status there."""

    server: LocalDiscord
    started: Started
    answers: Answers
    delivery: Delivery
    store: Store
    job: Job
    database: Database

    async def shown(self) -> None:
        await self.delivery.close(2.0)

    @property
    def text(self) -> str:
        """What Mia reads in the answer."""
        (message,) = (one for one in self.server.messages if one.ephemeral)
        assert message.viewer_id is not None
        return " ".join(str(embed["title"]) for embed in message.embeds)

    @property
    def routes(self) -> list[str]:
        return [
            f"{one.method} {one.path.split('/')[1]}"
            for one in self.server.requests
            if one.method == "PATCH"
        ]


@pytest.fixture
async def scene(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    monkeypatch.setattr("bot.delivery._STATUS_GAP", 0.01)
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
        yield Scene(server, started, answers, delivery, store, job, database)


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
