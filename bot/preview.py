"""How a picture will be cut, before anything is paid: a small JPEG to show to one person.

Cut: the whole picture, what goes darkened, what stays outlined. Padded: the frame as it will be.
Knows no words and nobody who asks. Like `image.py`, pure functions of bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import framing, image
from bot.formats import Grant, opened
from bot.framing import Size
from bot.image import Rules
from bot.wish import Fit

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_SIDE = 1024
"""Of a preview, in pixels."""
_QUALITY = 80
_DIMMED = [value * 3 // 10 for value in range(256)] * 3
_INK, _RIM = (255, 255, 255), (0, 0, 0)
"""A white line with a black rim stands out from any picture."""
_LINE = 256
"""The longer side of a preview is this many times the thickness of its lines."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What to show, and what it shows."""

    jpeg: bytes
    size: Size
    """Width and height of the first frame, not of this JPEG."""
    kept: float
    """How much of the picture's area is in the frame, over 0 to 1."""


def preview(
    data: bytes,
    rules: Rules,
    size: Size | None = None,
    fit: Fit = Fit.CROP,
    *,
    grant: Grant = lambda _: None,
) -> Preview:
    """Show what `image.prepare` makes of the same arguments. Raises `PictureRefused`, as that does.

    Takes as long as that, too: not for the loop's thread.
    """
    with image.refusals():
        source = opened(data, rules.most_pixels, grant)
        target = size or image.nearest(source.size, rules)
        left, upper, right, lower = framing.kept(source.size, target)
        width, height = source.size
        is_cut = fit is Fit.CROP
        kept = (right - left) * (lower - upper) / (width * height) if is_cut else 1.0
        shown = _small(source.size if is_cut else target)
        picture = image.framed(source, shown, fit)
        drawn = _outlined(picture, target) if is_cut else picture
        return Preview(image.jpeg(drawn, _QUALITY), target, kept)


def _small(size: Size) -> Size:
    by = min(1.0, MOST_SIDE / max(size))
    return max(1, round(size[0] * by)), max(1, round(size[1] * by))


def _outlined(picture: Image, target: Size) -> Image:
    """Darken what will be cut away, and outline what stays."""
    from PIL import ImageDraw  # noqa: PLC0415 - Pillow is loaded with the first picture

    left, upper, right, lower = (round(edge) for edge in framing.kept(picture.size, target))
    box = left, upper, right, lower
    drawn = picture.point(_DIMMED)
    drawn.paste(picture.crop(box), box)
    line = max(1, max(picture.size) // _LINE)
    draw = ImageDraw.Draw(drawn)
    for colour, width in ((_RIM, 2 * line), (_INK, line)):
        draw.rectangle((left, upper, right - 1, lower - 1), outline=colour, width=width)
    return drawn
