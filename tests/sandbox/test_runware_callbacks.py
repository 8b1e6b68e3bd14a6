"""How the local Runware calls back: webhooks until they are taken, and uploads."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.sandbox.runware_client import client_of


class Listener:
    """Receives what is called back; answers 500 as often as told."""

    def __init__(self) -> None:
        self.url = ""
        self.failures = 0
        self.hooks: list[dict[str, Any]] = []
        self.at: list[float] = []
        self.uploads: list[bytes] = []
        self.news = asyncio.Condition()

    async def hook(self, request: web.Request) -> web.Response:
        self.hooks.append(await request.json())
        self.at.append(time.monotonic())
        self.failures -= 1
        await self.tell()
        return web.Response(status=500 if self.failures >= 0 else 204)

    async def put(self, request: web.Request) -> web.Response:
        self.uploads.append(await request.read())
        await self.tell()
        return web.Response(status=200)

    async def tell(self) -> None:
        async with self.news:
            self.news.notify_all()

    async def received(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(30), self.news:
            await self.news.wait_for(lambda: len(self.hooks) + len(self.uploads) >= count)
        return self.hooks


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/hook", listener.hook)
    app.router.add_put("/upload", listener.put)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield listener
    await runner.cleanup()


async def test_each_result_is_called_back_as_a_flat_object(listener: Listener) -> None:
    async with client_of() as client:
        uuid = await client.submit(webhookURL=listener.url + "/hook", numberResults=2)
        hooks = await listener.received(2)
        found = (await client.ended(uuid))["data"]
        assert sorted(hooks, key=str) == sorted(found, key=str)
        assert client.runware.ledger.webhooks_delivered == 2


async def test_a_webhook_is_tried_again_until_it_is_taken(listener: Listener) -> None:
    listener.failures = 2
    async with client_of() as client:
        await client.submit(webhookURL=listener.url + "/hook")
        await listener.received(3)
        await asyncio.sleep(0.1)
        assert client.runware.ledger.webhook_attempts == 3
        assert client.runware.ledger.webhooks_delivered == 1
    first, second = listener.at[1] - listener.at[0], listener.at[2] - listener.at[1]
    assert 0.2 < first < second


async def test_a_failure_is_called_back_too(listener: Listener) -> None:
    async with client_of() as client:
        await client.control("POST", "outcomes", [{"next": "moderated"}])
        await client.submit(webhookURL=listener.url + "/hook")
        (hook,) = await listener.received(1)
        assert (hook["code"], hook["status"]) == ("invalidProviderContent", "error")


@pytest.mark.parametrize("copies", [0, 2])
async def test_webhooks_can_be_lost_or_doubled(listener: Listener, copies: int) -> None:
    async with client_of(webhook_copies=copies) as client:
        await client.ended(await client.submit(webhookURL=listener.url + "/hook"))
        await listener.received(copies)
        await asyncio.sleep(0.1)
        assert len(listener.hooks) == copies


async def test_a_webhook_can_be_late(listener: Listener) -> None:
    async with client_of(webhook_delay_seconds=0.3) as client:
        await client.ended(await client.submit(webhookURL=listener.url + "/hook"))
        assert listener.hooks == []
        await listener.received(1)


async def test_a_webhook_can_come_before_the_acknowledgement(listener: Listener) -> None:
    async with client_of(webhook_before_ack=True, render_seconds=60) as client:
        uuid = await client.submit(webhookURL=listener.url + "/hook")
        assert listener.hooks[0]["taskUUID"] == uuid
        assert (await client.look(uuid))[1]["data"][0]["status"] == "processing"


async def test_a_clip_is_put_where_the_client_wants_it(listener: Listener) -> None:
    async with client_of() as client:
        result = await client.result(await client.submit(uploadEndpoint=listener.url + "/upload"))
        await listener.received(1)
        assert listener.uploads == [(await client.fetch(result["videoURL"]))[1]]


async def test_nobody_outside_this_machine_is_called(listener: Listener) -> None:
    async with client_of() as client:
        await client.ended(await client.submit(webhookURL="http://192.0.2.1/hook"))
        await asyncio.sleep(0.1)
        assert client.runware.ledger.webhook_attempts == 0
    assert listener.hooks == []
