"""Any picture in, the model's first frame out: upright, sRGB, of the exact size, nothing else."""

import io
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from bot.errors import PictureProblem, PictureRefused
from bot.image import Rules, prepare
from tests.conftest import ROOT
from tests.corridor import model, picture
from tests.gallery import (
    BLUE,
    CORNERS,
    GREEN,
    RED,
    STORED,
    Colour,
    encoded,
    in_mode,
    png,
    quarters,
)

KLING_SIZES = model().sizes
WIDE, SQUARE, TALL = KLING_SIZES
KLING = Rules(sizes=KLING_SIZES, least_side=300, most_side=2048, most_pixels=64_000_000)
SMALL_SIZES = ((320, 180), (180, 180), (180, 320))
SMALL = Rules(sizes=SMALL_SIZES, least_side=75, most_side=512, most_pixels=64_000_000)
"""The same shapes at a quarter, for tables of many cases."""
FREE = Rules(sizes=(), least_side=300, most_side=2048, most_pixels=64_000_000)

FORMATS: dict[str, tuple[str, ...]] = {
    "PNG": ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"),
    "JPEG": ("RGB", "L", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("P", "L", "RGB"),
    "BMP": ("RGB", "L", "P", "1"),
    "TIFF": ("RGB", "RGBA", "L", "LA", "P", "CMYK", "1", "I;16"),
    "AVIF": ("RGB", "RGBA"),
    "HEIF": ("RGB", "RGBA", "L"),
}
TURNABLE = ("PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF")
"""Formats that carry EXIF."""
GREY_MODES = ("L", "LA", "1", "I;16")


def corners(jpeg: bytes) -> tuple[Colour, ...]:
    """The colours in the middle of each quarter."""
    with Image.open(io.BytesIO(jpeg)) as image:
        width, height = image.size
        places = ((1, 1), (3, 1), (1, 3), (3, 3))
        found = [image.getpixel((width * x // 4, height * y // 4)) for x, y in places]
    return tuple(colour for colour in found if isinstance(colour, tuple) and len(colour) == 3)


def is_like(found: Colour, wanted: Colour, tolerance: int = 24) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


def segments(jpeg: bytes) -> Iterator[int]:
    """The markers of a JPEG up to its pixels."""
    at = 2
    while jpeg[at + 1] != 0xDA:
        yield jpeg[at + 1]
        at += 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]


PICTURES = [
    (kind, mode, orientation)
    for kind, modes in FORMATS.items()
    for mode in modes
    for orientation in (STORED if kind in TURNABLE else (1,))
]


@pytest.mark.parametrize(("kind", "mode", "orientation"), PICTURES)
def test_any_picture_becomes_an_upright_frame_of_the_exact_size(
    kind: str, mode: str, orientation: int
) -> None:
    data = encoded(in_mode(quarters((400, 200)), mode), kind, orientation)

    frame = prepare(data, SMALL)

    assert frame.size == (320, 180)
    with Image.open(io.BytesIO(frame.jpeg)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (320, 180))
    found = corners(frame.jpeg)
    if mode == "1":  # dithered: bright and dark can still be told apart
        assert sum(found[3]) > sum(found[2])
    elif mode in GREY_MODES:
        grey = [round(0.299 * r + 0.587 * g + 0.114 * b) for r, g, b in CORNERS]
        assert all(map(is_like, found, [(g, g, g) for g in grey]))
    else:
        assert all(map(is_like, found, CORNERS))


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "HEIF"])
def test_a_picture_far_larger_than_the_frame_is_turned_too(kind: str, orientation: int) -> None:
    large = encoded(quarters((180 * 7, 320 * 7)), kind, orientation)

    frame = prepare(large, SMALL)

    assert frame.size == (180, 320)
    assert all(map(is_like, corners(frame.jpeg), CORNERS))


def test_a_picture_of_a_phone_with_a_second_one_inside_is_its_first() -> None:
    first, second = quarters((400, 200)), Image.new("RGB", (400, 200), BLUE)
    data = encoded(first, "MPO", save_all=True, append_images=[second])

    assert all(map(is_like, corners(prepare(data, SMALL).jpeg), CORNERS))


SECRET = "where it was taken"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF"])
def test_no_metadata_goes_along(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = SECRET
    notes = PngInfo()
    notes.add_text("Comment", SECRET)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"exif": exif, "comment": SECRET.encode(), "icc_profile": profile},
        "PNG": {"exif": exif, "pnginfo": notes, "icc_profile": profile},
        "WEBP": {"exif": exif, "xmp": SECRET.encode(), "icc_profile": profile},
        "TIFF": {"exif": exif, "icc_profile": profile},
        "GIF": {"comment": SECRET.encode()},
        "AVIF": {"exif": exif, "xmp": SECRET.encode(), "icc_profile": profile},
        "HEIF": {"exif": exif.tobytes(), "xmp": SECRET.encode(), "icc_profile": profile},
    }
    data = encoded(quarters((640, 360)), kind, **options[kind])
    assert SECRET.encode() in data

    jpeg = prepare(data, SMALL).jpeg

    assert SECRET.encode() not in jpeg
    markers = set(segments(jpeg))
    assert markers <= {0xE0, 0xDB, 0xC0, 0xC4}, "more than JFIF, tables and the frame header"
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not image.getexif()


# --- Size and shape ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "nearest"),
    [
        ((1280, 720), WIDE),
        ((1920, 1080), WIDE),
        ((4000, 3000), WIDE),
        ((3000, 4000), TALL),
        ((1000, 1000), SQUARE),
        ((1000, 760), SQUARE),
        ((1400, 1000), WIDE),
        ((1300, 1000), SQUARE),
        ((720, 1280), TALL),
        ((1080, 1920), TALL),
        ((32, 32), SQUARE),
        ((500, 100), WIDE),
        ((100, 500), TALL),
    ],
)
def test_the_frame_takes_the_shape_that_cuts_away_least(
    size: tuple[int, int], nearest: tuple[int, int]
) -> None:
    assert prepare(encoded(quarters(size), "PNG"), KLING).size == nearest


@pytest.mark.parametrize("size", KLING_SIZES)
def test_a_shape_that_was_asked_for_is_kept(size: tuple[int, int]) -> None:
    assert prepare(picture(), KLING, size).size == size


def test_what_is_cut_away_is_the_same_on_both_sides() -> None:
    striped = Image.new("RGB", (1500, 500), GREEN)
    striped.paste(RED, (0, 0, 500, 500))
    striped.paste(BLUE, (1000, 0, 1500, 500))

    frame = prepare(encoded(striped, "PNG"), KLING, SQUARE)

    with Image.open(io.BytesIO(frame.jpeg)) as image:
        for x in (10, 360, 710):
            colour = image.getpixel((x, 360))
            assert isinstance(colour, tuple)
            assert is_like(colour[:3], GREEN)  # type: ignore[arg-type] # of three bands


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1000, 800), (1000, 800)),
        ((1001, 801), (1000, 800)),
        ((4096, 2048), (2048, 1024)),
        ((2048, 4096), (1024, 2048)),
        ((100, 100), (300, 300)),
        ((60, 40), (450, 300)),
        ((5000, 1000), (2048, 410)),
        ((400, 2000), (400, 2000)),
    ],
)
def test_without_a_list_of_sizes_the_frame_keeps_the_shape_within_the_limits(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    frame = prepare(encoded(quarters(size), "PNG"), FREE)

    assert frame.size == expected
    assert all(side % 2 == 0 for side in frame.size)


def test_a_shape_that_no_allowed_size_has_is_refused() -> None:
    strict = Rules(sizes=(), least_side=900, most_side=1000, most_pixels=64_000_000)
    with pytest.raises(PictureRefused) as refused:
        prepare(encoded(quarters((400, 200)), "PNG"), strict)

    assert refused.value.problem is PictureProblem.TOO_NARROW


# --- Colour and transparency ---------------------------------------------------------------------


def test_colours_of_another_profile_are_brought_to_srgb() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    plain = prepare(encoded(quarters((640, 360)), "PNG", icc_profile=srgb.tobytes()), KLING)
    assert all(map(is_like, corners(plain.jpeg), CORNERS))

    # A profile for another kind of pixels is left out of account rather than trusted.
    odd = prepare(encoded(quarters((640, 360)), "PNG", icc_profile=lab.tobytes()), KLING)
    assert all(map(is_like, corners(odd.jpeg), CORNERS))


@pytest.mark.parametrize("profile", [b"", b"not a profile", bytes(4000)])
def test_a_broken_profile_does_not_stop_a_good_picture(profile: bytes) -> None:
    frame = prepare(encoded(quarters((640, 360)), "JPEG", icc_profile=profile), KLING)

    assert all(map(is_like, corners(frame.jpeg), CORNERS))


@pytest.mark.parametrize("size", [(320, 180), (1600, 900)])
@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True})]
)
def test_a_cut_out_stands_on_its_own_colours_not_on_black(
    kind: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    cut_out = Image.new("RGBA", size, (240, 240, 240, 0))
    cut_out.paste((*RED, 255), (size[0] // 4, 0, size[0] // 2, size[1]))

    frame = prepare(encoded(cut_out, kind, **options), SMALL)

    with Image.open(io.BytesIO(frame.jpeg)) as image:
        solid, clear = image.getpixel((120, 75)), image.getpixel((315, 75))
    assert isinstance(solid, tuple)
    assert isinstance(clear, tuple)
    assert is_like((solid[0], solid[1], solid[2]), RED)
    assert min(clear) > 200


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (10, 10, 60)])
@pytest.mark.parametrize("under", [(0, 0, 0), (255, 255, 255)])
@pytest.mark.parametrize("scale", [1, 8])
def test_a_drawing_on_clear_ground_can_be_seen_whatever_is_under_the_clear(
    ink: tuple[int, int, int], under: tuple[int, int, int], scale: int
) -> None:
    drawing = Image.new("RGBA", (320 * scale, 180 * scale), (*under, 0))
    drawing.paste((*ink, 255), (150 * scale, 0, 170 * scale, 180 * scale))

    frame = prepare(encoded(drawing, "PNG"), KLING)

    with Image.open(io.BytesIO(frame.jpeg)) as image:
        grey = image.convert("L")
        line, ground = grey.getpixel((640, 360)), grey.getpixel((60, 360))
    assert isinstance(line, int | float)
    assert isinstance(ground, int | float)
    assert abs(line - ground) > 120


def test_what_was_erased_to_clear_does_not_come_back() -> None:
    drawing = Image.new("RGBA", (1280, 720), (*BLUE, 255))
    drawing.paste((*RED, 0), (800, 0, 1280, 720))

    frame = prepare(encoded(drawing, "PNG"), KLING)

    with Image.open(io.BytesIO(frame.jpeg)) as image:
        colour = image.getpixel((1200, 360))
    assert isinstance(colour, tuple)
    assert colour[0] - max(colour[1:]) < 10


def test_a_transparent_colour_of_a_palette_is_seen_as_such() -> None:
    image = Image.new("P", (320, 180), 0)
    image.putpalette([0, 0, 0, *RED])
    image.paste(1, (0, 0, 320, 90))

    frame = prepare(encoded(image, "PNG", transparency=0), KLING)

    assert is_like(corners(frame.jpeg)[0], RED)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_of_several_pictures_in_a_file_the_first_is_taken(kind: str) -> None:
    first, second = Image.new("RGB", (640, 360), RED), Image.new("RGB", (640, 360), BLUE)
    data = encoded(first, kind, save_all=True, append_images=[second])

    assert all(is_like(colour, RED) for colour in corners(prepare(data, SMALL).jpeg))


# --- What is refused -----------------------------------------------------------------------------


def png_of(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds next to nothing."""
    return png((width, height), bytes(1000), 8, 2)


def bmp_of(width: int, height: int) -> bytes:
    head = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360"><rect/></svg>'
REFUSED: dict[str, tuple[bytes, PictureProblem]] = {
    "no bytes": (b"", PictureProblem.EMPTY),
    "HTML": (b"<!DOCTYPE html><html><body>no</body></html>", PictureProblem.NOT_A_PICTURE),
    "SVG": (SVG, PictureProblem.NOT_A_PICTURE),
    "zeros": (bytes(5000), PictureProblem.NOT_A_PICTURE),
    "one zero": (b"\0", PictureProblem.NOT_A_PICTURE),
    "a PDF": (b"%PDF-1.7\n1 0 obj\n", PictureProblem.NOT_A_PICTURE),
    "a video": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", PictureProblem.NOT_A_PICTURE),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", PictureProblem.NOT_A_PICTURE),
    "a PNG's first bytes": (b"\x89PNG\r\n\x1a\n", PictureProblem.NOT_A_PICTURE),
    "a JPEG's first bytes": (b"\xff\xd8\xff", PictureProblem.NOT_A_PICTURE),
    "a PNG bomb": (png_of(30_000, 30_000), PictureProblem.TOO_MANY_PIXELS),
    "a PNG over the limit": (png_of(8001, 8001), PictureProblem.TOO_MANY_PIXELS),
    "a PNG past Pillow's warning": (png_of(10_000, 10_000), PictureProblem.TOO_MANY_PIXELS),
    "a BMP bomb": (bmp_of(50_000, 50_000), PictureProblem.TOO_MANY_PIXELS),
    "a dot": (encoded(Image.new("L", (31, 60)), "PNG"), PictureProblem.TOO_SMALL),
    "a column": (encoded(Image.new("L", (1, 65_500)), "PNG"), PictureProblem.TOO_NARROW),
    "a line": (encoded(Image.new("L", (65_500, 1)), "JPEG"), PictureProblem.TOO_NARROW),
    "six to one": (encoded(Image.new("L", (601, 100)), "PNG"), PictureProblem.TOO_NARROW),
    "a PNG with a lie for pixels": (png_of(640, 360), PictureProblem.DAMAGED),
}


@pytest.mark.parametrize(("data", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_usable_picture_is_refused_at_once(data: bytes, problem: PictureProblem) -> None:
    started = time.perf_counter()
    with pytest.raises(PictureRefused) as refused:
        prepare(data, KLING)

    assert refused.value.problem is problem
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_a_picture_that_was_cut_short_is_refused(kind: str, share: float) -> None:
    whole = encoded(Image.effect_noise((320, 180), 80).convert("RGB"), kind)

    with pytest.raises(PictureRefused) as refused:
        prepare(whole[: int(len(whole) * share)], SMALL)

    assert refused.value.problem in (PictureProblem.DAMAGED, PictureProblem.NOT_A_PICTURE)


@pytest.mark.parametrize("at", range(8, 400, 7))
def test_a_flipped_bit_is_survived_or_refused(at: int) -> None:
    data = bytearray(picture(64, 36))
    data[at % len(data)] ^= 0x10
    with suppress(PictureRefused):
        assert prepare(bytes(data), SMALL).size in SMALL_SIZES


def test_a_refusal_says_what_was_found_and_what_is_allowed() -> None:
    with pytest.raises(PictureRefused) as refused:
        prepare(png_of(8001, 8001), KLING)
    assert (refused.value.found, refused.value.limit) == ("8001×8001", "64")

    with pytest.raises(PictureRefused) as refused:
        prepare(png_of(30_000, 30_000), KLING)
    assert (refused.value.found, refused.value.limit) == ("over 178 million", "64")


# --- Warnings ------------------------------------------------------------------------------------

NOISY = """
import io, struct, sys, warnings
from concurrent.futures import ThreadPoolExecutor
from PIL import Image
from bot.image import Rules, prepare

rules = Rules(sizes=((64, 64),), least_side=32, most_side=64, most_pixels=10**6)
entry = struct.pack("<HHHII", 1, 271, 2, 255, 26)  # a text of 255 bytes where there are none
exif = b"Exif\\0\\0II*\\0" + struct.pack("<I", 8) + entry
file = io.BytesIO()
Image.new("RGB", (640, 640), "red").save(file, "JPEG", exif=exif)
with ThreadPoolExecutor(4) as pool:
    frames = list(pool.map(lambda _: prepare(file.getvalue(), rules), range(200)))
assert len(frames) == 200
try:
    warnings.warn("ours")
except UserWarning:
    print("heard")
"""


def test_pictures_that_pillow_warns_of_are_taken_by_many_threads_and_other_warnings_are_heard() -> (
    None
):
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", NOISY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("heard\n", "", 0)
