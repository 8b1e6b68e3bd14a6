"""Where pictures come from: forwards, link previews, stickers, several files, spoilers, edits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person, PersonError
from tests.sandbox.discord_client import JSON, Api, connected, discord, png

READ = Limits(message_content_enabled=True, rate_limits_enabled=False)


@pytest.fixture
async def server() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(limits=READ) as running:
        yield running


@pytest.fixture
async def mia(server: LocalDiscord) -> AsyncIterator[Person]:
    async with Person(server.url, "Mia") as person:
        yield person


@pytest.fixture
async def api(server: LocalDiscord) -> AsyncIterator[Api]:
    async with Api(server) as client:
        yield client


async def fetched(url: str) -> tuple[int, bytes, str]:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return response.status, await response.read(), response.content_type


async def read(api: Api, message: JSON) -> JSON:
    """The message as the bot gets it from the API."""
    path = f"/channels/{message['channel_id']}/messages/{message['id']}"
    status, body = await api.call("GET", path)
    assert status == 200
    found: JSON = body
    return found


# --- Forwards ------------------------------------------------------------------------------------


async def test_a_forward_is_a_copy_that_outlives_the_original(mia: Person, api: Api) -> None:
    picture = await mia.send("look", await mia.attach(png(), "cat.png"), channel="general")
    forward = await mia.forward(picture, "studio")
    await mia.edit(picture, "changed")
    await mia.delete(picture)
    seen = await read(api, forward)
    assert (seen["content"], seen["attachments"], seen["type"]) == ("", [], 0)
    assert seen["flags"] == 1 << 14
    assert seen["message_reference"] == {
        "type": 1,
        "message_id": picture["id"],
        "channel_id": picture["channel_id"],
        "guild_id": api.server.world.guild.id,
    }
    [snapshot] = seen["message_snapshots"]
    assert "author" not in snapshot["message"]
    assert snapshot["message"]["content"] == "look"
    [attachment] = snapshot["message"]["attachments"]
    assert (await fetched(attachment["url"]))[:2] == (200, png())


async def test_a_forward_of_a_forward_has_the_first_message(mia: Person) -> None:
    first = await mia.send("first", channel="general")
    second = await mia.forward(first, "studio")
    third = await mia.forward(second, "gallery")
    assert third["message_snapshots"][0]["message"]["content"] == "first"
    assert third["message_reference"]["message_id"] == second["id"]


async def test_discord_py_reads_a_forward_and_forwards_itself(
    server: LocalDiscord, mia: Person
) -> None:
    async with connected(server) as bot:
        picture = await mia.send("look", await mia.attach(png(), "cat.png"), channel="general")
        forward = await mia.forward(picture, "studio")
        studio: Any = bot.get_channel(int(forward["channel_id"]))
        message = await studio.fetch_message(int(forward["id"]))
        [snapshot] = message.message_snapshots
        assert await snapshot.attachments[0].read() == png()
        general: Any = bot.get_channel(int(picture["channel_id"]))
        original = await general.fetch_message(int(picture["id"]))
        await original.forward(studio)
        seen = await mia.wait_for(lambda one: one["author"].get("bot", False))
        assert seen["message_snapshots"][0]["message"]["content"] == "look"


async def test_the_bot_cannot_forward_what_it_cannot_read(mia: Person, api: Api) -> None:
    secret = await mia.send("secret", channel="general")
    api.server.set_limits({"message_content_enabled": False})
    form = {"type": 1, "message_id": secret["id"], "channel_id": secret["channel_id"]}
    studio = f"/channels/{mia.channel_id('studio')}/messages"
    status, refused = await api.call("POST", studio, {"message_reference": form})
    assert (status, refused["code"]) == (400, 160014)
    open_one = await mia.send("for @bot", channel="general")
    status, made = await api.call(
        "POST", studio, {"message_reference": {**form, "message_id": open_one["id"]}}
    )
    assert status == 200
    assert "for" in made["message_snapshots"][0]["message"]["content"]


# --- Link previews -------------------------------------------------------------------------------


async def test_a_link_to_a_picture_is_previewed_a_moment_later(mia: Person, api: Api) -> None:
    picture = await mia.send("", await mia.attach(png(), "cat.png"), channel="general")
    link = picture["attachments"][0]["url"]
    posted = await mia.send(f"see {link}")
    assert posted["embeds"] == []
    previewed = await mia.wait_for(lambda one: one["id"] == posted["id"] and one["embeds"])
    assert previewed["edited_timestamp"] is None
    [embed] = (await read(api, posted))["embeds"]
    assert embed["type"] == "image"
    assert (embed["url"], embed["thumbnail"]["url"]) == (link, link)
    assert (embed["thumbnail"]["width"], embed["thumbnail"]["height"]) == (64, 48)
    assert (await fetched(embed["thumbnail"]["proxy_url"]))[:2] == (200, png())


async def test_a_picture_of_another_site_is_only_at_the_proxy(mia: Person, api: Api) -> None:
    published = await mia.publish(png(), "postcard.png")
    posted = await mia.send(f"{published.picture} and {published.page}")
    await mia.wait_for(lambda one: one["id"] == posted["id"] and one["embeds"])
    image, page = (await read(api, posted))["embeds"]
    assert image["thumbnail"]["url"] == published.picture
    assert not published.picture.startswith(api.server.url)
    assert page["type"] == "rich"
    assert page["title"] == "postcard"
    for media in (image["thumbnail"], page["image"]):
        assert media["proxy_url"].startswith(f"{api.server.url}/external/")
        assert (await fetched(media["proxy_url"]))[:2] == (200, png())


@pytest.mark.parametrize(
    "text", ["<{link}>", "`{link}`", "```\n{link}\n```", "https://example.org/cat.png"]
)
async def test_some_links_are_left_alone(mia: Person, text: str) -> None:
    published = await mia.publish(png(), "postcard.png")
    posted = await mia.send(text.format(link=published.picture))
    await asyncio.sleep(0.15)
    assert mia.now(posted)["embeds"] == []


async def test_previews_can_be_taken_away_by_their_author_and_by_moderators(
    server: LocalDiscord, mia: Person
) -> None:
    published = await mia.publish(png(), "postcard.png")
    async with Person(server.url, "Kim") as kim, Person(server.url, "Noah") as noah:
        posted = await mia.send(published.picture)
        await noah.wait_for(lambda one: one["id"] == posted["id"] and one["embeds"])
        with pytest.raises(PersonError, match="403"):
            await noah.suppress_embeds(posted)
        assert (await kim.suppress_embeds(posted))["embeds"] == []
        with pytest.raises(PersonError, match="403"):
            await kim.edit(posted, "not mine")


async def test_a_changed_link_is_previewed_anew(mia: Person) -> None:
    first, second = [await mia.publish(png(), name) for name in ("one.png", "two.png")]
    posted = await mia.send(first.picture)
    await mia.wait_for(lambda one: one["embeds"])
    await mia.edit(posted, second.picture)
    seen = await mia.wait_for(
        lambda one: one["embeds"] and one["embeds"][0]["url"] != first.picture
    )
    assert seen["embeds"][0]["url"] == second.picture


# --- Stickers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "content_type"),
    [
        ("Fern", 1, "image/png"),
        ("Comet", 2, "image/png"),
        ("Spark", 3, "application/json"),
        ("Wave", 4, "image/gif"),
    ],
)
async def test_a_sticker_comes_with_its_format_and_its_file(
    mia: Person, api: Api, name: str, kind: int, content_type: str
) -> None:
    api.server.set_limits({"message_content_enabled": False})
    [item] = (await read(api, await mia.send(sticker=name)))["sticker_items"]
    assert (item["name"], item["format_type"]) == (name, kind)
    ending = {1: "png", 2: "png", 3: "json", 4: "gif"}[kind]
    link = f"{api.server.url}/stickers/{item['id']}.{ending}"
    status, content, served = await fetched(link)
    assert (status, served) == (200, content_type)
    assert len(content) > 100
    _, whole = await api.call("GET", f"/stickers/{item['id']}")
    assert whole["guild_id"] == api.server.world.guild.id


async def test_discord_py_knows_the_guilds_stickers(server: LocalDiscord, mia: Person) -> None:
    async with connected(server) as bot:
        stickers = await bot.guilds[0].fetch_stickers()
        assert [one.name for one in stickers] == ["Fern", "Comet", "Spark", "Wave"]
        posted = await mia.send(sticker="Comet")
        channel: Any = bot.get_channel(int(posted["channel_id"]))
        [item] = (await channel.fetch_message(int(posted["id"]))).stickers
        assert item.format is discord.StickerFormatType.apng


async def test_a_sticker_of_elsewhere_cannot_be_sent(api: Api) -> None:
    studio = f"/channels/{api.channel('studio')}/messages"
    status, refused = await api.call("POST", studio, {"sticker_ids": ["1"]})
    assert (status, refused["code"]) == (400, 50081)


# --- Files ---------------------------------------------------------------------------------------


async def test_several_files_a_spoiler_and_what_it_shows(mia: Person, api: Api) -> None:
    plain = await mia.attach(png(), "cat.png", alt="a cat on a wall")
    hidden = await mia.attach(png(32, 32), "dog.png", spoiler=True)
    first, second = (await read(api, await mia.send("two", plain, hidden)))["attachments"]
    assert (first["filename"], first["description"]) == ("cat.png", "a cat on a wall")
    assert (second["filename"], second["flags"]) == ("SPOILER_dog.png", 1 << 3)
    assert "flags" not in first
    assert "description" not in second


async def test_a_bot_marks_a_spoiler_by_name_or_by_flag(api: Api) -> None:
    studio = f"/channels/{api.channel('studio')}/messages"
    about = [{"id": 0, "filename": "a.png", "is_spoiler": True}, {"id": 1, "filename": "b.png"}]
    files = (("a.png", png()), ("b.png", png()))
    _, made = await api.upload("POST", studio, {"attachments": about}, *files)
    assert [one.get("flags") for one in made["attachments"]] == [1 << 3, None]
    kept = [{"id": one["id"], "is_spoiler": True} for one in made["attachments"]]
    _, edited = await api.call("PATCH", f"{studio}/{made['id']}", {"attachments": kept})
    assert [one["flags"] for one in edited["attachments"]] == [1 << 3, 1 << 3]


async def test_alt_text_has_an_end(api: Api) -> None:
    studio = f"/channels/{api.channel('studio')}/messages"
    about = [{"id": 0, "filename": "a.png", "description": "x" * 1025}]
    status, refused = await api.upload("POST", studio, {"attachments": about}, ("a.png", png()))
    assert (status, refused["code"]) == (400, 50035)
    assert "description" in refused["errors"]["attachments"]["0"]


async def test_an_author_deletes_one_picture_of_several(mia: Person, api: Api) -> None:
    files = [await mia.attach(png(), name) for name in ("one.png", "two.png")]
    posted = await mia.send("two", *files)
    gone = posted["attachments"][0]["url"]
    await mia.take_out(posted, "one.png")
    seen = await read(api, posted)
    assert [one["filename"] for one in seen["attachments"]] == ["two.png"]
    assert seen["edited_timestamp"] is not None
    assert (await fetched(gone))[0] == 404


async def test_an_empty_message_is_not_left_behind(mia: Person) -> None:
    posted = await mia.send("", await mia.attach(png(), "one.png"))
    with pytest.raises(PersonError):
        await mia.take_out(posted, "one.png")
    assert len(mia.now(posted)["attachments"]) == 1
