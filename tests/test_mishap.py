"""What nobody foresaw: whoever waits for an answer gets one, however far theirs had come."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import discord
import pytest
import simcord
from discord import app_commands
from simcord import ChannelHandle, InteractionResult, MemberActor

from bot.client import AnimateBot
from cogs.setup import PanelItem
from tests.corridor import KLING, model
from tests.test_cogs import Porter, rooms

BROKE = "🔧 Something broke on my side"


@dataclass(slots=True)
class Here:
    bot: AnimateBot
    ada: MemberActor
    channel: ChannelHandle

    async def say(self, command: str) -> InteractionResult:
        return await self.ada.slash(self.channel, command)

    def add_commands(self) -> None:
        """Have a command that breaks at once, and one that was acknowledged before."""

        async def at_once(_: discord.Interaction[Any]) -> None:
            raise KeyError("a secret of the inside")

        async def later(interaction: discord.Interaction[Any]) -> None:
            await interaction.response.defer(ephemeral=True, thinking=True)
            raise KeyError("a secret of the inside")

        for name, callback in (("once", at_once), ("later", later)):
            command: app_commands.Command[Any, ..., None] = app_commands.Command(
                name=name, description="breaks", callback=callback
            )
            self.bot.tree.add_command(command)


@asynccontextmanager
async def office() -> AsyncIterator[Here]:
    """A bot whose rooms are all but empty, and an admin."""
    bot = AnimateBot()
    await bot.load(model(KLING))
    bot.open_doors(rooms(Porter()))
    async with simcord.run(bot) as env:
        guild = env.create_guild()
        chief = guild.create_role("Chief", permissions=discord.Permissions(manage_guild=True))
        channel = guild.create_text_channel("studio")
        ada = guild.add_member(env.create_user("ada"), roles=[chief])
        here = Here(bot, ada, channel)
        here.add_commands()
        await bot.tree.sync()
        yield here
        env.errors.clear()  # what breaks here is meant to; unseen, it would fail the test


def heard(result: InteractionResult) -> list[str]:
    """Return the titles of what was said to who asked, to them alone."""
    messages = [one for one in (result.response, *result.followups) if one is not None]
    assert all(one.ephemeral for one in messages)
    return [f"{one.embeds[0].title}" for one in messages if one.embeds]


@pytest.mark.parametrize("when", ["once", "later"])
async def test_who_uses_a_command_that_breaks_hears_it(when: str) -> None:
    async with office() as here:
        assert heard(await here.say(when)) == [BROKE]


async def test_who_has_an_older_version_of_a_command_hears_what_to_do() -> None:
    async def needs(_: discord.Interaction[Any], what: str) -> None:
        raise AssertionError(what)

    async with office() as here:
        here.bot.tree.remove_command("once")
        assert heard(await here.say("once")) == ["🔄 This command has changed"]
        newer: app_commands.Command[Any, ..., None] = app_commands.Command(
            name="once", description="needs something", callback=needs
        )
        here.bot.tree.add_command(newer)
        assert heard(await here.say("once")) == ["🔄 This command has changed"]


async def test_who_presses_what_breaks_hears_it_and_keeps_what_was_pressed() -> None:
    async with office() as here:
        channel = here.bot.get_channel(here.channel.id)
        assert isinstance(channel, discord.TextChannel)
        view = discord.ui.View(timeout=None)
        view.add_item(PanelItem(discord.ui.Button(custom_id="rules:check", label="check")))
        message = await channel.send("the panel", view=view)
        result = await here.ada.click(message, label="check")
        assert [one.embeds[0].title for one in result.followups] == [BROKE]
        assert [one.ephemeral for one in result.followups] == [True]
