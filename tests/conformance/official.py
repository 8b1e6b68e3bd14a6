"""The official client as our tests see it: an environment of its own, and a process in it."""

import asyncio
import json
import subprocess
from typing import Any, Self

from bot.sandbox.runware.server import LocalRunware
from tests.conftest import ROOT

PYTHON = ROOT / ".venv" / "conformance" / "bin" / "python"
"""An installation of `requirements.txt` beside this file, and of nothing else."""

Json = dict[str, Any]


class OfficialClient:
    """`with OfficialClient() as official:` a process that makes one call, or several, at a time.

    Loading the client takes most of a second, so one process serves many tests. Each call has a
    client of its own: `config` is its configuration, beside the address and a key.
    """

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            (PYTHON, "-m", "tests.conformance.driver"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.kill()
        self._process.communicate()

    async def outcomes(
        self, runware: LocalRunware, *calls: tuple[str, Json], **config: Any
    ) -> list[Json]:
        """Make these calls (a method, its parameters) at the same time.

        Returns for each `{"result": …}`, or `{"error": …}` with the fields of the exception.
        """
        address = {
            "http_base_url": runware.url,
            "ws_base_url": runware.url.replace("http", "ws", 1),
        }
        whole = {"api_key": "test-key", "transport": "rest"} | address | config
        line = json.dumps({"config": whole, "calls": calls}).encode()
        outcomes = json.loads(await asyncio.to_thread(self._exchange, line))
        assert isinstance(outcomes, list)
        return outcomes

    async def result(
        self, runware: LocalRunware, method: str, parameters: Json, **config: Any
    ) -> list[Json]:
        """Make one call and return what it returned: a list of items."""
        (outcome,) = await self.outcomes(runware, (method, parameters), **config)
        assert "result" in outcome, outcome
        items = outcome["result"]
        assert isinstance(items, list)
        return items

    async def error(
        self, runware: LocalRunware, method: str, parameters: Json, **config: Any
    ) -> Json:
        """Make one call and return what it raised."""
        (outcome,) = await self.outcomes(runware, (method, parameters), **config)
        assert "error" in outcome, outcome
        error = outcome["error"]
        assert isinstance(error, dict)
        return error

    def _exchange(self, line: bytes) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()
