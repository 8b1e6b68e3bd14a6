"""The doors `/queue`, `/history`, `/show` and `/cancel`: what became of somebody's wishes.

All but `/show` answer in private. What can be done with a clip is `presses.py`'s, which asks who it
is each time. No SQL, no HTTP, no money here.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import discord
from discord import app_commands

from bot import clip_words, door, history_words, member_picker, panel
from bot.answering import Interaction, tell
from bot.client import AnimateBot
from bot.counter import guild_of
from bot.errors import StoreError, UserError
from bot.lifecycle import Job
from bot.panel import Panel
from bot.rights import ClipProblem, ClipRefused, Verb
from cogs.presses import cancelled, job_for, moderates, show_here

_BUTTON = re.compile(r"history:(?P<page>\d{1,6}):(?P<place>[a-z]+)")
_SELECT = re.compile(r"history:(?P<page>\d{1,6})")


async def setup(bot: AnimateBot) -> None:
    """Add the commands to the tree; discord.py calls this when it loads the extension."""
    for command in _COMMANDS:
        bot.tree.add_command(command)
    bot.add_dynamic_items(PageButton, ClipSelect)


# --- What is in the making -----------------------------------------------------------------------


@app_commands.command(description=member_picker.QUEUE)
@app_commands.describe(everybody=member_picker.OPTIONS["everybody"])
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def queue(interaction: Interaction, everybody: bool = False) -> None:
    """List the clips in the making: one's own, or for moderators the server's."""
    of_server = everybody and moderates(interaction)

    async def made() -> Panel:
        whose = None if of_server else interaction.user.id
        found = await interaction.client.rooms.history.waiting(guild_of(interaction), whose)
        return Panel(history_words.queue(found, of_server=of_server))

    await panel.show(interaction, made)


@app_commands.command(description=member_picker.CANCEL)
@app_commands.describe(job=member_picker.OPTIONS["job"])
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def cancel(interaction: Interaction, job: str) -> None:
    """Take a clip back."""

    async def made() -> Panel:
        return await cancelled(interaction, await _meant(interaction, Verb.CANCEL, job))

    await panel.show(interaction, made)


@cancel.autocomplete("job")
async def _queued(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    whose = None if moderates(interaction) else interaction.user.id
    history = interaction.client.rooms.history
    return _choices(await history.queued(guild_of(interaction), whose, typed))


# --- What became of the rest ---------------------------------------------------------------------


@app_commands.command(description=member_picker.SHOW)
@app_commands.describe(job=member_picker.OPTIONS["job"])
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def show(interaction: Interaction, job: str) -> None:
    """Show one of one's own clips to everybody."""
    try:
        meant = await door.promptly(_meant(interaction, Verb.SHOW, job))
        await show_here(interaction, meant)
    except (UserError, StoreError) as error:
        await tell(interaction, panel.told(error))


@show.autocomplete("job")
async def _shown(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    history = interaction.client.rooms.history
    return _choices(await history.shown(guild_of(interaction), interaction.user.id, typed))


def _choices(jobs: Sequence[Job]) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=history_words.choice(job), value=job.id) for job in jobs]


async def _meant(interaction: Interaction, verb: Verb, typed: str) -> Job:
    """Return the job that somebody has chosen or typed. Raises `ClipRefused` or `StoreError`."""
    history = interaction.client.rooms.history
    found = await history.meant(guild_of(interaction), interaction.user.id, typed)
    if found is None:
        raise ClipRefused(ClipProblem.UNKNOWN)
    return await job_for(interaction, verb, found)


@app_commands.command(description=member_picker.HISTORY)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def history(interaction: Interaction) -> None:
    """List one's own clips."""
    await panel.show(interaction, partial(_page, interaction, 0))


async def _page(interaction: Interaction, number: int) -> Panel:
    history = interaction.client.rooms.history
    found = await history.page(guild_of(interaction), interaction.user.id, number)
    items: list[discord.ui.Item[Any]] = []
    if found.jobs:
        items.append(ClipSelect(found.number, found.jobs))
    if found.number > 0:
        items.append(PageButton(found.number - 1, "newer", history_words.newer()))
    if found.number + 1 < found.of:
        items.append(PageButton(found.number + 1, "older", history_words.older()))
    return Panel(history_words.page(found), items)


async def _one(interaction: Interaction, number: int, job_id: str) -> Panel:
    job = await job_for(interaction, Verb.INFO, job_id)
    record = await interaction.client.rooms.history.record(job.id)
    if record is None:
        raise ClipRefused(ClipProblem.UNKNOWN)
    note = clip_words.info(record.job, record.spent_micro, record.held_micro, record.clips)
    can_do = history_words.of_one(job) if job.member_id == interaction.user.id else ()
    return Panel(note.with_buttons(can_do), [PageButton(number, "back", history_words.back())])


class PageButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_BUTTON):
    """Leads to a page of the list of who presses it, whoever that is."""

    def __init__(self, page: int, place: str, label: str = "") -> None:
        super().__init__(discord.ui.Button(label=label, custom_id=f"history:{page}:{place}"))
        self.page = page

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read it back."""
        del interaction
        return cls(int(match["page"]), match["place"], item.label or "")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the page."""
        if await door.greet(interaction):
            await panel.show(interaction, partial(_page, interaction, self.page), in_place=True)


class ClipSelect(discord.ui.DynamicItem[discord.ui.Select[Any]], template=_SELECT):
    """The choice among the clips of a page."""

    def __init__(self, page: int, jobs: Sequence[Job] = (), options: Any = None) -> None:
        named = options or [
            discord.SelectOption(label=history_words.choice(job), value=job.id) for job in jobs
        ]
        select: discord.ui.Select[Any] = discord.ui.Select(
            custom_id=f"history:{page}", placeholder=history_words.choose(), options=named
        )
        super().__init__(select)
        self.page = page

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read it back."""
        del interaction
        return cls(int(match["page"]), options=item.options)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the clip."""
        if await door.greet(interaction):
            chosen = partial(_one, interaction, self.page, self.item.values[0])
            await panel.show(interaction, chosen, in_place=True)


_COMMANDS: tuple[app_commands.Command[Any, ..., None], ...] = (queue, history, show, cancel)
