"""/sandbox/control: levers that no Discord user has. Limits, the gateway's moods, permissions."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.sandbox.discord import client_payloads, guild_payloads, payloads, permissions
from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.connection import Connection
from bot.sandbox.discord.errors import PeopleError
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.gateway import INVALID_SESSION, RECONNECT, Gateway
from bot.sandbox.discord.guarded import guarded
from bot.sandbox.discord.journal import Journal
from bot.sandbox.discord.locales import LOCALES
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.threads import Threads
from bot.sandbox.discord.world import Channel, Guild, World

_BODY_MAX = 1 << 20
_TIERS = 4


class Control:
    """Answers the control routes."""

    def __init__(
        self, world: World, feed: Feed, gateway: Gateway, threads: Threads, journal: Journal
    ) -> None:
        self._world = world
        self._feed = feed
        self._gateway = gateway
        self._threads = threads
        self._journal = journal

    def add_routes(self, app: web.Application) -> None:
        """Register the control interface."""
        root = "/sandbox/control"
        app.router.add_get(f"{root}/limits", guarded(self._limits))
        app.router.add_patch(f"{root}/limits", guarded(self._change_limits))
        app.router.add_post(f"{root}/gateway", guarded(self._shake))
        app.router.add_patch(f"{root}/channel", guarded(self._overwrite))
        app.router.add_delete(f"{root}/channel", guarded(self._delete_channel))
        app.router.add_patch(f"{root}/guild", guarded(self._guild_settings))
        app.router.add_patch(f"{root}/portal", guarded(self._portal))
        app.router.add_post(f"{root}/bot", guarded(self._membership))
        app.router.add_get(f"{root}/requests", guarded(self._requests))

    async def _limits(self, _request: web.Request) -> JSON:
        return self._world.limits.as_json()

    async def _change_limits(self, request: web.Request) -> JSON:
        form = await _form(request)
        try:
            self._world.limits = self._world.limits.revised(form)
        except ValueError as error:
            raise PeopleError(400, str(error)) from None
        return self._world.limits.as_json()

    async def _shake(self, request: web.Request) -> None:
        """Do to every gateway connection what Discord does on a bad day."""
        form = await _form(request)
        self.shake(str(form.get("do")), form)

    def shake(self, what: str, form: JSON) -> None:
        """Shake: reconnect (op 7), invalidate (op 9), drop, mute, silence, close, or duplicate.

        What is muted says nothing more; what is silenced does not answer a goodbye either.
        """
        if what == "duplicate":
            for session in list(self._gateway.sessions.values()):
                session.repeat_last(int(form.get("count", 1)))
            return
        shakes: dict[str, Callable[[Connection, JSON], None]] = {
            "reconnect": self._reconnect,
            "invalidate": self._invalidate,
            "drop": lambda connection, _form: connection.outbox.abort(connection.request),
            "mute": self._mute,
            "silence": self._silence,
            "close": lambda connection, form: connection.outbox.close(int(form.get("code", 4000))),
        }
        if what not in shakes:
            raise PeopleError(400, f"do must be duplicate, {', '.join(shakes)}.")
        for connection in list(self._gateway.connections):
            shakes[what](connection, form)

    def _reconnect(self, connection: Connection, _form: JSON) -> None:
        connection.outbox.closing = True  # that the client leaves now is our doing
        connection.send(RECONNECT)

    def _mute(self, connection: Connection, _form: JSON) -> None:
        connection.outbox.muted = True

    def _silence(self, connection: Connection, form: JSON) -> None:
        self._mute(connection, form)
        connection.silent = True

    def _invalidate(self, connection: Connection, form: JSON) -> None:
        if not form.get("resumable"):
            self._gateway.forget(connection)
        connection.send(INVALID_SESSION, bool(form.get("resumable")))

    async def _overwrite(self, request: web.Request) -> JSON:
        """Change a channel: its `name`, `topic` or `nsfw`, else an overwrite, by default the bot's.

        `deny` and `allow` are permission names.
        """
        form = await _form(request)
        channel = self._channel(form)
        plain = form.keys() & {"name", "topic", "nsfw"}
        for field in plain:
            setattr(channel, field, form[field])
        if not plain:
            self._set_overwrite(channel, form)
        self._feed.channel_event("CHANNEL_UPDATE", channel)
        return payloads.channel(self._world, channel)

    def _set_overwrite(self, channel: Channel, form: JSON) -> None:
        try:
            allow = permissions.bits(form.get("allow") or [])
            deny = permissions.bits(form.get("deny") or [])
        except KeyError as error:
            raise PeopleError(400, f"There is no permission named {error.args[0]}.") from None
        channel.overwrites[str(form.get("target_id") or self._world.bot.id)] = (allow, deny)

    async def _guild_settings(self, request: web.Request) -> JSON:
        """Boost a guild (`premium_tier`, 0 to 3) or change its `locale`; the first by default."""
        form = await _form(request)
        guild = self._guild(form)
        tier, locale = form.get("premium_tier", guild.premium_tier), form.get("locale")
        if tier not in range(_TIERS) or locale not in {None, *LOCALES}:
            raise PeopleError(400, "premium_tier must be 0 to 3, locale one of Discord's.")
        guild.premium_tier, guild.locale = tier, locale or guild.locale
        self._feed.guild_changed(guild)
        return guild_payloads.guild(guild)

    async def _portal(self, request: web.Request) -> JSON:
        """Turn the developer portal's switches: `message_content`, `members`, `presences`."""
        form = await _form(request)
        known = client_payloads.portal(self._world)
        if not form or not known.keys() >= form.keys():
            raise PeopleError(400, f"The switches are {', '.join(known)}.")
        changes = {f"{name}_enabled": value for name, value in form.items()}
        try:
            self._world.limits = self._world.limits.revised(changes)
        except ValueError as error:
            raise PeopleError(400, str(error)) from None
        self._feed.portal_changed()
        return client_payloads.portal(self._world)

    async def _delete_channel(self, request: web.Request) -> None:
        self._threads.remove(self._channel(await _form(request)))

    async def _membership(self, request: web.Request) -> None:
        """{"do": "kick"} or {"do": "invite"}: the bot leaves or joins the guild."""
        form = await _form(request)
        world, guild, what = self._world, self._guild(form), form.get("do")
        if what == "kick":
            if guild.members.pop(world.bot.id, None) is not None:
                self._feed.guild_event("GUILD_DELETE", guild, {"id": guild.id})
        elif what == "invite":
            if world.bot.id not in guild.members:
                world.join(world.bot, guild=guild)
                whole = guild_payloads.guild_create(world, guild)
                self._feed.guild_event("GUILD_CREATE", guild, whole)
        else:
            raise PeopleError(400, "do must be kick or invite.")

    async def _requests(self, _request: web.Request) -> Any:
        return [exchange.as_json() for exchange in self._journal.exchanges]

    def _guild(self, form: JSON) -> Guild:
        """Return the guild that is named; the first one if none is."""
        return self._world.guilds.get(str(form.get("guild_id")), self._world.guild)

    def _channel(self, form: JSON) -> Channel:
        channel = self._world.channels.get(str(form.get("channel_id")))
        if channel is None:
            raise PeopleError(404, "There is no such channel.")
        return channel


async def _form(request: web.Request) -> JSON:
    return (await read_body(request, _BODY_MAX)).form
