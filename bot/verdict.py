"""Is the demo's clip what picture and options ask for, and do all books agree on the money?.

Held against the picture and the service's own facts, never against what the bot asked of the
service: that may be what is wrong. Called by the demo; knows neither Discord nor a server.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps

from bot.clip import Facts
from bot.errors import AnimateError
from bot.money import parse_usd, usd

Size = tuple[int, int]

_ONE_FRAME = 0.034
"""Seconds."""
_SAME_SHAPE = 0.98
"""Of sizes that follow the picture; sides are rounded to even numbers."""
_A_HAIR = 1e-6
"""4:3 lies exactly between 16:9 and 1:1: either is right."""


class DemoFailed(AnimateError):
    """The demo did not end with a good clip."""


def upright_size(picture: Path) -> Size:
    """Return width and height as a viewer shows the picture."""
    with Image.open(picture) as opened:
        return ImageOps.exif_transpose(opened).size


def judge_clip(facts: Facts, picture: Size, sizes: Sequence[Size], duration: float) -> None:
    """Raise `DemoFailed` unless the clip has the size and the seconds that were asked for.

    `sizes` are those of the model, one of which cuts least away; empty where it follows the
    picture's shape.
    """
    size = (facts.width, facts.height)
    most = max((_kept(picture, one) for one in sizes), default=_SAME_SHAPE) - _A_HAIR
    if _kept(picture, size) < most or (sizes and size not in sizes):
        right = " or ".join(_written(one) for one in sizes if _kept(picture, one) >= most)
        wanted = right or f"the shape of {_written(picture)}"
        raise DemoFailed(f"the clip is {_written(size)}; the picture asks for {wanted}")
    if abs(facts.duration - duration) > _ONE_FRAME:
        raise DemoFailed(f"the clip lasts {facts.duration:.2f} s; asked were {duration:g} s")


def judge_money(tasks: int, billed_micro: int, message: str) -> None:
    """Raise `DemoFailed` unless one task was paid, and the bot's receipt says how much."""
    if tasks != 1:
        raise DemoFailed(f"one clip was asked for, and the video service took {tasks} tasks")
    receipt = re.search(r"^-# .*?\$([\d,]+\.\d+)", message, re.MULTILINE)
    if receipt is None:
        raise DemoFailed("the message with the clip does not say what it cost")
    if parse_usd(receipt[1].replace(",", "")) != billed_micro:
        raise DemoFailed(f"{usd(billed_micro)} was billed; the receipt says ${receipt[1]}")


def _kept(picture: Size, size: Size) -> float:
    """Return the share of a picture that is left, if it is cut to the shape of `size`."""
    mine, theirs = picture[0] / picture[1], size[0] / size[1]
    return min(mine, theirs) / max(mine, theirs)


def _written(size: Size) -> str:
    return f"{size[0]}×{size[1]}"
