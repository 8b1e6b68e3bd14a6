"""The fault table: all that the local Runware can do to a job, at each of the job's requests.

Whatever happens, the service takes one task or none, the books say what it billed, and no hold is
left. `kill` alone is elsewhere: it needs processes that may die (`test_restart`), and what webhooks
do changes nothing (`test_webhooks`). The end of a test run counts the rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from bot.ledger import Kind
from bot.lifecycle import Failure, State
from bot.sandbox.faults import Rule
from bot.sandbox.runware.outcomes import Ending, Outcome
from bot.sandbox.runware.settings import Settings
from tests.conftest import FAULT
from tests.corridor import NOTHING_KNOWN, PICTURE_URL, PRICE, WHERE, clip, picture, world

GIVE_UP_AFTER = 1800.0
TIMEOUT = httpx.Timeout(0.1)
STALL = 0.25
"""Seconds that an answer stalls: more than `TIMEOUT`."""

Fault = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault at one step, and what becomes of the job."""

    step: str
    fault: str
    rules: tuple[Fault, ...] = ()
    """On the wire, at this step, one after the other."""
    outcome: Outcome | None = None
    service: Fault | None = None
    """Settings of the service that are changed."""
    results: int = 1
    state: State = State.DELIVERED
    failure: Failure | None = None
    was_lost: bool = False
    """Given up, and found after that."""
    accepted: int = 1
    clips: int = 1
    """Those that are made, and billed."""
    untold_micro: int = 0
    """What the service bills for a failure, and tells nobody."""

    @property
    def name(self) -> str:
        return f"{self.step}: {self.fault}"

    @property
    def entries(self) -> list[Kind]:
        if self.was_lost:
            return [Kind.HOLD, Kind.RELEASE, Kind.ADJUSTMENT]
        return [Kind.HOLD, Kind.RELEASE if self.failure else Kind.SPEND]

    @property
    def end(self) -> str:
        if self.state is State.RENDERED:
            return "paid and kept"
        late = ", late" if self.was_lost else ""
        return f"{self.state}{late}" if self.failure is None else f"{self.state} ({self.failure})"


# --- On the wire ---------------------------------------------------------------------------------


def error(code: str, status: int = 400) -> Fault:
    return {"do": "status", "status": status, "body": {"errors": [{"code": code}]}}


PASSING: dict[str, Fault] = {
    "the answer is lost": {"do": "lose_answer"},
    "the connection is dropped": {"do": "drop"},
    "the answer is cut in half": {"do": "truncate"},
    "the request stalls before it is heard": {"do": "stall", "when": "before", "seconds": STALL},
    "the answer stalls": {"do": "stall", "when": "after", "seconds": STALL},
    "an answer of something else": {"do": "status", "status": 200, "body": "hello"},
    "no answer at all": {"do": "status", "status": 200},
    "an answer of no task": {"do": "status", "status": 200, "body": {"data": []}},
    "a redirect to nowhere": {"do": "status", "status": 302},
    "408": {"do": "status", "status": 408},
    "425": {"do": "status", "status": 425},
    "429": error("rateLimitExceeded", 429),
    "429 with a wish": {"do": "status", "status": 429, "headers": {"Retry-After": "7"}},
    "429 of what was heard": {"do": "status", "status": 429, "when": "after"},
    "500": error("internalServerError", 500),
    "500 of what was heard": {"do": "status", "status": 500, "when": "after"},
    "502 of a proxy": {"do": "status", "status": 502, "body": "<html>"},
    "503": {"do": "status", "status": 503},
    "504 of what was heard": {"do": "status", "status": 504, "when": "after"},
    "busy, sent as a 400": error("modelNotReady"),
    "too many, sent as a 400": error("rateLimitExceeded"),
}
"""Pass by themselves, wherever they are met."""
FINAL: dict[str, tuple[Fault, Failure]] = {
    "400": ({"do": "status", "status": 400}, Failure.REFUSED),
    "401": ({"do": "status", "status": 401}, Failure.ACCOUNT),
    "402": (error("insufficientCredits", 402), Failure.ACCOUNT),
    "402 sent as a 400": (error("insufficientCredits"), Failure.ACCOUNT),
    "403": ({"do": "status", "status": 403}, Failure.ACCOUNT),
    "404": ({"do": "status", "status": 404}, Failure.REFUSED),
    "410": ({"do": "status", "status": 410}, Failure.REFUSED),
    "413": ({"do": "status", "status": 413}, Failure.REFUSED),
    "422": ({"do": "status", "status": 422}, Failure.REFUSED),
    "an unknown model": (error("invalidModel"), Failure.REFUSED),
    "a code of tomorrow": (error("notToday"), Failure.REFUSED),
    "moderated": (error("promptBlocked"), Failure.DECLINED),
}
"""End a task that they refuse; of one that is taken, or paid, they say nothing."""


def often(rule: Fault) -> int:
    return 2 if rule["do"] == "stall" else 5


def on_the_wire() -> Iterator[Row]:
    for step in WHERE:
        for fault, rule in PASSING.items():
            yield Row(step=step, fault=fault, rules=(rule,))
            many = rule | {"times": often(rule)}
            yield Row(step=step, fault=f"{fault}, over and over", rules=(many,))
    for fault, (rule, failure) in FINAL.items():
        yield Row(
            step="submit",
            fault=fault,
            rules=(rule,),
            state=State.FAILED,
            failure=failure,
            accepted=0,
            clips=0,
        )
        yield Row(
            step="submit",
            fault=f"{fault}, of a repeat",
            rules=({"do": "lose_answer"}, rule),
        )
        for step in ("look", "fetch"):
            yield Row(step=step, fault=fault, rules=(rule | {"times": often(rule)},))


# --- Of the service itself -----------------------------------------------------------------------

ENDS: dict[str, tuple[Outcome, Failure]] = {
    "moderated": (Outcome(next="moderated"), Failure.DECLINED),
    "the provider is out of time": (Outcome(next="timeout"), Failure.REFUSED),
    "failed": (Outcome(next="failed"), Failure.REFUSED),
    "failed with a code of tomorrow": (Outcome(next="failed", code="notToday"), Failure.REFUSED),
    "failed for lack of credit": (
        Outcome(next="failed", code="insufficientCredits"),
        Failure.ACCOUNT,
    ),
}
FORMS = ("errors", "item", "http_400")
LOST_ANSWER = {"do": "lose_answer"}


def of_the_service() -> Iterator[Row]:
    yield from at_submit()
    yield from at_look()
    yield from at_fetch()


def at_submit() -> Iterator[Row]:
    for answer in (400, 409, "accept"):
        yield Row(
            step="submit",
            fault=f"a repeat is answered with {answer}",
            rules=(LOST_ANSWER,),
            service={"duplicate": answer},
        )
    yield Row(
        step="submit",
        fault="an error for a task that is not known",
        rules=({"do": "drop"}, error("insufficientCredits", 402) | {"times": 3}),
        service={"unknown_task": "error"},
    )
    refused: dict[str, tuple[Fault, Failure]] = {
        "another key": ({"api_key": "another-key"}, Failure.ACCOUNT),
        "an empty account": ({"balance_micro": PRICE - 1}, Failure.ACCOUNT),
        "a retired model": ({"model_state": "retired"}, Failure.REFUSED),
        "a prompt that is needed now": (
            {"prompt": "required", "parameter_as_list": True},
            Failure.REFUSED,
        ),
    }
    for fault, (service, failure) in refused.items():
        yield Row(
            step="submit",
            fault=fault,
            service=service,
            state=State.FAILED,
            failure=failure,
            accepted=0,
            clips=0,
        )
    yield Row(
        step="submit",
        fault="an answer that is lost, and none after that until the task is",
        rules=(LOST_ANSWER, {"do": "status", "status": 503, "times": 14}),
        was_lost=True,
    )
    yield Row(
        step="submit",
        fault="a conflict over a task that was never sent",
        rules=(error("conflictTaskUUID"),),
        state=State.FAILED,
        failure=Failure.LOST,
        accepted=0,
        clips=0,
    )


def at_look() -> Iterator[Row]:
    for form in FORMS:
        for fault, (outcome, failure) in ENDS.items():
            yield Row(
                step="look",
                fault=f"{fault} ({form})",
                outcome=outcome,
                service={"failure_form": form},
                state=State.FAILED,
                failure=failure,
                clips=0,
            )
        yield Row(
            step="look",
            fault=f"half of it failed ({form})",
            outcome=Outcome(next="partial"),
            service={"failure_form": form},
            results=2,
        )
    yield Row(
        step="look",
        fault="failed, and billed without a word",
        outcome=Outcome(next="failed", billed=True),
        state=State.FAILED,
        failure=Failure.REFUSED,
        clips=0,
        untold_micro=PRICE,
    )
    yield Row(
        step="look",
        fault="never finished",
        outcome=Outcome(next="never"),
        state=State.FAILED,
        failure=Failure.LOST,
        clips=0,
    )
    yield Row(step="look", fault="no word for some minutes", rules=(NOTHING_KNOWN | {"times": 30},))
    yield Row(
        step="look",
        fault="no word until it is lost",
        rules=(NOTHING_KNOWN | {"times": 140},),
        was_lost=True,
    )
    slow = Outcome(next="success", render_seconds=0.05)
    for answer in ("processing", "empty"):
        service = {"running_answer": answer, "progress": True}
        yield Row(step="look", fault=f"slow, told as {answer}", outcome=slow, service=service)
    costs: dict[str, Fault] = {
        "no cost is told": {"cost": "never"},
        "it costs more": {"price_percent": 150},
        "it costs less": {"price_percent": 50},
    }
    for fault, service in costs.items():
        yield Row(step="look", fault=fault, service=service)


def at_fetch() -> Iterator[Row]:
    yield Row(step="fetch", fault="of the wrong size", outcome=Outcome(next="wrong_size"))
    yield Row(step="fetch", fault="noise", outcome=Outcome(next="corrupt"), state=State.RENDERED)
    for status in (403, 404):
        service: Fault = {"expired_status": status}
        for fault, dead in (("expired", {}), ("of no life at all", {"url_seconds": 0})):
            outcome = None if dead else Outcome(next="expired")
            yield Row(
                step="fetch",
                fault=f"{fault}: {status}",
                outcome=outcome,
                service=service | dead,
                state=State.RENDERED,
            )
        yield Row(
            step="fetch",
            fault=f"expired, and listed anew: {status}",
            outcome=Outcome(next="expired"),
            service=service | {"renew_urls": True},
            results=4,
            clips=4,
        )


TABLE = [
    Row(step="none", fault="nothing", outcome=Outcome(next="success")),
    *on_the_wire(),
    *of_the_service(),
]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in TABLE])
async def test_whatever_happens_a_job_is_paid_once_or_not_at_all(
    row: Row,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    monkeypatch.setattr("bot.provider._TIMEOUT", TIMEOUT)
    monkeypatch.setattr("bot.download._TIMEOUT", TIMEOUT)
    async with world(tmp_path) as here, here.bot(give_up_after=GIVE_UP_AFTER) as bot:
        here.cdn[PICTURE_URL] = picture(1280, 720, "JPEG")  # soon prepared: it is not the matter
        for name, value in (row.service or {}).items():
            setattr(here.runware.settings, name, value)
        if row.outcome is not None:
            here.runware.outcomes.add(row.outcome)
        faults = [here.trouble(match=WHERE[row.step], **rule) for rule in row.rules]
        job = await bot.accept(results=row.results)
        if row.state is State.RENDERED:
            job = await bot.until(job, [State.RENDERED])
            for _ in range(20):
                await bot.work()
        else:
            await bot.finished(job)

        done = await bot.reread(job)
        ledger = here.runware.ledger
        spent, held = await bot.spent_micro(job), await bot.held_micro(job)
        assert list(await bot.entries(job)) == row.entries
        wanted = [rule.get("times", 1) for rule in row.rules]
        assert [here.runware.faults.hits(key) for key in faults] == wanted
        assert (done.state, done.failure) == (row.state, row.failure)
        assert (ledger.accepted, ledger.clips) == (row.accepted, row.clips)
        assert spent == ledger.billed_micro - row.untold_micro
        assert held == 0
        posted = [one for post in here.channel.posts.values() for one in post.clips]
        assert posted == [clip()] * (row.clips if row.state is State.DELIVERED else 0)
        assert here.leftovers == []
        record_property(
            FAULT, (row.step, row.end, ledger.accepted, ledger.billed_micro, spent, held)
        )


# --- That nothing is left out --------------------------------------------------------------------


def values(model: type[Rule | Outcome], field: str) -> set[str]:
    return set(get_args(model.model_fields[field].annotation))


def test_every_fault_on_the_wire_is_in_the_table_at_each_step() -> None:
    for step in WHERE:
        done = {rule["do"] for row in TABLE if row.step == step for rule in row.rules}
        assert done == values(Rule, "do") - {"kill"}


def test_every_ending_of_a_task_is_in_the_table() -> None:
    assert {row.outcome.next for row in TABLE if row.outcome} == set(get_args(Ending))


NO_FAULTS = {
    *("render_seconds", "stagger"),  # how long a clip takes
    *("canned", "canned_clip", "canned_apart"),  # what it looks like
    *("retired_models", "retired_code"),  # as `model_state`, of one model
    "balance_form",  # of the gate's look, in `test_gate`
    *("webhook_copies", "webhook_delay_seconds", "webhook_before_ack"),  # `test_webhooks`
}


def test_every_switch_of_the_service_is_in_the_table_or_known_to_be_none_of_it() -> None:
    switched = {name for row in TABLE for name in row.service or {}}
    assert switched | NO_FAULTS == set(Settings.model_fields)
    assert not switched & NO_FAULTS


def test_every_row_has_a_name_of_its_own() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
