"""Plain look-ups: users, members, the guild, channels, the application, the gateway's address."""

from aiohttp import web

from bot.sandbox.discord import guild_payloads, payloads
from bot.sandbox.discord.access import Access
from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.cdn import Cdn
from bot.sandbox.discord.client_payloads import sending_right
from bot.sandbox.discord.errors import ApiError, FormErrors, Refusal
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.world import Guild, World

_REFRESH_MAX = 50


class Directory:
    """Answers what only reads, and two calls that barely change a thing (typing, opening a DM)."""

    def __init__(
        self, world: World, access: Access, feed: Feed, gateway: Gateway, cdn: Cdn
    ) -> None:
        self._world = world
        self._access = access
        self._feed = feed
        self._gateway = gateway
        self._cdn = cdn

    async def me(self, _request: web.Request) -> JSON:
        """GET /users/@me."""
        return payloads.own_user(self._world)

    async def user(self, request: web.Request) -> JSON:
        """GET /users/{id}."""
        user = self._world.users.get(request.match_info["user_id"])
        if user is None:
            raise ApiError(Refusal.UNKNOWN_USER)
        return payloads.user(user)

    async def application(self, _request: web.Request) -> JSON:
        """GET /oauth2/applications/@me and /applications/@me."""
        return payloads.application(self._world)

    async def gateway(self, _request: web.Request) -> JSON:
        """GET /gateway."""
        return {"url": self._gateway.url}

    async def gateway_bot(self, _request: web.Request) -> JSON:
        """GET /gateway/bot."""
        return {
            "url": self._gateway.url,
            "shards": 1,
            "session_start_limit": self._gateway.starts() | {"max_concurrency": 1},
        }

    async def channel(self, request: web.Request) -> JSON:
        """GET /channels/{id}."""
        return payloads.channel(self._world, self._access.channel(request.match_info["channel_id"]))

    async def guild(self, request: web.Request) -> JSON:
        """GET /guilds/{id}."""
        return guild_payloads.guild(self._guild(request))

    async def guilds(self, _request: web.Request) -> list[JSON]:
        """GET /users/@me/guilds."""
        bot_id = self._world.bot.id
        shapes = []
        for guild in self._world.guilds_of(bot_id):
            whole = guild_payloads.guild(guild)
            kept = {name: whole[name] for name in ("id", "name", "icon", "banner", "features")}
            allowed = str(self._world.base_permissions(guild.members[bot_id]))
            shapes.append(kept | {"owner": False, "permissions": allowed})
        return shapes

    async def guild_channels(self, request: web.Request) -> list[JSON]:
        """GET /guilds/{id}/channels."""
        channels = self._world.channels_of(self._guild(request))
        return [payloads.channel(self._world, one) for one in channels if not one.is_thread]

    async def roles(self, request: web.Request) -> list[JSON]:
        """GET /guilds/{id}/roles."""
        return [guild_payloads.role(one) for one in self._guild(request).roles.values()]

    async def stickers(self, request: web.Request) -> list[JSON]:
        """GET /guilds/{id}/stickers."""
        return [guild_payloads.sticker(one) for one in self._guild(request).stickers.values()]

    async def sticker(self, request: web.Request) -> JSON:
        """GET /stickers/{id}."""
        found = self._world.sticker(request.match_info["sticker_id"])
        if found is None:
            raise ApiError(Refusal.UNKNOWN_STICKER)
        return guild_payloads.sticker(found)

    async def member(self, request: web.Request) -> JSON:
        """GET /guilds/{id}/members/{user}."""
        user_id = request.match_info["user_id"]
        guild = self._guild(request)
        member = guild.members.get(self._world.bot.id if user_id == "@me" else user_id)
        if member is None:
            raise ApiError(Refusal.UNKNOWN_MEMBER)
        return payloads.member(self._world, member)

    def _guild(self, request: web.Request) -> Guild:
        return self._access.guild(request.match_info["guild_id"])

    async def open_direct(self, request: web.Request) -> JSON:
        """POST /users/@me/channels."""
        body = await read_body(request, self._world.limits.request_limit_bytes)
        person_id = str(body.form.get("recipient_id"))
        user = self._world.users.get(person_id)
        if user is None or user.bot:
            errors = FormErrors()
            errors.add(("recipient_id",), "INVALID_RECIPIENT", "Invalid Recipient(s)")
            errors.check()
        channel = self._world.direct_channel(person_id)
        self._feed.channels_changed()
        return payloads.channel(self._world, channel)

    async def typing(self, request: web.Request) -> None:
        """POST /channels/{id}/typing."""
        channel = self._access.channel(request.match_info["channel_id"])
        if not self._world.may(self._world.bot.id, channel, sending_right(channel)):
            raise ApiError(Refusal.MISSING_PERMISSIONS)
        self._feed.typing(channel, self._world.bot.id, self._world.ids.next())

    async def refresh_urls(self, request: web.Request) -> JSON:
        """POST /attachments/refresh-urls: new links for expired ones."""
        body = await read_body(request, self._world.limits.request_limit_bytes)
        urls = body.form.get("attachment_urls")
        if not isinstance(urls, list) or not 1 <= len(urls) <= _REFRESH_MAX:
            errors = FormErrors()
            errors.bad_length(("attachment_urls",), 1, _REFRESH_MAX)
            errors.check()
            return {}
        refreshed = [
            {"original": url, "refreshed": self._cdn.refreshed(str(url)) or url} for url in urls
        ]
        return {"refreshed_urls": refreshed}

    async def sticker_packs(self, _request: web.Request) -> JSON:
        """GET /sticker-packs: Discord's own, of which there are none here."""
        return {"sticker_packs": []}

    async def no_entitlement(self, _request: web.Request) -> None:
        """POST .../entitlements/{id}/consume: nothing was ever sold here."""
        raise ApiError(Refusal.UNKNOWN_ENTITLEMENT)

    async def nothing(self, _request: web.Request) -> list[JSON]:
        """GET of what this world does not have: entitlements, SKUs, emojis."""
        return []
