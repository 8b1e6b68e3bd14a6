"""The local Runware really renders: what its clips are, and how they are served."""

import asyncio
import io
import multiprocessing
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from bot.sandbox.runware.render import Shot, prepare, render
from tests.sandbox.runware_client import Client, client_of, data_uri, picture

SIZES = [(1280, 720), (720, 720), (720, 1280)]


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean distance of two pictures, 0 to 255."""
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def shot(**fields: object) -> Shot:
    usual = {"width": 320, "height": 320, "seconds": 1, "frames_per_second": 30, "quality": 95}
    return Shot(**(usual | {"container": "MP4", "move": 0} | fields))  # type: ignore[arg-type]


def frames_of(path: Path) -> list[Image.Image]:
    with av.open(path) as clip:
        return [
            frame.to_image()  # type: ignore[no-untyped-call]
            for frame in clip.decode(video=0)
        ]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(picture(400, 300))
    return path


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("container", "codec"), [("MP4", "h264"), ("MOV", "h264"), ("WEBM", "vp9")]
)
def test_a_clip_has_the_size_the_length_and_the_format_that_were_asked_for(
    photo: Path, tmp_path: Path, size: tuple[int, int], container: str, codec: str
) -> None:
    path = tmp_path / "clip"
    render(photo, shot(width=size[0], height=size[1], container=container), path)
    with av.open(path) as clip:
        stream = clip.streams.video[0]
        assert (stream.width, stream.height) == size
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == (codec, "yuv420p")
        assert stream.average_rate == 30
        assert container.lower() in clip.format.name
        assert clip.duration == 1_000_000
        times = [frame.time for frame in clip.decode(stream)]
        assert times == [pytest.approx(index / 30, abs=0.001) for index in range(30)]


@pytest.mark.parametrize("container", ["MP4", "WEBM"])
def test_the_first_frame_is_the_picture_and_the_last_is_not(
    photo: Path, tmp_path: Path, container: str
) -> None:
    render(photo, shot(container=container), tmp_path / "clip")
    frames = frames_of(tmp_path / "clip")
    prepared = prepare(photo, 320, 320)
    assert difference(frames[0], prepared) < 2.5
    assert difference(frames[-1], prepared) > 4


def test_every_move_goes_somewhere_else(photo: Path, tmp_path: Path) -> None:
    last = []
    for move in range(4):
        render(photo, shot(width=160, height=160, move=move * 2), tmp_path / "clip")
        last.append(frames_of(tmp_path / "clip")[-1])
    assert all(difference(last[0], other) > 2 for other in last[1:])


def test_less_quality_makes_a_smaller_file(photo: Path, tmp_path: Path) -> None:
    sizes = []
    for quality in (99, 20):
        render(photo, shot(quality=quality), tmp_path / "clip")
        sizes.append((tmp_path / "clip").stat().st_size)
    assert sizes[0] > sizes[1]


def test_a_clip_can_be_played_while_it_loads(photo: Path, tmp_path: Path) -> None:
    render(photo, shot(), tmp_path / "clip")
    content = (tmp_path / "clip").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_a_picture_is_turned_upright_made_opaque_and_cut_around_its_middle(
    tmp_path: Path,
) -> None:
    turned = Image.open(io.BytesIO(picture(400, 300)))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert (
        difference(
            prepare(tmp_path / "turned.jpg", 300, 400), turned.transpose(Image.Transpose.ROTATE_270)
        )
        < 3
    )
    Image.new("RGBA", (400, 400), (255, 255, 255, 0)).save(tmp_path / "clear.png")
    assert prepare(tmp_path / "clear.png", 400, 400).getextrema() == ((0, 0),) * 3


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with client_of(canned=False) as client:
        yield client


async def test_the_service_renders_the_very_picture_it_was_sent(
    client: Client, tmp_path: Path
) -> None:
    sent = picture(800, 800)
    image = {"frameImages": [data_uri(sent)]}
    uuid = await client.submit(inputs=image, width=720, height=720, outputQuality=99)
    url = (await client.result(uuid))["videoURL"]
    status, clip = await client.fetch(url)
    assert status == 200
    (tmp_path / "clip.mp4").write_bytes(clip)
    (tmp_path / "sent.jpg").write_bytes(sent)
    frames = frames_of(tmp_path / "clip.mp4")
    assert len(frames) == 150
    assert difference(frames[0], prepare(tmp_path / "sent.jpg", 720, 720)) < 2.5

    again = await client.submit(inputs=image, width=720, height=720, outputQuality=99)
    assert await client.fetch((await client.result(again))["videoURL"]) == (200, clip)


async def test_rendering_goes_on_with_another_worker_when_one_is_killed(client: Client) -> None:
    uuid = await client.submit(width=720, height=720, numberResults=2)
    await asyncio.sleep(0.4)
    (worker,) = multiprocessing.active_children()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    assert len((await client.ended(uuid))["data"]) == 2


async def test_a_service_can_be_closed_in_the_middle_of_a_clip() -> None:
    async with client_of(canned=False) as client:
        await client.submit(duration=10)
        await asyncio.sleep(0.3)
        before = time.monotonic()
    assert time.monotonic() - before < 1.5
    assert multiprocessing.active_children() == []


async def test_a_clip_is_served_whole_or_in_ranges_and_counted() -> None:
    async with client_of() as client:
        url = (await client.result(await client.submit()))["videoURL"]
        assert url.endswith(".mp4")
        _, clip = await client.fetch(url)
        assert await client.fetch(url, Range="bytes=10-19") == (206, clip[10:20])
        assert await client.fetch(url, Range=f"bytes={len(clip)}-") == (416, b"")
        assert client.runware.ledger.bytes_served == len(clip) + 10
        assert (await client.fetch(url.replace(".mp4", ".mov")))[0] == 404


async def test_canned_clips_can_be_told_apart_and_are_films_all_the_same(tmp_path: Path) -> None:
    async with client_of(canned_apart=True) as client:
        urls = [(await client.result(await client.submit()))["videoURL"] for _ in range(2)]
        one, other = [(await client.fetch(url))[1] for url in urls]
        assert one != other
        assert await client.fetch(urls[0]) == (200, one)
    for number, clip in enumerate((one, other)):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(clip)
        assert len(frames_of(path)) == 150


@pytest.mark.parametrize("status", [404, 403])
async def test_a_url_that_has_expired_is_dead(status: int) -> None:
    async with client_of(url_seconds=0, expired_status=status) as client:
        result = await client.result(await client.submit())
        assert (await client.fetch(result["videoURL"]))[0] == status
        alive = await client.result(await client.submit(ttl=60))
        assert (await client.fetch(alive["videoURL"]))[0] == 200


async def test_a_dead_url_can_be_replaced_by_the_next_look() -> None:
    async with client_of(renew_urls=True) as client:
        await client.control("POST", "outcomes", [{"next": "expired"}])
        uuid = await client.submit()
        dead = await client.result(uuid)
        assert (await client.fetch(dead["videoURL"]))[0] == 404
        alive = await client.result(uuid)
        assert alive == dead | {"videoURL": f"{dead['videoURL']}?renewal=1"}
        assert (await client.fetch(alive["videoURL"]))[0] == 200
        assert (await client.fetch(dead["videoURL"]))[0] == 404
        assert await client.result(uuid) == alive


async def test_a_clip_has_no_url_before_it_is_ready() -> None:
    async with client_of(render_seconds=60) as client:
        uuid = await client.submit()
        video = client.runware.ledger.snapshot()["tasks"][0]["videoUUIDs"][0]
        url = f"{client.runware.base_url}/video/os/a21d05/ws/5/vi/{video}.mp4"
        assert (await client.fetch(url))[0] == 404
        assert (await client.look(uuid))[1]["data"][0]["status"] == "processing"


async def test_a_clip_can_be_noise_or_of_the_wrong_size(tmp_path: Path) -> None:
    async with client_of() as client:
        await client.control("POST", "outcomes", [{"next": "corrupt"}, {"next": "wrong_size"}])
        noise = await client.result(await client.submit())
        (tmp_path / "noise").write_bytes((await client.fetch(noise["videoURL"]))[1])
        with pytest.raises(av.FFmpegError):
            av.open(tmp_path / "noise")
        off = await client.result(await client.submit(width=720, height=720))
        (tmp_path / "off").write_bytes((await client.fetch(off["videoURL"]))[1])
        assert frames_of(tmp_path / "off")[0].size == (724, 716)
