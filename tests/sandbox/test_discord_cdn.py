"""The CDN: signed links, their end, byte ranges, and links made fresh."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person
from tests.sandbox.discord_client import JSON, Api, png


@pytest.fixture
async def server() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(limits=Limits(message_content_enabled=True)) as running:
        yield running


@pytest.fixture
async def posted(server: LocalDiscord) -> JSON:
    async with Person(server.url, "Mia") as mia:
        return await mia.send("look", await mia.attach(png(), "my cät.png"))


async def fetch(url: str, **headers: str) -> tuple[int, bytes, str | None]:
    """GET a link: status, bytes, Content-Range."""
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as response:
        return response.status, await response.read(), response.headers.get("Content-Range")


async def test_a_link_gives_the_file(server: LocalDiscord, posted: JSON) -> None:
    [attachment] = posted["attachments"]
    assert attachment["url"].startswith(f"http://{server.cdn_host}/attachments/")
    assert attachment["filename"] == "my_cät.png"
    assert await fetch(attachment["url"]) == (200, png(), None)


async def test_a_player_can_seek(posted: JSON) -> None:
    [attachment] = posted["attachments"]
    size = attachment["size"]
    status, part, where = await fetch(attachment["url"], Range="bytes=10-19")
    assert (status, part, where) == (206, png()[10:20], f"bytes 10-19/{size}")
    status, part, where = await fetch(attachment["url"], Range="bytes=-5")
    assert (status, part) == (206, png()[-5:])
    status, part, where = await fetch(attachment["url"], Range="bytes=5-")
    assert (status, part) == (206, png()[5:])
    status, _, where = await fetch(attachment["url"], Range=f"bytes={size}-")
    assert (status, where) == (416, f"bytes */{size}")


async def test_a_link_expires_and_the_message_has_a_new_one(
    server: LocalDiscord, posted: JSON
) -> None:
    server.set_limits({"cdn_link_life_s": 0.0})
    async with Api(server) as api:
        path = f"/channels/{posted['channel_id']}/messages/{posted['id']}"
        _, message = await api.call("GET", path)
        old = message["attachments"][0]["url"]
        await asyncio.sleep(0.01)
        assert (await fetch(old))[0] == 404
        server.set_limits({"cdn_link_life_s": 60.0})
        status, body = await api.call(
            "POST", "/attachments/refresh-urls", {"attachment_urls": [old]}
        )
        assert status == 200
        [refreshed] = body["refreshed_urls"]
        assert refreshed["original"] == old
        assert (await fetch(refreshed["refreshed"]))[0] == 200


async def test_a_forged_link_gives_nothing(posted: JSON) -> None:
    url: str = posted["attachments"][0]["url"]
    for forged in (
        url.split("?", maxsplit=1)[0],
        url.replace("ex=", "ex=f"),
        url.replace("hm=", "hm=0"),
    ):
        assert (await fetch(forged))[0] == 404


async def test_what_is_handed_to_a_command_is_ephemeral(server: LocalDiscord) -> None:
    async with Person(server.url, "Mia") as mia:
        attached = await mia.attach(png(), "cat.png")
    attachment = server.people.uploads[attached.id]
    shape = server.cdn.as_json(attachment)
    assert shape["ephemeral"] is True
    root = f"{server.url}/ephemeral-attachments/{server.world.application_id}/"
    assert shape["url"].startswith(root)


async def test_a_deleted_message_takes_its_files_along(server: LocalDiscord, posted: JSON) -> None:
    async with Person(server.url, "Mia") as mia:
        await mia.delete(posted)
    assert (await fetch(posted["attachments"][0]["url"]))[0] == 404
