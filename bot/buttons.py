"""Buttons that come with a clip, as Discord has them: they work for ever, and across restarts.

A button's id says what it does and to which job: `anim:<verb>:<job>`. Nothing else is kept, and an
id is no proof of anything: what is done with a press is the cog's, which authorises anew.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self

import discord

from bot.rights import Press, Verb

Pressed = Callable[[discord.Interaction[Any], Verb, str], Awaitable[None]]
"""Told what was pressed, and of which job."""

_TEMPLATE = re.compile(r"anim:(?P<verb>[a-z]+):(?P<job>[0-9a-f-]{36})")
_STYLES = {
    Verb.DELETE: discord.ButtonStyle.danger,
    Verb.RETRY: discord.ButtonStyle.primary,
}


class ClipButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_TEMPLATE):
    """One button; discord.py makes it anew from its id at each press."""

    def __init__(self, press: Press) -> None:
        super().__init__(
            discord.ui.Button(
                label=press.label or None,
                emoji=press.emoji or None,
                style=_STYLES.get(press.verb, discord.ButtonStyle.secondary),
                custom_id=f"anim:{press.verb}:{press.job_id}",
            )
        )
        self.press = press

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read a button back. ValueError where it is one that no release has."""
        del interaction
        verb = Verb(match["verb"])
        return cls(Press(verb, match["job"], item.label or ""))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press to whoever has taken it on."""
        await interaction.client.pressed(interaction, self.press.verb, self.press.job_id)


def view(presses: Iterable[Press]) -> discord.ui.View | None:
    """Return buttons in their order, None where there are none: that takes away what is there."""
    found = [ClipButton(press) for press in presses]
    if not found:
        return None
    made = discord.ui.View(timeout=None)
    for button in found:
        made.add_item(button)
    return made
