"""The message content switch: what the bot may read, over the gateway and from the API."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from bot.sandbox.discord import LocalDiscord
from bot.sandbox.person import Person, PersonError
from tests.sandbox.discord_client import JSON, TOKEN, Api, commands, connected, discord, png

LIMITED = 1 << 19
WITH_CONTENT = discord.Intents(guilds=True, guild_messages=True, message_content=True)
BLANK: tuple[Any, ...] = ("", [], [], [])


@dataclass
class Desk:
    """A server, a person, and the bot's token."""

    server: LocalDiscord
    api: Api
    mia: Person

    async def read(self, message: JSON) -> JSON:
        """The message as the API gives it to the bot."""
        path = f"/channels/{message['channel_id']}/messages/{message['id']}"
        status, body = await self.api.call("GET", path)
        assert status == 200
        found: JSON = body
        return found

    def told(self, message: JSON) -> JSON:
        """The last MESSAGE_CREATE that the bot got of it."""
        for name, data in reversed(self.server.gateway_server.sent):
            event: JSON = orjson.loads(data)
            if name == "MESSAGE_CREATE" and event["id"] == message["id"]:
                return event
        raise LookupError(message["id"])

    async def turn(self, *, on: bool) -> None:
        """Turn the switch, as its owner does in the developer portal."""
        await self.mia.control("PATCH", "portal", {"message_content": on})


def content(message: JSON) -> tuple[Any, ...]:
    """Everything of a message that the switch is about."""
    return tuple(message[name] for name in ("content", "embeds", "attachments", "components"))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with (
        LocalDiscord(token=TOKEN) as server,
        Api(server) as api,
        Person(server.url, "Mia") as mia,
    ):
        yield Desk(server, api, mia)


async def test_the_switch_is_off_for_a_new_app_and_can_be_read(desk: Desk) -> None:
    for on in (False, True, False):
        await desk.turn(on=on)
        for path in ("/oauth2/applications/@me", "/applications/@me"):
            _, application = await desk.api.call("GET", path)
            assert bool(application["flags"] & LIMITED) is on
        assert desk.server.limits.message_content_enabled is on
    await desk.mia.wait_for_event("PORTAL", lambda data: data["message_content"])
    with pytest.raises(PersonError, match="switches are"):
        await desk.mia.control("PATCH", "portal", {"telepathy": True})


async def test_ready_tells_the_flags_too(desk: Desk) -> None:
    await desk.turn(on=True)
    async with connected(desk.server, intents=WITH_CONTENT):
        [ready] = [data for name, data in desk.server.gateway_server.sent if name == "READY"]
        assert orjson.loads(ready)["application"]["flags"] & LIMITED


async def test_off_means_blank_from_the_api_whatever_the_intents(desk: Desk) -> None:
    posted = await desk.mia.send("look", await desk.mia.attach(png(), "cat.png"))
    link = await desk.mia.publish(png(), "postcard.png")
    linked = await desk.mia.send(link.picture)
    await desk.mia.wait_for(lambda one: one["id"] == linked["id"] and one["embeds"])
    for one in (posted, linked):
        assert content(await desk.read(one)) == BLANK
    _, listed = await desk.api.call("GET", f"/channels/{posted['channel_id']}/messages")
    assert [content(one) for one in listed] == [BLANK, BLANK]
    await desk.turn(on=True)
    assert (await desk.read(posted))["attachments"]
    assert (await desk.read(linked))["embeds"]


async def test_over_the_gateway_it_takes_the_switch_and_the_intent(desk: Desk) -> None:
    await desk.turn(on=True)
    async with connected(desk.server):
        posted = await desk.mia.send("look", await desk.mia.attach(png(), "cat.png"))
    assert content(desk.told(posted)) == BLANK
    async with connected(desk.server, intents=WITH_CONTENT):
        posted = await desk.mia.send("look again", await desk.mia.attach(png(), "cat.png"))
        assert desk.told(posted)["content"] == "look again"
        assert desk.told(posted)["attachments"]
        await desk.turn(on=False)
        posted = await desk.mia.send("look away")
        assert content(desk.told(posted)) == BLANK


async def test_what_is_meant_for_the_bot_is_readable(desk: Desk) -> None:
    async with connected(desk.server):
        image = await desk.mia.attach(png(), "cat.png")
        mention = await desk.mia.send("@bot look", image)
        direct = await desk.mia.send("psst", channel=await desk.mia.open_direct())
        path = f"/channels/{mention['channel_id']}/messages"
        _, own = await desk.api.call("POST", path, {"content": "mine"})
        pinging = await desk.mia.reply(own, "thanks")
        silent = await desk.mia.reply(own, "thanks", ping=False)
        for one in (mention, direct, own, pinging):
            assert (await desk.read(one))["content"], one
        for one in (mention, own, pinging):
            assert desk.told(one)["content"], one
        assert (await desk.read(silent))["content"] == ""
        assert desk.told(silent)["content"] == ""


async def test_a_message_that_is_replied_to_is_judged_by_itself(desk: Desk) -> None:
    async with connected(desk.server):
        picture = await desk.mia.send("look", await desk.mia.attach(png(), "cat.png"))
        asked = await desk.mia.reply(picture, "@bot 10s")
        for seen in (desk.told(asked), await desk.read(asked)):
            assert seen["content"].endswith("10s")
            assert content(seen["referenced_message"]) == BLANK


async def test_a_forward_is_blank_inside(desk: Desk) -> None:
    picture = await desk.mia.send("look", await desk.mia.attach(png(), "cat.png"))
    forward = await desk.mia.forward(picture, "general")
    [snapshot] = (await desk.read(forward))["message_snapshots"]
    assert content(snapshot["message"]) == BLANK


async def test_the_target_of_a_menu_is_whole_and_only_it(desk: Desk) -> None:
    seen: list[discord.Message] = []

    def prepare(bot: commands.Bot) -> None:
        @bot.tree.context_menu(name="Look")
        async def look(interaction: discord.Interaction[Any], message: discord.Message) -> None:
            seen.append(message)
            await interaction.response.send_message("seen")

    async with connected(desk.server, prepare):
        first = await desk.mia.send("first")
        image = await desk.mia.attach(png(), "cat.png")
        picture = await desk.mia.reply(first, "look", image)
        answer = await desk.mia.wait_for_reply(await desk.mia.menu(picture, "Look"))
        forward = await desk.mia.forward(picture, "studio")
        await desk.mia.wait_for_reply(await desk.mia.menu(forward, "Look"))
        sticker = await desk.mia.send(sticker="Comet")
        await desk.mia.wait_for_reply(await desk.mia.menu(sticker, "Look"))
    whole, forwarded, stuck = seen
    assert (whole.content, whole.attachments[0].filename) == ("look", "cat.png")
    assert whole.reference is not None
    assert isinstance(whole.reference.resolved, discord.Message)
    assert whole.reference.resolved.content == ""
    assert forwarded.message_snapshots[0].attachments[0].filename == "cat.png"
    assert stuck.stickers[0].name == "Comet"
    assert answer["referenced_message"]["id"] == picture["id"]
    _, own = await desk.api.call("GET", f"/channels/{answer['channel_id']}/messages/{answer['id']}")
    assert content(own["referenced_message"]) == BLANK
