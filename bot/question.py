"""The two buttons under a question to the author of a picture, which work for as long as it waits.

A button's id is its answer and the question's number, and proves nothing: `cogs/consent.py` hears
of a press, and `consent.py` asks who it was.
"""

import re
from typing import Any, Self

import discord

from bot import consent_words
from bot.tongue import tongue

ANSWERED = "question_answered"
"""The event of a press: the interaction, the question's number, and whether it is a yes."""
_TEMPLATE = re.compile(r"consent:(?P<answer>yes|no):(?P<id>\d{1,18})")


class AnswerButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_TEMPLATE):
    """Yes or no; discord.py makes it anew from its id at each press."""

    def __init__(self, approval_id: int, *, is_yes: bool) -> None:
        self.approval_id, self.is_yes = approval_id, is_yes
        super().__init__(
            discord.ui.Button(
                label=tongue()(consent_words.YES if is_yes else consent_words.NO),
                style=discord.ButtonStyle.success if is_yes else discord.ButtonStyle.secondary,
                custom_id=f"consent:{'yes' if is_yes else 'no'}:{approval_id}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read a button back."""
        del interaction, item
        return cls(int(match["id"]), is_yes=match["answer"] == "yes")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Tell of the press."""
        interaction.client.dispatch(ANSWERED, interaction, self.approval_id, self.is_yes)


def answers(approval_id: int) -> discord.ui.View:
    """Return both buttons of a question."""
    view = discord.ui.View(timeout=None)
    view.add_item(AnswerButton(approval_id, is_yes=True))
    view.add_item(AnswerButton(approval_id, is_yes=False))
    return view
