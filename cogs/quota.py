"""The door `/quota`: a server's moderators set limits, give credit, and see what holds for whom.

Offered to those with Manage Server, and asked again. The desk reads what was typed and words the
answers. No SQL, no money here.
"""

import asyncio
import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot import picker
from bot.client import AnimateBot
from bot.counter import Interaction, answer, guild_of
from bot.desk import zones_like
from bot.errors import StoreError
from bot.rules import Measure, Target
from bot.spot import roles_of
from bot.tongue import reading

log = logging.getLogger(__name__)

_MEASURES = [
    app_commands.Choice(name=name, value=str(measure)) for measure, name in picker.MEASURES.items()
]
_OPTIONS = picker.QUOTA_OPTIONS
_LONGEST_REASON = 200
_MOST_DAYS = 3650

Reason = app_commands.Range[str, 1, _LONGEST_REASON]


async def setup(bot: AnimateBot) -> None:
    """Add the command to the tree; discord.py calls this when it loads the extension."""
    bot.tree.add_command(Quota())
    await bot.add_cog(GoneRoles(bot))


class GoneRoles(commands.Cog):
    """Clears the limits of roles that are deleted, also of those that went while we were away."""

    def __init__(self, bot: AnimateBot) -> None:
        self._bot = bot
        self._one_at_a_time = asyncio.Lock()
        """Or a limit is cleared twice, and two lines tell of it."""

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """Clear the limits of a role that is deleted now."""
        await self._clear(role.guild)

    @commands.Cog.listener("on_guild_join")
    @commands.Cog.listener("on_guild_available")
    async def on_guild_told(self, guild: discord.Guild) -> None:
        """Clear what nobody has told us of; comes with each new connection."""
        await self._clear(guild)

    async def _clear(self, guild: discord.Guild) -> None:
        await self._bot.doors_are_open.wait()
        if guild.get_role(guild.id) is None or self._bot.user is None:
            return  # each server has the role of everybody, so we know of none of them
        reading(str(guild.preferred_locale))
        try:
            async with self._one_at_a_time:
                await self._bot.desk.drop_rules_of_roles(
                    guild.id, self._bot.user.id, lambda role_id: guild.get_role(role_id) is None
                )
        except StoreError as error:
            log.warning("limits of a deleted role are kept for now: %s", error)


class SetLimit(app_commands.Group):
    """`/quota set server`, `everyone`, `role`, `member`."""

    def __init__(self) -> None:
        super().__init__(name="set", description=picker.SET)

    @app_commands.command(description=picker.SET_SERVER)
    @app_commands.describe(
        limit=_OPTIONS["limit"], amount=_OPTIONS["amount"], reason=_OPTIONS["reason"]
    )
    @app_commands.choices(
        limit=[choice for choice in _MEASURES if choice.value != Measure.COOLDOWN]
    )
    async def server(
        self, interaction: Interaction, limit: str, amount: str, reason: Reason = ""
    ) -> None:
        """Limit the whole server."""
        await _set(interaction, Target.SERVER, 0, limit, amount, reason)

    @app_commands.command(description=picker.SET_DEFAULT)
    @app_commands.describe(
        limit=_OPTIONS["limit"], amount=_OPTIONS["amount"], reason=_OPTIONS["reason"]
    )
    @app_commands.choices(limit=_MEASURES)
    async def everyone(
        self, interaction: Interaction, limit: str, amount: str, reason: Reason = ""
    ) -> None:
        """Limit each member for whom nothing else is set."""
        await _set(interaction, Target.DEFAULT, 0, limit, amount, reason)

    @app_commands.command(description=picker.SET_ROLE)
    @app_commands.describe(
        role=_OPTIONS["role"],
        limit=_OPTIONS["limit"],
        amount=_OPTIONS["amount"],
        reason=_OPTIONS["reason"],
    )
    @app_commands.choices(limit=_MEASURES)
    async def role(
        self,
        interaction: Interaction,
        role: discord.Role,
        limit: str,
        amount: str,
        reason: Reason = "",
    ) -> None:
        """Limit each member with a role; everybody has the one of the server itself."""
        if role.is_default():
            await _set(interaction, Target.DEFAULT, 0, limit, amount, reason)
        else:
            await _set(interaction, Target.ROLE, role.id, limit, amount, reason)

    @app_commands.command(description=picker.SET_MEMBER)
    @app_commands.describe(
        member=_OPTIONS["member"],
        limit=_OPTIONS["limit"],
        amount=_OPTIONS["amount"],
        reason=_OPTIONS["reason"],
    )
    @app_commands.choices(limit=_MEASURES)
    async def member(
        self,
        interaction: Interaction,
        member: discord.User,
        limit: str,
        amount: str,
        reason: Reason = "",
    ) -> None:
        """Limit one member."""
        await _set(interaction, Target.MEMBER, member.id, limit, amount, reason)


async def _set(
    interaction: Interaction, target: Target, target_id: int, limit: str, *typed: str
) -> None:
    amount, reason = typed
    await answer(
        interaction,
        lambda desk: desk.set_rule(
            desk.change(guild_of(interaction), interaction.user.id, reason),
            target,
            target_id,
            limit,
            amount,
        ),
        for_admins=True,
    )


class Quota(app_commands.Group):
    """All of `/quota`."""

    def __init__(self) -> None:
        super().__init__(
            name="quota",
            description=picker.QUOTA,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            default_permissions=discord.Permissions(manage_guild=True),
        )
        self.add_command(SetLimit())

    @app_commands.command(description=picker.VIEW)
    async def view(self, interaction: Interaction) -> None:
        """List the limits that are set."""
        roles = interaction.guild.roles if interaction.guild is not None else ()
        names = {role.id: role.name for role in roles}
        await answer(
            interaction, lambda desk: desk.rules(guild_of(interaction), names), for_admins=True
        )

    @app_commands.command(description=picker.EXPLAIN)
    @app_commands.describe(member=_OPTIONS["member"])
    async def explain(self, interaction: Interaction, member: discord.User) -> None:
        """Show what holds for a member, and why."""
        await answer(
            interaction,
            lambda desk: desk.explanation(guild_of(interaction), member.id, roles_of(member)),
            for_admins=True,
        )

    @app_commands.command(description=picker.GRANT)
    @app_commands.describe(
        member=_OPTIONS["member"],
        amount=_OPTIONS["credit"],
        reason=_OPTIONS["reason"],
        days=_OPTIONS["days"],
    )
    async def grant(
        self,
        interaction: Interaction,
        member: discord.User,
        amount: str,
        reason: Reason,
        days: app_commands.Range[int, 1, _MOST_DAYS] | None = None,
    ) -> None:
        """Give a member credit."""
        await answer(
            interaction,
            lambda desk: desk.grant(
                desk.change(guild_of(interaction), interaction.user.id, reason),
                member.id,
                amount,
                days,
            ),
            for_admins=True,
        )

    @app_commands.command(description=picker.REVOKE)
    @app_commands.describe(member=_OPTIONS["member"], reason=_OPTIONS["reason"])
    async def revoke(self, interaction: Interaction, member: discord.User, reason: Reason) -> None:
        """Take a member's credit back."""
        await answer(
            interaction,
            lambda desk: desk.revoke(
                desk.change(guild_of(interaction), interaction.user.id, reason), member.id
            ),
            for_admins=True,
        )

    @app_commands.command(description=picker.RESET)
    @app_commands.describe(member=_OPTIONS["member"], reason=_OPTIONS["reason"])
    async def reset(self, interaction: Interaction, member: discord.User, reason: Reason) -> None:
        """Let a member's limits begin anew."""
        await answer(
            interaction,
            lambda desk: desk.reset(
                desk.change(guild_of(interaction), interaction.user.id, reason), member.id
            ),
            for_admins=True,
        )

    @app_commands.command(description=picker.TIMEZONE)
    @app_commands.describe(zone=_OPTIONS["zone"], reason=_OPTIONS["reason"])
    async def timezone(self, interaction: Interaction, zone: str, reason: Reason = "") -> None:
        """Set when days begin."""
        await answer(
            interaction,
            lambda desk: desk.set_timezone(
                desk.change(guild_of(interaction), interaction.user.id, reason), zone
            ),
            for_admins=True,
        )

    @timezone.autocomplete("zone")
    async def _zones(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        return [app_commands.Choice(name=zone, value=zone) for zone in zones_like(typed)]

    @app_commands.command(description=picker.RECEIPTS)
    @app_commands.describe(shown=_OPTIONS["shown"], reason=_OPTIONS["reason"])
    async def receipts(self, interaction: Interaction, shown: bool, reason: Reason = "") -> None:
        """Have clips tell what is left, or not."""
        await answer(
            interaction,
            lambda desk: desk.set_receipts(
                desk.change(guild_of(interaction), interaction.user.id, reason), shown=shown
            ),
            for_admins=True,
        )

    @app_commands.command(description=picker.CHANGES)
    async def changes(self, interaction: Interaction) -> None:
        """List who changed what."""
        await answer(interaction, lambda desk: desk.changes(guild_of(interaction)), for_admins=True)
