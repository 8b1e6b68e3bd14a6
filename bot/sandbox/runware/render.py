"""Turns a picture into a clip: a slow camera move, encoded for real.

Owns the move, the colours and the encoders. Knows no task, no server and no clock; `Studio` calls
`render` in its worker process. The first frame is the prepared picture itself. The picture becomes
YUV once and its three planes are resized as grey images, because Pillow does that without the GIL.
"""

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from PIL import Image, ImageOps

ZOOM = 1.16
"""How much closer the camera is at the end."""
PAN = 0.7
"""How far it drifts, as a share of what the zoom leaves free at the sides."""
MOVES = 8
"""Different directions; the low bits of a seed choose one."""
THREADS = 2
QUEUED_FRAMES = 6
SHARPNESS = (Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.BILINEAR)
"""The eye sees a soft edge in luma, not in chroma; bicubic costs half as much again."""
FORMATS = {"MP4": "mp4", "WEBM": "webm", "MOV": "mov"}
"""The API's names of the containers, and what FFmpeg and file names call them."""

Planes = tuple[Image.Image, Image.Image, Image.Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What to render: even pixels, whole seconds, `quality` 20 to 99, `move` 0 to MOVES - 1."""

    width: int
    height: int
    seconds: int
    frames_per_second: int
    container: str
    quality: int
    move: int


def render(picture: Path, shot: Shot, clip: Path) -> None:
    """Write the clip, whole or not at all. Raises `OSError` or `av.FFmpegError`."""
    part = clip.with_suffix(".part")
    try:
        planes = _planes(prepare(picture, shot.width, shot.height))
        _encode(planes, shot, part)
        part.replace(clip)
    finally:
        part.unlink(missing_ok=True)


def prepare(picture: Path, width: int, height: int) -> Image.Image:
    """Return the picture upright and opaque, cut to the shape of the clip around its middle."""
    with Image.open(picture) as opened:
        upright = ImageOps.exif_transpose(opened)
        if upright.has_transparency_data:
            upright = Image.alpha_composite(
                Image.new("RGBA", upright.size, "black"), upright.convert("RGBA")
            )
        rgb = upright.convert("RGB")
    if rgb.size == (width, height):
        return rgb
    return ImageOps.fit(rgb, (width, height), Image.Resampling.LANCZOS)


def _planes(picture: Image.Image) -> Planes:
    """Split into full-size luma and quarter-size chroma, as broadcast HD wants them."""
    rgb = VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
    frame = rgb.reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
    )
    y, u, v = (
        Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size)
        for plane in frame.planes
    )
    return y, u, v


def _encode(planes: Planes, shot: Shot, path: Path) -> None:
    container = FORMATS[shot.container]
    options = {} if container == "webm" else {"movflags": "+faststart"}
    with av.open(path, "w", format=container, options=options) as output:
        stream = output.add_stream(
            "libvpx-vp9" if container == "webm" else "libx264",
            rate=shot.frames_per_second,
            options=_codec_options(shot),
        )
        assert isinstance(stream, VideoStream)
        _describe(stream, shot)
        for frame in _frames(planes, shot):
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


def _codec_options(shot: Shot) -> dict[str, str]:
    lost = 99 - shot.quality
    if shot.container == "WEBM":
        speed = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1"}
        return speed | {"crf": str(round(28 + 0.4 * lost)), "b": "0"}
    return {"preset": "veryfast", "crf": str(round(20 + 0.3 * lost))}


def _describe(stream: VideoStream, shot: Shot) -> None:
    context = stream.codec_context
    context.width, context.height = shot.width, shot.height
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, shot.frames_per_second)
    context.thread_count = THREADS
    context.colorspace = Colorspace.ITU709
    context.color_range = ColorRange.MPEG
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709


def _frames(planes: Planes, shot: Shot) -> Iterator[VideoFrame]:
    """Make the frames in order, a few of them ahead of the encoder."""
    count = shot.seconds * shot.frames_per_second
    with ThreadPoolExecutor(THREADS) as pool:
        ahead: deque[Future[VideoFrame]] = deque()
        for index in range(count):
            ahead.append(pool.submit(_frame, planes, shot, index, index / (count - 1)))
            if len(ahead) > QUEUED_FRAMES:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _frame(planes: Planes, shot: Shot, index: int, progress: float) -> VideoFrame:
    left, top, right, bottom = _view(shot.move, progress)
    frame = VideoFrame(shot.width, shot.height, "yuv420p")
    frame.pts = index
    frame.time_base = Fraction(1, shot.frames_per_second)
    frame.colorspace = Colorspace.ITU709
    frame.color_range = ColorRange.MPEG
    for source, plane, sharpness in zip(planes, frame.planes, SHARPNESS, strict=True):
        width, height = source.size
        box = (left * width, top * height, right * width, bottom * height)
        view = source.resize(source.size, sharpness, box)
        if plane.line_size != width:
            view = view.crop((0, 0, plane.line_size, height))
        plane.update(view.tobytes())
    return frame


def _view(move: int, progress: float) -> tuple[float, float, float, float]:
    """Return what the camera sees, as shares of the picture; all of it while progress is 0."""
    eased = progress * progress * (3 - 2 * progress)
    side = 1 / (1 + (ZOOM - 1) * eased)
    free = (1 - side) / 2
    angle = 2 * math.pi * move / MOVES
    left = free * (1 + PAN * math.cos(angle))
    top = free * (1 + PAN * math.sin(angle))
    return left, top, left + side, top + side
