"""The people's side, /sandbox: what a Discord client would do, for the page, tests and demo."""

from pathlib import Path

from aiohttp import web

from bot.sandbox.discord import client_payloads, mentions
from bot.sandbox.discord.audience import Audience
from bot.sandbox.discord.bodies import Body, Upload, read_body
from bot.sandbox.discord.cdn import Attachment
from bot.sandbox.discord.client_payloads import sending_right
from bot.sandbox.discord.drafts import Drafts, new_message
from bot.sandbox.discord.errors import PeopleError
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.front import json_response
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.guarded import guarded
from bot.sandbox.discord.invocations import Invocations
from bot.sandbox.discord.message import JSON, Message, MessageType
from bot.sandbox.discord.message_payloads import MessagePayloads
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.reactions import Reactions
from bot.sandbox.discord.world import Channel, User, World

_HISTORY = 100


class People:
    """Answers the people's routes."""

    def __init__(
        self,
        *,
        world: World,
        drafts: Drafts,
        feed: Feed,
        audience: Audience,
        gateway: Gateway,
        shapes: MessagePayloads,
        reactions: Reactions,
        invocations: Invocations,
        uploads: dict[str, Attachment],
    ) -> None:
        self._world = world
        self._drafts = drafts
        self._feed = feed
        self._audience = audience
        self._gateway = gateway
        self._shapes = shapes
        self._reactions = reactions
        self._invocations = invocations
        self.uploads = uploads

    def add_routes(self, app: web.Application) -> None:
        """Register everything under /sandbox but the control interface."""
        app.router.add_get("/sandbox/people", guarded(self._people))
        app.router.add_get("/sandbox/socket", self._socket)
        app.router.add_post("/sandbox/attachments", guarded(self._upload))
        app.router.add_post("/sandbox/messages", guarded(self._send))
        app.router.add_delete("/sandbox/messages", guarded(self._delete))
        app.router.add_put("/sandbox/reactions", guarded(self._react))
        app.router.add_delete("/sandbox/reactions", guarded(self._unreact))
        app.router.add_post("/sandbox/interactions", guarded(self._interact))

    async def _people(self, _request: web.Request) -> JSON:
        return {"people": [client_payloads.person(self._world, one) for one in self._world.people]}

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        try:
            person = self._acting(request.query.get("as"))
        except PeopleError as error:
            return json_response(error.as_json(), error.status)
        return await self._audience.watch(request, person.id, lambda: self.state(person))

    def state(self, person: User) -> JSON:
        """Everything that a client of this person starts from."""
        channels = client_payloads.channels(self._world, person.id)
        return {
            "me": client_payloads.person(self._world, person),
            "people": client_payloads.people(self._world),
            "guild": client_payloads.guild(self._world),
            "application_id": self._world.application_id,
            "channels": channels,
            "commands": client_payloads.commands(self._world, person.id),
            "messages": {one["id"]: self._history(one["id"], person.id) for one in channels},
            "attachment_size_limit": self._world.limits.interaction_upload_limit_bytes,
            "bot_online": self._gateway.online,
            "now": _unix_ms(self._world.ids.next()),
        }

    async def _upload(self, request: web.Request) -> JSON:
        self._acting(request.query.get("as"))
        limit = self._world.limits.interaction_upload_limit_bytes
        body = await read_body(request, max(self._world.limits.request_limit_bytes, 2 * limit))
        upload = next(iter(body.files.values()), None)
        if upload is None:
            raise PeopleError(400, "Send one file, in the field named file.")
        if len(upload.content) > limit:
            raise PeopleError(413, f"Your files are too powerful. Max file size: {limit} bytes.")
        return self._as_uploaded(await self.store_upload(upload))

    async def store_upload(self, upload: Upload) -> Attachment:
        """Keep a person's file until a command, a form or a message uses it."""
        attachment = await self._drafts.store_upload(
            upload, self._world.application_id, ephemeral=True
        )
        self.uploads[attachment.id] = attachment
        return attachment

    async def _send(self, request: web.Request) -> JSON:
        form = await self._form(request)
        person, channel = self._place(form)
        if not self._world.may(person.id, channel, sending_right(channel)):
            raise PeopleError(403, "You cannot send messages in this channel.")
        message = new_message(self._world, channel, person.id)
        message.attachments = [
            self._drafts.moved(self._uploaded(one), channel.id)
            for one in form.get("attachments") or []
        ]
        self._reply(message, channel, form)
        ping = bool(form.get("ping", True))
        fields: JSON = {"content": form.get("content") or ""}
        if not ping:
            fields["allowed_mentions"] = {
                "parse": ["users", "roles", "everyone"],
                "replied_user": False,
            }
        limit = self._world.limits.upload_limit_bytes
        await self._drafts.fill(message, Body(fields), upload_limit=limit)
        loud = self._world.may(person.id, channel, Permission.MENTION_EVERYONE)
        message.mention_everyone = mentions.resolve(
            self._world, message.content, None, everyone=loud
        ).everyone
        self._world.add_message(message)
        self._feed.message_created(message)
        return self._shapes.whole(message, person.id)

    async def _delete(self, request: web.Request) -> None:
        form = await self._form(request)
        person, channel = self._place(form)
        message = self._message(person, channel, form)
        dismissed = message.ephemeral  # an ephemeral message is its viewer's to dismiss
        mine = message.author_id == person.id or dismissed
        if not mine and not self._world.may(person.id, channel, Permission.MANAGE_MESSAGES):
            raise PeopleError(403, "You cannot delete this message.")
        self._drafts.erase(message)
        self._feed.message_deleted(message)

    async def _react(self, request: web.Request) -> None:
        form = await self._form(request)
        person, channel = self._place(form)
        message = self._message(person, channel, form)
        if message.ephemeral:
            raise PeopleError(400, "You cannot react to this message.")
        if not self._world.may(person.id, channel, Permission.ADD_REACTIONS):
            raise PeopleError(403, "You cannot react in this channel.")
        self._reactions.add(message, person.id, str(form.get("emoji") or ""))

    async def _unreact(self, request: web.Request) -> None:
        form = await self._form(request)
        person, channel = self._place(form)
        message = self._message(person, channel, form)
        self._reactions.remove(message, person.id, str(form.get("emoji") or ""))

    async def _interact(self, request: web.Request) -> JSON:
        return self.interact(await self._form(request))

    def interact(self, form: JSON) -> JSON:
        """Start an interaction. Raises PeopleError."""
        person, channel = self._place(form)
        return {"interaction_id": self._invocations.start(person, channel, form).id}

    async def _form(self, request: web.Request) -> JSON:
        return (await read_body(request, self._world.limits.request_limit_bytes)).form

    def _acting(self, person_id: object) -> User:
        person = self._world.users.get(str(person_id))
        if person is None or person.bot:
            raise PeopleError(404, "There is no such person.")
        return person

    def _place(self, form: JSON) -> tuple[User, Channel]:
        """Who acts, and where."""
        person = self._acting(form.get("as"))
        channel = self._world.channels.get(str(form.get("channel_id")))
        if channel is None or not self._world.may(person.id, channel, Permission.VIEW_CHANNEL):
            raise PeopleError(404, "There is no such channel.")
        return person, channel

    def _message(self, person: User, channel: Channel, form: JSON) -> Message:
        message = channel.messages.get(str(form.get("message_id")))
        if message is None or not message.visible_to(person.id):
            raise PeopleError(404, "There is no such message.")
        return message

    def _uploaded(self, attachment_id: object) -> Attachment:
        found = self.uploads.get(str(attachment_id))
        if found is None:
            raise PeopleError(404, "There is no such attachment.")
        return found

    def _reply(self, message: Message, channel: Channel, form: JSON) -> None:
        if form.get("reply_to") is None:
            return
        found = channel.messages.get(str(form["reply_to"]))
        if found is None or found.ephemeral:
            raise PeopleError(404, "There is no such message to reply to.")
        message.type = MessageType.REPLY
        message.reference = {"type": 0, "message_id": found.id, "channel_id": channel.id}
        if not channel.is_direct:
            message.reference["guild_id"] = self._world.guild.id

    def _history(self, channel_id: str, person_id: str) -> list[JSON]:
        channel = self._world.channels[channel_id]
        seen = [one for one in channel.messages.values() if one.visible_to(person_id)]
        return [self._shapes.whole(one, person_id) for one in seen[-_HISTORY:]]

    def _as_uploaded(self, attachment: Attachment) -> JSON:
        shape = {
            "id": attachment.id,
            "filename": attachment.filename,
            "size": len(attachment.content),
            "content_type": attachment.content_type,
        }
        if attachment.width is None:
            return shape
        return shape | {"width": attachment.width, "height": attachment.height}


def add_page(app: web.Application, folder: Path) -> None:
    """Serve the page, if it is there."""
    index = folder / "index.html"

    async def page(request: web.Request) -> web.StreamResponse:
        if request.url.host == "localhost":
            # Links to files are written with the number; a browser takes that for another site.
            raise web.HTTPFound(request.url.with_host("127.0.0.1"))
        if not index.is_file():
            return web.Response(status=404, text="The page is not installed.")
        return web.FileResponse(index)

    app.router.add_get("/", page)
    if folder.is_dir():
        app.router.add_static("/static/", folder)


def _unix_ms(snowflake: str) -> int:
    return (int(snowflake) >> 22) + 1_420_070_400_000
