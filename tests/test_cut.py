"""The preview of a cut, through the local Discord: what one person sees before anything is held."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from bot.sandbox.person import Person
from tests.town import EPHEMERAL, JSON, NOT_CHARGED, PRICE, Town, fetched, photo_file, told, town

pytestmark = pytest.mark.asyncio(loop_scope="module")

SQUARE = photo_file(600, 600)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("town")) as made, made.bot():
        yield made


async def preview(here: Town, **options: Any) -> JSON:
    """Ask for a preview and return it."""
    started = await here.animate(SQUARE, preview=True, **options)
    return await here.mia.wait_for_reply(started)


async def shown(message: JSON) -> Image.Image:
    """The picture in a preview."""
    return Image.open(io.BytesIO(await fetched(message["embeds"][0]["image"]["url"])))


def nothing_is_held(here: Town) -> bool:
    books = here.books()
    return books.held_micro == 0 and not books.jobs


async def test_it_shows_the_cut_and_the_price_to_one_person_and_holds_nothing(here: Town) -> None:
    jobs = len(here.books().jobs)
    seen = await preview(here, shape="wide 16:9")
    assert seen["flags"] & EPHEMERAL
    assert "5 s · wide 16:9 · $0.1848" in told(seen)
    assert "56% of the picture is kept. Nothing is started yet" in told(seen)
    assert here.mia.buttons(seen) == ["Keep all of it", "Start · $0.1848", "Cancel"]
    assert (await shown(seen)).size == (600, 600), "the whole picture, what goes is darkened"
    assert len(here.books().jobs) == jobs
    assert here.leftovers == []
    assert here.trouble() == []


async def test_shape_and_fit_are_changed_in_place_and_start_makes_just_that(here: Town) -> None:
    before = here.books()
    seen = await preview(here)
    assert "square 1:1" in told(seen)

    await here.mia.choose(seen, f"draft:{draft_id(seen)}:shape", "tall 9:16")
    seen = await here.says(seen, "tall 9:16")
    await here.mia.press(seen, "Keep all of it")
    seen = await here.says(seen, "All of the picture is kept.")
    whole = await shown(seen)
    assert whole.height > whole.width
    assert here.books().jobs == before.jobs

    await here.mia.press(seen, "Start · $0.1848")
    await here.says(seen, "Done")
    books = await here.settled()
    assert books.spent_micro - before.spent_micro == PRICE
    task = (await here.tasks())[-1]
    assert (task["width"], task["height"]) == (720, 1280)
    job = books.jobs[-1]
    assert '"fit": "pad"' in job["wish"]
    assert here.trouble() == []


def draft_id(message: JSON) -> str:
    (row, *_) = message["components"]
    return str(row["components"][0]["custom_id"]).split(":")[1]


async def test_the_price_that_is_shown_is_what_is_held_where_the_service_charged_more_lately(
    here: Town,
) -> None:
    here.charged("klingai:2@1, 720x720, 5 s", 200_000)
    seen = await preview(here, results=2)
    assert "2 clips · $0.40" in told(seen)
    await here.mia.press(seen, "Start · $0.40")
    await here.says(seen, "Done")
    job = (await here.settled()).jobs[-1]
    assert job["quote_micro"] == 400_000


async def test_cancel_starts_nothing_and_says_so(here: Town) -> None:
    before = here.books()
    seen = await preview(here)
    await here.mia.press(seen, "Cancel")
    seen = await here.says(seen, "Nothing was started.", NOT_CHARGED)
    assert seen["components"] == []
    assert here.books() == before


async def test_a_start_that_is_pressed_twice_is_one_clip(here: Town) -> None:
    before = here.books()
    seen = await preview(here)
    custom_id = here.mia.component(seen, "Start · $0.1848")["custom_id"]
    for _ in range(3):
        await here.mia.press_raw(seen, custom_id)
    await here.says(seen, "Done")
    books = await here.settled()
    assert len(books.jobs) == len(before.jobs) + 1


async def test_an_option_that_goes_along_is_kept_until_start(here: Town) -> None:
    seen = await preview(here, duration=10, results=2, private=True)
    assert "10 s · square 1:1 · 2 clips · $0.7392" in told(seen)
    await here.mia.press(seen, "Cancel")


async def test_a_file_that_is_no_picture_has_no_preview(here: Town) -> None:
    started = await here.animate(b"a text", preview=True)
    text = told(await here.mia.wait_for_reply(started))
    assert "Try PNG or JPEG" in text
    assert NOT_CHARGED in text


async def test_buttons_work_after_a_restart_and_say_so_where_the_picture_is_gone(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        async with here.bot():
            first = await preview(here)
            here.discord.set_limits({"cdn_link_life_s": 3})
            second = await preview(here)
            await asyncio.sleep(3)
        async with here.bot():
            await here.mia.press(first, "Keep all of it")
            await here.says(first, "All of the picture is kept.")
            await here.mia.press(second, "Keep all of it")
            gone = await here.says(second, "Can't fetch that picture", NOT_CHARGED)
            assert gone["components"] == []
            assert here.trouble() == []


async def test_a_start_is_refused_to_whom_it_would_be_refused_now(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        async with here.bot():
            seen = await preview(here)
        async with here.bot(ANIMATE_MEMBER_MONTHLY_USD="0"):
            await here.mia.press(seen, "Start · $0.1848")
            await here.says(seen, "No budget for you here", NOT_CHARGED)
            assert nothing_is_held(here)


async def test_the_preview_of_another_is_not_found(here: Town) -> None:
    """The id of a button may be sent by anybody; whose draft it is, is asked."""
    async with Person(here.discord.url, "Noah") as noah:
        mias = await preview(here)
        image = await noah.attach(SQUARE, "photo.png")
        noahs = await noah.wait_for_reply(await noah.command("animate", image=image, preview=True))
        message = here.discord.world.message(noahs["channel_id"], noahs["id"])
        assert message is not None
        every = [one for row in message.components for one in row["components"]]
        (button,) = (one for one in every if one["custom_id"].endswith(":start"))
        button["custom_id"] = f"draft:{draft_id(mias)}:start"
        jobs = here.books().jobs
        answer = await noah.wait_for_reply(await noah.press_raw(noahs, button["custom_id"]))
        assert "That was too long ago" in told(answer)
        assert here.books().jobs == jobs
