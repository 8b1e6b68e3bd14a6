"""The operator's choices for clips, from the settings to the channel and to a second home."""

from pathlib import Path

import pytest
from aiohttp import web

from tests.town import clips_of, film, photo_file, town

WEBM = b"\x1aE\xdf\xa3"


class Storage:
    """A store of the operator's own, which keeps what is put into it."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, request: web.Request) -> web.Response:
        self.kept[request.path] = await request.read()
        return web.Response(status=201)


@pytest.mark.parametrize("name", ["WEBM", "MOV"])
async def test_a_clip_is_made_in_the_chosen_format_lands_so_in_the_second_home_and_plays_everywhere(
    tmp_path: Path, name: str
) -> None:
    storage = Storage()
    app = web.Application(client_max_size=100_000_000)
    app.router.add_put("/{name}", storage.put)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    settings = {
        "ANIMATE_OUTPUT_FORMAT": name,
        "ANIMATE_OUTPUT_QUALITY": "60",
        "ANIMATE_SAFETY": "fast",
        "ANIMATE_CLIP_TTL_HOURS": "48",
        "ANIMATE_UPLOAD_ENDPOINT": f"http://127.0.0.1:{runner.addresses[0][1]}/{{task}}?signed=1",
    }
    try:
        async with town(tmp_path, is_rendering=True) as here, here.bot(**settings):
            message = await here.clip(await here.animate(photo_file(800, 800)))
            (content,) = await clips_of(message)
            (task,) = await here.tasks()
            (made,) = storage.kept.values()
            assert message["attachments"][0]["filename"].endswith(".mp4")
            assert content[4:8] == b"ftyp"
            assert content[8:12] != b"qt  "
            assert film(content).codec == "h264"
            assert (film(content).size, film(content).frames) == ((720, 720), film(made).frames)
            assert task["outputFormat"] == name
            assert (task["outputQuality"], task["ttl"]) == (60, 172_800)
            assert task["safety"] == {"checkContent": True, "mode": "fast"}
            assert list(storage.kept) == [f"/{task['taskUUID']}"]
            assert (made[:4] == WEBM) if name == "WEBM" else (made[8:12] == b"qt  ")
            assert here.trouble() == []
    finally:
        await runner.cleanup()
