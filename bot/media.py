"""Fetches what Discord keeps: people's pictures, our clips. Streamed, capped, from its hosts only.

It never follows a redirect and never opens a URL that a person typed: the address comes from
Discord's own word on an attachment. Knows nothing of pictures; `image.py` judges the bytes.
"""

from collections.abc import Collection
from pathlib import Path

import httpx

from bot.download import download
from bot.errors import PictureProblem, PictureRefused

_TIMEOUT = httpx.Timeout(20, connect=5)
MEGABYTE = 1_000_000
_MOST_CLIP = 500 * MEGABYTE
"""As the largest file that Discord takes from anybody."""


class Media:
    """A reader of Discord's media hosts. `http` is owned by the caller."""

    def __init__(self, http: httpx.AsyncClient, hosts: Collection[str], most_bytes: int) -> None:
        self._http = http
        self._hosts = frozenset(hosts)
        self._most_bytes = most_bytes

    def check_size(self, size: int) -> None:
        """Refuse an empty or too large file by its declared size in bytes. Raises `PictureRefused`.

        The declared size saves a download; it is not believed, the bytes are counted as they come.
        """
        if size == 0:
            raise PictureRefused(PictureProblem.EMPTY)
        if size > self._most_bytes:
            raise PictureRefused(
                PictureProblem.TOO_LARGE, f"{megabytes(size)}", f"{megabytes(self._most_bytes)}"
            )

    async def fetch(self, url: str) -> bytes:
        """Return the file's bytes. Raises `PictureRefused`."""
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise PictureRefused(PictureProblem.UNREACHABLE) from error
        if not self._is_discords(target):
            raise PictureRefused(PictureProblem.UNREACHABLE)
        try:
            async with self._http.stream("GET", target, timeout=_TIMEOUT) as response:
                if not response.is_success:
                    raise PictureRefused(PictureProblem.UNREACHABLE)
                return await self._read(response)
        except httpx.HTTPError as error:
            raise PictureRefused(PictureProblem.UNREACHABLE) from error

    async def save(self, url: str, path: Path) -> None:
        """Download one of our own clips to a file, whole or not at all. Raises `ProviderError`."""
        await download(self._http, url, path, _MOST_CLIP, self._is_discords)

    def _is_discords(self, target: httpx.URL) -> bool:
        host = target.host if target.port is None else f"{target.host}:{target.port}"
        return host in self._hosts

    async def _read(self, response: httpx.Response) -> bytes:
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > self._most_bytes:
                self.check_size(len(data))
        self.check_size(len(data))
        return bytes(data)


def megabytes(size: int) -> str:
    """Write a size in bytes for people: "31 MB", "0.4 MB"."""
    value = size / MEGABYTE
    return f"{value:.0f} MB" if value >= 10 else f"{value:.1f} MB"  # noqa: PLR2004 - three digits
