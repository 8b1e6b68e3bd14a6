"""The door `/help`: what there is to use, with commands that can be clicked."""

from typing import Any

from discord import app_commands

from bot import member_picker, member_words, panel
from bot.answering import Interaction
from bot.client import AnimateBot
from bot.panel import Panel


async def setup(bot: AnimateBot) -> None:
    """Add the command to the tree; discord.py calls this when it loads the extension."""
    command: app_commands.Command[Any, ..., None] = usage_help
    bot.tree.add_command(command)


@app_commands.command(name="help", description=member_picker.HELP)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def usage_help(interaction: Interaction) -> None:
    """Say what there is."""
    is_admin = interaction.permissions.manage_guild

    async def made() -> Panel:
        client = interaction.client
        return Panel(
            member_words.usage_help(
                client.mention, is_admin=is_admin, sees_messages=client.sees_messages
            )
        )

    await panel.show(interaction, made)
