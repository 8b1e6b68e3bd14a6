"""An unmodified discord.py bot lives on the local Discord: the whole way, from login to reply."""

import asyncio
import io
from typing import Any

import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person, PersonError
from tests.sandbox.discord_client import TOKEN, commands, connected, discord, png

Interaction = discord.Interaction[commands.Bot]


def animating(bot: commands.Bot) -> None:
    """Give a bot the command that everything here is about."""

    @bot.tree.command(description="Animate a picture")
    async def animate(
        interaction: Interaction, image: discord.Attachment, prompt: str = "wave"
    ) -> None:
        answer = await interaction.response.defer(thinking=True)
        assert answer is not None
        assert answer.message_id is not None
        picture = await image.read()
        await interaction.edit_original_response(
            content=f"{len(picture)} bytes, {image.width}x{image.height}, {prompt}"
        )
        channel = bot.get_partial_messageable(
            interaction.channel_id or 0, guild_id=interaction.guild_id
        )
        for _ in range(2):
            clip = discord.File(io.BytesIO(b"clip"), "clip.mp4")
            await channel.send("Here it is", file=clip, nonce="job-1")


async def test_a_picture_goes_in_and_one_clip_comes_out() -> None:
    async with LocalDiscord() as server, Person(server.url, "Mia") as mia:
        async with connected(server, animating):
            await mia.wait_for_command("animate")
            image = await mia.attach(png(), "cat.png")
            started = await mia.command("animate", image=image, prompt="jump")
            reply = await mia.wait_for_reply(started)
            assert reply["content"] == f"{len(png())} bytes, 64x48, jump"
            assert reply["interaction"]["name"] == "animate"
            clip = await mia.wait_for(lambda message: message["content"] == "Here it is")
            assert clip["attachments"][0]["filename"] == "clip.mp4"
        posted = [one for one in server.messages if one.content == "Here it is"]
        assert len(posted) == 1, "the nonce makes the second post find the first"
        states = [data["state"] for name, data in mia.events if name == "INTERACTION"]
        assert states == ["sent", "acknowledged", "done"]


async def test_a_bot_comes_online_and_goes() -> None:
    async with LocalDiscord() as server, Person(server.url, "noah") as noah:
        async with connected(server):
            await noah.wait_for_bot()
        await noah.wait_for_bot(online=False)


async def test_a_wrong_token_stops_the_client() -> None:
    async with LocalDiscord(token="another") as server:
        with pytest.raises(discord.LoginFailure):
            await connected(server).__aenter__()
    async with LocalDiscord(token=TOKEN) as server, connected(server) as bot:
        assert bot.is_ready()


async def test_an_intent_that_the_portal_withholds_stops_the_client() -> None:
    intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
    async with LocalDiscord() as server:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await connected(server, intents=intents).__aenter__()
        server.set_limits({"message_content_enabled": True})
        async with connected(server, intents=intents) as bot:
            assert bot.application_flags.gateway_message_content_limited


async def test_a_sharded_bot_asks_where_to_connect() -> None:
    async with LocalDiscord() as server:
        async with connected(server, kind=commands.AutoShardedBot) as bot:
            assert isinstance(bot, commands.AutoShardedBot)
            assert list(bot.shards) == [0]
            assert [one.name for one in bot.guilds] == ["Pixel Garden", "Night Owls"]
        assert "/gateway/bot" in {one.path for one in server.requests}


async def test_a_reaction_on_a_persons_picture_reaches_the_bot() -> None:
    seen: asyncio.Queue[Any] = asyncio.Queue()
    listeners: dict[str, Any] = {"on_raw_reaction_add": seen.put}
    limits = Limits(message_content_enabled=True)
    async with LocalDiscord(limits=limits) as server, Person(server.url, "Mia") as mia:
        async with connected(server, events=listeners) as bot:
            image = await mia.attach(png(), "cat.png")
            posted = await mia.send("look", image)
            await mia.react(posted, "🎬")
            payload = await asyncio.wait_for(seen.get(), 5)
            assert str(payload.emoji) == "🎬"
            assert str(payload.message_author_id) == mia.id
            channel = bot.get_partial_messageable(payload.channel_id)
            message = await channel.fetch_message(payload.message_id)
            assert message.attachments[0].width == 64
            await message.add_reaction("⏳")
            await message.reply("on it")
            reply = await mia.wait_for(lambda one: one["content"] == "on it")
            assert reply["referenced_message"]["id"] == posted["id"]
            told = await mia.wait_for_event("REACTIONS", lambda data: len(data["reactions"]) == 2)
            assert [one["me"] for one in told["reactions"]] == [True, False]
        assert [one.content for one in server.messages] == ["look", "on it"]


async def test_a_context_menu_hands_over_the_message_with_its_files() -> None:
    def prepare(bot: commands.Bot) -> None:
        @bot.tree.context_menu(name="Animate image")
        async def menu(interaction: Interaction, message: discord.Message) -> None:
            names = ", ".join(one.filename for one in message.attachments)
            await interaction.response.send_message(names, ephemeral=True)
            await interaction.followup.send("and more", ephemeral=True)

    async with (
        LocalDiscord() as server,
        Person(server.url, "Mia") as mia,
        Person(server.url, "Noah") as noah,
        connected(server, prepare),
    ):
        posted = await mia.send("look", await mia.attach(png(), "cat.png"))
        started = await mia.menu(posted, "Animate image")
        reply = await mia.wait_for_reply(started)
        assert reply["content"] == "cat.png"
        assert reply["type"] == 23
        await mia.wait_for(lambda one: one["content"] == "and more")
        assert all(one["id"] == posted["id"] for one in noah.everything())


class Retry(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"job:(?P<id>\d+):retry"):
    """A button that carries its state in its custom_id."""

    def __init__(self, job: str) -> None:
        super().__init__(discord.ui.Button(label="Retry", custom_id=f"job:{job}:retry"))
        self.job = job

    @classmethod
    async def from_custom_id(cls, _interaction: Any, _item: Any, match: Any) -> "Retry":
        return cls(match["id"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.edit_message(content=f"again: {self.job}", view=None)


async def test_a_button_works_after_the_bot_was_restarted() -> None:
    def posting(bot: commands.Bot) -> None:
        @bot.tree.command(description="Start")
        async def start(interaction: Interaction) -> None:
            view = discord.ui.View(timeout=None).add_item(Retry("42"))
            await interaction.response.send_message("started", view=view)

    def pressing(bot: commands.Bot) -> None:
        posting(bot)
        bot.add_dynamic_items(Retry)

    async with LocalDiscord() as server, Person(server.url, "Mia") as mia:
        async with connected(server, posting):
            message = await mia.wait_for_reply(await mia.command("start"))
        async with connected(server, pressing):
            await mia.press(message, "job:42:retry")
            edited = await mia.wait_for(lambda one: one["content"] == "again: 42")
            assert edited["id"] == message["id"]
            assert edited["components"] == []


async def test_a_form_brings_text_and_a_file() -> None:
    class Form(discord.ui.Modal, title="Animate"):
        prompt = discord.ui.Label(
            text="What happens?",
            component=discord.ui.TextInput[Any](custom_id="prompt", required=False),
        )
        picture = discord.ui.Label(
            text="The picture", component=discord.ui.FileUpload[Any](custom_id="picture")
        )

        async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
            upload: Any = self.picture.component
            text: Any = self.prompt.component
            content = await upload.values[0].read()
            await interaction.response.send_message(f"{text.value}: {len(content)}")

    def prepare(bot: commands.Bot) -> None:
        @bot.tree.command(description="Ask")
        async def ask(interaction: Interaction) -> None:
            await interaction.response.send_modal(Form(custom_id="form"))

    async with (
        LocalDiscord() as server,
        Person(server.url, "Mia") as mia,
        connected(server, prepare),
    ):
        asked = await mia.command("ask")
        with pytest.raises(PersonError) as refused:
            await mia.submit(asked, prompt="jump")
        assert refused.value.errors == {"picture": "Choose between 1 and 1"}
        image = await mia.attach(png(), "cat.png")
        submitted = await mia.submit(asked, prompt="jump", picture=[image])
        reply = await mia.wait_for_reply(submitted)
        assert reply["content"] == f"jump: {len(png())}"
        triggering = reply["interaction_metadata"]["triggering_interaction_metadata"]
        assert triggering["id"] == asked.id


async def test_a_gallery_shows_the_attached_clip() -> None:
    def prepare(bot: commands.Bot) -> None:
        @bot.tree.command(description="Show")
        async def show(interaction: Interaction) -> None:
            await interaction.response.defer(thinking=True)
            view = discord.ui.LayoutView()
            gallery = discord.ui.MediaGallery[discord.ui.LayoutView](
                discord.MediaGalleryItem("attachment://cat.png")
            )
            view.add_item(discord.ui.Container(discord.ui.TextDisplay("## Done"), gallery))
            picture = discord.File(io.BytesIO(png()), "cat.png")
            await interaction.edit_original_response(view=view, attachments=[picture])

    async with (
        LocalDiscord() as server,
        Person(server.url, "Mia") as mia,
        connected(server, prepare),
    ):
        reply = await mia.wait_for_reply(await mia.command("show"))
        assert reply["flags"] == 1 << 15
        assert reply["attachments"] == [], "the gallery shows it"
        container = reply["components"][0]
        media = container["components"][1]["items"][0]["media"]
        assert (media["width"], media["height"]) == (64, 48)
        assert media["url"].startswith(server.url)
        ids = [container["id"], *(one["id"] for one in container["components"])]
        assert len(set(ids)) == 3


async def test_autocompletion_offers_the_bots_choices() -> None:
    def prepare(bot: commands.Bot) -> None:
        async def suggest(
            _interaction: Interaction, current: str
        ) -> list[discord.app_commands.Choice[str]]:
            names = ("zoom", "pan")
            return [
                discord.app_commands.Choice(name=one.title(), value=one)
                for one in names
                if one.startswith(current)
            ]

        @bot.tree.command(description="Move")
        @discord.app_commands.autocomplete(motion=suggest)
        async def move(interaction: Interaction, motion: str) -> None:
            await interaction.response.send_message(motion)

    async with (
        LocalDiscord() as server,
        Person(server.url, "Mia") as mia,
        connected(server, prepare),
    ):
        assert await mia.autocomplete("move", "motion", "z") == [{"name": "Zoom", "value": "zoom"}]


async def test_a_late_answer_is_delivered_by_editing_with_the_bot_token() -> None:
    def prepare(bot: commands.Bot) -> None:
        @bot.tree.command(description="Wait")
        async def wait(interaction: Interaction) -> None:
            answer = await interaction.response.defer(thinking=True)
            assert answer is not None
            await asyncio.sleep(0.3)
            with pytest.raises(discord.HTTPException) as dead:
                await interaction.edit_original_response(content="too late")
            assert (dead.value.status, dead.value.code) == (401, 50027)
            channel = bot.get_partial_messageable(interaction.channel_id or 0)
            await channel.get_partial_message(answer.message_id or 0).edit(
                content="late", attachments=[discord.File(io.BytesIO(b"clip"), "clip.mp4")]
            )

    async with (
        LocalDiscord(limits=Limits(token_life_s=0.2)) as server,
        Person(server.url, "Mia") as mia,
        connected(server, prepare),
    ):
        reply = await mia.wait_for_reply(await mia.command("wait"))
        assert reply["content"] == "late"
        assert reply["attachments"][0]["filename"] == "clip.mp4"
