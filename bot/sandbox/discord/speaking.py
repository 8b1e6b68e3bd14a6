"""What people say, on their side: messages, edits, forwards, reactions, and what moderators do."""

from typing import Any

from aiohttp import web

from bot.sandbox.discord import mentions
from bot.sandbox.discord.bodies import Body
from bot.sandbox.discord.cdn import Attachment
from bot.sandbox.discord.client_payloads import sending_right
from bot.sandbox.discord.drafts import Drafts, new_message
from bot.sandbox.discord.errors import PeopleError
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.guarded import guarded
from bot.sandbox.discord.message import JSON, Message, MessageFlag
from bot.sandbox.discord.message_payloads import MessagePayloads
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.previews import Previews
from bot.sandbox.discord.reactions import Reactions
from bot.sandbox.discord.stage import Stage
from bot.sandbox.discord.world import Channel, User, World

_EVERYBODY = ["users", "roles", "everyone"]


class Speaking:
    """Answers the people's routes for messages and reactions."""

    def __init__(
        self,
        *,
        world: World,
        stage: Stage,
        drafts: Drafts,
        feed: Feed,
        shapes: MessagePayloads,
        reactions: Reactions,
        previews: Previews,
        uploads: dict[str, Attachment],
    ) -> None:
        self._world = world
        self._stage = stage
        self._drafts = drafts
        self._feed = feed
        self._shapes = shapes
        self._reactions = reactions
        self._previews = previews
        self._uploads = uploads

    def add_routes(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_post("/sandbox/messages", guarded(self._send))
        app.router.add_patch("/sandbox/messages", guarded(self._edit))
        app.router.add_delete("/sandbox/messages", guarded(self._delete))
        app.router.add_post("/sandbox/messages/purge", guarded(self._purge))
        app.router.add_post("/sandbox/forwards", guarded(self._forward))
        app.router.add_get("/sandbox/reactions", guarded(self._reactors))
        app.router.add_put("/sandbox/reactions", guarded(self._react))
        app.router.add_delete("/sandbox/reactions", guarded(self._unreact))

    async def _send(self, request: web.Request) -> JSON:
        """Say something: text, attachments (ids, or objects with more about each), stickers."""
        form = await self._stage.form(request)
        person, channel = self._sending(form)
        message = new_message(self._world, channel, person.id)
        message.attachments = [
            self._attached(one, channel) for one in form.get("attachments") or []
        ]
        self._reply(message, channel, form)
        fields: JSON = {"content": form.get("content") or ""}
        if form.get("sticker_ids"):
            fields["sticker_ids"] = form["sticker_ids"]
        await self._fill(message, channel, fields, ping=bool(form.get("ping", True)))
        return self._said(message, channel)

    async def _edit(self, request: web.Request) -> JSON:
        """Change one's own text, leave out some attachments, or take previews away.

        `attachments` are the ids of those to keep. Moderators may take previews away, too.
        """
        form = await self._stage.form(request)
        person, channel, message = self._stage.acted_on(form)
        moderates = self._moderates(person, channel)
        mine = message.author_id == person.id and message.snapshot is None
        if not mine and not (moderates and form.keys() <= _ABOUT | {"suppress_embeds"}):
            raise PeopleError(403, "You cannot edit this message.")
        fields: JSON = {}
        if "content" in form:
            fields["content"] = form["content"] or ""
        if "attachments" in form:
            fields["attachments"] = [{"id": str(one)} for one in form["attachments"]]
        if fields:
            pinged = self._replied_to(message) in message.mentions
            await self._fill(message, channel, fields, ping=pinged)
            message.edited_at = self._world.now()
        if "suppress_embeds" in form:
            flag = int(MessageFlag.SUPPRESS_EMBEDS)
            message.flags = message.flags & ~flag | flag * bool(form["suppress_embeds"])
        self._feed.message_updated(message)
        self._previews.follow(message)
        return self._shapes.whole(message, person.id)

    async def _delete(self, request: web.Request) -> None:
        form = await self._stage.form(request)
        person, channel, message = self._stage.acted_on(form)
        dismissed = message.ephemeral  # an ephemeral message is its viewer's to dismiss
        mine = message.author_id == person.id or dismissed
        if not mine and not self._moderates(person, channel):
            raise PeopleError(403, "You cannot delete this message.")
        self._drafts.erase(message)
        self._feed.message_deleted(message)

    async def _purge(self, request: web.Request) -> None:
        """Delete several messages at once, as moderators do when they ban somebody."""
        form = await self._stage.form(request)
        person, channel = self._stage.place(form)
        if not self._moderates(person, channel):
            raise PeopleError(403, "You cannot delete these messages.")
        ids = form.get("message_ids") or []
        found = [self._stage.message(person, channel, one) for one in ids]
        for message in found:
            self._drafts.erase(message)
        self._feed.messages_deleted(channel, found)

    async def _forward(self, request: web.Request) -> JSON:
        """Forward a message to another channel, `to`."""
        form = await self._stage.form(request)
        person, channel, message = self._stage.acted_on(form)
        there = self._stage.channel(person, form.get("to"))
        if message.ephemeral:
            raise PeopleError(400, "You cannot forward this message.")
        self._check_sending(person, there)
        made = new_message(self._world, there, person.id)
        made.forward(message, self._drafts.snapshot(message, there.id), channel.guild_id)
        return self._said(made, there)

    async def _react(self, request: web.Request) -> None:
        form = await self._stage.form(request)
        person, _, message = self._stage.acted_on(form)
        if message.ephemeral:
            raise PeopleError(400, "You cannot react to this message.")
        emoji, burst = str(form.get("emoji") or ""), bool(form.get("burst"))
        self._reactions.add(message, person.id, emoji, burst=burst)

    async def _reactors(self, request: web.Request) -> JSON:
        """Say who reacted with what: ids by emoji."""
        _, _, message = self._stage.acted_on(dict(request.query))
        return {emoji: list(people) for emoji, people in message.reactions.items()}

    async def _unreact(self, request: web.Request) -> None:
        """Take back one's own reaction; a moderator another's (`user_id`), or all (`all`)."""
        form = await self._stage.form(request)
        person, channel, message = self._stage.acted_on(form)
        whose = str(form.get("user_id") or person.id)
        if (whose != person.id or form.get("all")) and not self._moderates(person, channel):
            raise PeopleError(403, "You cannot remove this reaction.")
        if form.get("all"):
            self._reactions.clear(message, form.get("emoji"))
        else:
            self._reactions.remove(message, whose, str(form.get("emoji") or ""))

    async def _fill(self, message: Message, channel: Channel, fields: JSON, *, ping: bool) -> None:
        """Write a person's words into a message, with the mentions that they may make."""
        allowed: Any = None if ping else {"parse": _EVERYBODY, "replied_user": False}
        form = fields if allowed is None else fields | {"allowed_mentions": allowed}
        limit = self._world.upload_limit(channel)
        await self._drafts.fill(message, Body(form), upload_limit=limit)
        loud = self._world.may(message.author_id, channel, Permission.MENTION_EVERYONE)
        message.mention_everyone = mentions.resolve(
            self._world, channel, message.content, None, everyone=loud
        ).everyone

    def _said(self, message: Message, channel: Channel) -> JSON:
        channel.archived = False
        self._world.add_message(message)
        self._feed.message_created(message)
        self._previews.follow(message)
        return self._shapes.whole(message, message.author_id)

    def _sending(self, form: JSON) -> tuple[User, Channel]:
        person, channel = self._stage.place(form)
        self._check_sending(person, channel)
        files = form.get("attachments")
        if files and not self._world.may(person.id, channel, Permission.ATTACH_FILES):
            raise PeopleError(403, "You cannot attach files in this channel.")
        return person, channel

    def _check_sending(self, person: User, channel: Channel) -> None:
        if not self._world.may(person.id, channel, sending_right(channel)):
            raise PeopleError(403, "You cannot send messages in this channel.")

    def _moderates(self, person: User, channel: Channel) -> bool:
        return self._world.may(person.id, channel, Permission.MANAGE_MESSAGES)

    def _attached(self, given: Any, channel: Channel) -> Attachment:
        """Return an upload as an attachment: its id, or {"id", "description", "spoiler"}."""
        about = given if isinstance(given, dict) else {"id": given}
        found = self._uploads.get(str(about.get("id")))
        if found is None:
            raise PeopleError(404, "There is no such attachment.")
        return self._drafts.moved(found, channel.id, about)

    def _reply(self, message: Message, channel: Channel, form: JSON) -> None:
        if form.get("reply_to") is None:
            return
        found = channel.messages.get(str(form["reply_to"]))
        if found is None or found.ephemeral:
            raise PeopleError(404, "There is no such message to reply to.")
        message.refer_to(found, channel.guild_id)

    def _replied_to(self, message: Message) -> str | None:
        """Return the author of the message that this one replies to."""
        about = message.reference or {}
        found = self._world.message(str(about.get("channel_id")), str(about.get("message_id")))
        return None if found is None else found.author_id


#: What says who edits which message.
_ABOUT = {"as", "channel_id", "message_id"}
