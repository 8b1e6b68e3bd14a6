"""What a wish would come to: how its picture is cut, and what it costs. Nothing is held or kept.

It refuses what `intake.py` would refuse at that moment for the sake of the picture or an option.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from bot import image
from bot.catalog import Model
from bot.errors import DarkroomBroken, NotAccepting
from bot.framing import Size
from bot.lifecycle import Order
from bot.media import Media
from bot.options import Options
from bot.preview import Preview
from bot.turnstile import Turnstile
from bot.wish import Fit, Picture

log = logging.getLogger(__name__)

Show = Callable[[bytes, image.Rules, Size | None, Fit], Awaitable[Preview]]
Prices = Callable[[Iterable[Order]], Awaitable[list[int]]]
"""What would be held for orders; raises `UserError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What would be made."""

    jpeg: bytes
    """To show: what is kept of the picture."""
    kept: float
    """How much of its area that is, over 0 to 1."""
    order: Order
    price_micro: int
    """What would be held for it now."""


class Rehearsal:
    """`show` draws a preview by the `rules`, elsewhere."""

    def __init__(
        self,
        media: Media,
        model: Model,
        rules: image.Rules,
        *,
        show: Show,
        prices: Prices,
        turnstile: Turnstile,
    ) -> None:
        self._media = media
        self._model = model
        self._rules = rules
        self._show = show
        self._prices = prices
        self._turnstile = turnstile
        self._one_at_a_time = asyncio.Lock()

    async def of(self, member_id: int, picture: Picture, options: Options) -> Rehearsed:
        """Return what these options make of a member's picture. Raises `UserError`."""
        wish = options.wish("")
        size = self._model.size_of(wish.shape)
        self._order(options, size)
        # One at a time: it is a courtesy, and those who pay go first.
        async with self._turnstile.passing(member_id, self._one_at_a_time):
            data = await self._media.fetch(picture.url)
            try:
                preview = await self._show(data, self._rules, size, wish.fit)
            except DarkroomBroken as error:
                log.critical("nothing is accepted: %s", error)
                raise NotAccepting from error
        order = self._order(options, preview.size if self._model.sizes else None)
        (price,) = await self._prices([order])
        return Rehearsed(jpeg=preview.jpeg, kept=preview.kept, order=order, price_micro=price)

    def _order(self, options: Options, size: Size | None) -> Order:
        return self._model.order(
            size=size,
            duration=options.duration,
            guidance=options.guidance,
            results=options.results,
            prompt=options.prompt,
            negative_prompt=options.negative,
            seed=options.seed,
        )
