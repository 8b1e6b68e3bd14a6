"""The bot's connection to Discord: the smallest intents, no caches, commands synced on change.

Loads the cogs by name and hands them what they need; knows nothing of how a clip is made.
"""

import hashlib
import json
import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.catalog import Model
from bot.intake import Intake
from bot.store import Store

log = logging.getLogger(__name__)

EXTENSIONS = ("cogs.animate",)
PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
)
"""What the bot asks for when it is invited, and nothing more."""
_SYNCED = "commands synced"


class AnimateBot(commands.Bot):
    """discord.py's bot; `login()`, then `attach()` and `publish_commands()`, then `connect()`."""

    def __init__(self, model: Model) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=Tree,
        )
        self.model = model
        self._intake: Intake | None = None

    @property
    def intake(self) -> Intake:
        """The corridor's entrance, for the cogs."""
        assert self._intake is not None, "attach() comes before connect()"
        return self._intake

    def attach(self, intake: Intake) -> None:
        """Hand over the intake, which needs this client to exist first."""
        self._intake = intake

    async def setup_hook(self) -> None:
        """Load the doors; discord.py calls this at login."""
        for extension in EXTENSIONS:
            await self.load_extension(extension)

    async def publish_commands(self, store: Store) -> None:
        """Publish the commands where Discord does not have these yet; it limits such writes."""
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        text = json.dumps([self.application_id, payload], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        known = await store.fact(_SYNCED)
        if known == digest and len(await self.tree.fetch_commands()) == len(payload):
            return
        await self.tree.sync()
        await store.keep_fact(_SYNCED, digest)
        log.info("commands synced: %d", len(payload))

    async def on_ready(self) -> None:
        """Say that the bot is there."""
        log.info("ready as %s in %d servers", self.user, len(self.guilds))


class Tree(app_commands.CommandTree[AnimateBot]):
    """The command tree; what a cog did not foresee ends here, logged and never silent."""

    async def on_error(
        self,
        interaction: discord.Interaction[AnimateBot],
        error: app_commands.AppCommandError,
    ) -> None:
        """Log the error. The cogs answer the person; here nobody is left to ask."""
        name = interaction.command.name if interaction.command else "?"
        log.error("command %s broke", name, exc_info=error)
