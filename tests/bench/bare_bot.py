"""The floor: the least discord.py bot that has `/animate`, and only defers it.

Run as a process: `python -m tests.bench.bare_bot API GATEWAY`.
"""

import sys

import discord
import yarl
from discord import app_commands


class BareBot(discord.Client):
    """discord.py with nothing around it."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        @self.tree.command(description="Only defers.")
        async def animate(
            interaction: discord.Interaction[discord.Client], image: discord.Attachment
        ) -> None:
            del image
            await interaction.response.defer(thinking=True)

        await self.tree.sync()


def main() -> None:
    discord.http.Route.BASE = sys.argv[1]
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(sys.argv[2])
    BareBot().run("a-local-token", log_handler=None)


if __name__ == "__main__":
    main()
