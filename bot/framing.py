"""How a picture comes to the shape of its frame: cut in the middle, or whole on a blurred ground.

It is never stretched. Geometry and drawing alone: knows neither files nor models. Each of these is
the same for a picture that is turned by quarters before as for one that is turned after.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from bot.wish import Fit

if TYPE_CHECKING:
    from PIL.Image import Image

Size = tuple[int, int]
"""Width and height in pixels."""
Box = tuple[float, float, float, float]
"""Left, upper, right, lower."""

_SOFT = 8
"""How many times smaller a picture is blurred than it is shown: a blur hides that, and is fast."""
_BLUR = 24
"""The longer side of a picture is this many times its blur's radius."""


def scale(picture: Size, frame: Size, fit: Fit) -> float:
    """Return by how much a picture grows or shrinks for its frame."""
    ratios = frame[0] / picture[0], frame[1] / picture[1]
    return max(ratios) if fit is Fit.CROP else min(ratios)


def scaled_size(picture: Size, frame: Size, fit: Fit) -> Size:
    """Return how large the whole picture is where it fills its frame, or fits into it."""
    by = scale(picture, frame, fit)
    return max(1, ceil(picture[0] * by - 0.5)), max(1, ceil(picture[1] * by - 0.5))


def kept(picture: Size, frame: Size) -> Box:
    """Return the part of the picture, in its own pixels, that is left when it is cut."""
    by = scale(picture, frame, Fit.CROP)
    width, height = frame[0] / by, frame[1] / by
    left, upper = (picture[0] - width) / 2, (picture[1] - height) / 2
    return (
        max(0.0, left),
        max(0.0, upper),
        min(picture[0], left + width),
        min(picture[1], upper + height),
    )


def scaled(picture: Image, frame: Size, fit: Fit) -> Image:
    """Return the picture as it stands in its frame, which it fills only if it is cut."""
    from PIL.Image import Resampling  # noqa: PLC0415 - Pillow is loaded with the first picture

    inner = scaled_size(picture.size, frame, fit)
    if fit is Fit.PAD and inner != frame:
        return picture.resize(inner, Resampling.LANCZOS)
    return picture.resize(frame, Resampling.LANCZOS, box=kept(picture.size, frame))


def padded(picture: Image, frame: Size) -> Image:
    """Lay a picture that is no larger than its frame onto a blurred copy of itself."""
    from PIL.Image import Resampling  # noqa: PLC0415

    if picture.size == frame:
        return picture
    soft = _soft(frame)
    middle = picture.resize(soft, Resampling.BOX, box=kept(picture.size, frame))
    ground = blurred(middle, frame)
    ground.paste(picture, ((frame[0] - picture.width) // 2, (frame[1] - picture.height) // 2))
    return ground


def blurred(picture: Image, size: Size) -> Image:
    """Return the picture at `size` with nothing left but its colours."""
    from PIL import ImageFilter  # noqa: PLC0415
    from PIL.Image import Resampling  # noqa: PLC0415

    small = picture.resize(_soft(size), Resampling.BOX)
    blur = ImageFilter.GaussianBlur(max(small.size) / _BLUR)
    return small.filter(blur).resize(size, Resampling.BICUBIC)


def _soft(size: Size) -> Size:
    return max(1, size[0] // _SOFT), max(1, size[1] // _SOFT)
