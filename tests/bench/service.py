"""A local Runware in a process of its own, where its work delays nobody who is measured.

Run as a process, `python -m tests.bench.service SETTINGS`, as JSON: it prints where its API is, and
ends when its standard input does.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.sandbox.runware.server import LocalRunware
from tests.conftest import ROOT


@dataclass(frozen=True, slots=True)
class Service:
    """Where it is, and what it counts."""

    url: str

    async def requests(self) -> int:
        """Return how many requests there were to its API so far."""
        async with aiohttp.ClientSession() as http, http.get(self._lever("ledger")) as response:
            return int((await response.json())["requests"])

    async def order(self, **outcome: Any) -> None:
        """Say how the next tasks will end."""
        async with aiohttp.ClientSession(raise_for_status=True) as http:
            await http.post(self._lever("outcomes"), json=[outcome])

    def _lever(self, name: str) -> str:
        return self.url.removesuffix("/v1") + f"/sandbox/control/{name}"


@asynccontextmanager
async def service(**settings: Any) -> AsyncIterator[Service]:
    """Run one with these of its settings."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.service", json.dumps(settings)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Service((await process.stdout.readline()).decode().strip())
    finally:
        process.stdin.close()
        await process.wait()


async def _serve(settings: dict[str, Any]) -> None:
    async with LocalRunware(**settings) as runware:
        sys.stdout.write(f"{runware.url}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1])))
