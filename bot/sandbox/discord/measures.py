"""What Discord finds out about a file by itself: its type, its size, whether it moves. Pure."""

import io
import mimetypes
from dataclasses import dataclass

import av
import av.error
from PIL import Image

#: A video's header is read here; a picture's by Pillow.
_VIDEO_TYPES = ("video/mp4", "video/webm", "video/quicktime")
_KNOWN_TYPES = {".webp": "image/webp", ".avif": "image/avif", ".heic": "image/heic"}


@dataclass(frozen=True, slots=True)
class Measures:
    """What there is to say of a picture or a video; None where there is no telling."""

    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    animated: bool = False


def content_type_of(filename: str, content: bytes) -> str:
    """Say what Discord would call the file: by its name; a text tells its encoding, too."""
    guess, _ = mimetypes.guess_type(filename)
    if guess is None:
        suffix = "." + filename.rpartition(".")[2].lower()
        guess = _KNOWN_TYPES.get(suffix, "application/octet-stream")
    return f"{guess}; charset=utf-8" if guess.startswith("text/") and _is_utf8(content) else guess


def measured(content: bytes, content_type: str) -> Measures:
    """Measure a file that is called so."""
    if content_type.startswith("image/"):
        return _picture(content)
    return _video(content) if content_type in _VIDEO_TYPES else Measures()


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _picture(content: bytes) -> Measures:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            moves = bool(getattr(picture, "is_animated", False))
            return Measures(picture.width, picture.height, animated=moves)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return Measures()


def _video(content: bytes) -> Measures:
    try:
        with av.open(io.BytesIO(content), mode="r") as container:
            if not container.streams.video:
                return Measures()
            stream = container.streams.video[0]
            seconds = None if container.duration is None else container.duration / av.time_base
            return Measures(stream.width, stream.height, seconds)
    except (av.error.FFmpegError, OSError, ValueError):
        return Measures()
