"""What pixels do not need is taken out of a file before anything decodes it."""

import io
import struct
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from bot import lean
from bot.errors import PictureRefused
from bot.lean import Lean
from tests.conftest import ROOT
from tests.gallery import STORED, blended, difference, encoded, png_chunk, ycck

SECRET = b"where it was taken"
PHOTO = blended((120, 90))
PARED = {"JPEG": lean.jpeg, "PNG": lean.png, "TIFF": lean.tiff}
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def telling(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = SECRET.decode(), 6
    notes = PngInfo()
    notes.add_text("Comment", SECRET)
    options: dict[str, Any] = {"exif": exif, "icc_profile": PROFILE}
    rest: dict[str, dict[str, Any]] = {
        "JPEG": {"comment": SECRET, "xmp": SECRET},
        "PNG": {"pnginfo": notes},
    }
    return encoded(PHOTO, kind, **options, **rest.get(kind, {}))


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("kind", PARED)
def test_the_pixels_and_their_colours_stay_and_the_notes_go(kind: str) -> None:
    data = telling(kind)
    assert SECRET in data

    pared = PARED[kind](data)

    assert pared.orientation == 6
    image = opened(pared.data)
    assert image.info["icc_profile"] == PROFILE
    assert difference(image, PHOTO) < 4
    assert not image.getexif().get(0x010E)
    assert not image.getexif().get(0x0112)
    if kind != "TIFF":  # whose old directory is still there, and nothing leads to it
        assert SECRET not in pared.data


@pytest.mark.parametrize("kind", PARED)
def test_a_lean_file_has_nothing_to_lose(kind: str) -> None:
    once = PARED[kind](telling(kind)).data
    again = PARED[kind](once)
    assert again.orientation == 1
    assert opened(again.data).tobytes() == opened(once).tobytes()


def test_what_says_how_an_adobe_jpeg_is_to_be_read_stays() -> None:
    pared = lean.jpeg(ycck(PHOTO))
    assert difference(opened(pared.data), PHOTO) < 6


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_of_many_pictures_in_a_file_the_first_is_left(kind: str) -> None:
    other = Image.new("RGB", PHOTO.size, "blue")
    many = encoded(PHOTO, kind, save_all=True, append_images=[other, other])
    left = opened(PARED[kind](many).data)
    assert getattr(left, "n_frames", 1) == 1
    assert difference(left, PHOTO) < 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("turn", STORED)
def test_an_orientation_is_read_in_both_orders_and_both_lengths(
    order: str, kind: int, turn: int
) -> None:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + ("H" if kind == 3 else "I"), turn).ljust(4, b"\0")
    entries = struct.pack(order + "HHI", 0x0100, 4, 1) + bytes(4)
    entries += struct.pack(order + "HHI", 0x0112, kind, 1) + value
    block = mark + struct.pack(order + "IH", 8, 2) + entries
    assert lean.orientation(block) == lean.orientation(b"Exif\0\0" + block) == turn


@pytest.mark.parametrize("told", [0, 9, 65535])
def test_an_orientation_that_there_is_not_is_none(told: int) -> None:
    exif = b"II*\0" + struct.pack("<IHHHIHH", 8, 1, 0x0112, 3, 1, told, 0)
    assert lean.orientation(exif) == 1


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"Exif\0\0II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"])
)
def test_whatever_stands_for_exif_an_orientation_comes_of_it(junk: bytes, head: bytes) -> None:
    assert lean.orientation(head + junk) in STORED


@given(
    st.sampled_from(sorted(PARED)),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=8),
    st.integers(0, 3000),
)
def test_whatever_is_changed_in_a_file_it_is_pared_or_refused(
    kind: str, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(_TOLD[kind])
    for at, value in changes:
        data[at % len(data)] = value
    try:
        made = PARED[kind](bytes(data[:length]))
    except PictureRefused:
        return
    assert isinstance(made, Lean)
    assert made.orientation in STORED


_TOLD = {kind: telling(kind) for kind in PARED}


def test_a_chunk_that_a_png_must_not_have_is_not_passed_on() -> None:
    data = encoded(PHOTO, "PNG")
    odd = data[:33] + png_chunk(b"CgBI", bytes(4)) + png_chunk(b"prVt", SECRET) + data[33:]
    assert lean.png(odd).data == data


# --- Who carries the libraries -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "loaded"),
    [
        ("import bot.app, bot.corridor", []),
        ("from bot import formats; formats.opened(data, 10**6, abs)", ["PIL"]),
    ],
)
def test_the_bot_itself_loads_no_decoder_and_only_an_heic_that_of_heic(
    script: str, loaded: list[str]
) -> None:
    tell = "import sys; print(*sorted({'PIL', 'pillow_heif'} & sys.modules.keys()))"
    ended = subprocess.run(
        [sys.executable, "-c", f"data = {encoded(PHOTO, 'JPEG')!r}\n{script}\n{tell}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == loaded
