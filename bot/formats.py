"""Which files are pictures, and which of them are opened: by their content, never by their name.

Everything that can be known before decoding is judged here: the kind, the size, the shape. What a
decoder gets is what `lean.py` leaves. Pillow is imported at the first use, and the reader of HEIC
at the first HEIC, so that who opens none does not carry them.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from bot import lean
from bot.errors import PictureProblem, PictureRefused
from bot.lean import Lean

if TYPE_CHECKING:
    from PIL.Image import Image

_LEAST_SIDE = 32
"""Pixels of the shorter side below which a clip would be wasted money."""
_WIDEST = 5.0
"""Sides longer than this many times the other leave nothing of the picture after the cut."""
_LEAST_BYTES = 32
"""No picture is shorter, however it begins."""
_DECODER_THREADS = 2

_MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}
_BMP_HEADERS = tuple(bytes([size, 0, 0, 0]) for size in (12, 40, 52, 56, 64, 108, 124))
"""How long a BMP's header says it is: two letters alone prove nothing."""
_RUNS = (b"\1\0\0\0", b"\2\0\0\0")
"""What a BMP declares that is packed as nobody does it any more: half a minute in Pillow."""
_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF = frozenset({b"avif", b"avis"})
_PARED: dict[str, Callable[[bytes], Lean]] = {"JPEG": lean.jpeg, "PNG": lean.png, "TIFF": lean.tiff}
_BYTES_A_PIXEL = {
    "PNG": 5,
    "GIF": 5,
    "BMP": 5,
    "JPEG": 12,
    "TIFF": 13,
    "HEIF": 16,
    "WEBP": 18,
    "AVIF": 20,
}
"""What the decoders take for one at most, with all their copies."""

Grant = Callable[[int], None]
"""Told how many bytes a picture may take before they are taken; may refuse it, or take its time."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture of which the header is read and nothing is decoded."""

    image: Image
    orientation: int
    """EXIF's, 1 to 8: how it is to be turned."""

    @property
    def is_sideways(self) -> bool:
        """Whether turning it swaps width and height."""
        return self.orientation >= 5  # noqa: PLR2004 - the quarter turns

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as a viewer shows them."""
        width, height = self.image.size
        return (height, width) if self.is_sideways else (width, height)


def opened(data: bytes, most_pixels: int, grant: Grant) -> Opened:
    """Open without decoding, for which there is then leave. Raises `PictureRefused`."""
    from PIL import Image as PillowImage  # noqa: PLC0415 - see the module's docstring
    from PIL import UnidentifiedImageError  # noqa: PLC0415

    if not data:
        raise PictureRefused(PictureProblem.EMPTY)
    kind = _kind(data)
    if kind is None or len(data) < _LEAST_BYTES:
        raise PictureRefused(PictureProblem.NOT_A_PICTURE)
    _check_before(kind, data, most_pixels, grant)
    pared = _PARED.get(kind, Lean)(data)
    _quieten_pillow()
    try:
        image = PillowImage.open(io.BytesIO(pared.data), formats=(kind,))
    except UnidentifiedImageError:
        raise PictureRefused(PictureProblem.DAMAGED) from None
    except PillowImage.DecompressionBombError:
        over = f"over {2 * (PillowImage.MAX_IMAGE_PIXELS or 0) // 10**6} million"
        raise _too_many(over, most_pixels) from None
    _check_size(image.size, most_pixels)
    if kind != "WEBP":
        _ask(grant, kind, image.size)
    return Opened(image, pared.orientation if kind in _PARED else _told_orientation(image))


def _check_before(kind: str, data: bytes, most_pixels: int, grant: Grant) -> None:
    """Do what cannot wait until the file is opened."""
    if kind == "HEIF":
        _register_heif()
    elif kind == "WEBP":  # its decoder takes memory for all pixels as it is opened
        _check_size(_webp_size(data), most_pixels)
        _ask(grant, kind, _webp_size(data))
    elif kind == "BMP" and data[30:34] in _RUNS:
        raise PictureRefused(PictureProblem.DAMAGED)


def _kind(data: bytes) -> str | None:
    """Return Pillow's name of what these bytes begin as."""
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"BM") and data[14:18] in _BMP_HEADERS:
        return "BMP"
    if data[4:8] != b"ftyp":
        return None
    box = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    brands = {box[at : at + 4] for at in range(0, len(box), 4)}
    if brands & _AVIF:
        return "AVIF"
    return "HEIF" if brands & _HEIF else None


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return what a WebP declares."""
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(
                data[27:30], "little"
            )
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case _:
            return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(
                data[28:30], "little"
            ) & 0x3FFF


def _check_size(size: tuple[int, int], most_pixels: int) -> None:
    width, height = size
    found = f"{width}×{height}"
    if width * height > most_pixels:
        raise _too_many(found, most_pixels)
    if max(size) > _WIDEST * min(size):
        raise PictureRefused(PictureProblem.TOO_NARROW, found)
    if min(size) < _LEAST_SIDE:
        raise PictureRefused(PictureProblem.TOO_SMALL, found, f"{_LEAST_SIDE} pixels")


def _too_many(found: str, most_pixels: int) -> PictureRefused:
    return PictureRefused(PictureProblem.TOO_MANY_PIXELS, found, f"{most_pixels // 10**6}")


def _ask(grant: Grant, kind: str, size: tuple[int, int]) -> None:
    grant(size[0] * size[1] * _BYTES_A_PIXEL[kind])


def _told_orientation(image: Image) -> int:
    exif = image.info.get("exif")
    return lean.orientation(exif) if isinstance(exif, bytes) and image.format != "HEIF" else 1


@cache
def _quieten_pillow() -> None:
    """Have Pillow not warn of large or slightly broken files: the checks here judge both.

    Once and for good: warnings are one list for all threads, which cannot be changed for one.
    """
    from PIL import AvifImagePlugin  # noqa: PLC0415
    from PIL.Image import DecompressionBombWarning  # noqa: PLC0415

    warnings.filterwarnings("ignore", category=DecompressionBombWarning)
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    AvifImagePlugin.DEFAULT_MAX_THREADS = _DECODER_THREADS


@cache
def _register_heif() -> None:
    """Teach Pillow HEIC: the picture itself alone, which comes upright."""
    from pillow_heif import register_heif_opener  # noqa: PLC0415

    register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False, decode_threads=_DECODER_THREADS
    )
