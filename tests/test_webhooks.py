"""Webhooks with the whole bot: a call brings the clip at once, and none changes an outcome.

The bot looks only once a minute here, so that a clip which is there within seconds came by a call.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
import pytest_asyncio

from bot import app
from bot.corridor import Corridor
from bot.web import Web
from tests.town import JSON, PRICE, Town, fetched_json, photo_file, town, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROMPT = 15.0
"""Seconds in which a busy machine should have done what takes less than one."""
RENDERING = 0.6


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def webhooks_on(look_every: str = "60") -> dict[str, str]:
    port = free_port()
    return {
        "ANIMATE_LOOK_EVERY_SECONDS": look_every,
        "ANIMATE_WEB_PORT": str(port),
        "ANIMATE_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bot_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town with the bot in it, whose webhooks are on."""
    async with town(tmp_path_factory.mktemp("town")) as made, made.bot(**webhooks_on()):
        yield made


@pytest.fixture
def here(bot_town: Town) -> Town:
    """That town, with the service calling back as it should."""
    settings = bot_town.runware.settings
    settings.render_seconds, settings.stagger = RENDERING, 0
    settings.webhook_copies, settings.webhook_before_ack = 1, False
    settings.webhook_delay_seconds = 0
    return bot_town


async def answer(method: str, url: str) -> int:
    async with aiohttp.ClientSession() as http, http.request(method, url, json={}) as response:
        return response.status


async def looks(here: Town, task: JSON) -> int:
    """How many times the video service was asked about a task."""
    entries = await fetched_json(f"{here.runware.base_url}/sandbox/control/requests")
    asked = [one for entry in entries for one in entry["tasks"]]
    return sum(
        one["taskType"] == "getResponse" and one["taskUUID"] == task["taskUUID"] for one in asked
    )


async def delivered(here: Town, **options: Any) -> JSON:
    """Have one picture animated and return its task, which was paid once and posted once."""
    accepted, posts = here.runware.ledger.accepted, len(here.posts)
    await here.clip(await here.animate(photo_file(), **options), PROMPT)
    (*_, task) = await here.tasks()
    await assert_one_clip(here, task, options.get("results", 1))
    assert here.runware.ledger.accepted == accepted + 1
    assert len(here.posts) == posts + 1
    return task


async def assert_one_clip(here: Town, task: JSON, results: int = 1) -> None:
    books = await here.settled(PROMPT)
    (job,) = [job for job in books.jobs if job["task_uuid"] == task["taskUUID"]]
    assert job["state"] == "delivered"
    entries = [entry for entry in books.entries if entry["job_id"] == job["id"]]
    assert [entry["kind"] for entry in entries] == ["hold", "spend"]
    assert entries[1]["spent_micro"] == results * PRICE
    assert books.held_micro == 0


def assert_discreet(here: Town, task: JSON) -> None:
    """Check that the log has neither the token nor trouble."""
    token = re.search(r"token=(\w{64})$", task["webhookURL"])
    assert token is not None
    assert token[1] not in here.log
    assert "/hooks/" not in here.log
    assert here.trouble() == []


async def test_a_webhook_brings_the_clip_long_before_the_next_look(here: Town) -> None:
    delivered_before = here.runware.ledger.webhooks_delivered
    task = await delivered(here)

    assert f"/hooks/{task['taskUUID']}?token=" in task["webhookURL"]
    assert here.runware.ledger.webhooks_delivered == delivered_before + 1
    assert await looks(here, task) == 1
    assert_discreet(here, task)


async def test_results_that_end_apart_are_all_there_by_their_webhooks(here: Town) -> None:
    here.runware.settings.stagger = 0.5
    await delivered(here, results=4)
    assert len(here.posts[-1].attachments) == 4


async def test_doubled_early_and_late_webhooks_make_one_clip_paid_once(here: Town) -> None:
    settings = here.runware.settings
    settings.webhook_copies, settings.webhook_before_ack = 5, True
    settings.webhook_delay_seconds = 0.2
    before = here.runware.ledger.webhooks_delivered
    task = await delivered(here)

    await until(lambda: here.runware.ledger.webhooks_delivered == before + 6)
    assert_discreet(here, task)


async def test_a_clip_that_is_ready_before_the_acknowledgement_comes_soon(here: Town) -> None:
    """The only call comes while the submit is still on its way, and never again."""
    settings = here.runware.settings
    settings.webhook_copies, settings.webhook_before_ack = 0, True
    settings.render_seconds = 0
    await delivered(here)


async def test_a_webhook_after_the_end_changes_nothing(here: Town) -> None:
    task = await delivered(here)
    before, books = await looks(here, task), here.books()

    for _ in range(3):
        assert await answer("POST", task["webhookURL"]) == 204
    await asyncio.sleep(0.3)
    assert await looks(here, task) == before
    assert here.books() == books


async def test_a_forged_webhook_makes_the_bot_look_at_nothing(here: Town) -> None:
    here.runware.settings.webhook_copies = 0
    started = await here.animate(photo_file())
    await until(lambda: "rendering" in here.books().states)
    await asyncio.sleep(RENDERING)
    (*_, task) = await here.tasks()
    url, books = task["webhookURL"], here.books()
    forged = [
        url.partition("?")[0],
        url.partition("?")[0] + f"?token={'0' * 64}",
        url.partition("?")[0] + f"?token={'é' * 64}",
        url.replace("token=", "other="),
        url.replace(task["taskUUID"], "c0ffee00-0000-4000-8000-000000000000"),
    ]
    assert [await answer("POST", one) for one in forged] == [404] * len(forged)
    assert await answer("GET", url) == 405
    await asyncio.sleep(0.3)
    assert await looks(here, task) == 0
    assert here.books() == books

    assert await answer("POST", url) == 204
    await here.clip(started, PROMPT)
    await assert_one_clip(here, task)
    assert_discreet(here, task)


async def test_where_webhooks_are_lost_polling_brings_the_clip(tmp_path: Path) -> None:
    async with town(tmp_path, webhook_copies=0) as here, here.bot(**webhooks_on("0.5")):
        await delivered(here)
        assert here.runware.ledger.webhook_attempts == 0


async def test_a_token_outlives_the_process_that_made_it(tmp_path: Path) -> None:
    settings = webhooks_on()
    async with town(tmp_path, webhook_delay_seconds=1) as here:
        async with here.bot(**settings) as process:
            await here.animate(photo_file())
            await until(lambda: here.books().states == ["rendering"])
            await here.crash(process)
        async with here.bot(**settings):  # the service calls again until somebody answers
            (task,) = await here.tasks()
            await assert_one_clip(here, task)


# --- Health --------------------------------------------------------------------------------------


async def test_health_needs_no_public_url_and_readiness_follows_discord(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with town(tmp_path) as here, here.bot(ANIMATE_WEB_PORT=str(port)):
        assert await readiness(url, 200) == {"ready": True}
        assert await fetched_json(f"{url}/healthz") == {"alive": True}
        assert await answer("POST", f"{url}/hooks/x?token=y") == 404

        await here.discord.stop()
        reason = "not connected to Discord"
        assert await readiness(url, 503) == {"ready": False, "reason": reason}
        assert await answer("GET", f"{url}/healthz") == 200


async def readiness(url: str, status: int) -> Any:
    """Wait until the bot answers with this status, and return what it tells."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(PROMPT):
        while True:
            async with http.get(f"{url}/readyz") as response:
                told = await response.json()
                if response.status == status:
                    return told
            await asyncio.sleep(0.05)


async def test_a_port_in_use_is_said_in_one_sentence_and_keeps_no_clip_from_anybody(
    tmp_path: Path,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with town(tmp_path) as here, here.bot(ANIMATE_WEB_PORT=port):
            await here.clip(await here.animate(photo_file()))
            assert f"ANIMATE_WEB_PORT: cannot listen on 127.0.0.1, port {port}" in here.log
            assert "Traceback" not in here.log


async def is_ready() -> str:
    return ""


async def test_the_port_is_taken_as_soon_as_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_LISTENED_AGAIN", 0.05)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        web = Web("127.0.0.1", port, is_ready)
        corridor = cast("Corridor", SimpleNamespace(web=web))
        assert not await app._listen(corridor)  # noqa: SLF001
        waiting = asyncio.create_task(app._listen_later(corridor))  # noqa: SLF001
        await asyncio.sleep(0.2)
        assert not waiting.done()
    try:
        async with asyncio.timeout(PROMPT):
            await waiting
        assert await answer("GET", f"http://127.0.0.1:{port}/healthz") == 200
    finally:
        await web.stop()
