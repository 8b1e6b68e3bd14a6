"""The demo's verdict: of the picture and the options, never of what the bot asked for."""

from pathlib import Path

import pytest

from bot.clip import Facts
from bot.verdict import DemoFailed, judge_clip, judge_money, upright_size
from tests.town import sideways_photo

SIZES = ((1280, 720), (720, 720), (720, 1280))
RECEIPT = "🎬 <@1> your clip is ready\n-# 5 s · 16:9 · ${} · you have $4.82 left this month"


def facts(width: int, height: int, duration: float = 5.0) -> Facts:
    return Facts(width=width, height=height, duration=duration, frames=150, codec="h264", size=9)


@pytest.mark.parametrize(
    ("picture", "size"),
    [
        ((1600, 900), (1280, 720)),
        ((900, 1600), (720, 1280)),
        ((800, 790), (720, 720)),
        ((640, 480), (1280, 720)),  # 4:3 is as near to one
        ((640, 480), (720, 720)),  # as to the other
    ],
)
def test_the_models_size_that_cuts_least_is_right(
    picture: tuple[int, int], size: tuple[int, int]
) -> None:
    judge_clip(facts(*size), picture, SIZES, 5)


@pytest.mark.parametrize(
    ("picture", "size"),
    [((1600, 900), (720, 720)), ((900, 1600), (1280, 720)), ((1600, 900), (1920, 1080))],
)
def test_any_other_size_is_wrong_though_the_bot_may_have_asked_for_it(
    picture: tuple[int, int], size: tuple[int, int]
) -> None:
    with pytest.raises(DemoFailed, match="the picture asks for"):
        judge_clip(facts(*size), picture, SIZES, 5)


def test_where_the_size_follows_the_picture_the_shape_must_be_its() -> None:
    judge_clip(facts(1082, 720), (1500, 1000), (), 5)
    with pytest.raises(DemoFailed, match="the shape of 1500×1000"):
        judge_clip(facts(1280, 720), (1500, 1000), (), 5)


def test_another_duration_is_wrong() -> None:
    judge_clip(facts(1280, 720, 10.02), (1600, 900), SIZES, 10)
    with pytest.raises(DemoFailed, match=r"lasts 5\.00 s; asked were 10 s"):
        judge_clip(facts(1280, 720), (1600, 900), SIZES, 10)


def test_one_task_and_the_same_money_on_both_sides_are_right() -> None:
    judge_money(1, 184_800, RECEIPT.format("0.1848"))
    judge_money(1, 1_234_500_000, RECEIPT.format("1,234.50"))


@pytest.mark.parametrize(
    ("tasks", "billed", "message", "words"),
    [
        (2, 369_600, RECEIPT.format("0.1848"), "took 2 tasks"),
        (0, 0, RECEIPT.format("0.00"), "took 0 tasks"),
        (1, 369_600, RECEIPT.format("0.1848"), r"\$0\.3696 was billed; the receipt says \$0\.1848"),
        (1, 184_800, "🎬 your clip is ready\n-# 5 s", "does not say what it cost"),
        (1, 184_800, "it was $0.1848", "does not say what it cost"),
    ],
)
def test_a_second_task_or_other_money_is_wrong(
    tasks: int, billed: int, message: str, words: str
) -> None:
    with pytest.raises(DemoFailed, match=words):
        judge_money(tasks, billed, message)


def test_a_picture_that_is_stored_sideways_is_measured_upright(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    path.write_bytes(sideways_photo(64, 36))
    assert upright_size(path) == (64, 36)
