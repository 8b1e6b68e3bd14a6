"""Judges what the video service returned: a real video, how large and long, and who can play it.

Reads files, decodes with PyAV (imported at the first use), knows nothing of jobs or Discord. Meant
for a thread of its own, or for the process of `recode.py`.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ClipBroken

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

CONTAINERS = "mov,mp4,matroska,webm"
"""FFmpeg's names; left to itself it takes a picture for a video of one frame."""
_QUICKTIME = "qt"
"""How a MOV names itself, which FFmpeg reads as it does an MP4."""
_PIXELS = ("yuv420p", "yuvj420p")
"""Eight bits and a quarter of the colour: what every phone's decoder takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a clip is: pixels, seconds, bytes."""

    width: int
    height: int
    duration: float
    frames: int
    """0 where the container does not say."""
    codec: str
    size: int
    is_mp4: bool = True
    pixels: str = "yuv420p"
    """FFmpeg's name of how they are stored."""
    has_sound: bool = False

    @property
    def has_plain_video(self) -> bool:
        """Whether browsers and phones decode it, whatever it is packed in."""
        has_even_sides = self.width % 2 == 0 and self.height % 2 == 0
        return self.codec == "h264" and self.pixels in _PIXELS and has_even_sides

    @property
    def plays_everywhere(self) -> bool:
        """Whether Discord shows it playing in the channel, on desktops and on phones."""
        return self.is_mp4 and self.has_plain_video


def probe(path: Path, *, whole: bool = False) -> Facts:
    """Return the facts of the clip; decodes its first frame, or all of it with `whole`.

    Raises `ClipBroken`. A first frame takes some 20 ms.
    """
    import av  # noqa: PLC0415 - see the module's docstring

    try:
        with av.open(str(path), options={"format_whitelist": CONTAINERS}) as container:
            if not container.streams.video:
                raise ClipBroken(f"{path.name} has no video in it")
            stream = container.streams.video[0]
            frames = 0
            for _ in container.decode(stream):
                frames += 1
                if not whole:
                    break
            if not frames:
                raise ClipBroken(f"{path.name} has no frame that decodes")
            size = path.stat().st_size
            return _facts(container, stream, size, frames if whole else stream.frames)
    except (av.error.FFmpegError, OSError) as error:
        raise ClipBroken(f"{path.name} is not a video that decodes: {error}") from error


def _facts(container: "InputContainer", stream: "VideoStream", size: int, frames: int) -> Facts:
    brand = container.metadata.get("major_brand", "").strip()
    return Facts(
        width=stream.width,
        height=stream.height,
        duration=duration_of(stream.duration, stream.time_base, container.duration),
        frames=frames,
        codec=stream.codec_context.name,
        size=size,
        is_mp4="mp4" in container.format.name and brand not in ("", _QUICKTIME),
        pixels=stream.codec_context.pix_fmt or "",
        has_sound=bool(container.streams.audio),
    )


def duration_of(ticks: int | None, time_base: Fraction | None, container_us: int | None) -> float:
    """Return seconds, from the stream, or where it does not say, from the container."""
    if ticks is not None and time_base is not None:
        return float(ticks * time_base)
    return (container_us or 0) / 1_000_000
