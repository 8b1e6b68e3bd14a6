"""The video service as the simulation has it: tasks, costs, clips, and its answers on the wire.

It takes each task UUID once, for ever. It knows nothing of the bot.
"""

import asyncio
import hashlib
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.corridor import clip
from tests.simulation.journal import Journal
from tests.simulation.weather import OK, Weather
from tests.simulation.wire import Answer

URL = "https://api.simulated.test/v1"
PRICE_MICRO = 184_800
_JSON = {"content-type": "application/json"}
Json = dict[str, Any]


@dataclass(slots=True)
class Made:
    """One result of a task; without `content` it failed, and costs nothing."""

    video_uuid: str
    content: bytes | None
    cost_micro: int
    renewals: int = 0
    dead_at: float = 0.0
    """When its address dies."""


@dataclass(slots=True)
class Task:
    """What was accepted."""

    uuid: str
    picture: str
    """The picture's fingerprint: whose wish this is, whatever its UUID."""
    accepted_at: float
    shown_at: float
    """Until then a look has no word of it."""
    ready_at: float
    made: list[Made] = field(default_factory=list)

    @property
    def billed_micro(self) -> int:
        return sum(made.cost_micro for made in self.made if made.content is not None)

    @property
    def clips(self) -> list[bytes]:
        return [made.content for made in self.made if made.content is not None]


class Runware:
    """One service. `patience` is how long, in seconds, the bot waits for a word."""

    def __init__(
        self, weather: Weather, journal: Journal, chance: random.Random, patience: float
    ) -> None:
        self._now: Callable[[], float] = asyncio.get_running_loop().time
        self._weather = weather
        self._journal = journal
        self._chance = chance
        self._patience = patience
        self._says_not_found = chance.random() < 0.5
        self._asks_credit_first = chance.random() < 0.5
        self._share_of_clips = chance.choice((0.9, 0.9, 0.4))
        self._hides = chance.choice((0.0, 0.3))
        self.tasks: dict[str, Task] = {}
        self._made: dict[str, Made] = {}

    def answer(self, body: bytes) -> Answer:
        """Answer an array of tasks."""
        data: list[Json] = []
        errors: list[Json] = []
        for task in orjson.loads(body):
            match task["taskType"]:
                case "videoInference":
                    said = [self._submitted(task)]
                case "getResponse":
                    said = self._looked(task["taskUUID"])
                case _:
                    said = [self._account(task)]
            for one in said:
                (errors if "code" in one else data).append(one)
        status = OK if data or not errors else 402 if _is_poor(errors[0]) else 400
        return Answer(status, orjson.dumps({"data": data, "errors": errors}), _JSON)

    def _submitted(self, asked: Json) -> Json:
        name = {"taskType": "videoInference", "taskUUID": asked["taskUUID"]}
        poor = {"code": "insufficientCredits", "message": "no credit"} | name
        is_poor = self._weather.has(self._weather.no_credit, self._now())
        if is_poor and self._asks_credit_first:
            return poor
        if asked["taskUUID"] in self.tasks:
            return {"code": "conflictTaskUUID", "message": "used"} | name
        if is_poor:
            return poor
        self._accept(asked)
        return name

    def _accept(self, asked: Json) -> None:
        chance, now = self._chance, self._now()
        image = asked["inputs"]["frameImages"][0]["image"]
        task = Task(
            uuid=asked["taskUUID"],
            picture=hashlib.sha256(image.encode()).hexdigest()[:12],
            accepted_at=now,
            shown_at=now + (chance.uniform(1, 100) if chance.random() < self._hides else 0),
            ready_at=now + (chance.uniform(5, 30) if chance.random() < 0.97 else 900),
        )
        if self._patience < 3600 and chance.random() < 0.25:
            task.shown_at = now + self._patience * chance.uniform(0.5, 4)
        for _ in range(asked.get("numberResults", 1)):
            made = self._make(task)
            task.made.append(made)
            self._made[made.video_uuid] = made
        self.tasks[task.uuid] = task
        self._journal.note(f"service: takes {task.uuid[:8]}, will bill {task.billed_micro}")

    def _make(self, task: Task) -> Made:
        chance = self._chance
        video_uuid = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        cost = PRICE_MICRO * chance.choice((4, 4, 4, 2, 6)) // 4
        is_well = chance.random() < self._share_of_clips
        content = _clip(video_uuid) if is_well else None
        return Made(video_uuid, content, cost, dead_at=task.ready_at + chance.uniform(200, 4000))

    def _looked(self, task_uuid: str) -> list[Json]:
        task = self.tasks.get(task_uuid)
        name = {"taskType": "videoInference", "taskUUID": task_uuid}
        if task is None or self._now() < task.shown_at:
            if self._says_not_found:
                return [{"code": "taskNotFound", "message": "not found"} | name]
            return []
        if self._now() < task.ready_at:
            return [name | {"status": "processing"} for _ in task.made]
        return [name | self._told(made) for made in task.made]

    def _told(self, made: Made) -> Json:
        if made.content is None:
            return {"code": "contentPolicyViolation", "message": "no", "status": "error"}
        if self._now() >= made.dead_at:
            made.renewals += 1
            made.dead_at = self._now() + 3600
        return {
            "status": "success",
            "videoUUID": made.video_uuid,
            "videoURL": f"https://clips.simulated.test/{made.video_uuid}.mp4?r={made.renewals}",
            "cost": made.cost_micro / 1e6,
        }

    def _account(self, asked: Json) -> Json:
        is_poor = self._weather.has(self._weather.no_credit, self._now())
        return {
            "taskType": asked["taskType"],
            "taskUUID": asked.get("taskUUID"),
            "balance": 0.0 if is_poor else 50.0,
        }

    def download(self, video_uuid: str, query: str, start: int) -> Answer:
        """Serve a clip, or the rest of it from `start`, while its address lives."""
        made = self._made[video_uuid]
        if query != f"r={made.renewals}" or self._now() >= made.dead_at:
            return Answer(403)
        assert made.content is not None
        return Answer(206 if start else OK, made.content[start:])


def _clip(video_uuid: str) -> bytes:
    """Return a real video that there is once: players skip a box called "free"."""
    mark = video_uuid.encode()
    return clip(1, 16, 16) + (8 + len(mark)).to_bytes(4, "big") + b"free" + mark


def _is_poor(error: Json) -> bool:
    return bool(error["code"] == "insufficientCredits")
