"""Several tasks in one request: each is judged by what names it, and by nothing else."""

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from bot.errors import AccountTrouble, Busy, Moderated, ProviderError, Rejected, Unclear
from bot.lifecycle import Order
from bot.parcel import Wanted, parcels
from bot.provider import Provider
from bot.task import Frame
from tests.conftest import make_order

Json = dict[str, Any]
ONE = "47085cda-c166-4f41-981a-f59ade9cf578"
TWO = "457b2a41-5735-4f30-85a5-b424f505f050"
THREE = "791090c3-cb2a-491c-b701-f11b5fc38f1b"
PICTURE = Frame.data_uri(b"jpeg")


def acknowledged(*task_uuids: str) -> list[Json]:
    return [{"taskType": "videoInference", "taskUUID": task_uuid} for task_uuid in task_uuids]


def errors(code: str, *task_uuids: str) -> list[Json]:
    """The error, once for each of the tasks; for none of them where none is named."""
    named = [{"code": code, "message": "…", "taskUUID": task_uuid} for task_uuid in task_uuids]
    return named or [{"code": code, "message": "…"}]


async def submitted(
    reply: httpx.Response | Exception, *task_uuids: str, order: Order | None = None
) -> tuple[dict[str, type[ProviderError] | None], list[list[Json]]]:
    """Submit the tasks together to a service that always answers so.

    Returns what became of each, and the tasks of each request.
    """
    asked: list[list[Json]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        if isinstance(reply, Exception):
            raise reply
        return reply

    wanted = [Wanted(task_uuid, make_order(), PICTURE) for task_uuid in task_uuids]
    if order is not None:
        wanted[0] = Wanted(task_uuids[0], order, PICTURE)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        provider = Provider(http, "https://api.runware.ai/v1", "key")
        outcomes = await provider.submit(wanted)
    assert outcomes.keys() == set(task_uuids)
    kinds = {key: None if error is None else type(error) for key, error in outcomes.items()}
    return kinds, asked


async def test_tasks_that_are_acknowledged_together_were_sent_together() -> None:
    reply = httpx.Response(200, json={"data": acknowledged(TWO, ONE)})
    outcomes, asked = await submitted(reply, ONE, TWO)

    assert outcomes == {ONE: None, TWO: None}
    assert [[task["taskUUID"] for task in tasks] for tasks in asked] == [[ONE, TWO]]
    assert asked[0][0]["inputs"] == {"frameImages": [PICTURE.as_json()]}


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("conflictTaskUUID", 409, None),
        ("duplicateTaskUUID", 200, None),
        ("promptBlocked", 200, Moderated),
        ("invalidModel", 400, Rejected),
        ("insufficientCredits", 402, AccountTrouble),
        ("providerRateLimitExceeded", 429, Busy),
        # The status is not that of one task: what the code does not say is not known.
        ("somethingNew", 200, Unclear),
        ("somethingNew", 400, Unclear),
        ("somethingNew", 403, Unclear),
        ("somethingNew", 500, Unclear),
    ],
)
async def test_an_error_that_names_a_task_is_its_own_and_leaves_its_siblings_alone(
    code: str, status: int, kind: type[ProviderError] | None
) -> None:
    body = {"data": acknowledged(ONE, THREE), "errors": errors(code, TWO)}
    outcomes, _ = await submitted(httpx.Response(status, json=body), ONE, TWO, THREE)

    assert outcomes == {ONE: None, TWO: kind, THREE: None}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(429), Busy),
        (httpx.Response(503, json={"errors": errors("serviceUnavailable")}), Busy),
        (httpx.Response(200, json={"errors": errors("rateLimitExceeded")}), Busy),
        (httpx.ConnectError("…"), Busy),
        (httpx.Response(401), AccountTrouble),
        (httpx.Response(401, json={"errors": errors("invalidApiKey")}), AccountTrouble),
        # Each of these may be about one of them, and the other may have been taken.
        (httpx.Response(401, json={"errors": errors("invalidModel")}), Unclear),
        (httpx.Response(402), Unclear),
        (httpx.Response(402, json={"errors": errors("insufficientCredits")}), Unclear),
        (httpx.Response(403), Unclear),
        (httpx.Response(400), Unclear),
        (httpx.Response(400, json={"errors": errors("invalidModel")}), Unclear),
        (httpx.Response(200, json={"errors": errors("promptBlocked")}), Unclear),
        (httpx.Response(409, json={"errors": errors("conflictTaskUUID")}), Unclear),
        (httpx.Response(413), Unclear),
        (httpx.Response(500), Unclear),
        (httpx.Response(502, text="<html>"), Unclear),
        (httpx.Response(200, text="<html>"), Unclear),
        (httpx.Response(200, json={"data": []}), Unclear),
        (httpx.Response(200, json={"data": acknowledged(THREE)}), Unclear),
        (httpx.ReadTimeout("…"), Unclear),
        (httpx.RemoteProtocolError("…"), Unclear),
    ],
)
async def test_an_answer_that_names_no_task_ends_none_of_several(
    reply: httpx.Response | Exception, kind: type[ProviderError]
) -> None:
    outcomes, asked = await submitted(reply, ONE, TWO)

    assert outcomes == {ONE: kind, TWO: kind}
    assert len(asked) == 1


async def test_an_error_without_a_name_takes_nothing_from_what_is_acknowledged() -> None:
    body = {"data": acknowledged(ONE), "errors": errors("invalidModel")}
    outcomes, _ = await submitted(httpx.Response(200, json=body), ONE, TWO)

    assert outcomes == {ONE: None, TWO: Unclear}


async def test_an_answer_that_accepts_and_refuses_the_same_task_is_a_refusal() -> None:
    body = {"data": acknowledged(ONE, TWO), "errors": errors("promptBlocked", TWO)}
    outcomes, _ = await submitted(httpx.Response(200, json=body), ONE, TWO)

    assert outcomes == {ONE: None, TWO: Moderated}


@pytest.mark.parametrize(
    "order",
    [make_order(duration=0.0), make_order(prompt="half a character: \ud83d")],
    ids=["what the documentation rules out", "what is no text"],
)
async def test_a_task_that_cannot_be_sent_stays_behind_and_the_others_go(order: Order) -> None:
    reply = httpx.Response(200, json={"data": acknowledged(TWO, THREE)})
    outcomes, asked = await submitted(reply, ONE, TWO, THREE, order=order)

    assert outcomes == {ONE: Rejected, TWO: None, THREE: None}
    assert [task["taskUUID"] for task in asked[0]] == [TWO, THREE]


async def test_where_none_can_be_sent_there_is_no_request() -> None:
    outcomes, asked = await submitted(httpx.Response(500), ONE, order=make_order(duration=0.0))

    assert (outcomes, asked) == ({ONE: Rejected}, [])


@pytest.mark.parametrize(
    ("megabytes", "expected"),
    [
        ([], []),
        ([1, 1, 1, 1, 1], [[1, 1, 1, 1], [1]]),
        ([3, 3, 1], [[3], [3, 1]]),
        ([9, 1, 9], [[9], [1], [9]]),
    ],
)
def test_pictures_share_a_request_up_to_four_million_characters(
    megabytes: Sequence[int], expected: Sequence[Sequence[int]]
) -> None:
    wanted = [Wanted(ONE, make_order(), Frame("x" * size * 1_000_000)) for size in megabytes]
    found = [[len(one.picture.image) // 1_000_000 for one in parcel] for parcel in parcels(wanted)]

    assert found == expected
