"""The life of a task in the local Runware: accepted once, finished in time, billed exactly."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.runware_client import Client, client_of, picture, video_task


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with client_of() as client:
        yield client


async def test_a_task_runs_and_then_shows_its_clip() -> None:
    async with client_of(render_seconds=0.3, stagger=0) as client:
        uuid = await client.submit(includeCost=True)
        whose = {"taskType": "videoInference", "taskUUID": uuid}
        assert await client.look(uuid) == (200, {"data": [whose | {"status": "processing"}]})
        assert client.runware.ledger.billed_micro == 0
        result = await client.result(uuid)
        assert result == whose | {
            "status": "success",
            "videoUUID": result["videoUUID"],
            "videoURL": result["videoURL"],
            "seed": result["seed"],
            "cost": 0.1848,
        }
        assert client.runware.ledger.billed_micro == 184_800
        assert await client.look(uuid) == (200, {"data": [result]}), "results stay listed"


async def test_several_results_come_one_by_one_and_each_is_billed() -> None:
    async with client_of(render_seconds=0.5, stagger=1) as client:
        uuid = await client.submit(numberResults=4, duration=10)
        counts = set()
        while True:
            data = (await client.look(uuid))[1]["data"]
            assert len(data) == 4
            counts.add(sum(item["status"] == "success" for item in data))
            if 4 in counts:
                break
            await asyncio.sleep(0.01)
        assert len(counts) > 2, "finished and running ones are mixed"
        assert len({item["videoUUID"] for item in data}) == 4
        assert len({item["seed"] for item in data}) == 4
        assert client.runware.ledger.billed_micro == 4 * 369_600


async def test_when_a_task_is_ready_is_told_beside_the_api() -> None:
    async with client_of(render_seconds=0.3, stagger=0) as client:
        sent = time.monotonic()
        uuid = await client.submit()
        ready_at = client.runware.ledger.ready_at(uuid)
        assert sent + 0.3 <= ready_at <= time.monotonic() + 0.3
        await client.result(uuid)
        assert ready_at <= time.monotonic()


async def test_progress_is_told_if_wanted() -> None:
    async with client_of(render_seconds=60, progress=True) as client:
        uuid = await client.submit()
        (item,) = (await client.look(uuid))[1]["data"]
        assert 0 <= item["progress"] < 100


@pytest.mark.parametrize(
    ("cost", "asked", "told"),
    [
        ("asked", False, False),
        ("asked", True, True),
        ("always", False, True),
        ("never", True, False),
    ],
)
async def test_the_cost_is_told_as_the_setting_says(cost: str, asked: bool, told: bool) -> None:
    async with client_of(cost=cost) as client:
        result = await client.result(await client.submit(includeCost=asked))
        assert ("cost" in result) is told


async def test_the_price_can_rise() -> None:
    async with client_of(price_percent=150) as client:
        result = await client.result(await client.submit(includeCost=True))
        assert result["cost"] == 0.2772
        assert client.runware.ledger.billed_micro == 277_200


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("render_seconds", [0, 60])
async def test_a_used_uuid_is_refused_and_billed_once(status: int, render_seconds: float) -> None:
    async with client_of(duplicate=status, render_seconds=render_seconds) as client:
        uuid = await client.submit()
        error = await client.refusal(status=status, taskUUID=uuid)
        assert (error["code"], error["taskUUID"]) == ("conflictTaskUUID", uuid)
        error = await client.refusal(status=status, taskUUID=uuid.upper(), duration=6)
        assert error["code"] == "conflictTaskUUID"
        assert client.runware.ledger.accepted == 1
        assert client.runware.ledger.committed_micro == 184_800
        assert client.runware.ledger.duplicates == 2


async def test_a_used_uuid_may_be_acknowledged_again() -> None:
    async with client_of(duplicate="accept") as client:
        uuid = await client.submit()
        assert await client.submit(taskUUID=uuid) == uuid
        assert client.runware.ledger.billed_micro == 184_800


async def test_of_many_submits_with_one_uuid_exactly_one_is_accepted(client: Client) -> None:
    task = video_task()
    answers = await asyncio.gather(*(client.post(task) for _ in range(10)))
    assert sorted(status for status, _ in answers) == [200] + [400] * 9
    assert client.runware.ledger.accepted == 1


async def test_an_unknown_task_is_passed_over_in_silence_or_with_an_error(client: Client) -> None:
    assert await client.look(str(uuid4())) == (200, {"data": []})
    await client.control("PATCH", "settings", {"unknown_task": "error"})
    status, answer = await client.look(str(uuid4()))
    assert (status, answer["errors"][0]["code"]) == (200, "taskNotFound")


async def test_a_running_task_may_be_passed_over_in_silence_until_it_is_over(
    client: Client,
) -> None:
    await client.control("PATCH", "settings", {"running_answer": "empty", "render_seconds": 0.3})
    uuid = await client.submit(numberResults=2)
    assert await client.look(uuid) == (200, {"data": []})
    await client.control("PATCH", "settings", {"running_answer": "processing"})
    assert [item["status"] for item in (await client.look(uuid))[1]["data"]] == ["processing"] * 2
    await client.control("PATCH", "settings", {"running_answer": "empty"})
    answer = await client.ended(uuid)
    assert [item["status"] for item in answer["data"]][-1] == "success"


async def test_one_request_may_look_at_many_tasks_and_errors_stand_beside_data(
    client: Client,
) -> None:
    await client.control("POST", "outcomes", [{"next": "timeout"}])
    failed = await client.submit()
    done = await client.submit()
    await client.ended(done)
    looks = [{"taskType": "getResponse", "taskUUID": uuid} for uuid in (failed, done)]
    status, answer = await client.post(*looks, {"taskType": "dance"}, {"taskType": "ping"})
    assert status == 200
    assert [item["taskType"] for item in answer["data"]] == ["videoInference", "ping"]
    assert [error["code"] for error in answer["errors"]] == [
        "timeoutProvider",
        "unsupportedTaskType",
    ]


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("moderated", "invalidProviderContent"),
        ("timeout", "timeoutProvider"),
        ("failed", "processingFailed"),
    ],
)
async def test_a_task_that_fails_moves_to_the_errors_and_costs_nothing(
    client: Client, ending: str, code: str
) -> None:
    await client.control("POST", "outcomes", [{"next": ending}])
    uuid = await client.submit()
    status, answer = await client.look(uuid)
    (error,) = answer["errors"]
    assert (status, answer["data"]) == (200, [])
    assert (error["code"], error["status"], error["taskUUID"]) == (code, "error", uuid)
    assert client.runware.ledger.billed_micro == client.runware.ledger.committed_micro == 0
    await client.result(await client.submit())


async def test_a_failure_can_take_other_forms(client: Client) -> None:
    client.runware.settings.failure_form = "item"
    await client.control("POST", "outcomes", [{"next": "failed", "code": "odd", "times": 2}])
    _, answer = await client.look(await client.submit())
    (item,) = answer["data"]
    assert (item["status"], item["error"]["code"]) == ("error", "odd")
    client.runware.settings.failure_form = "http_400"
    status, answer = await client.look(await client.submit())
    assert (status, answer["errors"][0]["code"]) == (400, "odd")


async def test_a_failure_may_be_billed_all_the_same(client: Client) -> None:
    await client.control("POST", "outcomes", [{"next": "timeout", "billed": True}])
    await client.submit()
    assert client.runware.ledger.billed_micro == 184_800


async def test_some_results_may_fail_and_the_others_are_billed(client: Client) -> None:
    await client.control("POST", "outcomes", [{"next": "partial"}])
    answer = await client.ended(await client.submit(numberResults=3))
    assert [item["status"] for item in answer["data"]] == ["success"] * 2
    assert len(answer["errors"]) == 1
    assert client.runware.ledger.billed_micro == 2 * 184_800


async def test_a_task_may_never_finish(client: Client) -> None:
    await client.control("POST", "outcomes", [{"next": "never"}])
    uuid = await client.submit()
    await asyncio.sleep(0.1)
    assert (await client.look(uuid))[1]["data"][0]["status"] == "processing"
    assert client.runware.ledger.billed_micro == 0


async def test_outcomes_are_used_up_in_turn_or_forgotten(client: Client) -> None:
    ordered = [{"next": "failed", "times": 2}, {"next": "moderated", "times": None}]
    assert await client.control("POST", "outcomes", ordered) == (204, b"")
    codes = [(await client.look(await client.submit()))[1]["errors"][0]["code"] for _ in range(4)]
    assert codes == ["processingFailed"] * 2 + ["invalidProviderContent"] * 2
    await client.control("DELETE", "outcomes")
    await client.result(await client.submit())
    assert (await client.control("POST", "outcomes", [{"next": "lunch"}]))[0] == 422


async def test_one_task_may_take_its_own_time(client: Client) -> None:
    await client.control("POST", "outcomes", [{"next": "success", "render_seconds": 0.3}])
    before = time.monotonic()
    await client.ended(await client.submit())
    assert 0.3 <= time.monotonic() - before < 5


async def test_an_empty_account_is_refused_with_402() -> None:
    async with client_of(balance_micro=400_000, render_seconds=60) as client:
        await client.submit(numberResults=2)
        error = await client.refusal(status=402)
        assert error["code"] == "insufficientCredits"
        assert client.runware.ledger.accepted == 1


@pytest.mark.parametrize("form", ["number", "object"])
async def test_the_balance_goes_down_as_clips_are_billed(form: str) -> None:
    async with client_of(balance_form=form, balance_micro=1_000_000) as client:
        await client.result(await client.submit())
        ask = {
            "taskType": "accountManagement",
            "taskUUID": str(uuid4()),
            "operation": "getDetails",
        }
        (account,) = (await client.post(ask))[1]["data"]
        balance = account["balance"]
        assert (balance if form == "number" else balance["amount"]) == 0.8152
        assert account["usage"]["total"] == {"credits": 0.1848, "requests": 1}


async def test_the_archive_keeps_the_last_response_which_may_be_a_conflict(client: Client) -> None:
    uuid = await client.submit()
    result = await client.result(uuid)
    ask = {"taskType": "getTaskDetails", "taskUUID": uuid}
    (archived,) = (await client.post(ask))[1]["data"]
    assert archived["response"] == {"data": [result]}
    assert archived["request"][0]["model"] == "klingai:2@1"
    await client.refusal(taskUUID=uuid)
    (archived,) = (await client.post(ask))[1]["data"]
    assert archived["response"]["errors"][0]["code"] == "conflictTaskUUID"


async def test_models_can_be_searched(client: Client) -> None:
    ask = {"taskType": "modelSearch", "taskUUID": str(uuid4()), "search": "kling 1.5"}
    (found,) = (await client.post(ask | {"search": "1.5"}))[1]["data"]
    assert (found["totalResults"], found["results"][0]["air"]) == (1, "klingai:2@1")


@pytest.mark.parametrize(
    ("key", "header", "code"),
    [
        (None, None, "missingApiKey"),
        (None, "Bearer ", "missingApiKey"),
        (None, "Basic abc", "missingApiKey"),
        ("right", "Bearer wrong", "invalidApiKey"),
        ("right", "Bearer right", None),
        (None, "Bearer anything", None),
    ],
)
async def test_a_key_is_needed(key: str | None, header: str | None, code: str | None) -> None:
    async with client_of(api_key=key) as client:
        headers = {} if header is None else {"Authorization": header}
        status, answer = await client.post({"taskType": "ping", "ping": True}, headers=headers)
        if code is None:
            assert (status, answer) == (200, {"data": [{"taskType": "ping", "pong": True}]})
        else:
            assert (status, answer["errors"][0]["code"]) == (401, code)


async def test_the_key_may_be_the_first_task(client: Client) -> None:
    hello = {"taskType": "authentication", "apiKey": "k"}
    status, answer = await client.post(hello, {"taskType": "ping"}, headers={})
    assert (status, answer["data"][1]) == (200, {"taskType": "ping", "pong": True})


@pytest.mark.parametrize("body", ["", "{", "{}", "5"])
async def test_a_body_that_is_no_array_is_refused(client: Client, body: str) -> None:
    headers = {"Authorization": "Bearer k"}
    async with client.http.post(client.runware.url, data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["data"] == []


async def test_control_shows_what_came_without_pictures_and_keys(client: Client) -> None:
    hello = {"taskType": "authentication", "apiKey": "very-secret"}
    task = video_task()
    await client.post(hello, task, headers={})
    _, journal = await client.control("GET", "requests")
    assert "very-secret" not in str(journal)
    sent = journal[0]["tasks"][1]
    assert sent["taskUUID"] == task["taskUUID"]
    assert "left out" in sent["inputs"]["frameImages"][0]["image"]
    assert await client.control("GET", f"pictures/{task['taskUUID']}") == (200, picture())
    assert (await client.control("GET", f"pictures/{uuid4()}"))[0] == 404


async def test_control_shows_the_accounts(client: Client) -> None:
    uuid = await client.submit(numberResults=2)
    await client.ended(uuid)
    _, ledger = await client.control("GET", "ledger")
    assert (ledger["accepted"], ledger["clips"], ledger["billed_micro"]) == (1, 2, 369_600)
    assert ledger["asked"]["videoInference"] == 1
    assert ledger["tasks"][0]["taskUUID"] == uuid


@pytest.mark.parametrize(
    "changes", [{"colour": "red"}, {"stagger": 2}, {"progress": True, "cost": "sometimes"}, 5]
)
async def test_settings_that_make_no_sense_change_nothing(client: Client, changes: Any) -> None:
    _, before = await client.control("GET", "settings")
    assert (await client.control("PATCH", "settings", changes))[0] == 422
    assert (await client.control("GET", "settings"))[1] == before


async def test_faults_can_be_told_apart_by_task_type(client: Client) -> None:
    rule = {"match": {"label": "videoInference"}, "do": "status", "status": 429, "body": {}}
    assert (await client.control("POST", "faults", rule))[0] == 201
    assert (await client.look(str(uuid4())))[0] == 200
    assert (await client.post(video_task()))[0] == 429
    await client.submit()


async def test_a_websocket_serves_the_same_tasks(client: Client) -> None:
    async with client.http.ws_connect(client.runware.url) as socket:
        await socket.send_json([{"taskType": "ping", "ping": True}])
        assert (await socket.receive_json())["errors"][0]["code"] == "missingApiKey"
        hello = {"taskType": "authentication", "apiKey": "k", "connectionSessionUUID": "s"}
        await socket.send_json([hello])
        assert await socket.receive_json() == {
            "data": [{"taskType": "authentication", "connectionSessionUUID": "s"}]
        }
        task = video_task()
        await socket.send_json([task])
        assert (await socket.receive_json())["data"][0]["taskUUID"] == task["taskUUID"]
        await client.ended(task["taskUUID"])


async def test_looking_at_five_hundred_of_five_thousand_tasks_is_quick() -> None:
    async with client_of(render_seconds=60) as client:
        service_tasks = [video_task() for _ in range(5000)]
        for start in range(0, 5000, 500):
            assert (await client.post(*service_tasks[start : start + 500]))[0] == 200
        looks = [
            {"taskType": "getResponse", "taskUUID": task["taskUUID"]}
            for task in service_tasks[:500]
        ]
        took = []
        for _ in range(10):
            before = time.perf_counter()
            assert len((await client.post(*looks))[1]["data"]) == 500
            took.append(time.perf_counter() - before)
        assert min(took) < 0.1
