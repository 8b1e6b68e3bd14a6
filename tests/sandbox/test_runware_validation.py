"""What the local Runware accepts and refuses, by the model's own documentation."""

import base64
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid1, uuid4

import pytest

from tests.sandbox.runware_client import PICTURE, Client, client_of, data_uri, picture, video_task

TURBO = "klingai:6@0"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with client_of() as client:
        yield client


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"width": 1280, "height": 720},
        {"width": 720, "height": 720, "duration": 10},
        {"width": 720, "height": 1280, "duration": 5.0},
        {"CFGScale": 0.64, "outputType": "URL", "outputFormat": "WEBM", "outputQuality": 20},
        {"deliveryMethod": "async", "ttl": 60, "includeCost": True, "numberResults": 4},
        {"safety": {"checkContent": True}, "outputFormat": "MOV"},
        {"safety": {"mode": "full"}, "webhookURL": "https://example.com/hook?token=x"},
        {"inputs": {"frameImages": [PICTURE]}},
        {"inputs": {"frameImages": [PICTURE.partition(",")[2]]}},
        {"inputs": None, "frameImages": [{"inputImage": PICTURE, "frame": "first"}]},
        {"inputs": {"frameImages": [data_uri(picture(2048, 300, "PNG"))]}},
        {"inputs": {"frameImages": [data_uri(picture(300, 2048, "WEBP"))]}},
        {"model": TURBO, "positivePrompt": "Waves roll in.", "negativePrompt": "blur"},
    ],
)
async def test_what_the_documentation_allows_is_accepted(
    client: Client, fields: dict[str, Any]
) -> None:
    await client.submit(**fields)
    assert client.runware.ledger.accepted == 1


@pytest.mark.parametrize(
    ("fields", "code", "parameter"),
    [
        ({"taskUUID": None}, "missingTaskUUID", "taskUUID"),
        ({"taskUUID": "not-a-uuid"}, "invalidTaskUUID", "taskUUID"),
        ({"taskUUID": str(uuid1())}, "invalidTaskUUID", "taskUUID"),
        ({"model": None}, "missingModel", "model"),
        ({"model": "klingai:9@9"}, "invalidModel", "model"),
        ({"width": 1280}, "missingDimensionParameters", ["width", "height"]),
        ({"width": 1280, "height": 721}, "unsupportedDimensions", ["width", "height"]),
        ({"width": "1280", "height": 720}, "invalidWidth", "width"),
        ({"duration": 7}, "unsupportedDuration", "duration"),
        ({"duration": "5"}, "invalidDuration", "duration"),
        ({"CFGScale": 1.1}, "invalidCFGScale", "CFGScale"),
        ({"CFGScale": 0.505}, "invalidCFGScale", "CFGScale"),
        ({"outputType": "base64Data"}, "invalidOutputType", "outputType"),
        ({"outputFormat": "GIF"}, "invalidOutputFormat", "outputFormat"),
        ({"outputQuality": 19}, "invalidOutputQuality", "outputQuality"),
        ({"deliveryMethod": "sync"}, "invalidDeliveryMethod", "deliveryMethod"),
        ({"numberResults": 5}, "invalidNumberResults", "numberResults"),
        ({"numberResults": True}, "invalidNumberResults", "numberResults"),
        ({"includeCost": 1}, "invalidIncludeCost", "includeCost"),
        ({"ttl": 59}, "invalidTtl", "ttl"),
        ({"webhookURL": "hook"}, "invalidWebhookURL", "webhookURL"),
        ({"uploadEndpoint": 5}, "invalidUploadEndpoint", "uploadEndpoint"),
        ({"safety": {"mode": "strict"}}, "invalidMode", "mode"),
        ({"safety": {"level": 1}}, "invalidSafety", "safety"),
        ({"positivePrompt": "Waves."}, "unsupportedParameter", "positivePrompt"),
        ({"seed": 5}, "unsupportedParameter", "seed"),
        ({"colour": "red"}, "unknownParameter", "colour"),
        ({"inputs": None}, "missingFrameImages", "inputs.frameImages"),
        ({"inputs": {"frameImages": []}}, "missingFrameImages", "inputs.frameImages"),
        ({"inputs": {"frameImages": [PICTURE] * 2}}, "invalidFrameImages", "inputs.frameImages"),
        ({"inputs": {"frameImages": [5]}}, "invalidFrameImages", "inputs.frameImages"),
        (
            {"inputs": {"frameImages": [{"image": PICTURE, "frame": "last"}]}},
            "unsupportedFrame",
            "inputs.frameImages.frame",
        ),
        (
            {"inputs": {"frameImages": ["https://example.com/a.jpg"]}},
            "downloadFailed",
            "inputs.frameImages",
        ),
        ({"inputs": {"frameImages": [str(uuid4())]}}, "mediaNotFound", "inputs.frameImages"),
        ({"inputs": {"frameImages": ["%%%"]}}, "invalidImage", "inputs.frameImages"),
        (
            {"inputs": {"frameImages": [base64.b64encode(b"no picture").decode()]}},
            "invalidImage",
            "inputs.frameImages",
        ),
        (
            {"inputs": {"frameImages": [data_uri(picture(299, 400))]}},
            "invalidFrameImageWidth",
            "inputs.frameImages",
        ),
        (
            {"inputs": {"frameImages": [data_uri(picture(400, 2049))]}},
            "invalidFrameImageHeight",
            "inputs.frameImages",
        ),
        ({"model": TURBO}, "missingPositivePrompt", "positivePrompt"),
        ({"model": TURBO, "positivePrompt": "x"}, "invalidPositivePromptLength", "positivePrompt"),
        (
            {"model": TURBO, "positivePrompt": "Waves.", "width": 1280, "height": 720},
            "unsupportedParameter",
            ["width", "height"],
        ),
    ],
)
async def test_what_it_does_not_allow_is_refused_and_costs_nothing(
    client: Client, fields: dict[str, Any], code: str, parameter: str | list[str]
) -> None:
    error = await client.refusal(**fields)
    assert (error["code"], error["parameter"]) == (code, parameter)
    assert error["taskType"] == "videoInference"
    assert error["message"]
    assert client.runware.ledger.accepted == client.runware.ledger.committed_micro == 0


async def test_a_refusal_names_what_is_allowed(client: Client) -> None:
    assert (await client.refusal(duration=6))["allowedValues"] == [5, 10]


async def test_a_parameter_may_always_come_as_a_list() -> None:
    async with client_of(parameter_as_list=True) as client:
        assert (await client.refusal(duration=6))["parameter"] == ["duration"]


async def test_a_picture_that_breaks_off_is_refused_where_clips_are_rendered() -> None:
    half = data_uri(picture(1280, 720)[:4000])
    async with client_of(canned=False) as client:
        error = await client.refusal(inputs={"frameImages": [half]})
        assert error["code"] == "invalidImage"


@pytest.mark.parametrize(
    ("mode", "prompt", "code"),
    [
        ("required", None, "missingPositivePrompt"),
        ("required", "Waves roll in.", None),
        ("optional", None, None),
        ("optional", "Waves roll in.", None),
        ("absent", None, None),
        ("absent", "Waves roll in.", "unsupportedParameter"),
    ],
)
async def test_the_prompt_policy_can_be_switched(
    mode: str, prompt: str | None, code: str | None
) -> None:
    async with client_of(prompt=mode) as client:
        if code is None:
            await client.submit(positivePrompt=prompt)
        else:
            assert (await client.refusal(positivePrompt=prompt))["code"] == code


async def test_a_retired_model_is_refused() -> None:
    async with client_of(model_state="retired") as client:
        assert (await client.refusal())["code"] == "modelUnavailable"


async def test_an_uploaded_picture_can_be_used_by_its_uuid_or_url(client: Client) -> None:
    sent = picture(500, 400)
    _, answer = await client.post(
        {"taskType": "imageUpload", "taskUUID": str(uuid4()), "image": data_uri(sent)}
    )
    (uploaded,) = answer["data"]
    for reference in (uploaded["imageUUID"], uploaded["imageURL"]):
        await client.submit(inputs={"frameImages": [reference]})
    assert await client.fetch(uploaded["imageURL"]) == (200, sent)


async def test_media_storage_shrinks_what_is_too_large(client: Client) -> None:
    task = {"taskType": "mediaStorage", "taskUUID": str(uuid4()), "operation": "upload"}
    _, answer = await client.post(task | {"media": data_uri(picture(3000, 1500))})
    (stored,) = answer["data"]
    assert stored["operation"] == "upload"
    await client.submit(inputs={"frameImages": [stored["mediaURL"]]})


async def test_a_dry_run_tells_the_price_and_accepts_nothing(client: Client) -> None:
    headers = {"Authorization": "Bearer key", "X-Runware-Dry-Run": "1"}
    status, answer = await client.post(video_task(duration=10, numberResults=2), headers=headers)
    assert (status, answer["data"][0]["cost"]) == (200, 0.7392)
    status, answer = await client.post(video_task(duration=6), headers=headers)
    assert (status, answer["errors"][0]["code"]) == (400, "unsupportedDuration")
    assert client.runware.ledger.accepted == 0
