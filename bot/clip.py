"""Judges what the video service returned: a real video, and its size, duration and frames.

Reads files, decodes with PyAV (imported at the first use), knows nothing of jobs or Discord. Meant
for a thread of its own.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from bot.errors import ClipBroken

_CONTAINERS = "mov,mp4,matroska,webm"
"""FFmpeg's names; left to itself it takes a picture for a video of one frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a clip is: pixels, seconds, bytes."""

    width: int
    height: int
    duration: float
    frames: int
    codec: str
    size: int


def probe(path: Path, *, whole: bool = False) -> Facts:
    """Return the facts of the clip; decodes its first frame, or all of it with `whole`.

    Raises `ClipBroken`. A first frame takes some 20 ms.
    """
    import av  # noqa: PLC0415 - see the module's docstring

    try:
        with av.open(str(path), options={"format_whitelist": _CONTAINERS}) as container:
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
            return Facts(
                width=stream.width,
                height=stream.height,
                duration=_duration(stream.duration, stream.time_base, container.duration),
                frames=frames if whole else stream.frames,
                codec=stream.codec_context.name,
                size=path.stat().st_size,
            )
    except (av.error.FFmpegError, OSError) as error:
        raise ClipBroken(f"{path.name} is not a video that decodes: {error}") from error


def _duration(ticks: int | None, time_base: Fraction | None, container_us: int | None) -> float:
    """Return seconds, from the stream, or where it does not say, from the container."""
    if ticks is not None and time_base is not None:
        return float(ticks * time_base)
    return (container_us or 0) / 1_000_000
