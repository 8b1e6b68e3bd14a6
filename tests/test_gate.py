"""Account trouble: nothing new is accepted, what runs goes on, and the gate opens by itself."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import refusals, words
from bot.errors import AccountPaused, AccountTrouble, Busy
from bot.gate import Gate
from bot.lifecycle import Failure, State
from tests.corridor import PRICE, Bot, World, ask, world

REFUSED = AccountTrouble("insufficientCredits", status=402)
SUBMIT = {"label": "^videoInference$"}
LOOK = {"label": "getResponse"}
EMPTY = {"do": "status", "status": 402, "body": {"errors": [{"code": "insufficientCredits"}]}}
BAD_KEY = {"do": "status", "status": 401, "body": {"errors": [{"code": "invalidApiKey"}]}}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


class Account:
    """An account that answers as it is told, and counts how often it is asked."""

    def __init__(self, *answers: int | Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self) -> int | None:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def owner_was_told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [log.message for log in caplog.records if log.levelno == logging.CRITICAL]


async def paused(bot: Bot) -> None:
    with pytest.raises(AccountPaused):
        bot.intake.check(1000)
    with pytest.raises(AccountPaused):
        await bot.intake.accept(ask())


# --- The gate alone ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("balance", "is_open"),
    [
        (PRICE, True),
        (PRICE - 1, False),
        (0, False),
        (-1, False),
        (None, True),  # it answers, and does not say: the next task finds out
        (AccountTrouble("invalidApiKey", status=401), False),
        (Busy("unreachable"), False),
    ],
)
async def test_a_look_opens_the_gate_if_the_account_answers_and_can_pay(
    balance: int | Exception | None, is_open: bool
) -> None:
    gate = Gate(Account(balance), lambda: 1.0)
    gate.shut(REFUSED, PRICE)
    await gate.look()
    assert gate.is_open is is_open
    await gate.stop()


async def test_a_shut_gate_looks_by_itself_until_it_opens() -> None:
    account = Account(RuntimeError("a bug"), Busy("unreachable"), PRICE)
    gate = Gate(account, lambda: -0.99)  # hardly any pause
    gate.shut(REFUSED, PRICE)
    gate.shut(REFUSED, PRICE)
    await until_open(gate)
    assert account.asked == 3
    await gate.stop()


async def test_an_account_that_only_looks_well_is_asked_ever_more_rarely(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def nap(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr("bot.gate.asyncio.sleep", nap)
    gate = Gate(Account(PRICE), lambda: 1.0)
    for _ in range(12):
        gate.shut(REFUSED, PRICE)
        await until_open(gate)
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert len(owner_was_told(caplog)) == 1

    gate.prove()
    gate.shut(REFUSED, PRICE)
    await until_open(gate)
    assert pauses[-1] == 1
    assert len(owner_was_told(caplog)) == 2
    await gate.stop()


async def until_open(gate: Gate) -> None:
    async with asyncio.timeout(5):
        while not gate.is_open:
            await asyncio.get_running_loop().run_in_executor(None, int)


async def test_a_gate_that_is_stopped_looks_no_more() -> None:
    account = Account(0)
    gate = Gate(account, lambda: 1.0)
    await gate.stop()
    gate.shut(REFUSED)
    await gate.stop()
    await asyncio.sleep(0.01)
    assert account.asked == 0
    assert [one for one in asyncio.all_tasks() if one is not asyncio.current_task()] == []


def test_people_are_told_who_can_mend_it_and_that_it_cost_nothing() -> None:
    note = refusals.refusal(AccountPaused())
    assert note.title == "🔧 Paused"
    assert note.body == (
        "The bot's account with the video service needs its owner. Try again later."
        " You were not charged."
    )


# --- The gate in the corridor --------------------------------------------------------------------


async def test_an_empty_account_shuts_the_door_and_money_opens_it_again(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    here.runware.settings.balance_micro = PRICE - 1
    async with here.bot() as bot:
        job = await bot.finished(await bot.accept())
        assert (job.state, job.failure) == (State.FAILED, Failure.ACCOUNT)
        await paused(bot)
        await bot.gate.look()
        await paused(bot)
        assert await bot.held_micro(job) == 0

        here.runware.settings.balance_micro = 10 * PRICE
        await bot.gate.look()
        assert bot.gate.is_open
        done = await bot.finished(await bot.accept())
        assert done.state is State.DELIVERED
        assert here.runware.ledger.accepted == 1
        assert len(owner_was_told(caplog)) == 1
        assert "needs its owner" in owner_was_told(caplog)[0]
        assert "seems to be in order again" in caplog.text


async def test_what_renders_is_looked_at_while_the_gate_is_shut(here: World) -> None:
    async with here.bot() as bot:
        first = await bot.until(await bot.accept(), [State.RENDERING])
        second = await bot.accept()
        here.trouble(match=SUBMIT, **EMPTY)
        refused = await bot.finished(second)
        assert refused.failure is Failure.ACCOUNT
        await paused(bot)

        assert (await bot.finished(first)).state is State.DELIVERED
        await paused(bot)


async def test_a_key_that_is_revoked_while_clips_render_shuts_the_door_and_loses_none(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with here.bot() as bot:
        job = await bot.until(await bot.accept(), [State.RENDERING])
        here.trouble(match=LOOK, times=3, **BAD_KEY)
        await bot.work()
        await paused(bot)
        assert (await bot.finished(job)).state is State.DELIVERED
        assert len(owner_was_told(caplog)) == 1

        await bot.gate.look()
        assert bot.gate.is_open


async def test_a_task_that_is_taken_opens_the_gate(here: World) -> None:
    async with here.bot() as bot:
        sent, refused = await bot.accept(), await bot.accept()
        here.trouble(match=SUBMIT, do="drop")
        await bot.pipeline.step(sent)
        here.trouble(match=SUBMIT, **EMPTY)
        await bot.pipeline.step(refused)
        await paused(bot)
        await bot.pipeline.step(await bot.reread(sent))
        assert bot.gate.is_open
        await bot.accept()


async def test_what_was_not_sent_yet_is_kept_in_line_until_the_gate_opens(here: World) -> None:
    async with here.bot() as bot:
        jobs = [await bot.accept() for _ in range(3)]
        bot.gate.shut(REFUSED)
        for _ in range(5):
            await bot.work()
        assert {(await bot.reread(job)).state for job in jobs} == {State.QUEUED}
        assert here.runware.ledger.requests == 0
        assert here.channel.notes[-1] == words.paused(jobs[-1])
        assert "kept in line" in here.channel.notes[-1].body

        await bot.gate.look()
        assert {(await bot.finished(job)).state for job in jobs} == {State.DELIVERED}


async def test_what_is_kept_in_line_is_given_up_like_everything_else(here: World) -> None:
    async with here.bot(give_up_after=1800) as bot:
        job = await bot.accept()
        bot.gate.shut(REFUSED)
        done = await bot.finished(job)

        assert (done.state, done.failure) == (State.FAILED, Failure.ACCOUNT)
        assert 1800 <= (here.clock() - job.created_at) / 1000 < 1830
        assert here.runware.ledger.requests == 0
        assert await bot.held_micro(job) == await bot.spent_micro(job) == 0
        assert here.leftovers == []


async def test_an_account_that_only_looks_well_costs_one_clip_its_place_not_all(
    here: World,
) -> None:
    async with here.bot() as bot:
        jobs = [await bot.accept() for _ in range(5)]
        here.trouble(match=SUBMIT, **EMPTY | {"times": None})
        await asyncio.gather(*map(bot.pipeline.step, jobs))
        states = [(await bot.reread(job)).state for job in jobs]
        assert sorted(states) == [State.FAILED, *[State.QUEUED] * 4]
        assert here.runware.ledger.asked["videoInference"] == 0

        here.runware.faults.clear()
        await bot.gate.look()
        waiting = [job for job in jobs if (await bot.reread(job)).state is State.QUEUED]
        assert {(await bot.finished(job)).state for job in waiting} == {State.DELIVERED}
        assert here.runware.ledger.accepted == 4


async def test_a_job_that_tries_the_account_and_breaks_leaves_the_way_free() -> None:
    gate = Gate(Account(PRICE), lambda: 1.0)
    with pytest.raises(RuntimeError):
        async with gate.passage():
            raise RuntimeError("a bug")
    async with gate.passage() as is_open:
        assert is_open


async def test_once_a_task_was_taken_nobody_waits_for_another() -> None:
    gate = Gate(Account(PRICE), lambda: 1.0)
    gate.prove()
    async with asyncio.timeout(5), gate.passage() as first, gate.passage() as second:
        assert first
        assert second


async def test_a_new_life_of_the_process_begins_with_an_open_gate(here: World) -> None:
    async with here.bot() as bot:
        bot.gate.shut(REFUSED)
        await paused(bot)
    async with here.bot() as bot:
        assert (await bot.finished(await bot.accept())).state is State.DELIVERED
