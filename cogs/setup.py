"""The panel of `/animate-admin setup`: a server's first rules, by menus and buttons, and a checkup.

Its menus show what is set, and each press sets it and looks again at what is missing. It works for
as long as its message is there, across restarts; each press is let in anew. No SQL, no money here.
"""

import logging
import re
from collections.abc import Sequence
from typing import Any, Self

import discord

from bot import admin_words, checkup, door, mishap, policy_words
from bot import policy_picker as picker
from bot.answering import TROUBLE, Interaction, plainly, tell
from bot.client import AnimateBot
from bot.counter import guild_of
from bot.errors import StoreError
from bot.policy import Policy
from bot.rulebook import MOST
from bot.status import embed
from bot.tongue import tongue

log = logging.getLogger(__name__)

_KIND = discord.ChannelType
_CLIPS_IN = [
    *(_KIND.text, _KIND.news, _KIND.voice, _KIND.stage_voice, _KIND.forum, _KIND.category),
]
_CHECK = "check"


async def setup(bot: AnimateBot) -> None:
    """Have the panels' menus heard; discord.py calls this when it loads the extension."""
    bot.add_dynamic_items(PanelItem)


async def begin(interaction: Interaction) -> None:
    """Show the panel as the answer to a command."""
    try:
        if not interaction.permissions.manage_guild:
            await tell(interaction, admin_words.said(admin_words.NOT_ALLOWED))
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        await _show(interaction, _CHECK, ())
    except TROUBLE as problem:
        log.info("a panel was not shown: %s", plainly(problem))


async def _show(interaction: Interaction, field: str, values: Sequence[str]) -> None:
    """Set what was chosen, and bring the panel to how things are now."""
    client, guild = interaction.client, interaction.guild
    assert guild is not None, "a command of servers, outside one"
    change = client.desk.change(guild_of(interaction), interaction.user.id)
    try:
        if field == _CHECK:
            policy = await client.rooms.policies.policy(guild.id)
        else:
            policy = await client.rooms.rulebook.choose(change, field, values)
    except StoreError:
        log.exception("the rules of a server cannot be read or written")
        note = admin_words.said(admin_words.UNREADABLE)
        await interaction.followup.send(embed=embed(note), ephemeral=True)
        return
    found = checkup.findings(guild, policy, sees_messages=client.sees_messages)
    await interaction.edit_original_response(
        embed=embed(policy_words.panel(policy, found)), view=_view(guild, policy)
    )


class PanelItem(discord.ui.DynamicItem[Any], template=re.compile(r"rules:(?P<field>[a-z]+)")):
    """Any menu or button of the panel; discord.py makes it anew from its id at each use."""

    def __init__(self, item: Any) -> None:
        super().__init__(item)
        self.field = item.custom_id.removeprefix("rules:")

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read it back."""
        del interaction, match
        return cls(item)

    @mishap.told
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Set what was chosen, for those who may."""
        if not await door.greet(interaction):
            return
        if not interaction.permissions.manage_guild:
            await tell(interaction, admin_words.said(admin_words.NOT_ALLOWED))
            return
        chosen = (getattr(one, "id", one) for one in getattr(self.item, "values", ()))
        try:
            await interaction.response.defer()
            await _show(interaction, self.field, [str(value) for value in chosen])
        except TROUBLE as problem:
            log.info("a panel was not brought up to date: %s", plainly(problem))


def _view(guild: discord.Guild, policy: Policy) -> discord.ui.View:
    """Return the menus and buttons, with what is set."""
    texts = policy_words.chosen()
    view = discord.ui.View(timeout=None)
    for field, channels, most in (
        ("channels", policy.channels, MOST),
        ("log", {policy.log_channel_id} - {None}, 1),
    ):
        there = [one for one in channels if one is not None and guild.get_channel(one)]
        view.add_item(
            PanelItem(
                discord.ui.ChannelSelect(
                    custom_id=f"rules:{field}",
                    placeholder=texts[field],
                    channel_types=_CLIPS_IN if field == "channels" else [_KIND.text, _KIND.news],
                    min_values=0,
                    max_values=most,
                    default_values=[discord.Object(one, type=discord.TextChannel) for one in there],
                )
            )
        )
    roles = [one for one in policy.roles if guild.get_role(one)]
    view.add_item(
        PanelItem(
            discord.ui.RoleSelect(
                custom_id="rules:roles",
                placeholder=texts["roles"],
                min_values=0,
                max_values=MOST,
                default_values=[discord.Object(one, type=discord.Role) for one in roles],
            )
        )
    )
    view.add_item(PanelItem(_consents(policy, texts["consent"])))
    for field, is_on in (
        ("reaction", bool(policy.reaction)),
        ("replies", policy.has_replies),
        ("digest", policy.has_digest),
        (_CHECK, False),
    ):
        style = discord.ButtonStyle.success if is_on else discord.ButtonStyle.secondary
        label = f"✓ {texts[field]}" if is_on else texts[field]
        is_useless = field == "digest" and policy.log_channel_id is None
        view.add_item(
            PanelItem(
                discord.ui.Button(
                    custom_id=f"rules:{field}", label=label, style=style, disabled=is_useless
                )
            )
        )
    return view


def _consents(policy: Policy, placeholder: str) -> discord.ui.Select[Any]:
    say = tongue()
    return discord.ui.Select(
        custom_id="rules:consent",
        placeholder=placeholder,
        options=[
            discord.SelectOption(label=say(name), value=value, default=value == policy.consent)
            for value, name in picker.CONSENTS.items()
        ],
    )
