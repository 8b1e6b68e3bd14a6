"""The first half of the corridor: a wish in, a durable job with its hold out, or a refusal.

Every door ends in `Intake.accept`. Nothing is paid here; until the one transaction at the end,
nothing is left behind either. `pipeline.py` goes on from the job.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

from bot import ids, image, words
from bot.answers import Answer
from bot.catalog import Model
from bot.delivery import Delivery
from bot.errors import (
    AccountPaused,
    ConsentNeeded,
    DarkroomBroken,
    NotAccepting,
    PictureProblem,
    PictureRefused,
    QueueFull,
    StoreError,
    StoreTrouble,
    UserError,
)
from bot.framing import Size
from bot.gate import Gate
from bot.lifecycle import Job, Order
from bot.media import Media
from bot.money import usd
from bot.pictures import Pictures
from bot.policies import Policies
from bot.policy import Asker
from bot.rules import Limits
from bot.status import Reply
from bot.store import Admitted, Store
from bot.turnstile import Turnstile
from bot.wish import PLAIN, Door, Fit, Origin, Wish

log = logging.getLogger(__name__)

_PREPARED_AT_ONCE = 2
"""Pictures fetched and decoded at a time: two cores' worth, and a bound on memory."""
_AT_ONCE = 1.0
"""Seconds within which a person must hear of what is refused at once; Discord gives three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A person's wish, from any door."""

    source: str
    """Unique per wish: "interaction:123"."""
    guild_id: int
    channel_id: int
    parent_channel_id: int | None = None
    """Of a public thread, the channel that it belongs to."""
    place_ids: tuple[int, ...] = ()
    """What the channel lies in: of any thread its channel, and the category."""
    member_id: int
    role_ids: tuple[int, ...] = ()
    """The member's roles at this moment."""
    status_message_id: int | None
    """None where there is none, and where only the interaction's token reaches it."""
    picture_url: str = ""
    """From Discord's own payload; never typed by a person."""
    again_of: str = ""
    """The job whose picture it is, where there is no address."""
    door: Door = Door.COMMAND
    picture: Origin | None = None
    """Where the picture is in a channel already."""
    has_consent: bool = False
    """The author of the picture has said yes to this wish; `consent.py` alone says so."""
    wish: Wish = PLAIN
    duration: float | None = None
    guidance: float | None = None
    results: int | None = None
    prompt: str | None = None
    negative: str | None = None
    seed: int | None = None
    answer: Answer | None = None
    """The private answer that shows the status, in the place of a message."""
    reply: Reply | None = None
    """Edits the status message through the interaction, while that lives."""

    @property
    def asker(self) -> Asker:
        """Who asks, where, and for whose picture."""
        return Asker(
            member_id=self.member_id,
            role_ids=self.role_ids,
            place_ids=(self.channel_id, *self.place_ids),
            author_id=self.member_id if self.picture is None else self.picture.author_id,
            has_agreed=self.has_consent,
        )


AskAuthor = Callable[[Ask], Awaitable[NoReturn]]
"""Asks the author of the picture, and raises what who asks is to hear."""
PictureOf = Callable[[Ask], Awaitable[bytes]]
"""Gets the picture of an earlier job back, as a file's bytes, or raises `UserError`."""


def picture_rules(model: Model, most_pixels: int) -> image.Rules:
    """Return what becomes of pictures for a model, and which of them are refused."""
    return image.Rules(
        sizes=model.sizes,
        least_side=model.picture.least_side,
        most_side=model.picture.most_side,
        most_pixels=most_pixels,
    )


async def _no_picture(_: Ask) -> bytes:
    raise PictureRefused(PictureProblem.GONE)


Prepare = Callable[[bytes, image.Rules, Size | None, Fit], Awaitable[image.Frame]]


async def in_a_thread(data: bytes, rules: image.Rules, size: Size | None, fit: Fit) -> image.Frame:
    """Do as the darkroom does, without its processes."""
    return await asyncio.to_thread(image.prepare, data, rules, size, fit)


class Intake:
    """`clock` returns Unix milliseconds, `new_uuid` a fresh UUID v4; `wake` tells the worker."""

    def __init__(
        self,
        *,
        store: Store,
        policies: Policies,
        gate: Gate,
        media: Media,
        delivery: Delivery,
        pictures: Pictures,
        model: Model,
        limits: Limits,
        most_pixels: int,
        queue_most: int,
        clock: Callable[[], int],
        new_uuid: Callable[[], str],
        wake: Callable[[], None],
        prepare: Prepare = in_a_thread,
        ask_author: AskAuthor | None = None,
        picture_of: PictureOf = _no_picture,
    ) -> None:
        self._store = store
        self._policies = policies
        self._gate = gate
        self._media = media
        self._delivery = delivery
        self._pictures = pictures
        self._model = model
        self._limits = limits
        self._picture_rules = picture_rules(model, most_pixels)
        self._queue_most = queue_most
        self._clock = clock
        self._new_uuid = new_uuid
        self._wake = wake
        self._prepare = prepare
        self.ask_author = ask_author
        self._picture_of = picture_of
        self.turnstile = Turnstile(clock)
        self._preparing = asyncio.Semaphore(_PREPARED_AT_ONCE)
        self._asking: set[asyncio.Task[object]] = set()
        """Who asks for something now, until they have heard what became of it."""
        self.is_open = True

    def shut(self) -> None:
        """Take nothing new, not even what waits in line."""
        self.is_open = False
        self.turnstile.shut()

    async def close(self, patience: float) -> None:
        """Be shut; let those hear who ask now, for at most `patience` seconds."""
        self.shut()
        if self._asking:
            await asyncio.wait(self._asking, timeout=patience)

    def check(self, picture_size: int) -> None:
        """Refuse at once what needs no look at the picture. `picture_size` is the declared bytes.

        The task that calls it is to tell the person, and then to end: `close` waits for that.
        Raises `UserError`.
        """
        self._note_who_asks()
        self._check_open()
        self._media.check_size(picture_size)

    async def admit(self, guild_id: int, asker: Asker) -> None:
        """Refuse at once what the server's own rules do not let pass. Raises `UserError`.

        A courtesy, for `accept` asks again: without an answer in time, or where the author of the
        picture has to be asked, the wish goes on.
        """
        with contextlib.suppress(TimeoutError, ConsentNeeded):
            async with asyncio.timeout(_AT_ONCE):
                await self._check_rules(guild_id, asker)

    async def accept(self, ask: Ask) -> Admitted:
        """Prepare the picture, then book the job and its hold, both or none. Raises `UserError`."""
        try:
            return await self._accept(ask)
        except ConsentNeeded:
            if self.ask_author is None:
                raise
            return await self.ask_author(ask)

    async def _accept(self, ask: Ask) -> Admitted:
        assert ask.answer is None or ask.status_message_id is None, "it is shown in one place"
        self._check_open()
        size = self._model.size_of(ask.wish.shape)
        self._order(ask, size)  # an option that is wrong should not cost a download
        async with self.turnstile.passing(ask.member_id, self._preparing):
            self._check_open()  # it may have been a long wait
            await self._check_rules(ask.guild_id, ask.asker)
            data = await self._picture(ask)
            frame = await self._frame(data, size, ask.wish.fit)
        order = self._order(ask, frame.size if self._model.sizes else None)
        job = self._job(ask, order)
        try:
            await self._check_queue()
            await asyncio.to_thread(self._pictures.keep, job.id, frame.jpeg)
            admitted = await self._store.accept(job, self._limits, ask.answer)
        except UserError:
            await asyncio.to_thread(self._pictures.drop, job.id)
            raise
        except (StoreError, OSError) as error:
            await asyncio.to_thread(self._pictures.drop, job.id)
            _tell(error)
            raise NotAccepting from error
        if not admitted.is_new:
            await asyncio.to_thread(self._pictures.drop, job.id)
            return admitted
        job = admitted.job
        log.info("job %s: accepted, %s held", job.short_id, usd(job.quote_micro))
        self._delivery.show(job, words.queued(job, admitted.ahead), ask.reply)
        self._wake()
        return admitted

    async def price(self, ask: Ask, size: tuple[int, int] | None) -> int:
        """Return what would be held for a wish, micro-dollars. Raises `UserError`.

        `size` is that of the clip, as far as it is known.
        """
        (price,) = await self.prices(
            [self._order(ask, self._model.size_of(ask.wish.shape) or size)]
        )
        return price

    async def prices(self, orders: Iterable[Order]) -> list[int]:
        """Return what would be held for each of these orders, micro-dollars.

        Raises `NotAccepting`.
        """
        quoted = [(order, self._model.quote_micro(order)) for order in orders]
        try:
            return await self._store.prices(quoted, self._clock())
        except StoreError as error:
            _tell(error)
            raise NotAccepting from error

    async def _picture(self, ask: Ask) -> bytes:
        if ask.again_of:
            return await self._picture_of(ask)
        return await self._media.fetch(ask.picture_url)

    def _note_who_asks(self) -> None:
        if (asking := asyncio.current_task()) is not None:
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)

    def _check_open(self) -> None:
        if not self.is_open:
            raise NotAccepting
        if self._gate.needs_owner:
            raise AccountPaused

    async def _check_rules(self, guild_id: int, asker: Asker) -> None:
        try:
            await self._policies.admit(guild_id, asker)
        except StoreError as error:
            _tell(error)
            raise NotAccepting from error

    async def _check_queue(self) -> None:
        """Refuse where the service does not answer and as many wait for it as may."""
        if not self._gate.is_open and await self._store.waiting() >= self._queue_most:
            raise QueueFull

    async def _frame(self, data: bytes, size: Size | None, fit: Fit) -> image.Frame:
        try:
            return await self._prepare(data, self._picture_rules, size, fit)
        except DarkroomBroken as error:
            log.critical("nothing is accepted: %s", error)
            raise NotAccepting from error

    def _order(self, ask: Ask, size: tuple[int, int] | None) -> Order:
        return self._model.order(
            size=size,
            duration=ask.duration,
            guidance=ask.guidance,
            results=ask.results,
            prompt=ask.prompt,
            negative_prompt=ask.negative,
            seed=ask.seed,
        )

    def _job(self, ask: Ask, order: Order) -> Job:
        now = self._clock()
        return Job(
            id=ids.job_id(now, self._new_uuid()),
            source=ask.source,
            task_uuid=ids.task_uuid(now, self._new_uuid()),
            guild_id=ask.guild_id,
            channel_id=ask.channel_id,
            parent_channel_id=ask.parent_channel_id,
            member_id=ask.member_id,
            role_ids=ask.role_ids,
            status_message_id=ask.status_message_id,
            order=order,
            door=ask.door,
            wish=ask.wish,
            picture=ask.picture,
            quote_micro=self._model.quote_micro(order),
            due_at=now,
            created_at=now,
            updated_at=now,
        )


def _tell(error: StoreError | OSError) -> None:
    """Tell the owner why nothing is accepted, where nobody else does."""
    match error:
        case StoreTrouble():
            pass  # the database tells of it, once
        case OSError():
            log.critical(
                "nothing is accepted: a picture cannot be kept (%s). Is there space?", error
            )
        case _:
            log.error("nothing is accepted: the accounts cannot be written", exc_info=error)
