"""The door `/usage`: a member's own card; for moderators a server's picture and its accounts.

The desk words everything. No SQL, no money here.
"""

from collections.abc import Awaitable, Callable

import discord
from discord import app_commands

from bot import picker
from bot.client import AnimateBot
from bot.counter import TROUBLE, Interaction, answer, guild_of
from bot.desk import MONTH
from bot.spot import roles_of

_PERIODS = [app_commands.Choice(name=name, value=key) for key, name in picker.RANGES.items()]


async def setup(bot: AnimateBot) -> None:
    """Add the command to the tree; discord.py calls this when it loads the extension."""
    bot.tree.add_command(Usage())


class Usage(app_commands.Group):
    """`/usage me`, `/usage server`, `/usage export`."""

    def __init__(self) -> None:
        super().__init__(
            name="usage",
            description=picker.USAGE,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )

    @app_commands.command(description=picker.USAGE_ME)
    async def me(self, interaction: Interaction) -> None:
        """Show the requester's own card."""
        user = interaction.user
        await answer(
            interaction, lambda desk: desk.card(guild_of(interaction), user.id, roles_of(user))
        )

    @app_commands.command(description=picker.USAGE_SERVER)
    @app_commands.describe(period=picker.QUOTA_OPTIONS["period"])
    @app_commands.choices(period=_PERIODS)
    async def server(self, interaction: Interaction, period: str = MONTH) -> None:
        """Show a moderator what the server has spent."""
        guild = interaction.guild
        title = guild.name if guild is not None else ""
        await answer(
            interaction,
            lambda desk: desk.usage(guild_of(interaction), title, period, _names(guild)),
            for_admins=True,
        )

    @app_commands.command(description=picker.USAGE_EXPORT)
    @app_commands.describe(period=picker.QUOTA_OPTIONS["period"])
    @app_commands.choices(period=_PERIODS)
    async def export(self, interaction: Interaction, period: str = MONTH) -> None:
        """Give a moderator the server's entries as a file."""
        await answer(
            interaction, lambda desk: desk.export(guild_of(interaction), period), for_admins=True
        )


def _names(guild: discord.Guild | None) -> Callable[[int], Awaitable[str]]:
    """Return what names a member: the bot keeps no members, so Discord is asked for each."""

    async def name(member_id: int) -> str:
        try:
            return (await guild.fetch_member(member_id)).display_name if guild else str(member_id)
        except TROUBLE:  # gone from the server, for instance
            return str(member_id)

    return name
