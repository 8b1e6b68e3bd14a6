"""Every kind of picture, every way it may lie in its file, odd sizes: each against what it shows.

`ALIKE` is the tolerance: the mean difference, of 255, in the worst channel, from the same picture
cut by Pillow with no file between. A test says what a turn, a mirror or another cut would come to.
"""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageOps

from bot import framing
from bot.image import Rules, prepare
from bot.preview import MOST_SIDE, Preview, preview
from bot.wish import Fit
from tests.gallery import (
    BLUE,
    GREEN,
    RED,
    STORED,
    blended,
    deep_png,
    deep_tiff,
    difference,
    encoded,
    in_mode,
    png,
    png_chunk,
    tiled_tiff,
    ycck,
)

RULES = Rules(
    sizes=((320, 180), (180, 180), (180, 320)), least_side=75, most_side=512, most_pixels=4_000_000
)
WIDE, SQUARE, TALL = RULES.sizes
SIZES = ((401, 227), (227, 401), (255, 253), (97, 331))
LARGE = (1403, 801)
"""Of a size that is brought nearer to its frame before anything else."""
ALIKE = 4.0
ALIKE_IN_DOTS = 12.0
"""Where brightness is made of black and white dots, which JPEG does not like."""


@dataclass(frozen=True)
class Way:
    """How a picture comes into a file."""

    make: Callable[[Image.Image, int], bytes]
    """Makes a file of an upright picture, in which it lies by an orientation."""
    look: Callable[[Image.Image], Image.Image]
    """Returns what such a file shows."""
    alike: float = ALIKE


def file(kind: str, mode: str = "RGB", **options: Any) -> Way:
    shown = {"I;16": "L", "LA": "L", "RGBA": "RGB"}.get(mode, mode)
    return Way(
        lambda image, orientation: encoded(in_mode(image, mode), kind, orientation, **options),
        lambda image: in_mode(image, shown).convert("RGB"),
        ALIKE_IN_DOTS if mode == "1" else ALIKE,
    )


def by_hand(make: Callable[[Image.Image], bytes]) -> Way:
    return Way(lambda image, _: make(image), lambda image: image)


def interlaced(image: Image.Image) -> bytes:
    """A PNG in seven passes, the coarsest first."""
    passes: tuple[tuple[int, int, int, int], ...] = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
    )
    passes += ((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b""
    for left, top, across, down in passes:
        for y in range(top, image.height, down):
            row = image.crop((0, y, image.width, y + 1)).tobytes()
            pixels = [row[3 * x : 3 * x + 3] for x in range(left, image.width, across)]
            rows += b"\0" + b"".join(pixels) if pixels else b""
    plain = png(image.size, rows, 8, 2)
    header = struct.pack(">IIBBBBB", *image.size, 8, 2, 0, 0, 1)
    return plain[:8] + png_chunk(b"IHDR", header) + plain[33:]


def animated(kind: str) -> Way:
    """A file whose other pictures are blue."""

    mode = "P" if kind == "GIF" else "RGB"

    def make(image: Image.Image, orientation: int) -> bytes:
        others = [Image.new("RGB", image.size, BLUE)] * 2
        first = in_mode(image, mode)
        return encoded(first, kind, orientation, save_all=True, append_images=others)

    return replace(file(kind, mode), make=make)


TURNABLE: dict[str, Way] = {
    **{f"PNG {mode}": file("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "I;16")},
    **{f"JPEG {mode}": file("JPEG", mode, quality=92) for mode in ("RGB", "L", "CMYK")},
    "JPEG, progressive": file("JPEG", quality=92, progressive=True),
    "JPEG, few colours": file("JPEG", quality=92, subsampling=2),
    "WebP": file("WEBP", quality=92),
    "WebP, lossless": file("WEBP", "RGBA", lossless=True),
    **{f"TIFF {m}": file("TIFF", m) for m in ("RGB", "RGBA", "L", "LA", "P", "CMYK", "1", "I;16")},
    **{
        f"TIFF {kind}": file("TIFF", compression=kind)
        for kind in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma")
    },
    "TIFF CMYK tiff_lzw": file("TIFF", "CMYK", compression="tiff_lzw"),
    "TIFF group4": file("TIFF", "1", compression="group4"),
    "TIFF, big": file("TIFF", big_tiff=True),
    "AVIF": file("AVIF", quality=90),
    "AVIF RGBA": file("AVIF", "RGBA", quality=90),
    **{f"HEIC {mode}": file("HEIF", mode) for mode in ("RGB", "RGBA", "L")},
    "HEIC in tiles": file("HEIF", tile_size=128),
}
UPRIGHT: dict[str, Way] = {
    **{f"GIF {mode}": file("GIF", mode) for mode in ("P", "L", "1")},
    "GIF, interlaced": file("GIF", "P", interlace=1),
    **{f"BMP {mode}": file("BMP", mode) for mode in ("RGB", "L", "P", "1")},
    "JPEG YCCK": by_hand(ycck),
    "PNG, 16 bits": by_hand(deep_png),
    "PNG, interlaced": by_hand(interlaced),
    "TIFF, 16 bits": by_hand(lambda image: deep_tiff(image, "<")),
    "TIFF, 16 bits, big-endian": by_hand(lambda image: deep_tiff(image, ">")),
    "TIFF, in tiles": by_hand(tiled_tiff),
    **{f"{kind}, animated": animated(kind) for kind in ("GIF", "WEBP", "PNG", "AVIF")},
    "TIFF, many pages": animated("TIFF"),
}


def shown(jpeg: bytes) -> Image.Image:
    with Image.open(io.BytesIO(jpeg)) as image:
        image.load()
    return image


def frame(data: bytes, size: tuple[int, int] | None = None, fit: Fit = Fit.CROP) -> Image.Image:
    return shown(prepare(data, RULES, size, fit).jpeg)


def cut(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def assert_shown(way: Way, size: tuple[int, int], orientation: int) -> None:
    image = blended(size)
    made = frame(way.make(image, orientation))
    found = difference(made, cut(way.look(image), made.size))
    assert found < way.alike, f"orientation {orientation}"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", TURNABLE)
def test_a_picture_comes_out_as_it_looks_however_it_lies_in_its_file(
    name: str, size: tuple[int, int]
) -> None:
    for orientation in STORED:
        assert_shown(TURNABLE[name], size, orientation)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", UPRIGHT)
def test_a_picture_that_cannot_be_turned_comes_out_as_it_looks(
    name: str, size: tuple[int, int]
) -> None:
    assert_shown(UPRIGHT[name], size, 1)


@pytest.mark.parametrize("name", TURNABLE)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_picture_comes_out_as_it_looks(name: str, orientation: int) -> None:
    assert_shown(TURNABLE[name], LARGE, orientation)


@pytest.mark.parametrize("name", UPRIGHT)
def test_a_large_picture_that_cannot_be_turned_comes_out_as_it_looks(name: str) -> None:
    assert_shown(UPRIGHT[name], LARGE, 1)


def test_what_is_wrong_would_be_far_from_alike() -> None:
    image = blended((401, 401))
    turned = [image.transpose(turn) for turn in STORED.values() if turn is not None]
    assert min(difference(image, other) for other in turned) > 10 * ALIKE
    moved = image.resize(image.size, box=(60, 0, 401, 401))
    assert difference(image, moved) > 2 * ALIKE


# --- Colour --------------------------------------------------------------------------------------


def swapped_profile() -> bytes:
    """A colour profile in which what is stored as red is blue, and the other way round."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    places = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, blue = places[b"rXYZ"], places[b"bXYZ"]
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_those_of_the_file_s_own_profile(kind: str, mode: str) -> None:
    if (kind, mode) == ("JPEG", "RGBA"):
        mode = "RGB"
    image = blended(WIDE)
    red, green, blue = image.split()
    stored = Image.merge("RGB", (blue, green, red)).convert(mode)
    made = frame(encoded(stored, kind, icc_profile=swapped_profile()))
    assert difference(made, image) < 2 * ALIKE


# --- The frame -----------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("target", RULES.sizes)
@pytest.mark.parametrize("size", SIZES)
def test_a_padded_picture_is_all_there_and_never_stretched(
    size: tuple[int, int], target: tuple[int, int], orientation: int
) -> None:
    image = blended(size)
    made = frame(encoded(image, "PNG", orientation), target, Fit.PAD)

    assert made.size == target
    inner = framing.scaled_size(size, target, Fit.PAD)
    assert inner[0] / inner[1] == pytest.approx(size[0] / size[1], rel=0.02)
    assert target[0] in inner or target[1] in inner
    whole = image.resize(inner, Image.Resampling.LANCZOS)
    assert min(difference(whole, part) for part in middles(made, inner)) < ALIKE


def middles(picture: Image.Image, size: tuple[int, int]) -> Iterator[Image.Image]:
    """Yield the middle of a picture; there may be two, a pixel apart."""
    (wide, high), (width, height) = picture.size, size
    for left in {(wide - width) // 2, (wide - width + 1) // 2}:
        for top in {(high - height) // 2, (high - height + 1) // 2}:
            yield picture.crop((left, top, left + width, top + height))


def test_the_ground_of_a_padded_picture_is_a_blur_of_it() -> None:
    stripes = Image.new("RGB", (320, 320), RED)
    for x in range(0, 320, 8):
        stripes.paste(BLUE, (x, 0, x + 4, 320))

    made = frame(encoded(stripes, "PNG"), WIDE, Fit.PAD)

    between = tuple((one + other) / 2 for one, other in zip(RED, BLUE, strict=True))
    for x in (2, 40, 280, 317):
        colour = made.getpixel((x, 90))
        assert isinstance(colour, tuple)
        assert all(abs(a - b) < 16 for a, b in zip(colour, between, strict=True))


def test_a_padded_cut_out_stands_on_its_own_colours() -> None:
    cut_out = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    cut_out.paste((*RED, 255), (50, 50, 150, 150))
    made = frame(encoded(cut_out, "PNG"), WIDE, Fit.PAD)
    red, grey = made.getchannel("R").histogram(), made.convert("L").histogram()
    assert sum(red[200:]) > 80 * 80
    assert sum(grey[:30]) == 0, "black where it is clear"


# --- The preview ---------------------------------------------------------------------------------


def seen(data: bytes, size: tuple[int, int] | None = None, fit: Fit = Fit.CROP) -> Preview:
    return preview(data, RULES, size, fit)


@pytest.mark.parametrize("size", [(401, 227), (3000, 900), (900, 3000), (60, 50)])
@pytest.mark.parametrize("target", [None, *RULES.sizes])
def test_a_preview_shows_the_whole_picture_and_what_becomes_of_it(
    size: tuple[int, int], target: tuple[int, int] | None
) -> None:
    image = blended(size)
    data = encoded(image, "PNG")

    made = seen(data, target)

    assert made.size == prepare(data, RULES, target).size
    picture = shown(made.jpeg)
    assert max(picture.size) == min(MOST_SIDE, max(size))
    assert picture.width / picture.height == pytest.approx(size[0] / size[1], rel=0.02)
    left, top, right, bottom = framing.kept(picture.size, made.size)
    assert made.kept == pytest.approx(
        (right - left) * (bottom - top) / (picture.width * picture.height), rel=0.02
    )
    rim = 0.05 * max(picture.size)
    inside = left + rim, top + rim, right - rim, bottom - rim
    there = image.resize(picture.size, Image.Resampling.LANCZOS)
    assert difference(there.crop(inside), picture.crop(inside)) < 2 * ALIKE


@pytest.mark.parametrize("orientation", STORED)
def test_what_is_cut_away_is_dark_and_a_line_runs_around_the_rest(orientation: int) -> None:
    made = seen(encoded(Image.new("RGB", (900, 300), GREEN), "PNG", orientation), SQUARE)
    picture = shown(made.jpeg).convert("L")
    bright, dark = brightness(picture, 450), brightness(picture, 100)
    assert dark < bright / 2
    assert dark == pytest.approx(brightness(picture, 800), abs=4)
    assert brightness(picture, 301) > 1.2 * bright
    assert brightness(picture, 598) > 1.2 * bright


def brightness(picture: Image.Image, x: int) -> float:
    value = picture.getpixel((x, 150))
    assert isinstance(value, int | float)
    return value


@pytest.mark.parametrize("target", RULES.sizes)
def test_the_preview_of_a_padded_picture_is_its_frame(target: tuple[int, int]) -> None:
    data = encoded(blended((401, 227)), "PNG")
    made = seen(data, target, Fit.PAD)
    assert (made.size, made.kept) == (target, 1.0)
    assert difference(shown(made.jpeg), frame(data, target, Fit.PAD)) < ALIKE


def test_a_preview_is_small_and_tells_nothing_but_the_picture() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    made = seen(encoded(blended((1403, 801)), "JPEG", exif=exif))
    assert len(made.jpeg) < 200_000
    assert b"taken" not in made.jpeg
    assert b"Exif" not in made.jpeg
