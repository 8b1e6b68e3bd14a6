"""The local Discord keeps Discord's published contracts: every answer, every event, both sides."""

import io
from typing import Any

import pytest

from bot.sandbox.person import Person
from tests.contract.openapi import MISSING, REFERENCE, gateway_mistakes
from tests.contract.recording import Recording, event_mistakes
from tests.sandbox.clerk import answer, clerk
from tests.sandbox.discord_client import JSON, commands, connected, discord, png

pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason=MISSING)

Interaction = discord.Interaction[commands.Bot]
CLIP = b"clip"


class Again(discord.ui.View):
    """A button and a menu."""

    @discord.ui.button(label="Again", custom_id="again", emoji="🔁")
    async def again(self, interaction: discord.Interaction[Any], _button: Any) -> None:
        await interaction.response.edit_message(content="again")

    @discord.ui.select(
        custom_id="pick", options=[discord.SelectOption(label="A"), discord.SelectOption(label="B")]
    )
    async def pick(self, interaction: discord.Interaction[Any], _select: Any) -> None:
        await interaction.response.send_message("picked", ephemeral=True)


class Form(discord.ui.Modal, title="Animate"):
    """A text and a file."""

    prompt = discord.ui.Label(
        text="What happens?", component=discord.ui.TextInput[Any](custom_id="prompt")
    )
    picture = discord.ui.Label(
        text="Picture", component=discord.ui.FileUpload[Any](custom_id="picture")
    )

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.followup.send("got it")


settings = discord.app_commands.Group(name="settings", description="Set things")


@settings.command(description="Set a limit")
async def limit(interaction: Interaction, amount: discord.app_commands.Range[int, 1, 10]) -> None:
    embed = discord.Embed(title="Limit", description=str(amount))
    embed.set_image(url="attachment://cat.png")
    picture = discord.File(io.BytesIO(png()), "cat.png")
    await interaction.response.send_message(embed=embed, file=picture, ephemeral=True)
    await interaction.delete_original_response()


@discord.app_commands.command(description="Animate")
@discord.app_commands.choices(shape=[discord.app_commands.Choice(name="Wide", value="16:9")])
async def animate(interaction: Interaction, image: discord.Attachment, shape: str = "16:9") -> None:
    await interaction.response.defer(thinking=True)
    await interaction.edit_original_response(content=f"{image.filename} {shape}", view=Again())
    message = await interaction.followup.send("more", wait=True)
    await message.edit(content="even more", attachments=[discord.File(io.BytesIO(CLIP), "c.mp4")])
    await message.delete()


@discord.app_commands.command(description="Ask")
async def ask(interaction: Interaction) -> None:
    await interaction.response.send_modal(Form(custom_id="form"))


@discord.app_commands.command(description="Show")
async def show(interaction: Interaction) -> None:
    view = discord.ui.LayoutView()
    section = discord.ui.Section[Any](
        discord.ui.TextDisplay("## Done"),
        accessory=discord.ui.Thumbnail(media="attachment://cat.png"),
    )
    gallery = discord.ui.MediaGallery[Any](discord.MediaGalleryItem("attachment://cat.png"))
    view.add_item(discord.ui.Container(section, gallery, discord.ui.Separator()))
    view.add_item(discord.ui.File[Any]("attachment://notes.txt"))
    files = [
        discord.File(io.BytesIO(png()), "cat.png"),
        discord.File(io.BytesIO(b"x"), "notes.txt"),
    ]
    await interaction.response.send_message(view=view, files=files)


@discord.app_commands.context_menu(name="Animate image")
async def menu(interaction: Interaction, message: discord.Message) -> None:
    await interaction.response.send_message(str(message.id))


def _animating(bot: commands.Bot) -> None:
    """Give a bot one of everything that a bot like ours registers and answers."""
    registered: tuple[Any, ...] = (settings, animate, ask, show, menu)
    for command in registered:
        bot.tree.add_command(command)


async def test_commands_forms_and_components_keep_the_contract(recording: Recording) -> None:
    mia = recording.mia
    async with connected(recording.server, _animating):
        image = await mia.attach(png(), "cat.png")
        animated = await mia.command("animate", image=image, shape="16:9")
        reply = await mia.wait_for_reply(animated)
        gone = await mia.wait_for_event("MESSAGE_DELETE")
        await mia.press(reply, "again")
        await mia.wait_for(lambda one: one["content"] == "again")
        await mia.choose(reply, "pick", "A")
        await mia.wait_for(lambda one: one["content"] == "picked")
        asked = await mia.command("ask")
        await mia.submit(asked, prompt="jump", picture=[await mia.attach(png(), "cat.png")])
        await mia.wait_for(lambda one: one["content"] == "got it")
        await mia.wait_for_reply(await mia.command("show"))
        posted = await mia.send("look", await mia.attach(png(), "cat.png"))
        await mia.menu(posted, "Animate image")
        await mia.wait_for(lambda one: one["content"] == posted["id"])
        started = await mia.command("settings limit", amount=3)
        await mia.wait_for_state(started, "done")
        await mia.wait_for_event("MESSAGE_DELETE", lambda one: one["id"] != gone["id"])
    assert len(recording.of("INTERACTION_CREATE")) == 8
    recording.check()


async def test_trees_of_commands_and_private_files_keep_the_contract(
    recording: Recording,
) -> None:
    server, mia = recording.server, recording.mia
    async with connected(server, clerk), Person(server.url, "Ada") as ada:
        for target in (mia.id, ada.role_id("Supporter")):
            await answer(ada, "quota set", target=target, clips=3, per="w", share=0.5)
        await ada.give_role("Mia", "Supporter")
        await answer(ada, "quota view", member=mia.id, role=ada.role_id("Supporter"))
        assert await ada.autocomplete("quota timezone", "zone", "eu")
        for person in (ada, mia):
            await answer(person, "usage me")
        await answer(mia, "usage export")
        await answer(mia, "usage archive show", who=ada.id)
    sent = recording.of("INTERACTION_CREATE")
    assert len(sent) == 8
    assert [len(event["member"]["roles"]) for event in sent] == [2] * 5 + [1] * 3
    recording.check()


async def test_messages_and_reactions_keep_the_contract(recording: Recording) -> None:
    mia = recording.mia
    async with connected(recording.server) as bot:
        channel = discord.utils.get(bot.get_all_channels(), name="studio")
        assert isinstance(channel, discord.TextChannel)
        posted = await mia.send("look", await mia.attach(png(), "cat.png"))
        await mia.react(posted, "🎬")
        message = await channel.fetch_message(int(posted["id"]))
        await message.add_reaction("⏳")
        await message.remove_reaction("⏳", discord.Object(bot.application_id or 0))
        clip = discord.File(io.BytesIO(CLIP), "clip.mp4", description="a clip")
        reply = await message.reply("here", file=clip, nonce="job-1", mention_author=True)
        await mia.send("thanks", reply_to={"id": str(reply.id), "channel_id": str(channel.id)})
        await reply.edit(content="there", attachments=[])
        assert [one async for one in channel.history(limit=5)]
        thread = await message.create_thread(name="talk")
        await thread.send("inside")
        await reply.delete()
        async with channel.typing():
            pass
    recording.check()


async def test_look_ups_keep_the_contract(recording: Recording) -> None:
    mia = recording.mia
    async with connected(recording.server) as bot:
        user = await bot.fetch_user(int(mia.id))
        await user.send("psst")
        guild = bot.guilds[0]
        await guild.fetch_member(int(mia.id))
        await bot.fetch_channel(int(mia.channel_id()))
        await bot.fetch_guild(guild.id, with_counts=False)
        await guild.fetch_roles()
        await guild.fetch_channels()
        await bot.tree.sync(guild=guild)
        await bot.tree.fetch_commands()
        assert [one async for one in bot.entitlements()] == []
        assert await bot.fetch_skus() == []
    recording.check()


async def test_a_resumed_session_keeps_the_contract(recording: Recording) -> None:
    resumed: list[bool] = []

    async def on_resumed() -> None:
        resumed.append(True)

    async with connected(recording.server, events={"on_resumed": on_resumed}):
        await recording.mia.control("POST", "gateway", {"do": "reconnect"})
        for _ in range(2):
            await recording.mia.wait_for_event("BOT", lambda data: data["online"])
        message = await recording.mia.send("hello")
        assert message
        while not resumed:
            await recording.mia.wait_for(lambda one: one["id"] == message["id"])
            await recording.mia.control("GET", "limits")
    assert [one["op"] for one in recording.server.gateway_server.received] == [2, 6]
    recording.check()


REFUSED: list[tuple[str, str, JSON]] = [
    ("POST", "/channels/1/messages", {"content": "x"}),
    ("POST", "/channels/{gallery}/messages", {"content": "x"}),
    ("POST", "/channels/{studio}/messages", {}),
    ("POST", "/channels/{studio}/messages", {"embeds": [{"title": "x" * 300}]}),
    ("GET", "/channels/{studio}/messages/1", {}),
    ("POST", "/interactions/1/none/callback", {"type": 5}),
]


async def test_refusals_keep_the_contract(recording: Recording) -> None:
    api = recording.api
    for method, path, payload in REFUSED:
        where = path.format(studio=api.channel("studio"), gallery=api.channel("gallery"))
        status, _ = await api.call(method, where, payload)
        assert status >= 400
    recording.server.set_limits({"rate_limits_enabled": True, "global_rate": [1, 60]})
    assert [(await api.call("GET", "/users/@me"))[0] for _ in range(2)] == [200, 429]
    recording.check()


async def test_the_schemas_would_notice_a_field_that_went_missing(recording: Recording) -> None:
    async with connected(recording.server, _animating):
        await recording.mia.wait_for_state(await recording.mia.command("ask"), "modal")
    [event] = recording.of("INTERACTION_CREATE")
    assert event_mistakes("INTERACTION_CREATE", event) == []
    for field in ("attachment_size_limit", "app_permissions", "token", "entitlements"):
        rest = {name: value for name, value in event.items() if name != field}
        assert gateway_mistakes("ChatInput", rest), field


async def test_the_schemas_would_notice_a_member_or_a_role_that_is_not_whole(
    recording: Recording,
) -> None:
    async with connected(recording.server, clerk), Person(recording.server.url, "Ada") as ada:
        role = ada.role_id("Supporter")
        await answer(ada, "quota view", member=recording.mia.id, role=role)
    [event] = recording.of("INTERACTION_CREATE")
    assert event_mistakes("INTERACTION_CREATE", event) == []
    resolved = event["data"]["resolved"]
    for part, field in (
        (event["member"], "permissions"),
        (event["member"], "roles"),
        (resolved["members"][recording.mia.id], "permissions"),
        (resolved["members"][recording.mia.id], "roles"),
        (resolved["roles"][role], "permissions"),
        (resolved["roles"][role], "colors"),
    ):
        value = part.pop(field)
        assert gateway_mistakes("ChatInput", event), field
        part[field] = value
