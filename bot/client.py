"""The bot's connection to Discord: the smallest intents, no caches, commands synced on change.

It may connect before the rest is there: interactions wait until the doors are open. Loads the cogs
by name and hands them the intake; knows nothing of how a clip is made.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from bot.errors import StoreError
from bot.events import Events
from bot.logins import Logins
from bot.tongue import reading, tongue
from bot.translator import CommandTranslator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bot.buttons import Pressed
    from bot.catalog import Model
    from bot.desk import Desk
    from bot.intake import Intake
    from bot.rooms import Rooms

log = logging.getLogger(__name__)

EXTENSIONS = (
    *("cogs.animate", "cogs.menus", "cogs.preview", "cogs.reactions", "cogs.replies"),
    *("cogs.presses", "cogs.history", "cogs.settings", "cogs.privacy", "cogs.help"),
    *("cogs.usage", "cogs.quota", "cogs.consent", "cogs.admin", "cogs.setup", "cogs.jobs"),
)
PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
    add_reactions=True,
)
"""What the bot asks for when it is invited, and nothing more."""
UNSEEN = (
    "closed to the bot, so reactions to their pictures and answers to them are refused, with a hint"
    " to the menu. To open them, switch on Message Content Intent: Developer Portal, Bot"
)
_COMPARED = (
    *("type", "description", "options", "nsfw", "default_member_permissions"),
    *("name_localizations", "description_localizations"),
)
_COMPARED_IF_OURS = ("contexts", "integration_types")
"""Where a command leaves these open, Discord fills them in."""
_EMPTY: tuple[object, ...] = (None, "", [], {})
_OF_ANOTHER_RELEASE = (app_commands.CommandSignatureMismatch, app_commands.CommandNotFound)
"""From a client that has not heard of the commands of now, or that lies."""


def _comparable(command: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a command is ours to decide, without what says nothing."""
    names = [*_COMPARED, *(name for name in _COMPARED_IF_OURS if ours.get(name) is not None)]
    bare: dict[str, Any] = _bare({name: command.get(name) for name in names})
    if "default_member_permissions" in bare:  # a text from Discord, a number from discord.py
        bare["default_member_permissions"] = int(bare["default_member_permissions"])
    return bare


def _bare(value: Any) -> Any:
    """Leave out what is null, false or empty: Discord may omit or write it."""
    if isinstance(value, list):
        return [_bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    inner = {name: _bare(one) for name, one in value.items()}
    return {name: one for name, one in inner.items() if one is not False and one not in _EMPTY}


class AnimateBot(commands.Bot):
    """discord.py's bot: `login()`, `connect()`, and meanwhile `load()` and `open_doors()`."""

    def __init__(self) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True, guild_messages=True, guild_reactions=True),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=Tree,
        )
        self.events = Events(self._connection)
        self.doors_are_open = asyncio.Event()
        self._logins = Logins(self)
        self._model: Model | None = None
        self._rooms: Rooms | None = None
        self._command_ids: dict[str, int] = {}
        """As Discord has them, once they are published."""
        self.pressed: Pressed | None = None
        """Has taken on the buttons that come with clips."""

    async def connect(self, *, reconnect: bool = True) -> None:
        """Connect as soon as a login may be spent, and stay connected."""
        await self._logins.spare()
        await super().connect(reconnect=reconnect)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Have further sessions come slowly: they may be ended over and over."""
        del shard_id
        if not initial:
            await self._logins.pace()

    async def close(self) -> None:
        """Hang up; nobody is left to be told that all servers are there."""
        if (telling := self._connection._ready_task) is not None:  # noqa: SLF001 - there is no other way
            telling.cancel()
        await super().close()

    @property
    def model(self) -> Model:
        """The model whose options the commands have."""
        assert self._model is not None, "load() comes first"
        return self._model

    @property
    def sees_messages(self) -> bool:
        """Whether the bot may read other people's messages: the switch in the Developer Portal.

        Discord goes by the switch alone where a message is fetched, which is all that is done. The
        intent is never asked for: without the switch that would end the connection.
        """
        flags = None if self.application is None else self.application.flags
        return bool(
            flags and (flags.gateway_message_content or flags.gateway_message_content_limited)
        )

    @property
    def rooms(self) -> Rooms:
        """What is behind the doors."""
        assert self._rooms is not None, "open_doors() comes first"
        return self._rooms

    @property
    def intake(self) -> Intake:
        """The corridor's entrance."""
        return self.rooms.intake

    @property
    def desk(self) -> Desk:
        """Where the accounts are asked about."""
        return self.rooms.desk

    @property
    def is_connected(self) -> bool:
        """Whether the gateway would bring us an interaction now."""
        # `ws` stays what it was while discord.py pauses between two attempts.
        return self.is_ready() and self.ws.open

    async def load(self, model: Model) -> None:
        """Load the cogs, with the options of `model`."""
        self._model = model
        await self.tree.set_translator(CommandTranslator())
        for extension in EXTENSIONS:
            await self.load_extension(extension)

    def open_doors(self, rooms: Rooms) -> None:
        """Let in the interactions, those that waited first."""
        self._rooms = rooms
        self.doors_are_open.set()
        self.events.let_in()

    async def stale_commands(self) -> dict[str, str]:
        """Return what is wrong with the commands as Discord has them, by name; empty if nothing.

        Reads alone. `load()` and `login()` come first.
        """
        assert self.application_id is not None, "login() comes first"
        route = discord.http.Route(
            "GET", "/applications/{application_id}/commands", application_id=self.application_id
        )
        # Without the parameter Discord leaves the translations out; discord.py's own call does.
        published = await self.http.request(route, params={"with_localizations": "true"})
        theirs = {one["name"]: one for one in published}
        self._command_ids = {name: int(one["id"]) for name, one in theirs.items()}
        translator = self.tree.translator
        assert translator is not None, "load() comes first"
        ours = {
            one.name: await one.get_translated_payload(self.tree, translator)
            for one in self.tree.get_commands()
        }
        stale = dict.fromkeys(ours.keys() - theirs.keys(), "is not published")
        stale |= dict.fromkeys(theirs.keys() - ours.keys(), "is there and should not be")
        for name in ours.keys() & theirs.keys():
            if _comparable(ours[name], ours[name]) != _comparable(theirs[name], ours[name]):
                stale[name] = "is published in another version"
        return stale

    async def publish_commands(self) -> None:
        """Publish the commands where Discord does not have these yet; it limits such writes."""
        if await self.stale_commands():
            published = await self.tree.sync()
            self._command_ids = {one.name: one.id for one in published}
            log.info("commands published: %d", len(published))

    def mention(self, command: str) -> str:
        """Return a command, or one of its subcommands, so that people can click on it.

        Discord finds what is clicked on by the name in the code alone, whatever the language.
        """
        command_id = self._command_ids.get(command.partition(" ")[0])
        if command_id is None:
            return tongue().command(command)
        return f"</{command}:{command_id}>"

    async def on_ready(self) -> None:
        """Say that the bot is there."""
        log.info("ready as %s in %d servers", self.user, len(self.guilds))
        if not self.sees_messages:
            log.info("other people's messages: %s", UNSEEN)

    async def on_message(self, _: discord.Message) -> None:
        """Take no commands from messages, as discord.py would; the cogs listen by themselves."""

    # --- Where clips may be posted again ---------------------------------------------------------

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Offer what waits for a server that the bot has joined."""
        await self._offer(guild.id)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Offer what waits for a server, at each new connection too: we may have missed news."""
        await self._offer(guild.id)

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        """Offer what waits where the bot's permissions in a channel have changed."""
        me = after.guild.me
        if before.permissions_for(me) != after.permissions_for(me):
            await self._offer(after.guild.id)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """Offer what waits where a role may do something else now; it may be ours."""
        if before.permissions != after.permissions:
            await self._offer(after.guild.id)

    async def on_member_update(self, _: discord.Member, after: discord.Member) -> None:
        """Offer what waits where the bot was given a role; Discord tells us of ourselves alone."""
        if after == after.guild.me:
            await self._offer(after.guild.id)

    async def on_raw_thread_update(self, update: discord.RawThreadUpdateEvent) -> None:
        """Offer what waits for a thread, which may have been unlocked."""
        await self._offer(update.guild_id, update.thread_id)

    async def _offer(self, guild_id: int, channel_id: int | None = None) -> None:
        await self.doors_are_open.wait()
        self.rooms.delivery.show_again(guild_id, channel_id)
        try:
            await self.rooms.shelf.offer(guild_id, channel_id)
        except StoreError as error:
            log.warning("what waits could not be offered, and is tried later: %s", error)


class Tree(app_commands.CommandTree[AnimateBot]):
    """The command tree; what a cog did not foresee ends here, logged and never silent."""

    async def interaction_check(self, interaction: discord.Interaction[AnimateBot]) -> bool:
        """Have an interaction wait for the doors; discord.py asks before it looks for a command."""
        reading(str(interaction.locale))
        await interaction.client.doors_are_open.wait()
        return True

    async def on_error(
        self,
        interaction: discord.Interaction[AnimateBot],
        error: app_commands.AppCommandError,
    ) -> None:
        """Log the error and tell the person, who may have heard of it from the cog already."""
        from bot import admin_words, mishap  # noqa: PLC0415 - no words are needed for a start

        name = interaction.command.name if interaction.command else "?"
        if not isinstance(error, _OF_ANOTHER_RELEASE):
            log.error("command %s broke", name, exc_info=error)
            await mishap.tell(interaction)
            return
        log.warning("command %s came as no release of now has it: %s", name, type(error).__name__)
        if not interaction.response.is_done():
            await mishap.tell(interaction, admin_words.OUTDATED)
