"""/channels/{id}/messages: create, list, get, edit, delete, under the bot's permissions."""

import asyncio
import time

from aiohttp import web

from bot.sandbox.discord.access import Access
from bot.sandbox.discord.bodies import Body, read_body
from bot.sandbox.discord.client_payloads import sending_right
from bot.sandbox.discord.drafts import Drafts, new_message
from bot.sandbox.discord.errors import ApiError, FormErrors, Refusal
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.interactions import Interactions
from bot.sandbox.discord.message import JSON, Message, MessageType
from bot.sandbox.discord.message_payloads import MessagePayloads
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.snowflake import is_snowflake
from bot.sandbox.discord.world import Channel, World

_PAGE_DEFAULT, _PAGE_MAX = 50, 100


class Messages:
    """Answers the message routes."""

    def __init__(
        self,
        *,
        world: World,
        access: Access,
        drafts: Drafts,
        feed: Feed,
        shapes: MessagePayloads,
        interactions: Interactions,
    ) -> None:
        self._world = world
        self._access = access
        self._drafts = drafts
        self._feed = feed
        self._shapes = shapes
        self._interactions = interactions
        self._creating = asyncio.Lock()

    async def create(self, request: web.Request) -> JSON:
        """POST. An enforced nonce that was seen lately returns the message that carried it."""
        channel = self._sendable(request.match_info["channel_id"])
        body = await read_body(request, self._world.limits.request_limit_bytes)
        nonce = self._drafts.nonce(body.form)
        if not body.form.get("enforce_nonce") or nonce is None:
            return self._shape(await self._post(channel, body, nonce))
        # One at a time: a repeat that comes while the first is still being made must find it.
        async with self._creating:
            known = self._world.by_nonce(self._world.bot.id, nonce)
            if known is not None:
                return self._repeated(known)
            return self._shape(await self._post(channel, body, nonce))

    async def _post(self, channel: Channel, body: Body, nonce: str | int | None) -> Message:
        """Make a message of a body and put it into its channel."""
        form = body.form
        self._check_rights(channel, body)
        message = new_message(self._world, channel, self._world.bot.id, nonce=nonce)
        message.tts = bool(form.get("tts"))
        self._refer(channel, message, form.get("message_reference"))
        await self._drafts.fill(message, body, upload_limit=self._world.limits.upload_limit_bytes)
        channel.archived = False
        self._world.add_message(message)
        self._feed.message_created(message)
        return message

    async def history(self, request: web.Request) -> list[JSON]:
        """GET the newest messages first, around or before or after an id."""
        channel = self._access.channel(request.match_info["channel_id"])
        if not self._has(channel, Permission.READ_MESSAGE_HISTORY):
            return []
        query = request.query
        limit = query.get("limit", str(_PAGE_DEFAULT))
        if not limit.isdecimal() or not 1 <= int(limit) <= _PAGE_MAX:
            errors = FormErrors()
            message = f"int value should be between 1 and {_PAGE_MAX}."
            errors.add(("limit",), "NUMBER_TYPE_RANGE", message)
            errors.check()
        seen = [one for one in channel.messages.values() if not one.ephemeral]
        page = _page(seen, query.get("before"), query.get("after"), query.get("around"), int(limit))
        return [self._shape(one) for one in page]

    async def get(self, request: web.Request) -> JSON:
        """GET one message."""
        channel = self._access.channel(
            request.match_info["channel_id"], Permission.READ_MESSAGE_HISTORY
        )
        return self._shape(self._access.message(channel, request.match_info["message_id"]))

    async def edit(self, request: web.Request) -> JSON:
        """PATCH one of the bot's own messages, an interaction's public answer included."""
        channel = self._access.channel(request.match_info["channel_id"])
        message = self._access.message(channel, request.match_info["message_id"])
        if message.author_id != self._world.bot.id:
            raise ApiError(Refusal.EDIT_BY_ANOTHER)
        if channel.archived:
            raise ApiError(Refusal.THREAD_ARCHIVED)
        body = await read_body(request, self._world.limits.request_limit_bytes)
        if body.files and not self._has(channel, Permission.ATTACH_FILES):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        was_loading = message.loading
        await self._drafts.fill(message, body, upload_limit=self._world.limits.upload_limit_bytes)
        if was_loading:
            self._interactions.settled(message)
        else:
            message.edited_at = time.time()
        self._feed.message_updated(message)
        return self._shape(message)

    async def delete(self, request: web.Request) -> None:
        """DELETE the bot's own message, or another's with MANAGE_MESSAGES."""
        channel = self._access.channel(request.match_info["channel_id"])
        message = self._access.message(channel, request.match_info["message_id"])
        mine = message.author_id == self._world.bot.id
        if not mine and not self._has(channel, Permission.MANAGE_MESSAGES):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        self._drafts.erase(message)
        self._feed.message_deleted(message)

    def _sendable(self, channel_id: str) -> Channel:
        channel = self._access.channel(channel_id)
        if not self._has(channel, sending_right(channel)):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        if channel.archived and channel.locked:
            raise ApiError(Refusal.THREAD_ARCHIVED)
        return channel

    def _check_rights(self, channel: Channel, body: Body) -> None:
        if body.files and not self._has(channel, Permission.ATTACH_FILES):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        if body.form.get("embeds") and not self._has(channel, Permission.EMBED_LINKS):
            raise ApiError(Refusal.MISSING_PERMISSIONS)

    def _repeated(self, known: Message) -> JSON:
        """Return the answer to a nonce that was used before."""
        if self._world.message(known.channel_id, known.id) is None:
            raise ApiError(Refusal.UNKNOWN_MESSAGE)
        return self._shape(known)

    def _refer(self, channel: Channel, message: Message, reference: object) -> None:
        """Make the message a reply, if it is one."""
        if not isinstance(reference, dict) or not is_snowflake(reference.get("message_id")):
            return
        if not self._has(channel, Permission.READ_MESSAGE_HISTORY):
            raise ApiError(Refusal.REPLY_WITHOUT_HISTORY)
        found = channel.messages.get(str(reference["message_id"]))
        if found is None or found.ephemeral:
            if reference.get("fail_if_not_exists", True):
                errors = FormErrors()
                path = ("message_reference",)
                errors.add(path, "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
                errors.check()
            return
        message.type = MessageType.REPLY
        message.reference = {"type": 0, "message_id": found.id, "channel_id": channel.id}
        if not channel.is_direct:
            message.reference["guild_id"] = self._world.guild.id

    def _has(self, channel: Channel, permission: Permission) -> bool:
        return self._world.may(self._world.bot.id, channel, permission)

    def _shape(self, message: Message) -> JSON:
        """For the REST API the portal's switch decides about content, whatever the intents."""
        return self._shapes.for_app(message, content=self._world.limits.message_content_enabled)


def _page(
    seen: list[Message], before: str | None, after: str | None, around: str | None, limit: int
) -> list[Message]:
    """Return a page of messages, newest first."""
    if after is not None and after.isdecimal():
        return [one for one in seen if int(one.id) > int(after)][:limit][::-1]
    if before is not None and before.isdecimal():
        return [one for one in seen if int(one.id) < int(before)][-limit:][::-1]
    if around is not None and around.isdecimal():
        older = [one for one in seen if int(one.id) <= int(around)][-(limit // 2 + 1) :]
        newer = [one for one in seen if int(one.id) > int(around)][: limit - len(older)]
        return (older + newer)[::-1]
    return seen[-limit:][::-1]
