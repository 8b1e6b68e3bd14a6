"""Puts things into Discord channels with the bot's own token: the clip, and the status message.

It needs no interaction and no cache, so it works hours later and after a restart. Only a private
answer is reached by its interaction's token, for as long as `answers.py` has that. Where a clip may
go is `ladder.py`'s; here is which clips go into which message, each with a nonce that derives from
the job. Decides nothing about jobs; `pipeline.py` calls it.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import discord

from bot import buttons
from bot.answers import Answers
from bot.errors import StoreError, TooLarge
from bot.ladder import NO_ANSWER, Ladder, Letter, Posted, is_closed
from bot.lifecycle import FINAL, Job
from bot.signs import Signs
from bot.wish import Door
from bot.words import Note, Tone

log = logging.getLogger(__name__)

Reply = Callable[[Note], Awaitable[None]]
_Key = int | str
"""What names the place of a status: its message, or the job whose private answer it is."""

_MOST_AT_ONCE = 24 * 1024 * 1024
"""Bytes of clips in one request: Discord takes 25 MiB, and the form around them is small."""
_ORIGINAL: Any = "@original"
"""Discord's name of an interaction's first answer, where discord.py would have a number."""
_STATUS_GAP = 3.0
"""Seconds between two edits of one status message; doubled with each that fails."""
_STATUS_LONGEST_GAP = 300.0
_STATUS_TRIES = 200
"""Some sixteen hours of an outage."""


class Delivery:
    """Posts with `client`, which must be logged in; its gateway need not be up.

    Without `answers` no private answer is reached.
    """

    def __init__(self, client: discord.Client, answers: Answers | None = None) -> None:
        self._client = client
        self._answers = answers
        self._signs = Signs(client)
        self._posted: dict[str, dict[int, Posted]] = {}
        """By job, the messages of clips that are in the channel while others are not yet."""
        self._notes: dict[_Key, tuple[Job, Note]] = {}
        self._warnings: dict[_Key, Note] = {}
        """Those that are shown now: the same trouble is not told again with every try."""
        self._replies: dict[_Key, Reply] = {}
        self._editors: dict[_Key, asyncio.Task[None]] = {}
        self._is_closing = asyncio.Event()

    async def post(
        self, job: Job, files: Sequence[Path], text: str, alt: str, *, may_dm: bool = False
    ) -> Posted:
        """Post the clips at the highest rung of the ladder that takes them, and say where.

        Where one message cannot take them all, each clip gets its own; the first is returned.
        A try that is not the first looks before it posts, so the try is to be counted before.
        Mentions only the requester. Raises `TooLarge`, `Unpostable` or `DeliveryError`.
        """
        ladder = Ladder(self._client, job, may_dm=may_dm)
        clips = dict(enumerate(files, start=1))
        posted = self._posted.setdefault(job.id, {})
        if job.attempts > 1:
            posted |= await ladder.look()
        together = Letter(clips, text, alt, nonce(job))
        if len(clips) > 1 and not posted and together.size <= _MOST_AT_ONCE:
            with contextlib.suppress(TooLarge):
                posted |= dict.fromkeys(clips, await ladder.send(together))
        await _post_each(ladder, job, together, posted)
        return posted[min(self._posted.pop(job.id))]

    def show(self, job: Job, note: Note, reply: Reply | None = None) -> None:
        """Bring the status message to `note`, in the background and in order.

        What fails is tried again until a newer note overtakes it, for as long as the bot runs.
        `reply` edits through the interaction that created the message; it is used once, for the
        first edit, because only that is sure to clear Discord's "thinking…". A note that is
        overtaken by a newer one before it was shown is left out.
        """
        if job.door is Door.REACTION:
            self._signs.show(job)
            return
        if job.status_message_id is None and self._answers is None:
            return
        key = job.status_message_id or job.id
        self._notes[key] = (job, note)
        if reply is not None:
            self._replies[key] = reply
        if key not in self._editors:
            self._editors[key] = asyncio.create_task(self._edit(key))

    async def close(self, patience: float) -> None:
        """Let pending status edits finish, for at most `patience` seconds."""
        self._is_closing.set()
        for editor in (pending := list(self._editors.values())):
            editor.get_loop().call_later(patience, editor.cancel)
        await asyncio.gather(*pending, self._signs.close(patience), return_exceptions=True)

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
                    if note.tone is Tone.WARNING:
                        self._warnings[key] = note
                except (discord.DiscordException, StoreError, *NO_ANSWER) as error:
                    log.info("job %s: status not shown: %s", job.short_id, error)
                    failures += 1
                    # An answer's token lives for minutes; the next try is with the bot's own.
                    if reply is not None or self._is_worth_a_try(error, failures):
                        self._notes.setdefault(key, (job, note))
                if key in self._notes:
                    await self._pause(failures)
        finally:
            del self._editors[key]

    def _is_worth_a_try(self, error: Exception, failures: int) -> bool:
        """Tell whether an edit may yet come through: not where the place is gone or closed."""
        is_refused = isinstance(error, discord.HTTPException) and is_closed(error)
        return not is_refused and failures < _STATUS_TRIES and not self._is_closing.is_set()

    async def _pause(self, failures: int) -> None:
        """Wait between two edits, but not when the bot is stopping: the last one must be shown."""
        gap = min(_STATUS_LONGEST_GAP, _STATUS_GAP * 2 ** min(failures, 10))
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
        answer = await self._answers.of(job.id)
        if answer is not None:
            assert self._client.application_id is not None, "the client is logged in"
            opened = discord.Webhook.partial(
                self._client.application_id, answer.token, client=self._client
            )
            await opened.edit_message(
                _ORIGINAL, content=None, embed=embed(note), view=buttons.view(note.buttons)
            )
            if job.state in FINAL:
                await self._answers.forget(job.id)


async def _post_each(ladder: Ladder, job: Job, whole: Letter, posted: dict[int, Posted]) -> None:
    """Post a message for each clip of `whole` that is not `posted`, and note it there.

    A clip that is too large keeps none behind it from its place.
    """
    too_large = None
    for number, path in whole.clips.items():
        if number in posted:
            continue
        key = nonce(job, number) if len(whole.clips) > 1 else whole.nonce
        letter = Letter({number: path}, "" if posted else whole.text, whole.alt, key)
        try:
            posted[number] = await ladder.send(letter)
        except TooLarge as error:
            too_large = error
    if too_large is not None:
        raise too_large


def nonce(job: Job, number: int | None = None) -> str:
    """Return the nonce of the job, or of one of its clips. Discord takes 25 characters at most."""
    about = job.id if number is None else f"{job.id}:{number}"
    return hashlib.sha256(about.encode()).hexdigest()[:24]


def embed(note: Note) -> discord.Embed:
    """Return a note as Discord shows it."""
    return discord.Embed(title=note.title, description=note.body or None, colour=int(note.tone))
