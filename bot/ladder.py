"""The ladder of delivery: where a clip is posted, from the best place to the last resort.

1. as an answer: to the picture where that is in a channel, else to the status message; where that
   is gone, Discord makes it a plain message;
2. as a plain message in the same channel, where its history is closed to the bot;
3. in the channel that the thread belongs to, where the thread is gone, locked or closed;
4. as a direct message, if the member has asked for that; where the clip is private, only there;
5. nowhere: `Unpostable`; the clip is kept, and offered again from the top.

A step down follows a refusal, never an answer that was lost. All places share one nonce, which
Discord looks up by its author: a repeat elsewhere returns the message that is there already.
Beyond Discord's window all places are looked through first. `delivery.py` says what is posted.
"""

import asyncio
import contextlib
import json
import logging
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import discord

from bot import posting_words, upload
from bot.errors import DeliveryError, TooLarge, Unpostable
from bot.lifecycle import Job
from bot.places import Places
from bot.wish import Door

log = logging.getLogger(__name__)

NO_ANSWER = (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError, TypeError)
"""What discord.py raises where Discord, or somebody before it, gave no answer or a garbled one.

A page of HTML it takes for a message: that is the `TypeError`.
"""
_NO_HISTORY = 160002
_UNKNOWN_MESSAGE = 10008
"""To a nonce: its message was deleted. It is forgotten in a few minutes, so nothing is closed."""
_TOO_LARGE = (40005, 50045)
_CLOSED = (50008, 50083, 160005, 50027)
"""No channel for texts, an archived thread, a locked one, the token of an interaction long ago.
Discord calls them bad requests, or unauthorized ones."""
_GONE = (403, 404)
_HISTORY = 500
"""Messages that are looked through at each end of a place; a hundred are one request."""
_SLACK = timedelta(minutes=10)
"""By which Discord's clock may differ from ours."""


class _NoReply(Unpostable):
    """The channel takes a message, but not as an answer to another."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A message with clips of a job."""

    channel_id: int
    message_id: int
    is_direct: bool = False
    """Whether it is a direct message to the member."""
    is_in_answer: bool = False
    """Whether it is a private answer, which the bot's own token does not reach."""
    others: tuple["Posted", ...] = ()
    """The messages with the rest of the job's clips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message with clips, by their numbers, which begin with 1; or with links to them."""

    clips: Mapping[int, Path]
    text: str
    alt: str
    nonce: str
    is_spoiler: bool = False
    view: discord.ui.View | None = None

    @property
    def size(self) -> int:
        """The bytes of its clips."""
        return sum(path.stat().st_size for path in self.clips.values())

    @property
    def largest(self) -> int:
        """The bytes of its largest clip."""
        return max((path.stat().st_size for path in self.clips.values()), default=0)

    def files(self, job: Job, until: float = math.inf) -> list[upload.Upload]:
        """Return its clips as discord.py sends them, to be closed afterwards.

        A path, not bytes: a clip is streamed from the disk and never kept in memory. After `until`,
        a moment of the loop's time, they are not sent.
        """
        return [
            upload.Upload(
                path,
                until=until,
                filename=f"{mark(job, number)}{path.suffix}",
                description=self.alt,
                spoiler=self.is_spoiler,
            )
            for number, path in self.clips.items()
        ]


@dataclass(frozen=True, slots=True)
class Rung:
    """One place, and how a clip is posted there."""

    channel_id: int | None
    """None is the member's direct messages, which are opened when they are needed."""
    reply_to: int | None = None
    is_elsewhere: bool = False
    """Whether somebody has to be told where the clip was asked for."""


DIRECT = Rung(None)
"""A direct message that nothing has to be said about."""
_ANSWERS_THE_PICTURE = (Door.MENU, Door.REACTION, Door.REPLY)


def rungs(job: Job, *, may_dm: bool) -> list[Rung]:
    """Return the places for a job's clips, the best one first."""
    if job.wish.is_private:
        return [DIRECT] if may_dm else []
    found = [Rung(job.channel_id)]
    if job.picture is not None and job.door in _ANSWERS_THE_PICTURE:
        found.insert(0, Rung(job.picture.channel_id, reply_to=job.picture.message_id))
    elif job.status_message_id is not None:
        found.insert(0, Rung(job.channel_id, reply_to=job.status_message_id))
    if job.parent_channel_id is not None:
        found.append(Rung(job.parent_channel_id, is_elsewhere=True))
    if may_dm:
        found.append(Rung(None, is_elsewhere=True))
    return found


class Ladder:
    """One try to post a job's clips; a place that has refused is not asked twice."""

    def __init__(
        self, client: discord.Client, places: Places, job: Job, rungs: Sequence[Rung]
    ) -> None:
        self._client = client
        self._places = places
        self._job = job
        self._rungs = rungs
        self._refusals: dict[int | None, Unpostable] = {}
        self._until = math.inf
        """How long what was seen holds, as a moment of the loop's time."""

    async def send(self, letter: Letter) -> Posted:
        """Post at the highest place that takes it.

        Raises `TooLarge`, `DeliveryError`, or one place's `Unpostable` if none takes it.
        """
        for rung in self._rungs:
            if rung.channel_id in self._refusals:
                continue
            try:
                return await self._post(rung, letter)
            except _NoReply as error:
                log.info("job %s: not as an answer: %s", self._job.short_id, error)
            except Unpostable as error:
                log.info("job %s: refused in one place: %s", self._job.short_id, error)
                self._refusals[rung.channel_id] = error
        raise next(iter(self._refusals.values()), Unpostable("there is no place for it"))

    async def look(self, numbers: Collection[int]) -> dict[int, Posted]:
        """Look everywhere for what earlier tries have posted, though the answer was lost.

        Returns it by the numbers of the clips; `numbers` are those looked for. Where the history
        may not be read Discord lists nothing, and the nonce has to do. What refuses the look counts
        as refusing the clip: opened in between, it could get it twice. Raises `DeliveryError`.
        """
        found: dict[int, Posted] = {}
        self._until = asyncio.get_running_loop().time() + upload.FRESH
        for channel_id in dict.fromkeys(rung.channel_id for rung in self._rungs):
            try:
                with as_ours():
                    channel = await self._channel(channel_id)
                    seen = await self._seen(channel, numbers, is_direct=channel_id is None)
                found = seen | found
            except Unpostable as error:
                log.info("job %s: no look into a history: %s", self._job.short_id, error)
                self._refusals[channel_id] = error
        return found

    async def _seen(
        self, channel: discord.PartialMessageable, numbers: Collection[int], *, is_direct: bool
    ) -> dict[int, Posted]:
        """Look through one place; of a clip that is there twice the first message counts.

        The newest messages come first: most often it was posted just now. Where all of them are
        younger than the wish and lack something, it was posted long ago, soon after the wish.
        """
        wish = discord.Object(_since(self._job))
        newest = channel.history(limit=_HISTORY, after=wish, oldest_first=False)
        messages = [message async for message in newest]
        found = self._carried(messages, is_direct=is_direct)
        if len(messages) == _HISTORY and not found.keys() >= set(numbers):
            oldest = channel.history(
                limit=_HISTORY, after=wish, before=messages[-1], oldest_first=True
            )
            messages = [message async for message in oldest]
            found |= self._carried(reversed(messages), is_direct=is_direct)
        return found

    def _carried(
        self, messages: Iterable[discord.Message], *, is_direct: bool
    ) -> dict[int, Posted]:
        """Return the clips of the job in messages of ours, of which the oldest comes last."""
        found: dict[int, Posted] = {}
        for message in messages:
            if message.author == self._client.user:
                posted = Posted(message.channel.id, message.id, is_direct=is_direct)
                found |= dict.fromkeys(_numbers(message, self._job), posted)
        return found

    async def _post(self, rung: Rung, letter: Letter) -> Posted:
        job = self._job
        guild_id = None if rung.channel_id is None else job.guild_id
        most = self._places.most_bytes(guild_id)
        if letter.largest > most:
            raise _too_large(f"{letter.largest} bytes, and {most} may be", letter.largest, most)
        lines = [letter.text, posting_words.elsewhere(job) if rung.is_elsewhere else ""]
        files = letter.files(job, self._until)
        given: dict[str, Any] = {
            "content": "\n".join(filter(None, lines)) or None,
            "nonce": letter.nonce,
            "reference": _reference(job, rung),
            # What can be done with a clip is a matter of its server.
            "view": None if rung.channel_id is None else letter.view,
            "allowed_mentions": discord.AllowedMentions(
                everyone=False,
                roles=False,
                users=[discord.Object(job.member_id)],
                replied_user=False,
            ),
        }
        try:
            with as_ours():
                channel = await self._channel(rung.channel_id)
                if files:
                    message_id = (await channel.send(files=files, **given)).id
                else:
                    message_id = await upload.say(self._client, channel, self._until, **given)
        except TooLarge as error:
            error.size = letter.size
            if len(letter.clips) == 1:  # of several together it is not known which was too large
                error.most_bytes = self._places.refused(guild_id, letter.size)
            raise
        finally:
            for file in files:
                file.close()
        return Posted(channel.id, message_id, is_direct=rung.channel_id is None)

    async def _channel(self, channel_id: int | None) -> discord.PartialMessageable:
        """Return a channel, which costs no request, or the member's direct messages."""
        if channel_id is not None:
            return self._client.get_partial_messageable(channel_id, guild_id=self._job.guild_id)
        direct = await self._client.create_dm(discord.Object(self._job.member_id))
        return self._client.get_partial_messageable(direct.id)


def _since(job: Job) -> int:
    """Return what is older than any message with a clip of the job, as an id of Discord's."""
    if job.status_message_id is not None:
        return job.status_message_id
    asked_at = datetime.fromtimestamp(job.created_at / 1000, UTC)
    return discord.utils.time_snowflake(asked_at - _SLACK)


def _reference(job: Job, rung: Rung) -> discord.MessageReference | None:
    if rung.reply_to is None or rung.channel_id is None:
        return None
    return discord.MessageReference(
        message_id=rung.reply_to,
        channel_id=rung.channel_id,
        guild_id=job.guild_id,
        fail_if_not_exists=False,
    )


@contextlib.contextmanager
def as_ours() -> Iterator[None]:
    """Raise what discord.py raises as a `DeliveryError`."""
    try:
        yield
    except discord.HTTPException as error:
        raise _problem(error) from error
    except NO_ANSWER as error:
        raise DeliveryError(f"{type(error).__name__}: {error}") from error


def is_closed(error: discord.HTTPException) -> bool:
    """Tell whether this is the answer of a place that is gone or closed to the bot."""
    return error.code in _CLOSED or error.status in _GONE


def _problem(error: discord.HTTPException) -> DeliveryError:
    text = f"HTTP {error.status}, code {error.code}"
    with contextlib.suppress(AttributeError):
        text += f": {error.text}"
    if error.status == 413 or error.code in _TOO_LARGE:  # noqa: PLR2004 - HTTP's own number
        return TooLarge(text)
    if error.code == _NO_HISTORY:
        return _NoReply(text)
    if is_closed(error) and error.code != _UNKNOWN_MESSAGE:
        return Unpostable(text)
    return DeliveryError(text)


def _too_large(text: str, size: int, most_bytes: int) -> TooLarge:
    problem = TooLarge(text)
    problem.size, problem.most_bytes = size, most_bytes
    return problem


def mark(job: Job, number: int) -> str:
    """Name a clip so that it is known again: as a file, or at the end of a link to it."""
    return f"clip-{job.short_id}-{number}"


def attached(message: discord.Message, job: Job) -> dict[int, discord.Attachment]:
    """Return the clips of the job that a message carries, by their numbers."""
    every = ((_number(one.filename, job), one) for one in message.attachments)
    return {number: one for number, one in every if number is not None}


def _numbers(message: discord.Message, job: Job) -> Iterator[int]:
    """List the clips of the job that a message carries, or links to."""
    yield from attached(message, job)
    for name in re.findall(r"https?://[^\s>)]+#(\S+?)(?=[\s>)]|$)", message.content):
        number = _number(name, job)
        if number is not None:
            yield number


def _number(name: str, job: Job) -> int | None:
    found = re.fullmatch(rf"(?:SPOILER_)?clip-{job.short_id}-(\d+)(?:\.\w+)?", name)
    return int(found[1]) if found is not None else None
