"""Makes the official client do what it is told: runs in its environment, imports nothing of ours.

Reads lines of `{"config": …, "calls": [[method, parameters], …]}`, makes all the calls of a line at
the same time, and answers with a line: for each call `{"result": …}` or `{"error": …}`.
"""

import asyncio
import json
import sys
from typing import Any

import runware  # type: ignore[import-not-found] # there is none in the environment of our tools

Json = dict[str, Any]

_TOLD = ("code", "message", "retryable", "parameter", "task_type", "task_uuid", "status_code")


async def _outcome(client: Any, method: str, parameters: Json) -> Json:
    try:
        return {"result": await getattr(client, method)(parameters)}
    except runware.RunwareError as error:
        return {"error": {name: getattr(error, name) for name in _TOLD}}


async def _outcomes(order: Json) -> list[Json]:
    async with runware.Runware(**order["config"]) as client:
        return await asyncio.gather(*(_outcome(client, *call) for call in order["calls"]))


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(asyncio.run(_outcomes(json.loads(line)))) + "\n")
        sys.stdout.flush()
