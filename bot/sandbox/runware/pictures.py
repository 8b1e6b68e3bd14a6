"""The pictures that clients hand in: read, checked, and kept on disk under their hash.

Owns uploads and what may be used as a frame. Fetches nothing from anywhere: a URL is taken only if
it is one of its own. Reading and decoding happen in a thread.
"""

import asyncio
import base64
import binascii
import hashlib
import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

from PIL import Image, ImageOps

from bot.sandbox.runware.refusal import Refused
from bot.sandbox.runware.validation import UUID_V4

MAX_BYTES = 20_000_000
SIDES = range(300, 2048 + 1)
"""Of a frame image, in pixels."""
STORED_SIDE = 2048
MAX_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
FRAME = "inputs.frameImages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture on disk; its size is that of the upright picture."""

    sha256: str
    path: Path
    width: int
    height: int
    media_type: str


class Pictures:
    """Everything handed in so far. `base_url` is the service's own, without a slash at its end."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self._folder = folder
        self._base_url = base_url
        self._read: dict[str, Picture] = {}
        self._uploads: dict[str, Picture] = {}

    async def frame(self, reference: str, *, decode: bool) -> Picture:
        """Return the picture for a frame; without `decode`, only its header is trusted."""
        picture = await self._take(reference, FRAME, "decode" if decode else "header")
        for name, side in (("Width", picture.width), ("Height", picture.height)):
            if side not in SIDES:
                raise Refused(
                    f"invalidFrameImage{name}",
                    f"The {name.lower()} of a frame image must be between {SIDES.start} and "
                    f"{SIDES.stop - 1} pixels, not {side}.",
                    FRAME,
                )
        return picture

    async def upload(self, reference: object, parameter: str) -> tuple[str, str]:
        """Keep a picture for later tasks; the answer is its UUID and URL."""
        if not isinstance(reference, str) or not reference:
            raise Refused(
                f"missing{parameter.capitalize()}", f"'{parameter}' is needed.", parameter
            )
        picture = await self._take(reference, parameter, "shrink")
        uuid = str(uuid4())
        self._uploads[uuid] = picture
        return uuid, f"{self._base_url}/image/ii/{uuid}"

    def uploaded(self, uuid: str) -> Picture | None:
        """Return what was uploaded under this UUID."""
        return self._uploads.get(uuid)

    async def _take(
        self, reference: str, parameter: str, mode: Literal["header", "decode", "shrink"]
    ) -> Picture:
        own = reference.removeprefix(f"{self._base_url}/image/ii/")
        if UUID_V4.fullmatch(own):
            if (picture := self._uploads.get(own.lower())) is None:
                raise Refused("mediaNotFound", f"There is no image {own}.", parameter)
            return picture
        if reference.startswith(("http://", "https://")):
            raise Refused("downloadFailed", "The image could not be downloaded.", parameter)
        try:
            return await asyncio.to_thread(self._keep, reference, mode)
        except _Unreadable as error:
            raise Refused("invalidImage", str(error), parameter) from error

    def _keep(self, reference: str, mode: str) -> Picture:
        """Decode, check and store; runs in a thread, and may run twice for the same picture."""
        content = _bytes_of(reference)
        sha256 = hashlib.sha256(content).hexdigest()
        if (known := self._read.get(f"{mode} {sha256}")) is not None:
            return known
        image = _open(content, decode=mode != "header")
        if mode == "shrink" and max(image.size) > STORED_SIDE:
            content, image = _shrunk(image)
        stored = hashlib.sha256(content).hexdigest()
        path = self._folder / stored
        if not path.exists():
            path.write_bytes(content)
        width, height = _upright_size(image)
        picture = Picture(
            sha256=stored,
            path=path,
            width=width,
            height=height,
            media_type=Image.MIME[image.format or "PNG"],
        )
        self._read[f"{mode} {sha256}"] = picture
        return picture


class _Unreadable(Exception):
    """What is wrong with the bytes, in words for the client."""


_UNDECODABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def _bytes_of(reference: str) -> bytes:
    encoded = reference
    if reference.startswith("data:"):
        head, _, encoded = reference.partition(",")
        if not head.endswith(";base64"):
            raise _Unreadable("A data URI must be base64.")
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _Unreadable("The image is no UUID, no URL, no data URI and no base64.") from error
    if len(content) > MAX_BYTES:
        raise _Unreadable(f"The image has more than {MAX_BYTES} bytes.")
    return content


def _open(content: bytes, *, decode: bool) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise _Unreadable(f"The image has more than {MAX_PIXELS} pixels.")
        if decode:
            image.load()
    except _UNDECODABLE as error:
        raise _Unreadable("The image could not be decoded.") from error
    return image


def _upright_size(image: Image.Image) -> tuple[int, int]:
    turned = image.getexif().get(0x0112, 1) in {5, 6, 7, 8}
    return (image.height, image.width) if turned else (image.width, image.height)


def _shrunk(image: Image.Image) -> tuple[bytes, Image.Image]:
    upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((STORED_SIDE, STORED_SIDE))
    stored = io.BytesIO()
    upright.save(stored, "JPEG", quality=95)
    return stored.getvalue(), _open(stored.getvalue(), decode=False)
