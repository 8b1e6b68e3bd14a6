"""Crashes, restarts and bad weather: whatever happens, one clip is paid, and it is posted once."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.person import Person
from bot.sandbox.runware.outcomes import Outcome
from tests.town import EPHEMERAL, NOT_CHARGED, PRICE, Town, photo_file, told, town, until

SUBMIT = {"path": "/v1", "label": "videoInference"}
POST = {"method": "POST", "path": "/channels/[0-9]+/messages"}
STOPS_WITHIN = 10.0


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Town]:
    """A town without a bot yet."""
    async with town(tmp_path) as made:
        yield made


async def assert_paid_and_posted_once(here: Town, jobs: int = 1) -> None:
    """Compare what three parties know: the bot's books, the video service, and the channel."""
    books = await here.settled()
    assert books.states == ["delivered"] * jobs
    assert all(books.of(job) == ["hold", "spend"] for job in books.jobs)
    assert books.held_micro == 0
    assert books.spent_micro == here.runware.ledger.billed_micro == jobs * PRICE
    assert here.runware.ledger.accepted == jobs
    assert len(here.posts) == jobs
    await until(lambda: here.leftovers == [])
    assert here.trouble() == []


async def rendering(here: Town, seconds: float) -> Any:
    """Have Mia ask for a clip that takes `seconds`, and wait until the service works on it."""
    here.runware.outcomes.add(Outcome(next="success", render_seconds=seconds))
    started = await here.animate(photo_file())
    await here.says(await here.status(started), "Animating")
    return started


async def test_a_bot_that_is_killed_while_a_clip_renders_delivers_it_after_the_start(
    here: Town,
) -> None:
    async with here.bot() as process:
        started = await rendering(here, 1)
        await here.crash(process)
    assert here.posts == []

    async with here.bot():
        await here.clip(started)
        await here.says(await here.status(started), "✅ Done")
        await assert_paid_and_posted_once(here)


@pytest.mark.parametrize(
    ("where", "match", "when"),
    [
        pytest.param("runware", SUBMIT, "before", id="before the task is accepted"),
        pytest.param("runware", SUBMIT, "after", id="after the task was accepted"),
        pytest.param("runware", {"label": "getResponse"}, "answered", id="as the clip is ready"),
        pytest.param("runware", {"method": "GET", "path": "mp4"}, "after", id="with half a clip"),
        pytest.param("discord", POST, "before", id="before the clip is posted"),
        pytest.param("discord", POST, "after", id="after the clip was posted"),
    ],
)
async def test_a_bot_that_is_killed_at_the_worst_moment_goes_on_where_it_was(
    here: Town, where: str, match: dict[str, Any], when: str
) -> None:
    async with here.bot() as process:
        rule = {"do": "kill", "pid": process.pid, "match": match, "when": when}
        order = here.trouble_at_discord if where == "discord" else here.trouble_at_runware
        order(**rule)
        started = await here.animate(photo_file())
        await process.wait()
        assert process.returncode == -signal.SIGKILL
        await here.mia.wait_for_bot(online=False)

    async with here.bot():
        await here.clip(started)
        await assert_paid_and_posted_once(here)


async def test_a_bot_that_is_killed_after_it_posted_and_stays_down_long_posts_no_second_clip(
    here: Town,
) -> None:
    here.discord.set_limits({"nonce_window_s": 0.0})
    async with here.bot() as process:
        here.trouble_at_discord(do="kill", pid=process.pid, match=POST, when="after")
        await here.animate(photo_file())
        await process.wait()
        await here.mia.wait_for_bot(online=False)
    (post,) = here.posts

    async with here.bot():
        await assert_paid_and_posted_once(here)
    assert [job["message_id"] for job in here.books().jobs] == [int(post.id)]


async def test_a_bot_that_is_told_to_stop_does_so_in_time_and_goes_on_after_the_start(
    here: Town,
) -> None:
    async with here.bot() as process:
        started = await rendering(here, 1)
        assert await stopped(process) == 0

    async with here.bot():
        await here.clip(started)
        await here.says(await here.status(started), "✅ Done")
        await assert_paid_and_posted_once(here)


async def test_a_bot_that_is_told_to_stop_waits_for_no_service(here: Town) -> None:
    async with here.bot() as process:
        here.trouble_at_runware(do="stall", match=SUBMIT, seconds=60, when="after")
        started = await here.animate(photo_file())
        await until(lambda: here.runware.ledger.accepted == 1)
        assert await stopped(process) == 0

    async with here.bot():
        await here.clip(started)
        await assert_paid_and_posted_once(here)
    assert here.runware.ledger.duplicates == 1  # asked again, with the same UUID


async def test_a_bot_that_is_told_to_stop_as_it_posts_leaves_the_status_as_done(
    here: Town,
) -> None:
    async with here.bot() as process:
        started = await here.animate(photo_file())
        await here.clip(started)
        assert await stopped(process) == 0
    assert "✅ Done" in told(await here.status(started))


async def test_an_answer_of_the_service_that_is_lost_buys_no_second_clip(here: Town) -> None:
    here.trouble_at_runware(do="lose_answer", match=SUBMIT)
    async with here.bot():
        await here.clip(await here.animate(photo_file()))
        await assert_paid_and_posted_once(here)
    assert here.runware.ledger.duplicates == 1


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"do": "status", "status": 500, "body": {}}, id="an error of Discord"),
        pytest.param({"do": "status", "status": 503}, id="an answer that is no JSON"),
        pytest.param({"do": "lose_answer"}, id="a lost answer"),
    ],
)
async def test_trouble_as_the_clip_is_posted_makes_it_late_but_not_double(
    here: Town, trouble: dict[str, Any]
) -> None:
    rule = here.trouble_at_discord(match=POST, **trouble)
    async with here.bot():
        await here.clip(await here.animate(photo_file()))
        assert here.discord.faults.hits(rule) == 1
        await assert_paid_and_posted_once(here)


async def test_a_paid_clip_that_cannot_be_posted_waits_and_says_so(here: Town) -> None:
    async with here.bot():
        started = await rendering(here, 1)
        await here.deny("studio", "SEND_MESSAGES")
        status = await here.status(started)
        text = told(await here.says(status, "I can't post it here"))
        assert "Your clip is safe" in text
        assert here.runware.ledger.billed_micro == PRICE

        await here.deny("studio")
        await here.clip(started)
        await here.says(status, "✅ Done")
        await assert_paid_and_posted_once(here)


async def test_a_bot_that_was_thrown_out_posts_the_paid_clip_when_it_is_back(here: Town) -> None:
    async with here.bot():
        started = await rendering(here, 0.5)
        await here.control("POST", "bot", {"do": "kick"})
        await until(lambda: here.runware.ledger.billed_micro == PRICE)
        await until(lambda: here.posting() != [])
        assert here.posts == []

        await here.control("POST", "bot", {"do": "invite"})
        await here.clip(started)
        await assert_paid_and_posted_once(here)


async def test_a_clip_comes_without_its_status_message_if_that_was_deleted(here: Town) -> None:
    async with here.bot(), Person(here.discord.url, "Ada") as ada:
        started = await rendering(here, 0.5)
        await ada.delete(await here.status(started))
        await until(lambda: here.posts != [])
        await assert_paid_and_posted_once(here)


async def test_a_clip_comes_plainly_where_the_bot_may_not_read_the_history(here: Town) -> None:
    await here.deny("studio", "READ_MESSAGE_HISTORY")
    async with here.bot():
        await here.animate(photo_file())
        await until(lambda: here.posts != [])
        await assert_paid_and_posted_once(here)
    assert here.posts[0].reference is None


async def test_a_clip_that_is_too_large_in_every_size_comes_as_a_link_and_says_so(
    here: Town,
) -> None:
    async with here.bot():
        started = await rendering(here, 0.5)
        here.discord.set_limits({"upload_limit_bytes": 100})
        await here.says(await here.status(started), "Done")
        books = await here.settled()
    assert books.states == ["delivered"]
    assert books.spent_micro == here.runware.ledger.billed_micro == PRICE
    (post,) = [one for one in here.discord.messages if "too large to post" in one.content]
    assert post.attachments == []
    assert here.runware.url.removesuffix("/v1") + "/video/" in post.content


async def test_a_channel_that_is_gone_keeps_the_books_right_and_the_bot_well(here: Town) -> None:
    channel = here.discord.world.add_channel("short-lived")
    async with here.bot():
        here.runware.outcomes.add(Outcome(next="success", render_seconds=0.5))
        async with Person(here.discord.url, "Noah", "short-lived") as noah:
            image = await noah.attach(photo_file(), "photo.png")
            await noah.wait_for_reply(await noah.command("animate", image=image))
            await here.control("DELETE", "channel", {"channel_id": channel.id})
        await until(lambda: here.posting() != [])
        books = here.books()
        assert books.states == ["rendered"]
        assert books.spent_micro == here.runware.ledger.billed_micro == PRICE
        assert books.held_micro == 0

        await here.clip(await here.animate(photo_file()))
        assert here.trouble() == []


async def test_a_clip_that_the_service_declines_costs_nothing_and_says_so(here: Town) -> None:
    here.runware.outcomes.add(Outcome(next="moderated"))
    async with here.bot():
        started = await here.animate(photo_file())
        text = told(await here.says(await here.status(started), NOT_CHARGED))
        assert "declined" in text
        books = await here.settled()
    assert books.states == ["failed"]
    assert [entry["kind"] for entry in books.entries] == ["hold", "release"]
    assert books.held_micro == books.spent_micro == here.runware.ledger.billed_micro == 0
    assert here.posts == []
    assert here.leftovers == []


async def test_an_interaction_that_is_acknowledged_too_late_starts_nothing(here: Town) -> None:
    async with here.bot():
        here.discord.set_limits({"interaction_deadline_s": 0.0})
        for content in (photo_file(), b""):  # one that would be accepted, one that is refused
            started = await here.animate(content)
            await here.mia.wait_for_state(started, "failed")
        here.discord.set_limits({"interaction_deadline_s": 3.0})

        await here.clip(await here.animate(photo_file()))  # and the bot is as well as before
        await assert_paid_and_posted_once(here)


async def test_an_acknowledgement_whose_answer_is_lost_strands_nobody(here: Town) -> None:
    rule = here.trouble_at_discord(do="lose_answer", match={"path": "/callback"})
    async with here.bot():
        started = await here.animate(photo_file())
        await here.clip(started)
        assert here.discord.faults.hits(rule) == 1
        await here.says(await here.status(started), "✅ Done")
        await assert_paid_and_posted_once(here)


async def test_an_event_that_comes_twice_is_answered_once(here: Town) -> None:
    async with here.bot():
        started = await here.animate(photo_file())
        await here.control("POST", "gateway", {"do": "duplicate"})
        await here.clip(started)
        await asyncio.sleep(0.3)
        await assert_paid_and_posted_once(here)
        refusals = [one for one in here.mia.everything() if one["flags"] & EPHEMERAL]
    assert refusals == []


@pytest.mark.parametrize("shake", ["reconnect", "invalidate", "drop"])
async def test_a_gateway_that_goes_away_in_between_loses_nothing(here: Town, shake: str) -> None:
    async with here.bot():
        early = await rendering(here, 1)
        seen = len(here.mia.events)
        await here.control("POST", "gateway", {"do": shake})
        await here.clip(early)
        await until(lambda: ("BOT", {"online": True}) in here.mia.events[seen:])

        late = await here.animate(photo_file())
        await here.clip(late)
        await assert_paid_and_posted_once(here, jobs=2)


async def stopped(process: asyncio.subprocess.Process) -> int:
    """Tell a bot to stop, and return its exit code; it has ten seconds."""
    before = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = await asyncio.wait_for(process.wait(), STOPS_WITHIN)
    assert time.monotonic() - before < STOPS_WITHIN
    return code
