"""The gateway: WebSocket connections of the bot, IDENTIFY and RESUME, and who gets which event.

Owns the sessions. `feed.py` hands it events; it knows nothing of what they mean.
"""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from bot.sandbox.discord import guild_payloads, payloads
from bot.sandbox.discord.connection import Connection, GatewayClosed
from bot.sandbox.discord.outbox import Outbox, encoder
from bot.sandbox.discord.session import Intent, Session
from bot.sandbox.discord.world import Guild, World

log = logging.getLogger(__name__)

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT = 0, 1, 2, 6, 7
REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 8, 9, 10, 11
#: Presence and voice updates: accepted and of no consequence here.
_IGNORED = frozenset({3, 4, 31})
_FRAME_MAX_BYTES = 4096
_ACK_AFTER_S = 0.002
_EVENTS_KEPT = 2_000
_KNOWN_INTENTS = (1 << 17) - 1 | 1 << 20 | 1 << 21 | 1 << 24 | 1 << 25


class Gateway:
    """Accepts the bot, and hands every event to the sessions that asked for it."""

    def __init__(self, world: World, token_accepted: Callable[[str], bool]) -> None:
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        #: Called with True when the bot comes online and False when it goes.
        self.on_presence: Callable[[bool], None] = lambda _online: None
        self._world = world
        self._token_accepted = token_accepted
        #: When sessions were started, counted until the window from the first of them is over.
        self._starts: list[float] = []
        #: Every IDENTIFY and RESUME that was received, tokens left out.
        self.received: list[dict[str, Any]] = []
        #: The last events that were sent, as (name, JSON), for the contract test.
        self.sent: deque[tuple[str, bytes]] = deque(maxlen=_EVENTS_KEPT)

    @property
    def online(self) -> bool:
        """Whether any session has a connection."""
        return any(session.outbox is not None for session in self.sessions.values())

    def starts(self) -> dict[str, int]:
        """Return how many sessions may be started, how many still, and the ms until all anew."""
        total, seconds = self._world.limits.session_starts
        passed = time.monotonic() - self._starts[0] if self._starts else seconds
        if passed >= seconds:
            self._starts.clear()
        return {
            "total": total,
            "remaining": max(0, total - len(self._starts)),
            "reset_after": round((seconds - passed) * 1000) if self._starts else 0,
        }

    def publish(
        self,
        event: str,
        data: Any,
        *,
        needs: int = 0,
        guild_id: str | None,
        without_content: Any = None,
    ) -> None:
        """Give an event to the sessions of the guild's shard that have one of the `needs` intents.

        `without_content` replaces `data` for sessions without the message content intent.
        """
        self._forget_lost_sessions()
        full = blank = b""
        for session in self.sessions.values():
            if not session.serves(guild_id) or (needs and not session.intents & needs):
                continue
            if without_content is None or self._has_content(session):
                full = full or orjson.dumps(data)
                self._deliver(session, event, full)
            else:
                blank = blank or orjson.dumps(without_content)
                self._deliver(session, event, blank)

    def _has_content(self, session: Session) -> bool:
        """Whether a session asked for message content, and the portal's switch is still on."""
        asked = session.intents & Intent.MESSAGE_CONTENT
        return bool(asked) and self._world.limits.message_content_enabled

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """GET /gateway: one connection, from HELLO to its end."""
        socket = web.WebSocketResponse(compress=False, max_msg_size=0, autoclose=False)
        await socket.prepare(request)
        connection = Connection(request, Outbox(socket, encoder(request.query.get("compress"))))
        self.connections.add(connection)
        connection.send(HELLO, {"heartbeat_interval": self._world.limits.heartbeat_interval_ms})
        try:
            await self._converse(socket, connection)
            await connection.outlasted()
        except GatewayClosed as closed:
            log.info("gateway closes a connection with %d", closed.code)
            await socket.close(code=closed.code)
        finally:
            self.connections.discard(connection)
            self._leave(connection, socket.close_code)
            await connection.outbox.finish()
        return socket

    async def _converse(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        if connection.request.query.get("v", "10") not in {"9", "10"}:
            raise GatewayClosed(4012)
        async for frame in socket:
            if frame.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                return
            if len(frame.data) > _FRAME_MAX_BYTES:
                raise GatewayClosed(4002)
            connection.count_send()
            try:
                body = orjson.loads(frame.data)
                op, data = body["op"], body.get("d")
            except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
                raise GatewayClosed(4002) from None
            self._receive(connection, op, data)

    def _receive(self, connection: Connection, op: int, data: Any) -> None:
        if op == HEARTBEAT:
            # Not at once, as no network would: discord.py notes the time after it has sent.
            loop = asyncio.get_running_loop()
            loop.call_later(_ACK_AFTER_S, connection.send, HEARTBEAT_ACK)
        elif op == IDENTIFY:
            self._identify(connection, data)
        elif op == RESUME:
            self._resume(connection, data)
        elif connection.session is None:
            raise GatewayClosed(4003)
        elif op == REQUEST_MEMBERS:
            self._send_members(connection.session, data)
        elif op not in _IGNORED:
            raise GatewayClosed(4001)

    def _identify(self, connection: Connection, data: dict[str, Any]) -> None:
        if connection.session is not None:
            raise GatewayClosed(4005)
        self._check_token(data)
        self._check_intents(data.get("intents"))
        number, count = data.get("shard") or (0, 1)
        if not 0 <= number < count:
            raise GatewayClosed(4010)
        if self.starts()["remaining"] <= 0:
            raise GatewayClosed(4004)  # Discord has reset the token
        self._starts.append(time.monotonic())
        self.received.append({"op": IDENTIFY, "d": data | {"token": ""}})
        session = Session(
            secrets.token_hex(16),
            data["intents"],
            (number, count),
            self._world.limits.resume_events_max,
        )
        self._attach(connection, session)
        self._deliver(session, "READY", orjson.dumps(self._ready(session, sharded="shard" in data)))
        for guild in self._served(session) if session.intents & Intent.GUILDS else []:
            whole = guild_payloads.guild_create(self._world, guild)
            self._deliver(session, "GUILD_CREATE", orjson.dumps(whole))

    def _check_token(self, data: Any) -> None:
        token = data.get("token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not self._token_accepted(token):
            raise GatewayClosed(4004)

    def _check_intents(self, intents: Any) -> None:
        limits = self._world.limits
        if not isinstance(intents, int) or intents & ~_KNOWN_INTENTS:
            raise GatewayClosed(4013)
        refused = (
            Intent.MESSAGE_CONTENT * (not limits.message_content_enabled)
            | Intent.GUILD_MEMBERS * (not limits.members_enabled)
            | Intent.GUILD_PRESENCES * (not limits.presences_enabled)
        )
        if intents & refused:
            raise GatewayClosed(4014)

    def _ready(self, session: Session, *, sharded: bool) -> dict[str, Any]:
        world = self._world
        flags = payloads.application_flags(world)
        ready: dict[str, Any] = {
            "v": 10,
            "user": payloads.own_user(world),
            "guilds": [{"id": one.id, "unavailable": True} for one in self._served(session)],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "application": {
                "id": world.application_id,
                "flags": flags,
                "flags_new": str(flags),
            },
        }
        if sharded:
            ready["shard"] = list(session.shard)
        return ready

    def _resume(self, connection: Connection, data: dict[str, Any]) -> None:
        if connection.session is not None:
            raise GatewayClosed(4005)
        self._check_token(data)
        self.received.append({"op": RESUME, "d": data | {"token": ""}})
        self._forget_lost_sessions()
        session = self.sessions.get(str(data.get("session_id")))
        sequence = data.get("seq")
        if session is not None and (not isinstance(sequence, int) or sequence > session.sequence):
            raise GatewayClosed(4007)
        missed = None if session is None else session.missed_since(sequence or 0)
        if session is None or missed is None:
            connection.send(INVALID_SESSION, False)
            return
        if session.outbox is not None:
            session.outbox.close(4000)  # the newer connection wins
        self._attach(connection, session)
        for frame in missed:
            connection.outbox.send(frame)
        self._deliver(session, "RESUMED", b"{}")

    def _attach(self, connection: Connection, session: Session) -> None:
        was_online = self.online
        connection.session = session
        session.attach(connection.outbox)
        self.sessions[session.id] = session
        if not was_online:
            self.on_presence(True)

    def _leave(self, connection: Connection, close_code: int | None) -> None:
        """Keep the session of an ended connection, unless the client said goodbye."""
        session = connection.session
        if session is None or session.outbox is not connection.outbox:
            return
        session.detach()
        if close_code in {1000, 1001} and not connection.outbox.closing:
            self.sessions.pop(session.id, None)
        if not self.online:
            self.on_presence(False)

    def _deliver(self, session: Session, event: str, data: bytes) -> None:
        self.sent.append((event, data))
        session.deliver(event, data)

    def _forget_lost_sessions(self) -> None:
        oldest = time.monotonic() - self._world.limits.resume_window_s
        lost = [s.id for s in self.sessions.values() if s.outbox is None and s.detached_at < oldest]
        for session_id in lost:
            del self.sessions[session_id]

    def forget(self, connection: Connection) -> None:
        """End a connection's session for good; it may identify anew on the same connection."""
        if connection.session is not None:
            self.sessions.pop(connection.session.id, None)
            connection.session = None
            if not self.online:
                self.on_presence(False)

    def close(self) -> None:
        """Close every connection; everybody may resume elsewhere."""
        for connection in self.connections:
            connection.outbox.close(1001)

    def _served(self, session: Session) -> list[Guild]:
        """Return the guilds of a session's shard that the bot is in."""
        guilds = self._world.guilds_of(self._world.bot.id)
        return [one for one in guilds if session.serves(one.id)]

    def _send_members(self, session: Session, data: dict[str, Any]) -> None:
        """Answer a request for members: all of those named, or whose name starts with `query`."""
        world = self._world
        guild = world.guilds.get(str(data.get("guild_id")), world.guild)
        wanted = {str(one) for one in data.get("user_ids") or []}
        query = str(data.get("query") or "").lower()
        found = [
            payloads.member(world, one)
            for one in guild.members.values()
            if (one.user_id in wanted if wanted else _named(world, one.user_id, query))
        ]
        chunk = {
            "guild_id": guild.id,
            "members": found,
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": sorted(wanted - guild.members.keys()),
            "nonce": data.get("nonce"),
        }
        self._deliver(session, "GUILD_MEMBERS_CHUNK", orjson.dumps(chunk))


def _named(world: World, user_id: str, query: str) -> bool:
    return world.users[user_id].username.startswith(query)
