"""What people get wrong, and what a client that lies sends: each is told privately, at no cost."""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from bot.sandbox.person import Person, PersonError, Started
from tests.town import EPHEMERAL, JSON, NOT_CHARGED, PRICE, Town, photo_file, told, town

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town whose bot takes small pictures only."""
    smallness = {"ANIMATE_PICTURE_MAX_MB": "1", "ANIMATE_PICTURE_MAX_MEGAPIXELS": "4"}
    async with town(tmp_path_factory.mktemp("town")) as made, made.bot(**smallness):
        yield made


async def refused(here: Town, started: Started) -> str:
    """Check that a wish was turned down as it should be, and return what its sender was told."""
    answer = await here.refusal(started)
    assert answer["flags"] & EPHEMERAL, "everybody sees the refusal"
    assert NOT_CHARGED in told(answer)
    assert here.public(started) == [], "the public placeholder is still there"
    source = f"interaction:{started.id}"
    assert source not in [job["source"] for job in here.books().jobs]
    assert here.leftovers == []
    assert here.trouble() == []
    return told(answer)


def truncated(kind: str) -> bytes:
    whole = photo_file(640, 360, kind)
    return whole[: len(whole) // 2]


def noise() -> bytes:
    """A picture of more than a megabyte."""
    out = io.BytesIO()
    Image.effect_noise((1500, 1500), 90).save(out, "PNG")
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A small PNG that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


@pytest.mark.parametrize(
    ("content", "filename", "advice"),
    [
        pytest.param(b"hello, I am a text", "cat.png", "Try PNG or JPEG", id="a text named .png"),
        pytest.param(b"\x00" * 5000, "cat.jpg", "Try PNG or JPEG", id="zeros"),
        pytest.param(b"", "cat.png", "Attach the picture again", id="an empty file"),
        pytest.param(noise(), "cat.png", "Send a smaller copy", id="too many bytes"),
        pytest.param(bomb(60000, 60000), "cat.png", "Send a smaller copy", id="too many pixels"),
        pytest.param(bomb(64, 64), "cat.png", "Save it again", id="a picture without its pixels"),
        pytest.param(truncated("JPEG"), "cat.jpg", "Save it again", id="a truncated JPEG"),
        pytest.param(truncated("PNG"), "cat.png", "Save it again", id="a truncated PNG"),
        pytest.param(truncated("WEBP"), "cat.webp", "", id="a truncated WebP"),
        pytest.param(photo_file(1200, 100), "cat.png", "Crop it", id="too narrow"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cat.svg", "PNG", id="SVG"),
    ],
)
async def test_a_file_that_is_no_good_is_refused_with_advice(
    here: Town, content: bytes, filename: str, advice: str
) -> None:
    text = await refused(here, await here.animate(content, filename))
    assert advice in text


async def test_a_picture_with_the_wrong_name_is_taken_by_its_content(here: Town) -> None:
    await here.clip(await here.animate(photo_file(640, 360, "WEBP"), "notes.txt"))
    books = await here.settled()
    assert books.held_micro == 0


@pytest.mark.parametrize(
    ("option", "advice"),
    [
        ({"name": "duration", "type": 10, "value": 7}, "`duration` takes 5 or 10 seconds."),
        ({"name": "duration", "type": 10, "value": -5}, "`duration` takes 5 or 10 seconds."),
        ({"name": "duration", "type": 10, "value": ""}, "`duration` takes 5 or 10 seconds."),
        ({"name": "duration", "type": 3, "value": "long"}, "`duration` takes 5 or 10 seconds."),
        ({"name": "shape", "type": 3, "value": "round"}, "`shape` takes auto, wide 16:9"),
        ({"name": "shape", "type": 3, "value": ""}, "`shape` takes auto, wide 16:9"),
        ({"name": "shape", "type": 4, "value": 7}, "`shape` takes auto, wide 16:9"),
        ({"name": "guidance", "type": 10, "value": 1.5}, "`guidance` takes 0 to 1."),
        ({"name": "guidance", "type": 10, "value": ""}, "`guidance` takes 0 to 1."),
        ({"name": "guidance", "type": 3, "value": "high"}, "`guidance` takes 0 to 1."),
        ({"name": "results", "type": 4, "value": 5}, "`results` takes 1 to 4."),
        ({"name": "results", "type": 4, "value": 0}, "`results` takes 1 to 4."),
        ({"name": "results", "type": 4, "value": 10**30}, "`results` takes 1 to 4."),
        ({"name": "results", "type": 10, "value": 2.5}, "`results` takes 1 to 4."),
        ({"name": "results", "type": 3, "value": "many"}, "`results` takes 1 to 4."),
    ],
    ids=lambda value: f"{value['name']}={value['value']!r}" if isinstance(value, dict) else "",
)
async def test_an_option_that_no_client_offers_is_refused_with_what_is_possible(
    here: Town, option: JSON, advice: str
) -> None:
    assert advice in await refused(here, await here.lie(option, content=photo_file()))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="nothing at all"),
        pytest.param([{"name": "image", "type": 11, "value": "1"}], id="an unknown attachment"),
        pytest.param([{"name": "image", "type": 3, "value": "http://x/y.png"}], id="a text"),
        pytest.param([{"name": "duration", "type": 10, "value": 5}], id="another option only"),
    ],
)
async def test_a_wish_without_a_picture_is_told_how_to_attach_one(
    here: Town, options: list[dict[str, Any]]
) -> None:
    assert "`image` option" in await refused(here, await here.lie(*options))


async def test_an_unknown_option_of_an_outdated_client_is_passed_over(here: Town) -> None:
    started = await here.lie({"name": "style", "type": 3, "value": "anime"}, content=photo_file())
    await here.clip(started)
    await here.settled()
    assert here.trouble() == []


async def test_a_channel_the_bot_may_not_post_in_is_refused_before_anything_starts(
    here: Town,
) -> None:
    text = await refused(here, await here.animate(photo_file(), where="gallery"))
    assert "I need Send Messages, Attach Files, Embed Links in this channel." in text


@pytest.mark.parametrize("permission", ["ATTACH_FILES", "EMBED_LINKS"])
async def test_a_channel_where_one_permission_is_missing_names_that_one(
    here: Town, permission: str
) -> None:
    await here.deny("studio", permission)
    text = await refused(here, await here.animate(photo_file(), where="studio"))
    assert f"I need {permission.replace('_', ' ').title()} in this channel." in text

    await here.deny("studio")  # and with the permission back, it works
    await here.clip(await here.animate(photo_file(), where="studio"))
    await here.settled()


async def test_a_limit_of_nothing_lets_nobody_spend(tmp_path: Path) -> None:
    async with town(tmp_path) as here, here.bot(ANIMATE_MEMBER_MONTHLY_USD="0"):
        text = await refused(here, await here.animate(photo_file()))
        assert "Your limit in this server is $0.00" in text
        assert here.runware.ledger.accepted == 0


async def test_a_member_at_the_limit_is_told_when_it_resets_and_nobody_else_is_stopped(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here, here.bot(ANIMATE_MEMBER_MONTHLY_USD="0.30"):
        await here.clip(await here.animate(photo_file()))
        await here.settled()
        text = await refused(here, await here.animate(photo_file()))
        assert "Monthly limit reached" in text
        assert "You have $0.1152 left of $0.30 this month ($0.1848 is spent)" in text
        assert "It resets <t:" in text

        async with Person(here.discord.url, "Noah") as noah:
            await here.clip(await here.animate(photo_file(), who=noah))
        assert (await here.settled()).spent_micro == 2 * PRICE


async def test_money_that_is_only_held_is_worth_waiting_for(tmp_path: Path) -> None:
    async with (
        town(tmp_path, render_seconds=30) as here,
        here.bot(ANIMATE_SERVER_MONTHLY_USD="0.30"),
    ):
        await here.status(await here.animate(photo_file()))
        async with Person(here.discord.url, "Noah") as noah:
            image = await noah.attach(photo_file(), "photo.png")
            answer = await noah.wait_for_reply(await noah.command("animate", image=image))
        assert answer["flags"] & EPHEMERAL
        assert "$0.1848 of this server's last $0.30 is held by clips in progress" in told(answer)
        assert NOT_CHARGED in told(answer)
        assert len(here.books().jobs) == 1


async def test_a_picture_that_discord_does_not_hand_over_is_to_be_attached_again(
    here: Town,
) -> None:
    here.discord.set_limits({"cdn_link_life_s": 0})
    try:
        text = await refused(here, await here.animate(photo_file()))
    finally:
        here.discord.set_limits({"cdn_link_life_s": 86_400})
    assert "Attach it again" in text


async def test_the_client_itself_stops_what_no_command_offers(here: Town) -> None:
    image = await here.mia.attach(photo_file(), "photo.png")
    for wrong in ({"duration": 7}, {"shape": "round"}, {"guidance": 2}, {"results": 5}):
        with pytest.raises(PersonError) as caught:
            await here.mia.command("animate", image=image, **wrong)
        assert caught.value.errors.keys() == wrong.keys()
    with pytest.raises(PersonError):
        await here.mia.command("animate")
