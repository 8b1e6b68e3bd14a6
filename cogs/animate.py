"""The door `/animate`, for a picture that somebody hands over.

No SQL, no HTTP, no money here: `door.py` takes the wish in.
"""

from typing import Any

import discord
from discord import app_commands

from bot import door, picker
from bot.answering import Interaction, tell
from bot.catalog import Model
from bot.client import AnimateBot
from bot.errors import OptionRefused, PictureProblem, PictureRefused, UserError
from bot.offer import with_options
from bot.options import Options
from bot.refusals import refusal
from bot.spot import Wanted
from bot.wish import Door, Fit, Picture
from cogs import preview as cuts


async def setup(bot: AnimateBot) -> None:
    """Add the command to the tree; discord.py calls this when it loads the extension."""
    bot.tree.add_command(animate_command(bot.model))


def animate_command(model: Model) -> app_commands.Command[Any, ..., None]:
    """Return `/animate` with the options that `model` has."""

    async def animate(interaction: Interaction, /, **options: Any) -> None:
        await _animate(interaction, **options)

    callback = app_commands.guild_only()(with_options(animate, model))
    callback = app_commands.allowed_installs(guilds=True, users=False)(callback)
    command: app_commands.Command[Any, ..., None] = app_commands.Command(
        name="animate", description=picker.ANIMATE, callback=callback
    )
    command.error(_explain)
    return command


async def _animate(
    interaction: Interaction, image: object, *, preview: bool | None = None, **given: Any
) -> None:
    if interaction.client.events.is_repeat(interaction.id):
        return
    try:
        if not isinstance(image, discord.Attachment):
            raise PictureRefused(PictureProblem.MISSING)
        options = _options(**given)
    except UserError as error:
        await tell(interaction, refusal(error))
        return
    picture = Picture(url=image.url, size=image.size)
    if preview:
        await cuts.begin(interaction, picture, options)
        return
    source = f"interaction:{interaction.id}"
    wanted = Wanted(source=source, door=Door.COMMAND, picture=picture)
    await door.enter(interaction, wanted, options)


def _options(
    *,
    fit: str | None = None,
    private: bool | None = None,
    spoiler: bool | None = None,
    **rest: Any,
) -> Options:
    """Read the options. A client that lies may send what is not offered: raises `OptionRefused`."""
    try:
        way = None if fit is None else Fit(fit)
    except ValueError:
        raise OptionRefused("fit", ", ".join(Fit)) from None
    return Options(fit=way, is_private=private, is_spoiler=spoiler, **rest)


async def _explain(interaction: Interaction, error: app_commands.AppCommandError) -> None:
    """Answer a wish that came without its picture: from a client that is behind, or that lies."""
    if isinstance(error, app_commands.CommandSignatureMismatch):
        await tell(interaction, refusal(PictureRefused(PictureProblem.MISSING)))
