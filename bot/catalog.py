"""What a model can do, and what it costs: one record per model, read from `catalog.json`.

The only place that knows a model's options; `/animate`, the checks, the request and the quote are
all made from the record, so another model is another record. Pure: it is handed the file's text.
"""

from decimal import Decimal
from enum import StrEnum
from math import gcd
from typing import Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, model_validator

from bot.errors import OptionRefused
from bot.ledger import to_micro
from bot.lifecycle import Order

AUTO = "auto"
"""The shape that follows the picture."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Policy(StrEnum):
    """Whether the model takes a prompt."""

    ABSENT = "absent"
    OPTIONAL = "optional"
    REQUIRED = "required"


class ModelState(StrEnum):
    """Whether the service still offers the model."""

    LIVE = "live"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


class Guidance(_Record):
    """CFGScale: `least` to `most` in steps."""

    least: float
    most: float
    step: float
    default: float

    def allows(self, value: object) -> bool:
        """Whether `value` is a number within the range; what comes in may be anything."""
        return isinstance(value, int | float) and self.least <= value <= self.most


class PromptRule(_Record):
    """Whether a prompt is taken, and its length in characters."""

    policy: Policy
    least: int = 1
    most: int = 2500


class PictureRule(_Record):
    """What the service takes as the first frame: pixels per side, bytes."""

    least_side: int
    most_side: int
    most_bytes: int


class Model(_Record):
    """One model of the service."""

    id: str
    title: str
    state: ModelState
    sizes: tuple[tuple[int, int], ...]
    """Width and height in pixels; empty means that the size follows the picture."""
    durations: tuple[float, ...]
    """Seconds; the first is the default."""
    guidance: Guidance | None
    prompt: PromptRule
    negative_prompt: bool
    most_results: int
    picture: PictureRule
    price_usd: dict[str, Decimal]
    """Per clip, by duration."""
    fps: int

    @model_validator(mode="after")
    def _every_duration_has_a_price(self) -> Self:
        missing = [seconds(d) for d in self.durations if seconds(d) not in self.price_usd]
        if missing:
            raise ValueError(f"no price for a duration of {', '.join(missing)} s")
        return self

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Return the sizes under the names that people choose by: "wide 16:9", "square 1:1"."""
        return {shape_name(width, height): (width, height) for width, height in self.sizes}

    def order(
        self,
        *,
        size: tuple[int, int] | None,
        duration: float | None = None,
        guidance: float | None = None,
        results: int | None = None,
        prompt: str | None = None,
        negative_prompt: str | None = None,
    ) -> Order:
        """Return what will be sent, with the defaults filled in. Raises `OptionRefused`."""
        duration = self.durations[0] if duration is None else duration
        if duration not in self.durations:
            raise OptionRefused("duration", " or ".join(map(seconds, self.durations)) + " seconds")
        if results is not None and results not in range(1, self.most_results + 1):
            raise OptionRefused("results", f"1 to {self.most_results}")
        if size is not None and size not in self.sizes:
            raise OptionRefused("shape", ", ".join(self.shapes))
        return Order(
            model=self.id,
            width=size[0] if size else None,
            height=size[1] if size else None,
            duration=duration,
            results=results or 1,
            guidance=self._guidance(guidance),
            prompt=self._prompt(prompt),
            negative_prompt=self._negative(negative_prompt),
        )

    def _guidance(self, value: float | None) -> float | None:
        rule = self.guidance
        if rule is None:
            if value is not None:
                raise OptionRefused("guidance", "nothing; this model has none")
            return None
        if value is None:
            return rule.default
        if not rule.allows(value):
            raise OptionRefused("guidance", f"{rule.least:g} to {rule.most:g}")
        return round(rule.least + round((value - rule.least) / rule.step) * rule.step, 6)

    def _prompt(self, text: str | None) -> str | None:
        text = (text or "").strip()
        rule = self.prompt
        if rule.policy is Policy.ABSENT and text:
            raise OptionRefused("prompt", "nothing; this model takes no prompt")
        if rule.policy is Policy.ABSENT or (not text and rule.policy is Policy.OPTIONAL):
            return None
        if not rule.least <= len(text) <= rule.most:
            raise OptionRefused("prompt", f"{rule.least} to {rule.most} characters")
        return text

    def _negative(self, text: str | None) -> str | None:
        text = (text or "").strip()
        if text and not self.negative_prompt:
            raise OptionRefused("negative", "nothing; this model takes no negative prompt")
        return text or None

    @property
    def least_price_micro(self) -> int:
        """Return the price of the cheapest clip, in micro-dollars."""
        return min(map(to_micro, self.price_usd.values()))

    def quote_micro(self, order: Order) -> int:
        """Return what the clips of `order` should cost, in micro-dollars."""
        return to_micro(self.price_usd[seconds(order.duration)]) * order.results


def seconds(duration: float) -> str:
    """Write a duration in seconds as the price list does: 5.0 → "5"."""
    return f"{duration:g}"


def shape_name(width: int, height: int) -> str:
    """Name a size: "wide 16:9"."""
    word = "square" if width == height else "wide" if width > height else "tall"
    divisor = gcd(width, height)
    return f"{word} {width // divisor}:{height // divisor}"


def parse(text: str) -> dict[str, Model]:
    """Read the catalogue. Raises pydantic's `ValidationError`."""
    models = TypeAdapter(tuple[Model, ...]).validate_json(text)
    return {model.id: model for model in models}
