"""The bot's own reactions on a picture whose clip was asked for by a reaction.

⏳ while it is on its way, then ✅, or ⚠️ where there will be none; nothing where it was taken back.
No more is said, so that nobody is disturbed. A sign is a courtesy: one that is refused is left out.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field

import discord

from bot.ladder import NO_ANSWER
from bot.lifecycle import Failure, Job, State

log = logging.getLogger(__name__)

UNDER_WAY, DONE, FAILED = "⏳", "✅", "⚠️"
_TROUBLE = (discord.DiscordException, *NO_ANSWER)
_REMEMBERED = 200
"""Messages whose signs are known; of any other it is only known what the next one is to be."""


@dataclass(slots=True)
class _Signs:
    """What one message shows, and what it should."""

    place: discord.PartialMessage
    shown: set[str]
    jobs: dict[str, str] = field(default_factory=dict)
    """The sign of each job; the same one for several is put once."""
    writer: asyncio.Task[None] | None = None

    @property
    def wanted(self) -> set[str]:
        return set(self.jobs.values()) - {""}


class Signs:
    """Puts signs on messages with `client`, in the background, those of one message in order."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._messages: OrderedDict[int, _Signs] = OrderedDict()

    def show(self, job: Job) -> None:
        """Bring the signs on its picture's message to how the job is now."""
        assert job.picture is not None, "a reaction is to a message"
        key = job.picture.message_id
        signs = self._messages.get(key)
        if signs is None:
            signs = self._messages[key] = self._new(job)
        if signs.jobs.get(job.id) == (sign := sign_of(job)):
            return
        if sign == UNDER_WAY:  # what became of those before is no news any more
            signs.jobs = {one: was for one, was in signs.jobs.items() if was == UNDER_WAY}
        signs.jobs[job.id] = sign
        self._messages.move_to_end(key)
        if signs.writer is None:
            signs.writer = asyncio.create_task(self._write(signs))
        self._forget()

    async def close(self, patience: float) -> None:
        """Let what is being put finish, for at most `patience` seconds."""
        writers = [signs.writer for signs in self._messages.values() if signs.writer is not None]
        for writer in writers:
            writer.get_loop().call_later(patience, writer.cancel)
        await asyncio.gather(*writers, return_exceptions=True)

    def _new(self, job: Job) -> _Signs:
        """Return what is known of a message: after a restart, that it may say "under way"."""
        assert job.picture is not None, "a reaction is to a message"
        channel = self._client.get_partial_messageable(
            job.picture.channel_id, guild_id=job.guild_id
        )
        place = channel.get_partial_message(job.picture.message_id)
        return _Signs(place, set() if sign_of(job) == UNDER_WAY else {UNDER_WAY})

    async def _write(self, signs: _Signs) -> None:
        try:
            while signs.shown != signs.wanted:
                # The new one first, so that there is always one.
                if added := signs.wanted - signs.shown:
                    await self._change(signs, min(added), is_on=True)
                else:
                    await self._change(signs, min(signs.shown - signs.wanted), is_on=False)
        finally:
            signs.writer = None

    async def _change(self, signs: _Signs, sign: str, *, is_on: bool) -> None:
        try:
            if is_on:
                await signs.place.add_reaction(sign)
            else:
                assert self._client.user is not None, "the client is logged in"
                await signs.place.remove_reaction(sign, self._client.user)
        except _TROUBLE as problem:
            log.info("a sign is left out: %s", type(problem).__name__)
        signs.shown ^= {sign}

    def _forget(self) -> None:
        for key, signs in list(self._messages.items())[:-_REMEMBERED]:
            if signs.writer is None and UNDER_WAY not in signs.wanted:
                del self._messages[key]


def sign_of(job: Job) -> str:
    """Return the sign for a job; "" for none."""
    match job.state:
        case State.DELIVERED:
            return DONE
        case State.FAILED if job.failure is Failure.CANCELLED:
            return ""
        case State.FAILED | State.LOST:
            return FAILED
    return UNDER_WAY
