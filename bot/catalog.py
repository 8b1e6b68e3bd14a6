"""What a model can do, and what it costs: one record per model, read from `catalog.json`.

The only place that knows a model's options; `/animate`, the checks, the request and the quote are
all made from the record, so another model is another record. Pure: it is handed the file's text.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from math import gcd
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from bot.errors import OptionRefused, SettingsError
from bot.lifecycle import Order
from bot.money import to_micro
from bot.tongue import tongue

AUTO = "auto"
"""The shape that follows the picture."""
_CLOSE = 1e-6
_PRICES = ("price_usd", "price_usd_per_second")

Price = Annotated[Decimal, Field(gt=0, lt=10_000)]
Count = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, lt=3600)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Policy(StrEnum):
    """Whether the model takes a text."""

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
    step: float = Field(gt=0)
    default: float

    @model_validator(mode="after")
    def _fits_itself(self) -> Self:
        if not self.least <= self.default <= self.most:
            raise ValueError("the default is not within the range")
        return self

    def allows(self, value: object, *, is_exact: bool = False) -> bool:
        """Whether `value`, which may be anything, is in the range, and if `is_exact` on a step."""
        if not isinstance(value, int | float) or not self.least <= value <= self.most:
            return False
        return not is_exact or math.isclose(value, self.nearest(value), abs_tol=_CLOSE)

    def nearest(self, value: float) -> float:
        """Return the step next to a value of the range."""
        return round(self.least + round((value - self.least) / self.step) * self.step, 6)


class TextRule(_Record):
    """Whether a prompt is taken, and its length in characters."""

    policy: Policy
    least: Count = 1
    most: Count = 2500

    @model_validator(mode="after")
    def _fits_itself(self) -> Self:
        if self.least > self.most:
            raise ValueError("the least is above the most")
        return self


class SeedRule(_Record):
    """What seeds are taken."""

    least: int
    most: int = Field(le=2**53)  # Discord's numbers go no further

    def allows(self, value: int) -> bool:
        """Whether `value` is in the range."""
        return self.least <= value <= self.most


class PictureRule(_Record):
    """What the service takes as the first frame: pixels per side, bytes."""

    least_side: Count
    most_side: Count
    most_bytes: Count


class Model(_Record):
    """One model of the service."""

    id: str = Field(min_length=1)
    title: str = Field(min_length=1)
    state: ModelState
    source: str
    """Where these facts are from, and which of them are inferred."""
    sizes: tuple[tuple[Count, Count], ...]
    """Width and height in pixels; empty means that the size follows the picture."""
    durations: tuple[Seconds, ...] = Field(min_length=1)
    """The first is the default."""
    guidance: Guidance | None
    prompt: TextRule
    negative_prompt: TextRule
    seed: SeedRule | None
    """None: every clip has a seed of the service's choice, which it tells."""
    output_formats: tuple[str, ...] = Field(min_length=1)
    """As the service names them: "MP4"."""
    most_results: int = Field(ge=1, le=10)  # files in one message of Discord
    picture: PictureRule
    price_usd: dict[str, Price] = {}
    """Per clip, by duration in seconds; or else:"""
    price_usd_per_second: Price | None = None
    fps: Count

    @model_validator(mode="after")
    def _every_duration_has_one_price(self) -> Self:
        if bool(self.price_usd) == (self.price_usd_per_second is not None):
            raise ValueError("needs either price_usd or price_usd_per_second")
        missing = [seconds(d) for d in self.durations if seconds(d) not in self.price_usd]
        if self.price_usd and missing:
            raise ValueError(f"no price for a duration of {', '.join(missing)} s")
        return self

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Return the sizes under the names that people choose by: "wide 16:9", "square 1:1"."""
        often = Counter(shape_name(*size) for size in self.sizes)
        named = {}
        for size in self.sizes:
            name = shape_name(*size)
            named[name if often[name] == 1 else f"{name} {min(size)}p"] = size
        return named

    def size_of(self, shape: str) -> tuple[int, int] | None:
        """Return the size of a shape that people choose; None: it follows the picture.

        Raises `OptionRefused`.
        """
        if shape == AUTO:
            return None
        if shape not in self.shapes:
            raise OptionRefused("shape", _listed([AUTO, *self.shapes]))
        return self.shapes[shape]

    def order(
        self,
        *,
        size: tuple[int, int] | None,
        duration: float | None = None,
        guidance: float | None = None,
        results: int | None = None,
        prompt: str | None = None,
        negative_prompt: str | None = None,
        seed: int | None = None,
    ) -> Order:
        """Return what will be sent, with the defaults filled in. Raises `OptionRefused`."""
        duration = self.durations[0] if duration is None else duration
        if duration not in self.durations:
            raise self.no_duration()
        if results is not None and results not in range(1, self.most_results + 1):
            raise OptionRefused("results", _span(1, self.most_results))
        if size is not None and size not in self.sizes:
            raise OptionRefused("shape", _listed(self.shapes))
        self._check_seed(seed)
        return Order(
            model=self.id,
            width=size[0] if size else None,
            height=size[1] if size else None,
            duration=duration,
            results=results or 1,
            guidance=self._guidance(guidance),
            prompt=_text("prompt", prompt, self.prompt),
            negative_prompt=_text("negative", negative_prompt, self.negative_prompt),
            seed=seed,
        )

    def no_duration(self) -> OptionRefused:
        """Return the refusal of a duration that the model does not have."""
        say = tongue()
        either = say("or")
        all_of_them = f" {either} ".join(map(seconds, self.durations))
        return OptionRefused("duration", say("{seconds} seconds", seconds=all_of_them))

    def _guidance(self, value: float | None) -> float | None:
        rule = self.guidance
        if rule is None:
            if value is not None:
                say = tongue()
                raise OptionRefused("guidance", say("nothing; this model has none"))
            return None
        if value is None:
            return rule.default
        if not rule.allows(value):
            raise OptionRefused("guidance", _span(f"{rule.least:g}", f"{rule.most:g}"))
        return rule.nearest(value)

    def _check_seed(self, value: int | None) -> None:
        if value is None:
            return
        if self.seed is None:
            say = tongue()
            raise OptionRefused("seed", say("nothing; this model chooses its own"))
        if not self.seed.allows(value):
            raise OptionRefused("seed", _span(self.seed.least, self.seed.most))

    @property
    def least_price_micro(self) -> int:
        """Return the price of the cheapest clip, in micro-dollars."""
        return min(map(self.price_micro, self.durations))

    def price_micro(self, duration: float) -> int:
        """Return the price of one clip of a duration that the model has, in micro-dollars."""
        if self.price_usd_per_second is not None:
            return to_micro(self.price_usd_per_second * Decimal(seconds(duration)))
        return to_micro(self.price_usd[seconds(duration)])

    def quote_micro(self, order: Order) -> int:
        """Return what the clips of `order` should cost, in micro-dollars."""
        return self.price_micro(order.duration) * order.results


def _text(option: str, text: str | None, rule: TextRule) -> str | None:
    say = tongue()
    text = (text or "").strip()
    if rule.policy is Policy.ABSENT and text:
        if option == "prompt":
            raise OptionRefused(option, say("nothing; this model takes no prompt"))
        raise OptionRefused(option, say("nothing; this model takes no negative prompt"))
    if not text and rule.policy is not Policy.REQUIRED:
        return None
    if not rule.least <= len(text) <= rule.most:
        span = _span(rule.least, rule.most)
        raise OptionRefused(option, say("{span} characters", span=span))
    return text


def _span(least: float | str, most: float | str) -> str:
    say = tongue()
    return say("{least} to {most}", least=least, most=most)


def _listed(shapes: Iterable[str]) -> str:
    """List shapes as they are offered: the word of "wide 16:9" is said in the reader's language."""
    say = tongue()
    return ", ".join(" ".join(map(say, name.split())) for name in shapes)


def seconds(duration: float) -> str:
    """Write a duration in seconds as the price list does: 5.0 → "5"."""
    return f"{duration:g}"


def shape_name(width: int, height: int) -> str:
    """Name a size: "wide 16:9"."""
    word = "square" if width == height else "wide" if width > height else "tall"
    divisor = gcd(width, height)
    return f"{word} {width // divisor}:{height // divisor}"


def parse(text: str, own: str | None = None) -> dict[str, Model]:
    """Read the catalogue, and over it the operator's `own`: its records override or add to ours.

    Raises pydantic's `ValidationError` for ours, `SettingsError` by record and field for theirs.
    """
    models = TypeAdapter(tuple[Model, ...]).validate_json(text)
    known = {model.id: model for model in models}
    return known if own is None else known | _own(json.loads(text), own)


def _own(ours: list[dict[str, Any]], text: str) -> dict[str, Model]:
    bases = {record["id"]: record for record in ours}
    try:
        records = TypeAdapter(list[dict[str, Any]]).validate_json(text)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].rstrip(".")
        raise SettingsError((f"ANIMATE_CATALOG: is no list of records: {reason}.",)) from None
    models: dict[str, Model] = {}
    problems = []
    for number, record in enumerate(records, 1):
        name = str(record.get("id", f"number {number}"))
        base = bases.get(name, {})
        if any(price in record for price in _PRICES):
            base = {field: value for field, value in base.items() if field not in _PRICES}
        try:
            models[name] = Model.model_validate_json(json.dumps(base | record))
        except ValidationError as error:
            problems += [_problem(name, detail["loc"], detail["msg"]) for detail in error.errors()]
    if problems:
        raise SettingsError(tuple(problems))
    return models


def _problem(name: str, place: tuple[int | str, ...], reason: str) -> str:
    field = f", field {'.'.join(map(str, place))}" if place else ""
    reason = reason.removeprefix("Value error, ").rstrip(".")
    return f"ANIMATE_CATALOG: record {name}{field}: {reason[:1].lower()}{reason[1:]}."
