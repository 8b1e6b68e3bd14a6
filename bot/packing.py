"""What is posted of a job: its clips as they are, smaller copies of them, or links, until it fits.

Discord's word on what fits is the last one: after a refusal the next lower limit is tried, and
where no copy helps the clip comes as a link to the service, so a job always comes to its end. The
text says which happened. `handover.py` calls it; where things are posted is `delivery.py`'s.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

from bot import buttons, posting_words
from bot.answers import Answer
from bot.copies import Copies, Original
from bot.delivery import MOST_AT_ONCE, Bundle, Copy, Delivery, Noted
from bot.errors import CopyFailed, TooLarge
from bot.ladder import Posted, mark
from bot.lifecycle import Clip, Job
from bot.places import Places
from bot.rights import Press

log = logging.getLogger(__name__)

_POSTED_AT_ONCE = 4
_LINKED_FROM = 3
"""The try from which on a link is better than another try to make a copy."""

Send = Callable[[Bundle], Awaitable[Posted]]
Presses = Callable[[Job], Sequence[Press]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What there is to post of a job."""

    clips: Sequence[Clip]
    originals: Sequence[Original]
    text: Callable[[Sequence[str]], str]
    """Returns what is said above the clips, with these remarks."""
    is_spoiler: bool = False
    has_presses: bool = True
    """Whether what can be done with them comes below them."""


class Packing:
    """`links_live` is how long the service's addresses live, in seconds, by what is known.

    `presses` are what can be done with a job's clips.
    """

    def __init__(
        self,
        delivery: Delivery,
        copies: Copies,
        places: Places,
        links_live: float,
        *,
        presses: Presses = lambda _: (),
    ) -> None:
        self._delivery = delivery
        self._copies = copies
        self._places = places
        self._links_live = links_live
        self._presses = presses
        self._posting = asyncio.Semaphore(_POSTED_AT_ONCE)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, job_id: str) -> asyncio.Lock:
        """Return what whoever hands out a job's clips has to hold meanwhile, so that one does."""
        return self._turns.setdefault(job_id, asyncio.Lock())

    async def post(self, job: Job, contents: Contents, *, may_dm: bool) -> Posted:
        """Post the clips where the ladder leads. Raises `CopyFailed` and what delivery does."""

        async def send(bundle: Bundle) -> Posted:
            return await self._delivery.post(job, bundle, may_dm=may_dm)

        is_direct = job.wish.is_private
        most = self._places.most_bytes(None if is_direct else job.guild_id)
        return await self._sent(job, contents, most, send, is_private=is_direct)

    async def post_in(self, answer: Answer, job: Job, contents: Contents) -> Posted:
        """Put all the clips into one private answer. Raises as `post` does."""

        async def send(bundle: Bundle) -> Posted:
            return await self._delivery.post_in(answer, job, bundle)

        named = answer.most_bytes or job.wish.most_bytes or self._places.most_bytes(job.guild_id)
        most = min(named, MOST_AT_ONCE // len(contents.originals))
        return await self._sent(job, contents, most, send, is_private=True)

    async def post_copy(self, job: Job, contents: Contents, copy: Copy, noted: Noted) -> Posted:
        """Post the clips once more, besides; to be tried once. Raises as `post` does.

        `noted` hears of each message, and what it raises is raised.
        """

        async def send(bundle: Bundle) -> Posted:
            return await self._delivery.post_copy(job, bundle, copy, noted)

        is_direct = copy.channel_id is None
        most = self._places.most_bytes(None if is_direct else job.guild_id)
        return await self._sent(job, contents, most, send, is_private=is_direct)

    async def _sent(
        self, job: Job, contents: Contents, most: int, send: Send, *, is_private: bool
    ) -> Posted:
        while True:
            bundle = await self._bundle(job, contents, most, is_private=is_private)
            try:
                async with self._posting:
                    return await send(bundle)
            except TooLarge as error:
                if not bundle.files:
                    raise
                log.info("job %s: too large with %d bytes: %s", job.short_id, most, error)
                most = min(error.most_bytes, most - 1)

    async def _bundle(self, job: Job, contents: Contents, most: int, *, is_private: bool) -> Bundle:
        alt = posting_words.alt_text(job)
        view = buttons.view(self._presses(job)) if contents.has_presses else None
        bundle = Bundle(files={}, text="", alt=alt, is_spoiler=contents.is_spoiler, view=view)
        shrunk: list[int] = []
        for number, original in enumerate(contents.originals, start=1):
            file = await self._fitting(job, original, most)
            if file is None:
                line = self._link(job, contents.clips[number - 1], number, original)
                bundle = replace(bundle, links={**bundle.links, number: line})
                continue
            bundle = replace(bundle, files={**bundle.files, number: file})
            if original.facts.size > most:
                shrunk.append(original.facts.size)
        remarks = (
            [posting_words.smaller(job, shrunk, most, is_private=is_private)] if shrunk else []
        )
        return replace(bundle, text=contents.text(remarks))

    async def _fitting(self, job: Job, original: Original, most: int) -> Path | None:
        """Return the clip or a copy of it, whichever fits; None where nothing does."""
        if original.fits(most):
            return original.path
        if most <= 0:
            return None
        try:
            return await self._copies.fitting(original, most)
        except CopyFailed as error:
            if not error.is_final and job.attempts < _LINKED_FROM:
                raise
            log.warning("job %s: a clip is posted otherwise: %s", job.short_id, error)
        # What only some can play is better than what nobody can play here.
        return original.path if original.facts.size <= most else None

    def _link(self, job: Job, clip: Clip, number: int, original: Original) -> str:
        until = round(job.created_at / 1000 + self._links_live)
        link = f"{clip.url}#{mark(job, number)}"
        return posting_words.by_link(job, original.facts.size, link, until)
