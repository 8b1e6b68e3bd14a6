"""The whole bot, seen from outside: a picture goes in, a clip comes out, the books are right."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, ImageOps

from bot.sandbox.person import Person
from bot.sandbox.runware.outcomes import Outcome
from tests.town import (
    PRICE,
    Town,
    clips_of,
    difference,
    film,
    opened,
    photo,
    photo_file,
    sideways_photo,
    told,
    town,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIDE, SQUARE, TALL = (1280, 720), (720, 720), (720, 1280)
ALIKE = 3.0
"""Mean absolute error up to which two pictures are the same but for compression."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town with the bot in it, whose video service renders for real."""
    async with town(tmp_path_factory.mktemp("town"), is_rendering=True) as made, made.bot():
        yield made


@pytest.mark.parametrize(
    ("content", "upright", "size"),
    [
        pytest.param(photo_file(1600, 900), (1600, 900), WIDE, id="landscape"),
        pytest.param(photo_file(1000, 1400, "JPEG"), (1000, 1400), TALL, id="portrait"),
        pytest.param(photo_file(900, 900, "WEBP"), (900, 900), SQUARE, id="square"),
        pytest.param(sideways_photo(900, 1600), (900, 1600), TALL, id="held upright by a phone"),
    ],
)
async def test_a_photo_becomes_a_clip_of_its_own_shape_that_begins_with_it(
    here: Town, content: bytes, upright: tuple[int, int], size: tuple[int, int]
) -> None:
    clip = await here.clip(await here.animate(content))

    (movie,) = [film(content) for content in await clips_of(clip)]
    assert movie.size == size
    assert (movie.codec, movie.frames, movie.seconds) == ("h264", 150, 5.0)
    received = opened(await here.received_picture((await here.tasks())[-1]))
    assert difference(movie.first, received) < ALIKE
    cut = ImageOps.fit(photo(*upright), size, Image.Resampling.LANCZOS)
    assert difference(movie.first, cut) < ALIKE
    assert difference(movie.first, movie.last) > 2 * ALIKE  # it moves


async def test_the_picture_that_leaves_the_machine_tells_nothing_but_itself(here: Town) -> None:
    await here.clip(await here.animate(sideways_photo(900, 1600), "DSC_0001 at home.jpg"))

    (*_, task) = await here.tasks()
    sent = await here.received_picture(task)
    assert b"Exif" not in sent
    assert "DSC_0001" not in str(task)
    assert str(here.mia.id) not in str(task)


async def test_the_status_message_goes_from_thinking_to_done_for_everybody(here: Town) -> None:
    async with Person(here.discord.url, "Noah") as noah:
        # Longer than two edits of one message are apart, so that none is overtaken.
        here.runware.outcomes.add(Outcome(next="success", render_seconds=4))
        started = await here.animate(photo_file())
        status = await here.says(await here.status(started), "✅ Done", "Your clip is below.")

        shown = [
            told(data).partition("\n")[0]
            for name, data in noah.events
            if name.startswith("MESSAGE_") and data["id"] == status["id"]
        ]
    thinking = ""
    assert shown == [thinking, "⏳ Queued", "🎞️ Animating", "✅ Done"]


async def test_the_clip_answers_the_status_message_and_pings_only_who_asked(here: Town) -> None:
    started = await here.animate(photo_file())
    clip = await here.clip(started)

    (*_, request) = here.posting()
    sent = request.payload
    assert [str(user) for user in sent["allowed_mentions"]["users"]] == [here.mia.id]
    assert sent["allowed_mentions"]["parse"] == []
    assert not sent["allowed_mentions"].get("replied_user", False)
    assert str(sent["message_reference"]["message_id"]) == (await here.status(started))["id"]
    assert sent["message_reference"]["fail_if_not_exists"] is False
    assert sent["enforce_nonce"] is True
    assert 1 <= len(sent["nonce"]) <= 25
    assert [user["id"] for user in clip["mentions"]] == [here.mia.id]
    assert not clip["mention_everyone"]


async def test_the_clip_is_described_for_those_who_do_not_see_it(here: Town) -> None:
    clip = await here.clip(await here.animate(photo_file()))

    (attachment,) = clip["attachments"]
    assert attachment["description"] == "A picture, brought to motion (5 s, wide 16:9)"
    assert attachment["filename"].endswith(".mp4")
    assert attachment["content_type"] == "video/mp4"


async def test_the_clip_says_what_it_cost_and_what_is_left(here: Town) -> None:
    async with Person(here.discord.url, "Noah") as noah:
        await here.clip(await here.animate(photo_file(), who=noah))
        clip = await here.clip(await here.animate(photo_file(), who=noah))

    first, fine_print = told(clip).splitlines()
    assert first == f"🎬 <@{noah.id}> your clip is ready"
    assert fine_print.startswith("-# 5 s · wide 16:9 · $0.1848 · you have $4.6304 left this month")
    assert re.search(r"resets <t:\d+:R> · job [0-9a-f]{8}$", fine_print)


async def test_every_option_reaches_the_video_service_and_the_clips(here: Town) -> None:
    started = await here.animate(
        photo_file(1600, 900), duration=10, shape="square 1:1", results=2, guidance=0.9
    )
    clip = await here.clip(started)

    (*_, task) = await here.tasks()
    assert (task["width"], task["height"]) == SQUARE
    assert task["duration"] == 10
    assert task["numberResults"] == 2
    assert task["CFGScale"] == 0.9
    assert "positivePrompt" not in task
    one, other = [film(content) for content in await clips_of(clip)]
    for movie in (one, other):
        assert (movie.size, movie.frames, movie.seconds) == (SQUARE, 300, 10.0)
    assert difference(one.last, other.last) > ALIKE  # two clips, not one twice
    assert "your 2 clips are ready" in told(clip)
    assert "$0.7392" in told(clip)


async def test_two_people_at_once_each_get_their_own_clip(here: Town) -> None:
    wide, tall = photo_file(1600, 900), photo_file(1000, 1400, "JPEG")
    async with Person(here.discord.url, "Ada") as ada:
        mine = await here.animate(wide, where="general")
        hers = await here.animate(tall, where="studio", who=ada)
        to_mia, to_ada = await here.clip(mine), await here.clip(hers)

    assert [user["username"] for user in to_mia["mentions"]] == ["mia"]
    assert [user["username"] for user in to_ada["mentions"]] == ["ada"]
    assert to_mia["channel_id"] == here.mia.channel_id("general")
    assert to_ada["channel_id"] == here.mia.channel_id("studio")
    sizes = [film(content).size for one in (to_mia, to_ada) for content in await clips_of(one)]
    assert sizes == [WIDE, TALL]


async def test_each_clip_is_one_task_one_hold_one_spend_and_nothing_is_kept(here: Town) -> None:
    started = await here.animate(photo_file())
    await here.clip(started)

    books = await here.settled()
    (job,) = [one for one in books.jobs if one["source"] == f"interaction:{started.id}"]
    assert job["state"] == "delivered"
    assert books.of(job) == ["hold", "spend"]
    (task,) = [one for one in await here.tasks() if one["taskUUID"] == job["task_uuid"]]
    assert task["model"] == "klingai:2@1"
    assert [e["spent_micro"] for e in books.entries if e["job_id"] == job["id"]] == [0, PRICE]


async def test_after_all_that_the_books_of_both_sides_agree(here: Town) -> None:
    async with Person(here.discord.url, "Noah") as noah:
        await here.clip(await here.animate(photo_file(), who=noah))

    books = await here.settled()
    assert set(books.states) == {"delivered"}
    assert all(books.of(job) == ["hold", "spend"] for job in books.jobs)
    assert books.held_micro == 0
    assert books.spent_micro == here.runware.ledger.billed_micro
    assert here.runware.ledger.accepted == len(books.jobs) == len(here.posts)
    assert here.runware.ledger.duplicates == 0
    await until(lambda: here.leftovers == [])
    assert here.trouble() == []
    for secret in ("a-local-token", "a-local-key", "data:image", "hm="):
        assert secret not in here.log


async def test_another_model_takes_a_prompt_and_makes_of_it_what_was_written(
    tmp_path: Path,
) -> None:
    prompt = "@everyone <@&1> the **cat** waves `hello` to <@2> https://example.com"
    async with town(tmp_path) as here, here.bot(ANIMATE_MODEL="klingai:6@0"):
        clip = await here.clip(await here.animate(photo_file(), prompt=prompt, negative="people"))

        (task,) = await here.tasks()
        assert (task["positivePrompt"], task["negativePrompt"]) == (prompt, "people")
        assert "width" not in task  # the size follows the picture
        assert [user["id"] for user in clip["mentions"]] == [here.mia.id]
        assert not clip["mention_everyone"]
        assert clip["mention_roles"] == []
        assert (await here.settled()).spent_micro == 210_000
        assert here.trouble() == []


async def test_many_wishes_at_once_are_all_kept_in_line_and_made_once(tmp_path: Path) -> None:
    async with town(tmp_path) as here, here.bot(ANIMATE_MEMBER_CLIPS="unlimited"):
        places = ("general", "studio", "after-dark")
        every = [await here.animate(photo_file(), where=places[i % 3]) for i in range(9)]
        for started in every:
            await here.clip(started)
        books = await here.settled()
    assert books.states == ["delivered"] * 9
    assert books.spent_micro == here.runware.ledger.billed_micro == 9 * PRICE
    assert here.runware.ledger.accepted == len(here.posts) == 9
    assert here.trouble() == []
