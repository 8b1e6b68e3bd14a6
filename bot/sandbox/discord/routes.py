"""Every REST route that the local Discord answers, in one table for each subject."""

from collections.abc import Iterable

from bot.sandbox.discord.callbacks import Callbacks
from bot.sandbox.discord.command_permissions import CommandPermissions
from bot.sandbox.discord.commands import Commands
from bot.sandbox.discord.directory import Directory
from bot.sandbox.discord.front import Route
from bot.sandbox.discord.messages import Messages
from bot.sandbox.discord.reactions import Reactions
from bot.sandbox.discord.threads import Threads
from bot.sandbox.discord.webhooks import Webhooks


def directory_routes(directory: Directory) -> Iterable[Route]:
    """Look-ups."""
    return [
        Route(method=method, path=path, handler=handler)
        for method, path, handler in (
            ("GET", "/users/@me", directory.me),
            ("GET", "/users/@me/guilds", directory.guilds),
            ("POST", "/users/@me/channels", directory.open_direct),
            ("GET", "/users/{user_id}", directory.user),
            ("GET", "/oauth2/applications/@me", directory.application),
            ("GET", "/applications/@me", directory.application),
            ("GET", "/gateway", directory.gateway),
            ("GET", "/gateway/bot", directory.gateway_bot),
            ("GET", "/channels/{channel_id}", directory.channel),
            ("GET", "/guilds/{guild_id}", directory.guild),
            ("GET", "/guilds/{guild_id}/channels", directory.guild_channels),
            ("GET", "/guilds/{guild_id}/roles", directory.roles),
            ("GET", "/guilds/{guild_id}/members/{user_id}", directory.member),
            ("GET", "/guilds/{guild_id}/stickers", directory.stickers),
            ("GET", "/stickers/{sticker_id}", directory.sticker),
            ("GET", "/sticker-packs", directory.sticker_packs),
            ("POST", "/attachments/refresh-urls", directory.refresh_urls),
            ("GET", "/applications/{application_id}/entitlements", directory.nothing),
            ("GET", "/applications/{application_id}/skus", directory.nothing),
            (
                "POST",
                "/applications/{application_id}/entitlements/{entitlement_id}/consume",
                directory.no_entitlement,
            ),
        )
    ] + [
        Route(
            method="POST",
            path="/channels/{channel_id}/typing",
            handler=directory.typing,
            rate=lambda limits: limits.typing_rate,
        )
    ]


def command_routes(commands: Commands) -> Iterable[Route]:
    """Commands, global and of a guild."""
    for scope in (
        "/applications/{application_id}",
        "/applications/{application_id}/guilds/{guild_id}",
    ):
        for method, tail, handler in (
            ("GET", "/commands", commands.index),
            ("PUT", "/commands", commands.overwrite),
            ("POST", "/commands", commands.create),
            ("GET", "/commands/{command_id}", commands.get),
            ("PATCH", "/commands/{command_id}", commands.edit),
            ("DELETE", "/commands/{command_id}", commands.delete),
        ):
            yield Route(method=method, path=scope + tail, handler=handler)


def command_permission_routes(permissions: CommandPermissions) -> Iterable[Route]:
    """Say who may use which command in a guild."""
    root = "/applications/{application_id}/guilds/{guild_id}/commands"
    one = root + "/{command_id}/permissions"
    return (
        Route(method="GET", path=root + "/permissions", handler=permissions.index),
        Route(method="GET", path=one, handler=permissions.get),
        Route(method="PUT", path=one, handler=permissions.refuse),
    )


def message_routes(messages: Messages, reactions: Reactions, threads: Threads) -> Iterable[Route]:
    """Messages of channels, their reactions and threads."""
    every = "/channels/{channel_id}/messages"
    one = every + "/{message_id}"
    emoji = one + "/reactions/{emoji}"
    return (
        Route(
            method="POST",
            path=every,
            handler=messages.create,
            rate=lambda limits: limits.message_create_rate,
        ),
        Route(method="GET", path=every, handler=messages.history),
        Route(method="POST", path=every + "/bulk-delete", handler=messages.delete_many),
        Route(method="GET", path=one, handler=messages.get),
        Route(
            method="PATCH",
            path=one,
            handler=messages.edit,
            rate=lambda limits: limits.message_edit_rate,
        ),
        Route(
            method="DELETE",
            path=one,
            handler=messages.delete,
            rate=lambda limits: limits.message_delete_rate,
        ),
        Route(
            method="PUT",
            path=emoji + "/@me",
            handler=reactions.put,
            rate=lambda limits: limits.reaction_rate,
        ),
        Route(
            method="DELETE",
            path=emoji + "/{user_id}",
            handler=reactions.delete,
            rate=lambda limits: limits.reaction_rate,
        ),
        Route(method="GET", path=emoji, handler=reactions.reactors),
        Route(method="DELETE", path=emoji, handler=reactions.delete_all),
        Route(method="DELETE", path=one + "/reactions", handler=reactions.delete_all),
        Route(method="POST", path=one + "/threads", handler=threads.from_message),
        Route(method="POST", path="/channels/{channel_id}/threads", handler=threads.create),
        Route(method="PATCH", path="/channels/{channel_id}", handler=threads.edit),
        Route(method="DELETE", path="/channels/{channel_id}", handler=threads.delete),
    )


def interaction_routes(callbacks: Callbacks, webhooks: Webhooks) -> Iterable[Route]:
    """Say what an interaction's token opens. Not counted in the global rate."""
    root = "/webhooks/{application_id}/{token}"
    yield Route(
        method="POST",
        path="/interactions/{interaction_id}/{token}/callback",
        handler=callbacks.answer,
        bot_token=False,
    )
    for method, path, handler in (
        ("POST", root, webhooks.follow_up),
        ("GET", root + "/messages/{message_id}", webhooks.get),
        ("PATCH", root + "/messages/{message_id}", webhooks.edit),
        ("DELETE", root + "/messages/{message_id}", webhooks.delete),
    ):
        yield Route(
            method=method,
            path=path,
            handler=handler,
            rate=lambda limits: limits.webhook_rate,
            major="token",
            bot_token=False,
        )
