"""Files that are made to do harm, or are none at all: refused with the right words, at no cost.

All of them are opened in one process of its own that cannot take more than 100 MB for any of them.
How long each took is measured there, too, and only guarded here: the bench has the figures.
"""

import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import pytest
from PIL import Image

from bot.errors import PictureProblem
from tests.conftest import ROOT
from tests.gallery import blended, encoded, lying, png, png_chunk, tiff
from tests.hostile import MORE

NOT_A_PICTURE, DAMAGED, UNSAFE = (
    PictureProblem.NOT_A_PICTURE,
    PictureProblem.DAMAGED,
    PictureProblem.UNSAFE,
)
TOO_MANY, TOO_NARROW, TOO_SMALL, EMPTY = (
    PictureProblem.TOO_MANY_PIXELS,
    PictureProblem.TOO_NARROW,
    PictureProblem.TOO_SMALL,
    PictureProblem.EMPTY,
)
TAKEN = None
"""Opened like any other, because what is bad in it is never looked at."""

GUARD_SECONDS = 10.0
pytestmark = pytest.mark.timeout(180)  # making them all is most of it
PHOTO = blended((640, 360))
PNG, JPEG = encoded(PHOTO, "PNG"), encoded(PHOTO, "JPEG")
KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")


@cache
def bomb() -> bytes:
    """A few hundred kilobytes that unpack to 300 MB."""
    return zlib.compress(bytes(300_000_000), 9)


def animated(kind: str, **options: Any) -> bytes:
    """400 frames."""
    frames = [Image.new("RGB", (160, 90), (number % 256, 0, 0)) for number in range(400)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)


@cache
def noise(kind: str) -> bytes:
    return encoded(Image.effect_noise((320, 180), 80).convert("RGB"), kind)


def cut_short(kind: str, sixteenths: int) -> bytes:
    return noise(kind)[: len(noise(kind)) * sixteenths // 16]


def with_chunks(*chunks: bytes) -> bytes:
    return PNG[:33] + b"".join(chunks) + PNG[33:]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(*segments: bytes) -> bytes:
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def many_passes() -> bytes:
    """A JPEG that is painted over and over."""
    data = encoded(Image.new("RGB", (4000, 3000)), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + 300 * last + data[-2:]


def webp_of(width: int, height: int) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + canvas + bytes(40)


def gif_of(screen: tuple[int, int], first: tuple[int, int]) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + bytes(6)
    return head + struct.pack("<BHHHHB", 0x2C, 0, 0, *first, 0) + b"\2\1\x44\0;" + bytes(20)


def bmp_of(width: int, height: int, packing: int = 0, data: bytes = b"") -> bytes:
    head = b"BM" + struct.pack("<IHHI", 1078 + len(data), 0, 0, 1078)
    head += struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, packing, len(data), 0, 0, 256, 0)
    return head + bytes(1024) + data


GREY = {258: (3, (8,)), 259: (3, (1,)), 262: (3, (1,)), 277: (3, (1,))}


def tiff_of(size: tuple[int, int], more: Mapping[int, tuple[int, tuple[int, ...]]]) -> bytes:
    return tiff(size, {**GREY, **more}, [bytes(1000)])


def looping_tiff() -> bytes:
    """A TIFF whose second page is its first."""
    data = bytearray(encoded(PHOTO, "TIFF"))
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    struct.pack_into("<I", data, at + 2 + 12 * count, at)
    return bytes(data)


HOSTILE: dict[str, tuple[Callable[[], bytes], PictureProblem | None]] = {
    # No picture at all
    "no bytes": (lambda: b"", EMPTY),
    "HTML": (lambda: b"<!DOCTYPE html><html><body onload=alert(1)>" + bytes(500), NOT_A_PICTURE),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="640"/>' * 9, NOT_A_PICTURE),
    "an SVG that refers to itself": (
        lambda: b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "&b;&b;">]><svg>&a;</svg>',
        NOT_A_PICTURE,
    ),
    "a ZIP": (lambda: b"PK\3\4" + bytes(500), NOT_A_PICTURE),
    "a PDF": (lambda: b"%PDF-1.7\n" + bytes(500), NOT_A_PICTURE),
    "a PDF with a picture in it": (lambda: b"%PDF-1.7\n" + JPEG, NOT_A_PICTURE),
    "PostScript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n" + bytes(500), NOT_A_PICTURE),
    "a program": (lambda: b"\x7fELF\2\1\1" + bytes(500), NOT_A_PICTURE),
    "a video": (lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(500), NOT_A_PICTURE),
    "a text that begins as a BMP": (lambda: b"BMW is a maker of cars." * 9, NOT_A_PICTURE),
    "an icon": (lambda: b"\0\0\1\0\1\0\x10\x10" + bytes(500), NOT_A_PICTURE),
    "a PSD": (lambda: b"8BPS\0\1" + bytes(500), NOT_A_PICTURE),
    "zeros": (lambda: bytes(100_000), NOT_A_PICTURE),
    "a script that begins as a GIF": (lambda: b"GIF89a/*" + b"*/alert(1)//" * 50, DAMAGED),
    "HTML that begins as a JPEG": (lambda: b"\xff\xd8\xff<html>" + b"<p>" * 100, DAMAGED),
    # Two things in one: what is no picture is left where it is
    "a ZIP behind a JPEG": (lambda: JPEG + b"PK\3\4" + b"secret" * 1000, TAKEN),
    "a script behind a PNG": (lambda: PNG + b"<script>alert(1)</script>", TAKEN),
    # Absurd sizes and shapes
    "a column": (lambda: encoded(Image.new("L", (1, 65_500)), "PNG"), TOO_NARROW),
    "a line": (lambda: encoded(Image.new("L", (65_500, 1)), "JPEG"), TOO_NARROW),
    "a dot": (lambda: encoded(Image.new("L", (1, 1)), "PNG"), TOO_SMALL),
    "six to one": (lambda: encoded(Image.new("L", (601, 100)), "PNG"), TOO_NARROW),
    "a PNG of 900 megapixels": (lambda: png((30_000, 30_000), bytes(1000), 8, 2), TOO_MANY),
    "a PNG of all it can": (lambda: png((2**31 - 1, 2**31 - 1), bytes(1000), 8, 2), TOO_MANY),
    "a PNG of nothing": (lambda: png((0, 0), b"", 8, 2), DAMAGED),
    "a GIF of all it can": (lambda: gif_of((65_535, 65_535), (10, 10)), TOO_MANY),
    "a GIF with a first frame beyond it": (lambda: gif_of((100, 100), (65_535, 65_535)), TOO_MANY),
    "a BMP of 2500 megapixels": (lambda: bmp_of(50_000, 50_000), TOO_MANY),
    "a WebP of 16 gigapixels": (lambda: webp_of(1 << 24, 1000), TOO_MANY),
    "a WebP of 268 megapixels": (lambda: webp_of(16_384, 16_384), TOO_MANY),
    "a TIFF of 4 gigapixels": (lambda: tiff_of((65_535, 65_535), {278: (4, (65_535,))}), TOO_MANY),
    "an HEIC that says 65535": (lambda: lying("HEIF", (640, 360), (65_535, 65_535)), TOO_MANY),
    "an AVIF of 256 megapixels": (lambda: lying("AVIF", (640, 360), (16_000, 16_000)), TOO_MANY),
    # What unpacks to far more than it is
    "a PNG with a zTXt bomb": (lambda: with_chunks(png_chunk(b"zTXt", b"a\0\0" + bomb())), UNSAFE),
    "a PNG with an iTXt bomb": (
        lambda: with_chunks(png_chunk(b"iTXt", b"a\0\1\0\0\0" + bomb())),
        UNSAFE,
    ),
    "a PNG with an iCCP bomb": (lambda: with_chunks(png_chunk(b"iCCP", b"a\0\0" + bomb())), UNSAFE),
    "a PNG with many small bombs": (
        lambda: with_chunks(*[png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000)))] * 300),
        UNSAFE,
    ),
    "a PNG of a million notes": (lambda: with_chunks(png_chunk(b"tEXt", b"a\0b") * 10**6), UNSAFE),
    "a PNG with a note of 4 GB": (
        lambda: PNG[:33] + b"\xff\xff\xff\xfftEXtabc" + PNG[33:],
        DAMAGED,
    ),
    "a JPEG with 60 MB of metadata": (
        lambda: with_segments(*[segment(0xE1, b"Exif\0\0" + bytes(65_000))] * 923),
        UNSAFE,
    ),
    "a JPEG with 60 MB of comments": (
        lambda: with_segments(*[segment(0xFE, bytes(65_000))] * 923),
        UNSAFE,
    ),
    "a JPEG of a million empty notes": (lambda: with_segments(segment(0xE9, b"") * 10**6), UNSAFE),
    "a JPEG that is padded with 15 MB": (lambda: with_segments(b"\xff" * 15_000_000), TAKEN),
    "a JPEG in 300 passes": (many_passes, UNSAFE),
    "a BMP of ten million runs": (lambda: bmp_of(8000, 5000, 1, b"\1\7" * 10**7), DAMAGED),
    "a TIFF of a million bands": (lambda: tiff_of((640, 360), {258: (3, (8,) * 10**6)}), UNSAFE),
    "a TIFF of a huge tile": (
        lambda: tiff_of(
            (640, 360), {322: (4, (2**31 - 16,)), 323: (4, (2**31 - 16,)), 324: (4, (8,))}
        ),
        UNSAFE,
    ),
    "a TIFF of 65535 bands": (lambda: tiff_of((640, 360), {277: (3, (65_535,))}), DAMAGED),
    "an HEIC of more than it says": (lambda: lying("HEIF", (3000, 2000), (640, 360)), DAMAGED),
    "an AVIF of more than it says": (lambda: lying("AVIF", (7000, 5600), (640, 360)), DAMAGED),
    # Many frames: the first is taken, the others are not looked at
    "a GIF of 400 frames": (
        lambda: animated("GIF"),
        TAKEN,
    ),
    "a PNG of 400 frames": (
        lambda: animated("PNG"),
        TAKEN,
    ),
    "a WebP of 400 frames": (
        lambda: animated("WEBP", method=0),
        TAKEN,
    ),
    "a TIFF without an end": (looping_tiff, TAKEN),
    # Cut short, at every sixteenth
    **{
        f"{kind}, {part}/16": (partial(cut_short, kind, part), DAMAGED)
        for kind in KINDS
        for part in range(1, 16)
    },
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Open all of them under the limit; what became of each by name, "" for the process itself."""
    folder = tmp_path_factory.mktemp("hostile")
    files = []
    for number, (made, _) in enumerate(HOSTILE.values()):
        files.append(folder / str(number))
        files[-1].write_bytes(made())
    ended = subprocess.run(
        [sys.executable, "-m", "tests.hostile", *map(str, files)],
        cwd=ROOT,
        env={"MALLOC_ARENA_MAX": "1"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(answers) == len(HOSTILE) + 1, ended.stderr.decode()[-1000:]
    return dict(zip([*HOSTILE, ""], answers, strict=True))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_for_what_it_is_or_taken_at_no_cost(
    outcomes: dict[str, dict[str, Any]], name: str
) -> None:
    _, problem = HOSTILE[name]
    assert outcomes[name].get("problem") == problem
    assert ("size" in outcomes[name]) == (problem is TAKEN)
    assert outcomes[name]["seconds"] < GUARD_SECONDS


def test_all_of_them_together_never_took_100_mb(outcomes: dict[str, dict[str, Any]]) -> None:
    assert 1_000_000 < outcomes[""]["more"] < MORE
