"""Pictures that tests make themselves: such that each turn and cut shows, in every kind of file."""

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import pillow_heif
from PIL import Image, ImageChops, ImageStat

Colour = tuple[int, int, int]
RED, GREEN, BLUE, YELLOW = (220, 40, 40), (40, 190, 60), (50, 80, 220), (230, 210, 60)
CORNERS = (RED, GREEN, BLUE, YELLOW)
"""Top left, top right, bottom left, bottom right of an upright picture."""

# What was done to the upright picture to store it, by orientation: the inverse of what to do.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quarters(size: tuple[int, int]) -> Image.Image:
    """A picture of four plain quarters, by which a turn, a mirror or a cut shows."""
    return _corners().resize(size, Image.Resampling.NEAREST)


def blended(size: tuple[int, int]) -> Image.Image:
    """Four colours that run into each other: no place is like another, and nothing is the same
    from two sides."""
    return _corners().resize(size, Image.Resampling.BICUBIC)


def _corners() -> Image.Image:
    small = Image.new("RGB", (2, 2))
    small.putdata(CORNERS)
    return small


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two pictures of one size, 0 to 255."""
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


# --- Files ---------------------------------------------------------------------------------------


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        grey = image.convert("L")
        return Image.frombytes("I;16", grey.size, bytes(b for v in grey.tobytes() for b in (v, v)))
    if mode == "P" and image.mode == "RGB":
        return image.quantize(64, method=Image.Quantize.FASTOCTREE)
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, orientation: int = 1, **options: Any) -> bytes:
    """A file of Pillow's format `kind`, stored lying as `orientation` says."""
    turn = STORED[orientation]
    if turn is not None:
        image = image.transpose(turn)
    if orientation != 1:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif.tobytes() if kind == "HEIF" else exif
    out = io.BytesIO()
    if kind == "HEIF":
        fast = {"quality": 90, "chroma": 444, "enc_params": {"preset": "ultrafast"}}
        pillow_heif.from_pillow(image).save(out, **fast | options)
    else:
        image.save(out, kind, **({"speed": 10} if kind == "AVIF" else {}) | options)
    return out.getvalue()


def lying(kind: str, size: tuple[int, int], said: tuple[int, int]) -> bytes:
    """An HEIC or AVIF whose container says another size than there is inside."""
    options: dict[str, Any] = {"subsampling": "4:4:4"} if kind == "AVIF" else {}
    data = encoded(Image.new("RGB", size, RED), kind, **options)
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", *said) + data[at + 8 :]


def ycck(image: Image.Image) -> bytes:
    """A JPEG as Adobe's programs write it for print: inverted, and brightness apart from colour."""
    bands = (*ImageChops.invert(image).convert("YCbCr").split(), Image.new("L", image.size, 255))
    # Pillow inverts each band of what it writes as CMYK.
    data = encoded(Image.merge("CMYK", [ImageChops.invert(band) for band in bands]), "JPEG")
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\2" + data[at + 1 :]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + crc


def png(size: tuple[int, int], rows: bytes, depth: int, colour: int, *more: bytes) -> bytes:
    """A PNG made by hand, of rows that begin with their filter; `more` are chunks before them."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", header), *more, png_chunk(b"IDAT", zlib.compress(rows, 1))]
    return b"".join([b"\x89PNG\r\n\x1a\n", *chunks, png_chunk(b"IEND", b"")])


def deep_png(image: Image.Image) -> bytes:
    """A PNG of 16 bits a channel."""
    wide = bytes(byte for value in image.tobytes() for byte in (value, value))
    row = 6 * image.width
    rows = b"".join(b"\0" + wide[at : at + row] for at in range(0, len(wide), row))
    return png(image.size, rows, 16, 2)


def tiff(
    size: tuple[int, int],
    tags: Mapping[int, tuple[int, Sequence[int]]],
    pixels: Sequence[bytes],
    *,
    order: str = "<",
    offsets_in: int = 273,
) -> bytes:
    """A TIFF made by hand: `tags` by number (kind and values), `pixels` by strip or tile."""
    sizes = {1: "B", 3: "H", 4: "I"}
    offsets, data = [], bytearray(b"II*\0" if order == "<" else b"MM\0*") + bytes(4)
    for part in pixels:
        offsets.append(len(data))
        data += part
    counts = [len(part) for part in pixels]
    every = {256: (4, size[:1]), 257: (4, size[1:]), **tags}
    every |= {offsets_in: (4, offsets), (279 if offsets_in == 273 else 325): (4, counts)}
    entries = b""
    for number, (kind, values) in sorted(every.items()):
        value = struct.pack(f"{order}{len(values)}{sizes[kind]}", *values)
        if len(value) > 4:
            value, place = struct.pack(order + "I", len(data)), value
            data += place
        entries += struct.pack(order + "HHI", number, kind, len(values)) + value.ljust(4, b"\0")
    data[4:8] = struct.pack(order + "I", len(data))
    return bytes(data) + struct.pack(order + "H", len(every)) + entries + bytes(4)


def deep_tiff(image: Image.Image, order: str) -> bytes:
    """An uncompressed TIFF of 16 bits a channel."""
    wide = bytes(byte for value in image.tobytes() for byte in (value, value))
    tags = {
        258: (3, (16, 16, 16)),
        259: (3, (1,)),
        262: (3, (2,)),
        277: (3, (3,)),
        278: (4, (image.height,)),
    }
    return tiff(image.size, tags, [wide], order=order)


def tiled_tiff(image: Image.Image, side: int = 64) -> bytes:
    """An uncompressed TIFF of tiles."""
    tiles = [
        image.crop((left, top, left + side, top + side)).tobytes()
        for top in range(0, image.height, side)
        for left in range(0, image.width, side)
    ]
    tags = {
        258: (3, (8, 8, 8)),
        259: (3, (1,)),
        262: (3, (2,)),
        277: (3, (3,)),
        322: (4, (side,)),
        323: (4, (side,)),
    }
    return tiff(image.size, tags, tiles, offsets_in=324)
