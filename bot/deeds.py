"""The buttons that do something about somebody's clip, in a moderator's list or in the log.

An id is what it does and the clip's, and proves nothing: `cogs/jobs.py` hears of a press, and asks
who it was.
"""

import re
from typing import Any, Self

import discord

from bot.docket_words import DEEDS, LOOK, Deed
from bot.tongue import tongue

PRESSED = "deed_pressed"
"""The event of a press: the interaction, what is to be done, and the clip's id."""
LOOKED = "clip_looked_at"
"""The event of a press on the other: the interaction, and the clip's id."""
_TEMPLATE = re.compile(r"jobs:(?P<deed>cancel|offer|letout):(?P<job>[0-9a-f-]{36})")


class DeedButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_TEMPLATE):
    """One deed; discord.py makes it anew from its id at each press."""

    def __init__(self, deed: Deed, job_id: str) -> None:
        self.deed, self.job_id = deed, job_id
        super().__init__(
            discord.ui.Button(
                label=tongue()(DEEDS[deed]),
                style=discord.ButtonStyle.primary,
                custom_id=f"jobs:{deed}:{job_id}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read a button back."""
        del interaction, item
        return cls(Deed(match["deed"]), match["job"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Tell of the press."""
        interaction.client.dispatch(PRESSED, interaction, self.deed, self.job_id)


class LookButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(r"jobs:look:(?P<job>[0-9a-f-]{36})"),
):
    """Shows a clip to whoever is to judge it."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(
            discord.ui.Button(label=tongue()(LOOK), custom_id=f"jobs:look:{job_id}", emoji="👁️")
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read a button back."""
        del interaction, item
        return cls(match["job"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Tell of the press."""
        interaction.client.dispatch(LOOKED, interaction, self.job_id)
