"""A picture's file with nothing left in it but what its pixels need.

Notes, thumbnails, positions, further frames and pages are never handed to a decoder: they are
somebody's own, and they are where files hide what unpacks to gigabytes. Walks through JPEG, PNG and
TIFF by their own lengths, in one pass, with a bound on each count. Decodes nothing.
"""

import math
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from bot.errors import PictureProblem, PictureRefused

_MOST_BESIDE = 16_000_000
"""Bytes beside the pixels, packed or unpacked, that no honest file has more of."""
_MOST_PARTS = 50_000
_MOST_SCANS = 30
"""Passes over a JPEG; ten are usual, and each of them takes as long as a whole picture."""
_MOST_VALUES = 1 << 16
"""Of one tag of a TIFF: the strips or tiles of a picture."""
_MOST_TILE = 1 << 24
"""Pixels of one tile of a TIFF."""
_EXIF = b"Exif\0\0"
_TURNS = range(1, 9)
_BIG = 43
"""The version of a TIFF with long offsets."""


@dataclass(frozen=True, slots=True)
class Lean:
    """`orientation` is EXIF's, 1 to 8: how the stored picture is to be turned."""

    data: bytes
    orientation: int = 1


def orientation(exif: bytes) -> int:
    """Return the orientation that a block of EXIF tells, or 1."""
    block = exif.removeprefix(_EXIF)
    order = "<" if block.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        for at in range(start + 2, start + 2 + 12 * count, 12):
            number, kind = struct.unpack_from(order + "HH", block, at)
            if number == _ORIENTATION:
                (turn,) = struct.unpack_from(order + _WHOLE.get(kind, "H"), block, at + 8)
                return int(turn) if turn in _TURNS else 1
    except struct.error:
        pass
    return 1


# --- JPEG ----------------------------------------------------------------------------------------

_EOI, _SOS, _APP1 = 0xD9, 0xDA, 0xE1
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_ALONE = (0x01, 0xD8)
"""Markers without a length."""
_NOTES = frozenset({*range(0xE0, 0xF0), 0xFE})
_OF_USE = {0xE0: b"JFIF", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""What among the notes says which colours the pixels are."""


def jpeg(data: bytes) -> Lean:
    """Leave out all notes; refuse one that is made to take for ever."""
    kept, beside, turn, pixels = [data[:2]], 0, 1, len(data)
    for marker, start, end in _segments(data, 2):
        if marker == _SOS:
            pixels = start
            break
        segment = data[start:end]
        if _is_note(marker, segment):
            beside += len(segment)
            if marker == _APP1 and segment[4:].startswith(_EXIF) and turn == 1:
                turn = orientation(segment[4:])
        else:
            kept.append(segment)
    _check(beside <= _MOST_BESIDE)
    if data.count(b"\xff\xda", pixels) > _MOST_SCANS:  # also in what follows the picture, by chance
        scans = sum(marker == _SOS for marker, _, _ in _segments(data, pixels))
        _check(scans <= _MOST_SCANS)
    return Lean(b"".join([*kept, data[pixels:]]), turn)


def _segments(data: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield each marker of a JPEG, where its segment begins, and where that ends."""
    for _ in range(_MOST_PARTS):
        found = _MARKER.search(data, at)
        if found is None or found[1][0] == _EOI:
            return
        marker, start, at = found[1][0], found.end() - 2, found.end()
        if marker not in _ALONE:
            at += int.from_bytes(data[at : at + 2], "big")
            yield marker, start, at
    _check(False)


def _is_note(marker: int, segment: bytes) -> bool:
    name = _OF_USE.get(marker)
    return marker in _NOTES and (name is None or not segment[4:].startswith(name))


# --- PNG -----------------------------------------------------------------------------------------

_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"IDAT", b"IEND"})
_FRAMES = frozenset({b"acTL", b"fcTL", b"fdAT"})


def png(data: bytes) -> Lean:
    """Leave out all notes, and all frames but the first."""
    kept, beside, turn, at = [data[:8]], 0, 1, 8
    for _ in range(_MOST_PARTS):
        start, kind = at, data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[start : start + 4], "big")
        body = data[start + 8 : at - 4]
        if kind in _NEEDED:
            kept.append(data[start:at])
        elif kind not in _FRAMES:
            beside += len(body)
        if kind == b"eXIf":
            turn = orientation(body)
        beside += _unpacked(kind, body)
        _check(beside <= _MOST_BESIDE)
        if kind == b"IEND" or at >= len(data):
            return Lean(b"".join(kept), turn)
    raise PictureRefused(PictureProblem.UNSAFE)


def _unpacked(kind: bytes, body: bytes) -> int:
    """Return how many bytes a packed note has, or a few more than a file may have of them."""
    _, _, packed = body.partition(b"\0")
    if kind == b"iTXt" and packed.startswith(b"\1"):
        packed = packed[2:].split(b"\0", 2)[-1]
    elif kind in (b"zTXt", b"iCCP"):
        packed = packed[1:]
    else:
        return 0
    try:
        return len(zlib.decompressobj().decompress(packed, _MOST_BESIDE + 1))
    except zlib.error:
        return 0


# --- TIFF ----------------------------------------------------------------------------------------

_ORIENTATION = 274
_TILE_SIDES = (322, 323)
_TAGS = frozenset(
    {256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320}  # pixels in strips
    | {*_TILE_SIDES, 324, 325}  # in tiles
    | {338, 339, 347, *range(512, 522), 529, 530, 531, 532}  # their kind; a JPEG inside
    | {34675}  # the colour profile
)
_BYTES = (1, 2, 6, 7)
"""Kinds of value that stay bytes, however many they are."""
_WHOLE = {3: "H", 4: "I"}


@dataclass(frozen=True, slots=True)
class _Tag:
    number: int
    kind: int
    count: int
    value: bytes


def tiff(data: bytes) -> Lean:
    """Leave out all notes and all pages but the first, by a new directory at the end."""
    order = "<" if data.startswith(b"II") else ">"
    is_big = _BIG in data[2:4]
    word, counter, entry = ("Q", "Q", "HHQ8s") if is_big else ("I", "H", "HHI4s")
    head = 8 if is_big else 4
    try:
        (first,) = struct.unpack_from(order + word, data, head)
        (count,) = struct.unpack_from(order + counter, data, first)
        start = first + struct.calcsize(counter)
        listed = data[start : start + count * struct.calcsize(order + entry)]
        tags = {
            number: _Tag(number, *rest)
            for number, *rest in struct.iter_unpack(order + entry, listed)
        }
    except struct.error:
        raise PictureRefused(PictureProblem.DAMAGED) from None
    needed = [tags[number] for number in sorted(_TAGS & tags.keys())]
    _check(
        all(tag.count <= (_MOST_BESIDE if tag.kind in _BYTES else _MOST_VALUES) for tag in needed)
    )
    sides = [_whole(order, tags[number]) for number in _TILE_SIDES if number in tags]
    _check(math.prod(sides) <= _MOST_TILE)
    directory = [
        struct.pack(order + entry, tag.number, tag.kind, tag.count, tag.value) for tag in needed
    ]
    at = len(data) + len(data) % 2
    lean = [data[:head], struct.pack(order + word, at), data[head + struct.calcsize(word) :]]
    lean += [
        bytes(at - len(data)),
        struct.pack(order + counter, len(directory)),
        *directory,
        bytes(8),
    ]
    turn = _whole(order, tags[_ORIENTATION]) if _ORIENTATION in tags else 1
    return Lean(b"".join(lean), turn if turn in _TURNS else 1)


def _whole(order: str, tag: _Tag) -> int:
    _check(tag.count == 1 and tag.kind in _WHOLE)
    return int(struct.unpack_from(order + _WHOLE[tag.kind], tag.value)[0])


def _check(is_honest: bool) -> None:
    if not is_honest:
        raise PictureRefused(PictureProblem.UNSAFE)
