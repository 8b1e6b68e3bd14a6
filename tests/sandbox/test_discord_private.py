"""What only one person sees: its buttons, menus and files, its changes, and its end."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person, PersonError
from tests.sandbox.discord_client import PING, Api, commands, connected, discord, png

EPHEMERAL = 1 << 6
ROW = {
    "type": 1,
    "components": [{"type": 2, "style": 1, "label": "Again", "custom_id": "again"}],
}


@dataclass
class Booth:
    server: LocalDiscord
    api: Api
    mia: Person
    noah: Person


@pytest.fixture
async def booth() -> AsyncIterator[Booth]:
    async with (
        LocalDiscord(limits=Limits(rate_limits_enabled=False)) as server,
        Api(server) as api,
        Person(server.url, "Mia") as mia,
        Person(server.url, "Noah") as noah,
    ):
        yield Booth(server, api, mia, noah)


class Panel(discord.ui.View):
    """A private panel: a button that changes it, one that only acknowledges, and a menu."""

    @discord.ui.button(label="Shape", custom_id="shape")
    async def shape(self, interaction: discord.Interaction[Any], _button: Any) -> None:
        preview = discord.File(io.BytesIO(png(32, 18)), "wide.png", description="cut wide")
        await interaction.response.edit_message(content="wide", attachments=[preview])

    @discord.ui.button(label="Price", custom_id="price")
    async def price(self, interaction: discord.Interaction[Any], _button: Any) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="$0.16")

    @discord.ui.select(
        custom_id="which",
        placeholder="Which picture?",
        options=[
            discord.SelectOption(label="First", value="0", emoji="1️⃣", description="cat.png"),
            discord.SelectOption(label="Second", value="1", emoji="2️⃣", default=True),
        ],
    )
    async def which(self, interaction: discord.Interaction[Any], select: Any) -> None:
        await interaction.response.edit_message(content=f"picture {select.values[0]}", view=None)


def panelled(bot: commands.Bot) -> None:
    @bot.tree.command(description="Show the panel")
    async def panel(interaction: discord.Interaction[Any]) -> None:
        files = [
            discord.File(io.BytesIO(png()), "square.png"),
            discord.File(io.BytesIO(b"clip"), "clip.mp4"),
        ]
        await interaction.response.send_message("square", files=files, view=Panel(), ephemeral=True)


async def test_a_private_panel_is_used_and_changed_and_nobody_else_sees_it(booth: Booth) -> None:
    async with connected(booth.server, panelled):
        panel = await booth.mia.wait_for_reply(await booth.mia.command("panel"))
        assert panel["flags"] == EPHEMERAL
        assert [one["ephemeral"] for one in panel["attachments"]] == [True, True]
        assert "/ephemeral-attachments/" in panel["attachments"][0]["url"]
        assert await booth.mia.download(panel["attachments"][0]) == png()
        await booth.mia.press(panel, "Shape")
        changed = await booth.mia.sees("wide", "wide.png")
        assert changed["id"] == panel["id"]
        assert changed["attachments"][0]["description"] == "cut wide"
        await booth.mia.press(panel, "Price")
        assert (await booth.mia.sees("$0.16"))["id"] == panel["id"]
        await booth.mia.choose(panel, "Which picture?", "First")
        assert (await booth.mia.sees("picture 0"))["components"] == []
        assert booth.noah.everything() == []
        with pytest.raises(PersonError, match="404"):
            await booth.noah.press_raw(panel, "shape")


async def test_the_bots_token_never_reaches_a_private_message(booth: Booth) -> None:
    await booth.api.register(PING)
    started = await booth.mia.command("ping")
    await booth.api.callback(started, 4, {"content": "psst", "flags": EPHEMERAL})
    private = await booth.mia.wait_for_reply(started)
    root = f"/channels/{private['channel_id']}/messages"
    one = f"{root}/{private['id']}"
    for method, path, form in (
        ("GET", one, None),
        ("PATCH", one, {"content": "x"}),
        ("DELETE", one, None),
        ("PUT", f"{one}/reactions/%E2%8F%B3/@me", None),
        ("POST", f"{one}/threads", {"name": "t"}),
    ):
        status, refused = await booth.api.call(method, path, form)
        assert (status, refused["code"]) == (404, 10008), method
    reply = {"content": "x", "message_reference": {"message_id": private["id"]}}
    assert (await booth.api.call("POST", root, reply))[0] == 400
    assert (await booth.api.call("GET", root))[1] == []
    for refusal in (
        booth.mia.react(private, "🎬"),
        booth.mia.reply(private, "hm"),
        booth.mia.forward(private, "general"),
    ):
        with pytest.raises(PersonError):
            await refusal


async def test_no_menu_of_an_app_is_on_a_private_message(booth: Booth) -> None:
    await booth.api.register({"type": 3, "name": "Look"}, PING)
    started = await booth.mia.command("ping")
    await booth.api.callback(started, 4, {"content": "psst", "flags": EPHEMERAL})
    with pytest.raises(PersonError, match="Apps cannot be used"):
        await booth.mia.menu(await booth.mia.wait_for_reply(started), "Look")


async def test_it_dies_with_its_token_but_its_buttons_go_on(booth: Booth) -> None:
    booth.server.set_limits({"token_life_s": 0.3})
    await booth.api.register(PING)
    started = await booth.mia.command("ping")
    answer = {"content": "psst", "flags": EPHEMERAL, "components": [ROW]}
    await booth.api.callback(started, 4, answer)
    private = await booth.mia.wait_for_reply(started)
    async with Person(booth.server.url, "Mia") as window:
        assert window.now(private)["content"] == "psst"
    await asyncio.sleep(0.35)
    status, refused = await booth.api.webhook(started, "PATCH", "/messages/@original", answer)
    assert (status, refused["code"]) == (401, 50027)
    async with Person(booth.server.url, "Mia") as window:
        assert window.everything() == []
    pressed = await booth.mia.press(private, "Again")
    assert (await booth.api.callback(pressed, 7, {"content": "once more"}))[0] == 200
    await booth.mia.sees("once more")
    async with Person(booth.server.url, "Mia") as window:
        assert window.now(private)["content"] == "once more"


async def test_the_gateway_tells_of_it_as_of_a_direct_message(booth: Booth) -> None:
    intents = discord.Intents(guilds=True, guild_messages=True)
    for more, heard in (({}, 0), ({"dm_messages": True}, 1)):
        booth.server.gateway_server.sent.clear()
        async with connected(booth.server, panelled, intents=discord.Intents(**more) | intents):
            await booth.mia.wait_for_reply(await booth.mia.command("panel"))
        sent = [
            orjson.loads(data)
            for name, data in booth.server.gateway_server.sent
            if name == "MESSAGE_CREATE"
        ]
        assert len(sent) == heard
        assert all("guild_id" not in one for one in sent)


async def test_it_can_be_dismissed(booth: Booth) -> None:
    async with connected(booth.server, panelled):
        panel = await booth.mia.wait_for_reply(await booth.mia.command("panel"))
        await booth.mia.dismiss(panel)
        await booth.mia.wait_until_gone(panel)
