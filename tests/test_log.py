"""A server's log through the local Discord: what moderators read in it, and do from it.

Ada manages the server; Kim and Mia don't. Otto is of another server, which has a log of its own.
The bot is a process of its own.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp

from bot.sandbox.discord.filling import buttons_of
from bot.sandbox.person import Person, Started
from bot.sandbox.runware.outcomes import Outcome
from tests.town import EPHEMERAL, JSON, NO_LIMITS, Town, photo_file, told, town, until

WIDE = photo_file(640, 360)
WITHIN = 20.0
"""Seconds: rounds are some seconds apart."""
HELD = "🛡️ A clip waits for a moderator"


@asynccontextmanager
async def hamlet(folder: Path) -> AsyncIterator[tuple[Town, Person]]:
    """A town with a channel for the log, and Ada."""
    async with town(folder) as made:
        made.discord.set_limits({"rate_limits_enabled": False})
        made.discord.world.add_channel("log")
        async with Person(made.discord.url, "Ada", "log") as ada:
            yield made, ada


async def open_log(ada: Person, **options: Any) -> None:
    given = {"channel": ada.channel_id("log")} | options
    answer = await ada.wait_for_reply(
        await ada.command("animate-admin log-channel", where="studio", **given)
    )
    assert told(answer).startswith("✅"), told(answer)


async def in_log(ada: Person, fits: Callable[[JSON], object]) -> JSON:
    channel = ada.channel_id("log")
    return await ada.wait_for(lambda one: one["channel_id"] == channel and fits(one), WITHIN)


def pages(ada: Person, title: str = "") -> list[JSON]:
    """The messages in the log, or those with this title."""
    return [one for one in ada.messages("log") if title in told(one)]


async def held(here: Town, ada: Person) -> tuple[JSON, JSON]:
    """Have a clip held; return its job, and its message in the log."""
    await ada.wait_for_reply(
        await ada.command("animate-admin sensitive", where="studio", flagged="hold")
    )
    here.runware.outcomes.add(Outcome(next="success", flagged=True))
    await here.status(await here.animate(WIDE))
    message = await in_log(ada, lambda one: HELD in told(one) and one["components"])
    (job,) = [one for one in here.books().jobs if one["state"] == "rendered"]
    return job, message


async def deny(here: Town, ada: Person, *permissions: str) -> None:
    """Take permissions from the bot in the log; none given gives all back."""
    form = {"channel_id": ada.channel_id("log"), "deny": list(permissions)}
    await here.control("PATCH", "channel", form)


def changed(here: Town, statement: str) -> None:
    """Change the database while no bot runs."""
    with closing(sqlite3.connect(here.data / "animate.db")) as db, db:
        db.execute(statement)


def rows(here: Town, query: str) -> list[tuple[Any, ...]]:
    path = here.data / "animate.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


async def quiet_for(seconds: float) -> None:
    await asyncio.sleep(seconds)


# --- Lines ---------------------------------------------------------------------------------------


async def test_a_clip_and_a_failure_leave_a_line_that_pings_nobody(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada), here.bot(**NO_LIMITS):
        await open_log(ada)
        clip = await here.clip(await here.animate(WIDE))
        done = await in_log(ada, lambda one: clip["id"] in told(one))
        here.runware.outcomes.add(Outcome(next="moderated"))
        await here.status(await here.animate(WIDE))
        failed = await in_log(ada, lambda one: "declined by the video service" in told(one))

        mia, guild = here.mia.id, ada.state["guild"]["id"]
        studio = ada.channel_id("studio")
        first, second = here.books().jobs
        line = told(done)
        assert f"✅ <@{mia}> · by `/animate` · <#{studio}>" in line
        assert f"[clip](https://discord.com/channels/{guild}/{studio}/{clip['id']})" in line
        assert f"$0.1848 · <t:{first['updated_at'] // 1000}:t> · `" in line
        assert "$0.00" in told(failed)
        assert second["failure"] == "declined"
        for message in (done, failed):
            assert (message["content"], message["mentions"]) == ("", [])
        await until(lambda: rows(here, "SELECT * FROM log_lines") == [])
        assert not here.trouble()


async def test_lines_that_come_together_are_in_one_message(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada), here.bot(**NO_LIMITS):
        await open_log(ada)
        started = await asyncio.gather(*(here.animate(WIDE) for _ in range(12)))
        await asyncio.gather(*map(here.status, started))
        await until(lambda: sum(told(one).count("✅") for one in pages(ada)) >= 12, WITHIN)
        assert len(pages(ada)) < 6


async def test_a_server_without_a_log_keeps_no_lines(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada), here.bot(**NO_LIMITS):
        await here.clip(await here.animate(WIDE))
        assert rows(here, "SELECT * FROM log_lines") == []
        await open_log(ada)
        await quiet_for(4)
        assert pages(ada) == []


async def test_it_is_in_the_language_of_the_server(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada), here.bot(**NO_LIMITS):
        await here.control("PATCH", "guild", {"locale": "de"})
        await open_log(ada)
        await here.clip(await here.animate(WIDE))
        assert "mit `/animieren`" in told(await in_log(ada, told))


async def test_whose_picture_it_was_is_told_where_it_was_somebody_elses(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada), here.bot(**NO_LIMITS):
        await open_log(ada)
        async with here.person("Noah", "general") as noah:
            photo = await noah.attach(WIDE, "photo.png")
            message = await noah.send("look", photo, channel="general")
            await here.mia.menu(await here.mia.seen(message), "Animate")
            line = told(await in_log(ada, told))
        assert f"<@{here.mia.id}>" in line
        assert f"a picture of <@{noah.id}>'s" in line


async def test_a_clip_that_cannot_be_posted_leaves_a_line_once(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada), here.bot(**NO_LIMITS):
        await open_log(ada)
        here.trouble_at_discord(
            match={"method": "POST", "path": f"/channels/{ada.channel_id('studio')}/messages"},
            do="status",
            status=403,
            body={"code": 50013, "message": "Missing Permissions"},
            times=None,
        )
        await here.status(await here.animate(WIDE))
        line = told(await in_log(ada, lambda one: "📦" in told(one)))
        assert f"<#{ada.channel_id('studio')}> · paid, and cannot be posted there" in line
        await until(lambda: here.books().jobs[0]["attempts"] >= 4, WITHIN)
        await quiet_for(4)
        assert len(pages(ada)) == 1


# --- Where it cannot be written ------------------------------------------------------------------


async def test_a_closed_log_keeps_no_clip_and_comes_when_it_is_open_again(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada), here.bot(**NO_LIMITS):
        await open_log(ada)
        await deny(here, ada, "SEND_MESSAGES")
        clip = await here.clip(await here.animate(WIDE))
        answer = await ada.wait_for_reply(await ada.command("animate-admin jobs", where="studio"))
        assert f"⚠️ I lack in <#{ada.channel_id('log')}>: Send Messages" in told(answer)
        await quiet_for(4)
        assert pages(ada) == []
        tried = [one for one in here.posting() if ada.channel_id("log") in one.path]
        assert tried == [], "a closed channel is not even asked"
        await deny(here, ada)
        await in_log(ada, lambda one: clip["id"] in told(one))
        assert not here.trouble()


async def test_a_page_whose_answer_was_lost_comes_once(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada), here.bot(**NO_LIMITS):
        await open_log(ada)
        here.trouble_at_discord(
            match={"method": "POST", "path": f"/channels/{ada.channel_id('log')}/messages"},
            do="lose_answer",
            when="after",
            times=6,
        )
        clip = await here.clip(await here.animate(WIDE))
        await in_log(ada, lambda one: clip["id"] in told(one))
        await until(lambda: not rows(here, "SELECT * FROM log_lines"), WITHIN, every=0.1)
        assert len(pages(ada)) == 1


async def test_a_page_that_a_crash_left_on_its_way_comes_once(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada):
        here.discord.set_limits({"nonce_window_s": 0.001})
        async with here.bot(**NO_LIMITS) as process:
            await open_log(ada)
            where = {"method": "POST", "path": f"/channels/{ada.channel_id('log')}/messages"}
            here.trouble_at_discord(match=where, do="kill", when="after", pid=process.pid)
            await here.clip(await here.animate(WIDE))
            async with asyncio.timeout(WITHIN):
                await process.wait()
        assert len(pages(ada)) == 1
        assert len(rows(here, "SELECT * FROM log_lines")) == 1
        async with here.bot(**NO_LIMITS):
            await until(lambda: not rows(here, "SELECT * FROM log_lines"), WITHIN, every=0.1)
            assert len(pages(ada)) == 1, "it is posted twice"


# --- Held ----------------------------------------------------------------------------------------


async def test_a_moderator_looks_at_a_held_clip_and_lets_it_out_from_the_log(
    tmp_path: Path,
) -> None:
    async with hamlet(tmp_path) as (here, ada):
        async with here.bot(**NO_LIMITS):
            await open_log(ada)
            job, message = await held(here, ada)
            assert buttons_of(message) == ["Look at it", "Let it out"]

        async with here.bot(**NO_LIMITS):  # the buttons live longer than the bot
            look = await ada.wait_for_reply(await ada.press(message, "Look at it"))
            assert look["flags"] & EPHEMERAL
            (file,) = look["attachments"]
            assert file["filename"].startswith("SPOILER_clip-")
            assert look["components"] == []
            assert here.posts == [one for one in here.posts if one.ephemeral]

            await ada.press(message, "Let it out")
            await here.settled()
            (post,) = [one for one in here.posts if not one.ephemeral]
            assert post.attachments[0].filename.startswith("SPOILER_clip-")
            await in_log(ada, lambda one: f"/{post.id})" in told(one))
            assert [one for one in pages(ada, HELD) if one["components"]] == []
            acts = [row[0] for row in rows(here, "SELECT after FROM audit WHERE action = 'job'")]
            assert acts == ["looked at", "let out"]
            (reviewed,) = rows(here, "SELECT let_out_by FROM reviews")
            assert str(reviewed[0]) == ada.id
            assert job["id"] == here.books().jobs[0]["id"]
            assert not here.trouble()


async def test_nobody_else_looks_at_a_held_clip_or_lets_it_out(tmp_path: Path) -> None:
    async with (
        hamlet(tmp_path) as (here, ada),
        here.bot(**NO_LIMITS),
        here.person("Kim", "log") as kim,
        here.person("Otto", "lobby") as otto,
    ):
        await open_log(ada)
        job, message = await held(here, ada)
        for button in ("Look at it", "Let it out"):
            refused = await kim.wait_for_reply(await kim.press(message, button))
            assert told(refused).startswith("🙅 That's for moderators")
            assert refused["attachments"] == []
        # Otto may do so in a server of his own; an id that he has seen opens nothing here.
        otherwise = [one.id for one in here.discord.messages]
        for act in ("look", "letout"):
            await pressed(here, otto, f"jobs:{act}:{job['id']}")
        await quiet_for(2)
        new = [one for one in here.discord.messages if one.id not in otherwise]
        assert [one for one in new if one.attachments] == []
        assert [one["state"] for one in here.books().jobs] == ["rendered"]
        assert rows(here, "SELECT let_out_at FROM reviews") == [(None,)]


async def pressed(here: Town, who: Person, custom_id: str) -> Started:
    """Have somebody press a button with this id in their own server."""
    button = {"type": 2, "style": 2, "label": "x", "custom_id": custom_id}
    body = {"content": "x", "components": [{"type": 1, "components": [button]}]}
    url = f"{here.discord.api}/channels/{who.channel_id('lobby')}/messages"
    headers = {"Authorization": "Bot a-local-token"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(url, json=body) as response,
    ):
        made = await response.json()
    message = await who.wait_for(lambda one: one["id"] == made["id"])
    return await who.press(message, custom_id)


# --- The digest ----------------------------------------------------------------------------------


async def test_a_digest_that_was_missed_comes_late_and_once(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada):
        async with here.bot(**NO_LIMITS):
            await open_log(ada, digest=True)
            await here.clip(await here.animate(WIDE))
            await in_log(ada, told)
        # As if it had been off for days.
        changed(here, "UPDATE logs SET told_day = date('now', '-5 days')")
        async with here.bot(**NO_LIMITS):
            digest = await in_log(ada, lambda one: "📊 The clips from" in told(one))
            assert "0 asked for" in told(digest)
        async with here.bot(**NO_LIMITS):
            await quiet_for(5)
            assert len(pages(ada, "📊")) == 1


# --- What is forgotten ---------------------------------------------------------------------------


async def test_what_a_member_has_had_deleted_is_told_no_more(tmp_path: Path) -> None:
    async with hamlet(tmp_path) as (here, ada), here.bot(**NO_LIMITS):
        await open_log(ada)
        await deny(here, ada, "SEND_MESSAGES")
        await here.clip(await here.animate(WIDE))
        await here.settled()
        assert len(rows(here, "SELECT * FROM log_lines")) == 1
        asked = await here.mia.wait_for_reply(await here.mia.command("privacy delete"))
        await here.mia.press(asked, buttons_of(asked)[0])
        await until(lambda: not rows(here, "SELECT * FROM log_lines"), WITHIN, every=0.1)
        await deny(here, ada)
        await quiet_for(4)
        assert pages(ada) == []
