"""The CDN: files behind signed links that expire, served whole or by range.

Owns the bytes and the signatures. Knows nothing of messages; those hold `Attachment` records, and
ask for a fresh link each time they are shown.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from aiohttp import web

from bot.sandbox.discord.limits import Limits

_IS_SPOILER, _IS_ANIMATED = 1 << 3, 1 << 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file in the CDN. `folder` is its place in the link: a channel, or the app if ephemeral."""

    id: str
    folder: str
    filename: str
    content: bytes
    content_type: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    description: str | None = None
    title: str | None = None
    ephemeral: bool = False
    spoiler: bool = False
    animated: bool = False

    @property
    def flags(self) -> int:
        """Discord's flags: a spoiler by its name is one, too."""
        hidden = self.spoiler or self.filename.startswith("SPOILER_")
        return _IS_SPOILER * hidden | _IS_ANIMATED * self.animated

    @property
    def path(self) -> str:
        """The path of the link, percent-encoded."""
        root = "ephemeral-attachments" if self.ephemeral else "attachments"
        return f"/{root}/{self.folder}/{self.id}/{quote(self.filename)}"


class Cdn:
    """Stores files and answers signed links. `base` is set once the server knows its port."""

    def __init__(self, limits: Callable[[], Limits]) -> None:
        self.base = ""
        self._limits = limits
        self._secret = secrets.token_bytes(32)
        self._files: dict[str, Attachment] = {}
        #: Copies of what is elsewhere, which need no signature: their paths have one.
        self._copies: dict[str, Attachment] = {}

    def add(self, attachment: Attachment) -> None:
        """Keep a file."""
        self._files[attachment.path] = attachment

    def remove(self, attachment: Attachment) -> None:
        """Forget a file: its links answer 404 from now on."""
        self._files.pop(attachment.path, None)

    def link(self, path: str) -> str:
        """Return a signed link to a path, good for `cdn_link_life_s` from now."""
        now = time.time()
        issued, expires = f"{int(now):x}", f"{int(now + self._limits().cdn_link_life_s):x}"
        signature = self._sign(path, expires, issued)
        return f"{self.base}{path}?ex={expires}&is={issued}&hm={signature}&"

    def at(self, url: str) -> Attachment | None:
        """Return the file behind a link to this CDN, expired or not; None for any other link."""
        if not url.startswith(self.base + "/"):
            return None
        return self._files.get(_as_stored(urlsplit(url).path))

    def proxied(self, url: str, content: bytes, content_type: str) -> str:
        """Keep a copy of a file from elsewhere, and return where clients find it: at the proxy."""
        path = f"/external/{self._sign(url, '', '')[:43]}/{url.replace('://', '/', 1)}"
        name = url.rpartition("/")[2]
        copy = Attachment(
            id="0", folder="", filename=name, content=content, content_type=content_type
        )
        self._copies[_as_stored(path)] = copy
        return self.base + path

    def refreshed(self, url: str) -> str | None:
        """Return a new link for an old one, expired or not; None for a file that is not here."""
        path = _as_stored(urlsplit(url).path)
        return self.link(path) if path in self._files else None

    def as_json(self, attachment: Attachment) -> dict[str, Any]:
        """Discord's attachment object, with a fresh link."""
        url = self.link(attachment.path)
        shape: dict[str, Any] = {
            "id": attachment.id,
            "filename": attachment.filename,
            "size": len(attachment.content),
            "url": url,
            "proxy_url": url,
            "content_type": attachment.content_type,
        }
        if attachment.width is not None:
            shape |= {"width": attachment.width, "height": attachment.height}
        optional = {
            "duration_secs": attachment.duration_s,
            "description": attachment.description,
            "title": attachment.title,
            "ephemeral": attachment.ephemeral or None,
            "flags": attachment.flags or None,
        }
        return shape | {name: value for name, value in optional.items() if value is not None}

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a link: 200, 206 for one byte range, 416, or 404 when it expired or was forged."""
        path = _as_stored(request.path)
        copy = self._copies.get(path)
        if copy is not None:
            return ranged(request, copy.content, copy.content_type, copy.filename)
        attachment = self._files.get(path)
        if attachment is None or not self._valid(path, request.query_string):
            return web.Response(status=404, text="This content is no longer available.")
        return ranged(request, attachment.content, attachment.content_type, attachment.filename)

    def _sign(self, path: str, expires: str, issued: str) -> str:
        text = f"{path}:{expires}:{issued}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def _valid(self, path: str, query: str) -> bool:
        fields = parse_qs(query)
        expires, issued, signature = (fields.get(name, [""])[0] for name in ("ex", "is", "hm"))
        if not hmac.compare_digest(signature.encode(), self._sign(path, expires, issued).encode()):
            return False
        return time.time() < int(expires, 16)


def _as_stored(path: str) -> str:
    """Return a path in one spelling, however the client encoded it."""
    return quote(unquote(path))


def ranged(request: web.Request, content: bytes, content_type: str, name: str) -> web.Response:
    """Return a file, or the part of it that was asked for."""
    headers = {
        "Content-Type": content_type,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=86400",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(name)}",
        "X-Content-Type-Options": "nosniff",
    }
    size = len(content)
    try:
        wanted = request.http_range
    except ValueError:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    if wanted.start is None and wanted.stop is None:
        return web.Response(body=content, headers=headers)
    first, end, _ = wanted.indices(size)
    if first >= end:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    return web.Response(status=206, body=content[first:end], headers=headers)
