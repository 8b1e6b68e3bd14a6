"""Finds the pictures of a message: attachments, stickers, link previews, also those of a forward.

What is forwarded is its first author's: Discord does not say who that is, the original does. Only
Discord's own copies are taken: of a link preview its proxy's address, never the one that somebody
typed. Whether it is a picture that can be used, `image.py` judges by its bytes.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import aiohttp
import discord

from bot.wish import NOBODY, UNKNOWN, Origin, Picture

log = logging.getLogger(__name__)

MOST = 10
"""Pictures of one message that are offered; a message of people has no more attachments."""
_ENDINGS = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp"),
    *(".tif", ".tiff", ".heic", ".heif", ".avif"),
)
_PATIENCE = 1.0
"""Seconds in which the author of what was forwarded is to be found; Discord gives three."""
_MOST_FORWARDS = 5
_TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
_DISCORDS = "https://cdn.discordapp.com"
_STICKERS = (
    discord.StickerFormatType.png,
    discord.StickerFormatType.apng,
    discord.StickerFormatType.gif,
)


class _Content(Protocol):
    """What a message and a forwarded one have in common."""

    attachments: list[discord.Attachment]
    embeds: list[discord.Embed]
    stickers: list[discord.StickerItem]


async def owned(client: discord.Client, message: discord.Message, guild_id: int) -> list[Picture]:
    """Return the pictures of a message with whose they are, as far as its server can tell."""
    found = pictures(message)
    if not message.message_snapshots or not found:
        return found
    author_id = await _first_author(client, message, guild_id)
    return [
        replace(one, origin=replace(one.origin, author_id=author_id))
        if one.origin is not None and one.origin.author_id == UNKNOWN
        else one
        for one in found
    ]


async def _first_author(client: discord.Client, message: discord.Message, guild_id: int) -> int:
    """Return who wrote what was forwarded, if that is known in time."""
    try:
        async with asyncio.timeout(_PATIENCE):
            # A request of discord.py that is cut off in a global rate limit would hold back all
            # others for ever; so it goes on, and nobody listens.
            return await asyncio.shield(_traced(client, message, guild_id))
    except _TROUBLE as problem:
        log.info("who wrote what was forwarded is not known: %s", type(problem).__name__)
    return UNKNOWN


async def _traced(client: discord.Client, message: discord.Message, guild_id: int) -> int:
    """Follow what was forwarded, perhaps over and over, within one server."""
    for _ in range(_MOST_FORWARDS):
        where = message.reference
        if where is None or where.type is not discord.MessageReferenceType.forward:
            return _author(message)
        if where.guild_id != guild_id or where.message_id is None:
            return UNKNOWN
        place = client.get_partial_messageable(where.channel_id, guild_id=guild_id)
        message = await place.fetch_message(where.message_id)
    return UNKNOWN


def pictures(message: discord.Message) -> list[Picture]:
    """Return the pictures of a message, in the order in which people see them.

    Whose those are that it forwards, it does not know.
    """
    parts: Sequence[tuple[str, int, _Content]] = [
        ("", _author(message), message),
        *(("forward ", UNKNOWN, snapshot) for snapshot in message.message_snapshots),
    ]
    found: dict[str, Picture] = {}
    for prefix, author_id, content in parts:
        for key, picture in _of(content):
            origin = Origin(
                channel_id=message.channel.id,
                message_id=message.id,
                key=prefix + key,
                author_id=author_id,
            )
            found.setdefault(origin.key, replace(picture, origin=origin))
    return list(found.values())[:MOST]


def _author(message: discord.Message) -> int:
    is_person = not message.author.bot and message.webhook_id is None
    return message.author.id if is_person else NOBODY


async def again(client: discord.Client, where: Origin, guild_id: int) -> Picture | None:
    """Find a picture once more, with a fresh address; None where it is gone, or closed to us.

    The bot sees other people's pictures only if its message-content switch is on. Raises what
    discord.py does where Discord does not answer.
    """
    channel = client.get_partial_messageable(where.channel_id, guild_id=guild_id)
    try:
        message = await channel.fetch_message(where.message_id)
    except (discord.NotFound, discord.Forbidden):
        return None
    return next(
        (one for one in pictures(message) if one.origin and one.origin.key == where.key), None
    )


def _of(content: _Content) -> Iterator[tuple[str, Picture]]:
    """List pictures, and what names each among those of its message."""
    for attachment in content.attachments:
        if _is_picture(attachment):
            yield (
                f"attachment:{attachment.id}",
                Picture(
                    url=attachment.url, size=attachment.size, is_spoiler=attachment.is_spoiler()
                ),
            )
    for sticker in content.stickers:
        if sticker.format in _STICKERS:
            yield f"sticker:{sticker.id}", Picture(url=_address(sticker))
    for number, embed in enumerate(content.embeds):
        url = embed.image.proxy_url or embed.thumbnail.proxy_url
        if url is not None:
            yield f"embed:{number}", Picture(url=url)


def _address(sticker: discord.StickerItem) -> str:
    """Return where a sticker is; of a GIF discord.py knows Discord's own host alone."""
    if discord.Asset.BASE == _DISCORDS:
        return sticker.url
    return f"{discord.Asset.BASE}/stickers/{sticker.id}.{sticker.format.file_extension}"


def _is_picture(attachment: discord.Attachment) -> bool:
    """Tell it from a film or a text, by what Discord says, or else by its name."""
    kind = attachment.content_type
    if kind is not None and kind != "application/octet-stream":
        return kind.startswith("image/")
    return attachment.filename.lower().endswith(_ENDINGS)
