"""Puts clips into Discord channels with the bot's own token, and into private answers with theirs.

It needs no interaction and no cache, so it works hours later and after a restart. Where a clip may
go is `ladder.py`'s; here is which clips go into which message, each with a nonce that derives from
the job. What is said of a job meanwhile is `status.py`'s. Decides nothing about jobs.
"""

import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import discord

from bot.answers import Answer, Answers
from bot.errors import DeliveryError, TooLarge, Unpostable
from bot.ladder import Ladder, Letter, Posted, Rung, as_ours, rungs
from bot.lifecycle import FINAL, Job
from bot.places import MIB, Places, below
from bot.status import ORIGINAL, Reply, Status, opened
from bot.upload import Upload
from bot.words import Note

log = logging.getLogger(__name__)

MOST_AT_ONCE = 24 * MIB
"""Bytes of clips in one request: Discord takes 25 MiB, and the form around them is small."""


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
Noted = Callable[[Posted], Awaitable[None]]
"""Takes in a message as soon as it is there, whatever becomes of the next one."""


class Delivery:
    """Posts with `client`, which must be logged in; its gateway need not be up.

    Without `answers` no private answer is reached.
    """

    def __init__(
        self, client: discord.Client, places: Places, answers: Answers | None = None
    ) -> None:
        self._client = client
        self._places = places
        self._status = Status(client, answers)
        self._posted: dict[str, dict[int, Posted]] = {}
        """By job, the messages of clips that are in the channel while others are not yet."""

    async def post(self, job: Job, bundle: Bundle, *, may_dm: bool = False) -> Posted:
        """Post the clips at the highest rung of the ladder that takes them, and say where.

        Where one message cannot take them all, each clip gets its own; the first is returned.
        A try that is not the first looks before it posts, so the try is to be counted before.
        Mentions only the requester. Raises `TooLarge`, `Unpostable` or `DeliveryError`.
        """
        ladder = Ladder(self._client, self._places, job, rungs(job, may_dm=may_dm))
        posted = self._posted.setdefault(job.id, {})
        if job.attempts > 1:
            posted |= await ladder.look(bundle.files.keys() | bundle.links.keys())
        await _post_all(ladder.send, bundle, posted, lambda number: nonce(job, number))
        self._posted.pop(job.id, None)
        return _first_of(posted)

    async def post_copy(self, job: Job, bundle: Bundle, copy: Copy, noted: Noted) -> Posted:
        """Post the clips once more, in another place. Raises as `post` does, and as `noted` does.

        It does not look whether they are there: to be tried once. So `noted` hears of each message,
        also where the rest of them does not come through.
        """
        ladder = Ladder(self._client, self._places, job, [Rung(copy.channel_id)])
        posted: dict[int, Posted] = {}

        async def send(letter: Letter) -> Posted:
            post = await ladder.send(letter)
            await noted(post)
            return post

        await _post_all(send, bundle, posted, lambda number: nonce(job, number, copy.key))
        return _first_of(posted)

    async def post_in(self, answer: Answer, job: Job, bundle: Bundle) -> Posted:
        """Put all the clips into a private answer, in the place of what it shows.

        However often it is done, it is done once. Raises as `post` does.
        """
        letter = bundle.letter(bundle.files, bundle.whole_text, "")
        if letter.size > MOST_AT_ONCE:
            raise TooLarge(f"{letter.size} bytes in one answer")
        files = letter.files(job)
        try:
            async with self._status.covered(job, answer):
                message = await self._put(answer, letter, files)
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
        self._posted.pop(job.id, None)
        return Posted(message.channel.id, message.id)

    async def _put(
        self, answer: Answer, letter: Letter, files: Sequence[Upload]
    ) -> discord.WebhookMessage:
        with as_ours():
            return await opened(self._client, answer).edit_message(
                ORIGINAL,
                content=letter.text,
                embeds=[],
                attachments=files,
                view=letter.view,
                allowed_mentions=discord.AllowedMentions.none(),
            )

    def show(self, job: Job, note: Note, reply: Reply | None = None) -> None:
        """Bring the job's status to `note`, as `Status.show` does."""
        if job.state in FINAL:
            self._posted.pop(job.id, None)  # its clips may have been handed out by another way
        self._status.show(job, note, reply)

    def show_again(self, guild_id: int, channel_id: int | None = None) -> None:
        """Show what found a place closed to the bot, as `Status.show_again` does."""
        self._status.show_again(guild_id, channel_id)

    async def close(self, patience: float) -> None:
        """Let what is being shown be shown, for at most `patience` seconds."""
        await self._status.close(patience)


_Send = Callable[[Letter], Awaitable[Posted]]
_Nonces = Callable[[int | None], str]
"""Names the message of one clip, or of all together (None)."""


def _first_of(posted: Mapping[int, Posted]) -> Posted:
    """Return the message with the first clip, and with it the others."""
    first, *others = dict.fromkeys(posted[number] for number in sorted(posted))
    return replace(first, others=tuple(others))


async def _post_all(send: _Send, bundle: Bundle, posted: dict[int, Posted], key: _Nonces) -> None:
    """Post what is not `posted`, together where that may be, and note it there."""
    together = bundle.letter(bundle.files, bundle.whole_text, key(None))
    if len(bundle.files) > 1 and not posted and together.size <= MOST_AT_ONCE:
        with contextlib.suppress(TooLarge):
            post = await send(together)
            posted |= dict.fromkeys((*bundle.files, *bundle.links), post)
    await _post_each(send, bundle, posted, key)


async def _post_each(send: _Send, bundle: Bundle, posted: dict[int, Posted], key: _Nonces) -> None:
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
            post = await send(letter)
        except TooLarge as error:
            too_large = error
        else:
            posted |= dict.fromkeys((number, *(bundle.links if text else ())), post)
    if missing := [number for number in bundle.links if number not in posted]:
        text = "\n".join(bundle.links.values()) if posted else bundle.whole_text
        letter = bundle.letter([], text, key(None if is_alone else missing[0]))
        posted |= dict.fromkeys(missing, await send(letter))
    if too_large is not None:
        raise too_large


def nonce(job: Job, number: int | None = None, purpose: str = "") -> str:
    """Return the nonce of the job, or of one of its clips. Discord takes 25 characters at most."""
    about = ":".join(filter(None, (job.id, "" if number is None else f"{number}", purpose)))
    return hashlib.sha256(about.encode()).hexdigest()[:24]
