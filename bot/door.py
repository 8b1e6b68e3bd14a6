"""How a wish comes in by an interaction: asked of the intake, and refused where it must be.

Every command, menu, button and form that asks for a clip ends in `enter`; they differ in where the
status is shown. What a person chose is in `options.py`, who and where in `spot.py`; money and rules
are behind the door.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from bot import door_words, spot
from bot.answering import TROUBLE, Answering, Interaction, Shown, plainly, tell
from bot.client import AnimateBot
from bot.drafts import Draft
from bot.errors import NotAccepting, PictureProblem, PictureRefused, StoreError, UserError
from bot.form import Form, Then, variants
from bot.options import Options
from bot.refusals import refusal
from bot.spot import Spot, Wanted
from bot.tongue import reading
from bot.wish import Picture

log = logging.getLogger(__name__)

_AT_ONCE = 1.0
"""Seconds within which the settings are read; Discord gives three for all of an answer."""
T = TypeVar("T")


async def greet(interaction: Interaction) -> bool:
    """Note whose language it is, and wait for the doors; tell whether it is the first of its event.

    The commands' tree does so for commands; buttons and forms do it here.
    """
    reading(str(interaction.locale))
    await interaction.client.doors_are_open.wait()
    return not interaction.client.events.is_repeat(interaction.id)


async def enter(
    interaction: Interaction, wanted: Wanted, options: Options, shown: Shown = Shown.PUBLIC
) -> None:
    """Have a clip made, or tell who asks why not."""
    client = interaction.client
    here = spot.of_interaction(interaction)
    try:
        client.intake.check(
            _size(wanted.picture)
        )  # in this task, for a stop waits for who calls it
        known, _ = await asyncio.gather(
            in_time(filled_in(client, here.member_id, options)),
            client.intake.admit(here.guild_id, here.asker(wanted.picture.origin)),
        )
        if known is not None and not known.is_private:
            here.check_may_post()
    except UserError as error:
        await tell(interaction, refusal(error))
        return
    # What may be private is not shown in public, so that is what a guess has to be.
    is_hidden = shown is Shown.PUBLIC and (known is None or known.is_private)
    answering = Answering(interaction, Shown.PRIVATE if is_hidden else shown)
    if await answering.begin():
        await _ask(answering, here, wanted, known or options)


async def _ask(answering: Answering, here: Spot, wanted: Wanted, options: Options) -> None:
    client = answering.client
    try:
        filled = await filled_in(client, here.member_id, options)
        if not filled.is_private:
            here.check_may_post()
        wish = spot.ask(
            here,
            wanted,
            filled,
            status_message_id=answering.status_message_id,
            answer=answering.answer,
            reply=answering.reply,
        )
        admitted = await client.intake.accept(wish)
        if answering.answer is not None and not admitted.is_new:  # a form was sent twice
            await answering.reply(door_words.started(admitted.job))
    except UserError as error:
        await answering.refuse(error)
    except Exception as error:
        log.exception("a wish broke before anything was accepted")
        await answering.refuse(error)


async def check(interaction: Interaction, picture: Picture) -> None:
    """Refuse at once what needs no look at the picture. Raises `UserError`."""
    here, intake = spot.of_interaction(interaction), interaction.client.intake
    intake.check(_size(picture))
    await intake.admit(here.guild_id, here.asker(picture.origin))


def _size(picture: Picture) -> int:
    """Return its declared bytes, or some where none are declared."""
    return 1 if picture.size is None else picture.size


async def chosen(interaction: Interaction, options: Options) -> Options:
    """Return the options of who asks as they are, for a first response. Raises `NotAccepting`."""
    return await promptly(filled_in(interaction.client, interaction.user.id, options))


async def show_form(interaction: Interaction, options: Options, then: Then) -> None:
    """Ask for the options in a form, or tell who asks that it did not come up.

    Raises `NotAccepting`.
    """
    made = await _form(interaction, options, then)
    try:
        await interaction.response.send_modal(made)
    except TROUBLE as problem:
        log.warning("a form was not shown: %s", plainly(problem))
        await tell(interaction, refusal(problem))


async def _form(interaction: Interaction, options: Options, then: Then) -> Form:
    """Return the form for these options. Raises `NotAccepting`.

    Its prices are what would be held for a duration, in the shape for which that is most.
    """
    client = interaction.client
    orders = variants(client.model, options.results)
    known = await in_time(client.intake.prices(orders))
    if known is None:
        raise NotAccepting
    prices: dict[float, int] = {}
    for order, micro in zip(orders, known, strict=True):
        prices[order.duration] = max(micro, prices.get(order.duration, 0))
    return Form(client.model, options, prices, then)


async def filled_in(client: AnimateBot, member_id: int, options: Options) -> Options:
    """Return the options with the member's own settings in them. Raises `NotAccepting`."""
    if options.is_filled_in:
        return options
    try:
        settings = await client.rooms.members.settings(member_id)
    except StoreError as error:
        raise NotAccepting from error
    return options.filled_in(settings, client.model)


async def in_time(work: Awaitable[T]) -> T | None:
    """Return what `work` comes to, None where that takes too long for a first response."""
    try:
        async with asyncio.timeout(_AT_ONCE):
            return await work
    except TimeoutError:
        return None


async def promptly(work: Awaitable[T]) -> T:
    """Return what `work` comes to. Raises `NotAccepting` where a response would come too late."""
    try:
        async with asyncio.timeout(_AT_ONCE):
            return await work
    except TimeoutError:
        raise NotAccepting from None


async def draft_of(interaction: Interaction, draft_id: int) -> Draft | None:
    """Return the draft that a button of who presses it is about; None where they were told why not.

    That it is theirs is asked here, whatever the button's id says.
    """
    try:
        drafts = interaction.client.rooms.drafts
        draft = await promptly(drafts.of(draft_id, interaction.user.id))
        if draft is not None:
            return draft
        error: UserError = PictureRefused(PictureProblem.FORGOTTEN)
    except (NotAccepting, StoreError):
        error = NotAccepting()
    await tell(interaction, refusal(error))
    return None
