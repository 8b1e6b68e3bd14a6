"""`python -m bot.recode SOURCE TARGET BYTES`: a copy of a clip that fits and plays everywhere.

Runs in a process of its own, which `copies.py` starts: an encoder takes seconds of a processor and
a hundred megabytes, and what it reads comes from outside. Goes down a ladder until the copy fits:
as it is but in an MP4; at its own size with the bit rate that fits; with 540 lines; with 360. Each
step but the first has two tries. The copy appears whole or not at all. Exit code 3: it never will.
"""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from bot.clip import CONTAINERS, Facts, probe
from bot.errors import ClipBroken

LINES = (540, 360)
"""The shorter sides that a clip is made smaller to, one after the other."""
PRESET = "veryfast"
THREADS = 2
_TRIES = 2
_LEAST_BITS = 0.02
_HEADROOM = 0.97
"""The share of what fits that is aimed at: an encoder keeps to its rate only nearly."""
_BYTES_A_FRAME = 24
"""What the container adds to each frame, at most."""
_CONTAINER = 8_000
_SOUND_RATE = 96_000
"""Bits a second, where sound has to be encoded."""
_SOUND_HZ = 48_000
_MOST_MEMORY = 3 << 30
_NICE = 10
_NEVER = 3


class DoesNotFit(Exception):
    """No step of the ladder is small enough."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a copy is made. Without a rate nothing is encoded."""

    width: int
    height: int
    rate: int
    """Bits a second of the picture."""


def recode(source: Path, target: Path, most_bytes: int) -> Facts:
    """Make `target`, of at most so many bytes. Raises `ClipBroken` or `DoesNotFit`."""
    facts = probe(source)
    if not facts.frames:  # its container does not say
        facts = replace(facts, frames=probe(source, whole=True).frames)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        made = _first_that_fits(source, part, facts, most_bytes)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return made


def _first_that_fits(source: Path, part: Path, facts: Facts, most_bytes: int) -> Facts:
    if facts.has_plain_video and facts.size <= most_bytes:
        _repack(source, part)
        if part.stat().st_size <= most_bytes:
            return _judged(part, facts)
    rate_that_fits = _rate(facts, most_bytes)
    for width, height in worthwhile(facts, rate_that_fits):
        rate = rate_that_fits
        for _ in range(_TRIES):
            encode(source, part, Step(width, height, rate))
            size = part.stat().st_size
            if size <= most_bytes:
                return _judged(part, facts)
            rate = round(rate * _HEADROOM * most_bytes / size)
    raise DoesNotFit(f"nothing of {source.name} fits into {most_bytes} bytes")


def worthwhile(facts: Facts, rate: int) -> list[tuple[int, int]]:
    """List the sizes that so many bits a second are enough for, or the smallest one.

    With fewer bits for each pixel than that a clip looks worse than with fewer pixels.
    """
    if rate <= 0:
        return []
    found = list(sides(facts.width, facts.height))
    a_second = facts.frames / max(facts.duration, 0.04)
    enough = [side for side in found if rate >= _LEAST_BITS * side[0] * side[1] * a_second]
    return enough or found[-1:]


def sides(width: int, height: int) -> Iterator[tuple[int, int]]:
    """List the sizes of the ladder, all even: the clip's own, then those with fewer lines."""
    yield width - width % 2, height - height % 2
    short = min(width, height)
    for lines in LINES:
        if lines < short:
            yield _even(width * lines / short), _even(height * lines / short)


def _even(side: float) -> int:
    return max(2, round(side / 2) * 2)


def _rate(facts: Facts, most_bytes: int) -> int:
    """Return the bits a second of a picture that fits, beside the container and the sound."""
    left = most_bytes * _HEADROOM - _CONTAINER - facts.frames * _BYTES_A_FRAME
    rate = round(left * 8 / max(facts.duration, 0.04))
    return rate - (_SOUND_RATE if facts.has_sound else 0)


def _judged(copy: Path, original: Facts) -> Facts:
    """Return the facts of a copy that is all there. Raises `ClipBroken`."""
    made = probe(copy)
    a_frame = original.duration / original.frames
    is_off = abs(made.duration - original.duration) > 1.5 * a_frame
    if is_off or abs(made.frames - original.frames) > 1:
        raise ClipBroken(f"the copy has {made.frames} frames in {made.duration:.3f} s")
    return made


# --- One copy ------------------------------------------------------------------------------------


def _repack(source: Path, part: Path) -> None:
    """Put the picture into an MP4 as it is."""
    with _read(source) as given, _written(part) as output:
        picture = given.streams.video[0]
        to = output.add_stream_from_template(picture)
        sound = _sound(given, output, is_copied=True)
        for packet in given.demux():
            if packet.stream is picture:
                if packet.dts is not None:
                    packet.stream = to
                    output.mux(packet)
            elif sound is not None and packet.stream is sound.stream:
                sound.take(packet)


def encode(source: Path, part: Path, step: Step) -> None:
    """Encode the picture anew, with the times of its frames."""
    with _read(source) as given, _written(part) as output:
        picture = given.streams.video[0]
        picture.thread_type = "AUTO"
        picture.codec_context.thread_count = THREADS
        to = _encoder(output, picture, step)
        sound = _sound(given, output, is_copied=False)
        for packet in given.demux():
            if packet.stream is picture:
                for frame in packet.decode():
                    assert isinstance(frame, VideoFrame)
                    output.mux(to.encode(_fitted(frame, step)))
            elif sound is not None and packet.stream is sound.stream:
                sound.take(packet)
        output.mux(to.encode())


def _read(source: Path) -> InputContainer:
    return av.open(str(source), options={"format_whitelist": CONTAINERS})


def _written(part: Path) -> OutputContainer:
    return av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"})


def _encoder(output: OutputContainer, picture: VideoStream, step: Step) -> VideoStream:
    rate = picture.average_rate or picture.guessed_rate or Fraction(30)
    options = {
        "preset": PRESET,
        "profile": "high",
        "maxrate": f"{step.rate * 6 // 5}",
        "bufsize": f"{step.rate}",
        "x264-params": "ratetol=0.1",  # over a few seconds it would be 6 % off otherwise
    }
    to = output.add_stream("libx264", rate=rate, options=options)
    assert isinstance(to, VideoStream)
    context, theirs = to.codec_context, picture.codec_context
    context.width, context.height, context.pix_fmt = step.width, step.height, "yuv420p"
    context.time_base = picture.time_base or 1 / rate
    context.bit_rate = step.rate
    context.thread_count = THREADS
    for name in ("colorspace", "color_range", "color_primaries", "color_trc"):
        setattr(context, name, getattr(theirs, name))
    return to


def _fitted(frame: VideoFrame, step: Step) -> VideoFrame:
    if (frame.width, frame.height, frame.format.name) != (step.width, step.height, "yuv420p"):
        frame = frame.reformat(step.width, step.height, "yuv420p")
    frame.pict_type = PictureType.NONE  # the encoder chooses anew which frames stand alone
    return frame


# --- Sound, which the service's clips rarely have ------------------------------------------------


class _Sound:
    """Takes the sound of a clip along, as it is or encoded anew, packet by packet."""

    def __init__(self, given: AudioStream, output: OutputContainer, *, is_copied: bool) -> None:
        self.stream = given
        self._output = output
        self._resampler: AudioResampler | None = None
        if is_copied and given.codec_context.name == "aac":
            self._to = output.add_stream_from_template(given)
            return
        self._to = output.add_stream("aac", rate=_SOUND_HZ, layout="stereo")
        self._to.codec_context.bit_rate = _SOUND_RATE
        self._resampler = AudioResampler("fltp", "stereo", _SOUND_HZ)

    def take(self, packet: "Packet[Any]") -> None:
        """Take a packet of it; the one without a time is its end."""
        if self._resampler is None:
            if packet.dts is not None:
                packet.stream = self._to
                self._output.mux(packet)
            return
        for frame in self.stream.decode(packet):
            self._encode(self._resampler.resample(frame))
        if packet.dts is None:
            self._encode([*self._resampler.resample(None), None])

    def _encode(self, frames: Sequence[AudioFrame | None]) -> None:
        for frame in frames:
            self._output.mux(self._to.encode(frame))


def _sound(given: InputContainer, output: OutputContainer, *, is_copied: bool) -> _Sound | None:
    if not given.streams.audio:
        return None
    return _Sound(given.streams.audio[0], output, is_copied=is_copied)


# --- The process ---------------------------------------------------------------------------------


def main() -> None:
    """Make the copy that the arguments name, and end with whoever holds the other end of stdin."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    source, target, most_bytes = sys.argv[1:]
    with suppress(OSError):
        os.nice(_NICE)
    _limit_memory()
    try:
        recode(Path(source), Path(target), int(most_bytes))
    except (ClipBroken, DoesNotFit, av.error.FFmpegError, OSError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(_NEVER if isinstance(error, ClipBroken | DoesNotFit) else 1)


def _die_with_parent() -> None:
    os.read(0, 1)  # nothing ever comes but the end
    os._exit(1)


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not everywhere

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


if __name__ == "__main__":
    main()
