"""The buttons under clips and status messages: they work for ever, for whoever may press them.

Each press loads the job and asks who presses, whatever the button's id says. Another clip of the
same picture is asked for like any other, by `door.py`, and paid by whoever presses. No SQL, no
HTTP, no money here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

import discord

from bot import clip_words, door, encore, panel, rights, spot
from bot.answering import Interaction, plainly, tell
from bot.answers import Answer
from bot.buttons import ClipButton
from bot.client import AnimateBot
from bot.drafts import Draft
from bot.errors import StoreError, UserError
from bot.ladder import Posted
from bot.lifecycle import Job
from bot.options import Options
from bot.panel import TROUBLE, Panel
from bot.rights import Clicks, ClipProblem, ClipRefused, Verb, Visitor
from bot.spot import Wanted
from bot.wish import Door, Picture
from cogs.preview import DraftButton

log = logging.getLogger(__name__)

_clicks = Clicks()


async def setup(bot: AnimateBot) -> None:
    """Have the buttons heard; discord.py calls this when it loads the extension."""
    bot.pressed = pressed
    bot.add_dynamic_items(ClipButton)


async def pressed(interaction: Interaction, verb: Verb, job_id: str) -> None:
    """Do what a button says, if whoever presses it may."""
    if not await door.greet(interaction):
        return
    try:
        job = await door.promptly(job_for(interaction, verb, job_id))
        await _ACTS[verb](interaction, job)
    except (UserError, StoreError) as error:
        await tell(interaction, panel.told(error))
    except Exception as error:  # noqa: BLE001 - a person waits for a word
        await tell(interaction, panel.told(error))


async def job_for(interaction: Interaction, verb: Verb, job_id: str) -> Job:
    """Return the job that somebody means, if they may do this with it now.

    Raises `ClipRefused` or `StoreError`.
    """
    job = await interaction.client.rooms.history.job(job_id)
    if job is None:
        raise ClipRefused(ClipProblem.UNKNOWN)
    rights.check(verb, job, visitor(interaction, job))
    if job.is_forgotten and verb is not Verb.DELETE:
        raise ClipRefused(ClipProblem.UNKNOWN)
    # What of it could not be deleted is tried again with the next press.
    if job.deleted_at is not None and verb not in (Verb.INFO, Verb.DELETE):
        raise ClipRefused(ClipProblem.DELETED)
    return job


def visitor(interaction: Interaction, job: Job | None = None) -> Visitor:
    """Return who is at the door: a moderator of the server, or of where the job's clip is."""
    is_moderator = moderates(interaction)
    if job is not None and interaction.channel_id in (job.channel_id, job.message_channel_id):
        is_moderator |= interaction.permissions.manage_messages
    return Visitor(
        member_id=interaction.user.id,
        guild_id=interaction.guild_id,
        is_moderator=is_moderator,
    )


def moderates(interaction: Interaction) -> bool:
    """Tell whether somebody may manage messages in all the server, whatever this channel lets."""
    user = interaction.user
    return isinstance(user, discord.Member) and user.guild_permissions.manage_messages


# --- Another clip of the same picture ------------------------------------------------------------


async def _again(interaction: Interaction, job: Job) -> None:
    await _ask(interaction, job, encore.options(job, interaction.client.model))


async def _longer(interaction: Interaction, job: Job) -> None:
    model = interaction.client.model
    duration = encore.longer(model, job.order)
    if duration is None:
        raise model.no_duration()
    await _ask(interaction, job, encore.options(job, model, duration=duration))


async def _edit(interaction: Interaction, job: Job) -> None:
    await door.check(interaction, _picture(job))
    model = interaction.client.model

    async def edited(submitted: Interaction, options: Options) -> None:
        if not await door.greet(submitted):
            return
        try:
            await _ask(submitted, await job_for(submitted, Verb.EDIT, job.id), options)
        except (UserError, StoreError) as error:
            await tell(submitted, panel.told(error))

    await door.show_form(interaction, encore.options(job, model), edited)


async def _ask(interaction: Interaction, job: Job, options: Options) -> None:
    """Have the clip made; where it costs more than the server lets pass unasked, ask first."""
    if _clicks.is_second((interaction.user.id, job.id, options), _at(interaction)):
        raise ClipRefused(ClipProblem.TWICE)
    picture = _picture(job)
    await door.check(interaction, picture)
    source = f"interaction:{interaction.id}"
    wanted = Wanted(source=source, door=Door.AGAIN, picture=picture)
    here, client = spot.of_interaction(interaction), interaction.client
    size = encore.size_of(client.model, job, options.shape or job.wish.shape)
    asked = client.intake.price(spot.ask(here, wanted, options), size)
    rules = client.rooms.policies.policy(here.guild_id)
    price, policy = await door.promptly(asyncio.gather(asked, rules))
    if policy.confirm_over_micro is None or price <= policy.confirm_over_micro:
        await door.enter(interaction, wanted, options)
        return
    draft = Draft(door=Door.AGAIN, pictures=(picture,), options=options)

    async def offered() -> Panel:
        draft_id = await client.rooms.drafts.keep(here.member_id, draft)
        yes = DraftButton(draft_id, "start", clip_words.yes(price))
        return Panel(clip_words.asked(price), [yes, DraftButton(draft_id, "cancel")])

    await panel.show(interaction, offered)


def _picture(job: Job) -> Picture:
    return Picture(url="", origin=encore.origin(job), again_of=job.id)


def _at(interaction: Interaction) -> int:
    return round(interaction.created_at.timestamp() * 1000)


# --- What there is -------------------------------------------------------------------------------


async def _info(interaction: Interaction, job: Job) -> None:
    async def made() -> Panel:
        record = await interaction.client.rooms.history.record(job.id)
        if record is None:
            raise ClipRefused(ClipProblem.UNKNOWN)
        return Panel(
            clip_words.info(record.job, record.spent_micro, record.held_micro, record.clips)
        )

    await panel.show(interaction, made)


async def _delete(interaction: Interaction, job: Job) -> None:
    message = interaction.message
    is_private = message is not None and message.flags.ephemeral and _carries(message, job)

    # Whatever is known of its messages, the one whose button was pressed is one of them.
    pressed = message if message is not None and not is_private and _carries(message, job) else None

    async def made() -> Panel:
        besides = () if pressed is None else (Posted(pressed.channel.id, pressed.id),)
        removal = interaction.client.rooms.removal
        is_gone = await removal.delete(job, interaction.user.id, besides)
        return Panel(clip_words.deleted(job, is_gone=is_gone))

    # A private answer is out of the bot's own reach: what was pressed becomes the word on it.
    await panel.show(interaction, made, in_place=is_private)


def _carries(message: discord.Message, job: Job) -> bool:
    return any(job.short_id in one.filename for one in message.attachments)


async def _cancel(interaction: Interaction, job: Job) -> None:
    await panel.show(interaction, partial(cancelled, interaction, job))


async def cancelled(interaction: Interaction, job: Job) -> Panel:
    """Take a clip back, and say whether it was time."""
    rooms = interaction.client.rooms
    if await rooms.cancellation.cancel(job.id, interaction.user.id):
        return Panel(clip_words.cancelled(job, interaction.user.id))
    return Panel(clip_words.too_late(await rooms.history.job(job.id) or job))


async def _resend(interaction: Interaction, job: Job) -> None:
    await hand_out(interaction, job, is_public=False)


async def show_here(interaction: Interaction, job: Job) -> None:
    """Answer with the clips of a job for everybody, if the rules of this very place let them.

    Raises `UserError` or `StoreError`.
    """
    here, rooms = spot.of_interaction(interaction), interaction.client.rooms
    await rooms.policies.admit(here.guild_id, here.asker(None))
    await rooms.reissue.check_public(job, is_restricted=here.is_restricted)
    await hand_out(interaction, job, is_public=True)


async def hand_out(interaction: Interaction, job: Job, *, is_public: bool) -> None:
    """Answer with the clips of a job."""
    try:
        await interaction.response.defer(ephemeral=not is_public, thinking=True)
    except TROUBLE as problem:
        log.info("a clip was not handed out: %s", plainly(problem))
        return
    answer = Answer(
        token=interaction.token,
        expires_at=round(interaction.expires_at.timestamp() * 1000),
        most_bytes=interaction.filesize_limit,
    )
    try:
        is_restricted = is_public and spot.of_interaction(interaction).is_restricted
        await interaction.client.rooms.reissue.into(
            answer, job, is_public=is_public, is_restricted=is_restricted
        )
    except Exception as error:  # noqa: BLE001 - a person waits for a word
        await panel.say_instead(interaction, panel.told(error), is_public=is_public)


async def _direct(interaction: Interaction, job: Job) -> None:
    async def made() -> Panel:
        await interaction.client.rooms.reissue.directly(job)
        return Panel(clip_words.sent_directly(job))

    await panel.show(interaction, made)


_ACTS: dict[Verb, Callable[[Interaction, Job], Awaitable[None]]] = {
    Verb.AGAIN: _again,
    Verb.LONGER: _longer,
    Verb.EDIT: _edit,
    Verb.RETRY: _again,
    Verb.INFO: _info,
    Verb.DELETE: _delete,
    Verb.CANCEL: _cancel,
    Verb.RESEND: _resend,
    Verb.DIRECT: _direct,
    Verb.SHOW: show_here,
}
