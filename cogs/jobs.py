"""`/animate-admin jobs`: the clips in the making, listed, and what moderators can do about each.

The list stands as long as its message; each press is let in anew and looks again. The button for a
clip that is held stands in the log channel too. No SQL, no money here.
"""

import logging
import re
from typing import Any, Self

import discord
from discord.ext import commands

from bot import admin_words, checkup, docket_words, door, mishap, panel, policy_words
from bot.answering import TROUBLE, Interaction, plainly, tell
from bot.answers import Answer
from bot.client import AnimateBot
from bot.counter import guild_of
from bot.deeds import LOOKED, PRESSED, DeedButton, LookButton
from bot.docket_words import Deed, Item
from bot.errors import StoreError
from bot.status import embed
from bot.words import Note

log = logging.getLogger(__name__)

_MOST = 25
"""What a menu of Discord's takes."""
_CHOOSE, _REFRESH = "choose", "refresh"


async def setup(bot: AnimateBot) -> None:
    """Have the lists' menus heard; discord.py calls this when it loads the extension."""
    bot.add_dynamic_items(ListItem, DeedButton, LookButton)
    await bot.add_cog(Jobs())


async def begin(interaction: Interaction) -> None:
    """Show the list as the answer to a command."""
    try:
        if await _is_let_in(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            await _show(interaction)
    except TROUBLE as problem:
        log.info("a list of clips was not shown: %s", plainly(problem))


async def _is_let_in(interaction: Interaction) -> bool:
    if not interaction.permissions.manage_guild:
        await tell(interaction, admin_words.said(admin_words.NOT_ALLOWED))
        return False
    return True


async def _show(interaction: Interaction, job_id: str | None = None) -> None:
    """Bring the list to how things are now, or to one clip, if it is still on it."""
    rooms = interaction.client.rooms
    try:
        items = await rooms.docket.items(guild_of(interaction))
        trouble = await _trouble(interaction)
    except StoreError:
        log.exception("what is in the making cannot be read")
        note = admin_words.said(admin_words.UNREADABLE)
        await interaction.edit_original_response(embed=embed(note), view=None)
        return
    picked = [item for item in items if item.job.id == job_id]
    await interaction.edit_original_response(
        embed=embed(docket_words.listed(picked or items, trouble)),
        view=_view(picked or items, picked),
    )


async def _trouble(interaction: Interaction) -> str:
    """Say why no lines come to the log, if they don't."""
    policy = await interaction.client.rooms.policies.policy(guild_of(interaction))
    guild = interaction.guild
    found = () if guild is None else checkup.of_log(guild, policy)
    return " ".join(map(policy_words.missing, found))


def _view(items: list[Item], picked: list[Item]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    options = [
        discord.SelectOption(label=docket_words.choice(item), value=item.job.id)
        for item in items[:_MOST]
        if item.deed is not None
    ]
    if options and not picked:
        menu: discord.ui.Select[Any] = discord.ui.Select(
            custom_id=f"jobs:{_CHOOSE}", placeholder=docket_words.choose(), options=options
        )
        view.add_item(ListItem(menu))
    for item in picked:
        if item.is_held:
            view.add_item(LookButton(item.job.id))
        if item.deed is not None:
            view.add_item(DeedButton(item.deed, item.job.id))
    view.add_item(
        ListItem(discord.ui.Button(custom_id=f"jobs:{_REFRESH}", label=docket_words.refresh()))
    )
    return view


class ListItem(
    discord.ui.DynamicItem[Any], template=re.compile(rf"jobs:(?P<act>{_CHOOSE}|{_REFRESH})")
):
    """The menu below the list, or its button to look again."""

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read it back."""
        del interaction, match
        return cls(item)

    @mishap.told
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show one clip, or look again, for those who may."""
        try:
            if await door.greet(interaction) and await _is_let_in(interaction):
                await interaction.response.defer()
                values: list[str] = getattr(self.item, "values", [])
                await _show(interaction, next(iter(values), None))
        except TROUBLE as problem:
            log.info("a list of clips was not brought up to date: %s", plainly(problem))


class Jobs(commands.Cog):
    """Hears of what moderators do about clips."""

    @commands.Cog.listener(f"on_{PRESSED}")
    @mishap.told
    async def do(self, interaction: Interaction, deed: Deed, job_id: str) -> None:
        """Do something about a clip, for those who may, and say what became of it."""
        try:
            if await door.greet(interaction) and await _is_let_in(interaction):
                await interaction.response.defer()
                await _do(interaction, deed, job_id)
        except TROUBLE as problem:
            log.info("a deed was not answered: %s", plainly(problem))

    @commands.Cog.listener(f"on_{LOOKED}")
    @mishap.told
    async def look(self, interaction: Interaction, job_id: str) -> None:
        """Show a clip that is held to whoever may let it out, and to them alone."""
        try:
            if await door.greet(interaction) and await _is_let_in(interaction):
                await interaction.response.defer(ephemeral=True, thinking=True)
                await _look(interaction, job_id)
        except TROUBLE as problem:
            log.info("a look at a clip was not answered: %s", plainly(problem))


async def _look(interaction: Interaction, job_id: str) -> None:
    rooms = interaction.client.rooms
    change = interaction.client.desk.change(guild_of(interaction), interaction.user.id)
    answer = Answer(
        token=interaction.token,
        expires_at=round(interaction.expires_at.timestamp() * 1000),
        most_bytes=interaction.filesize_limit,
    )
    try:
        found = await rooms.docket.shown(change, job_id)
        if isinstance(found, Note):
            await interaction.edit_original_response(embed=embed(found))
            return
        await rooms.reissue.look(answer, found)
    except Exception as error:  # noqa: BLE001 - a person waits for a word
        await panel.say_instead(interaction, panel.told(error), is_public=False)


async def _do(interaction: Interaction, deed: Deed, job_id: str) -> None:
    client = interaction.client
    change = client.desk.change(guild_of(interaction), interaction.user.id)
    try:
        note = await client.rooms.docket.do(change, deed, job_id)
    except StoreError:
        log.exception("a deed could not be done")
        note = admin_words.said(admin_words.UNREADABLE)
    else:
        if interaction.message is not None and interaction.message.flags.ephemeral:
            await _show(interaction)
        else:  # in the log, for all moderators
            await interaction.edit_original_response(view=None)
    await interaction.followup.send(embed=embed(note), ephemeral=True)
