"""Link previews: the embeds that Discord adds to a message for the links in its text.

Nothing outside this machine is ever fetched. What can be previewed is a file of the local CDN, and
what people "published" on the local web, whose pictures only exist in the CDN's proxy.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.sandbox.discord.cdn import Attachment, Cdn
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.message import JSON, Message, MessageFlag
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import World

#: A name that no real site can have.
SITE = "https://postcards.example"
_LINK = re.compile(r"(<)?(https?://[^\s<>]+[^\s<>.,:;\"')\]!?])(?(1)>)?")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_PREVIEWS_MAX = 5


@dataclass(frozen=True, slots=True)
class Published:
    """A picture on the local web, and the page that shows it."""

    title: str
    picture: Attachment

    @property
    def link(self) -> str:
        """The address of the picture itself."""
        return f"{SITE}/{self.picture.id}/{self.picture.filename}"

    @property
    def page(self) -> str:
        """The address of the page."""
        return f"{SITE}/{self.picture.id}"


class Previews:
    """Adds previews a moment after a message was sent or its text was changed."""

    def __init__(self, world: World, cdn: Cdn, feed: Feed) -> None:
        self._world = world
        self._cdn = cdn
        self._feed = feed
        self._published: dict[str, Published] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    def publish(self, picture: Attachment) -> Published:
        """Put a picture on the local web."""
        made = Published(picture.filename.partition(".")[0], picture)
        self._published |= {made.link: made, made.page: made}
        return made

    def follow(self, message: Message) -> None:
        """Look for links in a message; where there are any, it is updated in a moment."""
        found = list(self._found(message))
        if not found and not message.previews:
            return
        loop = asyncio.get_running_loop()
        delay = self._world.limits.preview_delay_s
        due = [
            timer for timer in self._timers if not timer.cancelled() and timer.when() > loop.time()
        ]
        self._timers = {*due, loop.call_later(delay, self._show, message, found)}

    def close(self) -> None:
        """Forget what was to come: the server is stopping."""
        for timer in self._timers:
            timer.cancel()

    def _show(self, message: Message, found: list[JSON]) -> None:
        if self._world.message(message.channel_id, message.id) is message:
            message.previews = found
            self._feed.message_updated(message)

    def _found(self, message: Message) -> Iterator[JSON]:
        channel = self._world.channels[message.channel_id]
        if message.flags & MessageFlag.SUPPRESS_EMBEDS:
            return
        if not self._world.may(message.author_id, channel, Permission.EMBED_LINKS):
            return
        links = [
            url for bracket, url in _LINK.findall(_CODE.sub("", message.content)) if not bracket
        ]
        for url in list(dict.fromkeys(links))[:_PREVIEWS_MAX]:
            embed = self._embed(url)
            if embed is not None:
                yield embed

    def _embed(self, url: str) -> JSON | None:
        stored = self._cdn.at(url)
        if stored is not None:
            return _of_file(url, url, stored)
        published = self._published.get(url)
        if published is None:
            return None
        picture = published.picture
        proxy = self._cdn.proxied(published.link, picture.content, picture.content_type)
        if url == published.link:
            return _of_file(url, proxy, picture)
        return {
            "type": "rich",
            "url": url,
            "title": published.title,
            "description": "A postcard",
            "provider": {"name": "Postcards", "url": SITE},
            "image": _media(published.link, proxy, picture),
        }


def _of_file(url: str, proxy: str, stored: Attachment) -> JSON | None:
    """Return the embed of a link that leads straight to a file; None where there is no showing."""
    kind = stored.content_type.partition("/")[0]
    if stored.width is None or kind not in {"image", "video"}:
        return None
    part = "thumbnail" if kind == "image" else "video"
    return {"type": kind, "url": url, part: _media(url, proxy, stored)}


def _media(url: str, proxy: str, stored: Attachment) -> JSON:
    return {
        "url": url,
        "proxy_url": proxy,
        "width": stored.width or 0,
        "height": stored.height or 0,
        "content_type": stored.content_type,
        "flags": int(stored.animated),
    }
