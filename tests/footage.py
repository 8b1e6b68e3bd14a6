"""Real clips of any size, made from noise, and how like two clips are.

Noise cannot be packed, so a clip of a few seconds takes as many bytes as it is given. Each is made
once in a run of the tests.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_SLACK = 64
"""Pixels by which the noise is larger than the picture, so that it can jump about."""
_HELD_BACK = 1.075
"""An encoder that must never go over its rate stays below it by so much."""
_BLOCK = 8
"""Pixels of a side of what is compared at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What to make. The suffix of its path says in which container."""

    megabytes: float
    seconds: float = 1.0
    width: int = 1280
    height: int = 720
    rate: int = 30
    codec: str = "libx264"
    pixels: str = "yuv420p"
    has_sound: bool = False


def make(path: Path, film: Film) -> Path:
    """Make a clip of nearly so many megabytes: waves that wander, under noise."""
    container = {".mkv": "matroska"}.get(path.suffix, path.suffix[1:])
    with av.open(str(path), "w", format=container) as output:
        bits = round(film.megabytes * 8e6 / film.seconds * _HELD_BACK)
        stream = output.add_stream(film.codec, rate=film.rate, options=_options(film.codec, bits))
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = film.width, film.height, film.pixels
        context.bit_rate = bits
        context.thread_count = 1
        sound = output.add_stream("aac", rate=48_000, layout="stereo") if film.has_sound else None
        for frame in _frames(film):
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if sound is not None:
            for hum in _hum(film.seconds):
                output.mux(sound.encode(hum))
            output.mux(sound.encode(None))
    return path


def _options(codec: str, bits: int) -> dict[str, str]:
    """Have the encoder be quick, and hold its rate from the first frame on."""
    if codec != "libx264":
        return {"deadline": "realtime", "cpu-used": "8"}
    held = {"maxrate": f"{bits}", "bufsize": f"{bits // 8}", "x264-params": "ratetol=0.01"}
    return held | {"preset": "ultrafast"}


def _frames(film: Film) -> Iterator[VideoFrame]:
    chance = np.random.default_rng(1)
    rows, columns = np.mgrid[0 : film.height, 0 : film.width]
    waves = 128 + 60 * np.sin(columns / 90) + 50 * np.cos(rows / 70)
    size = (film.height + _SLACK, film.width + _SLACK)
    # Of more megabytes there has to be more noise, or they could not be filled.
    loud = 20 if film.megabytes / film.seconds < 15 else 90
    noise = chance.integers(-loud, loud + 1, size, dtype=np.int16)
    for index in range(round(film.seconds * film.rate)):
        top, left = chance.integers(0, _SLACK, 2)
        jump = noise[top : top + film.height, left : left + film.width]
        grey = np.clip(np.roll(waves, 3 * index, 1) + jump, 0, 255).astype(np.uint8)
        frame = VideoFrame.from_ndarray(grey, format="gray").reformat(format=film.pixels)
        frame.pts, frame.time_base = index, Fraction(1, film.rate)
        yield frame


def _hum(seconds: float) -> Iterator[AudioFrame]:
    for index in range(round(seconds * 48_000 / 1024)):
        wave = np.sin(np.arange(1024) / 20).astype(np.float32)
        frame = AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, index * 1024
        frame.time_base = Fraction(1, 48_000)
        yield frame


def likeness(one: Path, other: Path, every: int = 10) -> float:
    """Return the mean structural similarity (SSIM) of the brightness of some of their frames."""
    pairs = zip(_greys(one), _greys(other), strict=True)
    found = [_similarity(*pair) for pair in itertools.islice(pairs, 0, None, every)]
    return float(np.mean(found))


def _greys(path: Path) -> Iterator[VideoFrame]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield from container.decode(stream)


def _similarity(one: VideoFrame, other: VideoFrame) -> float:
    side = (one.width, one.height)
    first, second = (_blocks(frame.reformat(*side, "gray").to_ndarray()) for frame in (one, other))
    mean_1, mean_2 = first.mean(-1), second.mean(-1)
    var_1, var_2 = first.var(-1), second.var(-1)
    together = (first * second).mean(-1) - mean_1 * mean_2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mean_1 * mean_2 + c1) * (2 * together + c2)
    below = (mean_1**2 + mean_2**2 + c1) * (var_1 + var_2 + c2)
    return float((above / below).mean())


def _blocks(grey: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    rows, columns = (side // _BLOCK for side in grey.shape)
    cut = grey[: rows * _BLOCK, : columns * _BLOCK].astype(np.float64)
    return cut.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(rows, columns, -1)
