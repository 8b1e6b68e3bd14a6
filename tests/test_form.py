"""The form with a clip's options: what it asks for by model, and what it makes of the answers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest
import simcord
from discord.ext import commands
from simcord import InteractionResult, MemberActor

from bot.catalog import Model
from bot.form import Form, variants
from bot.options import Options
from tests import corridor
from tests.corridor import KLING
from tests.test_catalog import model

PRICES = {5.0: 200_000, 10.0: 400_000}
STANDARD, TURBO, PRO = KLING, "klingai:6@0", "klingai:6@1"


# --- What it asks for ----------------------------------------------------------------------------


async def nothing(*_given: object) -> None:
    """Do nothing with the answers."""


def form_of(of: Model | str, **chosen: Any) -> Form:
    of = corridor.model(of) if isinstance(of, str) else of
    prices = dict.fromkeys(of.durations, 0)
    return Form(of, Options(**chosen), prices, nothing)


def labels(shown: Form) -> list[str]:
    return [one["label"] for one in shown.to_components()]


@pytest.mark.parametrize("name", [STANDARD, TURBO, PRO])
async def test_no_form_asks_more_than_discord_takes(name: str) -> None:
    assert 1 < len(labels(form_of(name))) <= 5


async def test_guidance_is_asked_for_where_there_is_room() -> None:
    assert "How close to the picture?" in labels(form_of(STANDARD))
    assert "How close to the picture?" not in labels(form_of(PRO))


async def test_guidance_is_shown_as_it_was_chosen_and_stays_so() -> None:
    shown = form_of(STANDARD, guidance=0.7)
    (field,) = [one for one in shown.to_components() if "close" in one["label"]]
    assert field["component"]["value"] == "0.7"
    assert field["component"]["placeholder"] == "0 is free, 1 is strict"


LONG = model(prompt={"policy": "optional", "most": 6000})


@pytest.mark.parametrize(
    "of",
    [*map(corridor.model, (STANDARD, TURBO, PRO)), LONG],
    ids=[STANDARD, TURBO, PRO, "a long one"],
)
async def test_what_was_chosen_fits_the_form_however_long_it_is(of: Model) -> None:
    shown = form_of(of, prompt="x" * of.prompt.most, guidance=1 / 3)
    asked = [one["component"] for one in shown.to_components()]
    texts = [one for one in asked if one["type"] == discord.ComponentType.text_input.value]
    assert texts
    assert all(len(one["value"]) <= one["max_length"] <= 4000 for one in texts)


async def test_what_a_message_can_say_can_be_edited_in_the_form() -> None:
    long = "x" * 2500
    (field, *_) = form_of(TURBO, prompt=long).to_components()
    assert field["component"]["value"] == long


async def test_of_a_prompt_that_is_longer_than_the_model_takes_the_beginning_is_shown() -> None:
    brief = model(prompt={"policy": "optional", "most": 5})
    (field, *_) = form_of(brief, prompt="a cat dances").to_components()
    assert field["component"]["value"] == "a cat"


# --- What it makes of the answers ----------------------------------------------------------------


class Asked:
    """A form before a person, and what they have answered."""

    def __init__(self, mia: MemberActor, shown: InteractionResult, answers: list[Options]) -> None:
        self._mia, self._shown, self._answers = mia, shown, answers

    @property
    def text(self) -> str:
        return str(self._shown.modal)

    async def answer(self, **changes: str) -> Options:
        """Change something, and leave the rest as the form shows it."""
        await self._mia.submit_modal(self._shown, self._as_shown() | changes)
        return self._answers[-1]

    def _as_shown(self) -> dict[str, Any]:
        assert self._shown.modal is not None
        values: dict[str, Any] = {}
        for control in (label["component"] for label in self._shown.modal["components"]):
            chosen = [one["value"] for one in control.get("options", ()) if one.get("default")]
            is_radio = control["type"] == discord.ComponentType.radio_group.value
            values[control["custom_id"]] = (
                chosen[0] if is_radio else chosen if "options" in control else control.get("value")
            )
        return {name: value for name, value in values.items() if value is not None}


@asynccontextmanager
async def asked(
    model: Model, chosen: Options, prices: Mapping[float, int] = PRICES
) -> AsyncIterator[Asked]:
    answers: list[Options] = []

    async def then(interaction: discord.Interaction[Any], options: Options) -> None:
        answers.append(options)
        await interaction.response.send_message("thanks")

    bot = commands.Bot(commands.when_mentioned, intents=discord.Intents(guilds=True))

    @bot.tree.command(description="asks")
    async def form(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_modal(Form(model, chosen, prices, then))

    async with simcord.run(bot) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("studio")
        mia = guild.add_member(env.create_user("mia"))
        await bot.tree.sync()
        shown = await mia.slash(channel, "form")
        yield Asked(mia, shown, answers)


async def test_a_prompt_that_is_emptied_is_none() -> None:
    free = model(prompt={"policy": "optional", "most": 50})
    async with asked(free, Options(prompt="a cat")) as form:
        options = await form.answer(prompt="")
    assert not options.prompt
    assert free.order(size=None, prompt=options.prompt).prompt is None


async def test_guidance_that_is_emptied_is_left_to_the_model() -> None:
    async with asked(model(), Options(guidance=0.7)) as form:
        options = await form.answer(guidance="")
    assert options.guidance is None


async def test_what_is_left_as_it_was_stays() -> None:
    free = model(prompt={"policy": "optional", "most": 50})
    chosen = Options(prompt="a cat", duration=10.0, guidance=0.5, is_spoiler=True)
    async with asked(free, chosen) as form:
        options = await form.answer()
    assert (options.prompt, options.duration, options.guidance) == ("a cat", 10.0, 0.5)
    assert options.is_spoiler


async def test_each_duration_has_its_price_and_the_least_is_in_the_title() -> None:
    async with asked(model(), Options()) as form:
        assert "Animate · from $0.20" in form.text
        assert "5 seconds · $0.20" in form.text
        assert "10 seconds · $0.40" in form.text


async def test_where_all_durations_cost_the_same_the_title_has_that() -> None:
    async with asked(model(), Options(), {5.0: 200_000, 10.0: 200_000}) as form:
        assert "Animate · $0.20" in form.text


def test_the_prices_asked_for_are_those_of_every_duration_in_every_shape() -> None:
    square = model(sizes=[[720, 720], [1280, 720]])
    found = variants(square, 3)
    kinds = {(one.duration, one.width, one.height, one.results) for one in found}
    assert kinds == {
        (duration, *size, 3) for duration in (5.0, 10.0) for size in ((720, 720), (1280, 720))
    }
    assert {one.width for one in variants(model(sizes=[]), None)} == {None}
