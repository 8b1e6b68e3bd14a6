"""Both local servers serve this machine and their own page, and nobody who comes by a browser."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.sandbox.discord.server import LocalDiscord
from bot.sandbox.runware.server import LocalRunware

FAULT = '{"do": "drop"}'


@pytest.fixture
async def discord() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as running:
        yield running


@pytest.fixture
async def runware() -> AsyncIterator[LocalRunware]:
    async with LocalRunware(canned=True) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


FOREIGN = [
    pytest.param({"Origin": "https://evil.example"}, id="another site's page"),
    pytest.param({"Origin": "null"}, id="a page without an origin"),
    pytest.param({"Origin": "http://127.0.0.1:1"}, id="another server of this machine"),
    pytest.param({"Origin": "https://127.0.0.1:{port}"}, id="another scheme"),
    pytest.param({"Origin": ""}, id="an empty origin"),
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="an image or a form of another site"),
    pytest.param({"Host": "evil.example:{port}"}, id="a foreign name that points here"),
    pytest.param({"Host": "127.0.0.1"}, id="another port of this machine"),
    pytest.param({"Host": "127.0.0.1.evil.example:{port}"}, id="a name that only begins alike"),
]


def filled(headers: dict[str, str], base: str) -> dict[str, str]:
    return {name: value.format(port=base.rpartition(":")[2]) for name, value in headers.items()}


@pytest.mark.parametrize("headers", FOREIGN)
async def test_what_comes_from_another_site_is_refused_by_both_servers(
    discord: LocalDiscord,
    runware: LocalRunware,
    http: aiohttp.ClientSession,
    headers: dict[str, str],
) -> None:
    for base, paths in (
        (discord.url, ("/", "/sandbox/people", "/api/v10/gateway", "/static/page.js")),
        (runware.base_url, ("/v1", "/sandbox/control/settings", "/image/ii/none")),
    ):
        given = filled(headers, base)
        for path in paths:
            async with http.get(base + path, headers=given) as response:
                assert response.status == 403, path
        plain = given | {"Content-Type": "text/plain"}
        url = f"{base}/sandbox/control/faults"
        async with http.post(url, data=FAULT, headers=plain) as response:
            assert response.status == 403
            assert "this machine and its own page" in (await response.json())["message"]
    assert discord.faults.snapshot() == runware.faults.snapshot() == []


@pytest.mark.parametrize("headers", FOREIGN[:3])
async def test_another_sites_page_opens_no_websocket(
    discord: LocalDiscord,
    runware: LocalRunware,
    http: aiohttp.ClientSession,
    headers: dict[str, str],
) -> None:
    async with http.get(f"{discord.url}/sandbox/people") as response:
        mia = (await response.json())["people"][0]["id"]
    for url in (f"{discord.url}/sandbox/socket?as={mia}", f"{discord.url}/gateway", runware.url):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(url, headers=filled(headers, discord.url))
        assert refused.value.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="a program"),
        pytest.param({"Host": "localhost:{port}"}, id="by name"),
        pytest.param({"Host": "[::1]:{port}"}, id="by the other number"),
        pytest.param(
            {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"},
            id="the page itself",
        ),
        pytest.param({"Sec-Fetch-Site": "none"}, id="an address that was typed"),
    ],
)
async def test_neighbours_and_the_servers_own_page_come_in(
    discord: LocalDiscord,
    runware: LocalRunware,
    http: aiohttp.ClientSession,
    headers: dict[str, str],
) -> None:
    for base in (discord.url, runware.base_url):
        url = f"{base}/sandbox/control/faults"
        async with http.post(url, data=FAULT, headers=filled(headers, base)) as response:
            assert response.status == 201
    async with http.get(f"{discord.url}/sandbox/people") as response:
        mia = (await response.json())["people"][0]["id"]
    url = f"{discord.url}/sandbox/socket?as={mia}"
    async with http.ws_connect(url, headers=filled(headers, discord.url)) as socket:
        assert (await socket.receive_json())["t"] == "STATE"


async def test_the_page_asked_for_by_name_moves_to_the_number_its_files_are_linked_with(
    discord: LocalDiscord, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"http://localhost:{discord.port}/") as response:
        assert response.status == 200
        assert str(response.url) == f"{discord.url}/"
