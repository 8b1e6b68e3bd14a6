"""The floor of a delivery: the least that takes clips from one place and posts them at another.

Run as a process, `python -m tests.bench.courier ORDER`, where ORDER is an `Errand` as JSON. It says
that it is there, waits for a line, carries all clips at once, and tells what CPU that took.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass

import aiohttp
import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Clips by their addresses, and the messages of one channel that they answer."""

    clips: list[str]
    statuses: list[int]
    channel_id: int
    api: str
    with_httpx: bool


BOT = {"Authorization": "Bot a-local-token"}


def _message(status: int) -> str:
    return json.dumps(
        {"content": "your clip is ready", "message_reference": {"message_id": f"{status}"}}
    )


async def _by_aiohttp(errand: Errand) -> None:
    url = f"{errand.api}/channels/{errand.channel_id}/messages"

    async def carry(clip: str, status: int) -> None:
        async with http.get(clip) as response:
            content = await response.read()
        form = aiohttp.FormData()
        form.add_field("payload_json", _message(status), content_type="application/json")
        form.add_field("files[0]", content, filename="clip.mp4", content_type="video/mp4")
        async with http.post(url, data=form, headers=BOT) as response:
            response.raise_for_status()

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*map(carry, errand.clips, errand.statuses))


async def _by_httpx(errand: Errand) -> None:
    url = f"{errand.api}/channels/{errand.channel_id}/messages"

    async def carry(clip: str, status: int) -> None:
        content = (await http.get(clip)).content
        response = await http.post(
            url,
            data={"payload_json": _message(status)},
            files={"files[0]": ("clip.mp4", content, "video/mp4")},
            headers=BOT,
        )
        response.raise_for_status()

    async with httpx.AsyncClient(timeout=60) as http:
        await asyncio.gather(*map(carry, errand.clips, errand.statuses))


def main() -> None:
    errand = Errand(**json.loads(sys.argv[1]))
    sys.stdout.write("here\n")
    sys.stdout.flush()
    sys.stdin.readline()
    began = time.process_time()
    asyncio.run(_by_httpx(errand) if errand.with_httpx else _by_aiohttp(errand))
    sys.stdout.write(f"{time.process_time() - began}\n")


if __name__ == "__main__":
    main()
