"""The door `/animate-admin`: a server's moderators set its own rules.

Offered to those with Manage Server, and asked again. The rulebook reads what was typed and words
the answers. No SQL, no money here.
"""

from typing import Any

import discord
from discord import app_commands

from bot import checkup, policy_words
from bot import policy_picker as picker
from bot.client import AnimateBot
from bot.counter import Interaction, answer, guild_of
from bot.rulebook import Act, Rulebook
from bot.words import Note
from cogs import jobs as job_list
from cogs import setup as setup_panel

_OPTIONS = picker.OPTIONS
_LONGEST_REASON = 200
_OLDEST_DAYS = 365
_CONSENTS = [
    app_commands.Choice(name=text, value=f"{one}") for one, text in picker.CONSENTS.items()
]
_FLAGGED = [app_commands.Choice(name=text, value=f"{one}") for one, text in picker.FLAGGED.items()]

Reason = app_commands.Range[str, 1, _LONGEST_REASON]


class _Place(app_commands.Transformer):
    """Any channel but a thread, or a category; of the kinds that Discord's contract names."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        kind = discord.ChannelType
        return [kind.text, kind.news, kind.voice, kind.stage_voice, kind.forum, kind.category]

    async def transform(
        self, _: discord.Interaction, value: app_commands.AppCommandChannel
    ) -> app_commands.AppCommandChannel:
        """Return the channel as Discord sent it."""
        return value


Place = app_commands.Transform[app_commands.AppCommandChannel, _Place]


async def setup(bot: AnimateBot) -> None:
    """Add the command to the tree; discord.py calls this when it loads the extension."""
    bot.tree.add_command(AnimateAdmin())


async def _act(interaction: Interaction, act: Act, reason: str = "") -> None:
    change = interaction.client.desk.change(guild_of(interaction), interaction.user.id, reason)
    rulebook = interaction.client.rooms.rulebook
    await answer(interaction, lambda _: act(rulebook, change), for_admins=True)


class Channels(app_commands.Group):
    """`/animate-admin channels allow`, `deny`, `forget`, `list`."""

    def __init__(self) -> None:
        super().__init__(name="channels", description=picker.CHANNELS)

    @app_commands.command(description=picker.ALLOW)
    @app_commands.describe(channel=_OPTIONS["channel"])
    async def allow(self, interaction: Interaction, channel: Place) -> None:
        """Have clips in a channel."""
        await _act(interaction, lambda rules, change: rules.allow(change, channel.id))

    @app_commands.command(description=picker.DENY)
    @app_commands.describe(channel=_OPTIONS["channel"])
    async def deny(self, interaction: Interaction, channel: Place) -> None:
        """Have no clips in a channel."""
        await _act(interaction, lambda rules, change: rules.deny(change, channel.id))

    @app_commands.command(description=picker.FORGET)
    @app_commands.describe(channel=_OPTIONS["channel"])
    async def forget(self, interaction: Interaction, channel: Place) -> None:
        """Neither allow nor deny a channel."""
        await _act(interaction, lambda rules, change: rules.forget_place(change, channel.id))

    @app_commands.command(name="list", description=picker.LIST)
    async def show(self, interaction: Interaction) -> None:
        """Show all rules."""
        await _act(interaction, lambda rules, change: rules.view(change.guild_id))


class Roles(app_commands.Group):
    """`/animate-admin roles require`, `forget`, `list`."""

    def __init__(self) -> None:
        super().__init__(name="roles", description=picker.ROLES)

    @app_commands.command(description=picker.REQUIRE)
    @app_commands.describe(role=_OPTIONS["role"])
    async def require(self, interaction: Interaction, role: discord.Role) -> None:
        """Have members ask who have a role."""
        await _act(interaction, lambda rules, change: rules.require(change, role.id))

    @app_commands.command(description=picker.FORGET_ROLE)
    @app_commands.describe(role=_OPTIONS["role"])
    async def forget(self, interaction: Interaction, role: discord.Role) -> None:
        """Require a role no more."""
        await _act(interaction, lambda rules, change: rules.forget_role(change, role.id))

    @app_commands.command(name="list", description=picker.LIST)
    async def show(self, interaction: Interaction) -> None:
        """Show all rules."""
        await _act(interaction, lambda rules, change: rules.view(change.guild_id))


class AnimateAdmin(app_commands.Group):
    """All of `/animate-admin`."""

    def __init__(self) -> None:
        super().__init__(
            name="animate-admin",
            description=picker.ADMIN,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            default_permissions=discord.Permissions(manage_guild=True),
        )
        self.add_command(Channels())
        self.add_command(Roles())

    @app_commands.command(name="setup", description=picker.SETUP)
    async def panel(self, interaction: Interaction) -> None:
        """Show the panel."""
        await setup_panel.begin(interaction)

    @app_commands.command(description=picker.JOBS)
    async def jobs(self, interaction: Interaction) -> None:
        """Show what is in the making."""
        await job_list.begin(interaction)

    @app_commands.command(description=picker.BLOCK)
    @app_commands.describe(member=_OPTIONS["member"], reason=_OPTIONS["reason"])
    async def block(self, interaction: Interaction, member: discord.User, reason: Reason) -> None:
        """Let a member have no clips."""
        await _act(interaction, lambda rules, change: rules.block(change, member.id), reason)

    @app_commands.command(description=picker.UNBLOCK)
    @app_commands.describe(member=_OPTIONS["member"], reason=_OPTIONS["reason"])
    async def unblock(
        self, interaction: Interaction, member: discord.User, reason: Reason = ""
    ) -> None:
        """Let a member have clips again."""
        await _act(interaction, lambda rules, change: rules.unblock(change, member.id), reason)

    @app_commands.command(description=picker.BLOCKED)
    async def blocked(self, interaction: Interaction) -> None:
        """List who is blocked."""
        await _act(interaction, lambda rules, change: rules.blocked(change.guild_id))

    @app_commands.command(description=picker.TRIGGER)
    @app_commands.describe(
        reaction=_OPTIONS["reaction"], replies=_OPTIONS["replies"], oldest=_OPTIONS["oldest"]
    )
    async def trigger(
        self,
        interaction: Interaction,
        reaction: app_commands.Range[str, 1, 100] | None = None,
        replies: bool | None = None,
        oldest: app_commands.Range[int, 1, _OLDEST_DAYS] | None = None,
    ) -> None:
        """Set whether a reaction or a reply asks for a clip."""
        sees_messages = interaction.client.sees_messages
        await _act(
            interaction,
            lambda rules, change: rules.set_trigger(
                change,
                reaction=reaction,
                replies=replies,
                oldest=oldest,
                sees_messages=sees_messages,
            ),
        )

    @app_commands.command(description=picker.CONSENT)
    @app_commands.describe(whose=_OPTIONS["whose"], role=_OPTIONS["consent_role"])
    @app_commands.choices(whose=_CONSENTS)
    async def consent(
        self, interaction: Interaction, whose: str, role: discord.Role | None = None
    ) -> None:
        """Set whose pictures may be animated by others."""
        role_id = None if role is None else role.id
        await _act(interaction, lambda rules, change: rules.set_consent(change, whose, role_id))

    @app_commands.command(description=picker.PAUSE)
    @app_commands.describe(reason=_OPTIONS["reason"])
    async def pause(self, interaction: Interaction, reason: Reason) -> None:
        """Take no new clips."""
        await _act(interaction, lambda rules, change: rules.pause(change), reason)

    @app_commands.command(description=picker.RESUME)
    @app_commands.describe(reason=_OPTIONS["reason"])
    async def resume(self, interaction: Interaction, reason: Reason = "") -> None:
        """Take new clips again."""
        await _act(interaction, lambda rules, change: rules.resume(change), reason)

    @app_commands.command(name="log-channel", description=picker.LOG_CHANNEL)
    @app_commands.describe(
        channel=_OPTIONS["log_channel"], digest=_OPTIONS["digest"], clear=_OPTIONS["clear"]
    )
    async def log_channel(
        self,
        interaction: Interaction,
        channel: discord.TextChannel | None = None,
        digest: bool | None = None,
        clear: bool = False,
    ) -> None:
        """Set where a line for each clip goes."""

        async def act(rules: Rulebook, change: Any) -> Note:
            if channel is not None and (missing := checkup.missing_to_log(channel)):
                return policy_words.cannot_log(channel.id, missing)
            channel_id = None if channel is None else channel.id
            return await rules.set_log(change, channel_id=channel_id, digest=digest, clear=clear)

        await _act(interaction, act)

    @app_commands.command(description=picker.SENSITIVE)
    @app_commands.rename(age_restricted="age-restricted")
    @app_commands.describe(flagged=_OPTIONS["flagged"], age_restricted=_OPTIONS["age_restricted"])
    @app_commands.choices(flagged=_FLAGGED, age_restricted=_FLAGGED)
    async def sensitive(
        self,
        interaction: Interaction,
        flagged: str | None = None,
        age_restricted: str | None = None,
    ) -> None:
        """Set what becomes of clips that are not for everybody."""
        await _act(
            interaction,
            lambda rules, change: rules.set_sensitive(change, flagged, age_restricted),
        )

    @app_commands.command(description=picker.CONFIRM)
    @app_commands.describe(above=_OPTIONS["above"])
    async def confirm(
        self, interaction: Interaction, above: app_commands.Range[str, 1, 20]
    ) -> None:
        """Set above which price a button asks first."""
        await _act(interaction, lambda rules, change: rules.set_confirm(change, above))
