"""Rate limits: what the headers say, when 429 comes, and what an unmodified client makes of it."""

import io
import time
from collections.abc import AsyncIterator

import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person
from tests.sandbox.discord_client import PING, Api, connected, discord


@pytest.fixture
async def server() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as running:
        yield running


@pytest.fixture
async def api(server: LocalDiscord) -> AsyncIterator[Api]:
    async with Api(server) as client:
        yield client


async def test_the_sixth_message_in_five_seconds_is_refused(api: Api) -> None:
    path = f"/channels/{api.channel('studio')}/messages"
    left = []
    for _ in range(5):
        response, _ = await api.exchange("POST", path, {"content": "x"})
        assert response.status == 200
        left.append(response.headers["X-RateLimit-Remaining"])
    assert left == ["4", "3", "2", "1", "0"]
    response, body = await api.exchange("POST", path, {"content": "x"})
    assert response.status == 429
    assert response.headers["Via"], "without it discord.py takes this for a ban"
    assert response.headers["X-RateLimit-Scope"] == "user"
    assert int(response.headers["Retry-After"]) >= body["retry_after"] > 0
    assert body["global"] is False
    other = f"/channels/{api.channel('general')}/messages"
    assert (await api.call("POST", other, {"content": "x"}))[0] == 200


async def test_the_global_rate_counts_the_bot_token_only(api: Api, server: LocalDiscord) -> None:
    server.set_limits({"global_rate": [3, 5.0]})
    async with Person(server.url, "Mia") as mia:
        await api.register(PING)
        started = await mia.command("ping")
        for _ in range(2):
            assert (await api.call("GET", "/users/@me"))[0] == 200
        response, body = await api.exchange("GET", "/users/@me")
        assert (response.status, body["global"]) == (429, True)
        assert response.headers["X-RateLimit-Global"] == "true"
        assert (await api.callback(started, 5))[0] == 200


async def test_a_webhook_has_five_calls_in_two_seconds_for_each_token(
    api: Api, server: LocalDiscord
) -> None:
    async with Person(server.url, "Mia") as mia:
        await api.register(PING)
        first, second = await mia.command("ping"), await mia.command("ping")
        for started in (first, second):
            await api.callback(started, 5)
        edits = [
            (await api.webhook(first, "PATCH", "/messages/@original", {"content": "x"}))[0]
            for _ in range(6)
        ]
        assert edits == [200] * 5 + [429]
        edit = await api.webhook(second, "PATCH", "/messages/@original", {"content": "x"})
        assert edit[0] == 200


async def test_follow_ups_share_the_rate_of_their_channel(api: Api, server: LocalDiscord) -> None:
    server.set_limits({"followup_channel_rate": [1, 60.0]})
    async with Person(server.url, "Mia") as mia:
        await api.register(PING)
        statuses = []
        for _ in range(2):
            started = await mia.command("ping")
            await api.callback(started, 4, {"content": "x"})
            status, _ = await api.webhook(started, "POST", payload={"content": "more"})
            statuses.append(status)
    assert statuses == [200, 429]


async def test_limits_can_be_switched_off(api: Api, server: LocalDiscord) -> None:
    server.set_limits({"rate_limits_enabled": False})
    path = f"/channels/{api.channel('studio')}/messages"
    for _ in range(8):
        response, _ = await api.exchange("POST", path, {"content": "x"})
        assert response.status == 200
        assert "X-RateLimit-Limit" not in response.headers


async def test_discord_py_waits_and_loses_nothing() -> None:
    limits = Limits(message_create_rate=(2, 0.3))
    async with LocalDiscord(limits=limits) as server, connected(server) as bot:
        channel = discord.utils.get(bot.get_all_channels(), name="studio")
        assert isinstance(channel, discord.TextChannel)
        began = time.monotonic()
        for number in range(5):
            await channel.send(str(number), file=discord.File(io.BytesIO(b"x"), "x.bin"))
        assert time.monotonic() - began >= 0.5
        assert [one.content for one in server.messages] == ["0", "1", "2", "3", "4"]
