"""One task as it is sent: every parameter, every form of the picture, and what is never sent."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from bot.catalog import Model, SeedRule
from bot.errors import Rejected
from bot.lifecycle import Order
from bot.sandbox.runware.refusal import Refused
from bot.sandbox.runware.settings import Settings
from bot.sandbox.runware.validation import read_order
from bot.task import Frame, Output, request
from tests.conftest import make_order
from tests.corridor import KLING, TURBO, model, picture

JPEG = picture(1280, 720, "JPEG")
TASK = "47085cda-c166-4f41-981a-f59ade9cf578"
IMAGE = "aac49721-1964-481a-ae78-8a4e29b91402"
FRAME = Frame.data_uri(JPEG)
TURBO_ORDER = Order(model=TURBO, width=None, height=None, duration=5.0, prompt="waves")


def sent(output: Output | None = None, frame: Frame = FRAME, **changes: Any) -> dict[str, Any]:
    return request(TASK, make_order(**changes), frame, output or Output(), model())


def refusal(order: Order, record: Model | None = None, **more: Any) -> tuple[str, str]:
    with pytest.raises(Rejected) as error:
        request(more.get("task", TASK), order, more.get("frame", FRAME), Output(), record)
    return error.value.code, error.value.parameter


# --- The picture ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "image"),
    [
        (Frame.uploaded(IMAGE), IMAGE),
        (Frame.at("https://assets.runware.ai/a.jpg"), "https://assets.runware.ai/a.jpg"),
        (Frame.data_uri(b"x", "image/png"), "data:image/png;base64,eA=="),
        (Frame.base64(b"x"), "eA=="),
    ],
)
def test_a_picture_is_sent_in_every_documented_form(frame: Frame, image: str) -> None:
    (only,) = sent(frame=frame)["inputs"]["frameImages"]
    assert only == {"image": image, "frame": "first"}
    (short,) = sent(frame=replace(frame, position=None))["inputs"]["frameImages"]
    assert short == image


@pytest.mark.parametrize(
    ("content", "size"), [(b"x", 1), (b"xx", 2), (b"xxx", 3), (bytes(1000), 1000)]
)
def test_the_size_of_a_picture_that_is_sent_itself_is_known(content: bytes, size: int) -> None:
    assert Frame.data_uri(content).size == Frame.base64(content).size == size
    assert Frame.uploaded(IMAGE).size == Frame.at("https://a.example/b").size == 0


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (Frame.uploaded, "not-a-uuid"),
        (Frame.uploaded, "2b1ad8fe-e729-11f1-9675-02fc00000001"),
        (Frame.at, "file:///etc/passwd"),
        (Frame.at, "https://"),
        (Frame.at, "https://a.example/with a blank"),
        (Frame.data_uri, b""),
        (Frame.base64, b""),
    ],
)
def test_a_picture_in_no_form_at_all_is_refused(make: Any, argument: Any) -> None:
    with pytest.raises(Rejected) as error:
        make(argument)
    assert (error.value.code, error.value.parameter) == ("invalidImage", "inputs.frameImages")


def test_a_kind_of_file_that_the_service_does_not_take_is_refused() -> None:
    with pytest.raises(Rejected, match=r"image/tiff is not taken"):
        Frame.data_uri(JPEG, "image/tiff")


def test_a_place_that_is_not_the_first_is_refused() -> None:
    with pytest.raises(Rejected) as error:
        Frame.uploaded(IMAGE, "last")
    refused = (error.value.code, error.value.parameter)
    assert refused == ("unsupportedFrame", "inputs.frameImages.frame")


def test_a_picture_over_the_models_limit_is_refused() -> None:
    small = model().model_copy(
        update={"picture": model().picture.model_copy(update={"most_bytes": len(JPEG) - 1})}
    )
    assert refusal(make_order(), small) == ("invalidImage", "inputs.frameImages")


# --- The operator's choices ----------------------------------------------------------------------


def test_nothing_is_sent_of_what_the_operator_left_open() -> None:
    assert set(sent()) == {
        *("taskType", "taskUUID", "model", "deliveryMethod", "includeCost", "inputs"),
        *("width", "height", "duration", "CFGScale"),
    }


@pytest.mark.parametrize(
    ("choice", "parameters"),
    [
        ({"format": "WEBM"}, {"outputFormat": "WEBM"}),
        ({"quality": 20}, {"outputQuality": 20}),
        ({"quality": 99}, {"outputQuality": 99}),
        ({"safety": "fast"}, {"safety": {"checkContent": True, "mode": "fast"}}),
        ({"safety": "full"}, {"safety": {"checkContent": True, "mode": "full"}}),
        ({"safety": "none"}, {}),
        ({"ttl": 60}, {"outputType": "URL", "ttl": 60}),
        (
            {"upload_endpoint": "https://store.example/{task}.mp4?signed=1"},
            {"uploadEndpoint": f"https://store.example/{TASK}.mp4?signed=1"},
        ),
    ],
)
def test_what_the_operator_chose_goes_with_every_task(
    choice: dict[str, Any], parameters: dict[str, Any]
) -> None:
    chosen = sent(Output(**choice))
    assert {name: chosen[name] for name in chosen.keys() - sent().keys()} == parameters
    read_order(chosen, Settings())  # and the service takes it


@pytest.mark.parametrize(
    ("choice", "code", "parameter"),
    [
        ({"format": "GIF"}, "invalidOutputFormat", "outputFormat"),
        ({"quality": 19}, "invalidOutputQuality", "outputQuality"),
        ({"quality": 100}, "invalidOutputQuality", "outputQuality"),
        ({"safety": "strict"}, "invalidMode", "mode"),
        ({"ttl": 59}, "invalidTtl", "ttl"),
        ({"upload_endpoint": "bucket/{task}"}, "invalidUploadEndpoint", "uploadEndpoint"),
    ],
)
def test_a_choice_that_the_service_does_not_know_cannot_be_made(
    choice: dict[str, Any], code: str, parameter: str
) -> None:
    with pytest.raises(Rejected) as error:
        Output(**choice)
    assert (error.value.code, error.value.parameter) == (code, parameter)


def test_a_format_that_the_model_does_not_make_is_refused() -> None:
    only_mp4 = model().model_copy(update={"output_formats": ("MP4",)})
    with pytest.raises(Rejected, match="invalidOutputFormat"):
        request(TASK, make_order(), FRAME, Output(format="MOV"), only_mp4)
    assert "outputFormat" not in request(TASK, make_order(), FRAME, Output(), only_mp4)


# --- What is refused before it is sent -----------------------------------------------------------

# Each is refused by the service too, in the same words: that is asserted, not believed.
WRONG: list[tuple[Order, str, str]] = [
    (make_order(width=None), "missingDimensionParameters", "width, height"),
    (make_order(height=None), "missingDimensionParameters", "width, height"),
    (make_order(width=1280, height=721), "unsupportedDimensions", "width, height"),
    (make_order(width=0, height=720), "invalidWidth", "width"),
    (make_order(height=-1), "invalidHeight", "height"),
    (make_order(duration=7.0), "unsupportedDuration", "duration"),
    (make_order(guidance=1.1), "invalidCFGScale", "CFGScale"),
    (make_order(guidance=-0.01), "invalidCFGScale", "CFGScale"),
    (make_order(guidance=0.505), "invalidCFGScale", "CFGScale"),
    (make_order(results=5), "invalidNumberResults", "numberResults"),
    (make_order(prompt="waves"), "unsupportedParameter", "positivePrompt"),
    (make_order(negative_prompt="people"), "unsupportedParameter", "negativePrompt"),
    (make_order(seed=5), "unsupportedParameter", "seed"),
    (replace(TURBO_ORDER, width=1280, height=720), "unsupportedParameter", "width, height"),
    (replace(TURBO_ORDER, prompt=None), "missingPositivePrompt", "positivePrompt"),
    (replace(TURBO_ORDER, prompt="x"), "invalidPositivePromptLength", "positivePrompt"),
    (replace(TURBO_ORDER, prompt="x" * 2501), "invalidPositivePromptLength", "positivePrompt"),
]


@pytest.mark.parametrize(("order", "code", "parameter"), WRONG)
def test_what_the_model_does_not_do_is_refused_unsent_in_the_words_of_the_service(
    order: Order, code: str, parameter: str
) -> None:
    assert refusal(order, model(order.model)) == (code, parameter)
    with pytest.raises(Refused) as theirs:
        read_order(as_if_sent(order), Settings())
    told = theirs.value.to_json({}, parameter_as_list=True)
    assert (told["code"], ", ".join(told["parameter"])) == (code, parameter)


def as_if_sent(order: Order) -> dict[str, Any]:
    """The task that a client without any check would send."""
    fields = {
        "width": order.width,
        "height": order.height,
        "CFGScale": order.guidance,
        "positivePrompt": order.prompt,
        "negativePrompt": order.negative_prompt,
        "seed": order.seed,
        "numberResults": order.results,
    }
    return {
        "taskType": "videoInference",
        "taskUUID": TASK,
        "model": order.model,
        "duration": order.duration,
        "inputs": {"frameImages": [IMAGE]},
    } | {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize(
    ("order", "code", "parameter"),
    [
        (make_order(width=None), "missingDimensionParameters", "width, height"),
        (make_order(duration=float("nan")), "invalidDuration", "duration"),
        (make_order(duration=0.0), "invalidDuration", "duration"),
        (make_order(guidance=float("inf")), "invalidCFGScale", "CFGScale"),
        (make_order(results=0), "invalidNumberResults", "numberResults"),
    ],
)
def test_of_a_model_without_a_record_the_general_rules_hold(
    order: Order, code: str, parameter: str
) -> None:
    assert refusal(order) == (code, parameter)


@pytest.mark.parametrize("task_uuid", ["", "not-a-uuid", "2b1ad8fe-e729-11f1-9675-02fc00000001"])
def test_a_task_is_named_by_a_uuid_of_version_4(task_uuid: str) -> None:
    assert refusal(make_order(), task=task_uuid) == ("invalidTaskUUID", "taskUUID")


def test_negative_prompts_have_a_length_too() -> None:
    order = replace(TURBO_ORDER, negative_prompt="x")
    expected = ("invalidNegativePromptLength", "negativePrompt")
    assert refusal(order, model(TURBO)) == expected


def test_a_model_without_guidance_is_sent_none() -> None:
    plain = model(KLING).model_copy(update={"guidance": None})
    assert refusal(make_order(), plain) == ("unsupportedParameter", "CFGScale")


def test_a_seed_is_sent_to_a_model_that_takes_one() -> None:
    seeded = model(KLING).model_copy(update={"seed": SeedRule(least=1, most=100)})
    order = make_order(seed=100)
    assert request(TASK, order, FRAME, Output(), seeded)["seed"] == 100
    assert refusal(replace(order, seed=101), seeded) == ("invalidSeed", "seed")


@pytest.mark.parametrize("guidance", [0, 0.07, 0.29, 0.57, 0.58, 0.64, 1])
def test_every_step_of_the_guidance_is_sent_as_it_is(guidance: float) -> None:
    assert sent(guidance=guidance)["CFGScale"] == guidance


def test_the_picture_is_sent_whole() -> None:
    (frame,) = sent()["inputs"]["frameImages"]
    assert base64.b64decode(frame["image"].partition(",")[2]) == JPEG
