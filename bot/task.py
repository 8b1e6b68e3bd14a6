"""One video task as it is sent: its request, and what is refused before it is sent.

Owns the names and ranges of the service's parameters, the forms that a picture may be sent in, and
the operator's choices that go with every task. A refusal is a `Rejected` with the service's code
and parameter. No I/O; called by `provider.py`. Facts: the models' pages at runware.ai/docs/models.
"""

import base64
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from bot.catalog import Model, Policy, TextRule
from bot.errors import Rejected
from bot.lifecycle import Order
from bot.values import TASK

FORMATS = ("MP4", "WEBM", "MOV")
SAFETY_MODES = ("none", "fast", "full")
LEAST_QUALITY, MOST_QUALITY = 20, 99
LEAST_TTL = 60
"""Seconds."""
_PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/gif")
_FRAMES = "inputs.frameImages"
_SIDES = "width, height"
_UUID_V4 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture for the clip's first frame: one constructor for each form that the service takes.

    With `position` None the short form is sent, which leaves the place to the service.
    """

    image: str
    position: str | None = "first"

    def __post_init__(self) -> None:
        if self.position not in ("first", None):
            raise Rejected("unsupportedFrame", "only 'first'", parameter=f"{_FRAMES}.frame")

    @classmethod
    def uploaded(cls, image_uuid: str, position: str | None = "first") -> Self:
        """Name a picture that the service already has. Raises `Rejected`, as all of these do."""
        if not _UUID_V4.fullmatch(image_uuid):
            raise _bad_picture("not a UUID of version 4")
        return cls(image_uuid, position)

    @classmethod
    def at(cls, url: str, position: str | None = "first") -> Self:
        """Name a picture that the service can fetch."""
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname or re.search(r"\s", url):
            raise _bad_picture("not a URL of the web")
        return cls(url, position)

    @classmethod
    def data_uri(
        cls, content: bytes, media_type: str = "image/jpeg", position: str | None = "first"
    ) -> Self:
        """Send the picture itself, and say what it is."""
        if media_type not in _PICTURE_TYPES:
            raise _bad_picture(f"{media_type} is not taken")
        return cls(f"data:{media_type};base64,{_encoded(content)}", position)

    @classmethod
    def base64(cls, content: bytes, position: str | None = "first") -> Self:
        """Send the picture itself; the service finds out what it is."""
        return cls(_encoded(content), position)

    @property
    def size(self) -> int:
        """Bytes of the picture, if it is sent itself; else 0."""
        if _UUID_V4.fullmatch(self.image) or self.image.startswith(("http://", "https://")):
            return 0
        encoded = self.image.rpartition(",")[2]
        return len(encoded) * 3 // 4 - encoded[-2:].count("=")

    def as_json(self) -> str | dict[str, str]:
        """Return it as it is sent."""
        if self.position is None:
            return self.image
        return {"image": self.image, "frame": self.position}


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The operator's choices for every clip; None is left to the service. Raises `Rejected`.

    `quality` is 20 to 99, `ttl` the life of a clip's address in seconds, from 60; the service also
    puts each clip to `upload_endpoint`, where `{task}` stands for the task's UUID.
    """

    format: str | None = None
    quality: int | None = None
    safety: str = "none"
    ttl: int | None = None
    upload_endpoint: str | None = None

    def __post_init__(self) -> None:
        if self.format not in (None, *FORMATS):
            raise _invalid("outputFormat", " or ".join(FORMATS))
        if self.quality is not None and self.quality not in range(LEAST_QUALITY, MOST_QUALITY + 1):
            raise _invalid("outputQuality", f"{LEAST_QUALITY} to {MOST_QUALITY}")
        if self.safety not in SAFETY_MODES:
            raise Rejected("invalidMode", " or ".join(SAFETY_MODES), parameter="mode")
        if self.ttl is not None and self.ttl < LEAST_TTL:
            raise _invalid("ttl", f"at least {LEAST_TTL}")
        endpoint = self.upload_endpoint
        if endpoint is not None and not re.match(r"https?://[^\s/]+\S*$", endpoint):
            raise _invalid("uploadEndpoint", "a URL")

    def parameters(self, task_uuid: str) -> Iterator[tuple[str, Any]]:
        """Yield what is sent with a task: only what was chosen."""
        if self.format is not None:
            yield "outputFormat", self.format
        if self.quality is not None:
            yield "outputQuality", self.quality
        if self.safety != "none":
            yield "safety", {"checkContent": True, "mode": self.safety}
        if self.ttl is not None:
            # The lifetime is that of an address, so this is the moment to ask for one.
            yield from (("outputType", "URL"), ("ttl", self.ttl))
        if self.upload_endpoint is not None:
            yield "uploadEndpoint", self.upload_endpoint.replace(TASK, task_uuid)


def request(
    task_uuid: str, order: Order, frame: Frame, output: Output, model: Model | None = None
) -> dict[str, Any]:
    """Return the task as JSON; an option that the order leaves open is left out.

    Raises `Rejected` for what the documentation, or the `model`'s record if given, rules out.
    """
    if not _UUID_V4.fullmatch(task_uuid):
        raise _invalid("taskUUID", "a UUID of version 4")
    _check_in_general(order)
    if model is not None:
        _check_size(order, model)
        _check_amounts(order, model)
        _check_guidance(order.guidance, model)
        _check_text("positivePrompt", order.prompt, model.prompt)
        _check_text("negativePrompt", order.negative_prompt, model.negative_prompt)
        if (output.format or FORMATS[0]) not in model.output_formats:
            raise _invalid("outputFormat", " or ".join(model.output_formats))
        if frame.size > model.picture.most_bytes:
            raise _bad_picture(f"over {model.picture.most_bytes} bytes")
    options: Mapping[str, Any] = {
        "width": order.width,
        "height": order.height,
        "CFGScale": order.guidance,
        "positivePrompt": order.prompt,
        "negativePrompt": order.negative_prompt,
        "seed": order.seed,
        "numberResults": order.results if order.results > 1 else None,
    }
    return {
        "taskType": "videoInference",
        "taskUUID": task_uuid,
        "model": order.model,
        "deliveryMethod": "async",
        "includeCost": True,
        "duration": int(order.duration) if order.duration.is_integer() else order.duration,
        "inputs": {"frameImages": [frame.as_json()]},
        **{name: value for name, value in options.items() if value is not None},
        **dict(output.parameters(task_uuid)),
    }


def _check_in_general(order: Order) -> None:
    """Check what holds for every model."""
    if (order.width is None) != (order.height is None):
        raise Rejected("missingDimensionParameters", "only together", parameter=_SIDES)
    for name, side in (("width", order.width), ("height", order.height)):
        if side is not None and side < 1:
            raise _invalid(name, "a number of pixels")
    if not math.isfinite(order.duration) or order.duration <= 0:
        raise _invalid("duration", "a number of seconds")
    if order.results < 1:
        raise _invalid("numberResults", "at least 1")
    if order.guidance is not None and not math.isfinite(order.guidance):
        raise _invalid("CFGScale", "a number")


def _check_size(order: Order, model: Model) -> None:
    if order.width is None or order.height is None:
        return
    if not model.sizes:
        raise Rejected("unsupportedParameter", "the size follows the picture", parameter=_SIDES)
    if (order.width, order.height) not in model.sizes:
        allowed = ", ".join(f"{width}x{height}" for width, height in model.sizes)
        raise Rejected("unsupportedDimensions", allowed, parameter=_SIDES)


def _check_amounts(order: Order, model: Model) -> None:
    if order.duration not in model.durations:
        allowed = ", ".join(f"{duration:g}" for duration in model.durations)
        raise Rejected("unsupportedDuration", allowed, parameter="duration")
    if order.results > model.most_results:
        raise _invalid("numberResults", f"1 to {model.most_results}")
    if order.seed is not None:
        if model.seed is None:
            raise _unsupported("seed")
        if not model.seed.allows(order.seed):
            raise _invalid("seed", f"{model.seed.least} to {model.seed.most}")


def _check_guidance(value: float | None, model: Model) -> None:
    if value is None:
        return
    rule = model.guidance
    if rule is None:
        raise _unsupported("CFGScale")
    if not rule.allows(value, is_exact=True):
        raise _invalid("CFGScale", f"{rule.least:g} to {rule.most:g} by {rule.step:g}")


def _check_text(name: str, text: str | None, rule: TextRule) -> None:
    capital = name[0].upper() + name[1:]
    if text is None:
        if rule.policy is Policy.REQUIRED:
            raise Rejected(f"missing{capital}", "is required", parameter=name)
    elif rule.policy is Policy.ABSENT:
        raise _unsupported(name)
    elif not rule.least <= len(text) <= rule.most:
        allowed = f"{rule.least} to {rule.most} characters"
        raise Rejected(f"invalid{capital}Length", allowed, parameter=name)


def _encoded(content: bytes) -> str:
    if not content:
        raise _bad_picture("empty")
    return base64.b64encode(content).decode("ascii")


def _bad_picture(why: str) -> Rejected:
    return Rejected("invalidImage", why, parameter=_FRAMES)


def _invalid(name: str, allowed: str) -> Rejected:
    return Rejected(f"invalid{name[0].upper()}{name[1:]}", f"takes {allowed}", parameter=name)


def _unsupported(name: str) -> Rejected:
    return Rejected("unsupportedParameter", "this model does not take it", parameter=name)
