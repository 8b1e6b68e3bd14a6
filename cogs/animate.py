"""The door `/animate`: acknowledges, asks the intake, and words a refusal.

The command's options are made from the model's record, so that people see what the model can do and
nothing else. No SQL, no HTTP, no money here.
"""

import contextlib
import inspect
import logging
from collections import deque
from collections.abc import Iterator
from typing import Any

import discord
from discord import app_commands

from bot import buttons, picker, words
from bot.catalog import AUTO, Model, Policy, TextRule
from bot.client import AnimateBot
from bot.counter import places_of, roles_of
from bot.delivery import embed
from bot.errors import CannotPostHere, PictureProblem, PictureRefused, UserError
from bot.intake import Ask
from bot.ladder import NO_ANSWER
from bot.policy import Asker
from bot.refusals import refusal
from bot.wish import Wish

log = logging.getLogger(__name__)

_LONGEST_TEXT = 2000
"""Characters; the most that an option is offered with."""

Interaction = discord.Interaction[AnimateBot]

_TROUBLE = (discord.DiscordException, *NO_ANSWER)
_ACKNOWLEDGED = 40060
_SERVER_ERROR = 500
_REMEMBERED = 1000
"""Interactions of which a second event is known to be one."""


async def setup(bot: AnimateBot) -> None:
    """Add the command to the tree; discord.py calls this when it loads the extension."""
    bot.tree.add_command(animate_command(bot.model))


def animate_command(model: Model) -> app_commands.Command[Any, ..., None]:
    """Return `/animate` with the options that `model` has."""
    begun: deque[int] = deque(maxlen=_REMEMBERED)

    async def animate(interaction: Interaction, /, **options: Any) -> None:
        if interaction.id in begun:
            log.info("an interaction came twice")
            return
        begun.append(interaction.id)
        await _animate(interaction, **options)

    parameters = list(_parameters(model))
    signature = inspect.signature(animate)
    interaction = next(iter(signature.parameters.values()))
    animate.__signature__ = signature.replace(parameters=[interaction, *parameters])  # type: ignore[attr-defined]
    described = {parameter.name: picker.OPTIONS[parameter.name] for parameter in parameters}
    animate = app_commands.describe(**described)(animate)
    animate = app_commands.choices(**_choices(model))(animate)
    animate = app_commands.guild_only()(animate)
    animate = app_commands.allowed_installs(guilds=True, users=False)(animate)
    command: app_commands.Command[Any, ..., None] = app_commands.Command(
        name="animate", description=picker.ANIMATE, callback=animate
    )
    command.error(_explain)
    return command


def _parameters(model: Model) -> Iterator[inspect.Parameter]:
    """List the options in the order in which people see them, the required ones first."""
    yield _option("image", discord.Attachment, is_required=True)
    yield from _text("prompt", model.prompt)
    if len(model.durations) > 1:
        yield _option("duration", float)
    if model.sizes:
        yield _option("shape", str)
    if model.guidance is not None:
        reach = app_commands.Range[float, model.guidance.least, model.guidance.most]
        yield _option("guidance", reach)
    yield from _text("negative", model.negative_prompt)
    if model.seed is not None:
        yield _option("seed", app_commands.Range[int, model.seed.least, model.seed.most])
    if model.most_results > 1:
        yield _option("results", app_commands.Range[int, 1, model.most_results])


def _text(name: str, rule: TextRule) -> Iterator[inspect.Parameter]:
    if rule.policy is not Policy.ABSENT:
        kind = app_commands.Range[str, rule.least, min(rule.most, _LONGEST_TEXT)]
        yield _option(name, kind, is_required=rule.policy is Policy.REQUIRED)


def _option(name: str, kind: Any, *, is_required: bool = False) -> inspect.Parameter:
    default = inspect.Parameter.empty if is_required else None
    annotation = kind if is_required else kind | None
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _choices(model: Model) -> dict[str, list[app_commands.Choice[Any]]]:
    choices: dict[str, list[app_commands.Choice[Any]]] = {}
    if len(model.durations) > 1:
        choices["duration"] = [
            app_commands.Choice(name=picker.duration_choice(duration), value=float(duration))
            for duration in model.durations
        ]
    if model.sizes:
        named = [app_commands.Choice(name=name, value=name) for name in model.shapes]
        choices["shape"] = [app_commands.Choice(name=picker.SHAPE_AUTO, value=AUTO), *named]
    return choices


async def _animate(interaction: Interaction, image: object, **options: Any) -> None:
    intake = interaction.client.intake
    try:
        if not isinstance(image, discord.Attachment):
            raise PictureRefused(PictureProblem.MISSING)
        _check_channel(interaction)
        intake.check(image.size)
        await intake.admit(interaction.guild_id or 0, _asker(interaction))
    except UserError as error:
        await _tell(interaction, error)
        return
    placeholder_id = await _acknowledge(interaction)
    if placeholder_id is None:
        return
    try:
        await intake.accept(_ask(interaction, placeholder_id, image, options))
    except UserError as error:
        await _refuse(interaction, error)
    except Exception as error:
        log.exception("/animate broke before anything was accepted")
        await _refuse(interaction, error)


async def _acknowledge(interaction: Interaction) -> int | None:
    """Answer "thinking…" in public and return that placeholder's id; None where there is none.

    A lost answer proves nothing, nor does being told that it was acknowledged before: discord.py
    repeats what a proxy has garbled. So Discord is asked for the placeholder.
    """
    try:
        answer = await interaction.response.defer(thinking=True)
        if answer is not None and answer.message_id is not None:
            return answer.message_id
    except _TROUBLE as problem:
        if not _is_unclear(problem):
            # Discord gave up on it before our answer arrived. Nothing was started.
            log.info("an interaction was not acknowledged: %s", _plainly(problem))
            return None
    try:
        return (await interaction.original_response()).id
    except _TROUBLE as problem:
        log.info("an interaction has no answer, nothing was started: %s", _plainly(problem))
        return None


def _is_unclear(problem: Exception) -> bool:
    if not isinstance(problem, discord.HTTPException):
        return True
    return problem.code == _ACKNOWLEDGED or problem.status >= _SERVER_ERROR


def _plainly(problem: Exception) -> str:
    """Describe a problem for the log, without the addresses, for those have tokens in them."""
    if isinstance(problem, discord.HTTPException):
        return f"HTTP {problem.status}, code {problem.code}"
    return type(problem).__name__


async def _explain(interaction: Interaction, error: app_commands.AppCommandError) -> None:
    """Answer a wish that came without its picture: from a client that is behind, or that lies."""
    if isinstance(error, app_commands.CommandSignatureMismatch):
        await _tell(interaction, PictureRefused(PictureProblem.MISSING))


def _ask(
    interaction: Interaction,
    placeholder_id: int,
    image: discord.Attachment,
    options: dict[str, Any],
) -> Ask:
    async def reply(note: words.Note) -> None:
        view = buttons.view(note.buttons)
        await interaction.edit_original_response(embed=embed(note), view=view)

    given = {name: value for name, value in options.items() if value is not None}
    wish = Wish(
        locale=str(interaction.locale),
        shape=given.pop("shape", AUTO),
        most_bytes=interaction.filesize_limit,
    )
    return Ask(
        source=f"interaction:{interaction.id}",
        guild_id=interaction.guild_id or 0,
        channel_id=interaction.channel_id or 0,
        parent_channel_id=_parent_id(interaction),
        place_ids=places_of(interaction.channel),
        member_id=interaction.user.id,
        role_ids=roles_of(interaction.user),
        status_message_id=placeholder_id,
        picture_url=image.url,
        wish=wish,
        reply=reply,
        **given,
    )


def _asker(interaction: Interaction) -> Asker:
    return Asker(
        member_id=interaction.user.id,
        role_ids=roles_of(interaction.user),
        place_ids=(interaction.channel_id or 0, *places_of(interaction.channel)),
        author_id=interaction.user.id,
    )


def _parent_id(interaction: Interaction) -> int | None:
    """Return the channel of a public thread; who may see a private one is nobody else's affair."""
    channel = interaction.channel
    if isinstance(channel, discord.Thread) and not channel.is_private():
        return channel.parent_id
    return None


def _check_channel(interaction: Interaction) -> None:
    """Refuse where the clip could not be posted later. Raises `CannotPostHere`.

    An interaction may be answered anywhere; a clip is posted with the bot's own permissions.
    """
    allowed = interaction.app_permissions
    is_thread = isinstance(interaction.channel, discord.Thread)
    needed = (
        "view_channel",
        "send_messages_in_threads" if is_thread else "send_messages",
        "attach_files",
        "embed_links",
    )
    missing = tuple(name for name in needed if not getattr(allowed, name))
    if missing:
        raise CannotPostHere(missing)


async def _tell(interaction: Interaction, error: UserError) -> None:
    """Tell the requester alone why nothing was started, as the first answer."""
    try:
        await interaction.response.send_message(embed=embed(refusal(error)), ephemeral=True)
    except _TROUBLE as problem:
        log.info("a refusal came too late: %s", _plainly(problem))


async def _refuse(interaction: Interaction, error: Exception) -> None:
    """Take the public "thinking…" away and tell the requester alone; if it stays, tell it there."""
    note = embed(refusal(error))
    try:
        # A follow-up would turn the public placeholder into the answer, so it has to go first.
        if not await _is_taken_away(interaction):
            with contextlib.suppress(discord.NotFound):  # it went, and only the answer was lost
                await interaction.edit_original_response(embed=note)
                return
        await interaction.followup.send(embed=note, ephemeral=True)
    except _TROUBLE as problem:
        log.error("a refusal could not be shown: %s", _plainly(problem))  # noqa: TRY400 - expected, and a traceback has the token


async def _is_taken_away(interaction: Interaction) -> bool:
    try:
        with contextlib.suppress(discord.NotFound):  # somebody may have deleted it already
            await interaction.delete_original_response()
    except _TROUBLE as problem:
        log.info("a placeholder stays: %s", _plainly(problem))
        return False
    return True
