"""The service's official client takes the local Runware for the real thing.

It is an independent reading of the same documentation: where the two disagree, one of them is
wrong. It runs in an environment and a process of its own, and never beside our own code.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal
from uuid import uuid4

import pytest

from bot.sandbox.faults import Rule
from bot.sandbox.runware.outcomes import Outcome
from bot.sandbox.runware.server import LocalRunware
from tests.conformance.official import PYTHON, Json, OfficialClient
from tests.sandbox.runware_client import PICTURE

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="the official client is not installed; `make test` installs it"
)
BUSY = {"errors": [{"code": "rateLimitExceeded", "message": "Slow down."}]}


@pytest.fixture(scope="module")
def official() -> Iterator[OfficialClient]:
    with OfficialClient() as official:
        yield official


@pytest.fixture
async def runware() -> AsyncIterator[LocalRunware]:
    async with LocalRunware(canned=True, render_seconds=0.8, stagger=0) as runware:
        yield runware


def clip(**fields: Any) -> Json:
    """A valid task as the documentation writes it, with `fields` added or replaced."""
    return {
        "taskType": "videoInference",
        "taskUUID": str(uuid4()),
        "model": "klingai:2@1",
        "width": 1280,
        "height": 720,
        "duration": 5,
        "includeCost": True,
        "inputs": {"frameImages": [{"image": PICTURE, "frame": "first"}]},
    } | fields


def account() -> Json:
    whose = {"taskType": "accountManagement", "taskUUID": str(uuid4())}
    return whose | {"operation": "getDetails"}


# --- Submit, poll, result ------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["rest", "websocket"])
async def test_a_clip_is_submitted_polled_and_received(
    runware: LocalRunware, official: OfficialClient, transport: str
) -> None:
    task = clip()
    (item,) = await official.result(runware, "run", task, transport=transport)
    assert (item["taskType"], item["taskUUID"]) == ("videoInference", task["taskUUID"])
    assert (item["status"], item["cost"]) == ("success", 0.1848)
    assert runware.ledger.asked["videoInference"] == 1
    assert runware.ledger.asked["getResponse"] >= 1, "it has waited by asking"
    assert (runware.ledger.accepted, runware.ledger.billed_micro) == (1, 184_800)


async def test_several_results_are_told_apart(
    runware: LocalRunware, official: OfficialClient
) -> None:
    runware.settings.stagger = 1
    items = await official.result(runware, "run", clip(numberResults=3))
    assert len({item["videoUUID"] for item in items}) == 3
    assert runware.ledger.clips == 3


# --- Errors --------------------------------------------------------------------------------------


async def test_what_cannot_be_accepted_is_refused_in_its_words(
    runware: LocalRunware, official: OfficialClient
) -> None:
    wrong = {
        "duration": clip(duration=7),
        "CFGScale": clip(CFGScale=1.5),
        "model": clip(model="klingai:9@9"),
    }
    outcomes = await official.outcomes(runware, *(("run", task) for task in wrong.values()))
    for (parameter, task), outcome in zip(wrong.items(), outcomes, strict=True):
        error = outcome["error"]
        assert (error["parameter"], error["task_uuid"]) == (parameter, task["taskUUID"])
        assert (error["code"], error["status_code"]) == ("validation", 400)
        assert not error["retryable"]
    assert runware.ledger.accepted == 0
    assert runware.ledger.requests == len(wrong), "a refusal is final to it"


@pytest.mark.parametrize("form", ["errors", "item", "http_400"])
async def test_a_clip_that_fails_ends_the_wait(
    runware: LocalRunware, official: OfficialClient, form: Literal["errors", "item", "http_400"]
) -> None:
    runware.settings.failure_form = form
    runware.outcomes.add(Outcome(next="moderated"))
    task = clip()
    error = await official.error(runware, "run", task)
    assert (error["code"], error["task_uuid"]) == ("safety", task["taskUUID"])
    assert (runware.ledger.accepted, runware.ledger.billed_micro) == (1, 0)


async def test_an_account_that_may_not_is_told_so(
    runware: LocalRunware, official: OfficialClient
) -> None:
    runware.settings.balance_micro = 0
    error = await official.error(runware, "run", clip())
    assert (error["code"], error["status_code"]) == ("quota", 402)
    runware.settings.api_key = "another-key"
    error = await official.error(runware, "account_management", account())
    assert (error["code"], error["status_code"]) == ("auth", 401)
    assert runware.ledger.accepted == 0


# --- Trouble on the way --------------------------------------------------------------------------


async def test_a_429_is_waited_out(runware: LocalRunware, official: OfficialClient) -> None:
    busy = on_submit(do="status", status=429, body=BUSY, headers={"Retry-After": "1"})
    rule = runware.faults.add(busy)
    (item,) = await official.result(runware, "run", clip(), retry_delay=100)
    assert item["status"] == "success"
    assert runware.faults.hits(rule) == 1
    assert runware.ledger.accepted == 1


async def test_a_429_without_end_is_told(runware: LocalRunware, official: OfficialClient) -> None:
    rule = runware.faults.add(on_submit(do="status", status=429, body=BUSY, times=None))
    error = await official.error(runware, "run", clip(), max_retries=2, retry_delay=100)
    assert (error["code"], error["status_code"]) == ("rateLimit", 429)
    assert error["retryable"]
    assert runware.faults.hits(rule) == 3
    assert runware.ledger.accepted == 0


async def test_a_lost_answer_does_not_buy_a_second_clip(
    runware: LocalRunware, official: OfficialClient
) -> None:
    runware.faults.add(on_submit(do="lose_answer"))
    error = await official.error(runware, "run", clip(), retry_delay=100)
    # It takes the conflict for a refusal, as it is known to do at the real service; ours does not.
    assert (error["code"], error["parameter"]) == ("validation", "taskUUID")
    assert (runware.ledger.accepted, runware.ledger.duplicates) == (1, 1)


def on_submit(**fields: Any) -> Rule:
    """A fault that meets submits alone."""
    return Rule.model_validate({"match": {"label": "videoInference"}} | fields)


# --- The rest of the account ---------------------------------------------------------------------


async def test_the_balance_is_told(runware: LocalRunware, official: OfficialClient) -> None:
    runware.settings.balance_micro = 12_345_600
    (item,) = await official.result(runware, "account_management", account())
    assert item["balance"] == 12.3456
    runware.settings.balance_form = "object"
    (item,) = await official.result(runware, "account_management", account())
    assert item["balance"] == {"amount": 12.3456, "currency": "USD"}


async def test_an_uploaded_picture_can_be_animated_and_its_task_looked_up(
    runware: LocalRunware, official: OfficialClient
) -> None:
    (image,) = await official.result(runware, "image_upload", {"image": PICTURE})
    inputs = {"frameImages": [{"image": image["imageUUID"], "frame": "first"}]}
    task = clip(inputs=inputs)
    await official.result(runware, "run", task)
    asked = {"taskUUID": task["taskUUID"]}
    (past,) = await official.result(runware, "get_task_details", asked)
    assert past["request"][0]["inputs"] == inputs
    assert past["response"]["data"][0]["cost"] == 0.1848


async def test_a_model_can_be_searched_for(runware: LocalRunware, official: OfficialClient) -> None:
    (found,) = await official.result(runware, "model_search", {"search": "klingai 1.5"})
    assert [model["air"] for model in found["results"]] == ["klingai:2@1"]
