"""The status of a job: what its person reads while it is made, edited in the background, in order.

It is a message, which the bot's own token edits hours later and after a restart; or a private
answer, which only its interaction's token reaches, for as long as `answers.py` has that; or signs
under what asked. `delivery.py` owns one, and puts clips in the place of a private status.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from weakref import WeakValueDictionary

import discord

from bot import buttons
from bot.answers import Answer, Answers
from bot.errors import StoreError
from bot.ladder import NO_ANSWER, is_closed
from bot.lifecycle import FINAL, Job
from bot.signs import Signs
from bot.wish import Door
from bot.words import Note, Tone

log = logging.getLogger(__name__)

Reply = Callable[[Note], Awaitable[None]]
_Key = int | str
"""What names the place of a status: its message, or the job whose private answer it is."""

ORIGINAL: Any = "@original"
"""Discord's name of an interaction's first answer, where discord.py would have a number."""
_REMEMBERED = 1000
_GAP = 3.0
"""Seconds between two edits of one status; doubled with each that fails."""
_LONGEST_GAP = 300.0
_TRIES = 200
"""Some sixteen hours of an outage."""


class Status:
    """Without `answers` no private answer is reached."""

    def __init__(self, client: discord.Client, answers: Answers | None) -> None:
        self._client = client
        self._answers = answers
        self._signs = Signs(client)
        self._notes: dict[_Key, tuple[Job, Note]] = {}
        self._warnings: dict[_Key, Note] = {}
        """Those that are shown now: the same trouble is not told again with every try."""
        self._unshown: dict[_Key, tuple[Job, Note]] = {}
        """Words that found their channel closed to the bot; the oldest come first."""
        self._replies: dict[_Key, Reply] = {}
        self._editors: dict[_Key, asyncio.Task[None]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By job: one change of a private answer is under way at a time."""
        self._covered: deque[str] = deque(maxlen=_REMEMBERED)
        """Jobs whose private answers show their clips: no status takes their place."""
        self._is_closing = asyncio.Event()

    def show(self, job: Job, note: Note, reply: Reply | None = None) -> None:
        """Bring the status message to `note`, in the background and in order.

        What fails is tried again until a newer note overtakes it, for as long as the bot runs.
        `reply` edits through the interaction that created the message; it is used once, for the
        first edit, because only that is sure to clear Discord's "thinking…". A note that is
        overtaken by a newer one before it was shown is left out.
        """
        if job.door is Door.REACTION:
            self._signs.show(job)  # and in words only where its author was asked in some
        if job.status_message_id is None and self._answers is None:
            return
        key = job.status_message_id or job.id
        self._notes[key] = (job, note)
        self._unshown.pop(key, None)
        if reply is not None:
            self._replies[key] = reply
        if key not in self._editors:
            self._editors[key] = asyncio.create_task(self._edit(key))

    def show_again(self, guild_id: int, channel_id: int | None = None) -> None:
        """Show what found a server, or one of its channels, closed: the way may be free again."""
        for job, note in list(self._unshown.values()):
            if job.guild_id == guild_id and channel_id in (None, job.channel_id):
                self.show(job, note)

    async def close(self, patience: float) -> None:
        """Let pending status edits finish, for at most `patience` seconds."""
        self._is_closing.set()
        for editor in (pending := list(self._editors.values())):
            editor.get_loop().call_later(patience, editor.cancel)
        await asyncio.gather(*pending, self._signs.close(patience), return_exceptions=True)

    @contextlib.asynccontextmanager
    async def covered(self, job: Job, answer: Answer) -> AsyncIterator[None]:
        """Fill an answer in this block; if that works and it is the job's own, it shows no status.

        Raises `StoreError`.
        """
        async with self._turn(job):
            own = None if self._answers is None else await self._answers.of(job.id)
            yield
            if own is not None and own.token == answer.token:
                self._covered.append(job.id)
                self._warnings.pop(job.status_message_id or job.id, None)

    async def _edit(self, key: _Key) -> None:
        failures = 0
        try:
            while key in self._notes:
                job, note = self._notes.pop(key)
                reply = self._replies.pop(key, None)
                if self._warnings.pop(key, None) == note:
                    self._warnings[key] = note
                    continue
                try:
                    await (reply(note) if reply else self._edit_once(job, note))
                    failures = 0
                    if note.tone is Tone.WARNING and job.state not in FINAL:
                        self._warnings[key] = note
                except (discord.DiscordException, StoreError, *NO_ANSWER) as error:
                    log.info("job %s: status not shown: %s", job.short_id, error)
                    failures += 1
                    # An answer's token lives for minutes; the next try is with the bot's own.
                    if reply is not None or self._is_worth_a_try(error, failures):
                        self._notes.setdefault(key, (job, note))
                    elif _is_shut(error) and key not in self._notes:
                        self._keep(key, job, note)
                if key in self._notes:
                    await self._pause(failures)
        finally:
            del self._editors[key]

    def _keep(self, key: _Key, job: Job, note: Note) -> None:
        self._unshown[key] = (job, note)
        if len(self._unshown) > _REMEMBERED:
            del self._unshown[next(iter(self._unshown))]

    def _is_worth_a_try(self, error: Exception, failures: int) -> bool:
        """Tell whether an edit may yet come through: not where the place is gone or closed."""
        is_refused = isinstance(error, discord.HTTPException) and is_closed(error)
        return not is_refused and failures < _TRIES and not self._is_closing.is_set()

    async def _pause(self, failures: int) -> None:
        """Wait between two edits, but not when the bot is stopping: the last one must be shown."""
        gap = min(_LONGEST_GAP, _GAP * 2 ** min(failures, 10))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_closing.wait(), gap)

    async def _edit_once(self, job: Job, note: Note) -> None:
        if job.status_message_id is None:
            await self._edit_answer(job, note)
            return
        channel = self._client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)
        message = channel.get_partial_message(job.status_message_id)
        await message.edit(content=None, embed=embed(note), view=buttons.view(note.buttons))

    async def _edit_answer(self, job: Job, note: Note) -> None:
        """Show a note in the job's private answer, where it has one that can be reached yet."""
        assert self._answers is not None
        async with self._turn(job):
            answer = await self._answers.of(job.id)
            if answer is None or job.id in self._covered:
                return
            await opened(self._client, answer).edit_message(
                ORIGINAL, content=None, embed=embed(note), view=buttons.view(note.buttons)
            )
            if job.state in FINAL:
                await self._answers.forget(job.id)

    def _turn(self, job: Job) -> asyncio.Lock:
        return self._turns.setdefault(job.id, asyncio.Lock())


def opened(client: discord.Client, answer: Answer) -> discord.Webhook:
    """Return what reaches a private answer."""
    assert client.application_id is not None, "the client is logged in"
    return discord.Webhook.partial(client.application_id, answer.token, client=client)


def _is_shut(error: Exception) -> bool:
    """Tell whether this is the answer of a place that may be opened again: it is not gone."""
    return (
        isinstance(error, discord.HTTPException)
        and is_closed(error)
        and not isinstance(error, discord.NotFound)
    )


def embed(note: Note) -> discord.Embed:
    """Return a note as Discord shows it."""
    return discord.Embed(title=note.title, description=note.body or None, colour=int(note.tone))
