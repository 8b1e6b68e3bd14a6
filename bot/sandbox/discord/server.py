"""The local Discord as one server on loopback: builds all parts, owns the port, nothing global.

async with LocalDiscord() as discord:
    ...  # discord.api, discord.gateway, discord.url
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.sandbox.discord.access import Access
from bot.sandbox.discord.answers import Answers
from bot.sandbox.discord.audience import Audience
from bot.sandbox.discord.callbacks import Callbacks
from bot.sandbox.discord.cdn import Attachment, Cdn, ranged
from bot.sandbox.discord.command_permissions import CommandPermissions
from bot.sandbox.discord.commands import Commands
from bot.sandbox.discord.control import Control
from bot.sandbox.discord.directory import Directory
from bot.sandbox.discord.drafts import Drafts
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.front import API_ROOT, FrontDoor, mark, operation
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.interactions import Interactions
from bot.sandbox.discord.invocations import Invocations
from bot.sandbox.discord.journal import Exchange, Journal
from bot.sandbox.discord.limits import Limits
from bot.sandbox.discord.measures import content_type_of
from bot.sandbox.discord.message import Message
from bot.sandbox.discord.message_payloads import MessagePayloads
from bot.sandbox.discord.messages import Messages
from bot.sandbox.discord.people import People, add_page
from bot.sandbox.discord.previews import Previews
from bot.sandbox.discord.ratelimit import RateLimits
from bot.sandbox.discord.reactions import Reactions
from bot.sandbox.discord.roles import Roles
from bot.sandbox.discord.routes import (
    command_permission_routes,
    command_routes,
    directory_routes,
    interaction_routes,
    message_routes,
)
from bot.sandbox.discord.speaking import Speaking
from bot.sandbox.discord.stage import Stage
from bot.sandbox.discord.threads import Threads
from bot.sandbox.discord.webhooks import Webhooks
from bot.sandbox.discord.world import World
from bot.sandbox.faults import Faults
from bot.sandbox.neighbours import neighbours_only

_PAGE = Path(__file__).parent.parent / "page"
_LOOPBACK = "127.0.0.1"


class LocalDiscord:
    """A whole Discord for one bot and a few people.

    `port` 0 takes a free one. `token` is the only bot token that is accepted; None accepts any that
    is not empty. `page_dir` holds the page that is served at `/`.
    """

    def __init__(
        self,
        port: int = 0,
        limits: Limits | None = None,
        page_dir: Path | None = None,
        token: str | None = None,
    ) -> None:
        self._port = port
        self._token = token
        self._page = page_dir or _PAGE
        self._runner: web.AppRunner | None = None
        self.world = World(limits or Limits())
        self.cdn = Cdn(lambda: self.world.limits)
        self.gateway_server = Gateway(self.world, self._token_accepted)
        self.journal = Journal()
        self._audience = Audience()
        self.shapes = MessagePayloads(self.world, self.cdn)
        self.feed = Feed(self.world, self.gateway_server, self._audience, self.shapes)
        self.interactions = Interactions(self.world, self.feed)
        self.rate_limits = RateLimits()
        self._front = FrontDoor(
            lambda: self.world.limits, self._token_accepted, self.rate_limits, self.journal
        )
        self.faults = Faults(operation)
        middlewares = [neighbours_only, self.faults.middleware]
        self._app = web.Application(client_max_size=1 << 40, middlewares=middlewares)
        self._app.on_response_prepare.append(mark)
        self._build()

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self.world.limits

    def set_limits(self, changes: Mapping[str, Any]) -> None:
        """Change some limits from now on. Raises ValueError for what is no limit."""
        self.world.limits = self.world.limits.revised(changes)

    @property
    def port(self) -> int:
        """The port, once the server runs."""
        return self._port

    @property
    def url(self) -> str:
        """The root of everything; the page."""
        return f"http://{_LOOPBACK}:{self._port}"

    @property
    def api(self) -> str:
        """The REST API's root: discord.py's Route.BASE."""
        return self.url + API_ROOT

    @property
    def gateway(self) -> str:
        """The gateway: discord.py's DEFAULT_GATEWAY."""
        return f"ws://{_LOOPBACK}:{self._port}/gateway"

    @property
    def cdn_host(self) -> str:
        """Host and port of every attachment link."""
        return f"{_LOOPBACK}:{self._port}"

    @property
    def requests(self) -> list[Exchange]:
        """The bot's REST requests so far, oldest first."""
        return list(self.journal.exchanges)

    @property
    def messages(self) -> list[Message]:
        """Every message of every channel, oldest first."""
        every = (
            one for channel in self.world.channels.values() for one in channel.messages.values()
        )
        return sorted(every, key=lambda one: int(one.id))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen. After this the URLs are good."""
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, _LOOPBACK, self._port, backlog=1024)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.cdn.base = self.url
        self.gateway_server.url = self.gateway

    async def stop(self) -> None:
        """Say goodbye to everybody and close the port."""
        self.interactions.close()
        self.previews.close()
        self._audience.close()
        self.gateway_server.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _sticker(self, request: web.Request) -> web.Response:
        """GET a sticker's picture; Lottie's is JSON. Its link needs no signature."""
        name = request.match_info["name"]
        found = self.world.sticker(name.partition(".")[0])
        if found is None or found.filename != name:
            return web.Response(status=404, text="There is no such sticker.")
        return ranged(request, found.content, content_type_of(name, found.content), name)

    def _token_accepted(self, token: str) -> bool:
        return token == self._token if self._token is not None else bool(token)

    def _build(self) -> None:
        """Connect the parts and register every route."""
        world, feed = self.world, self.feed
        access, drafts = Access(world), Drafts(world, self.cdn)
        self.previews = Previews(world, self.cdn, feed)
        reactions, stage = Reactions(world, access, feed), Stage(world)
        threads = Threads(world, access, stage, feed)
        permissions = CommandPermissions(world, access, feed)
        for route in (
            *directory_routes(Directory(world, access, feed, self.gateway_server, self.cdn)),
            *command_permission_routes(permissions),  # before a command named "permissions"
            *command_routes(Commands(world, access, feed)),
            *message_routes(self._messages(access, drafts), reactions, threads),
            *interaction_routes(*self._answering(drafts)),
        ):
            self._app.router.add_route(route.method, API_ROOT + route.path, self._front.wrap(route))
        self._app.router.add_route("*", "/api/{rest:.*}", self._front.missing)
        self._app.router.add_get("/gateway", self.gateway_server.connect)
        self._app.router.add_get("/gateway/", self.gateway_server.connect)
        for path in (
            "/attachments/{folder}/{id}/{name}",
            "/ephemeral-attachments/{folder}/{id}/{name}",
            "/external/{rest:.+}",
        ):
            self._app.router.add_get(path, self.cdn.serve)
        self._app.router.add_get("/stickers/{name}", self._sticker)
        self.people, speaking = self._people(stage, drafts, reactions)
        control = Control(world, feed, self.gateway_server, threads, self.journal)
        roles = Roles(world, feed)
        for part in (self.people, speaking, threads, permissions, roles, control, self.faults):
            part.add_routes(self._app)
        add_page(self._app, self._page)

    def _messages(self, access: Access, drafts: Drafts) -> Messages:
        return Messages(
            world=self.world,
            access=access,
            drafts=drafts,
            feed=self.feed,
            shapes=self.shapes,
            interactions=self.interactions,
            previews=self.previews,
        )

    def _answering(self, drafts: Drafts) -> tuple[Callbacks, Webhooks]:
        """Return what an interaction's token reaches."""
        world, interactions = self.world, self.interactions
        answers = Answers(world, drafts, self.feed, interactions, self.previews)
        webhooks = Webhooks(world, interactions, answers, self.shapes, self.rate_limits)
        return Callbacks(world, interactions, answers, self.shapes), webhooks

    def _people(
        self, stage: Stage, drafts: Drafts, reactions: Reactions
    ) -> tuple[People, Speaking]:
        """Return the people's side: what they start from, and what they say."""
        world, feed = self.world, self.feed
        uploads: dict[str, Attachment] = {}
        people = People(
            world=world,
            stage=stage,
            drafts=drafts,
            feed=feed,
            audience=self._audience,
            gateway=self.gateway_server,
            shapes=self.shapes,
            interactions=self.interactions,
            invocations=Invocations(
                world=world,
                cdn=self.cdn,
                feed=feed,
                shapes=self.shapes,
                interactions=self.interactions,
                uploads=uploads,
            ),
            previews=self.previews,
            uploads=uploads,
        )
        speaking = Speaking(
            world=world,
            stage=stage,
            drafts=drafts,
            feed=feed,
            shapes=self.shapes,
            reactions=reactions,
            previews=self.previews,
            uploads=uploads,
        )
        return people, speaking
