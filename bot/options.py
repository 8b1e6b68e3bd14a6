"""What a person has chosen for a clip, and what fills in the rest: their own settings, the model.

Pure, and the same for every door. That a choice is one the model has, `catalog.py` decides.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.catalog import AUTO, Model, Policy
from bot.members import MemberSettings
from bot.picker import SHAPES
from bot.tongue import tongue
from bot.wish import Fit, Wish

_TIME = re.compile(r"(\d{1,3}(?:\.\d)?)(?:s|sec|seconds?)")
_TIMES = re.compile(r"(?:x(\d{1,2})|(\d{1,2})x)")
_SPACED = re.compile(r"\b(\d{1,3}(?:\.\d)?) +(s|sec|seconds?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """None is left open."""

    duration: float | None = None
    shape: str | None = None
    fit: Fit | None = None
    guidance: float | None = None
    results: int | None = None
    prompt: str | None = None
    negative: str | None = None
    seed: int | None = None
    is_private: bool | None = None
    is_spoiler: bool | None = None
    is_filled_in: bool = False
    """Whether nothing is left to the member's own settings."""

    def filled_in(self, settings: MemberSettings, model: Model) -> "Options":
        """Return these with the member's own settings where they leave something open.

        A setting that the model does not have is left to the model.
        """
        duration = settings.duration if settings.duration in model.durations else None
        shape = settings.shape if settings.shape in model.shapes else None
        return replace(
            self,
            duration=duration if self.duration is None else self.duration,
            shape=shape if self.shape is None else self.shape,
            fit=settings.fit if self.fit is None else self.fit,
            is_private=settings.is_private if self.is_private is None else self.is_private,
            is_filled_in=True,
        )

    def wish(self, locale: str, most_bytes: int | None = None) -> Wish:
        """Return what of it the video service has no part in."""
        return Wish(
            locale=locale,
            shape=AUTO if self.shape is None else self.shape,
            fit=self.fit or Fit.CROP,
            is_private=bool(self.is_private),
            is_spoiler=bool(self.is_spoiler),
            most_bytes=most_bytes,
        )


def read(text: str, model: Model, locale: str) -> Options:
    """Read what somebody has written beside a mention: "10s wide x3 pad spoiler".

    Where the model takes a prompt, these words come first and the rest is the prompt; where it
    takes none they may stand anywhere, and what else is written is nobody's affair.
    """
    words = _SPACED.sub(r"\1\2", text).split()
    found: dict[str, object] = {}
    rest: list[str] = []
    has_prompt = model.prompt.policy is not Policy.ABSENT
    for word in words:
        known = None if rest and has_prompt else _known(word, model, locale)
        if known is None:
            rest.append(word)
        else:
            found[known[0]] = known[1]
    if rest and has_prompt:
        found["prompt"] = " ".join(rest)
    return replace(Options(), **found)  # type: ignore[arg-type] # each of its own type


def _known(word: str, model: Model, locale: str) -> tuple[str, object] | None:
    """Return the option that a word names, and its value; None where it is just a word."""
    word = word.lower().strip(",.;")
    if match := _TIME.fullmatch(word):
        return "duration", float(match[1])
    if match := _TIMES.fullmatch(word):
        return "results", int(match[1] or match[2])
    if word in (Fit.CROP, Fit.PAD):
        return "fit", Fit(word)
    if word == "spoiler":
        return "is_spoiler", True
    shape = next((name for said, name in _shapes(model, locale) if word == said), None)
    return None if shape is None else ("shape", shape)


def _shapes(model: Model, locale: str) -> Iterator[tuple[str, str]]:
    """List what may be said for a shape, and the shape; one that the model lacks stays a word."""
    say = tongue(locale)
    yield AUTO, AUTO
    for name in model.shapes:
        yield from ((part, name) for part in name.split())
    for word in SHAPES:
        name = next((name for name in model.shapes if name.startswith(word)), word)
        yield from ((word, name), (say(word).lower(), name))
