"""The levers: limits, permissions, channels, faults and the journal of requests."""

import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person, PersonError
from tests.sandbox.discord_client import PING, TOKEN, Api, connected, discord


@pytest.fixture
async def server() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as running:
        yield running


@pytest.fixture
async def mia(server: LocalDiscord) -> AsyncIterator[Person]:
    async with Person(server.url, "Mia") as person:
        yield person


async def test_limits_are_read_and_changed_by_name(server: LocalDiscord, mia: Person) -> None:
    shown = await mia.control("GET", "limits")
    assert shown == Limits().as_json()
    changes = {"token_life_s": 1, "global_rate": [5, 1]}
    changed = await mia.control("PATCH", "limits", changes)
    assert changed["token_life_s"] == 1
    assert server.limits.global_rate == (5, 1.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"speed_of_light": 1},
        {"token_life_s": "long"},
        {"token_life_s": -1},
        {"token_life_s": True},
        {"rate_limits_enabled": 1},
        {"global_rate": [0, 1]},
        {"global_rate": 5},
    ],
)
async def test_nonsense_changes_no_limit(
    server: LocalDiscord, mia: Person, changes: dict[str, object]
) -> None:
    with pytest.raises(PersonError, match="400"):
        await mia.control("PATCH", "limits", changes)
    assert server.limits == Limits()


async def test_an_unknown_lever_is_named(mia: Person) -> None:
    with pytest.raises(PersonError, match="do must be"):
        await mia.control("POST", "gateway", {"do": "dance"})
    with pytest.raises(PersonError, match="no command fly"):
        await mia.control("PATCH", "command", {"name": "fly"})
    studio = mia.channel_id("studio")
    with pytest.raises(PersonError, match="no permission named FLY"):
        await mia.control("PATCH", "channel", {"channel_id": studio, "deny": ["FLY"]})


async def test_a_deleted_channel_is_gone_for_everybody(server: LocalDiscord, mia: Person) -> None:
    studio = mia.channel_id("studio")
    await mia.control("DELETE", "channel", {"channel_id": studio})
    await mia.wait_for_event("CHANNELS")
    with pytest.raises(KeyError):
        mia.channel_id("studio")
    async with Api(server) as api:
        status, refused = await api.call("GET", f"/channels/{studio}")
        assert (status, refused["code"]) == (404, 10003)


async def test_the_journal_leaves_tokens_out(server: LocalDiscord, mia: Person) -> None:
    async with Api(server) as api:
        await api.register(PING)
        started = await mia.command("ping")
        await api.callback(started, 5)
        await api.webhook(started, "PATCH", "/messages/@original", {"content": "done"})
        token = api.token(started)
    listed = await mia.control("GET", "requests")
    assert [(one["method"], one["status"]) for one in listed] == [
        ("PUT", 200),
        ("POST", 200),
        ("PATCH", 200),
    ]
    assert listed[2]["path"].endswith("/{token}/messages/@original")
    assert listed[2]["body"] == {"content": "done"}
    assert token not in str(listed)


async def test_a_fault_meets_an_operation_by_name(server: LocalDiscord, mia: Person) -> None:
    rule = {
        "match": {"label": r"^POST /channels/\{channel_id\}/messages$"},
        "do": "status",
        "status": 500,
        "body": {"message": "500: Internal Server Error", "code": 0},
    }
    await mia.control("POST", "faults", rule)
    async with connected(server) as bot:
        channel = discord.utils.get(bot.get_all_channels(), name="studio")
        assert isinstance(channel, discord.TextChannel)
        await channel.send("in spite of it")
    assert [one.content for one in server.messages] == ["in spite of it"]
    [listed] = await mia.control("GET", "faults")
    assert listed["hits"] == 1


async def test_a_lost_answer_is_repeated_without_a_second_message(
    server: LocalDiscord, mia: Person
) -> None:
    rule = {"match": {"method": "POST", "path": "/messages$"}, "do": "lose_answer"}
    await mia.control("POST", "faults", rule)
    path = f"/channels/{mia.channel_id('studio')}/messages"
    payload = {"content": "once", "nonce": "job-1", "enforce_nonce": True}
    async with Api(server) as api:
        with pytest.raises(aiohttp.ClientError):
            await api.call("POST", path, payload)
        status, _ = await api.call("POST", path, payload)
    assert status == 200
    assert len(server.messages) == 1


async def test_no_token_is_ever_logged(
    server: LocalDiscord, mia: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot.sandbox.discord")
    async with Api(server) as api:
        await api.register(PING)
        started = await mia.command("ping")
        token = api.token(started)
        await api.callback(started, 5)
        await api.webhook(started, "POST", "/slack", {"text": "x"})
        assert (await api.webhook(started, "PATCH", "/messages/@original", [1]))[0] == 400
    assert "no such route: POST /webhooks/" in caplog.text
    assert token not in caplog.text
    assert TOKEN not in caplog.text
