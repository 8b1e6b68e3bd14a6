"""The service's own records of the models it serves: what each takes, makes and costs.

Written from the provider's documentation, on purpose not from the bot's catalogue, so that the two
can disagree and a test can see it. `validation` reads requests against these.
"""

from dataclasses import dataclass
from typing import Literal

PromptMode = Literal["absent", "optional", "required"]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model. Sizes in pixels, durations in seconds, money in micro-dollars."""

    air: str
    name: str
    slug: str
    sizes: tuple[Size, ...]
    """What may be asked for; empty means no width and height: the size follows the picture."""
    short_side: int = 720
    """Of a clip whose size follows the picture."""
    durations: tuple[int, ...] = (5, 10)
    prompt: PromptMode
    prompt_length: tuple[int, int] = (2, 2500)
    negative_prompt: bool = False
    micro_per_second: int
    frames_per_second: int = 30

    def price_micro(self, seconds: int) -> int:
        """Price of one clip, in micro-dollars."""
        return seconds * self.micro_per_second

    def size_for(self, picture: Size) -> Size:
        """Choose the size of a clip for which none was asked: the nearest in shape, or as it is."""
        shape = picture[0] / picture[1]
        if self.sizes:
            return min(self.sizes, key=lambda size: abs(size[0] / size[1] - shape))
        scale = self.short_side / min(picture)
        return _even(picture[0] * scale), _even(picture[1] * scale)


def _even(pixels: float) -> int:
    return round(pixels / 2) * 2


MODELS = {
    model.air: model
    for model in (
        Model(
            air="klingai:2@1",
            name="KlingAI 1.5 Standard",
            slug="klingai-1-5-standard",
            sizes=((1280, 720), (720, 720), (720, 1280)),
            prompt="absent",
            micro_per_second=36_960,
        ),
        Model(
            air="klingai:6@0",
            name="KlingAI 2.5 Turbo Standard",
            slug="klingai-2-5-turbo-standard",
            sizes=(),
            prompt="required",
            negative_prompt=True,
            micro_per_second=42_000,
        ),
        Model(
            air="klingai:6@1",
            name="KlingAI 2.5 Turbo Pro",
            slug="klingai-2-5-turbo-pro",
            sizes=((1280, 720), (720, 720), (720, 1280)),
            prompt="required",
            negative_prompt=True,
            micro_per_second=70_000,
        ),
    )
}
