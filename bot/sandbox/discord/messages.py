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
from bot.sandbox.discord.previews import Previews
from bot.sandbox.discord.snowflake import is_snowflake, unix_seconds
from bot.sandbox.discord.world import Channel, User, World

_PAGE_DEFAULT, _PAGE_MAX = 50, 100
_BULK_LEAST, _BULK_AGE_S = 2, 14 * 86_400
_FORWARD = 1


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
        previews: Previews,
    ) -> None:
        self._world = world
        self._access = access
        self._drafts = drafts
        self._feed = feed
        self._shapes = shapes
        self._interactions = interactions
        self._previews = previews
        self._creating = asyncio.Lock()

    async def create(self, request: web.Request) -> JSON:
        """POST. An enforced nonce that was seen lately returns the message that carried it."""
        channel = self._sendable(request.match_info["channel_id"])
        body = await read_body(request, self._request_limit(channel))
        nonce = self._drafts.nonce(body.form)
        if not body.form.get("enforce_nonce") or nonce is None:
            return self._shapes.for_app(await self._post(channel, body, nonce))
        # One at a time: a repeat that comes while the first is still being made must find it.
        async with self._creating:
            known = self._world.by_nonce(self._world.bot.id, nonce)
            if known is not None:
                return self._repeated(known)
            return self._shapes.for_app(await self._post(channel, body, nonce))

    async def _post(self, channel: Channel, body: Body, nonce: str | int | None) -> Message:
        """Make a message of a body and put it into its channel."""
        form = body.form
        self._check_rights(channel, body)
        message = new_message(self._world, channel, self._world.bot.id, nonce=nonce)
        message.tts = bool(form.get("tts"))
        self._refer(channel, message, form.get("message_reference"))
        await self._drafts.fill(message, body, upload_limit=self._world.upload_limit(channel))
        channel.archived = False
        self._world.add_message(message)
        self._feed.message_created(message)
        self._previews.follow(message)
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
        return [self._shapes.for_app(one) for one in page]

    async def get(self, request: web.Request) -> JSON:
        """GET one message."""
        channel = self._access.channel(
            request.match_info["channel_id"], Permission.READ_MESSAGE_HISTORY
        )
        message = self._access.message(channel, request.match_info["message_id"])
        return self._shapes.for_app(message)

    async def edit(self, request: web.Request) -> JSON:
        """PATCH one of the bot's own messages, an interaction's public answer included."""
        channel = self._access.channel(request.match_info["channel_id"])
        message = self._access.message(channel, request.match_info["message_id"])
        if message.author_id != self._world.bot.id:
            raise ApiError(Refusal.EDIT_BY_ANOTHER)
        if channel.archived:
            raise ApiError(Refusal.THREAD_ARCHIVED)
        body = await read_body(request, self._request_limit(channel))
        if body.files and not self._has(channel, Permission.ATTACH_FILES):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        was_loading = message.loading
        await self._drafts.fill(message, body, upload_limit=self._world.upload_limit(channel))
        if was_loading:
            self._interactions.settled(message)
        else:
            message.edited_at = time.time()
        self._feed.message_updated(message)
        self._previews.follow(message)
        return self._shapes.for_app(message)

    async def delete(self, request: web.Request) -> None:
        """DELETE the bot's own message, or another's with MANAGE_MESSAGES."""
        channel = self._access.channel(request.match_info["channel_id"])
        message = self._access.message(channel, request.match_info["message_id"])
        mine = message.author_id == self._world.bot.id
        if not mine and not self._has(channel, Permission.MANAGE_MESSAGES):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        self._drafts.erase(message)
        self._feed.message_deleted(message)

    async def delete_many(self, request: web.Request) -> None:
        """POST .../bulk-delete: 2 to 100 messages at once, none older than two weeks."""
        channel = self._access.channel(request.match_info["channel_id"], Permission.MANAGE_MESSAGES)
        body = await read_body(request, self._world.limits.request_limit_bytes)
        ids = {str(one) for one in body.form.get("messages") or []}
        if not _BULK_LEAST <= len(ids) <= _PAGE_MAX:
            raise ApiError(Refusal.BAD_NUMBER_TO_DELETE)
        if any(time.time() - unix_seconds(one) > _BULK_AGE_S for one in ids):
            raise ApiError(Refusal.TOO_OLD_TO_DELETE)
        there = [one for one in channel.messages.values() if one.id in ids and not one.ephemeral]
        for message in there:
            self._drafts.erase(message)
        self._feed.messages_deleted(channel, there)

    def _sendable(self, channel_id: str) -> Channel:
        channel = self._access.channel(channel_id)
        if channel.is_direct:
            self._check_recipient(self._world.users[channel.recipient_id or ""])
        if not self._has(channel, sending_right(channel)):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        if channel.archived and channel.locked:
            raise ApiError(Refusal.THREAD_ARCHIVED)
        return channel

    def _check_recipient(self, person: User) -> None:
        """Check that somebody takes direct messages from the bot."""
        if not person.takes_direct_messages:
            raise ApiError(Refusal.CANNOT_DM)
        bot_id = self._world.bot.id
        if not any(bot_id in guild.members for guild in self._world.guilds_of(person.id)):
            raise ApiError(Refusal.NO_MUTUAL_GUILDS)

    def _request_limit(self, channel: Channel) -> int:
        return self._world.limits.request_limit(self._world.upload_limit(channel))

    def _check_rights(self, channel: Channel, body: Body) -> None:
        if body.files and not self._has(channel, Permission.ATTACH_FILES):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        if body.form.get("embeds") and not self._has(channel, Permission.EMBED_LINKS):
            raise ApiError(Refusal.MISSING_PERMISSIONS)

    def _repeated(self, known: Message) -> JSON:
        """Return the answer to a nonce that was used before."""
        if self._world.message(known.channel_id, known.id) is None:
            raise ApiError(Refusal.UNKNOWN_MESSAGE)
        return self._shapes.for_app(known)

    def _refer(self, channel: Channel, message: Message, reference: object) -> None:
        """Make the message a reply or a forward, if it is one."""
        if not isinstance(reference, dict) or not is_snowflake(reference.get("message_id")):
            return
        if reference.get("type") == _FORWARD:
            self._forward(message, reference)
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
        message.refer_to(found, channel.guild_id)

    def _forward(self, message: Message, reference: JSON) -> None:
        """Copy a message that the bot sees, and whose content it may read."""
        there = self._access.channel(
            str(reference.get("channel_id")), Permission.READ_MESSAGE_HISTORY
        )
        found = self._access.message(there, str(reference["message_id"]))
        if not self._shapes.readable(found):
            raise ApiError(Refusal.FORWARD_UNREADABLE)
        message.forward(found, self._drafts.snapshot(found, message.channel_id), there.guild_id)

    def _has(self, channel: Channel, permission: Permission) -> bool:
        return self._world.may(self._world.bot.id, channel, permission)


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
