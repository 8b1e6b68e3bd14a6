"""Fetches the pictures that people handed to Discord: streamed, capped, from Discord's hosts only.

It never follows a redirect and never opens a URL that a person typed: the address comes from the
interaction's own attachment. Knows nothing of pictures; `image.py` judges the bytes.
"""

from collections.abc import Collection

import httpx

from bot.errors import PictureProblem, PictureRefused

_TIMEOUT = httpx.Timeout(20, connect=5)
MEGABYTE = 1_000_000


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
        host = target.host if target.port is None else f"{target.host}:{target.port}"
        if host not in self._hosts:
            raise PictureRefused(PictureProblem.UNREACHABLE)
        try:
            async with self._http.stream("GET", target, timeout=_TIMEOUT) as response:
                if not response.is_success:
                    raise PictureRefused(PictureProblem.UNREACHABLE)
                return await self._read(response)
        except httpx.HTTPError as error:
            raise PictureRefused(PictureProblem.UNREACHABLE) from error

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
