"""What people write beside a mention, and what fills in what they leave open."""

from dataclasses import replace

import pytest

from bot.members import MemberSettings
from bot.options import Options, read
from bot.wish import Fit
from tests.corridor import KLING, TURBO, model

ENGLISH = "en-US"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", Options()),
        ("10s", Options(duration=10.0)),
        ("10 s", Options(duration=10.0)),
        ("5 Seconds please", Options(duration=5.0)),
        ("2.5s", Options(duration=2.5)),
        ("wide", Options(shape="wide 16:9")),
        ("SQUARE, x3", Options(shape="square 1:1", results=3)),
        ("tall 2x", Options(shape="tall 9:16", results=2)),
        ("9:16", Options(shape="tall 9:16")),
        ("auto", Options(shape="auto")),
        ("pad", Options(fit=Fit.PAD)),
        ("crop spoiler", Options(fit=Fit.CROP, is_spoiler=True)),
        ("make it dance for 10s, wide!", Options(duration=10.0)),
        ("what a 10s of a picture", Options(duration=10.0)),
        ("5s 10s", Options(duration=10.0)),
        ("10sheep x x0y 3 1234s", Options()),
    ],
)
def test_plain_words_are_understood_anywhere_by_a_model_without_prompts(
    text: str, options: Options
) -> None:
    assert read(text, model(KLING), ENGLISH) == options


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("the cat waves", Options(prompt="the cat waves")),
        (
            "10s the cat opens the wide door",
            Options(duration=10.0, prompt="the cat opens the wide door"),
        ),
        (
            "10 s\nx2   spoiler it\nrains",
            Options(duration=10.0, results=2, is_spoiler=True, prompt="it rains"),
        ),
        ("10s", Options(duration=10.0)),
    ],
)
def test_where_there_is_a_prompt_the_plain_words_come_before_it(
    text: str, options: Options
) -> None:
    assert read(text, model(TURBO), ENGLISH) == options


def test_a_shape_that_the_model_does_not_have_is_handed_on_to_be_refused() -> None:
    assert read("wide", model(TURBO), ENGLISH) == Options(shape="wide")


def test_what_is_said_goes_before_what_is_set() -> None:
    settings = MemberSettings(duration=10.0, shape="tall 9:16", fit=Fit.PAD, is_private=True)
    said = Options(duration=5.0, shape="auto", fit=Fit.CROP, is_private=False)
    assert said.filled_in(settings, model(KLING)) == replace(said, is_filled_in=True)
    assert Options().filled_in(settings, model(KLING)) == Options(
        duration=10.0, shape="tall 9:16", fit=Fit.PAD, is_private=True, is_filled_in=True
    )


def test_what_nobody_has_said_or_set_is_left_to_the_model() -> None:
    bare = Options(is_private=False, is_filled_in=True)
    assert Options().filled_in(MemberSettings(), model(KLING)) == bare
    lost = MemberSettings(duration=7.0, shape="round 1:1")
    assert Options().filled_in(lost, model(KLING)) == bare
