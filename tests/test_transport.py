"""httpx's requests carried by aiohttp: they arrive as written, and fail as httpx's own would."""

import asyncio
import gzip
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
import httpx
import pytest
from aiohttp import web

from bot import transport

OWN, OURS = "httpx's own", "ours"
NO_PORT = "http://127.0.0.1:1"
BODY = bytes(range(256)) * 4096
"""A megabyte."""


@dataclass
class Server:
    """What arrives at it, and how it answers."""

    url: str = ""
    requests: list[web.BaseRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answer: Callable[[web.BaseRequest], web.StreamResponse] = lambda _: web.Response()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.content.read())
        return self.answer(request)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    runner = web.ServerRunner(web.Server(made.handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with transport.client() as made:
        yield made


@pytest.fixture(params=[OWN, OURS])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """Both in turn: what holds for httpx's own has to hold for ours."""
    async with transport.client() if request.param == OURS else httpx.AsyncClient() as made:
        yield made


# --- What is sent --------------------------------------------------------------------------------


async def test_a_request_arrives_as_httpx_sends_it(server: Server) -> None:
    heads = []
    for made in (httpx.AsyncClient(), transport.client()):
        async with made as http:
            await http.post(
                f"{server.url}/v1", content=b"[1]", headers={"Authorization": "Bearer k"}
            )
        head = {name.title(): value for name, value in server.requests[-1].headers.items()}
        heads.append((server.requests[-1].method, server.requests[-1].path, head))
    assert heads[0] == heads[1]
    assert server.bodies == [b"[1]", b"[1]"]


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb/c%20d?e=%26f&g=h%3Di",
        "/%C3%A4?q=a+b",
        "/?",
        "/plain",
        "/a?url=https://b.example/c?d",
    ],
)
async def test_an_address_is_sent_as_it_is_written(
    either: httpx.AsyncClient, server: Server, target: str
) -> None:
    await either.get(server.url + target)
    assert server.requests[-1].path_qs == target.removesuffix("?")


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 5_000_000])
async def test_a_body_of_any_size_arrives_whole_and_with_its_length(
    http: httpx.AsyncClient, server: Server, size: int
) -> None:
    content = BODY[:1] * size
    await http.post(server.url, content=content)
    assert server.bodies == [content]
    assert server.requests[0].headers["Content-Length"] == str(size)
    assert "Transfer-Encoding" not in server.requests[0].headers


async def test_nothing_is_remembered_between_requests_but_the_connection(
    http: httpx.AsyncClient, server: Server
) -> None:
    def answer(_: web.BaseRequest) -> web.Response:
        response = web.Response()
        response.set_cookie("who", "me")
        return response

    server.answer = answer
    for _ in range(3):
        await http.get(server.url)
        http.cookies.clear()  # httpx's own memory
    assert all("Cookie" not in request.headers for request in server.requests)
    assert len({id(request.transport) for request in server.requests}) == 1


# --- What comes back -----------------------------------------------------------------------------


async def test_an_answer_is_the_one_that_was_given(
    either: httpx.AsyncClient, server: Server
) -> None:
    given = [("X-One", "1"), ("X-Two", "a"), ("X-Two", "b")]
    server.answer = lambda _: web.Response(status=418, body=BODY, headers=given)
    response = await either.get(server.url)
    assert (response.status_code, response.content) == (418, BODY)
    assert response.headers.get_list("X-Two") == ["a", "b"]
    assert response.reason_phrase == "I'm a Teapot"


async def test_a_packed_answer_is_unpacked_once(either: httpx.AsyncClient, server: Server) -> None:
    packed = gzip.compress(BODY)
    server.answer = lambda _: web.Response(body=packed, headers={"Content-Encoding": "gzip"})
    assert (await either.get(server.url)).content == BODY


async def test_a_redirect_is_told_and_not_followed(
    either: httpx.AsyncClient, server: Server
) -> None:
    server.answer = lambda _: web.Response(status=302, headers={"Location": "/elsewhere"})
    response = await either.get(server.url)
    assert response.has_redirect_location
    assert len(server.requests) == 1


async def test_a_long_answer_comes_in_pieces_and_may_be_left(
    either: httpx.AsyncClient, server: Server
) -> None:
    server.answer = lambda _: web.Response(body=BODY * 20)
    async with either.stream("GET", server.url) as response:
        pieces = [len(piece) async for piece in response.aiter_bytes()]
    assert sum(pieces) == len(BODY) * 20
    assert max(pieces) <= 2 * len(BODY)

    async with either.stream("GET", server.url) as response:
        async for _ in response.aiter_bytes():
            break
    assert (await either.get(server.url)).content == BODY * 20


# --- What goes wrong -----------------------------------------------------------------------------


async def raised(http: httpx.AsyncClient, url: str, **options: float) -> type[BaseException]:
    timeout = httpx.Timeout(5) if not options else httpx.Timeout(5, **options)
    with pytest.raises(httpx.TransportError) as caught:
        await http.post(url, content=b"[]", timeout=timeout)
    assert caught.value.request.url == url
    return caught.type


UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""After these, and no others, `provider.py` takes it that the service got nothing."""


@pytest.mark.parametrize("url", [NO_PORT, "http://no-such-host.invalid/", "https://127.0.0.1:1/"])
async def test_what_no_connection_can_be_made_for_was_not_sent(
    either: httpx.AsyncClient, url: str
) -> None:
    assert issubclass(await raised(either, url), UNSENT)


async def test_a_plain_server_behind_a_secure_address_was_sent_nothing(
    either: httpx.AsyncClient, server: Server
) -> None:
    secure = server.url.replace("http://", "https://")
    assert issubclass(await raised(either, secure), UNSENT)
    assert server.requests == []


@dataclass
class Rude:
    """A server that takes a request and then does as it likes with the connection."""

    answer: bytes | None
    """What it sends before it hangs up; None: it says nothing, and stays."""
    got: list[bytes] = field(default_factory=list)
    url: str = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.got.append(await reader.readuntil(b"[]"))
        if self.answer is None:
            await reader.read()  # until the client gives up
        else:
            writer.write(self.answer)
        writer.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200", id="half a head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", id="half a body"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", id="half a chunk"
        ),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="no HTTP"),
    ],
)
async def test_a_request_that_was_read_is_never_taken_for_unsent(
    either: httpx.AsyncClient, answer: bytes
) -> None:
    rude = Rude(answer)
    async with await asyncio.start_server(rude.handle, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        assert not issubclass(await raised(either, f"http://127.0.0.1:{port}/"), UNSENT)
    assert len(rude.got) == 1


async def test_an_answer_that_does_not_come_times_out_as_an_answer(
    either: httpx.AsyncClient,
) -> None:
    rude = Rude(None)
    async with await asyncio.start_server(rude.handle, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/"
        assert await raised(either, url, read=0.05) is httpx.ReadTimeout


async def test_a_server_that_never_reads_cannot_hold_a_request_for_ever(
    http: httpx.AsyncClient,
) -> None:
    given_up = asyncio.Event()

    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await given_up.wait()
        writer.close()

    async with await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        with pytest.raises(httpx.TransportError) as caught:
            await http.post(url, content=bytes(20_000_000), timeout=0.1)
        given_up.set()
    assert not issubclass(caught.type, UNSENT)


async def test_what_came_of_a_long_answer_is_handed_over_before_it_breaks_off(
    either: httpx.AsyncClient,
) -> None:
    rude = Rude(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + bytes(3_000_000))
    pieces: list[bytes] = []

    async def kept(url: str) -> None:
        async with either.stream("POST", url, content=b"[]") as response:
            async for piece in response.aiter_bytes():
                pieces.append(piece)  # noqa: PERF401 - what came before it breaks off counts

    async with await asyncio.start_server(rude.handle, "127.0.0.1", 0) as listening:
        with pytest.raises(httpx.TransportError):
            await kept(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/")
    assert len(b"".join(pieces)) > 1_000_000


async def test_a_name_with_odd_characters_is_no_other_host(http: httpx.AsyncClient) -> None:
    for url in ("http://127.0.0.1:1\\@example.org/", "http://a b/"):
        with pytest.raises((httpx.TransportError, httpx.InvalidURL)):
            await http.get(url)


async def test_a_client_that_was_never_used_is_closed_as_well() -> None:
    async with transport.client():
        pass
    assert issubclass(aiohttp.ClientConnectorError, OSError)


def test_a_name_that_nobody_answers_for_keeps_nobody_from_leaving(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answered.wait(10))

    async def ask_in_vain() -> None:
        async with transport.client() as http:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(http.get("http://silent.example"), 0.1)

    began = time.monotonic()
    asyncio.run(ask_in_vain())
    assert time.monotonic() - began < 5
    answered.set()


async def test_a_name_that_is_none_was_sent_nothing(http: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.ConnectError):
        await http.get("http://nobody.invalid/")
