"""Puts things into Discord channels with the bot's own token: the clip, and the status message.

It needs no interaction and no cache, so it works hours later and after a restart. Where a clip may
go is `ladder.py`'s; here is which clips go into which message, each with a nonce that derives from
the job. Decides nothing about jobs; `pipeline.py` calls it.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import discord

from bot.errors import TooLarge
from bot.ladder import NO_ANSWER, Ladder, Letter, Posted, is_closed
from bot.lifecycle import Job
from bot.words import Note, Tone

log = logging.getLogger(__name__)

Reply = Callable[[Note], Awaitable[None]]

_MOST_AT_ONCE = 24 * 1024 * 1024
"""Bytes of clips in one request: Discord takes 25 MiB, and the form around them is small."""
_STATUS_GAP = 3.0
"""Seconds between two edits of one status message; doubled with each that fails."""
_STATUS_LONGEST_GAP = 300.0
_STATUS_TRIES = 200
"""Some sixteen hours of an outage."""


class Delivery:
    """Posts with `client`, which must be logged in; its gateway need not be up."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._posted: dict[str, dict[int, Posted]] = {}
        """By job, the messages of clips that are in the channel while others are not yet."""
        self._notes: dict[int, Note] = {}
        self._warnings: dict[int, Note] = {}
        """Those that are shown now: the same trouble is not told again with every try."""
        self._replies: dict[int, Reply] = {}
        self._editors: dict[int, asyncio.Task[None]] = {}
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
        key = job.status_message_id
        if key is None:
            return
        self._notes[key] = note
        if reply is not None:
            self._replies[key] = reply
        if key not in self._editors:
            self._editors[key] = asyncio.create_task(self._edit(job, key))

    async def close(self, patience: float) -> None:
        """Let pending status edits finish, for at most `patience` seconds."""
        self._is_closing.set()
        for editor in (pending := list(self._editors.values())):
            editor.get_loop().call_later(patience, editor.cancel)
        await asyncio.gather(*pending, return_exceptions=True)

    async def _edit(self, job: Job, key: int) -> None:
        failures = 0
        try:
            while key in self._notes:
                note = self._notes.pop(key)
                reply = self._replies.pop(key, None)
                if self._warnings.pop(key, None) == note:
                    self._warnings[key] = note
                    continue
                try:
                    await (reply(note) if reply else self._edit_by_token(job, key, note))
                    failures = 0
                    if note.tone is Tone.WARNING:
                        self._warnings[key] = note
                except (discord.DiscordException, *NO_ANSWER) as error:
                    log.info("job %s: status not shown: %s", job.short_id, error)
                    failures += 1
                    # An answer's token lives for minutes; the next try is with the bot's own.
                    if reply is not None or self._is_worth_a_try(error, failures):
                        self._notes.setdefault(key, note)
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

    async def _edit_by_token(self, job: Job, message_id: int, note: Note) -> None:
        channel = self._client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)
        await channel.get_partial_message(message_id).edit(content=None, embed=embed(note))


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
