"""The provider's door alone: what is let in, what it costs, and what it makes of it."""

import asyncio
import logging
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest

from bot import ledger, lifecycle
from bot.database import Database
from bot.errors import CannotListen, StoreError
from bot.hooks import Bell, Signer
from bot.lifecycle import Event, Job
from bot.store import Store
from bot.web import MOST_BYTES, Web
from tests.conftest import NOON, UNLIMITED, Clock, make_job

T = TypeVar("T")
KEY = b"a key of the tests"
LATER = NOON + 60_000
SOON = 5.0


class CountingDatabase(Database):
    """The database, which counts the transactions and can break."""

    count = 0
    is_broken = False

    async def run(self, transaction: Callable[[sqlite3.Connection], T]) -> T:
        self.count += 1
        if self.is_broken:
            raise StoreError("the disk is full")
        return await super().run(transaction)


class Door:
    """The server on a free port, with its store, a clock, and how often the worker was woken."""

    def __init__(self, database: CountingDatabase) -> None:
        self.database = database
        self.store = Store(database)
        self.clock = Clock()
        self.wakes = 0
        self.reason = ""
        self.signer = Signer("", KEY)
        bell = Bell(self.store, self.clock, self._wake)
        self.web = Web("127.0.0.1", 0, self._readiness, self.signer, bell)

    def _wake(self) -> None:
        self.wakes += 1

    async def _readiness(self) -> str:
        if self.reason == "broken":
            raise ZeroDivisionError
        return self.reason

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web.port}"

    def hook(self, job: Job) -> str:
        return self.url + self.signer.url(job.task_uuid)

    async def job(self, *events: Event) -> Job:
        """Put a job into the books that is due in a minute."""
        job = make_job()
        await self.store.accept(job, UNLIMITED)
        return await self.on(job, *events)

    async def on(self, job: Job, *events: Event) -> Job:
        for event in events:
            after = lifecycle.advance(job, event, NOON, due_at=LATER)
            job = await self.store.move(job, after)
        return job

    async def due_at(self, job: Job) -> int:
        found = await self.store.job(job.id)
        assert found is not None
        return found.due_at

    async def call(self, url: str, data: object = b"{}", method: str = "POST") -> int:
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, url, data=data) as response,
        ):
            assert method != "POST" or await response.read() == b""
            return response.status

    async def raw(self, text: str) -> bytes:
        """Send these bytes, and nothing after them; return all that is answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.web.port)
        writer.write(text.encode())
        await writer.drain()
        answer = await reader.read()
        writer.close()
        return answer

    def begun(self, url: str, length: int) -> str:
        """Return a call that promises more than it sends."""
        path = url.removeprefix(self.url)
        return f"POST {path} HTTP/1.1\r\nHost: bot\r\nContent-Length: {length}\r\n\r\nx"


RENDERING = (Event.SUBMIT, Event.ACCEPTED)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with CountingDatabase(tmp_path / "data") as database:
        made = Door(database)
        await made.web.start()
        try:
            yield made
        finally:
            await made.web.stop()


# --- Tokens --------------------------------------------------------------------------------------


def test_a_token_opens_the_door_of_its_own_task_and_no_other() -> None:
    signer = Signer("https://bot.example.org/animate", KEY)
    url = signer.url("task-1")
    parts = re.fullmatch(
        r"https://bot\.example\.org/animate/hooks/task-1\?token=([0-9a-f]{64})", url
    )
    assert parts is not None
    assert signer.is_genuine("task-1", parts[1])
    assert not signer.is_genuine("task-2", parts[1])
    assert not Signer(signer.base, b"another key").is_genuine("task-1", parts[1])


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "é" * 64, "\ud800", "\0"])
def test_anything_else_is_no_token(token: str) -> None:
    assert not Signer("", KEY).is_genuine("task-1", token)
    assert not Signer("", KEY).is_genuine("\ud800", token)


def test_the_key_is_not_printed() -> None:
    assert KEY.decode() not in repr(Signer("", KEY))


# --- What is let in ------------------------------------------------------------------------------


async def test_a_call_makes_the_job_due_now_and_wakes_the_worker(door: Door) -> None:
    job, other = await door.job(*RENDERING), await door.job(*RENDERING)

    assert await door.call(door.hook(job)) == 204
    assert (await door.due_at(job), await door.due_at(other)) == (NOON, LATER)
    assert door.wakes == 1


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b'{"status": "error", "cost": 99}', b"\x00" * MOST_BYTES]
)
async def test_what_a_call_says_is_of_no_interest(door: Door, body: bytes) -> None:
    job = await door.job(*RENDERING)
    before = await door.store.entries(job.id)
    assert await door.call(door.hook(job), body) == 204
    assert await door.due_at(job) == NOON
    assert await door.store.entries(job.id) == before


async def test_a_body_that_only_claims_to_be_packed_is_of_no_interest_either(door: Door) -> None:
    job = await door.job(*RENDERING)
    headers = {"Content-Encoding": "gzip"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(door.hook(job), data=b"not gzip", headers=headers) as response,
    ):
        assert response.status == 204


async def test_a_flood_of_forged_calls_is_refused_without_a_look_into_the_database(
    door: Door,
) -> None:
    job = await door.job(*RENDERING)
    genuine, before = door.hook(job), door.database.count
    forged = [
        f"{door.url}/hooks/{job.task_uuid}",
        f"{door.url}/hooks/{job.task_uuid}?token=",
        f"{genuine}0",
        genuine.replace(job.task_uuid, job.id),
        f"{door.url}/hooks/{'x' * 2000}?token={'y' * 2000}",
        f"{door.url}/hooks/",
        f"{door.url}/",
    ]
    async with aiohttp.ClientSession() as http:

        async def status(url: str) -> int:
            async with http.post(url, data=b"{}") as response:
                return response.status

        answers = await asyncio.gather(*(status(url) for url in forged * 60))

    assert set(answers) == {404}
    assert door.database.count == before
    assert (await door.due_at(job), door.wakes) == (LATER, 0)


async def test_only_a_post_is_a_call(door: Door) -> None:
    job = await door.job(*RENDERING)
    before = door.database.count
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        assert await door.call(door.hook(job), None, method) == 405
    assert door.database.count == before


async def test_a_call_for_a_task_that_is_in_no_books_changes_nothing(door: Door) -> None:
    assert await door.call(door.hook(make_job())) == 204
    assert door.wakes == 0


# --- Size and time -------------------------------------------------------------------------------


async def test_a_body_that_is_too_large_is_refused_said_or_unsaid(door: Door) -> None:
    job = await door.job(*RENDERING)
    before = door.database.count

    async def unsaid() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield b"x" * 1024

    assert await door.call(door.hook(job), unsaid()) == 413
    answer = await door.raw(door.begun(door.hook(job), MOST_BYTES + 1))
    assert answer.startswith(b"HTTP/1.1 413")
    assert door.database.count == before


async def test_a_body_that_never_ends_is_refused_in_time(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web._BODY_WITHIN", 0.1)
    job = await door.job(*RENDERING)
    before, started = door.database.count, time.monotonic()
    answers = await asyncio.gather(
        *(door.raw(door.begun(door.hook(job), 100)) for _ in range(20)),
        door.raw(door.begun(f"{door.hook(job)}0", 100)),
    )
    assert time.monotonic() - started < SOON
    assert {answer[:12] for answer in answers[:-1]} == {b"HTTP/1.1 408"}
    assert answers[-1].startswith(b"HTTP/1.1 404")
    assert door.database.count == before


async def test_a_caller_that_hangs_up_is_no_trouble(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    job = await door.job(*RENDERING)
    _, writer = await asyncio.open_connection("127.0.0.1", door.web.port)
    writer.write(door.begun(door.hook(job), 100).encode())
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()
    await asyncio.sleep(0.05)
    assert await door.due_at(job) == LATER
    assert caplog.text == ""


async def test_what_is_no_http_is_refused_and_not_quoted(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    assert b" 400 " in await door.raw("POST /hooks/x?token=y NO/HTTP\r\n\r\n")
    assert caplog.text == ""


# --- How often -----------------------------------------------------------------------------------


@pytest.fixture
def short_rest(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr("bot.hooks._REST", 0.2)
    return 0.2


async def test_doubled_calls_are_one_nudge_now_and_one_a_moment_later(
    door: Door, short_rest: float
) -> None:
    job, other = await door.job(*RENDERING), await door.job(*RENDERING)
    before = door.database.count

    assert {await door.call(door.hook(job)) for _ in range(10)} == {204}
    assert door.database.count == before + 1
    assert await door.call(door.hook(other)) == 204  # each task has its own second
    assert door.database.count == before + 2

    await asyncio.sleep(short_rest * 3)
    assert door.database.count == before + 3
    assert door.wakes == 3


async def test_a_call_before_the_acknowledgement_is_heard_after_it(
    door: Door, short_rest: float
) -> None:
    job = await door.job(Event.SUBMIT)
    assert await door.call(door.hook(job)) == 204
    assert (await door.due_at(job), door.wakes) == (LATER, 0)

    await asyncio.sleep(short_rest * 2)
    job = await door.on(job, Event.ACCEPTED)
    await asyncio.sleep(short_rest * 2)
    assert (await door.due_at(job), door.wakes) == (NOON, 1)

    before = door.database.count
    await asyncio.sleep(short_rest * 2)
    assert door.database.count == before


async def test_a_call_about_a_task_that_was_lost_has_it_looked_at_now(door: Door) -> None:
    job = await door.job(*RENDERING)
    lost = lifecycle.advance(job, Event.GIVE_UP, NOON, due_at=LATER)
    job = await door.store.move(job, lost, resolution=ledger.release(job, NOON, "no word"))

    assert await door.call(door.hook(job)) == 204
    assert (await door.due_at(job), door.wakes) == (NOON, 1)


async def test_accounts_that_cannot_be_written_have_the_service_call_again(
    door: Door, caplog: pytest.LogCaptureFixture, short_rest: float
) -> None:
    job = await door.job(*RENDERING)
    door.database.is_broken = True
    assert await door.call(door.hook(job)) == 503
    assert await door.call(door.hook(job)) == 204  # it will be tried again in a moment
    await asyncio.sleep(short_rest * 2)
    assert caplog.text.count("the disk is full") == 2
    assert "token" not in caplog.text

    door.database.is_broken = False
    assert await door.call(door.hook(job)) == 204
    await asyncio.sleep(short_rest * 2)  # it may have met the last try that failed
    assert await door.due_at(job) == NOON


# --- Health --------------------------------------------------------------------------------------


async def told(url: str) -> tuple[int, object]:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return response.status, await response.json()


async def test_it_tells_whether_it_lives_and_whether_it_is_ready(door: Door) -> None:
    assert await told(f"{door.url}/healthz") == (200, {"alive": True})
    assert await told(f"{door.url}/readyz") == (200, {"ready": True})
    door.reason = "the doors are not open"
    assert await told(f"{door.url}/healthz") == (200, {"alive": True})
    assert await told(f"{door.url}/readyz") == (503, {"ready": False, "reason": door.reason})


async def test_a_fault_of_our_own_is_logged_and_answered(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    door.reason = "broken"
    with caplog.at_level(logging.ERROR):
        assert await door.call(f"{door.url}/readyz?token=secret", None, "GET") == 500
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text


async def test_without_webhooks_only_health_is_there() -> None:
    async def ready() -> str:
        return ""

    server = Web("127.0.0.1", 0, ready)
    await server.start()
    try:
        url = f"http://127.0.0.1:{server.port}"
        assert (await told(f"{url}/readyz"))[0] == 200
        async with aiohttp.ClientSession() as http, http.post(f"{url}/hooks/x?token=y") as answer:
            assert answer.status == 404
        with pytest.raises(CannotListen, match=f"port {server.port} .*in use"):
            await Web("127.0.0.1", server.port, ready).start()
    finally:
        await server.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await told(f"{url}/healthz")


async def test_it_stops_soon_whoever_still_talks(door: Door) -> None:
    job = await door.job(*RENDERING)
    _, writer = await asyncio.open_connection("127.0.0.1", door.web.port)
    writer.write(door.begun(door.hook(job), 100).encode())
    await asyncio.sleep(0.05)
    async with asyncio.timeout(SOON):
        await door.web.stop()
    writer.close()
