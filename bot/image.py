"""Any picture in, the model's first frame out: an upright sRGB JPEG of exactly the chosen size.

`formats.py` opens it within limits, `framing.py` brings it to the shape; here are its pixels. No
metadata goes along. Pure functions of bytes, for a process or a thread of their own. Pillow is
imported at the first use, so that an idle bot does not carry it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import framing
from bot.errors import PictureProblem, PictureRefused
from bot.formats import Grant, Opened, opened
from bot.framing import Size
from bot.wish import Fit

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 92
_LIGHT, _DARK = (242, 243, 245, 255), (43, 45, 49, 255)
_MIDDLE = 128
_SEEN = [255 if alpha > 25 else 0 for alpha in range(256)]  # noqa: PLR2004 - a tenth
_BAND = 256
"""Rows that are converted at a time, so that no second copy of a large picture is made."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A prepared first frame; `size` is its width and height in pixels."""

    jpeg: bytes
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What comes out, and what is refused. Without `sizes` the size follows the picture."""

    sizes: Sequence[Size]
    least_side: int
    most_side: int
    most_pixels: int


def prepare(
    data: bytes,
    rules: Rules,
    size: Size | None = None,
    fit: Fit = Fit.CROP,
    *,
    grant: Grant = lambda _: None,
) -> Frame:
    """Return the first frame for `size`, or for the nearest of the rules' sizes.

    Raises `PictureRefused`. Takes tens of milliseconds and more: not for the loop's thread.
    """
    with refusals():
        source = opened(data, rules.most_pixels, grant)
        target = size or nearest(source.size, rules)
        return Frame(jpeg(framed(source, target, fit)), target)


@contextmanager
def refusals() -> Iterator[None]:
    """Have whatever goes wrong with a picture be a `PictureRefused`."""
    try:
        yield
    except PictureRefused:
        raise
    except MemoryError as error:
        raise PictureRefused(PictureProblem.UNSAFE) from error
    except Exception as error:
        raise PictureRefused(PictureProblem.DAMAGED) from error


def nearest(upright: Size, rules: Rules) -> Size:
    """Return the model's size whose shape cuts away least."""
    width, height = upright
    if not rules.sizes:
        return _within(width, height, rules)

    def kept(size: Size) -> tuple[float, bool]:
        mine, theirs = width / height, size[0] / size[1]
        # 3:4 lies exactly between square and tall: an upright picture stays upright.
        is_alike = (mine > 1, mine < 1) == (theirs > 1, theirs < 1)
        return round(min(mine, theirs) / max(mine, theirs), 6), is_alike

    return max(rules.sizes, key=kept)


def _within(width: int, height: int, rules: Rules) -> Size:
    """Scale to the service's limits, keeping the shape, with even sides."""
    scale = min(1.0, rules.most_side / max(width, height))
    scale = max(scale, rules.least_side / min(width, height))
    even = [round(side * scale / 2) * 2 for side in (width, height)]
    if max(even) > rules.most_side:
        raise PictureRefused(PictureProblem.TOO_NARROW, f"{width}×{height}")
    return even[0], even[1]


def framed(source: Opened, target: Size, fit: Fit) -> Image:
    """Decode, and return the picture in its frame: upright, sRGB, of just this size."""
    lying = target[::-1] if source.is_sideways else target
    picture = _flat(framing.scaled(_decoded(source, lying, fit), lying, fit))
    return _in_srgb(_upright(framing.padded(picture, lying), source), source)


def _decoded(source: Opened, target: Size, fit: Fit) -> Image:
    """Decode, as lying in the file, to not much more than `target` needs.

    The JPEG decoder skips what is not needed. A picture of another kind that is far larger is
    brought near to it at once: converting all of a large one took a gigabyte and many seconds.
    """
    picture = source.image
    needed = framing.scaled_size(picture.size, target, fit)
    picture.draft(None, needed)
    picture.load()
    factor = max(1, min(picture.width // needed[0], picture.height // needed[1]) // 2)
    mode = _mode(picture)
    if factor == 1 and mode == picture.mode:
        return picture
    return _reduced(picture, factor, mode)


def _mode(picture: Image) -> str:
    """Return the mode of eight bits a channel that has all colours of the picture."""
    if picture.has_transparency_data:
        return "RGBA"
    if picture.mode.startswith(("I", "F")):
        return "L"
    return picture.mode if picture.mode in ("L", "RGB", "CMYK") else "RGB"


def _reduced(picture: Image, factor: int, mode: str) -> Image:
    """Return the picture in another mode, `factor` times smaller, band by band."""
    from PIL import Image as PillowImage  # noqa: PLC0415 - see the module's docstring

    size = -(-picture.width // factor), -(-picture.height // factor)
    whole = PillowImage.new(mode, size)
    rows = _BAND * factor
    for top in range(0, picture.height, rows):
        band = picture.crop((0, top, picture.width, min(picture.height, top + rows)))
        if band.mode.startswith(("I", "F")):
            band = band.convert("I").point(lambda value: value / 256).convert("L")
        whole.paste(band.convert(mode).reduce(factor), (0, top // factor))
    return whole


def _flat(picture: Image) -> Image:
    """Lay transparency on a blurred copy of what is visible, on a ground it stands out from.

    Colours under what is clear do not count: they are often black, or something that was erased.
    """
    from PIL import Image as PillowImage  # noqa: PLC0415
    from PIL import ImageStat  # noqa: PLC0415

    if picture.mode != "RGBA":
        return picture
    visible = ImageStat.Stat(picture.convert("L"), mask=picture.getchannel("A").point(_SEEN))
    ground = _LIGHT if visible.count[0] == 0 or visible.mean[0] < _MIDDLE else _DARK
    flat = PillowImage.new("RGBA", picture.size, ground)
    # Premultiplied, so that each pixel bleeds only as far as it can be seen.
    glow = framing.blurred(picture.convert("RGBa"), picture.size).convert("RGBA")
    for layer in (glow, picture):
        flat = PillowImage.alpha_composite(flat, layer)
    return flat.convert("RGB")


def _upright(picture: Image, source: Opened) -> Image:
    """Turn and mirror as the file says."""
    from PIL.Image import Transpose  # noqa: PLC0415

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(source.orientation)
    return picture if turn is None else picture.transpose(turn)


def _in_srgb(picture: Image, source: Opened) -> Image:
    """Convert from the file's colour profile, if there is a sound one."""
    from PIL import ImageCms  # noqa: PLC0415

    profile = source.image.info.get("icc_profile")
    if not profile:
        return picture.convert("RGB")
    try:
        theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(
            picture, theirs, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError):
        turned = None
    return turned or picture.convert("RGB")


def jpeg(picture: Image, quality: int = _QUALITY) -> bytes:
    """Encode with nothing but the pixels: no EXIF, no profile, no comment."""
    from PIL import Image as PillowImage  # noqa: PLC0415

    bare = PillowImage.new("RGB", picture.size)
    bare.paste(picture)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()
