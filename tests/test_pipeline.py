"""A job on its way through the corridor: what it becomes, what it costs, what is left behind."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import lifecycle, words
from bot.errors import DeliveryError, IllegalTransition, StaleJob, Unpostable
from bot.handover import renewed
from bot.ledger import Kind
from bot.lifecycle import Clip, Failure, Job, State
from bot.provider import Progress, Result
from bot.sandbox.runware.outcomes import Outcome
from bot.store import Store
from tests.conftest import monthly, standing
from tests.corridor import PRICE, TURBO, Bot, World, clip, world

SLOW = "⏳ Taking longer than usual"
NOTHING_KNOWN = {"do": "status", "status": 200, "body": {"data": []}, "times": None}
HOUR = 3600.0


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def test_a_wish_becomes_one_paid_task_and_one_posted_clip(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        (post,) = here.channel.posts.values()
        assert done.message_id == post.id
        assert post.clips == (clip(),)
        assert here.runware.ledger.accepted == 1
        assert here.runware.ledger.clips == 1
        assert here.runware.ledger.billed_micro == PRICE
        entries = await bot.entries(job)
        assert entries.keys() == {Kind.HOLD, Kind.SPEND}
        assert entries[Kind.SPEND].note == ""
        await assert_paid_once(bot, job)
        assert here.leftovers == []


async def test_the_status_message_tells_each_stage_once(here: World) -> None:
    async with here.bot() as bot:
        await bot.finished(await bot.accept())

    assert here.channel.titles == ["⏳ Queued", "🎞️ Animating", "✅ Done"]


async def test_the_clip_comes_with_its_cost_and_what_is_left(here: World) -> None:
    limits = monthly(member=5_000_000)
    async with here.bot(limits=limits) as bot:
        job = await bot.accept()
        await bot.finished(job)

    (post,) = here.channel.posts.values()
    first, last = post.text.splitlines()
    assert first == "🎬 <@30> your clip is ready"
    assert "5 s · wide 16:9 · $0.1848 · you have $4.8152 left this month" in last
    assert last.endswith(f"job {job.short_id}")
    assert post.names == (f"{job.id}-0.mp4",)


async def test_four_results_are_one_task_four_clips_and_one_message(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept(results=4)
        await bot.finished(job)

        (post,) = here.channel.posts.values()
        assert len(post.clips) == 4
        assert "your 4 clips are ready" in post.text
        assert here.runware.ledger.accepted == 1
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == 4 * PRICE
        assert await bot.held_micro(job) == 0
        assert here.leftovers == []


async def test_a_model_whose_size_follows_the_picture_is_served_too(here: World) -> None:
    async with here.bot(model_id=TURBO) as bot:
        job = await bot.accept(prompt="a wave breaks", negative="people")
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == 210_000


async def test_ten_jobs_are_looked_at_in_one_request(here: World) -> None:
    async with here.bot() as bot:
        jobs = [await bot.accept() for _ in range(10)]
        await bot.work()
        before = here.runware.ledger.requests
        await bot.work()

        assert here.runware.ledger.requests == before + 1
        assert here.runware.ledger.asked["getResponse"] == 10
        assert {(await bot.finished(job)).state for job in jobs} == {State.DELIVERED}


# --- Trouble on the wire -------------------------------------------------------------------------

WHERE = {
    "submit": {"label": "^videoInference$"},
    "look": {"label": "getResponse"},
    "fetch": {"method": "GET", "path": "^/video/"},
}
PASSING: dict[str, dict[str, Any]] = {
    "the answer is lost": {"do": "lose_answer"},
    "the connection is dropped": {"do": "drop"},
    "the answer is cut in half": {"do": "truncate"},
    "the request stalls before it is heard": {"do": "stall", "when": "before", "seconds": 0.4},
    "the answer stalls": {"do": "stall", "when": "after", "seconds": 0.4},
    "429": {"do": "status", "status": 429, "body": {"errors": [{"code": "rateLimitExceeded"}]}},
    "429 with a wish": {"do": "status", "status": 429, "headers": {"Retry-After": "7"}},
    "500": {"do": "status", "status": 500, "body": {"errors": [{"message": "oops"}]}},
    "502 of a proxy": {"do": "status", "status": 502, "body": "<html>"},
    "503 five times": {"do": "status", "status": 503, "times": 5},
    "an answer of something else": {"do": "status", "status": 200, "body": "hello"},
}
FINAL_AT_SUBMIT: dict[str, tuple[dict[str, Any], Failure]] = {
    "401": ({"do": "status", "status": 401}, Failure.ACCOUNT),
    "402": (
        {"do": "status", "status": 402, "body": {"errors": [{"code": "insufficientCredits"}]}},
        Failure.ACCOUNT,
    ),
    "402 sent as a 400": (
        {"do": "status", "status": 400, "body": {"errors": [{"code": "insufficientCredits"}]}},
        Failure.ACCOUNT,
    ),
    "400": (
        {"do": "status", "status": 400, "body": {"errors": [{"code": "invalidModel"}]}},
        Failure.REFUSED,
    ),
    "moderated": (
        {"do": "status", "status": 400, "body": {"errors": [{"code": "promptBlocked"}]}},
        Failure.DECLINED,
    ),
}
LASTING_ELSEWHERE: dict[str, dict[str, Any]] = {
    "401": {"do": "status", "status": 401},
    "402": {"do": "status", "status": 402, "body": {"errors": [{"code": "insufficientCredits"}]}},
    "403": {"do": "status", "status": 403},
    "404": {"do": "status", "status": 404},
}
TABLE = [
    *((where, fault, rule) for where in WHERE for fault, rule in PASSING.items()),
    *(
        (where, fault, rule)
        for where in ("look", "fetch")
        for fault, rule in LASTING_ELSEWHERE.items()
    ),
]


@pytest.mark.parametrize(
    ("where", "rule"),
    [pytest.param(where, rule, id=f"{where}: {fault}") for where, fault, rule in TABLE],
)
async def test_trouble_that_passes_delays_the_clip_and_is_paid_once(
    here: World, monkeypatch: pytest.MonkeyPatch, where: str, rule: dict[str, Any]
) -> None:
    monkeypatch.setattr("bot.provider._TIMEOUT", httpx.Timeout(0.15))
    key = here.trouble(match=WHERE[where], **rule)
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert here.runware.faults.hits(key) == rule.get("times", 1)
        assert done.state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)
        assert [post.clips for post in here.channel.posts.values()] == [(clip(),)]
        assert here.leftovers == []


async def test_a_repeat_that_is_refused_does_not_lose_the_task_that_was_taken_before(
    here: World,
) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    here.trouble(match=WHERE["submit"], **FINAL_AT_SUBMIT["402"][0])
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)


async def test_a_key_that_is_changed_between_two_tries_ends_nothing(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()
        here.runware.settings.api_key = "another-key"
        for _ in range(5):
            await bot.work()
        assert (await bot.reread(job)).state is State.SUBMITTING

        here.runware.settings.api_key = "test-key"
        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_a_refusal_after_tries_that_were_not_taken_is_final(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=503, times=3)
    here.trouble(match=WHERE["submit"], **FINAL_AT_SUBMIT["402"][0] | {"times": None})
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.ACCOUNT)
        assert here.runware.ledger.accepted == 0
        assert (here.clock() - job.created_at) / 1000 > 600
        await assert_released(bot, job)


async def test_a_taken_task_of_which_the_service_says_nothing_yet_survives_a_refused_repeat(
    here: World,
) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    here.trouble(match=WHERE["submit"], **FINAL_AT_SUBMIT["402"][0] | {"times": 3})
    here.trouble(match=WHERE["look"], **NOTHING_KNOWN | {"times": 3})
    async with here.bot() as bot:
        job = await bot.accept()
        assert (await bot.finished(job)).state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)


@pytest.mark.parametrize(
    ("rule", "failure"),
    [pytest.param(rule, why, id=fault) for fault, (rule, why) in FINAL_AT_SUBMIT.items()],
)
async def test_a_final_refusal_of_the_task_releases_the_hold(
    here: World, rule: dict[str, Any], failure: Failure
) -> None:
    here.trouble(match=WHERE["submit"], **rule)
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, failure)
        assert here.runware.ledger.accepted == 0
        await assert_released(bot, job)
        assert here.leftovers == []


async def test_the_wish_of_a_busy_service_is_heard(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=429, headers={"Retry-After": "45"})
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()

        assert (await bot.reread(job)).due_at == here.clock() + 45_000


async def test_tries_to_submit_come_at_growing_gaps_but_never_rarely(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=503, times=None)
    gaps = []
    async with here.bot() as bot:
        job = await bot.accept()
        for _ in range(12):
            await bot.work()
            gaps.append(((await bot.reread(job)).due_at - here.clock()) / 1000)

    assert gaps[:5] == [1, 2, 4, 8, 16]
    assert max(gaps) == 300


# --- How a task may end --------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["errors", "item", "http_400"])
@pytest.mark.parametrize(
    ("ending", "failure"),
    [
        ("moderated", Failure.DECLINED),
        ("timeout", Failure.REFUSED),
        ("failed", Failure.REFUSED),
    ],
)
async def test_a_task_that_fails_releases_its_hold(
    here: World, ending: Any, failure: Failure, form: Any
) -> None:
    here.runware.settings.failure_form = form
    here.runware.outcomes.add(Outcome(next=ending))
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, failure)
        assert here.runware.ledger.accepted == 1
        assert here.runware.ledger.billed_micro == 0
        await assert_released(bot, job)
        assert here.channel.posts == {}
        assert here.channel.titles[-1] == words.FAILURES[failure][0]
        assert here.leftovers == []


@pytest.mark.parametrize("form", ["errors", "item", "http_400"])
async def test_a_task_that_half_succeeds_is_delivered_and_says_what_is_missing(
    here: World, form: Any
) -> None:
    here.runware.settings.failure_form = form
    here.runware.outcomes.add(Outcome(next="partial"))
    async with here.bot() as bot:
        job = await bot.accept(results=2)
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        (post,) = here.channel.posts.values()
        assert len(post.clips) == 1
        assert "1 of 2 could not be made, and cost nothing." in post.text
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == PRICE
        assert await bot.held_micro(job) == 0


async def test_a_clip_of_an_unexpected_size_is_delivered(here: World) -> None:
    here.runware.outcomes.add(Outcome(next="wrong_size"))
    async with here.bot() as bot:
        assert (await bot.finished(await bot.accept())).state is State.DELIVERED


@pytest.mark.parametrize("ending", ["corrupt", "expired"])
async def test_a_paid_clip_that_cannot_be_fetched_is_tried_for_ever(
    here: World, ending: Any
) -> None:
    here.runware.outcomes.add(Outcome(next=ending))
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        for _ in range(20):
            await bot.work()

        kept = await bot.reread(job)
        assert (kept.state, kept.attempts) == (State.RENDERED, 20)
        assert kept.due_at - here.clock() == HOUR * 1000
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)
        assert here.leftovers == []
        assert here.channel.titles[-1] == "📦 Finished, but not here yet"


async def test_a_paid_clip_whose_address_has_died_is_fetched_from_its_next(here: World) -> None:
    here.runware.settings.renew_urls = True
    here.runware.outcomes.add(Outcome(next="expired"))
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(results=4), [State.RENDERED])
        dead = [one.url for one in await bot.store.clips(job.id)]
        await bot.work()

        assert (await bot.reread(job)).state is State.DELIVERED
        assert [one.url for one in await bot.store.clips(job.id)] == [
            f"{url}?renewal=1" for url in dead
        ]
        (post,) = here.channel.posts.values()
        assert len(post.clips) == 4
        assert here.runware.ledger.accepted == 1
        assert await bot.spent_micro(job) == here.runware.ledger.billed_micro == 4 * PRICE
        assert here.leftovers == []


@pytest.mark.parametrize("answer", [{"do": "drop", "times": 2}, NOTHING_KNOWN | {"times": 2}])
async def test_a_dead_address_is_asked_about_until_the_service_has_an_answer(
    here: World, answer: dict[str, Any]
) -> None:
    here.runware.settings.renew_urls = True
    here.runware.outcomes.add(Outcome(next="expired"))
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        here.trouble(match=WHERE["look"], **answer)
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        await assert_paid_once(bot, job)


def test_a_clip_that_the_service_knows_by_another_uuid_is_known_by_its_place() -> None:
    def listed(video_uuid: str, url: str) -> Result:
        return Result(video_uuid, url, None, None)

    clips = [
        Clip(job_id="job", ordinal=n, video_uuid=one, url=one, seed=None, cost_micro=None)
        for n, one in enumerate("ab")
    ]
    first, second = clips
    assert renewed(clips, []) == []
    assert renewed(clips, [listed("a", "a"), listed("b", "b")]) == []
    assert renewed(clips, [listed("b", "B")]) == [replace(second, url="B")]
    assert renewed(clips, [listed("b", "B"), listed("a", "A")]) == [
        replace(first, url="A"),
        replace(second, url="B"),
    ]
    assert renewed(clips, [listed("x", "X"), listed("y", "Y")]) == [
        replace(first, url="X"),
        replace(second, url="Y"),
    ]


# --- Money that is not as expected ---------------------------------------------------------------


async def test_a_cost_above_the_hold_is_booked_in_full_and_flagged(here: World) -> None:
    here.runware.settings.price_percent = 150
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.finished(job)

        spend = (await bot.entries(job))[Kind.SPEND]
        assert spend.spent_micro == here.runware.ledger.billed_micro == 277_200
        assert spend.note == "reported cost above the hold"
        assert await bot.held_micro(job) == 0


async def test_a_cost_below_the_hold_gives_the_rest_back(here: World) -> None:
    here.runware.settings.price_percent = 50
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.finished(job)

        spend = (await bot.entries(job))[Kind.SPEND]
        assert (spend.spent_micro, spend.note) == (92_400, "")
        assert await bot.held_micro(job) == 0


async def test_a_cost_that_is_not_reported_is_booked_as_estimated_and_flagged(here: World) -> None:
    here.runware.settings.cost = "never"
    async with here.bot() as bot:
        job = await bot.accept(results=3)
        await bot.finished(job)

        spend = (await bot.entries(job))[Kind.SPEND]
        assert spend.spent_micro == 3 * PRICE
        assert spend.note == "cost not reported, estimate booked"
        assert await bot.held_micro(job) == 0


async def test_an_empty_account_fails_the_job_and_leaves_its_owner_a_word(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    here.runware.settings.balance_micro = PRICE - 1
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.ACCOUNT)
        await assert_released(bot, job)
        assert here.channel.titles[-1] == "🔧 Paused"
        assert [log.levelname for log in caplog.records if "needs its owner" in log.message] == [
            "CRITICAL"
        ]


async def test_a_refused_key_fails_the_job(here: World) -> None:
    here.runware.settings.api_key = "another-key"
    async with here.bot() as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.ACCOUNT)
        await assert_released(bot, job)


# --- Late, and lost ------------------------------------------------------------------------------


@pytest.mark.parametrize("look_every", [0.5, 2.0, 10.0, 60.0])
@pytest.mark.parametrize("late_by", [0.0, 0.3, 5.0])
async def test_a_late_clip_is_announced_as_late_once_and_still_delivered(
    here: World, look_every: float, late_by: float
) -> None:
    hidden = here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    async with here.bot(look_every=look_every) as bot:
        job = await bot.accept()
        while here.clock() < job.created_at + 1_000_000:
            await bot.work(late_by)
        assert here.channel.titles.count(SLOW) == 1

        here.runware.faults.clear(hidden)
        assert (await bot.finished(job)).state is State.DELIVERED
        assert here.channel.titles.count(SLOW) == 1
        await assert_paid_once(bot, job)


async def test_a_clip_that_is_not_late_is_never_called_late(here: World) -> None:
    hidden = here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    async with here.bot() as bot:
        job = await bot.accept()
        while here.clock() < job.created_at + 570_000:  # the next look is some 20 s later
            await bot.work()
        here.runware.faults.clear(hidden)
        await bot.finished(job)

    assert SLOW not in here.channel.titles


async def test_looks_become_rare_as_a_task_grows_old(here: World) -> None:
    here.runware.outcomes.add(Outcome(next="never"))
    async with here.bot() as bot:
        job = await bot.accept()
        while here.clock() < job.created_at + HOUR * 1000:
            await bot.work()

        assert (await bot.reread(job)).due_at - here.clock() <= 62_000
        assert here.runware.ledger.asked["getResponse"] < 180


async def test_a_task_that_is_still_in_the_making_is_given_seven_times_the_patience(
    here: World,
) -> None:
    here.runware.outcomes.add(Outcome(next="never"))
    async with here.bot(give_up_after=1800) as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.LOST)
        assert 7 * 1800 <= (here.clock() - job.created_at) / 1000 < 7 * 1900
        await assert_released(bot, job)


async def test_a_clip_that_is_there_when_patience_ends_is_delivered_without_the_others(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here.bot(give_up_after=1800) as bot:
        whole = bot.provider.look

        async def half(task_uuids: Sequence[str]) -> dict[str, Progress]:
            found = await whole(task_uuids)
            return {
                task: replace(one, results=one.results[:1], is_processing=True)
                for task, one in found.items()
            }

        monkeypatch.setattr(bot.provider, "look", half)
        job = await bot.accept(results=2)
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        assert (here.clock() - job.created_at) / 1000 > 1800
        assert await bot.spent_micro(job) == PRICE
        (post,) = here.channel.posts.values()
        assert "1 of 2 could not be made" in post.text


async def test_jobs_that_could_not_be_asked_about_are_never_given_up(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here.bot(give_up_after=1800) as bot:
        job = await bot.until(await bot.accept(), [State.RENDERING])

        async def nothing(task_uuids: Sequence[str]) -> dict[str, Progress]:
            del task_uuids
            return {}

        with monkeypatch.context() as patch:
            patch.setattr(bot.provider, "look", nothing)
            here.clock.forward(seconds=30 * 1800)
            await bot.work()
            await bot.work()

        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_no_word_for_the_whole_patience_releases_the_hold(here: World) -> None:
    here.trouble(match=WHERE["look"], **NOTHING_KNOWN)
    async with here.bot(give_up_after=1800) as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.LOST)
        assert 1800 <= (here.clock() - job.created_at) / 1000 < 1900
        await assert_released(bot, job)
        assert here.channel.titles[-1] == "⚠️ I lost track of this one"
        assert here.leftovers == []


async def test_a_task_that_is_never_acknowledged_is_given_up_in_the_end(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="status", status=503, times=None)
    async with here.bot(give_up_after=1800) as bot:
        job = await bot.accept()
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.LOST)
        await assert_released(bot, job)
        assert here.leftovers == []


async def test_a_clip_that_was_made_while_the_bot_was_down_for_days_is_delivered(
    here: World,
) -> None:
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERING])
    here.clock.forward(seconds=72 * HOUR)
    here.trouble(match=WHERE["look"], do="drop", times=3)  # the network comes up after the bot
    async with here.bot() as bot:
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_a_task_that_was_sent_before_the_bot_was_down_for_days_is_asked_for_again(
    here: World,
) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()
    here.clock.forward(seconds=72 * HOUR)
    async with here.bot() as bot:
        done = await bot.finished(job)

        assert done.state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)


async def test_a_lost_picture_fails_the_job_before_anything_is_paid(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        bot.pictures.drop(job.id)
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.LOST)
        assert here.runware.ledger.accepted == 0
        await assert_released(bot, job)


async def test_a_picture_lost_after_a_lost_answer_does_not_lose_the_paid_clip(here: World) -> None:
    here.trouble(match=WHERE["submit"], do="lose_answer")
    async with here.bot() as bot:
        job = await bot.accept()
        await bot.work()
        bot.pictures.drop(job.id)

        assert (await bot.finished(job)).state is State.DELIVERED
        await assert_paid_once(bot, job)


async def test_a_start_removes_the_files_of_no_open_job_and_keeps_the_others(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
        bot.pictures.keep("11111111-1111-4111-8111-111111111111", b"from a crash")
        clips = here.folder / "clips"
        clips.mkdir()
        (clips / "22222222-2222-4222-8222-222222222222-0.mp4").write_bytes(b"delivered")
        (clips / f"{job.id}-0.mp4.part").write_bytes(b"half")

    async with here.bot() as bot:
        await bot.pipeline.recover()
        assert here.leftovers == [f"{job.id}-0.mp4.part", f"{job.id}.jpg"]


async def test_a_clip_that_comes_in_the_next_month_says_what_is_left_of_that(here: World) -> None:
    limits = monthly(member=5_000_000)
    async with here.bot(limits=limits, give_up_after=40 * 86_400) as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        here.clock.forward(seconds=31 * 86_400)
        await bot.finished(job)

    (post,) = here.channel.posts.values()
    assert "you have $5.00 left this month" in post.text
    assert "$0.1848" in post.text


# --- A channel that will not take the clip -------------------------------------------------------


@pytest.mark.parametrize("refusal", [Unpostable("gone"), DeliveryError("500")])
async def test_a_clip_that_cannot_be_posted_is_kept_and_tried_again_but_never_paid_again(
    here: World, refusal: DeliveryError
) -> None:
    here.channel.refusals.extend([refusal] * 15)
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERED])
        gaps = []
        for _ in range(15):
            await bot.work()
            kept = await bot.reread(job)
            gaps.append((kept.due_at - here.clock()) / 1000)
            assert here.leftovers == [f"{job.id}-0.mp4"]
        assert gaps == [*(2.0**n for n in range(12)), HOUR, HOUR, HOUR]
        assert here.channel.notes[-1] == words.waiting(job, refusal, PRICE)

        done = await bot.finished(job)
        assert done.state is State.DELIVERED
        assert here.channel.titles[-1] == "✅ Done"
        assert here.runware.ledger.downloads == 1
        assert here.runware.ledger.accepted == 1
        await assert_paid_once(bot, job)
        assert here.leftovers == []


# --- Jobs beside each other ----------------------------------------------------------------------


async def test_a_failed_job_leaves_those_beside_it_alone(here: World) -> None:
    here.runware.outcomes.add(Outcome(next="moderated"))
    async with here.bot() as bot:
        first, second = await bot.accept(), await bot.accept()
        states = [(await bot.finished(job)).state for job in (first, second)]

        assert states == [State.FAILED, State.DELIVERED]
        await assert_released(bot, first)
        await assert_paid_once(bot, second)


async def test_a_job_whose_result_cannot_be_booked_does_not_hold_up_the_others(
    here: World,
) -> None:
    class OneBadJob(Store):
        async def move(self, before: Job, after: Job, **more: Any) -> Job:
            if after.state is State.RENDERED and before.member_id == 666:
                raise OverflowError("unforeseen")
            return await super().move(before, after, **more)

    async with here.bot(store_type=OneBadJob) as bot:
        bad = await bot.accept(member_id=666)
        good = await bot.accept()
        done = await bot.finished(good)

        assert done.state is State.DELIVERED
        assert (await bot.reread(bad)).state is State.RENDERING


async def test_a_job_that_another_hand_moved_on_is_left_to_it(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERING])
        await bot.pipeline.look([job])
        moved = await bot.reread(job)
        await bot.pipeline.look([job])

        assert await bot.reread(job) == moved
        queued = await bot.accept()
        await bot.pipeline.step(queued)
        with pytest.raises(StaleJob):
            await bot.pipeline.step(queued)
        assert here.runware.ledger.accepted == 2


@pytest.mark.parametrize("state", [State.RENDERING, State.DELIVERED, State.FAILED])
async def test_a_job_with_no_step_to_do_is_a_bug_and_says_so(here: World, state: State) -> None:
    async with here.bot() as bot:
        job = replace(await bot.accept(), state=state)
        with pytest.raises(IllegalTransition):
            await bot.pipeline.step(job)


# --- A crash at every commit ---------------------------------------------------------------------


class Crash(BaseException):
    """The process is gone: nothing of ours runs any more."""


class DyingStore(Store):
    """Dies around the commit that brings a job into `state`."""

    state: State
    when: str
    last: Job

    async def accept(self, job: Job, *rest: Any) -> Any:
        type(self).last = job
        self._die("before", job.state)
        admitted = await super().accept(job, *rest)
        self._die("after", job.state)
        return admitted

    async def move(self, before: Job, after: Job, **more: Any) -> Job:
        self._die("before", after.state)
        moved = await super().move(before, after, **more)
        self._die("after", after.state)
        return moved

    def _die(self, when: str, state: State) -> None:
        if (self.when, self.state) == (when, state):
            raise Crash


def dying(crash_state: State, moment: str) -> type[DyingStore]:
    class Dying(DyingStore):
        state = crash_state
        when = moment

    return Dying


@pytest.mark.parametrize("state", [*lifecycle.TRANSITIONS.keys() - {State.FAILED, State.QUEUED}])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_around_any_commit_is_taken_up_again_and_paid_once(
    here: World, state: State, when: str
) -> None:
    store = dying(state, when)
    async with here.bot(store_type=store) as bot:
        with pytest.raises(Crash):
            await bot.finished(await bot.accept())
    async with here.bot() as bot:
        done = await bot.finished(store.last)

        assert done.state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        assert len(here.channel.posts) == 1
        await assert_paid_once(bot, done)


async def test_a_crash_right_after_the_acceptance_keeps_the_job(here: World) -> None:
    store = dying(State.QUEUED, "after")
    async with here.bot(store_type=store) as bot:
        with pytest.raises(Crash):
            await bot.accept()
    async with here.bot() as bot:
        assert (await bot.finished(store.last)).state is State.DELIVERED
        await assert_paid_once(bot, store.last)


async def test_a_crash_right_before_the_acceptance_leaves_no_job_and_no_hold(here: World) -> None:
    store = dying(State.QUEUED, "before")
    async with here.bot(store_type=store) as bot:
        with pytest.raises(Crash):
            await bot.accept()
    async with here.bot() as bot:
        assert await bot.store.job(store.last.id) is None
        assert (await standing(bot.accounts, store.last)).bot.used_micro == 0


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_around_the_commit_of_a_failure_releases_once(here: World, when: str) -> None:
    here.runware.outcomes.add(Outcome(next="moderated"))
    store = dying(State.FAILED, when)
    async with here.bot(store_type=store) as bot:
        with pytest.raises(Crash):
            await bot.finished(await bot.accept())
    async with here.bot() as bot:
        done = await bot.finished(store.last)

        assert (done.state, done.failure) == (State.FAILED, Failure.DECLINED)
        await assert_released(bot, done)


async def test_a_chain_of_crashes_still_pays_once(here: World) -> None:
    async with here.bot() as bot:
        job = await bot.accept()
    for state in (State.SUBMITTING, State.RENDERING, State.RENDERED, State.DELIVERED):
        for _ in range(3):
            async with here.bot(store_type=dying(state, "before")) as bot:
                with pytest.raises(Crash):
                    await bot.finished(job)
        async with here.bot(store_type=dying(state, "after")) as bot:
            with pytest.raises(Crash):
                await bot.finished(job)
    async with here.bot() as bot:
        assert (await bot.reread(job)).state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        assert len(here.channel.posts) == 1
        await assert_paid_once(bot, job)


async def assert_paid_once(bot: Bot, job: Job) -> None:
    """The accounts hold one spend of what the service billed, and nothing is held."""
    assert (await bot.entries(job)).keys() == {Kind.HOLD, Kind.SPEND}
    assert await bot.spent_micro(job) == PRICE
    assert await bot.held_micro(job) == 0


async def assert_released(bot: Bot, job: Job) -> None:
    """The hold is given back and nothing is spent."""
    assert (await bot.entries(job)).keys() == {Kind.HOLD, Kind.RELEASE}
    assert await bot.spent_micro(job) == 0
    assert await bot.held_micro(job) == 0
