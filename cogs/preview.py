"""How a picture will be cut, and what that costs: shown to one person before anything is held.

The shape and the fit can be changed, then there is Start, and Cancel. What was chosen is kept as
a draft, so all of it works after a restart; each press is let in anew. No SQL, no HTTP, no money.
"""

import io
import logging
import re
from typing import Any, Self

import discord
from discord import ButtonStyle

from bot import door, door_words, mishap
from bot.answering import TROUBLE, Interaction, Shown, plainly, tell
from bot.catalog import AUTO
from bot.client import AnimateBot
from bot.drafts import Draft
from bot.errors import NotAccepting, PictureProblem, PictureRefused, StoreError, UserError
from bot.options import Options
from bot.refusals import refusal
from bot.spot import Wanted
from bot.status import embed
from bot.wish import Door, Fit, Picture
from bot.words import Note

log = logging.getLogger(__name__)

_FILE = "preview.jpg"
_SHAPE = re.compile(r"draft:(?P<id>\d+):shape")
_BUTTON = re.compile(r"draft:(?P<id>\d+):(?P<do>crop|pad|start|cancel)")


async def setup(bot: AnimateBot) -> None:
    """Have the previews' buttons heard; discord.py calls this when it loads the extension."""
    bot.add_dynamic_items(ShapeMenu, DraftButton)


async def begin(interaction: Interaction, picture: Picture, options: Options) -> None:
    """Show a preview as the answer to a command, or tell why there is none."""
    try:
        await door.check(interaction, picture)
        chosen = await door.chosen(interaction, options)
    except UserError as error:
        await tell(interaction, refusal(error))
        return
    draft = Draft(door=Door.COMMAND, pictures=(picture,), options=chosen)
    try:
        await interaction.response.defer(ephemeral=True, thinking=True)
        draft_id = await interaction.client.rooms.drafts.keep(interaction.user.id, draft)
        await _show(interaction, draft_id, draft)
    except StoreError:
        await _say(interaction, refusal(NotAccepting()))
    except TROUBLE as problem:
        log.info("a preview was not shown: %s", plainly(problem))


async def _show(interaction: Interaction, draft_id: int, draft: Draft) -> None:
    """Bring the answer to what a draft would come to, or to why it would not."""
    picture, options = draft.pictures[0], draft.options
    rehearsal = interaction.client.rooms.rehearsal
    try:
        rehearsed = await rehearsal.of(interaction.user.id, picture, options)
    except UserError as error:
        await _say(interaction, refusal(error))
        return
    note = door_words.preview(rehearsed)
    file = discord.File(io.BytesIO(rehearsed.jpeg), _FILE, description=note.body)
    view = discord.ui.View(timeout=None)
    model = interaction.client.model
    if model.sizes:
        view.add_item(ShapeMenu(draft_id, [AUTO, *model.shapes], options.shape or AUTO))
        for fit in Fit:
            view.add_item(DraftButton(draft_id, fit, is_on=fit is (options.fit or Fit.CROP)))
    view.add_item(DraftButton(draft_id, "start", door_words.start(rehearsed.price_micro)))
    view.add_item(DraftButton(draft_id, "cancel"))
    card = embed(note).set_image(url=f"attachment://{_FILE}")
    await interaction.edit_original_response(embed=card, attachments=[file], view=view)


async def _say(interaction: Interaction, note: Note) -> None:
    try:
        await interaction.edit_original_response(embed=embed(note), attachments=[], view=None)
    except TROUBLE as problem:
        log.info("a word about a preview was not shown: %s", plainly(problem))


async def _change(interaction: Interaction, draft_id: int, **options: Any) -> None:
    """Change a draft of who has pressed, and show what that comes to."""
    draft = await door.draft_of(interaction, draft_id)
    if draft is None:
        return
    try:
        await door.check(interaction, draft.pictures[0])
        await interaction.response.defer()
        drafts = interaction.client.rooms.drafts
        changed = await drafts.change(draft_id, interaction.user.id, **options)
        if changed is None:
            await _say(interaction, refusal(PictureRefused(PictureProblem.FORGOTTEN)))
        else:
            await _show(interaction, draft_id, changed)
    except UserError as error:
        await tell(interaction, refusal(error))
    except StoreError:
        await _say(interaction, refusal(NotAccepting()))
    except TROUBLE as problem:
        log.info("a preview was not shown: %s", plainly(problem))


async def _start(interaction: Interaction, draft_id: int) -> None:
    draft = await door.draft_of(interaction, draft_id)
    if draft is not None:
        source = f"draft:{draft_id}"
        wanted = Wanted(source=source, door=draft.door, picture=draft.pictures[0])
        await door.enter(interaction, wanted, draft.options, Shown.IN_PLACE)


async def _cancel(interaction: Interaction, draft_id: int) -> None:
    if await door.draft_of(interaction, draft_id) is None:
        return
    note = embed(door_words.not_started())
    try:
        await interaction.response.edit_message(embed=note, attachments=[], view=None)
        await interaction.client.rooms.drafts.drop(draft_id, interaction.user.id)
    except (StoreError, *TROUBLE) as problem:
        log.info("a preview stays: %s", plainly(problem))


class ShapeMenu(discord.ui.DynamicItem[discord.ui.Select[Any]], template=_SHAPE):
    """The shapes of a model; discord.py makes it anew from its id at each use."""

    def __init__(self, draft_id: int, shapes: list[str], now: str) -> None:
        options = [
            discord.SelectOption(label=door_words.shape(name), value=name, default=name == now)
            for name in shapes
        ]
        select: discord.ui.Select[Any] = discord.ui.Select(
            custom_id=f"draft:{draft_id}:shape", options=options
        )
        super().__init__(select)
        self.draft_id = draft_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read it back."""
        del interaction
        return cls(int(match["id"]), [option.value for option in item.options], "")

    @mishap.told
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the preview in another shape."""
        if await door.greet(interaction):
            await _change(interaction, self.draft_id, shape=self.item.values[0])


class DraftButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_BUTTON):
    """One of the buttons below a preview."""

    def __init__(self, draft_id: int, do: str, label: str = "", *, is_on: bool = False) -> None:
        style = {"start": ButtonStyle.success}.get(do, ButtonStyle.secondary)
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=label or door_words.button(do),
            style=ButtonStyle.primary if is_on else style,
            custom_id=f"draft:{draft_id}:{do}",
            disabled=is_on,
        )
        super().__init__(button)
        self.draft_id = draft_id
        self.do = do

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read it back."""
        del interaction
        return cls(int(match["id"]), match["do"], item.label or "")

    @mishap.told
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what it says."""
        if not await door.greet(interaction):
            return
        match self.do:
            case "start":
                await _start(interaction, self.draft_id)
            case "cancel":
                await _cancel(interaction, self.draft_id)
            case fit:
                await _change(interaction, self.draft_id, fit=Fit(fit))
