"""The door `/settings`: what somebody's clips are like where they don't say, and direct messages.

Each press says what a setting is to be, so a second one changes nothing, and it works after a
restart. Whose settings they are is who presses. No SQL here.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, Self

import discord
from discord import app_commands

from bot import door, door_words, member_picker, member_words, panel
from bot.answering import Interaction
from bot.catalog import AUTO, Model
from bot.client import AnimateBot
from bot.members import MemberSettings
from bot.panel import Panel
from bot.wish import Fit

_SWITCH = re.compile(r"settings:(?P<name>[a-z_]+):(?P<on>[01])")
_CHOICE = re.compile(r"settings:(?P<name>[a-z]+)")


async def setup(bot: AnimateBot) -> None:
    """Add the command to the tree; discord.py calls this when it loads the extension."""
    command: app_commands.Command[Any, ..., None] = settings
    bot.tree.add_command(command)
    bot.add_dynamic_items(Switch, Choice)


@app_commands.command(description=member_picker.SETTINGS)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def settings(interaction: Interaction) -> None:
    """Show one's own settings."""
    await panel.show(interaction, partial(_changed, interaction))


async def _changed(interaction: Interaction, **changes: Any) -> Panel:
    """Change settings of who presses, and show them all."""
    client = interaction.client
    members, member_id = client.rooms.members, interaction.user.id
    if changes:
        mine = await members.change(member_id, **changes)
    else:
        mine = await members.settings(member_id)
    items = [*_choices(mine, client.model), *_switches(mine)]
    return Panel(member_words.settings(mine, client.model), items)


def _choices(mine: MemberSettings, model: Model) -> Iterator["Choice"]:
    if len(model.durations) > 1:
        now = mine.duration if mine.duration in model.durations else model.durations[0]
        named = {f"{one:g}": member_words.duration(one, model) for one in model.durations}
        yield Choice.of("duration", named, f"{now:g}")
    if model.sizes:
        shapes = {name: door_words.shape(name) for name in (AUTO, *model.shapes)}
        yield Choice.of("shape", shapes, mine.shape if mine.shape in model.shapes else AUTO)
        fits = {f"{fit}": door_words.fit(fit) for fit in Fit}
        yield Choice.of("fit", fits, member_words.fit_of(mine))


def _switches(mine: MemberSettings) -> Iterator["Switch"]:
    for name in member_words.SWITCHES:
        is_on = bool(getattr(mine, name))
        yield Switch(name, not is_on, member_words.switch(name, is_on=is_on))


def _read(name: str, value: str, model: Model) -> Any:
    """Return the value of a setting from a choice. ValueError where it is not offered."""
    match name:
        case "duration" if float(value) in model.durations:
            return float(value)
        case "shape" if value in (AUTO, *model.shapes):
            return value
        case "fit":
            return Fit(value)
    raise ValueError(name)


class Switch(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_SWITCH):
    """Turns a setting on or off; `will_be` is what it is then."""

    def __init__(self, name: str, will_be: bool, label: str = "") -> None:
        style = discord.ButtonStyle.secondary if will_be else discord.ButtonStyle.primary
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=label, style=style, custom_id=f"settings:{name}:{will_be:d}"
        )
        super().__init__(button)
        self.name = name
        self.will_be = will_be

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read it back. KeyError where there is no such setting."""
        del interaction
        member_words.SWITCHES[match["name"]]
        return cls(match["name"], match["on"] == "1", item.label or "")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Turn it."""
        if await door.greet(interaction):
            turned = partial(_changed, interaction, **{self.name: self.will_be})
            await panel.show(interaction, turned, in_place=True)


class Choice(discord.ui.DynamicItem[discord.ui.Select[Any]], template=_CHOICE):
    """Chooses one of several."""

    def __init__(self, name: str, options: list[discord.SelectOption]) -> None:
        placeholder = member_words.questions().get(name)
        select: discord.ui.Select[Any] = discord.ui.Select(
            custom_id=f"settings:{name}", placeholder=placeholder, options=options
        )
        super().__init__(select)
        self.name = name

    @classmethod
    def of(cls, name: str, named: dict[str, str], now: str) -> Self:
        """Return the choice among values by what they are called."""
        return cls(
            name,
            [
                discord.SelectOption(label=label, value=value, default=value == now)
                for value, label in named.items()
            ],
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read it back."""
        del interaction
        return cls(match["name"], item.options)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Keep what was chosen; of what is not offered, nothing."""
        if not await door.greet(interaction):
            return
        try:
            value = _read(self.name, self.item.values[0], interaction.client.model)
        except (ValueError, IndexError):
            await panel.show(interaction, partial(_changed, interaction), in_place=True)
            return
        chosen = partial(_changed, interaction, **{self.name: value})
        await panel.show(interaction, chosen, in_place=True)
