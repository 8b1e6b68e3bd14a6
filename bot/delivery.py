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
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import discord

from bot import buttons
from bot.answers import Answer, Answers
from bot.errors import DeliveryError, StoreError, TooLarge, Unpostable
from bot.ladder import NO_ANSWER, Ladder, Letter, Posted, Rung, as_ours, is_closed, rungs
from bot.lifecycle import FINAL, Job
from bot.places import MIB, Places, below
from bot.signs import Signs
from bot.wish import Door
from bot.words import Note, Tone

log = logging.getLogger(__name__)

Reply = Callable[[Note], Awaitable[None]]
_Key = int | str
"""What names the place of a status: its message, or the job whose private answer it is."""

MOST_AT_ONCE = 24 * MIB
"""Bytes of clips in one request: Discord takes 25 MiB, and the form around them is small."""
_REMEMBERED = 1000
_ORIGINAL: Any = "@original"
"""Discord's name of an interaction's first answer, where discord.py would have a number."""
_STATUS_GAP = 3.0
"""Seconds between two edits of one status message; doubled with each that fails."""
_STATUS_LONGEST_GAP = 300.0
_STATUS_TRIES = 200
"""Some sixteen hours of an outage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All that is posted of a job: its clips by number, or links to those that fit nowhere."""

    files: Mapping[int, Path]
    text: str
    alt: str
    links: Mapping[int, str] = field(default_factory=dict)
    """A line of text for each."""
    is_spoiler: bool = False
    view: discord.ui.View | None = None
    """What can be done with them; comes with the text."""

    @property
    def whole_text(self) -> str:
        """The text, and the links below it."""
        return "\n".join(filter(None, (self.text, *self.links.values())))

    def letter(self, numbers: Iterable[int], text: str, key: str) -> Letter:
        """Return one message with some of its files."""
        return Letter(
            clips={number: self.files[number] for number in numbers},
            text=text,
            alt=self.alt,
            nonce=key,
            is_spoiler=self.is_spoiler,
            view=self.view if self.text in text else None,
        )


@dataclass(frozen=True, slots=True)
class Copy:
    """Clips that are posted once more, besides."""

    key: str
    """Names it among the copies of its job: sent twice within minutes, it comes once."""
    channel_id: int | None = None
    """None are the member's direct messages."""


DIRECT_COPY = Copy("copy")
"""What members get who wish for each clip as a direct message too."""


class Delivery:
    """Posts with `client`, which must be logged in; its gateway need not be up.

    Without `answers` no private answer is reached.
    """

    def __init__(
        self, client: discord.Client, places: Places, answers: Answers | None = None
    ) -> None:
        self._client = client
        self._places = places
        self._answers = answers
        self._signs = Signs(client)
        self._posted: dict[str, dict[int, Posted]] = {}
        """By job, the messages of clips that are in the channel while others are not yet."""
        self._notes: dict[_Key, tuple[Job, Note]] = {}
        self._warnings: dict[_Key, Note] = {}
        """Those that are shown now: the same trouble is not told again with every try."""
        self._replies: dict[_Key, Reply] = {}
        self._editors: dict[_Key, asyncio.Task[None]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._covered: deque[str] = deque(maxlen=_REMEMBERED)
        """Jobs whose private answers show their clips: no status takes their place."""
        self._is_closing = asyncio.Event()

    async def post(self, job: Job, bundle: Bundle, *, may_dm: bool = False) -> Posted:
        """Post the clips at the highest rung of the ladder that takes them, and say where.

        Where one message cannot take them all, each clip gets its own; the first is returned.
        A try that is not the first looks before it posts, so the try is to be counted before.
        Mentions only the requester. Raises `TooLarge`, `Unpostable` or `DeliveryError`.
        """
        ladder = Ladder(self._client, self._places, job, rungs(job, may_dm=may_dm))
        posted = self._posted.setdefault(job.id, {})
        if job.attempts > 1:
            posted |= await ladder.look()
        await _post_all(ladder, bundle, posted, lambda number: nonce(job, number))
        return posted[min(self._posted.pop(job.id))]

    async def post_copy(self, job: Job, bundle: Bundle, copy: Copy) -> Posted:
        """Post the clips once more, in another place. Raises as `post` does.

        It does not look whether they are there: to be tried once.
        """
        ladder = Ladder(self._client, self._places, job, [Rung(copy.channel_id)])
        posted: dict[int, Posted] = {}
        await _post_all(ladder, bundle, posted, lambda number: nonce(job, number, copy.key))
        return posted[min(posted)]

    async def post_in(self, answer: Answer, job: Job, bundle: Bundle) -> Posted:
        """Put all the clips into a private answer, in the place of what it shows.

        However often it is done, it is done once. Raises as `post` does.
        """
        letter = bundle.letter(bundle.files, bundle.whole_text, "")
        if letter.size > MOST_AT_ONCE:
            raise TooLarge(f"{letter.size} bytes in one answer")
        files = letter.files(job)
        try:
            async with self._turn(job):
                message = await self._put(answer, letter, files)
                self._covered.append(job.id)
        except TooLarge as error:
            error.size, error.most_bytes = letter.size, below(letter.largest)
            raise
        except DeliveryError as error:
            if isinstance(error.__cause__, discord.NotFound):
                raise Unpostable(f"the answer is gone: {error}") from error
            raise
        finally:
            for file in files:
                file.close()
        return Posted(message.channel.id, message.id)

    async def _put(
        self, answer: Answer, letter: Letter, files: list[discord.File]
    ) -> discord.WebhookMessage:
        with as_ours():
            return await self._opened(answer).edit_message(
                _ORIGINAL,
                content=letter.text,
                embeds=[],
                attachments=files,
                view=letter.view,
                allowed_mentions=discord.AllowedMentions.none(),
            )

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
        async with self._turn(job):
            answer = await self._answers.of(job.id)
            if answer is None or job.id in self._covered:
                return
            await self._opened(answer).edit_message(
                _ORIGINAL, content=None, embed=embed(note), view=buttons.view(note.buttons)
            )
            if job.state in FINAL:
                await self._answers.forget(job.id)

    def _turn(self, job: Job) -> asyncio.Lock:
        """Return what lets one change of a job's private answer be under way at a time."""
        return self._turns.setdefault(job.id, asyncio.Lock())

    def _opened(self, answer: Answer) -> discord.Webhook:
        assert self._client.application_id is not None, "the client is logged in"
        return discord.Webhook.partial(
            self._client.application_id, answer.token, client=self._client
        )


_Nonces = Callable[[int | None], str]
"""Names the message of one clip, or of all together (None)."""


async def _post_all(
    ladder: Ladder, bundle: Bundle, posted: dict[int, Posted], key: _Nonces
) -> None:
    """Post what is not `posted`, together where that may be, and note it there."""
    together = bundle.letter(bundle.files, bundle.whole_text, key(None))
    if len(bundle.files) > 1 and not posted and together.size <= MOST_AT_ONCE:
        with contextlib.suppress(TooLarge):
            post = await ladder.send(together)
            posted |= dict.fromkeys((*bundle.files, *bundle.links), post)
    await _post_each(ladder, bundle, posted, key)


async def _post_each(
    ladder: Ladder, bundle: Bundle, posted: dict[int, Posted], key: _Nonces
) -> None:
    """Post a message for each clip that is not `posted`; the links come with the first.

    A clip that is too large keeps none behind it from its place.
    """
    is_alone = len(bundle.files) + len(bundle.links) == 1
    too_large = None
    for number in bundle.files:
        if number in posted:
            continue
        text = "" if posted else bundle.whole_text
        letter = bundle.letter([number], text, key(None if is_alone else number))
        try:
            post = await ladder.send(letter)
        except TooLarge as error:
            too_large = error
        else:
            posted |= dict.fromkeys((number, *(bundle.links if text else ())), post)
    if missing := [number for number in bundle.links if number not in posted]:
        text = "\n".join(bundle.links.values()) if posted else bundle.whole_text
        letter = bundle.letter([], text, key(None if is_alone else missing[0]))
        posted |= dict.fromkeys(missing, await ladder.send(letter))
    if too_large is not None:
        raise too_large


def nonce(job: Job, number: int | None = None, purpose: str = "") -> str:
    """Return the nonce of the job, or of one of its clips. Discord takes 25 characters at most."""
    about = ":".join(filter(None, (job.id, "" if number is None else f"{number}", purpose)))
    return hashlib.sha256(about.encode()).hexdigest()[:24]


def embed(note: Note) -> discord.Embed:
    """Return a note as Discord shows it."""
    return discord.Embed(title=note.title, description=note.body or None, colour=int(note.tone))
