"""Threads: started from a message or in a channel, archived, deleted.

Plain channels are changed and deleted here too, for it is the same route.
"""

from aiohttp import web

from bot.sandbox.discord import payloads
from bot.sandbox.discord.access import Access
from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.errors import ApiError, FormErrors, Refusal
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.front import Reply
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import THREAD, Channel, World

_NAME_MAX = 100


class Threads:
    """Answers the thread routes."""

    def __init__(self, world: World, access: Access, feed: Feed) -> None:
        self._world = world
        self._access = access
        self._feed = feed

    async def from_message(self, request: web.Request) -> Reply:
        """POST /channels/{c}/messages/{m}/threads. The thread takes the message's id."""
        channel = self._access.channel(
            request.match_info["channel_id"], Permission.CREATE_PUBLIC_THREADS
        )
        message = self._access.message(channel, request.match_info["message_id"])
        if message.thread_id is not None:
            raise ApiError(Refusal.THREAD_EXISTS)
        thread = await self._open(request, channel, message.id)
        message.thread_id = thread.id
        self._feed.channel_event("THREAD_CREATE", thread)
        self._feed.message_updated(message)
        return Reply(201, payloads.channel(self._world, thread))

    async def create(self, request: web.Request) -> Reply:
        """POST /channels/{c}/threads: a thread without a message."""
        channel = self._access.channel(
            request.match_info["channel_id"], Permission.CREATE_PUBLIC_THREADS
        )
        thread = await self._open(request, channel, self._world.ids.next())
        self._feed.channel_event("THREAD_CREATE", thread)
        return Reply(201, payloads.channel(self._world, thread))

    async def edit(self, request: web.Request) -> JSON:
        """PATCH /channels/{t}: rename, archive, lock."""
        channel = self._access.channel(request.match_info["channel_id"])
        mine = channel.is_thread and channel.owner_id == self._world.bot.id
        manages = Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS
        if not mine and not self._world.may(self._world.bot.id, channel, manages):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        body = await read_body(request, self._world.limits.request_limit_bytes)
        channel.name = body.form.get("name") or channel.name
        channel.archived = bool(body.form.get("archived", channel.archived))
        channel.locked = bool(body.form.get("locked", channel.locked))
        event = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
        self._feed.channel_event(event, channel)
        return payloads.channel(self._world, channel)

    async def delete(self, request: web.Request) -> JSON:
        """DELETE /channels/{id}: needs MANAGE_THREADS or MANAGE_CHANNELS."""
        channel = self._access.channel(request.match_info["channel_id"])
        manages = Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS
        if not channel.is_direct and not self._world.may(self._world.bot.id, channel, manages):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        self.remove(channel)
        return payloads.channel(self._world, channel)

    def remove(self, channel: Channel) -> None:
        """Take a channel or thread out of the world, with its threads."""
        for thread in [one for one in self._world.channels.values() if one.parent_id == channel.id]:
            self.remove(thread)
        del self._world.channels[channel.id]
        self._feed.channel_event(
            "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE", channel
        )

    async def _open(self, request: web.Request, channel: Channel, thread_id: str) -> Channel:
        body = await read_body(request, self._world.limits.request_limit_bytes)
        errors = FormErrors()
        errors.text(("name",), body.form.get("name"), 1, _NAME_MAX)
        errors.check()
        thread = Channel(
            id=thread_id,
            type=THREAD,
            guild_id=channel.guild_id,
            name=body.form["name"],
            nsfw=channel.nsfw,
            position=channel.position,
            parent_id=channel.id,
            owner_id=self._world.bot.id,
            auto_archive_minutes=body.form.get("auto_archive_duration") or 1440,
        )
        self._world.channels[thread.id] = thread
        return thread
