"""The gateway: identify, resume, compression, intents, and what goes wrong on a bad day."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Any, Self

import aiohttp
import orjson
import pytest
import zstandard

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person
from tests.sandbox.discord_client import JSON, TOKEN, Api, connected, discord

GUILDS, GUILD_MESSAGES, MESSAGE_CONTENT = 1, 1 << 9, 1 << 15


class Line:
    """One gateway connection, spoken by hand."""

    def __init__(self, server: LocalDiscord, compress: str | None = None) -> None:
        self._url = f"{server.gateway}?v=10&encoding=json" + (
            f"&compress={compress}" if compress else ""
        )
        self._unpack: Any = None
        if compress == "zlib-stream":
            self._unpack = zlib.decompressobj()
        elif compress == "zstd-stream":
            self._unpack = zstandard.ZstdDecompressor().decompressobj()
        self._http: aiohttp.ClientSession
        self.socket: aiohttp.ClientWebSocketResponse

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        self.socket = await self._http.ws_connect(self._url)
        assert (await self.read())["op"] == 10
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close(code=4000)
        await self._http.close()

    async def read(self) -> JSON:
        """The next frame."""
        frame = await asyncio.wait_for(self.socket.receive(), 5)
        if frame.type is aiohttp.WSMsgType.BINARY:
            content = self._unpack.decompress(frame.data)
        else:
            assert frame.type is aiohttp.WSMsgType.TEXT, frame
            content = frame.data
        body: JSON = orjson.loads(content)
        return body

    async def until(self, event: str) -> JSON:
        """The data of the next event of this name."""
        while True:
            frame = await self.read()
            if frame["t"] == event:
                data: JSON = frame["d"]
                return data

    async def send(self, op: int, data: Any) -> None:
        await self.socket.send_bytes(orjson.dumps({"op": op, "d": data}))

    async def identify(self, intents: int = GUILDS | GUILD_MESSAGES, **more: Any) -> JSON:
        """IDENTIFY; returns READY."""
        await self.send(2, {"token": TOKEN, "properties": {}, "intents": intents, **more})
        return await self.until("READY")

    async def closed(self) -> int | None:
        """The close code."""
        while True:
            frame = await asyncio.wait_for(self.socket.receive(), 5)
            if frame.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}:
                return self.socket.close_code


@pytest.fixture
async def server() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as running:
        yield running


@pytest.mark.parametrize("compress", [None, "zlib-stream", "zstd-stream"])
async def test_the_guild_follows_ready_however_it_is_compressed(
    server: LocalDiscord, compress: str | None
) -> None:
    async with Line(server, compress) as line:
        ready = await line.identify()
        unavailable = [{"id": one, "unavailable": True} for one in server.world.guilds]
        assert ready["guilds"] == unavailable
        assert ready["application"]["id"] == server.world.application_id
        guild = await line.until("GUILD_CREATE")
        assert [one["name"] for one in guild["channels"]] == [
            "general",
            "studio",
            "gallery",
            "after-dark",
        ]
        assert [one["name"] for one in (await line.until("GUILD_CREATE"))["channels"]] == [
            "lobby",
            "night-studio",
        ]
        await line.send(1, 3)
        assert (await line.read())["op"] == 11


@pytest.mark.parametrize(
    ("op", "data", "code"),
    [
        (2, {"token": "", "intents": 1}, 4004),
        (2, {"token": TOKEN, "intents": 1 << 30}, 4013),
        (2, {"token": TOKEN, "intents": 1 << 1}, 4014),
        (2, {"token": TOKEN, "intents": 1, "shard": [2, 2]}, 4010),
        (8, {}, 4003),
        (99, {}, 4003),
        (2, {"token": "x" * 5000}, 4002),
    ],
)
async def test_a_connection_that_breaks_the_rules_is_closed_with_its_code(
    server: LocalDiscord, op: int, data: JSON, code: int
) -> None:
    async with Line(server) as line:
        await line.send(op, data)
        assert await line.closed() == code


async def test_too_many_frames_close_the_connection(server: LocalDiscord) -> None:
    async with Line(server) as line:
        for _ in range(121):
            await line.send(1, None)
        assert await line.closed() == 4008


async def test_a_resumed_session_gets_what_it_missed(server: LocalDiscord) -> None:
    async with Person(server.url, "Mia") as mia:
        async with Line(server) as line:
            ready = await line.identify()
            await line.until("GUILD_CREATE")
        sent = [await mia.send("one"), await mia.send("two")]
        async with Line(server) as line:
            resume = {"token": TOKEN, "session_id": ready["session_id"], "seq": 2}
            await line.send(6, resume)
            missed = [await line.until("MESSAGE_CREATE") for _ in range(2)]
            assert [one["id"] for one in missed] == [one["id"] for one in sent]
            assert (await line.read())["t"] == "RESUMED"


async def test_a_session_that_is_unknown_or_too_old_must_identify(server: LocalDiscord) -> None:
    async with Line(server) as line:
        ready = await line.identify()
    server.set_limits({"resume_window_s": 0.0})
    await asyncio.sleep(0.01)
    for session_id in ("nobody", ready["session_id"]):
        async with Line(server) as line:
            await line.send(6, {"token": TOKEN, "session_id": session_id, "seq": 1})
            assert await line.read() == {"op": 9, "d": False, "s": None, "t": None}


async def test_a_client_that_says_goodbye_leaves_no_session(server: LocalDiscord) -> None:
    async with Line(server) as line:
        await line.identify()
        await line.socket.close(code=1000)
    async with Person(server.url, "Mia") as mia:
        await mia.wait_for_bot(online=False)
    assert server.gateway_server.sessions == {}


async def test_intents_decide_which_events_come(server: LocalDiscord) -> None:
    async with (
        Line(server) as deaf,
        Line(server) as hearing,
        Person(server.url, "Mia") as mia,
        Api(server) as api,
    ):
        await deaf.identify(GUILDS)
        await hearing.identify(GUILDS | GUILD_MESSAGES)
        message = await mia.send("hello")
        assert (await hearing.until("MESSAGE_CREATE"))["id"] == message["id"]
        await api.call("POST", f"/channels/{message['channel_id']}/threads", {"name": "t"})
        heard = [(await deaf.read())["t"] for _ in range(3)]
        assert heard == ["GUILD_CREATE", "GUILD_CREATE", "THREAD_CREATE"]


async def test_content_comes_with_its_intent_or_an_exemption(server: LocalDiscord) -> None:
    server.set_limits({"message_content_enabled": True})
    async with (
        Line(server) as blind,
        Line(server) as reading,
        Person(server.url, "Mia") as mia,
    ):
        await blind.identify(GUILD_MESSAGES)
        await reading.identify(GUILD_MESSAGES | MESSAGE_CONTENT)
        await mia.send("secret")
        assert (await blind.until("MESSAGE_CREATE"))["content"] == ""
        assert (await reading.until("MESSAGE_CREATE"))["content"] == "secret"
        mention = f"hey <@{server.world.bot.id}>"
        await mia.send(mention)
        assert (await blind.until("MESSAGE_CREATE"))["content"] == mention


async def test_each_shard_serves_its_own_guilds(server: LocalDiscord) -> None:
    async with Line(server) as first, Line(server) as second:
        ready = [await line.identify(shard=[n, 2]) for n, line in enumerate((first, second))]
    assert [one["shard"] for one in ready] == [[0, 2], [1, 2]]
    for number, one in enumerate(ready):
        served = [guild for guild in server.world.guilds if (int(guild) >> 22) % 2 == number]
        assert [guild["id"] for guild in one["guilds"]] == served


async def test_a_channel_that_the_bot_cannot_see_stays_silent(server: LocalDiscord) -> None:
    async with Line(server) as line, Person(server.url, "Mia") as mia:
        await line.identify(GUILD_MESSAGES)
        studio = server.world.channels[mia.channel_id("studio")]
        studio.overwrites[server.world.bot.id] = (0, 1 << 10)
        await mia.send("unseen", channel="studio")
        seen = await mia.send("seen", channel="general")
        assert (await line.until("MESSAGE_CREATE"))["id"] == seen["id"]


async def test_members_are_sent_on_request(server: LocalDiscord) -> None:
    async with Line(server) as line:
        await line.identify()
        request = {"guild_id": server.world.guild.id, "query": "mi", "limit": 0, "nonce": "n"}
        await line.send(8, request)
        chunk = await line.until("GUILD_MEMBERS_CHUNK")
        assert [one["user"]["username"] for one in chunk["members"]] == ["mia"]
        assert chunk["nonce"] == "n"


@pytest.mark.parametrize("shake", ["reconnect", "drop", "close"])
async def test_discord_py_resumes_and_misses_nothing(server: LocalDiscord, shake: str) -> None:
    heard: asyncio.Queue[discord.Message] = asyncio.Queue()
    resumed = asyncio.Event()

    async def on_resumed() -> None:
        resumed.set()

    listeners: dict[str, Any] = {"on_message": heard.put, "on_resumed": on_resumed}
    async with (
        Person(server.url, "Mia") as mia,
        connected(server, events=listeners),
    ):
        await mia.control("POST", "gateway", {"do": shake})
        message = await mia.send("while you were out")
        assert (await asyncio.wait_for(heard.get(), 8)).id == int(message["id"])
        await asyncio.wait_for(resumed.wait(), 8)


async def test_events_can_come_twice(server: LocalDiscord) -> None:
    async with Line(server) as line, Person(server.url, "Mia") as mia:
        await line.identify(GUILD_MESSAGES)
        message = await mia.send("hello")
        await line.until("MESSAGE_CREATE")
        await mia.control("POST", "gateway", {"do": "duplicate"})
        assert (await line.until("MESSAGE_CREATE"))["id"] == message["id"]


async def test_an_invalidated_session_can_identify_anew(server: LocalDiscord) -> None:
    async with Line(server) as line, Person(server.url, "Mia") as mia:
        first = await line.identify()
        await mia.control("POST", "gateway", {"do": "invalidate"})
        while (frame := await line.read())["op"] != 9:
            pass
        assert frame["d"] is False
        await mia.wait_for_bot(online=False)
        second = await line.identify()
        await mia.wait_for_bot()
        assert second["session_id"] != first["session_id"]


async def test_a_kicked_bot_loses_the_guild_and_its_access(server: LocalDiscord) -> None:
    async with Line(server) as line, Person(server.url, "Mia") as mia, Api(server) as api:
        await line.identify()
        await mia.control("POST", "bot", {"do": "kick"})
        assert (await line.until("GUILD_DELETE"))["id"] == server.world.guild.id
        status, refused = await api.call("GET", f"/channels/{api.channel('studio')}")
        assert (status, refused["code"]) == (403, 50001)
        await mia.control("POST", "bot", {"do": "invite"})
        assert (await line.until("GUILD_CREATE"))["id"] == server.world.guild.id


async def test_two_servers_share_nothing() -> None:
    async with LocalDiscord() as one, LocalDiscord(limits=Limits(content_max_chars=5)) as other:
        assert one.port != other.port
        async with Person(one.url, "Mia") as mia:
            await mia.send("longer than five")
        assert (len(one.messages), len(other.messages)) == (1, 0)
