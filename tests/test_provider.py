"""The client of the video service: what goes over the wire, and what comes back as what."""

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.errors import AccountTrouble, Busy, Moderated, ProviderError, Rejected, Unclear
from bot.lifecycle import Order
from bot.parcel import Wanted
from bot.provider import Progress, Provider, Result
from bot.sandbox.faults import Rule
from bot.sandbox.runware.outcomes import Outcome
from bot.sandbox.runware.server import LocalRunware
from bot.task import Frame
from tests.conftest import make_order
from tests.corridor import PRICE, TURBO, clip, model, picture, plain_http

Json = dict[str, Any]
JPEG = picture(1280, 720, "JPEG")
TASK = "47085cda-c166-4f41-981a-f59ade9cf578"
OTHER = "457b2a41-5735-4f30-85a5-b424f505f050"
ACCEPTED = {"data": [{"taskType": "videoInference", "taskUUID": TASK}]}
SUBMIT = {"label": "^videoInference$"}
LOOK = {"label": "getResponse"}
VIDEO = {"method": "GET", "path": "^/video/"}


def new_uuid() -> str:
    return str(uuid.uuid4())


@pytest.fixture
async def runware(tmp_path: Path) -> AsyncIterator[LocalRunware]:
    canned = tmp_path / "canned.mp4"
    canned.write_bytes(clip())
    service = LocalRunware(
        canned=True, canned_clip=canned, render_seconds=0, stagger=0, api_key="test-key"
    )
    async with service:
        yield service


@pytest.fixture
async def provider(runware: LocalRunware) -> AsyncIterator[Provider]:
    async with plain_http() as http:
        yield Provider(http, runware.url, "test-key")


@dataclass
class Script:
    """A service that answers as written, and keeps what it was asked."""

    answers: list[httpx.Response | Exception]
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def tasks(self) -> list[list[Json]]:
        """The tasks of each request."""
        return [json.loads(request.content) for request in self.asked]


@asynccontextmanager
async def scripted(
    *answers: httpx.Response | Exception,
) -> AsyncIterator[tuple[Provider, Script]]:
    script = Script(list(answers))
    async with httpx.AsyncClient(transport=httpx.MockTransport(script)) as http:
        yield Provider(http, "https://api.runware.ai/v1", "secret-key"), script


async def submitted(provider: Provider, task_uuid: str, order: Order, jpeg: bytes) -> None:
    """Submit one task; raises what stood in its way."""
    outcomes = await provider.submit([Wanted(task_uuid, order, Frame.data_uri(jpeg))])
    if (problem := outcomes[task_uuid]) is not None:
        raise problem


def answer(body: Any = None, status: int = 200, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers=headers)


class Drip(httpx.AsyncByteStream):
    """An answer that goes on for ever, in single bytes, each of them in time."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)


def refused(code: str, status: int = 400, **more: Any) -> httpx.Response:
    return answer({"data": [], "errors": [{"code": code, "message": "…", **more}]}, status)


# --- The request ---------------------------------------------------------------------------------

# The four requests that the model's own page shows.
EXAMPLES: list[Json] = [
    {
        "taskType": "videoInference",
        "taskUUID": task_uuid,
        "model": "klingai:2@1",
        "width": 1280,
        "height": 720,
        "duration": 5,
        "CFGScale": guidance,
        "inputs": {
            "frameImages": [
                {"image": f"https://assets.runware.ai/assets/inputs/{name}.jpg", "frame": "first"}
            ]
        },
    }
    for task_uuid, guidance, name in (
        ("47085cda-c166-4f41-981a-f59ade9cf578", 0.64, "52d0ccaf-3bc3-49aa-92eb-680a0caabb06"),
        ("457b2a41-5735-4f30-85a5-b424f505f050", 0.7, "7fa3c1b1-388e-45f6-89eb-8d538b8ff5fc"),
        ("791090c3-cb2a-491c-b701-f11b5fc38f1b", 0.67, "25fe832d-67b6-48d7-8e82-9eb9d61e3627"),
        ("10611efb-4150-42fc-b7b1-44c4d2404952", 0.64, "1b8e3b63-48c7-4ff1-ab76-e866eaa913e2"),
    )
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["taskUUID"])[:8])
async def test_a_request_equals_the_documented_example_field_for_field(example: Json) -> None:
    order = make_order(guidance=example["CFGScale"])
    acknowledged = {"taskType": "videoInference", "taskUUID": example["taskUUID"]}
    async with scripted(answer({"data": [acknowledged]})) as (provider, script):
        await submitted(provider, example["taskUUID"], order, JPEG)

    ((task,),) = script.tasks
    image = "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()
    frames = {"frameImages": [{"image": image, "frame": "first"}]}
    ours = {"deliveryMethod": "async", "includeCost": True, "inputs": frames}
    assert task == example | ours
    assert type(task["duration"]) is int
    (request,) = script.asked
    assert (request.method, str(request.url)) == ("POST", "https://api.runware.ai/v1")
    assert request.headers["Authorization"] == "Bearer secret-key"
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"results": 1}, {}),
        ({"results": 3}, {"numberResults": 3}),
        ({"prompt": "waves"}, {"positivePrompt": "waves"}),
        ({"negative_prompt": "people"}, {"negativePrompt": "people"}),
        ({"duration": 10.0}, {"duration": 10}),
        ({"duration": 7.5}, {"duration": 7.5}),
        ({"guidance": 0.0}, {"CFGScale": 0.0}),
    ],
)
async def test_an_option_is_sent_only_where_the_order_has_it(changes: Json, expected: Json) -> None:
    async with scripted(answer(ACCEPTED)) as (provider, script):
        await submitted(provider, TASK, make_order(**changes), JPEG)

    ((task,),) = script.tasks
    always = {"taskType", "taskUUID", "model", "deliveryMethod", "includeCost", "inputs"}
    always |= {"width", "height", "duration", "CFGScale"}
    assert task.keys() == always | expected.keys()
    assert {name: task[name] for name in expected} == expected


async def test_without_a_size_or_guidance_neither_is_sent() -> None:
    order = Order(model=TURBO, width=None, height=None, duration=5.0, prompt="waves")
    async with scripted(answer(ACCEPTED)) as (provider, script):
        await submitted(provider, TASK, order, JPEG)

    ((task,),) = script.tasks
    assert not task.keys() & {"width", "height", "CFGScale"}


# --- A dry run -----------------------------------------------------------------------------------


async def test_a_price_is_asked_for_without_making_or_charging_anything(
    runware: LocalRunware, provider: Provider
) -> None:
    assert await provider.price(make_order(duration=10.0, results=2), JPEG) == 4 * PRICE
    assert (runware.ledger.dry_runs, runware.ledger.accepted) == (1, 0)
    assert runware.ledger.committed_micro == 0


@pytest.mark.parametrize(
    ("item", "price"),
    [
        ({"cost": 0.1848}, 184_800),
        ({"cost": "0.2"}, 200_000),
        ({"cost": -1}, None),
        ({}, None),
        ({"price": {"amount": 0.1848}}, None),
    ],
)
async def test_a_price_is_read_from_whatever_the_service_answers(
    item: Json, price: int | None
) -> None:
    async with scripted(answer({"data": [{"taskUUID": TASK}, item]})) as (provider, script):
        assert await provider.price(make_order(), JPEG) == price
    (request,) = script.asked
    assert request.headers["X-Runware-Dry-Run"] == "1"


async def test_only_a_dry_run_is_sent_as_one() -> None:
    async with scripted(answer(ACCEPTED)) as (provider, script):
        await submitted(provider, TASK, make_order(), JPEG)
    assert "X-Runware-Dry-Run" not in script.asked[0].headers


async def test_a_model_that_is_gone_is_said_to_be_by_a_dry_run(
    runware: LocalRunware, provider: Provider
) -> None:
    runware.settings.retired_models = ("klingai:2@1",)
    with pytest.raises(Rejected) as error:
        await provider.price(make_order(), JPEG)
    assert (error.value.code, error.value.parameter) == ("modelUnavailable", "model")
    turbo = Order(model=TURBO, width=None, height=None, duration=5.0, prompt="waves")
    assert await provider.price(turbo, JPEG) == 210_000


async def test_what_the_record_of_the_model_rules_out_is_never_sent() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(script := Script([]))) as http:
        knowing = Provider(
            http, "https://api.runware.ai/v1", "secret-key", models={TURBO: model(TURBO)}
        )
        with pytest.raises(Rejected, match="missingPositivePrompt"):
            await submitted(knowing, TASK, make_order(model=TURBO, width=None, height=None), JPEG)
    assert script.asked == []


# --- Submit --------------------------------------------------------------------------------------


async def test_a_task_names_its_own_callback_where_there_is_one() -> None:
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(script := Script([answer(ACCEPTED)]))
    ) as http:
        told = Provider(
            http, "https://api.runware.ai/v1", "secret-key", "https://bot.example/{}".format
        )
        await submitted(told, TASK, make_order(), JPEG)

    ((task,),) = script.tasks
    assert task["webhookURL"] == f"https://bot.example/{TASK}"


async def test_a_submit_is_acknowledged(runware: LocalRunware, provider: Provider) -> None:
    await submitted(provider, new_uuid(), make_order(), JPEG)

    assert runware.ledger.accepted == 1


@pytest.mark.parametrize("duplicate", [400, 409, "accept"])
async def test_a_repeated_submit_is_accepted_once_and_is_no_error(
    runware: LocalRunware, provider: Provider, duplicate: Any
) -> None:
    runware.settings.duplicate = duplicate
    task = new_uuid()
    for _ in range(3):
        await submitted(provider, task, make_order(), JPEG)

    assert (runware.ledger.accepted, runware.ledger.duplicates) == (1, 2)


@pytest.mark.parametrize(
    "rule",
    [
        {"do": "lose_answer"},
        {"do": "truncate"},
        {"do": "stall", "when": "after", "seconds": 0.5},
        {"do": "status", "status": 500},
        {"do": "status", "status": 502, "body": "<html>"},
        {"do": "status", "status": 504},
        {"do": "status", "status": 200, "body": {}},
        {"do": "status", "status": 200, "body": {"data": []}},
        {"do": "status", "status": 200, "body": [1]},
        {"do": "status", "status": 302, "headers": {"Location": "/elsewhere"}},
    ],
    ids=lambda rule: "-".join(str(value) for value in rule.values()),
)
async def test_a_lost_answer_is_unclear_and_the_repeat_is_accepted_once(
    runware: LocalRunware, provider: Provider, monkeypatch: pytest.MonkeyPatch, rule: Json
) -> None:
    monkeypatch.setattr("bot.provider._TIMEOUT", httpx.Timeout(0.2))
    runware.faults.add(Rule(match=SUBMIT, **rule))  # type: ignore[arg-type] # pydantic reads it
    task = new_uuid()
    with pytest.raises(Unclear):
        await submitted(provider, task, make_order(), JPEG)
    await submitted(provider, task, make_order(), JPEG)

    assert runware.ledger.accepted == 1


@pytest.mark.timeout(10)
async def test_an_answer_that_drips_for_ever_is_a_lost_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.provider._MOST_SECONDS", 0.1)
    async with scripted(httpx.Response(200, stream=Drip())) as (provider, _):
        with pytest.raises(Unclear, match="noAnswer"):
            await provider.look([TASK])


async def test_an_unreachable_service_is_busy_because_it_took_nothing() -> None:
    async with scripted(httpx.ConnectError("no route")) as (provider, _):
        with pytest.raises(Busy):
            await submitted(provider, TASK, make_order(), JPEG)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        # The code decides, whatever the status is.
        (refused("invalidApiKey", 401), AccountTrouble),
        (refused("insufficientCredits", 402), AccountTrouble),
        (refused("insufficientCredits", 400), AccountTrouble),
        (refused("quotaExceeded", 429), AccountTrouble),
        (refused("environmentPaused", 400), AccountTrouble),
        (refused("providerRateLimitExceeded", 400), Busy),
        (refused("rateLimitExceeded", 200), Busy),
        (refused("internalServerError", 500), Busy),
        (refused("serviceUnavailable", 503), Busy),
        (refused("contentPolicyViolation"), Moderated),
        (refused("invalidProviderContent", 200), Moderated),
        (refused("invalidModel"), Rejected),
        (refused("modelUnavailable", 404), Rejected),
        (refused("unsupportedDuration", 500), Rejected),
        (refused("missingPositivePrompt"), Rejected),
        (refused("timeoutProvider", 504), Rejected),
        # A code that is in no table leaves it to the status.
        (refused("somethingNew", 400), Rejected),
        (refused("somethingNew", 401), AccountTrouble),
        (refused("somethingNew", 403), AccountTrouble),
        (refused("somethingNew", 429), Busy),
        (refused("somethingNew", 500), Unclear),
        (refused("unknownError", 500), Unclear),
        (refused("unknownError", 400), Rejected),
        # So does an error without a code, and an answer without an error.
        (answer({"errors": [{"message": "oops"}]}, 500), Unclear),
        (answer({"errors": [{"message": "oops"}]}, 400), Rejected),
        (answer({"errors": ["oops"]}, 500), Unclear),
        (answer({"errors": {"code": "invalidModel"}}, 400), Rejected),
        (answer(b"", 401), AccountTrouble),
        (answer(b"Payment required", 402), AccountTrouble),
        (answer(b"", 403), AccountTrouble),
        (answer(b"", 404), Rejected),
        (answer(b"slow down", 429), Busy),
        (answer(b"", 408), Busy),
        (answer(b"", 425), Busy),
        (answer(b"<html>", 503), Unclear),
        (answer({"data": []}, 500), Unclear),
        # Neither an acknowledgement nor an error.
        (answer(b"<html>", 200), Unclear),
        (answer(b"", 200), Unclear),
        (answer(b"\xff\xfe", 200), Unclear),
        (answer([], 200), Unclear),
        (answer(None, 200), Unclear),
        (answer({"data": [{"taskType": "videoInference", "taskUUID": OTHER}]}), Unclear),
        (answer({"data": [{"taskUUID": 7}, None, "x", []]}), Unclear),
    ],
)
async def test_an_answer_to_a_submit_says_who_can_act(
    reply: httpx.Response, kind: type[ProviderError]
) -> None:
    async with scripted(reply) as (provider, _):
        with pytest.raises(ProviderError) as raised:
            await submitted(provider, TASK, make_order(), JPEG)

    assert type(raised.value) is kind
    assert raised.value.status == reply.status_code


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0.5", 0.5), ("9999", 60), ("-3", 0), ("soon", None), (None, None)],
)
async def test_a_busy_service_may_say_how_long_to_wait(
    header: str | None, seconds: float | None
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    async with scripted(answer(b"", 429, **headers)) as (provider, _):
        with pytest.raises(Busy) as raised:
            await submitted(provider, TASK, make_order(), JPEG)

    assert raised.value.retry_after == seconds


async def test_an_error_names_the_fields_at_fault() -> None:
    fields = ["width", "height"]
    async with scripted(refused("missingDimensionParameters", parameter=fields)) as (provider, _):
        with pytest.raises(Rejected) as raised:
            await submitted(provider, TASK, make_order(), JPEG)

    assert raised.value.code == "missingDimensionParameters"
    assert raised.value.parameter == "width, height"


async def test_an_error_of_another_task_is_not_taken_for_ours() -> None:
    both = ACCEPTED | {"errors": [{"code": "invalidModel", "taskUUID": OTHER}]}
    async with scripted(answer(both)) as (provider, _):
        await submitted(provider, TASK, make_order(), JPEG)


async def test_an_empty_list_of_errors_is_no_error() -> None:
    async with scripted(answer(ACCEPTED | {"errors": [], "more": {"to": "come"}})) as (provider, _):
        await submitted(provider, TASK, make_order(), JPEG)


# --- Look ----------------------------------------------------------------------------------------


async def seen(provider: Provider, *tasks: str, results: int = 1) -> dict[str, Progress]:
    """Look until every task is complete."""
    while True:
        found = await provider.look(tasks)
        if all(task in found and found[task].is_complete(results) for task in tasks):
            return found
        await asyncio.sleep(0.005)


async def test_finished_tasks_come_with_their_cost_in_one_request(
    runware: LocalRunware, provider: Provider
) -> None:
    tasks = [new_uuid() for _ in range(5)]
    for task in tasks:
        await submitted(provider, task, make_order(), JPEG)
    found = await seen(provider, *tasks)

    assert found.keys() == set(tasks)
    before = runware.ledger.requests
    await provider.look(tasks)
    assert runware.ledger.requests == before + 1
    for progress in found.values():
        (result,) = progress.results
        assert result.cost_micro == PRICE
        assert result.seed is not None
        assert result.url.startswith(runware.base_url)
        assert not progress.errors


async def test_a_task_in_the_making_is_not_complete(
    runware: LocalRunware, provider: Provider
) -> None:
    runware.settings.render_seconds = 60
    task = new_uuid()
    await submitted(provider, task, make_order(), JPEG)

    progress = (await provider.look([task]))[task]
    assert progress == Progress(is_processing=True)
    assert not progress.is_complete(1)


@pytest.mark.parametrize("unknown", ["empty", "error"])
async def test_a_task_that_the_service_does_not_know_is_unknown_not_failed(
    runware: LocalRunware, provider: Provider, unknown: Any
) -> None:
    runware.settings.unknown_task = unknown
    known = new_uuid()
    await submitted(provider, known, make_order(), JPEG)

    strange = new_uuid()
    found = await provider.look([known, strange])
    assert found[known].is_known
    assert found[strange] == UNKNOWN
    assert not UNKNOWN.is_complete(1)


@pytest.mark.parametrize("form", ["errors", "item", "http_400"])
async def test_of_two_results_one_may_fail(
    runware: LocalRunware, provider: Provider, form: Any
) -> None:
    runware.settings.failure_form = form
    runware.outcomes.add(Outcome(next="partial"))
    task = new_uuid()
    await submitted(provider, task, make_order(results=2), JPEG)

    progress = (await seen(provider, task, results=2))[task]
    assert len(progress.results) == 1
    (error,) = progress.errors
    assert (type(error), error.code) == (Rejected, "processingFailed")


async def test_a_cost_that_is_not_reported_is_unknown_not_free(
    runware: LocalRunware, provider: Provider
) -> None:
    runware.settings.cost = "never"
    task = new_uuid()
    await submitted(provider, task, make_order(), JPEG)

    (result,) = (await seen(provider, task))[task].results
    assert result.cost_micro is None


def item(**changes: Any) -> Json:
    finished = {
        "taskType": "videoInference",
        "taskUUID": TASK,
        "status": "success",
        "videoUUID": "v1",
        "videoURL": "https://vm.runware.ai/v1.mp4",
        "seed": 5,
        "cost": 0.1848,
    } | changes
    return {name: value for name, value in finished.items() if value is not None}


PROCESSING = item(status="processing", videoUUID=None, videoURL=None)
FAILED = {"code": "timeoutProvider", "status": "error", "taskUUID": TASK}
RESULT = Result("v1", "https://vm.runware.ai/v1.mp4", 5, 184_800)


UNKNOWN = Progress(is_known=False)
GENERAL = {"code": "serviceUnavailable"}
PASSING = {"code": "providerRateLimitExceeded", "taskUUID": TASK}


def result(**changes: Any) -> Progress:
    """The progress of a task whose one result is there, with `changes`."""
    return Progress((replace(RESULT, **changes),))


READ: dict[str, tuple[Json, Progress | None]] = {
    "finished": ({"data": [item()]}, result()),
    "no status": ({"data": [item(status=None)]}, result()),
    "an object for a list": ({"data": item()}, result()),
    "the same clip twice": ({"data": [item(), item()]}, result()),
    "one of two": ({"data": [item(), PROCESSING]}, Progress((RESULT,), is_processing=True)),
    "processing": ({"data": [PROCESSING]}, Progress(is_processing=True)),
    "no URL yet": ({"data": [item(videoURL=None)]}, Progress(is_processing=True)),
    "pending": ({"data": [PROCESSING | {"status": "pending"}]}, Progress(is_processing=True)),
    "odd fields": ({"data": [item(seed="x", cost="free")]}, result(seed=None, cost_micro=None)),
    "a seed of 81 bits": ({"data": [item(seed=2**80)]}, result(seed=None)),
    "a cost as text": ({"data": [item(cost="0.2")]}, result(cost_micro=200_000)),
    "a cost of nothing": ({"data": [item(cost=0)]}, result(cost_micro=0)),
    "no cost": ({"data": [item(cost=None)]}, result(cost_micro=None)),
    "a negative cost": ({"data": [item(cost=-1)]}, result(cost_micro=None)),
    "an absurd cost": ({"data": [item(cost=1e20)]}, result(cost_micro=None)),
    "a cost of NaN": ({"data": [item(cost=float("nan"))]}, result(cost_micro=None)),
    "another task": ({"data": [item(taskUUID=OTHER)]}, UNKNOWN),
    "nothing known": ({"data": []}, UNKNOWN),
    "no errors": ({"data": [item()], "errors": []}, result()),
    "nothing but odd fields": ({"data": [{"taskUUID": TASK, "status": 7}]}, Progress((), (), True)),
    "an unknown task": ({"data": [], "errors": [FAILED | {"code": "taskNotFound"}]}, UNKNOWN),
    "trouble beside nothing": ({"data": [item(taskUUID=OTHER)], "errors": [GENERAL]}, None),
    "a passing error of the task": ({"data": [], "errors": [PASSING]}, Progress()),
    "an error of the task that nobody knows": ({"errors": [PASSING | {"code": "?"}]}, Progress()),
}


@pytest.mark.parametrize(("body", "expected"), READ.values(), ids=READ)
async def test_an_answer_to_a_look_is_read_with_tolerance(
    body: Json, expected: Progress | None
) -> None:
    async with scripted(answer(body)) as (provider, _):
        assert (await provider.look([TASK])).get(TASK) == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"errors": [FAILED]}, Rejected),
        ({"data": [], "errors": [FAILED]}, Rejected),
        ({"data": [item(status="error", error={"code": "invalidProviderContent"})]}, Moderated),
        ({"data": [item(status="error", error=FAILED)], "errors": [FAILED]}, Rejected),
        ({"errors": [PASSING | {"status": "error"}]}, Busy),
        ({"data": [item(status="error", videoUUID=None)]}, Rejected),
        ({"data": [item(status="error", error="no")]}, Rejected),
        ({"errors": [FAILED | {"code": "providerRateLimitExceeded"}]}, Busy),
        ({"errors": [FAILED | {"code": "neverHeardOf"}]}, Rejected),
    ],
)
async def test_a_task_that_failed_is_complete_and_says_why(
    body: Json, kind: type[ProviderError]
) -> None:
    async with scripted(answer(body)) as (provider, _):
        progress = (await provider.look([TASK]))[TASK]

    assert [type(error) for error in progress.errors] == [kind]
    assert progress.is_complete(1)
    assert progress.is_complete(4), "one error may stand for the whole task"


@pytest.mark.parametrize(
    ("results", "errors", "is_processing", "wanted", "complete"),
    [
        (0, 0, False, 1, False),
        (1, 0, False, 1, True),
        (1, 0, False, 2, False),
        (1, 0, True, 2, False),
        (1, 1, False, 2, True),
        (0, 1, True, 2, False),
        (1, 1, True, 3, False),
        (0, 1, False, 3, True),
        (2, 0, True, 2, True),
    ],
)
def test_a_task_is_complete_when_nothing_more_will_come(
    results: int, errors: int, is_processing: bool, wanted: int, complete: bool
) -> None:
    progress = Progress((RESULT,) * results, (Rejected("x"),) * errors, is_processing)

    assert progress.is_complete(wanted) is complete


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(b"", 429), Busy),
        (refused("rateLimitExceeded", 429, taskUUID=TASK, taskType="getResponse"), Busy),
        (refused("internalServerError", 500, taskUUID=TASK), Busy),
        (refused("neverHeardOf", 503, taskUUID=TASK), Unclear),
        (refused("invalidApiKey", 401, taskUUID=TASK), AccountTrouble),
        (refused("invalidApiKey", 401), AccountTrouble),
        (answer(b"", 502), Unclear),
        (answer(b"<html>", 200), Unclear),
        (refused("invalidRequest", 400), Rejected),
        (httpx.ReadTimeout("…"), Unclear),
        (httpx.ConnectTimeout("…"), Busy),
        (httpx.RemoteProtocolError("…"), Unclear),
    ],
)
async def test_a_look_that_fails_says_nothing_about_any_task(
    reply: httpx.Response | Exception, kind: type[ProviderError]
) -> None:
    async with scripted(reply) as (provider, _):
        with pytest.raises(ProviderError) as raised:
            await provider.look([TASK])

    assert type(raised.value) is kind


async def test_no_task_is_no_request() -> None:
    async with scripted(answer(b"", 500)) as (provider, script):
        assert await provider.look([]) == {}
    assert script.asked == []


async def look_at_twelve_hundred(answers: Callable[[list[str]], httpx.Response]) -> set[str]:
    """Look at 1,200 tasks at a service that answers by `answers`; return those that are found."""

    def reply(request: httpx.Request) -> httpx.Response:
        return answers([task["taskUUID"] for task in json.loads(request.content)])

    async with httpx.AsyncClient(transport=httpx.MockTransport(reply)) as http:
        provider = Provider(http, "https://api.runware.ai/v1", "key")
        return set(await provider.look([f"{number}" for number in range(1200)]))


async def test_many_tasks_are_asked_about_five_hundred_at_a_time() -> None:
    sizes: list[int] = []

    def answers(tasks: list[str]) -> httpx.Response:
        sizes.append(len(tasks))
        return answer({"data": [item(taskUUID=task) for task in tasks]})

    assert len(await look_at_twelve_hundred(answers)) == 1200
    assert sizes == [500, 500, 200]


async def test_a_batch_that_is_refused_is_halved_until_it_is_taken() -> None:
    sizes: list[int] = []

    def answers(tasks: list[str]) -> httpx.Response:
        sizes.append(len(tasks))
        if len(tasks) > 130:
            return refused("maxTasksExceeded")
        return answer({"data": [item(taskUUID=task) for task in tasks]})

    assert len(await look_at_twelve_hundred(answers)) == 1200
    assert sizes == [500, 250, 125, 125, 250, 125, 125] * 2 + [200, 100, 100]


async def test_a_task_that_spoils_its_batch_is_left_out_and_hides_no_other() -> None:
    def answers(tasks: list[str]) -> httpx.Response:
        if "13" in tasks:
            return refused("invalidTaskUUID")
        return answer({"data": [item(taskUUID=task) for task in tasks]})

    found = await look_at_twelve_hundred(answers)
    assert found == {f"{number}" for number in range(1200)} - {"13"}


async def test_what_was_learnt_before_the_service_went_away_is_kept() -> None:
    def answers(tasks: list[str]) -> httpx.Response:
        if "500" in tasks:
            return answer(b"", 503)
        return answer({"data": [item(taskUUID=task) for task in tasks]})

    assert await look_at_twelve_hundred(answers) == {f"{number}" for number in range(500)}


# --- Fetch ---------------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def finished_url(provider: Provider) -> str:
    task = new_uuid()
    await submitted(provider, task, make_order(), JPEG)
    (result,) = (await seen(provider, task))[task].results
    return result.url


async def test_a_clip_is_downloaded_whole(
    runware: LocalRunware, provider: Provider, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    url = await finished_url(provider)

    assert await provider.fetch(url, path) == len(clip())
    assert path.read_bytes() == clip()
    assert runware.ledger.downloads == 1
    assert names(tmp_path) == ["canned.mp4", "clip.mp4"]


async def test_a_download_that_broke_off_goes_on_where_it_was(
    runware: LocalRunware, provider: Provider, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    url = await finished_url(provider)
    runware.faults.add(Rule(match=VIDEO, do="truncate"))  # type: ignore[arg-type]
    with pytest.raises(Busy):
        await provider.fetch(url, path)
    assert not path.exists()
    before = runware.ledger.bytes_served

    assert await provider.fetch(url, path) == len(clip())
    assert path.read_bytes() == clip()
    assert runware.ledger.bytes_served - before == len(clip()) - len(clip()) // 2


@pytest.mark.timeout(10)
async def test_a_download_that_drips_for_ever_is_left_and_goes_on_where_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bot.download._MOST_SECONDS", 0.1)
    dripping = httpx.Response(200, stream=Drip())
    async with scripted(dripping, answer(b"clip", 206)) as (provider, script):
        with pytest.raises(Busy):
            await provider.fetch("https://vm.runware.ai/a.mp4", tmp_path / "a.mp4")
        have = (tmp_path / "a.mp4.part").stat().st_size
        await provider.fetch("https://vm.runware.ai/a.mp4", tmp_path / "a.mp4")

    assert have > 0
    assert script.asked[1].headers["Range"] == f"bytes={have}-"
    assert (tmp_path / "a.mp4").read_bytes() == b" " * have + b"clip"


async def test_a_download_goes_on_in_another_life_of_the_process(
    runware: LocalRunware, provider: Provider, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    url = await finished_url(provider)
    (tmp_path / "clip.mp4.part").write_bytes(clip()[:700])

    async with plain_http() as http:
        await Provider(http, runware.url, "test-key").fetch(url, path)
    assert path.read_bytes() == clip()
    assert runware.ledger.bytes_served == len(clip()) - 700


async def test_a_service_that_knows_no_ranges_is_read_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    (tmp_path / "clip.mp4.part").write_bytes(b"old")
    async with scripted(answer(b"whole")) as (provider, script):
        await provider.fetch("https://vm.runware.ai/a.mp4", path)

    assert path.read_bytes() == b"whole"
    assert script.asked[0].headers["Range"] == "bytes=3-"
    assert script.asked[0].headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in script.asked[0].headers, "the key is for the API alone"


async def test_a_part_that_does_not_fit_the_clip_is_dropped(
    provider: Provider, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    url = await finished_url(provider)
    (tmp_path / "clip.mp4.part").write_bytes(bytes(len(clip()) + 10))
    with pytest.raises(Busy):
        await provider.fetch(url, path)

    await provider.fetch(url, path)
    assert path.read_bytes() == clip()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((403, Rejected), (404, Rejected), (410, Rejected)),
        *((304, Busy), (416, Busy), (429, Busy), (500, Busy)),
    ],
)
async def test_a_clip_that_is_not_served_is_gone_or_to_be_tried_again(
    tmp_path: Path, status: int, kind: type[ProviderError]
) -> None:
    async with scripted(answer(b"no", status)) as (provider, script):
        with pytest.raises(ProviderError) as raised:
            await provider.fetch("https://vm.runware.ai/a.mp4", tmp_path / "a.mp4")

    assert type(raised.value) is kind
    assert len(script.asked) == 1
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_clip_that_has_moved_is_fetched_from_where_it_is(
    tmp_path: Path, status: int
) -> None:
    path = tmp_path / "a.mp4"
    (tmp_path / "a.mp4.part").write_bytes(b"whole ")
    moved = answer(b"elsewhere", status, Location="https://cdn.example/b.mp4?key=1")
    again = answer(b"elsewhere", status, Location="/c.mp4")
    async with scripted(moved, again, answer(b"clip", 206)) as (provider, script):
        await provider.fetch("https://vm.runware.ai/a.mp4", path)

    assert path.read_bytes() == b"whole clip"
    assert [str(request.url) for request in script.asked] == [
        "https://vm.runware.ai/a.mp4",
        "https://cdn.example/b.mp4?key=1",
        "https://cdn.example/c.mp4",
    ]
    assert all(request.headers["Range"] == "bytes=6-" for request in script.asked)
    assert all("Authorization" not in request.headers for request in script.asked)


async def test_a_clip_that_moves_for_ever_is_to_be_tried_again(tmp_path: Path) -> None:
    moved = answer(b"", 302, Location="https://vm.runware.ai/a.mp4")
    async with scripted(moved) as (provider, script):
        with pytest.raises(Busy):
            await provider.fetch("https://vm.runware.ai/a.mp4", tmp_path / "a.mp4")

    assert len(script.asked) == 4
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://vm.runware.ai/a.mp4",
        "http://169.254.169.254/latest/meta-data",
        "ftp://vm.runware.ai/a.mp4",
        "file:///etc/passwd",
        "http://[",
    ],
)
async def test_a_redirect_is_followed_only_to_where_a_clip_may_be(tmp_path: Path, url: str) -> None:
    async with scripted(answer(b"", 302, Location=url), answer(b"clip")) as (provider, script):
        with pytest.raises(Rejected):
            await provider.fetch("https://vm.runware.ai/a.mp4", tmp_path / "a.mp4")

    assert len(script.asked) == 1
    assert names(tmp_path) == []


async def test_a_clip_over_the_cap_is_refused_and_leaves_nothing(
    provider: Provider, tmp_path: Path
) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    with pytest.raises(Rejected):
        await provider.fetch(await finished_url(provider), folder / "a.mp4", most_bytes=1000)

    assert names(folder) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://vm.runware.ai/a.mp4",
        "http://api.runware.ai.evil.example/a.mp4",
        "http://169.254.169.254/latest/meta-data",
        "ftp://vm.runware.ai/a.mp4",
        "file:///etc/passwd",
        "/a.mp4",
        "",
        "http://[",
        "https://\x00/",
    ],
)
async def test_a_clip_at_a_foreign_plain_address_is_refused(tmp_path: Path, url: str) -> None:
    async with scripted(answer(b"clip")) as (provider, script):
        with pytest.raises(Rejected):
            await provider.fetch(url, tmp_path / "a.mp4")

    assert script.asked == []
    assert names(tmp_path) == []


# --- The account ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["number", "object"])
async def test_the_balance_is_read_in_either_form(
    runware: LocalRunware, provider: Provider, form: Any
) -> None:
    runware.settings.balance_micro = 12_345_600
    runware.settings.balance_form = form

    assert await provider.balance_micro() == 12_345_600


@pytest.mark.parametrize("balance", [None, "a lot", {}, {"credits": 3}, [1]])
async def test_a_balance_in_an_unknown_form_is_unknown(balance: Any) -> None:
    body = {"data": [{"taskType": "accountManagement", "balance": balance}]}
    async with scripted(answer(body)) as (provider, _):
        assert await provider.balance_micro() is None


async def test_a_ping_is_answered(provider: Provider) -> None:
    await provider.ping()


async def test_a_wrong_key_is_account_trouble(runware: LocalRunware) -> None:
    async with plain_http() as http:
        stranger = Provider(http, runware.url, "wrong-key")
        with pytest.raises(AccountTrouble):
            await stranger.ping()
        with pytest.raises(AccountTrouble):
            await stranger.balance_micro()
