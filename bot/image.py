"""Any picture in, the model's first frame out: an upright sRGB JPEG of exactly the chosen size.

Judged by content, never by name; size limits come before decoding; no metadata goes along. Pure
functions of bytes, for a thread of their own. Pillow is imported at the first use, so that an idle
bot does not carry it.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from bot.errors import PictureProblem, PictureRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_QUALITY = 92
_LIGHT, _DARK = (242, 243, 245, 255), (43, 45, 49, 255)
_MIDDLE = 128
_SEEN = [255 if alpha > 25 else 0 for alpha in range(256)]  # noqa: PLR2004 - a tenth
_LEAST_SIDE = 32
"""Pixels of the shorter side below which a clip would be wasted money."""
_WIDEST = 5.0
"""Sides longer than this many times the other leave nothing of the picture after the cut."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A prepared first frame; `size` is its width and height in pixels."""

    jpeg: bytes
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What comes out, and what is refused. Without `sizes` the size follows the picture."""

    sizes: Sequence[tuple[int, int]]
    least_side: int
    most_side: int
    most_pixels: int


def prepare(data: bytes, rules: Rules, size: tuple[int, int] | None = None) -> Frame:
    """Return the first frame for `size`, or for the nearest of the rules' sizes.

    Raises `PictureRefused`. Takes tens of milliseconds: call it in a thread.
    """
    from PIL import ImageOps  # noqa: PLC0415 - see the module's docstring
    from PIL.Image import Resampling  # noqa: PLC0415

    if not data:
        raise PictureRefused(PictureProblem.EMPTY)
    try:
        _quieten_pillow()
        picture = _opened(data, rules)
        target = size or _nearest(_upright_size(picture), rules)
        _decode(picture, target)
        ImageOps.exif_transpose(picture, in_place=True)
        picture = _flat(_in_srgb(_reduced(picture, target)))
        picture = ImageOps.fit(picture, target, method=Resampling.LANCZOS)
    except PictureRefused:
        raise
    except Exception as error:
        raise PictureRefused(PictureProblem.DAMAGED) from error
    return Frame(_jpeg(picture), target)


@cache
def _quieten_pillow() -> None:
    """Have Pillow not warn of large or slightly broken files: the checks here judge both.

    Once and for good: warnings are one list for all threads, which cannot be changed for one.
    """
    from PIL.Image import DecompressionBombWarning  # noqa: PLC0415

    warnings.filterwarnings("ignore", category=DecompressionBombWarning)
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def _opened(data: bytes, rules: Rules) -> Image:
    """Open without decoding and check the declared size."""
    from PIL import Image as PillowImage  # noqa: PLC0415
    from PIL import UnidentifiedImageError  # noqa: PLC0415

    try:
        picture = PillowImage.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError:
        raise PictureRefused(PictureProblem.NOT_A_PICTURE) from None
    except PillowImage.DecompressionBombError:
        raise PictureRefused(
            PictureProblem.TOO_MANY_PIXELS,
            f"over {2 * (PillowImage.MAX_IMAGE_PIXELS or 0) // 10**6} million",
            f"{rules.most_pixels // 10**6}",
        ) from None
    width, height = picture.size
    if width * height > rules.most_pixels:
        raise PictureRefused(
            PictureProblem.TOO_MANY_PIXELS, f"{width}×{height}", f"{rules.most_pixels // 10**6}"
        )
    if max(width, height) > _WIDEST * min(width, height):
        raise PictureRefused(PictureProblem.TOO_NARROW, f"{width}×{height}")
    if min(width, height) < _LEAST_SIDE:
        raise PictureRefused(PictureProblem.TOO_SMALL, f"{width}×{height}", f"{_LEAST_SIDE} pixels")
    return picture


def _upright_size(picture: Image) -> tuple[int, int]:
    """Return width and height as a viewer shows them."""
    from PIL.ExifTags import Base  # noqa: PLC0415

    width, height = picture.size
    # Pillow turns a TIFF by itself, and says its size as it will be then.
    is_sideways = picture.format != "TIFF" and (
        picture.getexif().get(Base.Orientation, 1) in (5, 6, 7, 8)
    )
    return (height, width) if is_sideways else (width, height)


def _nearest(upright: tuple[int, int], rules: Rules) -> tuple[int, int]:
    """Return the model's size whose shape cuts away least."""
    width, height = upright
    if not rules.sizes:
        return _within(width, height, rules)

    def kept(size: tuple[int, int]) -> tuple[float, bool]:
        mine, theirs = width / height, size[0] / size[1]
        # 3:4 lies exactly between square and tall: an upright picture stays upright.
        is_alike = (mine > 1, mine < 1) == (theirs > 1, theirs < 1)
        return round(min(mine, theirs) / max(mine, theirs), 6), is_alike

    return max(rules.sizes, key=kept)


def _within(width: int, height: int, rules: Rules) -> tuple[int, int]:
    """Scale to the service's limits, keeping the shape, with even sides."""
    scale = min(1.0, rules.most_side / max(width, height))
    scale = max(scale, rules.least_side / min(width, height))
    even = [round(side * scale / 2) * 2 for side in (width, height)]
    if max(even) > rules.most_side:
        raise PictureRefused(PictureProblem.TOO_NARROW, f"{width}×{height}")
    return even[0], even[1]


def _decode(picture: Image, target: tuple[int, int]) -> None:
    """Decode; let the JPEG decoder skip what the target size does not need."""
    is_sideways = _upright_size(picture) != picture.size
    picture.draft(None, (target[1], target[0]) if is_sideways else target)
    picture.load()


def _reduced(picture: Image, target: tuple[int, int]) -> Image:
    """Bring a picture that is far larger than needed near to it, before it is copied about.

    Converting and blurring all of a large one took a gigabyte and many seconds.
    """
    factor = min(picture.width // target[0], picture.height // target[1]) // 2
    if factor < 2 or picture.mode.startswith(("I", "F")):  # noqa: PLR2004 - 1 changes nothing
        return picture
    if picture.has_transparency_data:
        reduced = picture.convert("RGBA").reduce(factor)
        reduced.info = picture.info
        return reduced
    return (picture.convert("RGB") if picture.mode in ("1", "P") else picture).reduce(factor)


def _in_srgb(picture: Image) -> Image:
    """Convert from the embedded colour profile, if there is a sound one."""
    from PIL import ImageCms  # noqa: PLC0415

    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return picture
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(
            picture, source, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError):
        return picture
    return turned or picture


def _flat(picture: Image) -> Image:
    """Lay transparency on a blurred copy of what is visible, on a ground it stands out from.

    Colours under what is clear do not count: they are often black, or something that was erased.
    """
    from PIL import Image as PillowImage  # noqa: PLC0415
    from PIL import ImageFilter, ImageStat  # noqa: PLC0415

    if picture.mode.startswith("I") or picture.mode == "F":
        return picture.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    top = picture.convert("RGBA")
    visible = ImageStat.Stat(top.convert("L"), mask=top.getchannel("A").point(_SEEN))
    ground = PillowImage.new("RGBA", top.size, _LIGHT if visible.mean[0] < _MIDDLE else _DARK)
    # Premultiplied, so that each pixel bleeds only as far as it can be seen.
    glow = top.convert("RGBa").filter(ImageFilter.GaussianBlur(max(top.size) / 20)).convert("RGBA")
    for layer in (glow, top):
        ground = PillowImage.alpha_composite(ground, layer)
    return ground.convert("RGB")


def _jpeg(picture: Image) -> bytes:
    """Encode with nothing but the pixels: no EXIF, no profile, no comment."""
    from PIL import Image as PillowImage  # noqa: PLC0415

    bare = PillowImage.new("RGB", picture.size)
    bare.paste(picture)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=_QUALITY, subsampling=0, optimize=True)
    return out.getvalue()
