"""What `/animate` offers for a model: the options in Discord's picker, their ranges and choices.

Made from the model's record, so that people see what the model can do, and nothing else.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import discord
from discord import app_commands

from bot import picker
from bot.catalog import AUTO, Model, Policy, TextRule
from bot.wish import Fit

LONGEST_TEXT = 2000
"""Characters; the most that an option is offered with."""


def with_options(callback: Callable[..., Any], model: Model) -> Callable[..., Any]:
    """Return the callback of a command as one that takes the options that `model` has."""
    parameters = list(_parameters(model))
    signature = inspect.signature(callback)
    interaction = next(iter(signature.parameters.values()))
    callback.__signature__ = signature.replace(parameters=[interaction, *parameters])  # type: ignore[attr-defined]
    described = {parameter.name: picker.OPTIONS[parameter.name] for parameter in parameters}
    callback = app_commands.describe(**described)(callback)
    return app_commands.choices(**_choices(model))(callback)


def _parameters(model: Model) -> Iterator[inspect.Parameter]:
    """List the options in the order in which people see them, the required ones first."""
    yield _option("image", discord.Attachment, is_required=True)
    yield from _text("prompt", model.prompt)
    if len(model.durations) > 1:
        yield _option("duration", float)
    if model.sizes:
        yield _option("shape", str)
        yield _option("fit", str)
    if model.guidance is not None:
        reach = app_commands.Range[float, model.guidance.least, model.guidance.most]
        yield _option("guidance", reach)
    yield from _text("negative", model.negative_prompt)
    if model.seed is not None:
        yield _option("seed", app_commands.Range[int, model.seed.least, model.seed.most])
    if model.most_results > 1:
        yield _option("results", app_commands.Range[int, 1, model.most_results])
    for name in ("private", "spoiler", "preview"):
        yield _option(name, bool)


def _text(name: str, rule: TextRule) -> Iterator[inspect.Parameter]:
    if rule.policy is not Policy.ABSENT:
        kind = app_commands.Range[str, rule.least, min(rule.most, LONGEST_TEXT)]
        yield _option(name, kind, is_required=rule.policy is Policy.REQUIRED)


def _option(name: str, kind: Any, *, is_required: bool = False) -> inspect.Parameter:
    default = inspect.Parameter.empty if is_required else None
    annotation = kind if is_required else kind | None
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _choices(model: Model) -> dict[str, list[app_commands.Choice[Any]]]:
    choices: dict[str, list[app_commands.Choice[Any]]] = {}
    if len(model.durations) > 1:
        choices["duration"] = [
            app_commands.Choice(name=picker.duration_choice(duration), value=float(duration))
            for duration in model.durations
        ]
    if model.sizes:
        named = [app_commands.Choice(name=name, value=name) for name in model.shapes]
        choices["fit"] = [app_commands.Choice(name=picker.FITS[fit], value=f"{fit}") for fit in Fit]
        choices["shape"] = [app_commands.Choice(name=picker.SHAPE_AUTO, value=AUTO), *named]
    return choices
