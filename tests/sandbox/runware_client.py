"""A plain client of the local Runware, for its tests: sends tasks, waits, reads the control."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import orjson
from PIL import Image

from bot.sandbox.runware.server import LocalRunware

Json = dict[str, Any]


def picture(width: int = 640, height: int = 480, kind: str = "JPEG", **options: Any) -> bytes:
    """A smooth picture whose four corners differ, so that a turn or a cut shows."""
    small = Image.new("RGB", (2, 2))
    small.putdata([(230, 40, 40), (40, 200, 60), (50, 80, 230), (240, 220, 60)])
    made = io.BytesIO()
    small.resize((width, height), Image.Resampling.BICUBIC).save(made, kind, **options)
    return made.getvalue()


def data_uri(content: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()


PICTURE = data_uri(picture())


def video_task(**fields: Any) -> Json:
    """A valid task; fields are added or replaced, and left out where `None`."""
    task = {
        "taskType": "videoInference",
        "taskUUID": str(uuid4()),
        "model": "klingai:2@1",
        "inputs": {"frameImages": [{"image": PICTURE, "frame": "first"}]},
    } | fields
    return {name: value for name, value in task.items() if value is not None}


class Client:
    """Talks to one service as a customer does, and to its control interface."""

    def __init__(self, runware: LocalRunware, http: aiohttp.ClientSession) -> None:
        self.runware, self.http = runware, http

    async def post(self, *tasks: Any, **options: Any) -> tuple[int, Json]:
        options.setdefault("headers", {"Authorization": "Bearer test-key"})
        body = io.BytesIO(orjson.dumps(tasks))
        async with self.http.post(self.runware.url, data=body, **options) as response:
            return response.status, await response.json()

    async def submit(self, **fields: Any) -> str:
        task = video_task(**fields)
        status, answer = await self.post(task)
        assert (status, answer) == (
            200,
            {"data": [{"taskType": "videoInference", "taskUUID": task["taskUUID"]}]},
        )
        return str(task["taskUUID"])

    async def refusal(self, *, status: int = 400, **fields: Any) -> Json:
        """The one error with which a task is refused."""
        answered, answer = await self.post(video_task(**fields))
        assert answered == status, answer
        assert answer["data"] == []
        (error,) = answer["errors"]
        assert isinstance(error, dict)
        return error

    async def look(self, uuid: str) -> tuple[int, Json]:
        return await self.post({"taskType": "getResponse", "taskUUID": uuid})

    async def ended(self, uuid: str) -> Json:
        """The answer once nothing is running any more."""
        while True:
            answer = (await self.look(uuid))[1]
            running = [item for item in answer["data"] if item["status"] == "processing"]
            if not running and (answer["data"] or "errors" in answer):
                return answer
            await asyncio.sleep(0.02)

    async def result(self, uuid: str) -> Json:
        """The one item of data of a task that succeeded."""
        (item,) = (await self.ended(uuid))["data"]
        assert isinstance(item, dict)
        return item

    async def fetch(self, url: str, **headers: str) -> tuple[int, bytes]:
        async with self.http.get(url, headers=headers) as response:
            return response.status, await response.read()

    async def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        url = f"{self.runware.base_url}/sandbox/control/{path}"
        async with self.http.request(method, url, json=body) as response:
            if response.content_type != "application/json":
                return response.status, await response.read()
            return response.status, await response.json()


@asynccontextmanager
async def client_of(**settings: Any) -> AsyncIterator[Client]:
    """A service of its own, that renders nothing and takes no time unless told otherwise."""
    settings = {"render_seconds": 0, "canned": True} | settings
    async with LocalRunware(**settings) as runware, aiohttp.ClientSession() as http:
        yield Client(runware, http)
