"""The form with a clip's options: what it asks for by model, and what it makes of the answers."""

import pytest

from bot.catalog import Model
from bot.form import Form
from bot.options import Options
from tests.corridor import KLING, model

STANDARD, TURBO, PRO = KLING, "klingai:6@0", "klingai:6@1"


async def nothing(*_given: object) -> None:
    """Do nothing with the answers."""


def form(of: Model, **chosen: float) -> Form:
    return Form(of, Options(**chosen), nothing)  # type: ignore[arg-type]


def asked(shown: Form) -> list[str]:
    return [one["label"] for one in shown.to_components()]


@pytest.mark.parametrize("name", [STANDARD, TURBO, PRO])
async def test_no_form_asks_more_than_discord_takes(name: str) -> None:
    assert 1 < len(asked(form(model(name)))) <= 5


async def test_guidance_is_asked_for_where_there_is_room() -> None:
    assert "How close to the picture?" in asked(form(model(STANDARD)))
    assert "How close to the picture?" not in asked(form(model(PRO)))


async def test_guidance_is_shown_as_it_was_chosen_and_stays_so() -> None:
    shown = form(model(STANDARD), guidance=0.7)
    (field,) = [one for one in shown.to_components() if "close" in one["label"]]
    assert field["component"]["value"] == "0.7"
    assert field["component"]["placeholder"] == "0 is free, 1 is strict"
