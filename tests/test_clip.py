"""Judging what the video service returned: a real video, or not."""

from pathlib import Path

import av
import pytest

from bot.clip import probe
from bot.errors import ClipBroken
from tests.corridor import clip, picture


def kept(folder: Path, content: bytes, name: str = "clip.mp4") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
def test_the_facts_of_a_clip_are_read_from_it(tmp_path: Path, container: str) -> None:
    content = clip(20, 320, 180, container)

    facts = probe(kept(tmp_path, content), whole=True)

    assert (facts.width, facts.height) == (320, 180)
    assert facts.duration == pytest.approx(2.0, abs=0.11)
    assert (facts.frames, facts.codec, facts.size) == (20, "h264", len(content))


def test_a_quick_look_decodes_one_frame_and_believes_the_rest(tmp_path: Path) -> None:
    facts = probe(kept(tmp_path, clip(20)))

    assert facts.frames == 20


def test_the_name_of_a_clip_is_of_no_account(tmp_path: Path) -> None:
    assert probe(kept(tmp_path, clip(), "clip.txt")).codec == "h264"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\0" * 10_000,
        b"<html><body>Not found</body></html>",
        b'{"errors":[{"code":"mediaExpired"}]}',
        clip()[:40],
        clip()[: len(clip()) // 2],
        b"\0noise" * 1000,
    ],
    ids=["nothing", "a zero", "zeros", "HTML", "JSON", "the first bytes", "half", "noise"],
)
def test_what_is_no_video_is_broken(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ClipBroken):
        probe(kept(tmp_path, content))


def test_a_clip_that_is_not_there_is_broken(tmp_path: Path) -> None:
    with pytest.raises(ClipBroken):
        probe(tmp_path / "gone.mp4")
    with pytest.raises(ClipBroken):
        probe(tmp_path)


def test_sound_without_a_video_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "sound.mov"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame(format="s16", layout="mono", samples=1024)
        sound.sample_rate = 8000
        output.mux(stream.encode(sound))
        output.mux(stream.encode())

    with pytest.raises(ClipBroken, match="no video"):
        probe(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_a_picture_is_not_a_clip(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ClipBroken):
        probe(kept(tmp_path, picture(kind=kind)))


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    other = kept(tmp_path, clip(10, container="mpegts"), "other.ts")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n"

    with pytest.raises(ClipBroken):
        probe(kept(tmp_path, playlist.encode()))
