"""Tries a model on the video service by dry runs, which make nothing and cost nothing.

Owns what is asked for in a trial, and the search for a model that is accepted. Judges nothing:
`check.py` puts what comes of it into words.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot import image
from bot.catalog import Model, Policy
from bot.errors import ProviderError, Rejected
from bot.lifecycle import Order
from bot.provider import Provider

PICTURE = Path(__file__).with_name("demo.jpg")
_PROMPT = "A gentle breeze."
_MOST_PIXELS = 64_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """What one clip costs: as the service says, if it does, and as the record has it."""

    duration: float
    told_micro: int | None
    known_micro: int


async def prices(provider: Provider, model: Model) -> list[Price]:
    """Return the price of one clip of each duration. Raises `Rejected` if the model is refused.

    Raises another `ProviderError` where that cannot be learnt.
    """
    jpeg, size = await asyncio.to_thread(_first_frame, model)
    found = []
    for duration in model.durations:
        order = _order(model, size, duration)
        told = await provider.price(order, jpeg)
        found.append(Price(duration, told, model.quote_micro(order)))
    return found


async def accepted(provider: Provider, models: Iterable[Model]) -> Model | None:
    """Return the first of the models that the service accepts."""
    for model in models:
        try:
            await prices(provider, model)
        except Rejected:
            continue
        except ProviderError:
            return None
        return model
    return None


def _first_frame(model: Model) -> tuple[bytes, tuple[int, int] | None]:
    rules = image.Rules(
        sizes=model.sizes,
        least_side=model.picture.least_side,
        most_side=model.picture.most_side,
        most_pixels=_MOST_PIXELS,
    )
    frame = image.prepare(PICTURE.read_bytes(), rules)
    return frame.jpeg, frame.size if model.sizes else None


def _order(model: Model, size: tuple[int, int] | None, duration: float) -> Order:
    prompt = None
    if model.prompt.policy is Policy.REQUIRED:
        prompt = _PROMPT.ljust(model.prompt.least, ".")[: model.prompt.most]
    return model.order(size=size, duration=duration, prompt=prompt)
