"""The people's side, /sandbox: what a client starts from, files, settings, interactions.

For the page, tests and demo. What people say is `speaking.py`.
"""

from pathlib import Path

from aiohttp import web

from bot.sandbox.discord import client_payloads
from bot.sandbox.discord.audience import Audience
from bot.sandbox.discord.bodies import Upload, read_body
from bot.sandbox.discord.cdn import Attachment
from bot.sandbox.discord.drafts import Drafts
from bot.sandbox.discord.errors import PeopleError
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.front import json_response
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.guarded import guarded
from bot.sandbox.discord.interactions import Interactions
from bot.sandbox.discord.invocations import Invocations
from bot.sandbox.discord.locales import LOCALES
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.message_payloads import MessagePayloads
from bot.sandbox.discord.places import NITRO_BASIC, NO_NITRO
from bot.sandbox.discord.previews import Previews
from bot.sandbox.discord.snowflake import unix_seconds
from bot.sandbox.discord.stage import Stage
from bot.sandbox.discord.world import User, World

_HISTORY = 100


class People:
    """Answers the people's routes."""

    def __init__(
        self,
        *,
        world: World,
        stage: Stage,
        drafts: Drafts,
        feed: Feed,
        audience: Audience,
        gateway: Gateway,
        shapes: MessagePayloads,
        interactions: Interactions,
        invocations: Invocations,
        previews: Previews,
        uploads: dict[str, Attachment],
    ) -> None:
        self._world = world
        self._stage = stage
        self._drafts = drafts
        self._feed = feed
        self._audience = audience
        self._gateway = gateway
        self._shapes = shapes
        self._interactions = interactions
        self._invocations = invocations
        self._previews = previews
        self.uploads = uploads

    def add_routes(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_get("/sandbox/people", guarded(self._people))
        app.router.add_get("/sandbox/socket", self._socket)
        app.router.add_post("/sandbox/attachments", guarded(self._upload))
        app.router.add_post("/sandbox/web", guarded(self._publish))
        app.router.add_post("/sandbox/direct", guarded(self._open_direct))
        app.router.add_patch("/sandbox/settings", guarded(self._settings))
        app.router.add_post("/sandbox/interactions", guarded(self._interact))

    async def _people(self, _request: web.Request) -> JSON:
        world = self._world
        return {
            "people": [
                client_payloads.person(world, one, world.guilds_of(one.id)) for one in world.people
            ]
        }

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        try:
            person = self._stage.person(request.query.get("as"))
        except PeopleError as error:
            return json_response(error.as_json(), error.status)
        return await self._audience.watch(request, person.id, lambda: self.state(person))

    def state(self, person: User) -> JSON:
        """Everything that a client of this person starts from."""
        world = self._world
        channels = client_payloads.channels(world, person.id)
        return {
            "me": client_payloads.person(world, person, world.guilds_of(person.id)),
            "people": client_payloads.people(world, person.id),
            "guilds": client_payloads.guilds(world, person.id),
            "application_id": world.application_id,
            "channels": channels,
            "commands": client_payloads.commands(world, person.id),
            "messages": {one["id"]: self._history(one["id"], person.id) for one in channels},
            "portal": client_payloads.portal(world),
            "locales": list(LOCALES),
            "bot_online": self._gateway.online,
            "now": int(unix_seconds(world.ids.next()) * 1000),
        }

    async def _upload(self, request: web.Request) -> JSON:
        """Take a file that is meant for a channel; by default for the first one of the person."""
        person = self._stage.person(request.query.get("as"))
        limit = self._upload_limit(person, request.query.get("channel"))
        upload = await self._file(request, limit)
        if len(upload.content) > limit:
            raise PeopleError(413, f"Your files are too powerful. Max file size: {limit} bytes.")
        return _as_uploaded(await self.store_upload(upload))

    async def store_upload(self, upload: Upload) -> Attachment:
        """Keep a person's file until a command, a form or a message uses it."""
        attachment = await self._drafts.store_upload(
            upload, self._world.application_id, ephemeral=True
        )
        self.uploads[attachment.id] = attachment
        return attachment

    async def _publish(self, request: web.Request) -> JSON:
        """Put a picture on the local web: its own link, and that of a page that shows it."""
        self._stage.person(request.query.get("as"))
        upload = await self._file(request, self._world.limits.request_limit_bytes)
        picture = await self._drafts.store_upload(upload, "web", ephemeral=False)
        made = self._previews.publish(picture)
        return {"picture": made.link, "page": made.page}

    async def _open_direct(self, request: web.Request) -> JSON:
        """Open the direct messages with the bot."""
        person = self._stage.person((await self._stage.form(request)).get("as"))
        channel = self._world.direct_channel(person.id)
        self._feed.channels_changed()
        return {"channel_id": channel.id}

    async def _settings(self, request: web.Request) -> JSON:
        """Change one's own: `locale`, `premium_type` (Nitro), `takes_direct_messages`."""
        form = await self._stage.form(request)
        person = self._stage.person(form.get("as"))
        locale = form.get("locale", person.locale)
        premium = form.get("premium_type", person.premium_type)
        if locale not in LOCALES:
            raise PeopleError(400, f"There is no language {locale}.")
        if premium not in range(NO_NITRO, NITRO_BASIC + 1):
            raise PeopleError(400, "premium_type must be 0 to 3.")
        person.locale, person.premium_type = locale, premium
        person.takes_direct_messages = bool(
            form.get("takes_direct_messages", person.takes_direct_messages)
        )
        self._feed.people_changed()
        self._feed.channels_changed()
        return client_payloads.person(self._world, person, self._world.guilds_of(person.id))

    async def _interact(self, request: web.Request) -> JSON:
        return self.interact(await self._stage.form(request))

    def interact(self, form: JSON) -> JSON:
        """Start an interaction. Raises PeopleError."""
        person, channel = self._stage.place(form)
        return {"interaction_id": self._invocations.start(person, channel, form).id}

    async def _file(self, request: web.Request, limit: int) -> Upload:
        most = max(self._world.limits.request_limit_bytes, 2 * limit)
        body = await read_body(request, most)
        upload = next(iter(body.files.values()), None)
        if upload is None:
            raise PeopleError(400, "Send one file, in the field named file.")
        return upload

    def _upload_limit(self, person: User, channel_id: str | None) -> int:
        if channel_id is None:
            guild = next(iter(self._world.guilds_of(person.id)))
            channel = self._world.channels_of(guild)[0]
        else:
            channel = self._stage.channel(person, channel_id)
        return self._world.personal_upload_limit(person, channel)

    def _history(self, channel_id: str, person_id: str) -> list[JSON]:
        """Return the last messages; an ephemeral one only as long as its token lives."""
        channel = self._world.channels[channel_id]
        seen = [
            one
            for one in channel.messages.values()
            if one.visible_to(person_id) and not self._interactions.is_over(one)
        ]
        return [self._shapes.whole(one, person_id) for one in seen[-_HISTORY:]]


def _as_uploaded(attachment: Attachment) -> JSON:
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
