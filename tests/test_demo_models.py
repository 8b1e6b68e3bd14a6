"""`python -m bot demo` with each model of the catalogue, against a local Runware."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from bot import catalog
from tests.test_command_line import assert_plain
from tests.town import command, photo_file

MODELS = catalog.parse(files("bot").joinpath("catalog.json").read_text("utf-8"))
FAST = ("demo", "--once", "--render-seconds", "0", "--port", "0")


@pytest.mark.parametrize("name", MODELS)
async def test_a_demo_works_with_each_model_of_the_catalogue(tmp_path: Path, name: str) -> None:
    model = MODELS[name]
    photo = tmp_path / "sea.png"
    photo.write_bytes(photo_file(1000, 800))
    ended = await command(*FAST, "--image", photo, "--model", name, folder=tmp_path)
    assert_plain(ended, 0)
    needs_a_prompt = model.prompt.policy is catalog.Policy.REQUIRED
    assert ("prompt: sea comes alive, gently" in ended.out) is needs_a_prompt
    size = "720×720" if model.sizes else "900×720"  # the nearest, or as the picture is
    assert f"clip posted: {size}, 5.00 s, 150 frames, h264" in ended.out
    billed = re.search(r"1 task, \$(\S+) billed", ended.out)
    assert billed is not None
    assert round(float(billed[1]) * 1_000_000) == model.least_price_micro


async def test_the_model_may_come_from_the_callers_environment(tmp_path: Path) -> None:
    settings = {"ANIMATE_MODEL": "klingai:6@0", "ANIMATE_MEMBER_MONTHLY_USD": "0"}
    ended = await command(*FAST, settings=settings, folder=tmp_path)
    assert_plain(ended, 0)
    assert "$0.21 billed" in ended.out


async def test_a_model_that_is_not_in_the_catalogue_is_named_with_those_that_are(
    tmp_path: Path,
) -> None:
    ended = await command(*FAST, "--model", "sora", folder=tmp_path)
    assert_plain(ended, 1)
    assert ended.err == f"there is no model sora. Choose from {', '.join(MODELS)}.\n"
