"""Fetching what people handed to Discord: from its hosts only, streamed, capped."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from bot.errors import PictureProblem, PictureRefused
from bot.media import Media, megabytes

CAP = 20_000_000
HOSTS = ("cdn.discordapp.com", "media.discordapp.net", "127.0.0.1:8080")
URL = "https://cdn.discordapp.com/attachments/1/2/picture.png?ex=1&is=2&hm=3"
Answer = Callable[[httpx.Request], httpx.Response]


@asynccontextmanager
async def media(answer: Answer, cap: int = CAP) -> AsyncIterator[Media]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        yield Media(http, HOSTS, cap)


async def refusal(answer: Answer, url: str = URL, cap: int = CAP) -> PictureRefused:
    async with media(answer, cap) as reader:
        with pytest.raises(PictureRefused) as refused:
            await reader.fetch(url)
    return refused.value


async def test_a_picture_is_fetched_with_its_signed_address_as_it_is() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=b"bytes")

    async with media(answer) as reader:
        assert await reader.fetch(URL) == b"bytes"
    assert [str(request.url) for request in asked] == [URL]
    assert "Authorization" not in asked[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/picture.png",
        "https://cdn.discordapp.com.evil.example/picture.png",
        "https://cdn.discordapp.com@evil.example/picture.png",
        "https://cdn.discordapp.com:8443/picture.png",
        "https://evil.example/https://cdn.discordapp.com/",
        "https://127.0.0.1/picture.png",
        "http://127.0.0.1:80/picture.png",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:8080/picture.png",
        "file:///etc/passwd",
        "picture.png",
        "",
        "http://[",
        "https://cdn.discordapp.com\x00/",
    ],
)
async def test_nothing_is_asked_of_any_other_host(url: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=b"secret")

    assert (await refusal(answer, url)).problem is PictureProblem.UNREACHABLE
    assert asked == []


@pytest.mark.parametrize("host", ["CDN.discordapp.com", "cdn.discordapp.com:443"])
async def test_another_way_to_write_a_host_is_the_same_host(host: str) -> None:
    async with media(lambda _: httpx.Response(200, content=b"bytes")) as reader:
        assert await reader.fetch(f"https://{host}/picture.png") == b"bytes"


async def test_a_local_discord_is_known_by_its_port() -> None:
    async with media(lambda _: httpx.Response(200, content=b"bytes")) as reader:
        assert await reader.fetch("http://127.0.0.1:8080/picture.png") == b"bytes"


@pytest.mark.parametrize("status", [204, 301, 302, 307, 403, 404, 410, 415, 429, 500, 503])
async def test_what_is_not_handed_over_is_unreachable_or_empty(status: int) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(status, headers={"Location": "https://evil.example/"})

    problem = (await refusal(answer)).problem
    assert problem is (PictureProblem.EMPTY if status == 204 else PictureProblem.UNREACHABLE)
    assert asked == [URL], "no redirect is followed"


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("…"),
        httpx.ConnectTimeout("…"),
        httpx.ReadTimeout("…"),
        httpx.RemoteProtocolError("…"),
        httpx.PoolTimeout("…"),
    ],
)
async def test_a_broken_connection_is_unreachable(error: Exception) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    assert (await refusal(answer)).problem is PictureProblem.UNREACHABLE


async def test_a_download_that_breaks_off_is_unreachable() -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise httpx.ReadError("gone")

    refused = await refusal(lambda _: httpx.Response(200, content=half()))
    assert refused.problem is PictureProblem.UNREACHABLE


async def test_an_empty_file_is_refused() -> None:
    assert (await refusal(lambda _: httpx.Response(200))).problem is PictureProblem.EMPTY


async def test_a_file_of_just_the_cap_is_taken() -> None:
    async with media(lambda _: httpx.Response(200, content=bytes(1000)), cap=1000) as reader:
        assert len(await reader.fetch(URL)) == 1000


async def test_a_file_that_never_ends_is_left_at_the_cap() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield bytes(1000)

    refused = await refusal(lambda _: httpx.Response(200, content=endless()), cap=50_000)
    assert refused.problem is PictureProblem.TOO_LARGE
    assert sent < 200_000


@pytest.mark.parametrize(
    ("size", "problem"),
    [(0, PictureProblem.EMPTY), (CAP + 1, PictureProblem.TOO_LARGE)],
)
async def test_a_declared_size_may_be_refused_before_any_download(
    size: int, problem: PictureProblem
) -> None:
    async with media(lambda _: httpx.Response(500)) as reader:
        with pytest.raises(PictureRefused) as refused:
            reader.check_size(size)
        assert refused.value.problem is problem


async def test_a_refusal_for_size_names_both_sizes() -> None:
    async with media(lambda _: httpx.Response(500)) as reader:
        reader.check_size(1)
        reader.check_size(CAP)
        with pytest.raises(PictureRefused) as refused:
            reader.check_size(31_200_000)
    assert (refused.value.found, refused.value.limit) == ("31 MB", "20 MB")


@pytest.mark.parametrize(
    ("size", "text"),
    [(1, "0.0 MB"), (400_000, "0.4 MB"), (9_940_000, "9.9 MB"), (31_200_000, "31 MB")],
)
def test_a_size_is_written_for_people(size: int, text: str) -> None:
    assert megabytes(size) == text
