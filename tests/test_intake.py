"""A wish comes in: a durable job with its hold, or a refusal that leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.errors import (
    DarkroomBroken,
    LimitReached,
    NotAccepting,
    OptionRefused,
    PictureProblem,
    PictureRefused,
    StoreError,
    UserError,
)
from bot.framing import Size
from bot.image import Frame, Rules
from bot.intake import in_a_thread
from bot.ledger import Kind
from bot.lifecycle import Job, State
from bot.pictures import Pictures
from bot.rules import Limits
from bot.store import Admitted, Store
from bot.wish import Fit, Wish
from bot.words import Note
from tests.conftest import make_job, monthly, standing
from tests.corridor import (
    CDN,
    PRICE,
    TURBO,
    Bot,
    World,
    ask,
    picture,
    world,
)

ELSEWHERE = f"https://{CDN}/attachments/9/9/other"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def bot(here: World) -> AsyncIterator[Bot]:
    async with here.bot() as made:
        yield made


async def nothing_is_left(bot: Bot) -> bool:
    """No file, no row, no hold, no word in the channel, nothing sent."""
    everybody = (await standing(bot.accounts, make_job())).bot
    agenda = await bot.store.agenda(bot.world.clock() + 10**9)
    return (
        bot.world.leftovers == []
        and agenda.jobs == ()
        and everybody.used_micro == 0
        and bot.world.channel.notes == []
        and bot.world.runware.ledger.requests == 0
    )


async def refusal(bot: Bot, **wish: Any) -> UserError:
    with pytest.raises(UserError) as refused:
        await bot.accept(**wish)
    assert await nothing_is_left(bot)
    return refused.value


# --- Accepted ------------------------------------------------------------------------------------


async def test_an_accepted_wish_is_a_queued_job_with_its_hold_and_its_picture(bot: Bot) -> None:
    admitted = await bot.intake.accept(ask(source="interaction:7", results=2))

    assert admitted.is_new
    job = await bot.reread(admitted.job)
    assert job == admitted.job
    assert (job.state, job.source, job.attempts) == (State.QUEUED, "interaction:7", 0)
    assert (job.guild_id, job.channel_id, job.member_id, job.status_message_id) == (10, 20, 30, 40)
    assert job.due_at == job.created_at == job.updated_at == bot.world.clock()
    assert job.id != job.task_uuid
    assert job.quote_micro == 2 * PRICE
    entries = await bot.entries(job)
    assert entries.keys() == {Kind.HOLD}
    assert await bot.held_micro(job) == 2 * PRICE
    assert bot.world.leftovers == [f"{job.id}.jpg"]
    assert bot.world.runware.ledger.requests == 0, "sending is the worker's part"


async def test_the_order_is_what_will_be_sent_with_the_defaults_filled_in(bot: Bot) -> None:
    order = (await bot.accept()).order

    assert (order.width, order.height) == (1280, 720), "the picture is wide"
    assert (order.duration, order.results, order.guidance) == (5.0, 1, 0.5)
    assert (order.prompt, order.negative_prompt) == (None, None)


async def test_the_options_of_a_wish_are_kept_in_the_order(bot: Bot) -> None:
    job = await bot.accept(shape="tall 9:16", duration=10.0, guidance=0.644, results=3)

    assert (job.order.width, job.order.height) == (720, 1280)
    assert (job.order.duration, job.order.guidance, job.order.results) == (10.0, 0.64, 3)
    assert job.quote_micro == 3 * 369_600
    with Image.open(bot.pictures.path(job.id)) as frame:
        assert (frame.format, frame.size) == ("JPEG", (720, 1280))


async def test_a_model_that_follows_the_picture_gets_no_size_but_a_prompt(here: World) -> None:
    async with here.bot(model_id=TURBO) as bot:
        order = (await bot.accept(prompt="  waves  ", negative="people")).order

    assert (order.width, order.height) == (None, None)
    assert (order.prompt, order.negative_prompt) == ("waves", "people")


async def test_the_person_hears_at_once_how_many_wait_before_them(bot: Bot) -> None:
    for _ in range(3):
        await bot.accept()
        bot.world.clock.forward(seconds=1)

    lines = [note.body.split(".")[0] for note in bot.world.channel.notes]
    assert lines == ["You're next", "You're 2nd in line", "You're 3rd in line"]


async def test_the_first_word_goes_through_the_interaction_that_asked(bot: Bot) -> None:
    async def reply(note: Note) -> None:
        del note

    await bot.finished((await bot.intake.accept(ask(reply=reply))).job)

    assert bot.world.channel.replies == [reply, None, None]


async def test_the_same_source_twice_is_one_job(bot: Bot) -> None:
    wish = ask(source="interaction:7")
    first = await bot.intake.accept(wish)
    second = await bot.intake.accept(wish)

    assert (first.is_new, second.is_new) == (True, False)
    assert second.job == first.job
    assert await bot.held_micro(first.job) == PRICE
    assert bot.world.leftovers == [f"{first.job.id}.jpg"]
    assert len(bot.world.channel.notes) == 1


async def test_the_same_source_many_times_at_once_is_one_job(bot: Bot) -> None:
    wish = ask(source="interaction:7")
    admitted = await asyncio.gather(*(bot.intake.accept(wish) for _ in range(8)))

    assert sum(one.is_new for one in admitted) == 1
    assert len({one.job.id for one in admitted}) == 1
    assert bot.world.leftovers == [f"{admitted[0].job.id}.jpg"]
    assert (await standing(bot.accounts, admitted[0].job)).bot.held_micro == PRICE


async def test_the_same_source_again_after_the_clip_came_costs_nothing(bot: Bot) -> None:
    wish = ask(source="interaction:7")
    done = await bot.finished((await bot.intake.accept(wish)).job)
    again = await bot.intake.accept(wish)

    assert (again.is_new, again.job) == (False, done)
    assert bot.world.leftovers == []
    assert bot.world.runware.ledger.accepted == 1


# --- Limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "whom"),
    [
        (monthly(member=PRICE - 1), "member"),
        (monthly(server=PRICE - 1), "server"),
        (monthly(bot=0), "bot"),
    ],
)
async def test_a_limit_that_is_reached_leaves_nothing(
    here: World, limits: Limits, whom: str
) -> None:
    async with here.bot(limits=limits) as bot:
        refused = await refusal(bot)

    assert isinstance(refused, LimitReached)
    assert (refused.whom, refused.wanted_micro) == (whom, PRICE)


async def test_many_at_once_never_hold_more_than_the_limit(here: World) -> None:
    limits = monthly(member=3 * PRICE)
    async with here.bot(limits=limits) as bot:
        outcomes = await asyncio.gather(*(bot.accept() for _ in range(8)), return_exceptions=True)

        accepted = [one for one in outcomes if isinstance(one, Job)]
        assert len(accepted) == 3
        assert [type(one) for one in outcomes].count(LimitReached) == 5
        assert len(bot.world.leftovers) == 3
        assert (await standing(bot.accounts, accepted[0])).member.held_micro == 3 * PRICE


async def test_a_failed_clip_gives_its_room_back(here: World) -> None:
    limits = monthly(member=PRICE)
    async with here.bot(limits=limits) as bot:
        here.runware.settings.balance_micro = 0
        await bot.finished(await bot.accept())
        here.runware.settings.balance_micro = 10 * PRICE
        await bot.gate.look()
        done = await bot.finished(await bot.accept())
        with pytest.raises(LimitReached):
            await bot.accept()

    assert done.state is State.DELIVERED


# --- Refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", PictureProblem.EMPTY),
        (b"<html></html>", PictureProblem.NOT_A_PICTURE),
        (picture()[:300], PictureProblem.DAMAGED),
        (picture(700, 100), PictureProblem.TOO_NARROW),
        (bytes(20_000_001), PictureProblem.TOO_LARGE),
        (None, PictureProblem.UNREACHABLE),
    ],
    ids=["empty", "HTML", "cut short", "narrow", "large", "gone"],
)
async def test_a_bad_picture_leaves_nothing(
    bot: Bot, content: bytes | None, problem: PictureProblem
) -> None:
    if content is not None:
        bot.world.cdn[ELSEWHERE] = content
    refused = await refusal(bot, picture_url=ELSEWHERE)

    assert isinstance(refused, PictureRefused)
    assert refused.problem is problem


@pytest.mark.parametrize(
    ("option", "wish"),
    [
        ("shape", {"shape": "round"}),
        ("duration", {"duration": 7.0}),
        ("results", {"results": 0}),
        ("results", {"results": 5}),
        ("guidance", {"guidance": 1.01}),
        ("prompt", {"prompt": "waves"}),
        ("negative", {"negative": "people"}),
    ],
)
async def test_an_option_that_the_model_does_not_have_costs_not_even_a_download(
    here: World, option: str, wish: dict[str, Any]
) -> None:
    here.cdn.clear()  # a download would be refused as unreachable
    async with here.bot() as bot:
        refused = await refusal(bot, **wish)

    assert isinstance(refused, OptionRefused)
    assert refused.option == option


async def test_a_model_that_needs_a_prompt_says_so(here: World) -> None:
    async with here.bot(model_id=TURBO) as bot:
        refused = await refusal(bot)

    assert isinstance(refused, OptionRefused)
    assert refused.option == "prompt"


async def test_a_closed_door_refuses_at_once(bot: Bot) -> None:
    bot.intake.is_open = False
    with pytest.raises(NotAccepting):
        bot.intake.check(1000)

    assert isinstance(await refusal(bot), NotAccepting)


@pytest.mark.parametrize(
    ("size", "problem"), [(0, PictureProblem.EMPTY), (21_000_000, PictureProblem.TOO_LARGE)]
)
async def test_a_declared_size_is_checked_at_the_door(
    bot: Bot, size: int, problem: PictureProblem
) -> None:
    bot.intake.check(1000)
    with pytest.raises(PictureRefused) as refused:
        bot.intake.check(size)

    assert refused.value.problem is problem


class BrokenStore(Store):
    async def accept(self, *_: Any) -> Admitted:
        raise StoreError("the disk is full")


async def test_accounts_that_cannot_be_written_refuse_and_leave_nothing(here: World) -> None:
    async with here.bot(store_type=BrokenStore) as bot:
        assert isinstance(await refusal(bot), NotAccepting)


async def test_a_folder_that_cannot_be_written_refuses_and_leaves_nothing(here: World) -> None:
    async with here.bot() as bot:
        (here.folder / "pictures").write_text("not a folder")
        with pytest.raises(NotAccepting):
            await bot.accept()
        assert (await standing(bot.accounts, make_job())).bot.used_micro == 0


async def test_only_two_pictures_are_prepared_at_a_time(bot: Bot) -> None:
    await asyncio.gather(*(bot.accept(member_id=number) for number in range(30, 36)))

    assert len(bot.world.leftovers) == 6
    assert bot.world.most_serving == 2


async def test_a_stop_does_not_keep_those_in_line_behind_a_picture_that_takes_its_time(
    here: World,
) -> None:
    at_work, goes_on = asyncio.Event(), asyncio.Event()

    async def slow(data: bytes, rules: Rules, size: Size | None, fit: Fit) -> Frame:
        at_work.set()
        await goes_on.wait()
        return await in_a_thread(data, rules, size, fit)

    async with here.bot(prepare=slow) as bot:
        first = asyncio.create_task(bot.intake.accept(ask()))
        await at_work.wait()
        in_line = [asyncio.create_task(bot.intake.accept(ask())) for _ in range(3)]
        await asyncio.sleep(0)
        await bot.intake.close(0)
        for waiting in in_line:
            with pytest.raises(NotAccepting):
                await waiting
        goes_on.set()
        assert (await first).is_new


# --- The pictures of open jobs -------------------------------------------------------------------


def test_a_picture_is_kept_whole_and_dropped_without_a_trace(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")
    pictures.keep("a", b"first")
    pictures.keep("a", b"second")

    assert pictures.path("a").read_bytes() == b"second"
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["a.jpg"]
    pictures.drop("a")
    pictures.drop("a")
    assert list((tmp_path / "pictures").iterdir()) == []


def test_a_picture_that_cannot_be_kept_leaves_no_part(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    pictures.path("a").mkdir()
    with pytest.raises(OSError, match="directory"):
        pictures.keep("a", b"first")

    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]
    pictures.drop("a")


async def test_where_no_picture_can_be_opened_nothing_is_accepted_and_the_owner_told(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def prepare(*_: object) -> Frame:
        raise DarkroomBroken("no process starts")

    async with here.bot(prepare=prepare) as bot:
        with pytest.raises(NotAccepting):
            await bot.accept()
        assert await nothing_is_left(bot)
    assert ("CRITICAL", "nothing is accepted: no process starts") in [
        (record.levelname, record.message) for record in caplog.records
    ]


async def test_a_picture_is_fitted_as_its_person_wishes(here: World) -> None:
    fits = []

    async def prepare(data: bytes, rules: Rules, size: Size | None, fit: Fit) -> Frame:
        fits.append(fit)
        return await in_a_thread(data, rules, size, fit)

    async with here.bot(prepare=prepare) as bot:
        for fit in Fit:
            await bot.accept(wish=Wish(fit=fit))
    assert fits == list(Fit)
