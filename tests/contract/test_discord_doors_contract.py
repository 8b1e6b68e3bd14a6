"""The contracts again, for what members bring and do: pictures from anywhere, forms, languages."""

import io
from typing import Any

import pytest

from bot.sandbox.person import Person
from tests.contract.openapi import MISSING, REFERENCE
from tests.contract.recording import Recording
from tests.sandbox.discord_client import commands, connected, discord, png

pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason=MISSING)

Interaction = discord.Interaction[commands.Bot]
EVENT_FIELDS = {
    "MESSAGE_DELETE": {"id", "channel_id", "guild_id"},
    "MESSAGE_DELETE_BULK": {"ids", "channel_id", "guild_id"},
    "MESSAGE_REACTION_REMOVE": {
        *("user_id", "channel_id", "message_id", "guild_id", "emoji", "burst", "type")
    },
    "MESSAGE_REACTION_REMOVE_ALL": {"channel_id", "message_id", "guild_id"},
    "MESSAGE_REACTION_REMOVE_EMOJI": {"channel_id", "message_id", "guild_id", "emoji"},
    "APPLICATION_COMMAND_PERMISSIONS_UPDATE": {"id", "application_id", "guild_id", "permissions"},
}
"""The fields of events for which there is no schema, as the documentation lists them."""


class Wish(discord.ui.Modal, title="Animate with options"):
    """One of each field that a form can have."""

    note = discord.ui.TextDisplay[Any]("It costs $0.16.")
    words = discord.ui.Label(
        text="What happens?",
        description="In a few words",
        component=discord.ui.TextInput[Any](custom_id="words", required=False, default="wave"),
    )
    length = discord.ui.Label(
        text="How long?",
        component=discord.ui.RadioGroup[Any](
            custom_id="length",
            options=[
                discord.RadioGroupOption(label="5 seconds", value="5", default=True),
                discord.RadioGroupOption(label="10 seconds", value="10", description="Twice"),
            ],
        ),
    )
    extras = discord.ui.Label(
        text="More",
        component=discord.ui.CheckboxGroup[Any](
            custom_id="extras",
            required=False,
            min_values=0,
            options=[
                discord.CheckboxGroupOption(label="Private", value="private"),
                discord.CheckboxGroupOption(label="Spoiler", value="spoiler"),
            ],
        ),
    )
    sure = discord.ui.Label(
        text="Sure?", component=discord.ui.Checkbox[Any](custom_id="sure", default=True)
    )

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        parts: list[Any] = [one.component for one in (self.words, self.length, self.sure)]
        extras: Any = self.extras.component
        words = [str(one.value) for one in parts] + list(extras.values)
        await interaction.response.send_message(" ".join(words), ephemeral=True)


class Whom(discord.ui.Modal, title="Who and where"):
    """The menus of a form, and files."""

    shape = discord.ui.Label(
        text="Shape",
        component=discord.ui.Select[Any](
            custom_id="shape",
            options=[discord.SelectOption(label="Wide", value="16:9", emoji="🖼️")],
        ),
    )
    who = discord.ui.Label(
        text="Who", component=discord.ui.UserSelect[Any](custom_id="who", required=False)
    )
    where = discord.ui.Label(
        text="Where",
        component=discord.ui.ChannelSelect[Any](
            custom_id="where", channel_types=[discord.ChannelType.text]
        ),
    )
    files = discord.ui.Label(
        text="Pictures", component=discord.ui.FileUpload[Any](custom_id="files", max_values=2)
    )

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        where: Any = self.where.component
        files: Any = self.files.component
        words = f"{where.values[0].name} {len(files.values)}"
        await interaction.response.send_message(words, ephemeral=True)


class Choices(discord.ui.View):
    """Every sort of menu, with what is chosen already."""

    def __init__(self, member: discord.abc.Snowflake) -> None:
        super().__init__(timeout=None)
        kinds: list[Any] = [
            discord.ui.UserSelect[Any](
                custom_id="who",
                default_values=[discord.SelectDefaultValue(id=member.id, type=_USER)],
            ),
            discord.ui.RoleSelect[Any](custom_id="role"),
            discord.ui.MentionableSelect[Any](custom_id="any", max_values=2),
            discord.ui.ChannelSelect[Any](
                custom_id="where", channel_types=[discord.ChannelType.text]
            ),
        ]
        for one in kinds:
            one.callback = self.chosen
            self.add_item(one)

    async def chosen(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        await interaction.followup.send("chosen", ephemeral=True)


_USER = discord.SelectDefaultValueType.user


class German(discord.app_commands.Translator):
    """Every word in German, by adding a letter."""

    async def translate(
        self,
        string: discord.app_commands.locale_str,
        locale: discord.Locale,
        _context: Any,
    ) -> str | None:
        return f"{string.message}e" if locale is discord.Locale.german else None


def doors(bot: commands.Bot) -> None:
    @bot.tree.command(description=discord.app_commands.locale_str("Look"))
    async def look(interaction: Interaction, shape: str = "16:9") -> None:
        await interaction.response.send_message(shape, view=Choices(interaction.user))

    @bot.tree.context_menu(name="Animate")
    async def animate(interaction: Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"{len(message.attachments)} here", ephemeral=True)

    @bot.tree.context_menu(name="Animate with options…")
    async def options(interaction: Interaction, _message: discord.Message) -> None:
        await interaction.response.send_modal(Wish(custom_id="wish"))

    @bot.tree.context_menu(name="Greet")
    async def greet(interaction: Interaction, _member: discord.Member) -> None:
        await interaction.response.send_modal(Whom(custom_id="whom"))


async def test_menus_and_forms_keep_the_contract(recording: Recording) -> None:
    mia = recording.mia
    async with connected(recording.server, doors):
        picture = await mia.send("look", await mia.attach(png(), "cat.png"))
        await mia.menu(picture, "Animate")
        await mia.sees("1 here")
        asked = await mia.menu(picture, "Animate with options…")
        await mia.submit(asked, {"How long?": "10 seconds", "More": ["Spoiler"]})
        await mia.sees("wave 10 True spoiler")
        asked = await mia.user_menu("Noah", "Greet")
        files = [await mia.attach(png(), "a.png"), await mia.attach(png(), "b.png")]
        where = [mia.channel_id("general")]
        await mia.submit(asked, shape=["16:9"], who=[], where=where, files=files)
        await mia.sees("general 2")
        menus = await mia.wait_for_reply(await mia.command("look"))
        who = mia.component(menus, "who")
        assert who["default_values"] == [{"id": mia.id, "type": "user"}]
        for name, values in (
            ("who", ["Noah"]),
            ("role", ["Staff"]),
            ("any", ["Ada", "Admin"]),
            ("where", ["general"]),
        ):
            await mia.choose(menus, name, *values)
        await mia.sees("chosen")
    assert {one["data"].get("component_type") for one in recording.of("INTERACTION_CREATE")} >= {
        *(5, 6, 7, 8)
    }
    recording.check()


async def test_pictures_from_everywhere_keep_the_contract(recording: Recording) -> None:
    server, mia = recording.server, recording.mia
    server.set_limits({"message_content_enabled": True})
    intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
    async with connected(server, doors, intents=intents) as bot:
        files = [
            await mia.attach(png(), "cat.png", alt="a cat"),
            await mia.attach(png(), "dog.png", spoiler=True),
        ]
        picture = await mia.send("look", *files)
        published = await mia.publish(png(), "postcard.png")
        linked = await mia.send(f"{published.picture} {published.page}")
        await mia.wait_for(lambda one: one["id"] == linked["id"] and one["embeds"])
        sticker = await mia.send(sticker="Comet")
        forward = await mia.forward(picture, "studio")
        for one in (picture, linked, sticker, forward):
            await mia.menu(one, "Animate")
        channel: Any = bot.get_channel(int(picture["channel_id"]))
        message = await channel.fetch_message(int(picture["id"]))
        await message.forward(channel)
        await message.reply(file=discord.File(io.BytesIO(png()), "c.png", spoiler=True))
        await mia.take_out(picture, "cat.png")
        await mia.edit(picture, "changed")
        guild = bot.guilds[0]
        [first, *_] = await guild.fetch_stickers()
        await bot.fetch_sticker(first.id)
        assert [one async for one in channel.history()]
    recording.check()


async def test_moderation_keeps_the_contract(recording: Recording) -> None:
    mia = recording.mia
    allowed = {"channel_id": mia.channel_id(), "allow": ["MANAGE_MESSAGES"]}
    await mia.control("PATCH", "channel", allowed)
    async with connected(recording.server) as bot, Person(recording.server.url, "Kim") as kim:
        posted = [await mia.send(f"number {number}") for number in range(6)]
        channel: Any = bot.get_channel(int(posted[0]["channel_id"]))
        first = await channel.fetch_message(int(posted[0]["id"]))
        for person, emoji, burst in ((mia, "🎬", False), (kim, "🎬", True), (kim, "👍", False)):
            await person.react(posted[0], emoji, burst=burst)
        await first.remove_reaction("🎬", discord.Object(int(mia.id)))
        await kim.react(posted[0], "⏳")
        await first.clear_reaction("⏳")
        await first.clear_reactions()
        await channel.delete_messages([discord.Object(int(one["id"])) for one in posted[1:3]])
        await kim.purge(*posted[3:5])
        await kim.delete(posted[5])
    recording.check()
    for name in EVENT_FIELDS.keys() - {"APPLICATION_COMMAND_PERMISSIONS_UPDATE"}:
        assert recording.of(name), name
        for data in recording.of(name):
            assert data.keys() == EVENT_FIELDS[name]


async def test_languages_and_permissions_of_commands_keep_the_contract(
    recording: Recording,
) -> None:
    server, mia = recording.server, recording.mia
    async with connected(server, doors) as bot, Person(server.url, "Ada") as ada:
        await bot.tree.set_translator(German())
        await bot.tree.sync()
        await mia.set_up(locale="de")
        await mia.wait_for_reply(await mia.command("look", shape="1:1"))
        [look] = [one for one in await bot.tree.fetch_commands() if one.name == "look"]
        guild = bot.guilds[0]
        await ada.permit("look", Staff=True, Mia=False, general=False)
        assert len((await look.fetch_permissions(guild)).permissions) == 3
        await bot.http.get_guild_application_command_permissions(look.application_id, guild.id)
    recording.check()
    [event] = recording.of("APPLICATION_COMMAND_PERMISSIONS_UPDATE")
    assert event.keys() == EVENT_FIELDS["APPLICATION_COMMAND_PERMISSIONS_UPDATE"]
    [asked] = [one for one in recording.of("INTERACTION_CREATE") if one["type"] == 2]
    assert asked["locale"] == "de"
    assert mia.state["commands"][0]["name_localizations"]
