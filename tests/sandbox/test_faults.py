"""What a fault rule does to a request, seen from the client's side of a real connection."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.faults import Faults, Match, Rule

CONTROL = "/sandbox/control/faults"
BODY = b"0123456789" * 100_000


class Server:
    """A server that counts what it processed, behind the rules under test."""

    def __init__(self, url: str, faults: Faults, http: aiohttp.ClientSession) -> None:
        self.url, self.faults, self.http = url, faults, http
        self.processed: list[str] = []

    async def post(self, path: str = "/work", body: str = "", **options: Any) -> tuple[int, bytes]:
        async with self.http.post(self.url + path, data=body, **options) as response:
            return response.status, await response.read()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.processed.append((await request.read()).decode())
        if request.path == "/missing":
            raise web.HTTPNotFound
        return web.Response(body=BODY)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    faults = Faults(label=lambda _request, body: body.decode())
    app = web.Application(middlewares=[faults.middleware])
    faults.add_routes(app)
    (tmp_path / "clip.mp4").write_bytes(BODY)

    async def clip(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(tmp_path / "clip.mp4")

    runner = web.AppRunner(app, shutdown_timeout=0.1)
    app.router.add_get("/clip.mp4", clip)
    async with aiohttp.ClientSession() as http:
        server = Server("", faults, http)
        app.router.add_post("/{path:(?!sandbox).*}", server.handle)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
        await runner.cleanup()


async def test_without_rules_nothing_happens(server: Server) -> None:
    assert await server.post() == (200, BODY)


async def test_a_lost_answer_was_processed(server: Server) -> None:
    key = server.faults.add(Rule(do="lose_answer"))
    with pytest.raises(aiohttp.ClientConnectionError):
        await server.post(body="one")
    assert server.processed == ["one"]
    assert server.faults.hits(key) == 1
    assert await server.post(body="two") == (200, BODY), "a rule acts once unless told otherwise"


async def test_a_dropped_request_was_not_processed(server: Server) -> None:
    server.faults.add(Rule(do="drop"))
    with pytest.raises(aiohttp.ClientConnectionError):
        await server.post(body="one" * 300_000)
    assert server.processed == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_stalled_request_is_processed_though_its_client_has_left(
    server: Server, when: str
) -> None:
    server.faults.add(Rule.model_validate({"do": "stall", "seconds": 0.3, "when": when}))
    with pytest.raises(TimeoutError):
        await server.post(body="one", timeout=aiohttp.ClientTimeout(total=0.1))
    assert server.processed == ([] if when == "before" else ["one"])
    await asyncio.sleep(0.4)
    assert server.processed == ["one"]


async def test_a_stalled_request_is_answered_to_the_patient(server: Server) -> None:
    server.faults.add(Rule(do="stall", seconds=0.2))
    before = time.monotonic()
    assert await server.post() == (200, BODY)
    assert time.monotonic() - before >= 0.2


async def test_a_status_is_answered_instead_of_processing(server: Server) -> None:
    rule = {"do": "status", "status": 429, "body": {"n": 1}, "headers": {"Retry-After": "3"}}
    server.faults.add(Rule.model_validate(rule))
    async with server.http.post(server.url + "/work", data=b"x") as response:
        assert (response.status, await response.json()) == (429, {"n": 1})
        assert response.headers["Retry-After"] == "3"
    assert server.processed == []


@pytest.mark.parametrize("path", ["/work", "/missing"])
async def test_a_status_after_is_answered_to_a_request_that_was_processed(
    server: Server, path: str
) -> None:
    rule = {"do": "status", "status": 502, "body": {"n": 1}, "when": "after"}
    server.faults.add(Rule.model_validate(rule))
    assert await server.post(path, "one") == (502, b'{"n":1}')
    assert server.processed == ["one"]


@pytest.mark.parametrize("path", ["/work", "/clip.mp4"])
async def test_a_truncated_answer_breaks_off_in_the_middle(server: Server, path: str) -> None:
    server.faults.add(Rule(do="truncate"))
    method = "GET" if path == "/clip.mp4" else "POST"
    async with server.http.request(method, server.url + path) as response:
        assert response.content_length == len(BODY)
        assert await response.content.readexactly(len(BODY) // 2) == BODY[: len(BODY) // 2]
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.readany()


@pytest.mark.parametrize(
    ("when", "processed", "error"),
    [
        ("before", [], aiohttp.ClientConnectionError),
        ("after", ["one"], None),
        ("halfway", ["one"], aiohttp.ClientPayloadError),
        ("answered", ["one"], None),
    ],
)
async def test_a_kill_strikes_the_given_process(
    server: Server, when: str, processed: list[str], error: type[Exception] | None
) -> None:
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(30)"
    )
    server.faults.may_kill(victim.pid)
    rule = {"do": "kill", "when": when, "pid": victim.pid}
    server.faults.add(Rule.model_validate(rule))
    if error is None:
        assert await server.post(body="one") == (200, BODY)
    else:
        with pytest.raises(error):
            await server.post(body="one")
    assert await victim.wait() == -signal.SIGKILL
    assert server.processed == processed


async def test_rules_meet_only_what_they_match(server: Server) -> None:
    server.faults.add(
        Rule.model_validate(
            {
                "match": {"method": "POST", "path": r"\?key=7$", "label": "pay"},
                "do": "status",
                "status": 503,
                "times": None,
            }
        )
    )
    assert (await server.post("/work?key=7", "look"))[0] == 200
    assert (await server.post("/work?key=8", "pay"))[0] == 200
    for _ in range(3):
        assert (await server.post("/work?key=7", "pay"))[0] == 503


async def test_skip_and_times_choose_which_matches_are_hit(server: Server) -> None:
    server.faults.add(Rule(do="status", status=500, skip=1, times=2))
    server.faults.add(Rule(do="status", status=418, times=None, match=Match(label=None)))
    assert [(await server.post())[0] for _ in range(4)] == [418, 500, 500, 418]


async def test_an_error_that_the_server_raises_passes_through(server: Server) -> None:
    server.faults.add(Rule(do="stall"))
    assert (await server.post("/missing"))[0] == 404


async def test_rules_are_managed_over_http_and_never_hit_the_control(server: Server) -> None:
    rule = {"match": {"path": "/"}, "do": "drop", "times": None}
    async with server.http.post(server.url + CONTROL, json=rule) as response:
        assert response.status == 201
        key = (await response.json())["id"]
    with pytest.raises(aiohttp.ClientConnectionError):
        await server.post()
    async with server.http.get(server.url + CONTROL) as response:
        assert await response.json() == [{"id": key, "seen": 1, "hits": 1} | rule]
    async with server.http.delete(server.url + CONTROL, params={"id": key}) as response:
        assert response.status == 204
    assert (await server.post())[0] == 200
    async with server.http.delete(server.url + CONTROL, params={"id": key}) as response:
        assert response.status == 404
    async with server.http.delete(server.url + CONTROL) as response:
        assert response.status == 204


async def test_only_a_process_that_was_given_up_in_code_can_be_killed(server: Server) -> None:
    bystander = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(30)"
    )
    try:
        rule = {"do": "kill", "pid": bystander.pid}
        async with server.http.post(server.url + CONTROL, json=rule) as response:
            assert response.status == 403
            assert "may be killed" in (await response.json())["message"]
        with pytest.raises(PermissionError):
            server.faults.add(Rule.model_validate(rule))
        assert await server.post() == (200, BODY)
        assert bystander.returncode is None

        server.faults.may_kill(bystander.pid)
        async with server.http.post(server.url + CONTROL, json=rule) as response:
            assert response.status == 201
    finally:
        bystander.kill()
        await bystander.wait()


@pytest.mark.parametrize(
    "rule",
    [
        {"do": "explode"},
        {"do": "drop", "colour": "red"},
        {"do": "drop", "match": {"host": "x"}},
        {"do": "status"},
        {"do": "kill"},
        {"do": "kill", "pid": 1},
        {"do": "stall", "when": "answered"},
        {"do": "status", "status": 500, "when": "halfway"},
        {"do": "status", "status": 500, "when": "answered"},
        {"do": "drop", "match": {"path": "("}},
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(server: Server, rule: dict[str, Any]) -> None:
    async with server.http.post(server.url + CONTROL, json=rule) as response:
        assert response.status == 422
    assert server.faults.snapshot() == []
