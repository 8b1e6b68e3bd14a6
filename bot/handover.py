"""Hands a paid clip over: from the video service to its person, however often that takes.

Nothing here costs anything, so nothing is given up: what cannot be fetched or posted is kept,
visible to its owner, and tried again. Whether it is posted says `review.py`, and `packing.py` as
what. `pipeline.py` calls it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot import lifecycle, posting_words, words
from bot.accounts import Accounts
from bot.answers import Answer, Answers
from bot.clip import Facts, probe
from bot.copies import Original
from bot.delivery import DIRECT_COPY, Delivery
from bot.errors import (
    ClipBroken,
    CopyFailed,
    DeliveryError,
    ProviderError,
    Rejected,
    StoreError,
    TooLarge,
    Unpostable,
)
from bot.history import History
from bot.keeper import ClipFiles
from bot.ladder import Posted
from bot.ledger import Kind
from bot.lifecycle import Clip, Event, Job, Order
from bot.lines import Line
from bot.made import Made
from bot.members import Members, MemberSettings
from bot.packing import Contents, Packing
from bot.policy import Flagged
from bot.provider import Provider, Result
from bot.review import Review
from bot.store import Store
from bot.timetable import Timetable

log = logging.getLogger(__name__)

_RARELY = 3600
"""The longest pause between two tries, in seconds."""
_SOON = 30
"""The same while a private answer can be reached, which is for minutes only."""
_WORTH_A_WORD = 3
"""The try from which on a person hears of trouble that passes by itself."""
_FETCHED_AT_ONCE = 4
_QUICK = 3.0
"""Seconds within which nobody needs to hear that a clip is made and being posted."""
_OFF_BY = 0.5
"""Seconds by which a clip may be shorter or longer than was ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What a clip passes through on its way to a person."""

    delivery: Delivery
    packing: Packing
    review: Review
    answers: Answers
    files: ClipFiles
    members: Members
    history: History


class Handover:
    """Takes jobs that are rendered."""

    def __init__(
        self,
        *,
        store: Store,
        provider: Provider,
        hands: Hands,
        accounts: Accounts,
        timetable: Timetable,
    ) -> None:
        self._store = store
        self._provider = provider
        self._delivery = hands.delivery
        self._packing = hands.packing
        self._review = hands.review
        self._answers = hands.answers
        self._files = hands.files
        self._members = hands.members
        self._history = hands.history
        self._accounts = accounts
        self._timetable = timetable
        self._fetching = asyncio.Semaphore(_FETCHED_AT_ONCE)

    async def deliver(self, job: Job) -> None:
        """Fetch and post the clips of a job, or set its next try. Raises `StaleJob`."""
        async with self._packing.turn(job.id):
            await self._deliver(job)

    async def _deliver(self, job: Job) -> None:
        answer = await self._answers.of(job.id)
        if answer is not None and not (job.wish.is_private or answer.takes_clips):
            answer = None  # it shows the status alone
        made = await self._store.made(job.id)
        spent = made.spent_micro
        try:
            with self._told_if_slow(job):
                async with self._fetching:
                    job = await self._counted(job, _RARELY if answer is None else _SOON)
                    contents = await self._contents(job, made)
                if contents is None:
                    return
                settings = await self._members.settings(job.member_id)
                posted = await self._posted(job, answer, contents, settings)
        except DeliveryError as error:
            await self._keep(job, error, spent)
        except (ProviderError, ClipBroken, CopyFailed, OSError) as error:
            self._explain(job, error, spent)
        else:
            await self._delivered(job, posted)
            await self._copy(job, posted, contents, settings)
            paths = [original.path for original in contents.originals]
            await asyncio.to_thread(self._files.release, paths, self._timetable.clock())

    @contextlib.contextmanager
    def _told_if_slow(self, job: Job) -> Iterator[None]:
        """Say that the clip is made where this block, the first try to post it, takes long.

        A quick one costs no request; of the later ones its person has heard why they are.
        """
        if job.attempts:
            yield
            return
        loop = asyncio.get_running_loop()
        saying = loop.call_later(_QUICK, self._delivery.show, job, words.posting(job))
        try:
            yield
        finally:
            saying.cancel()

    def _explain(self, job: Job, error: Exception, spent: int) -> None:
        """Say why there is nothing to post yet; the next try is set."""
        log.warning("job %s: its clip is not here, trying again: %s", job.short_id, error)
        match error:
            case CopyFailed():
                self._delivery.show(job, posting_words.uncopied(job, spent))
            case OSError():  # no room, as a rule; until there is, nobody else's comes either
                log.critical("job %s: a paid clip cannot be kept: %s", job.short_id, error)
                self._delivery.show(job, posting_words.unfetched(job, spent))
            case _ if job.attempts >= _WORTH_A_WORD:
                self._delivery.show(job, posting_words.unfetched(job, spent))

    async def _counted(self, job: Job, most_seconds: float) -> Job:
        """Count the try before it is made.

        Where that cannot be written nothing is posted, or a disk that stays full would fill the
        channel; and a try after a crash knows that it is not the first.
        """
        if job.attempts == 0 and job.created_at <= await self._store.restored_at():
            job = replace(job, attempts=1)  # a backup does not know what was posted after it
        next_try = self._timetable.next_try(job, most_seconds)
        return await self._store.move(job, lifecycle.again(job, self._timetable.clock(), next_try))

    async def _contents(self, job: Job, made: Made) -> Contents | None:
        """Return what is to be posted; None where it is held, and its person was told."""
        clips, originals = await self._fetched(job, made.clips)
        verdict = await self._review.verdict(job, clips)
        if verdict is Flagged.HOLD:
            is_flagged = any(clip.is_flagged for clip in clips)
            self._delivery.show(
                job, posting_words.held(job, made.spent_micro, is_flagged=is_flagged)
            )
            await self._review.hold(job)
            return None
        text = partial(
            posting_words.delivered,
            job,
            len(clips),
            made.spent_micro,
            await self._receipt(job),
            was_lost=any(entry.kind == Kind.ADJUSTMENT for entry in made.entries),
        )
        return Contents(
            clips=clips,
            originals=originals,
            text=lambda remarks: text(remarks=remarks),
            is_spoiler=verdict is Flagged.SPOILER,
        )

    async def _posted(
        self, job: Job, answer: Answer | None, contents: Contents, settings: MemberSettings
    ) -> Posted:
        """Post where its person hoped for it: in their answer while that can be reached."""
        if answer is not None:
            try:
                posted = await self._packing.post_in(answer, job, contents)
            except Unpostable as error:
                log.info("job %s: the answer is out of reach: %s", job.short_id, error)
            else:
                return replace(posted, is_in_answer=True)
        return await self._packing.post(job, contents, may_dm=settings.dm_when_lost)

    async def _delivered(self, job: Job, posted: Posted) -> None:
        done = lifecycle.advance(
            job,
            Event.POSTED,
            self._timetable.clock(),
            message_id=posted.message_id,
            message_channel_id=posted.channel_id,
        )
        others = [(post.channel_id, post.message_id) for post in posted.others]
        done = await self._store.move(job, done, posts=others)
        if posted.is_in_answer:  # there a word would take the place of the clip's text
            await self._answers.forget(job.id)
        else:
            self._delivery.show(done, words.done(done))
        log.info("job %s: delivered", job.short_id)

    async def _copy(
        self, job: Job, posted: Posted, contents: Contents, settings: MemberSettings
    ) -> None:
        """Send the clips to the direct messages too of a member who wishes for that.

        Tried once, after all else is safe: a copy that is lost is no loss, and one that may have
        come through is not sent again. Where it is gets noted, so that it goes with the clip.
        """
        if not settings.dm_copies or posted.is_direct:
            return
        noted = partial(self._history.note_post, job.id)
        try:
            await self._packing.post_copy(job, contents, DIRECT_COPY, noted)
        except (CopyFailed, DeliveryError, OSError) as error:  # OSError: deleted just now
            log.info("job %s: no copy in direct messages: %s", job.short_id, error)
        except StoreError as error:
            log.warning("job %s: its copy in direct messages is not noted: %s", job.short_id, error)

    async def _keep(self, job: Job, error: DeliveryError, spent: int) -> None:
        """Keep a clip that Discord did not take, and say so where that helps."""
        log.warning("job %s: clip not posted, trying again: %s", job.short_id, error)
        if isinstance(error, TooLarge):  # not even a link was taken
            later = self._timetable.clock() + _RARELY * 1000
            await self._store.postpone([job], {job.id: later})
        if isinstance(error, Unpostable | TooLarge) and not job.wish.is_private:
            await self._store.tell(job, Line.STUCK)
        # What somebody can mend is said at once, and what may pass by itself is not.
        if job.wish.is_private and isinstance(error, Unpostable):
            self._delivery.show(job, posting_words.out_of_reach(job, spent))
        elif isinstance(error, Unpostable | TooLarge) or job.attempts >= _WORTH_A_WORD:
            self._delivery.show(job, posting_words.waiting(job, error, spent))

    async def _fetched(
        self, job: Job, clips: Sequence[Clip]
    ) -> tuple[Sequence[Clip], list[Original]]:
        """Return the clips with their addresses of now, and as they are on the disk.

        The address of a clip lives for some days only, and the job may have waited for longer: one
        that is refused is asked for anew, once.
        """
        try:
            return clips, [await self._file(job, clip) for clip in clips]
        except Rejected as error:
            log.info("job %s: asking for its clips again: %s", job.short_id, error)
            found = await self._provider.look([job.task_uuid])
            fresh = renewed(clips, found[job.task_uuid].results if found else ())
            if not fresh:
                raise
        await self._store.refresh_clips(fresh)
        clips = await self._store.clips(job.id)
        return clips, [await self._file(job, clip) for clip in clips]

    async def _file(self, job: Job, clip: Clip) -> Original:
        """Return the clip's file, downloading and judging it if it is not here yet."""
        path = self._files.path(clip)
        if is_new := not path.exists():
            await self._provider.fetch(clip.url, path)
        try:
            facts = await asyncio.to_thread(probe, path)
        except ClipBroken:
            path.unlink(missing_ok=True)
            raise
        if is_new and (odd := oddity(job.order, facts)):
            log.warning("job %s: not what was ordered, delivered still: %s", job.short_id, odd)
        return Original(path, facts)

    async def _receipt(self, job: Job) -> str:
        statement = await self._accounts.receipt(job, self._timetable.clock())
        return "" if statement is None else posting_words.receipt(statement, job.wish.locale)


def oddity(order: Order, facts: Facts) -> str:
    """Say in what a clip is not what was ordered; "" where it is."""
    odd = []
    if order.width is not None and (facts.width, facts.height) != (order.width, order.height):
        odd.append(f"{facts.width}x{facts.height} instead of {order.width}x{order.height}")
    if abs(facts.duration - order.duration) > _OFF_BY:
        odd.append(f"{facts.duration:.2f} s instead of {order.duration:g} s")
    return ", ".join(odd)


def renewed(clips: Sequence[Clip], results: Sequence[Result]) -> list[Clip]:
    """Return the clips that the service lists under another address now, with that address.

    A clip is known by its UUID; where the service has given it a new one, by its place.
    """
    known = {clip.video_uuid for clip in clips}
    by_uuid = {result.video_uuid: result for result in results}
    by_place = {
        place: result for place, result in enumerate(results) if result.video_uuid not in known
    }
    fresh = []
    for clip in clips:
        result = by_uuid.get(clip.video_uuid) or by_place.get(clip.ordinal)
        if result is not None and result.url != clip.url:
            fresh.append(replace(clip, url=result.url))
    return fresh
