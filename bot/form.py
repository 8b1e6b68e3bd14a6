"""The form with a clip's options, made from the model's record: it asks for what the model has.

Discord takes five questions; where a model has more, guidance is not asked for. A form lives in
memory, for as long as somebody may be filling it in.
"""

import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import discord
from discord import CheckboxGroupOption, RadioGroupOption
from discord.ui import CheckboxGroup, Item, Label, Modal, RadioGroup, TextInput

from bot import door_words, mishap
from bot.catalog import AUTO, Guidance, Model, Policy
from bot.lifecycle import Order
from bot.options import Options
from bot.wish import Fit

Interaction = discord.Interaction[Any]
Then = Callable[[Interaction, Options], Awaitable[None]]

_PATIENCE = 15 * 60
"""Seconds after which nobody fills it in any more."""
_LONGEST = 4000
"""Characters that Discord takes in a field; what is filled in beyond the field's own it refuses."""
_LONGEST_NUMBER = 6
_MOST_QUESTIONS = 5
_PRIVATE, _SPOILER = "private", "spoiler"


class Form(Modal):
    """Asks for the options, with those filled in that are `chosen`; `then` gets the answers.

    What it does not ask for stays as it was chosen. The prices are by duration.
    """

    def __init__(
        self, model: Model, chosen: Options, prices: Mapping[float, int], then: Then
    ) -> None:
        super().__init__(title=door_words.form_title(prices.values()), timeout=_PATIENCE)
        self._then = then
        self._chosen = chosen
        self._items: dict[str, Any] = dict(_items(model, chosen, prices))
        if len(self._items) > _MOST_QUESTIONS:
            del self._items["guidance"]
        asked = door_words.questions()
        for name, item in self._items.items():
            self.add_item(Label(text=asked[name], component=item))

    @mishap.told
    async def on_submit(self, interaction: Interaction, /) -> None:
        """Hand the answers on."""
        await self._then(interaction, self.answers())

    def answers(self) -> Options:
        """Return what was filled in."""
        given: dict[str, Any] = {
            name: read(self._items[name].value)
            for name, read in _READ
            if name in self._items and self._items[name].value
        }
        for name in ("prompt", "guidance"):
            if name in self._items and name not in given:  # emptied: it is not meant any more
                given[name] = None
        more = self._items["more"].values
        return replace(
            self._chosen, **given, is_private=_PRIVATE in more, is_spoiler=_SPOILER in more
        )


def _number(text: str) -> float:
    """Read what was typed; what is no number is none that any model allows."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return math.nan


_READ: tuple[tuple[str, Callable[[str], Any]], ...] = (
    ("prompt", str),
    ("duration", float),
    ("shape", str),
    ("fit", Fit),
    ("guidance", _number),
)


def variants(model: Model, results: int | None) -> list[Order]:
    """Return an order of each duration in each shape, for who is to know what they cost."""
    sizes = model.sizes or ((None, None),)
    return [
        Order(model=model.id, width=width, height=height, duration=one, results=results or 1)
        for one in model.durations
        for width, height in sizes
    ]


def _items(
    model: Model, chosen: Options, prices: Mapping[float, int]
) -> Iterator[tuple[str, Item[Any]]]:
    if model.prompt.policy is not Policy.ABSENT:
        yield "prompt", _prompt(model, chosen)
    if len(model.durations) > 1:
        now = chosen.duration or model.durations[0]
        named = ((f"{one:g}", door_words.priced(one, prices[one])) for one in model.durations)
        yield "duration", _radio(named, f"{now:g}")
    if model.sizes:
        shapes = ((name, door_words.shape(name)) for name in (AUTO, *model.shapes))
        yield "shape", _radio(shapes, chosen.shape or AUTO)
        fits = ((f"{fit}", door_words.fit(fit)) for fit in Fit)
        yield "fit", _radio(fits, chosen.fit or Fit.CROP)
    if model.guidance is not None:
        yield "guidance", _guidance(model.guidance, chosen)
    yield "more", _more(chosen)


def _prompt(model: Model, chosen: Options) -> TextInput[Any]:
    """Ask for the prompt; of one that is longer than the model takes the beginning is shown."""
    rule = model.prompt
    most = min(rule.most, _LONGEST)
    return TextInput(
        custom_id="prompt",
        style=discord.TextStyle.paragraph,
        default=None if chosen.prompt is None else chosen.prompt[:most],
        required=rule.policy is Policy.REQUIRED,
        min_length=rule.least if rule.policy is Policy.REQUIRED else None,
        max_length=most,
    )


def _guidance(rule: Guidance, chosen: Options) -> TextInput[Any]:
    known = f"{rule.default if chosen.guidance is None else chosen.guidance:g}"
    return TextInput(
        custom_id="guidance",
        default=known,
        placeholder=door_words.reach(rule),
        required=False,
        max_length=max(_LONGEST_NUMBER, len(known)),
    )


def _radio(named: Iterable[tuple[str, str]], now: str) -> RadioGroup[Any]:
    options = [
        RadioGroupOption(label=label, value=value, default=value == now) for value, label in named
    ]
    return RadioGroup(options=options)


def _more(chosen: Options) -> CheckboxGroup[Any]:
    options = [
        CheckboxGroupOption(
            label=door_words.private(), value=_PRIVATE, default=bool(chosen.is_private)
        ),
        CheckboxGroupOption(
            label=door_words.spoiler(), value=_SPOILER, default=bool(chosen.is_spoiler)
        ),
    ]
    return CheckboxGroup(options=options, min_values=0, max_values=len(options), required=False)
