"""The form with a clip's options, made from the model's record: it asks for what the model has.

Discord takes five questions. A form lives in memory, for as long as somebody may be filling it in.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import discord
from discord import CheckboxGroupOption, RadioGroupOption
from discord.ui import CheckboxGroup, Item, Label, Modal, RadioGroup, TextInput

from bot import door_words
from bot.catalog import AUTO, Model, Policy
from bot.options import Options
from bot.wish import Fit

Interaction = discord.Interaction[Any]
Then = Callable[[Interaction, Options], Awaitable[None]]

_PATIENCE = 15 * 60
"""Seconds after which nobody fills it in any more."""
_LONGEST = 2000
_PRIVATE, _SPOILER = "private", "spoiler"


class Form(Modal):
    """Asks for the options, with those filled in that are `chosen`; `then` gets the answers.

    What it does not ask for stays as it was chosen.
    """

    def __init__(self, model: Model, chosen: Options, then: Then) -> None:
        super().__init__(title=door_words.form_title(model), timeout=_PATIENCE)
        self._then = then
        self._chosen = chosen
        self._items: dict[str, Any] = dict(_items(model, chosen))
        asked = door_words.questions()
        for name, item in self._items.items():
            self.add_item(Label(text=asked[name], component=item))

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Hand the answers on."""
        await self._then(interaction, self.answers())

    def answers(self) -> Options:
        """Return what was filled in."""
        given: dict[str, Any] = {
            name: read(self._items[name].value)
            for name, read in (("prompt", str), ("duration", float), ("shape", str), ("fit", Fit))
            if name in self._items and self._items[name].value
        }
        more = self._items["more"].values
        return replace(
            self._chosen, **given, is_private=_PRIVATE in more, is_spoiler=_SPOILER in more
        )


def _items(model: Model, chosen: Options) -> Iterator[tuple[str, Item[Any]]]:
    if model.prompt.policy is not Policy.ABSENT:
        yield "prompt", _prompt(model, chosen)
    if len(model.durations) > 1:
        now = chosen.duration or model.durations[0]
        named = ((f"{one:g}", door_words.priced(model, one)) for one in model.durations)
        yield "duration", _radio(named, f"{now:g}")
    if model.sizes:
        shapes = ((name, door_words.shape(name)) for name in (AUTO, *model.shapes))
        yield "shape", _radio(shapes, chosen.shape or AUTO)
        fits = ((f"{fit}", door_words.fit(fit)) for fit in Fit)
        yield "fit", _radio(fits, chosen.fit or Fit.CROP)
    yield "more", _more(chosen)


def _prompt(model: Model, chosen: Options) -> TextInput[Any]:
    rule = model.prompt
    return TextInput(
        custom_id="prompt",
        style=discord.TextStyle.paragraph,
        default=chosen.prompt,
        required=rule.policy is Policy.REQUIRED,
        min_length=rule.least if rule.policy is Policy.REQUIRED else None,
        max_length=min(rule.most, _LONGEST),
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
