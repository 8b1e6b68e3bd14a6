"""Reads one `videoInference` task against its model: an `Order`, or the reason for a refusal.

Owns the parameters, their ranges and the codes of what is wrong with them. Fetches and decodes
nothing: the picture stays the reference it came as. Called by `Service`.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bot.sandbox.runware.records import MODELS, Model, PromptMode, Size
from bot.sandbox.runware.refusal import Refused
from bot.sandbox.runware.settings import Settings

Reader = Callable[[str, Any], Any]
UUID_V4 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A valid task. `size` is None if it was left to the model; `ttl` in seconds."""

    task_uuid: str
    model: Model
    image: str
    size: Size | None
    seconds: int
    prompt: str | None
    output_format: str
    quality: int
    results: int
    include_cost: bool
    checks_content: bool
    ttl: int | None
    webhook_url: str | None
    upload_endpoint: str | None


def read_task_uuid(task: Mapping[str, Any]) -> str:
    """Return the UUID that the client chose, in lower case; it must be of version 4."""
    value = task.get("taskUUID")
    if value is None:
        raise Refused("missingTaskUUID", "Missing required parameter 'taskUUID'.", "taskUUID")
    if not isinstance(value, str) or not UUID_V4.fullmatch(value):
        raise Refused("invalidTaskUUID", "'taskUUID' must be a UUID of version 4.", "taskUUID")
    return str(UUID(value))


def read_order(task: Mapping[str, Any], settings: Settings) -> Order:
    """Read the task; `Refused` names the first thing that is wrong with it."""
    task_uuid = read_task_uuid(task)
    model = _model(task.get("model"), settings)
    fields = _fields(task, model)
    return Order(
        task_uuid=task_uuid,
        model=model,
        image=_image(task),
        size=_size(task, model),
        seconds=_duration(task.get("duration", model.durations[0]), model),
        prompt=_prompt(task, model, settings.prompt or model.prompt),
        output_format=fields.get("outputFormat", "MP4"),
        quality=fields.get("outputQuality", 95),
        results=fields.get("numberResults", 1),
        include_cost=fields.get("includeCost", False),
        checks_content=fields.get("safety", False),
        ttl=fields.get("ttl"),
        webhook_url=fields.get("webhookURL"),
        upload_endpoint=fields.get("uploadEndpoint"),
    )


def _model(air: Any, settings: Settings) -> Model:
    if air is None:
        raise Refused("missingModel", "Missing required parameter 'model'.", "model")
    model = MODELS.get(air) if isinstance(air, str) else None
    if model is None:
        raise Refused("invalidModel", f"Unknown model {str(air)[:80]!r}.", "model")
    if settings.model_state == "retired" or air in settings.retired_models:
        raise Refused(settings.retired_code, f"Model '{air}' is no longer available.", "model")
    return model


def _fields(task: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """Read what stands on its own, and refuse what the model does not know."""
    fields = {}
    for name, value in task.items():
        if name in _OWN:
            continue
        if name == "negativePrompt" and model.negative_prompt:
            continue
        reader = _READERS.get(name)
        if reader is None:
            known = name in _OTHER_MODELS
            raise Refused(
                "unsupportedParameter" if known else "unknownParameter",
                f"'{name}' is not supported by model '{model.air}'.",
                name,
            )
        fields[name] = reader(name, value)
    return fields


def _image(task: Mapping[str, Any]) -> str:
    """Return the one first frame, from any of the forms in use."""
    inputs = task.get("inputs", {})
    if not isinstance(inputs, dict):
        raise Refused("invalidInputs", "'inputs' must be an object.", "inputs")
    if stray := sorted(set(inputs) - {"frameImages"}):
        raise Refused("unsupportedParameter", f"'inputs.{stray[0]}' is not supported.", stray[0])
    path = "inputs.frameImages" if "frameImages" in inputs else "frameImages"
    frames = inputs.get("frameImages", task.get("frameImages"))
    if frames is None or frames == []:
        raise Refused("missingFrameImages", "A frame image is required.", "inputs.frameImages")
    if not isinstance(frames, list) or len(frames) != 1:
        raise Refused("invalidFrameImages", f"'{path}' must hold exactly 1 item.", path)
    frame = frames[0]
    if isinstance(frame, dict):
        frame = _framed(frame, path)
    if not isinstance(frame, str) or not frame:
        raise Refused("invalidFrameImages", f"'{path}' must hold an image.", path)
    return frame


def _framed(frame: dict[str, Any], path: str) -> Any:
    if stray := sorted(set(frame) - {"image", "inputImage", "frame"}):
        raise Refused("unknownParameter", f"'{stray[0]}' is unknown in '{path}'.", path)
    if frame.get("frame", "first") not in ("first", 0):
        raise Refused(
            "unsupportedFrame",
            "This model takes a first frame only.",
            f"{path}.frame",
            allowedValues=["first"],
        )
    return frame.get("image", frame.get("inputImage"))


def _size(task: Mapping[str, Any], model: Model) -> Size | None:
    given = [name for name in ("width", "height") if name in task]
    if not given:
        return None
    if not model.sizes:
        raise Refused("unsupportedParameter", "The size follows the picture.", given)
    if len(given) == 1:
        raise Refused(
            "missingDimensionParameters",
            "'width' and 'height' must be given together.",
            ["width", "height"],
            type="integer",
        )
    for name in given:
        _integer(1, 100_000)(name, task[name])
    size = (task["width"], task["height"])
    if size not in model.sizes:
        raise Refused(
            "unsupportedDimensions",
            f"{size[0]}x{size[1]} is not supported by model '{model.air}'.",
            ["width", "height"],
            allowedValues=[f"{width}x{height}" for width, height in model.sizes],
        )
    return size


def _duration(value: Any, model: Model) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused("invalidDuration", "'duration' must be a number.", "duration", type="float")
    if value not in model.durations:
        raise Refused(
            "unsupportedDuration",
            f"'duration' of {value} is not supported by model '{model.air}'.",
            "duration",
            allowedValues=list(model.durations),
        )
    return int(value)


def _prompt(task: Mapping[str, Any], model: Model, mode: PromptMode) -> str | None:
    name = "positivePrompt"
    if name not in task:
        if mode == "required":
            raise Refused("missingPositivePrompt", f"Missing required parameter '{name}'.", name)
        return None
    if mode == "absent":
        raise Refused(
            "unsupportedParameter", f"'{name}' is not supported by model '{model.air}'.", name
        )
    prompt = task[name]
    if not isinstance(prompt, str):
        raise Refused("invalidPositivePrompt", f"'{name}' must be a string.", name, type="string")
    low, high = model.prompt_length
    if not low <= len(prompt) <= high:
        raise Refused(
            "invalidPositivePromptLength", f"'{name}' must have {low} to {high} characters.", name
        )
    return prompt


def _invalid(name: str, needs: str, **more: Any) -> Refused:
    return Refused(
        f"invalid{name[0].upper()}{name[1:]}", f"'{name}' must be {needs}.", name, **more
    )


def _integer(low: int, high: int | None) -> Reader:
    def read(name: str, value: Any) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value < low or (high is not None and value > high):
            reach = f"at least {low}" if high is None else f"between {low} and {high}"
            raise _invalid(name, f"an integer, {reach}", type="integer")
        return int(value)

    return read


def _choice(*allowed: str) -> Reader:
    def read(name: str, value: Any) -> str:
        if value not in allowed:
            raise _invalid(name, f"one of {', '.join(allowed)}", allowedValues=list(allowed))
        return str(value)

    return read


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _invalid(name, "a boolean", type="boolean")
    return value


def _uri(name: str, value: Any) -> str:
    if not isinstance(value, str) or not re.match(r"https?://[^\s/]+", value):
        raise _invalid(name, "a URI", type="string")
    return value


def _scale(name: str, value: Any) -> float:
    """Read a number from 0 to 1 in steps of 0.01."""
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not 0 <= value <= 1 or not math.isclose(value * 100, round(value * 100)):
        raise _invalid(name, "a number between 0 and 1, in steps of 0.01", type="float")
    return float(value)


def _safety(name: str, value: Any) -> bool:
    """Read the safety settings; the answer is whether anything is checked. `mode` wins."""
    if not isinstance(value, dict) or set(value) - {"checkContent", "mode"}:
        raise _invalid(name, "an object of 'checkContent' and 'mode'", type="object")
    checks = _flag("checkContent", value.get("checkContent", False))
    if "mode" not in value:
        return checks
    mode: str = _choice("none", "fast", "full")("mode", value["mode"])
    return mode != "none"


_READERS: dict[str, Reader] = {
    "outputType": _choice("URL"),
    "outputFormat": _choice("MP4", "WEBM", "MOV"),
    "outputQuality": _integer(20, 99),
    "webhookURL": _uri,
    "deliveryMethod": _choice("async"),
    "uploadEndpoint": _uri,
    "safety": _safety,
    "ttl": _integer(60, None),
    "includeCost": _flag,
    "numberResults": _integer(1, 4),
    "CFGScale": _scale,
}
_OWN = frozenset(
    (
        "taskType",
        "taskUUID",
        "model",
        "inputs",
        "frameImages",
        "width",
        "height",
        "duration",
        "positivePrompt",
    )
)
_OTHER_MODELS = frozenset(
    (
        "acceleration",
        "advancedFeatures",
        "fps",
        "lora",
        "negativePrompt",
        "providerSettings",
        "referenceImages",
        "referenceVideos",
        "resolution",
        "routing",
        "scheduler",
        "seed",
        "settings",
        "speech",
        "steps",
    )
)
"""What other models take: known to the service, but not here."""
