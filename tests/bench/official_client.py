"""The peer: the service's official client, waiting for each clip as it does, all at the same time.

Run in its environment as a process, `python -m tests.bench.official_client ORDER`, where ORDER is a
`LifeOrder` as JSON.
"""

import asyncio
import json
import sys
import time
import uuid
from typing import Any

import runware  # type: ignore[import-not-found] # there is none in the environment of our tools
from runware.utils.file import file_to_data_uri  # type: ignore[import-not-found]

from tests.bench.life import LifeOrder, report


async def _clip(client: Any, picture: str) -> tuple[str, float]:
    """Wait for one clip; the answer is its task and when the result was there."""
    task_uuid = str(uuid.uuid4())
    await client.run(
        {
            "taskType": "videoInference",
            "taskUUID": task_uuid,
            "model": "klingai:2@1",
            "includeCost": True,
            "width": 1280,
            "height": 720,
            "duration": 5,
            "CFGScale": 0.5,
            "inputs": {"frameImages": [{"image": file_to_data_uri(picture), "frame": "first"}]},
        }
    )
    return task_uuid, time.monotonic()


async def live(order: LifeOrder) -> None:
    """Have all clips made and tell what it took."""
    start_s = time.process_time()
    async with runware.Runware(
        api_key="a-key", transport="rest", http_base_url=order.url
    ) as client:
        clips = (_clip(client, order.picture) for _ in range(order.jobs))
        seen = dict(await asyncio.gather(*clips))
        report(start_s, seen)


if __name__ == "__main__":
    asyncio.run(live(LifeOrder(**json.loads(sys.argv[1]))))
