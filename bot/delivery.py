"""Puts things into Discord channels with the bot's own token: the clip, and the status message.

It needs no interaction and no cache, so it works hours later and after a restart. A clip is posted
with a nonce that derives from the job: a repeat within Discord's window returns the same message.
After that window a repeat finds the message in the channel's history.
Decides nothing about jobs; `pipeline.py` calls it.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import discord

from bot.errors import DeliveryError, TooLarge, Unpostable
from bot.lifecycle import Job
from bot.words import Note, Tone

log = logging.getLogger(__name__)

Reply = Callable[[Note], Awaitable[None]]

_NO_HISTORY = 160002
_TOO_LARGE = (40005, 50045)
_GONE = (403, 404)
NO_ANSWER = (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError)
"""What discord.py raises where Discord, or somebody before it, gave no answer or a garbled one."""
_HISTORY = 500
"""Messages that are looked through after the status message; a hundred are one request."""
_MOST_AT_ONCE = 24 * 1024 * 1024
"""Bytes of clips in one request: Discord takes 25 MiB, and the form around them is small."""
_STATUS_GAP = 3.0
"""Seconds between two edits of one status message."""


class Delivery:
    """Posts with `client`, which must be logged in; its gateway need not be up."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._posted: dict[str, dict[int, int]] = {}
        """By job, the messages of clips that are in the channel while others are not yet."""
        self._notes: dict[int, Note] = {}
        self._warnings: dict[int, Note] = {}
        """Those that are shown now: the same trouble is not told again with every try."""
        self._replies: dict[int, Reply] = {}
        self._editors: dict[int, asyncio.Task[None]] = {}
        self._is_closing = asyncio.Event()

    async def post(self, job: Job, files: Sequence[Path], text: str, alt: str) -> int:
        """Post the clips as an answer to the status message and return the message's id.

        Where one message cannot take them all, each clip gets its own; the first is returned.
        A try that is not the first looks before it posts, so the try is to be counted before.
        Mentions only the requester. Raises `TooLarge`, `Unpostable` or `DeliveryError`.
        """
        clips = dict(enumerate(files, start=1))
        posted = self._posted.setdefault(job.id, {})
        if job.attempts > 1:
            posted |= await self._found(job)
        if len(clips) > 1 and not posted and _size(files) <= _MOST_AT_ONCE:
            letter = _Letter(job, clips, text, alt, nonce(job))
            with contextlib.suppress(TooLarge):
                posted |= dict.fromkeys(clips, await self._send_or_plainly(letter))
        await self._post_each(job, clips, posted, text, alt)
        return posted[min(self._posted.pop(job.id))]

    async def _post_each(
        self, job: Job, clips: Mapping[int, Path], posted: dict[int, int], text: str, alt: str
    ) -> None:
        """Post a message for each clip that is not `posted`, and note it there.

        A clip that is too large keeps none behind it from its place.
        """
        too_large = None
        for number, path in clips.items():
            if number in posted:
                continue
            key = nonce(job, number) if len(clips) > 1 else nonce(job)
            letter = _Letter(job, {number: path}, "" if posted else text, alt, key)
            try:
                posted[number] = await self._send_or_plainly(letter)
            except TooLarge as error:
                too_large = error
        if too_large is not None:
            raise too_large

    async def _found(self, job: Job) -> dict[int, int]:
        """Look for what earlier tries brought into the channel, though the answer was lost.

        Returns message ids by the numbers of the clips. Discord knows a nonce for some minutes
        only. Where the history may not be read there is nothing to see, and the nonce has to do.
        """
        since = job.status_message_id or discord.utils.time_snowflake(
            datetime.fromtimestamp(job.created_at / 1000, UTC)
        )
        history = self._channel(job).history(limit=_HISTORY, after=discord.Object(since))
        found: dict[int, int] = {}
        try:
            with _as_ours():
                async for message in history:
                    if message.author == self._client.user:
                        found = dict.fromkeys(_numbers(message, job), message.id) | found
        except Unpostable as error:
            log.info("job %s: the history may not be read: %s", job.short_id, error)
        return found

    async def _send_or_plainly(self, letter: "_Letter") -> int:
        """Post without pointing at the status message where the bot may not read it."""
        reference = _reference(letter.job)
        with _as_ours(_size(letter.clips.values())):
            try:
                return await self._send(letter, reference)
            except discord.HTTPException as error:
                if error.code != _NO_HISTORY or reference is None:
                    raise
            return await self._send(letter, None)

    async def _send(self, letter: "_Letter", reference: discord.MessageReference | None) -> int:
        attachments = letter.attachments()
        try:
            message = await self._channel(letter.job).send(
                letter.text or None,
                files=attachments,
                nonce=letter.nonce,
                reference=reference,  # type: ignore[arg-type] # None is its own default
                allowed_mentions=discord.AllowedMentions(
                    everyone=False,
                    roles=False,
                    users=[discord.Object(letter.job.member_id)],
                    replied_user=False,
                ),
            )
        finally:
            for attachment in attachments:
                attachment.close()
        return message.id

    def _channel(self, job: Job) -> discord.PartialMessageable:
        """Return the job's channel; it costs no request."""
        return self._client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)

    def show(self, job: Job, note: Note, reply: Reply | None = None) -> None:
        """Bring the status message to `note`, in the background and in order; best effort.

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
        try:
            while key in self._notes:
                note = self._notes.pop(key)
                reply = self._replies.pop(key, None)
                if self._warnings.pop(key, None) == note:
                    self._warnings[key] = note
                    continue
                try:
                    await (reply(note) if reply else self._edit_by_token(job, key, note))
                    if note.tone is Tone.WARNING:
                        self._warnings[key] = note
                except (discord.DiscordException, *NO_ANSWER) as error:
                    log.info("job %s: status not shown: %s", job.short_id, error)
                if key in self._notes:
                    await self._pause()
        finally:
            del self._editors[key]

    async def _pause(self) -> None:
        """Wait between two edits, but not when the bot is stopping: the last one must be shown."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_closing.wait(), _STATUS_GAP)

    async def _edit_by_token(self, job: Job, message_id: int, note: Note) -> None:
        message = self._channel(job).get_partial_message(message_id)
        await message.edit(content=None, embed=embed(note))


@dataclass(frozen=True, slots=True)
class _Letter:
    """One message with clips, by their numbers, which begin with 1."""

    job: Job
    clips: Mapping[int, Path]
    text: str
    alt: str
    nonce: str

    def attachments(self) -> list[discord.File]:
        """Open the clips; each sending needs its own."""
        # A path, not bytes: a clip is streamed from the disk and never kept in memory.
        return [
            discord.File(path, filename=_filename(self.job, path, number), description=self.alt)
            for number, path in self.clips.items()
        ]


def _reference(job: Job) -> discord.MessageReference | None:
    if job.status_message_id is None:
        return None
    return discord.MessageReference(
        message_id=job.status_message_id,
        channel_id=job.channel_id,
        guild_id=job.guild_id,
        fail_if_not_exists=False,
    )


def nonce(job: Job, number: int | None = None) -> str:
    """Return the nonce of the job, or of one of its clips. Discord takes 25 characters at most."""
    about = job.id if number is None else f"{job.id}:{number}"
    return hashlib.sha256(about.encode()).hexdigest()[:24]


def embed(note: Note) -> discord.Embed:
    """Return a note as Discord shows it."""
    return discord.Embed(title=note.title, description=note.body or None, colour=int(note.tone))


@contextlib.contextmanager
def _as_ours(size: int = 0) -> Iterator[None]:
    """Raise what discord.py raises as a `DeliveryError`; `size` is the bytes that are sent."""
    try:
        yield
    except discord.HTTPException as error:
        problem = _problem(error)
        if isinstance(problem, TooLarge):
            problem.size = size
        raise problem from error
    except NO_ANSWER as error:
        raise DeliveryError(f"{type(error).__name__}: {error}") from error


def _size(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _numbers(message: discord.Message, job: Job) -> Iterator[int]:
    """List the clips of the job that a message carries."""
    for attachment in message.attachments:
        found = re.fullmatch(rf"clip-{job.short_id}-(\d+)\.\w+", attachment.filename)
        if found is not None:
            yield int(found[1])


def _filename(job: Job, path: Path, number: int) -> str:
    return f"clip-{job.short_id}-{number}{path.suffix}"


def _problem(error: discord.HTTPException) -> DeliveryError:
    text = f"HTTP {error.status}, code {error.code}"
    with contextlib.suppress(AttributeError):
        text += f": {error.text}"
    if error.status == 413 or error.code in _TOO_LARGE:  # noqa: PLR2004 - HTTP's own number
        return TooLarge(text)
    if error.status in _GONE:
        return Unpostable(text)
    return DeliveryError(text)
