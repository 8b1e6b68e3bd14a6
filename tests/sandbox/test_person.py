"""A person played by code: waiting, watching, and acting in several windows."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.sandbox.discord import LocalDiscord
from bot.sandbox.person import Person
from tests.sandbox.discord_client import PING, Api, png


@pytest.fixture
async def server() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as running:
        yield running


@pytest.fixture
async def mia(server: LocalDiscord) -> AsyncIterator[Person]:
    async with Person(server.url, "Mia") as person:
        yield person


@pytest.mark.parametrize("name", ["Mia", "mia"])
async def test_a_person_is_known_by_name_or_id(server: LocalDiscord, name: str) -> None:
    async with Person(server.url, name) as person, Person(server.url, person.id) as same:
        assert same.id == person.id


async def test_waiting_finds_what_is_there_and_what_comes(mia: Person) -> None:
    first = await mia.send("first")
    assert (await mia.wait_for(lambda one: one["content"] == "first"))["id"] == first["id"]
    coming = asyncio.create_task(mia.wait_for(lambda one: one["content"] == "second"))
    await asyncio.sleep(0)
    second = await mia.send("second")
    assert (await coming)["id"] == second["id"]


async def test_waiting_ends(mia: Person) -> None:
    with pytest.raises(TimeoutError):
        await mia.wait_for(lambda _one: False, within=0.05)


async def test_a_later_window_sees_what_was_said_before(server: LocalDiscord, mia: Person) -> None:
    message = await mia.send("look", await mia.attach(png(), "cat.png"), channel="general")
    await mia.react(message, "🎬")
    async with Person(server.url, "Noah", channel="general") as noah:
        [seen] = noah.messages()
        assert seen["id"] == message["id"]
        assert seen["reactions"][0]["me"] is False
        assert noah.messages("studio") == []


async def test_two_windows_of_one_person_see_the_same(server: LocalDiscord, mia: Person) -> None:
    async with Api(server) as api, Person(server.url, "Mia") as again:
        await api.register(PING)
        started = await mia.command("ping")
        await api.callback(started, 4, {"content": "psst", "flags": 64})
        for window in (mia, again):
            assert (await window.wait_for_reply(started))["content"] == "psst"


async def test_a_reply_pings_unless_told_not_to(mia: Person) -> None:
    first = await mia.send("first")
    loud = await mia.send("loud", reply_to=first)
    quiet = await mia.send("quiet", reply_to=first, ping=False)
    assert [one["id"] for one in loud["mentions"]] == [mia.id]
    assert quiet["mentions"] == []
    assert quiet["referenced_message"]["content"] == "first"


async def test_a_person_speaks_only_where_they_see(mia: Person) -> None:
    with pytest.raises(KeyError):
        await mia.send("hello", channel="secret")


async def test_many_commands_at_once_each_find_their_answer(
    server: LocalDiscord, mia: Person
) -> None:
    async with Api(server) as api:
        await api.register(PING)
        started = await asyncio.gather(*(mia.command("ping") for _ in range(50)))
        for number, one in enumerate(started):
            await api.callback(one, 4, {"content": str(number)})
        replies = await asyncio.gather(*(mia.wait_for_reply(one) for one in started))
    assert [one["content"] for one in replies] == [str(number) for number in range(50)]
