"""Threads: started from a message or in a channel, by the bot or a person, archived, deleted.

Plain channels are changed and deleted here too, for it is the same route.
"""

from aiohttp import web

from bot.sandbox.discord import payloads
from bot.sandbox.discord.access import Access
from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.errors import ApiError, FormErrors, PeopleError, Refusal
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.front import Reply
from bot.sandbox.discord.guarded import guarded
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.stage import Stage
from bot.sandbox.discord.world import THREAD, Channel, World

_NAME_MAX = 100


class Threads:
    """Answers the thread routes."""

    def __init__(self, world: World, access: Access, stage: Stage, feed: Feed) -> None:
        self._world = world
        self._access = access
        self._stage = stage
        self._feed = feed

    def add_routes(self, app: web.Application) -> None:
        """Register the people's route."""
        app.router.add_post("/sandbox/threads", guarded(self._start))

    async def from_message(self, request: web.Request) -> Reply:
        """POST /channels/{c}/messages/{m}/threads. The thread takes the message's id."""
        channel = self._access.channel(
            request.match_info["channel_id"], Permission.CREATE_PUBLIC_THREADS
        )
        message = self._access.message(channel, request.match_info["message_id"])
        body = await read_body(request, self._world.limits.request_limit_bytes)
        thread = self._open(channel, self._world.bot.id, body.form, message)
        return Reply(201, payloads.channel(self._world, thread))

    async def create(self, request: web.Request) -> Reply:
        """POST /channels/{c}/threads: a thread without a message."""
        channel = self._access.channel(
            request.match_info["channel_id"], Permission.CREATE_PUBLIC_THREADS
        )
        body = await read_body(request, self._world.limits.request_limit_bytes)
        thread = self._open(channel, self._world.bot.id, body.form)
        return Reply(201, payloads.channel(self._world, thread))

    async def _start(self, request: web.Request) -> JSON:
        """Start a thread as a person: on a message, if one is named."""
        form = await self._stage.form(request)
        person, channel = self._stage.place(form)
        if not self._world.may(person.id, channel, Permission.CREATE_PUBLIC_THREADS):
            raise PeopleError(403, "You cannot start threads in this channel.")
        named = form.get("message_id")
        message = None if named is None else self._stage.message(person, channel, named)
        if message is not None and message.ephemeral:
            raise PeopleError(400, "You cannot start a thread on this message.")
        return payloads.channel(self._world, self._open(channel, person.id, form, message))

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

    def _open(
        self, channel: Channel, owner_id: str, form: JSON, message: Message | None = None
    ) -> Channel:
        """Make a thread and announce it."""
        if message is not None and message.thread_id is not None:
            raise ApiError(Refusal.THREAD_EXISTS)
        errors = FormErrors()
        errors.text(("name",), form.get("name"), 1, _NAME_MAX)
        errors.check()
        thread = Channel(
            id=self._world.ids.next() if message is None else message.id,
            type=THREAD,
            guild_id=channel.guild_id,
            name=form["name"],
            nsfw=channel.nsfw,
            position=channel.position,
            parent_id=channel.id,
            owner_id=owner_id,
            auto_archive_minutes=form.get("auto_archive_duration") or 1440,
        )
        self._world.channels[thread.id] = thread
        self._feed.channel_event("THREAD_CREATE", thread)
        if message is not None:
            message.thread_id = thread.id
            self._feed.message_updated(message)
        return thread
