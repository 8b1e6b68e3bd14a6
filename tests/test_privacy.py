"""Where a picture was taken, with what, and what its file is called stays with the bot.

Through the real bot, on what the local video service received: no byte of it gets there.
"""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.gallery import encoded
from tests.town import Town, difference, opened, photo, town

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRETS = tuple(
    f"secret-{word}"
    for word in ("description", "camera", "serial", "place", "xmp", "comment", "name")
)
DESCRIPTION, CAMERA, SERIAL, PLACE, XMP, COMMENT, NAME = SECRETS
GPS, DETAILS = 0x8825, 0x8769
FILES = {
    "JPEG": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "HEIF": "heic",
    "AVIF": "avif",
    "TIFF": "tiff",
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("town")) as made, made.bot():
        yield made


def telling(kind: str) -> bytes:
    """A picture as a phone saves it, with all that it may tell, lying on its side."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0110], exif[0x0112] = DESCRIPTION, CAMERA, 6
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 8.0, 0.5), 29: PLACE})
    exif.get_ifd(DETAILS)[0xA431] = SERIAL
    notes = PngInfo()
    notes.add_text("Comment", COMMENT, zip=True)
    notes.add_itxt("XML:com.adobe.xmp", XMP)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rest: dict[str, dict[str, Any]] = {
        "JPEG": {"xmp": XMP.encode(), "comment": COMMENT},
        "PNG": {"pnginfo": notes},
        "WEBP": {"xmp": XMP.encode()},
        "HEIF": {"xmp": XMP.encode(), "thumbnails": [160]},
        "AVIF": {"xmp": XMP.encode()},
        "TIFF": {},
    }
    lying = photo(900, 1600).transpose(Image.Transpose.ROTATE_90)
    told = exif.tobytes() if kind == "HEIF" else exif
    return encoded(lying, kind, exif=told, icc_profile=profile, **rest[kind])


@pytest.mark.parametrize("kind", FILES)
async def test_the_picture_that_leaves_the_machine_tells_nothing_but_itself(
    here: Town, kind: str
) -> None:
    content = telling(kind)
    told = [secret for secret in SECRETS if secret.encode() in content]
    written = (DESCRIPTION, CAMERA) if kind == "TIFF" else (DESCRIPTION, CAMERA, SERIAL, PLACE)
    assert set(written) <= set(told)

    await here.clip(await here.animate(content, f"{NAME}.{FILES[kind]}"))

    (*_, task) = await here.tasks()
    sent = await here.received_picture(task)
    everything = sent + json.dumps(await here.tasks()).encode() + here.log.encode()
    for secret in SECRETS:
        assert secret.encode() not in everything
    assert str(here.mia.id) not in json.dumps(await here.tasks())
    for trace in (b"Exif", b"http://ns.adobe.com", b"ICC_PROFILE", b"acsp", b"Photoshop", b"GPS"):
        assert trace not in sent
    assert markers(sent) == [0xE0, 0xDB, 0xDB, 0xC0, 0xC4, 0xC4, 0xC4, 0xC4, 0xDA]
    assert sent.endswith(b"\xff\xd9")
    assert sent.count(b"\xff\xd9") == 1
    assert difference(opened(sent), photo(900, 1600).resize((720, 1280))) < 8, "another picture"


def markers(jpeg: bytes) -> list[int]:
    """What a JPEG consists of, up to its pixels."""
    file = io.BytesIO(jpeg)
    assert file.read(2) == b"\xff\xd8"
    found: list[int] = []
    while not found or found[-1] != 0xDA:
        mark, marker, *length = file.read(4)
        assert mark == 0xFF
        found.append(marker)
        file.seek(int.from_bytes(length, "big") - 2, io.SEEK_CUR)
    return found
