"""The door `/privacy`: what is kept of somebody is told, handed over, and deleted.

Whose it is, is who asks or presses; there is no way to name another. No SQL here.
"""

import re
from functools import partial
from typing import Any, Self

import discord
from discord import ButtonStyle, app_commands

from bot import door, member_picker, member_words, panel
from bot.answering import Interaction
from bot.client import AnimateBot
from bot.desk import Attachment
from bot.panel import Panel

_FORGET = re.compile(r"privacy:delete")


async def setup(bot: AnimateBot) -> None:
    """Add the command to the tree; discord.py calls this when it loads the extension."""
    bot.tree.add_command(Privacy())
    bot.add_dynamic_items(Forget)


class Privacy(app_commands.Group):
    """`/privacy show`, `export`, `delete`."""

    def __init__(self) -> None:
        super().__init__(
            name="privacy",
            description=member_picker.PRIVACY,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )

    @app_commands.command(description=member_picker.PRIVACY_SHOW)
    async def show(self, interaction: Interaction) -> None:
        """Say what is kept."""
        await panel.show(interaction, partial(_shown, interaction))

    @app_commands.command(description=member_picker.PRIVACY_EXPORT)
    async def export(self, interaction: Interaction) -> None:
        """Hand it over."""
        await panel.show(interaction, partial(_exported, interaction))

    @app_commands.command(description=member_picker.PRIVACY_DELETE)
    async def delete(self, interaction: Interaction) -> None:
        """Ask whether it is to be deleted."""
        await panel.show(interaction, partial(_asked, interaction))


async def _shown(interaction: Interaction) -> Panel:
    privacy = interaction.client.rooms.privacy
    kept = await privacy.kept(interaction.user.id)
    return Panel(member_words.privacy(kept, privacy.keep_hours))


async def _exported(interaction: Interaction) -> Panel:
    name, content = await interaction.client.rooms.privacy.export(interaction.user.id)
    file = Attachment(name, content, member_words.export_alt())
    return Panel(member_words.exported(), file=file)


async def _asked(interaction: Interaction) -> Panel:
    kept = await interaction.client.rooms.privacy.kept(interaction.user.id)
    return Panel(member_words.asked_to_forget(kept), [Forget(member_words.forget_button())])


async def _forgotten(interaction: Interaction) -> Panel:
    count = await interaction.client.rooms.privacy.forget(interaction.user.id)
    return Panel(member_words.forgotten(count))


class Forget(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_FORGET):
    """The button that deletes what is kept of who presses it."""

    def __init__(self, label: str = "") -> None:
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=label, style=ButtonStyle.danger, custom_id="privacy:delete"
        )
        super().__init__(button)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read it back."""
        del interaction, match
        return cls(item.label or "")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Delete."""
        if await door.greet(interaction):
            await panel.show(interaction, partial(_forgotten, interaction), in_place=True)
