"""The first frame of a clip, as a picture's file: what the clip was made of.

The clip may come from a channel, so it is judged before it is decoded. PyAV and Pillow are imported
at the first use. Meant for a thread of its own.
"""

import io
from pathlib import Path

from bot.errors import ClipBroken

_CONTAINERS = "mov,mp4,matroska,webm"
_MOST_PIXELS = 8192 * 4320
_QUALITY = 95


def first_frame(path: Path) -> bytes:
    """Return the first frame of a clip as a JPEG. Raises `ClipBroken`."""
    import av  # noqa: PLC0415 - see the module's docstring

    try:
        with av.open(str(path), options={"format_whitelist": _CONTAINERS}) as container:
            if not container.streams.video:
                raise ClipBroken(f"{path.name} has no video in it")
            stream = container.streams.video[0]
            if stream.width * stream.height > _MOST_PIXELS:
                raise ClipBroken(f"{path.name} is {stream.width}×{stream.height}")
            for frame in container.decode(stream):
                out = io.BytesIO()
                frame.to_image().save(out, "JPEG", quality=_QUALITY, subsampling=0)  # type: ignore[no-untyped-call]
                return out.getvalue()
    except (av.error.FFmpegError, OSError) as error:
        raise ClipBroken(f"{path.name} is not a video that decodes: {error}") from error
    raise ClipBroken(f"{path.name} has no frame that decodes")
