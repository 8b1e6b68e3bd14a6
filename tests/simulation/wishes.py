"""What members ask for in a run: who, when, where, and what they were told at the door."""

import colorsys
import hashlib
import io
import random
from dataclasses import dataclass
from functools import cache

from PIL import Image

from bot import image
from bot.intake import Ask
from bot.status import Reply
from bot.task import Frame
from tests.simulation.life import SIDES
from tests.simulation.web import PICTURES

_MOST = 6


@dataclass(slots=True)
class Wish:
    """One `/animate`. Its picture is its own, so that its tasks are known by it."""

    number: int
    guild_id: int
    channel_id: int
    member_id: int
    results: int
    at: float
    again_at: float | None
    """When Discord brings the same event once more."""
    message_id: int | None = None
    job_id: str | None = None
    """Told when it was accepted."""
    is_refused: bool = False

    @property
    def source(self) -> str:
        return f"interaction:{self.number}"

    @property
    def path(self) -> str:
        return f"/attachments/{self.number}.png"

    @property
    def fingerprint(self) -> str:
        """The picture's, as the service sees it."""
        return _sent(self.number)[1]

    @property
    def picture(self) -> bytes:
        return _sent(self.number)[0]

    def ask(self, reply: Reply) -> Ask:
        return Ask(
            source=self.source,
            guild_id=self.guild_id,
            channel_id=self.channel_id,
            member_id=self.member_id,
            status_message_id=self.message_id,
            picture_url=f"https://{PICTURES}{self.path}",
            results=self.results,
            reply=reply,
        )


def wishes(chance: random.Random, until: float) -> list[Wish]:
    """Return those of a run, the first at once, the others before `until` seconds."""
    made = []
    for number in range(1, chance.choice((1, 1, 1, 1, 1, 1, 2, 2, 3, _MOST)) + 1):
        at = 1.0 if number == 1 else chance.choice((1.0, 1.5, chance.uniform(1, until)))
        guild_id = chance.choice((1, 2))
        made.append(
            Wish(
                number=number,
                guild_id=guild_id,
                channel_id=10 * guild_id + chance.choice((0, 1)),
                member_id=chance.choice((100, 101)),
                results=chance.choice((1, 1, 1, 2)),
                at=at,
                again_at=at + chance.uniform(0, 30) if chance.random() < 0.2 else None,
            )
        )
    return made


@cache
def _sent(number: int) -> tuple[bytes, str]:
    """Return a picture of one colour, and the fingerprint of what the bot makes of it."""
    red, green, blue = colorsys.hsv_to_rgb(number / _MOST, 1, 1)
    colour = (round(255 * red), round(255 * green), round(255 * blue))
    out = io.BytesIO()
    Image.new("RGB", SIDES, colour).save(out, "PNG")
    rules = image.Rules(sizes=(SIDES,), least_side=16, most_side=2048, most_pixels=1_000_000)
    frame = image.prepare(out.getvalue(), rules, None)
    sent = Frame.data_uri(frame.jpeg).image
    return out.getvalue(), hashlib.sha256(sent.encode()).hexdigest()[:12]
