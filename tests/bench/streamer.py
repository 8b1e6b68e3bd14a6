"""The floor of a delivery's memory: a bare script that posts a file from the disk, several at once.

Run as a process, `python -m tests.bench.streamer API CHANNEL FILE COUNT`. It posts once, says that
it is there, waits for a line, posts as many times at once, says so, and ends with its input.
"""

import asyncio
import sys
from pathlib import Path

import aiohttp

from tests.bench.courier import BOT


async def _post(http: aiohttp.ClientSession, url: str, path: Path) -> None:
    with path.open("rb") as file:
        form = aiohttp.FormData()
        form.add_field("payload_json", '{"content": "here"}', content_type="application/json")
        form.add_field("files[0]", file, filename="clip.mp4", content_type="video/mp4")
        async with http.post(url, data=form, headers=BOT) as response:
            response.raise_for_status()


async def _run(api: str, channel: str, file: str, count: str) -> None:
    url = f"{api}/channels/{channel}/messages"
    async with aiohttp.ClientSession() as http:
        await _post(http, url, Path(file))
        await _say("here")
        await asyncio.gather(*(_post(http, url, Path(file)) for _ in range(int(count))))
        await _say("done")


async def _say(word: str) -> None:
    print(word, flush=True)
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
