"""What the video service's answers mean, whatever they look like."""

import json
import logging
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import AccountTrouble, Busy, Moderated, ProviderError, Rejected, Unclear
from bot.wire import Fault, Item, Reply, is_conflict, is_unknown_task, read_reply

TASK = "47085cda-9a0b-4d3a-9b4e-2f6d0e1c8a11"


def reply(body: Any, status: int = 200, **headers: str) -> Reply:
    return read_reply(status, headers, json.dumps(body).encode())


def item(**fields: Any) -> Item:
    (only,) = reply({"data": [{"taskType": "videoInference", "taskUUID": TASK} | fields]}).items
    return only


def fault(**fields: Any) -> Fault:
    (only,) = reply({"errors": [{"code": "invalidModel", "taskUUID": TASK} | fields]}, 400).errors
    return only


def kind(code: str, status: int = 400) -> type[ProviderError]:
    return type(Fault(code, "", "", "", None).as_exception(status))


# --- What the documentation shows ----------------------------------------------------------------


def test_an_acknowledgement_is_an_item_in_the_making() -> None:
    answer = reply({"data": [{"taskType": "videoInference", "taskUUID": TASK}]})
    assert answer.errors == ()
    (ack,) = answer.items
    assert ack.taskUUID == TASK
    assert ack.is_processing
    assert not ack.is_finished


@pytest.mark.parametrize("status", ["processing", "pending", "queued", ""])
def test_whatever_is_not_finished_is_in_the_making(status: str) -> None:
    body = {"taskType": "videoInference", "taskUUID": TASK, "status": status, "progress": 40}
    answer = reply({"data": [body]})
    assert answer.names(TASK)
    assert TASK in answer.waiting or answer.items[0].is_processing


@pytest.mark.parametrize(
    "more",
    [
        {"error": {"code": "timeoutProvider"}},
        {"videoUUID": "9719745e", "videoURL": "https://vm.runware.ai/clip.mp4"},
        {"taskUUID": 7},
        {"taskUUID": None},
        {"status": "PROCESSING "},
    ],
)
def test_an_item_that_says_more_than_that_it_is_in_the_making_is_read_whole(
    more: dict[str, Any],
) -> None:
    other = "0b1e0f5a-54d4-4f0e-8c3f-0d8d6a9d1c22"
    said = {"taskType": "videoInference", "taskUUID": TASK, "status": "processing"}
    answer = reply({"data": [said | more, said | {"taskUUID": other}]})
    assert answer.waiting == {other}
    assert len(answer.items) + len(answer.errors) == 1


@pytest.mark.parametrize("status", ["success", "completed", ""])
def test_a_clip_that_is_there_is_finished_whatever_its_status_is_called(status: str) -> None:
    done = item(
        status=status,
        videoUUID="9719745e",
        videoURL="https://vm.runware.ai/clip.mp4",
        seed=1988852260,
        cost=0.1848,
    )
    assert done.is_finished
    assert not done.is_processing
    assert (done.videoUUID, done.seed, done.cost_micro) == ("9719745e", 1988852260, 184_800)


def test_a_failed_task_comes_among_the_errors() -> None:
    answer = reply(
        {
            "data": [],
            "errors": [
                {
                    "code": "timeoutProvider",
                    "status": "error",
                    "message": "The provider did not answer.",
                    "documentation": "https://runware.ai/docs",
                    "taskUUID": TASK,
                    "taskType": "videoInference",
                }
            ],
        }
    )
    assert answer.items == ()
    (error,) = answer.errors
    assert (error.code, error.task_uuid) == ("timeoutProvider", TASK)
    assert error.message == "The provider did not answer."


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (
            {"status": "error", "error": {"code": "providerTimeout", "message": "m"}},
            "providerTimeout",
        ),
        ({"status": "error", "code": "providerTimeout", "message": "m"}, "providerTimeout"),
        ({"status": "error", "error": "it broke"}, "noCode"),
        ({"status": "error"}, "noCode"),
        (
            {"error": {"code": "providerTimeout"}, "videoUUID": "u", "videoURL": "v"},
            "providerTimeout",
        ),
    ],
)
def test_a_failed_task_that_comes_as_an_item_is_an_error_of_that_task(
    fields: dict[str, Any], code: str
) -> None:
    answer = reply({"data": [{"taskUUID": TASK} | fields]})
    assert answer.items == ()
    (error,) = answer.errors
    assert (error.code, error.task_uuid) == (code, TASK)


def test_finished_running_and_failed_tasks_may_come_together() -> None:
    clip = {"taskUUID": "a", "videoUUID": "1", "videoURL": "https://x/1.mp4"}
    answer = reply({"data": [clip, {"taskUUID": "b"}], "errors": [{"code": "x", "taskUUID": "c"}]})
    assert [(one.taskUUID, one.is_finished) for one in answer.items] == [("a", True), ("b", False)]
    assert [one.task_uuid for one in answer.errors] == ["c"]


def test_nothing_known_yet_is_no_error() -> None:
    assert reply({"data": []}) == Reply(200, (), ())


def test_one_object_is_taken_for_a_list_of_one() -> None:
    answer = reply({"data": {"taskUUID": TASK}, "errors": {"code": "invalidModel"}})
    assert len(answer.items) == len(answer.errors) == 1


# --- Tolerance -----------------------------------------------------------------------------------


def test_fields_that_nobody_knows_are_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    one = item(brandNew={"deep": [1, 2]}, is_finished="x", cost_micro=3, model_config=4)
    assert (one.taskUUID, one.is_finished, one.cost_micro) == (TASK, False, None)
    assert not caplog.records


@pytest.mark.parametrize(
    ("field", "odd"),
    [
        ("seed", "many"),
        ("seed", 1.5),
        ("seed", 2**63),
        ("seed", -(2**63) - 1),
        ("cost", "a lot"),
        ("cost", {"usd": 1}),
        ("cost", float("nan")),
        ("status", 7),
        ("status", None),
        ("videoURL", ["https://x"]),
        ("taskType", {}),
    ],
)
def test_a_field_of_the_wrong_type_is_left_out_and_logged_by_name(
    field: str, odd: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        one = item(**{field: odd})
    assert one.taskUUID == TASK
    assert getattr(one, field) == Item.model_fields[field].default
    assert field in caplog.text


def test_an_odd_item_does_not_spoil_its_neighbours() -> None:
    answer = reply({"data": [{"taskUUID": 5, "seed": []}, "text", None, {"taskUUID": TASK}]})
    assert answer.items[-1].taskUUID == TASK


@pytest.mark.parametrize(
    ("cost", "micro"),
    [
        (0.1848, 184_800),
        ("0.25", 250_000),
        (0, 0),
        (None, None),
        (-1, None),
        (0.1 + 0.2, 300_000),
        (1e300, None),
        ("1e999999", None),
    ],
)
def test_a_cost_is_whole_micro_dollars_or_unknown(cost: Any, micro: int | None) -> None:
    assert item(cost=cost).cost_micro == micro


@pytest.mark.parametrize(
    ("balance", "micro"),
    [
        (12.5, 12_500_000),
        ("2.25", 2_250_000),
        ({"amount": 12.5, "currency": "USD"}, 12_500_000),
        ({"value": "3"}, 3_000_000),
        ({"total": 0}, 0),
        ({"credits": 5}, None),
        ({"amount": None}, None),
        (None, None),
        (True, None),
        ([12.5], None),
        (-0.5, -500_000),
    ],
)
def test_the_credit_comes_as_a_number_or_an_object(balance: Any, micro: int | None) -> None:
    assert item(balance=balance).balance_micro == micro


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("width", "width"),
        (["width", "height"], "width, height"),
        (None, ""),
        (3, "3"),
    ],
)
def test_a_fault_names_one_parameter_or_several(parameter: Any, text: str) -> None:
    assert fault(parameter=parameter).parameter == text


def test_a_fault_without_a_code_or_message_is_still_one() -> None:
    (error,) = reply({"errors": [{"code": None, "message": None}]}, 400).errors
    assert (error.code, error.message, error.task_uuid) == ("noCode", "", "")


def test_a_code_that_is_not_in_the_table_is_logged_whole(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        fault(code="sunspots", message="m", extra="more")
    assert "sunspots" in caplog.text
    assert "more" in caplog.text


def test_a_code_of_the_table_makes_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        fault(code="invalidModel")
    assert not caplog.records


# --- Who can act ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "codes"),
    [
        (AccountTrouble, "invalidApiKey missingApiKey unauthorized accountSuspended tokenExpired"),
        (AccountTrouble, "insufficientCredits quotaExceeded paymentRequired lowBalance"),
        (Moderated, "contentPolicyViolation nsfwContentDetected invalidProviderContent"),
        (Moderated, "promptBlocked imageBlocked moderationFailed"),
        (Busy, "rateLimitExceeded providerRateLimitExceeded serviceUnavailable modelNotReady"),
        (Busy, "internalServerError noAvailableServer"),
        (Rejected, "timeoutProvider taskFailed inferenceError modelNotFound taskExpired"),
        (Rejected, "invalidModel missingDimensionParameters unsupportedDuration arrayTooLong"),
        (Rejected, "unknownParameter incompatibleParameters conflictTaskUUID maxResults"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_known_code_decides_who_can_act_whatever_the_status(
    expected: type[ProviderError], codes: str, status: int
) -> None:
    assert {code: kind(code, status) for code in codes.split()} == dict.fromkeys(
        codes.split(), expected
    )


@pytest.mark.parametrize("code", ["sunspots", "unknownError", "noCode", "httpStatus", ""])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Rejected),
        (401, AccountTrouble),
        (402, AccountTrouble),
        (403, AccountTrouble),
        (404, Rejected),
        (408, Busy),
        (425, Busy),
        (429, Busy),
        (500, Unclear),
        (502, Unclear),
        (503, Unclear),
        (504, Unclear),
    ],
)
def test_for_an_unknown_code_the_status_decides(
    code: str, status: int, expected: type[ProviderError]
) -> None:
    assert kind(code, status) is expected


def test_an_exception_carries_what_an_operator_needs_to_see() -> None:
    error = fault(message="too wide", parameter="width").as_exception(400)
    assert (error.code, error.status, error.parameter) == ("invalidModel", 400, "width")
    assert str(error) == "Rejected invalidModel (width), HTTP 400: too wide"


@pytest.mark.parametrize(
    ("code", "conflict", "unknown"),
    [
        ("conflictTaskUUID", True, False),
        ("duplicateTaskUUID", True, False),
        ("taskNotFound", False, True),
        ("taskFailedOrNotFound", False, True),
        ("taskFailed", False, False),
    ],
)
def test_already_there_and_not_known_are_told_by_code(
    code: str, conflict: bool, unknown: bool
) -> None:
    assert (is_conflict(fault(code=code)), is_unknown_task(fault(code=code))) == (conflict, unknown)


# --- Answers that are none -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"<html>", b'{"data": [', b"\xff\xfe"]
)
def test_what_is_not_the_services_json_is_unclear_where_it_claims_success(body: bytes) -> None:
    with pytest.raises(Unclear) as error:
        read_reply(200, {}, body)
    assert error.value.status == 200


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>502</html>", b'{"data": []}', b"[1]"])
@pytest.mark.parametrize(
    ("status", "expected"), [(400, Rejected), (401, AccountTrouble), (429, Busy), (502, Unclear)]
)
def test_a_refusal_without_an_error_object_is_judged_by_its_status(
    body: bytes, status: int, expected: type[ProviderError]
) -> None:
    answer = read_reply(status, {}, body)
    (error,) = answer.errors
    assert error.task_uuid == ""
    assert type(error.as_exception(status)) is expected


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("2.5", 2.5),
        ("86400", 60.0),
        ("inf", 60.0),
        ("nan", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("", None),
    ],
)
def test_the_wished_pause_is_obeyed_up_to_a_minute(header: str, wait: float | None) -> None:
    answer = read_reply(429, {"Retry-After": header}, b"")
    problem = answer.errors[0].as_exception(429)
    assert isinstance(problem, Busy)
    assert problem.retry_after == wait


# --- Anything at all -----------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
FIELD = st.sampled_from(
    [
        *("taskUUID", "taskType", "status", "videoUUID", "videoURL", "seed", "cost", "balance"),
        *("error", "code", "message", "parameter"),
    ]
)
OBJECT = st.dictionaries(FIELD | st.text(max_size=5), ANYTHING, max_size=8)
ENVELOPE = st.dictionaries(
    st.sampled_from(["data", "errors", "other"]), ANYTHING | OBJECT | st.lists(OBJECT | ANYTHING)
)
STATUS = st.sampled_from([200, 202, 400, 401, 402, 404, 409, 429, 500, 503, 504])


def use(status: int, headers: dict[str, str], body: bytes) -> None:
    """Read an answer and look at everything that the rest of the bot looks at."""
    try:
        answer = read_reply(status, headers, body)
    except Unclear:
        if status >= 400:
            raise
        return
    for one in answer.items:
        assert not (one.is_finished and one.is_processing)
        for micro in (one.cost_micro, one.balance_micro):
            assert micro is None or 0 <= micro < 2**63
        assert one.seed is None or -(2**63) <= one.seed < 2**63
    for error in answer.errors:
        problem = error.as_exception(answer.status)
        assert isinstance(problem, ProviderError)
        assert str(problem)


@given(body=ENVELOPE | ANYTHING, status=STATUS, wait=st.text(max_size=5))
@example(
    body={"data": [{"cost": "1e999999", "balance": 1e308, "seed": 2**64}]}, status=200, wait=""
)
@example(body={"errors": [{"code": [], "message": {}, "taskUUID": 3}]}, status=500, wait="9")
def test_no_json_raises_anything_but_a_provider_error(body: Any, status: int, wait: str) -> None:
    use(status, {"Retry-After": wait}, json.dumps(body).encode())


@given(body=st.binary(max_size=200), status=STATUS)
@example(body=b"[" * 100_000, status=200)
@example(body=b'{"data":' * 10_000, status=503)
@example(body=b'{"data":[{"seed":' + b"9" * 10_000 + b"}]}", status=200)
@example(body=b'{"data":[{"taskUUID":"\\ud800"}]}', status=200)
def test_no_bytes_raise_anything_but_a_provider_error(body: bytes, status: int) -> None:
    use(status, {}, body)


@given(OBJECT)
def test_a_refused_request_always_has_an_error(body: dict[str, Any]) -> None:
    assert reply({"data": body}, 400).errors
