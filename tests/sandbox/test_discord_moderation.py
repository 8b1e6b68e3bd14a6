"""What members and moderators do to each other's messages, and what the bot is told of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person, PersonError
from tests.sandbox.discord_client import JSON, Api, connected, discord, png

KINDS = [chr(0x1F600 + number) for number in range(21)]


@dataclass
class Square:
    """A server with a member, a moderator and the bot's token in it."""

    server: LocalDiscord
    api: Api
    mia: Person
    noah: Person
    kim: Person
    #: What the bot heard, as discord.py understood it.
    heard: list[Any] = field(default_factory=list)

    def sent(self, name: str) -> list[JSON]:
        """The data of every event of a name that went to the bot."""
        every = self.server.gateway_server.sent
        return [orjson.loads(data) for one, data in every if one == name]


@pytest.fixture
async def square() -> AsyncIterator[Square]:
    async with (
        LocalDiscord(limits=Limits(rate_limits_enabled=False)) as server,
        Api(server) as api,
        Person(server.url, "Mia") as mia,
        Person(server.url, "Noah") as noah,
        Person(server.url, "Kim") as kim,
    ):
        made = Square(server, api, mia, noah, kim)

        async def hear(payload: Any) -> None:
            made.heard.append(payload)

        listeners = {
            "on_raw_reaction_add": hear,
            "on_raw_reaction_remove": hear,
            "on_raw_reaction_clear": hear,
            "on_raw_reaction_clear_emoji": hear,
            "on_raw_message_delete": hear,
            "on_raw_bulk_message_delete": hear,
            "on_raw_message_edit": hear,
        }
        async with connected(server, events=listeners):
            yield made


async def heard(square: Square, kind: type[Any]) -> Any:
    """Wait for an event of discord.py's that is of this kind, and return it."""
    async with asyncio.timeout(5):
        while True:
            for one in square.heard:
                if isinstance(one, kind):
                    square.heard.remove(one)
                    return one
            await asyncio.sleep(0.01)


async def test_a_reaction_says_who_on_whose_message_and_whether_it_bursts(square: Square) -> None:
    posted = await square.mia.send("look")
    await square.noah.react(posted, "🎬")
    plain = await heard(square, discord.RawReactionActionEvent)
    assert (str(plain.user_id), str(plain.message_author_id)) == (square.noah.id, square.mia.id)
    assert plain.member.name == "noah"
    assert not plain.burst
    await square.kim.react(posted, "🎬", burst=True)
    burst = await heard(square, discord.RawReactionActionEvent)
    assert burst.type is discord.ReactionType.burst
    assert square.sent("MESSAGE_REACTION_ADD")[-1]["burst_colors"]
    told = square.mia.now(posted)["reactions"][0]
    assert told["count_details"] == {"burst": 1, "normal": 1}
    await square.noah.unreact(posted, "🎬")
    gone = await heard(square, discord.RawReactionActionEvent)
    assert (gone.event_type, str(gone.user_id)) == ("REACTION_REMOVE", square.noah.id)


async def test_a_message_takes_twenty_kinds_of_reaction(square: Square) -> None:
    posted = await square.mia.send("look")
    for kind in KINDS[:20]:
        await square.mia.react(posted, kind)
    with pytest.raises(PersonError, match="Maximum number of reactions"):
        await square.mia.react(posted, KINDS[20])
    await square.noah.react(posted, KINDS[0])
    path = f"/channels/{posted['channel_id']}/messages/{posted['id']}/reactions"
    status, refused = await square.api.call("PUT", f"{path}/%E2%8F%B3/@me")
    assert (status, refused["code"]) == (400, 30010)


async def test_who_may_not_add_reactions_may_still_join_in(square: Square) -> None:
    posted = await square.mia.send("look")
    await square.mia.react(posted, "🎬")
    world = square.server.world
    world.channels[posted["channel_id"]].overwrites[square.noah.id] = (0, 1 << 6)
    with pytest.raises(PersonError):
        await square.noah.react(posted, "👍")
    await square.noah.react(posted, "🎬")
    await square.mia.wait_for_event("REACTIONS", lambda data: data["reactions"][0]["count"] == 2)


async def test_only_moderators_take_reactions_off_others(square: Square) -> None:
    posted = await square.mia.send("look")
    await square.mia.react(posted, "🎬")
    with pytest.raises(PersonError, match="403"):
        await square.noah.unreact(posted, "🎬", whose="Mia")
    with pytest.raises(PersonError, match="403"):
        await square.noah.clear_reactions(posted)
    path = f"/channels/{posted['channel_id']}/messages/{posted['id']}/reactions/%F0%9F%8E%AC"
    status, refused = await square.api.call("DELETE", f"{path}/{square.mia.id}")
    assert (status, refused["code"]) == (403, 50013)
    await square.kim.unreact(posted, "🎬", whose="Mia")
    await square.mia.wait_for_event("REACTIONS", lambda data: data["reactions"] == [])


async def test_reactions_cleared_at_once_are_one_event(square: Square) -> None:
    posted = await square.mia.send("look")
    for person in (square.mia, square.noah):
        for emoji in ("🎬", "👍"):
            await person.react(posted, emoji)
    await square.kim.clear_reactions(posted, "🎬")
    cleared = await heard(square, discord.RawReactionClearEmojiEvent)
    assert str(cleared.emoji) == "🎬"
    await square.kim.clear_reactions(posted)
    assert str((await heard(square, discord.RawReactionClearEvent)).message_id) == posted["id"]
    assert square.sent("MESSAGE_REACTION_REMOVE") == []


async def test_a_moderators_deletion_reaches_the_bot(square: Square) -> None:
    posted = await square.mia.send("look", await square.mia.attach(png(), "cat.png"))
    with pytest.raises(PersonError, match="403"):
        await square.noah.delete(posted)
    await square.kim.delete(posted)
    assert str((await heard(square, discord.RawMessageDeleteEvent)).message_id) == posted["id"]


async def test_several_messages_deleted_at_once_are_one_event(square: Square) -> None:
    posted = [await square.mia.send(f"number {number}") for number in range(3)]
    with pytest.raises(PersonError, match="403"):
        await square.noah.purge(*posted)
    await square.kim.purge(*posted)
    gone = await heard(square, discord.RawBulkMessageDeleteEvent)
    assert gone.message_ids == {int(one["id"]) for one in posted}
    assert square.sent("MESSAGE_DELETE") == []
    for one in posted:
        await square.mia.wait_until_gone(one)


async def test_the_bot_deletes_several_with_the_right_to(square: Square) -> None:
    posted = [await square.mia.send(f"number {number}") for number in range(2)]
    path = f"/channels/{posted[0]['channel_id']}/messages/bulk-delete"
    ids = [one["id"] for one in posted]
    status, refused = await square.api.call("POST", path, {"messages": ids})
    assert (status, refused["code"]) == (403, 50013)
    await square.mia.control(
        "PATCH", "channel", {"channel_id": posted[0]["channel_id"], "allow": ["MANAGE_MESSAGES"]}
    )
    status, refused = await square.api.call("POST", path, {"messages": ids[:1]})
    assert (status, refused["code"]) == (400, 50016)
    status, refused = await square.api.call("POST", path, {"messages": ["1", *ids]})
    assert (status, refused["code"]) == (400, 50034)
    assert (await square.api.call("POST", path, {"messages": ids}))[0] == 204
    await square.mia.wait_until_gone(posted[0])


async def test_an_edit_reaches_the_bot_and_keeps_who_was_mentioned(square: Square) -> None:
    first = await square.noah.send("first")
    quiet = await square.mia.reply(first, "quiet", ping=False)
    loud = await square.mia.reply(first, "loud")
    assert (await square.mia.edit(quiet, "still quiet"))["mentions"] == []
    assert [one["id"] for one in (await square.mia.edit(loud, "still loud"))["mentions"]] == [
        square.noah.id
    ]
    event = await heard(square, discord.RawMessageUpdateEvent)
    assert (str(event.message_id), event.data["content"]) == (quiet["id"], "")
    assert event.data["edited_timestamp"]
    with pytest.raises(PersonError, match="403"):
        await square.noah.edit(quiet, "not mine")


async def test_a_reply_to_an_answer_of_a_command_does_not_mention_the_bot(square: Square) -> None:
    await square.api.register({"name": "ping", "description": "Answer"})
    started = await square.mia.command("ping")
    await square.api.callback(started, 4, {"content": "pong"})
    answer = await square.mia.wait_for_reply(started)
    assert (await square.mia.reply(answer, "thanks"))["mentions"] == []
    path = f"/channels/{answer['channel_id']}/messages"
    _, plain = await square.api.call("POST", path, {"content": "by token"})
    mentioned = (await square.mia.reply(plain, "thanks"))["mentions"]
    assert [one["username"] for one in mentioned] == ["animate-bot"]
