"""The menu of a message: its picture animated at once, or with options; of several, one is chosen.

Discord hands over the message whose menu it is, whoever wrote it, without any intent. The status is
private, the clip is not. No SQL, no HTTP, no money here: `door.py` takes the wish in.
"""

import contextlib
import logging
import re
from collections.abc import Sequence
from typing import Any, Self

import discord
from discord import app_commands

from bot import door, door_words, finder, mishap, picker, spot
from bot.answering import TROUBLE, Interaction, Shown, plainly, tell
from bot.catalog import Policy
from bot.client import AnimateBot
from bot.drafts import Draft
from bot.errors import (
    ConsentNeeded,
    NotAccepting,
    PictureProblem,
    PictureRefused,
    StoreError,
    UserError,
)
from bot.options import Options
from bot.refusals import refusal
from bot.spot import Wanted
from bot.wish import Door, Picture

log = logging.getLogger(__name__)

_TEMPLATE = re.compile(r"draft:(?P<id>\d+):pick(?P<form>!?)")


async def setup(bot: AnimateBot) -> None:
    """Add the menu's entries to the tree; discord.py calls this when it loads the extension."""
    for name, callback in (
        (picker.MENU, animate),
        (picker.MENU_WITH_OPTIONS, animate_with_options),
    ):
        menu = app_commands.ContextMenu(name=name, callback=callback)
        bot.tree.add_command(app_commands.guild_only()(menu))
    bot.add_dynamic_items(Pick)


@app_commands.allowed_installs(guilds=True, users=False)
async def animate(interaction: Interaction, message: discord.Message) -> None:
    """Animate at once; a model that needs a prompt has to ask for it."""
    is_asking = interaction.client.model.prompt.policy is Policy.REQUIRED
    await _begin(interaction, message, has_form=is_asking)


@app_commands.allowed_installs(guilds=True, users=False)
async def animate_with_options(interaction: Interaction, message: discord.Message) -> None:
    """Ask for the options first."""
    await _begin(interaction, message, has_form=True)


async def _begin(interaction: Interaction, message: discord.Message, *, has_form: bool) -> None:
    if interaction.client.events.is_repeat(interaction.id):
        return
    assert interaction.guild_id is not None, "a menu of servers, outside one"
    try:
        pictures = await finder.owned(interaction.client, message, interaction.guild_id)
        if not pictures:
            raise PictureRefused(PictureProblem.NONE_THERE)
        if len(pictures) > 1:
            await _offer(interaction, pictures, has_form=has_form)
            return
        wanted = Wanted(source=f"interaction:{interaction.id}", door=Door.MENU, picture=pictures[0])
        await _go_on(interaction, wanted, Shown.PRIVATE, has_form=has_form)
    except UserError as error:
        await tell(interaction, refusal(error))


async def _go_on(interaction: Interaction, wanted: Wanted, shown: Shown, *, has_form: bool) -> None:
    """Have the clip made, or ask for its options first. Raises `NotAccepting`."""
    if not has_form:
        await door.enter(interaction, wanted, Options(), shown)
        return

    async def made(submitted: Interaction, options: Options) -> None:
        if await door.greet(submitted):
            await door.enter(submitted, wanted, options, shown)

    with contextlib.suppress(ConsentNeeded):  # it is asked for when the options are known
        here = spot.of_interaction(interaction)
        asker = here.asker(wanted.picture.origin)
        await interaction.client.intake.admit(here.guild_id, asker)
    options = Options(is_spoiler=wanted.picture.is_spoiler or None)
    await door.show_form(interaction, await door.chosen(interaction, options), made)


async def _offer(interaction: Interaction, pictures: Sequence[Picture], *, has_form: bool) -> None:
    """Show the pictures of a message, with their numbers, and have one chosen."""
    draft = Draft(door=Door.MENU, pictures=tuple(pictures), options=Options())
    try:
        draft_id = await interaction.client.rooms.drafts.keep(interaction.user.id, draft)
    except StoreError as error:
        raise NotAccepting from error
    note = door_words.which(len(pictures))
    numbered = enumerate(pictures, start=1)
    embeds = [
        discord.Embed(title=door_words.number(place)).set_thumbnail(url=picture.url)
        for place, picture in numbered
    ]
    view = discord.ui.View(timeout=None)
    view.add_item(Pick(draft_id, has_form=has_form, count=len(pictures)))
    try:
        await interaction.response.send_message(
            f"**{note.title}**\n{note.body}", embeds=embeds, view=view, ephemeral=True
        )
    except TROUBLE as problem:
        log.info("a choice of pictures was not shown: %s", plainly(problem))


class Pick(discord.ui.DynamicItem[discord.ui.Select[Any]], template=_TEMPLATE):
    """The choice among a message's pictures; discord.py makes it anew from its id at each use."""

    def __init__(self, draft_id: int, *, has_form: bool, count: int) -> None:
        super().__init__(
            discord.ui.Select(
                custom_id=f"draft:{draft_id}:pick{'!' if has_form else ''}",
                placeholder=door_words.which(count).title,
                options=[
                    discord.SelectOption(label=door_words.number(place), value=f"{place}")
                    for place in range(1, count + 1)
                ],
            )
        )
        self.draft_id = draft_id
        self.has_form = has_form

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> Self:
        """Read it back."""
        del interaction
        return cls(int(match["id"]), has_form=bool(match["form"]), count=len(item.options))

    @mishap.told
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Go on with the picture that was chosen."""
        if not await door.greet(interaction):
            return
        draft = await door.draft_of(interaction, self.draft_id)
        if draft is None:
            return
        try:
            (place,) = (int(value) for value in self.item.values)
            picture = dict(enumerate(draft.pictures, start=1))[place]
            wanted = Wanted(source=f"draft:{self.draft_id}", door=draft.door, picture=picture)
            await _go_on(interaction, wanted, Shown.IN_PLACE, has_form=self.has_form)
        except (ValueError, LookupError):
            await tell(interaction, refusal(PictureRefused(PictureProblem.NONE_THERE)))
        except UserError as error:
            await tell(interaction, refusal(error))
