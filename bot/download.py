"""One download to a file: whole or not at all, bounded, resumed where it broke off.

Follows a few redirects, each only to where the caller allows it. `provider.py` calls it.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import httpx

from bot.errors import Busy, ProviderError, Rejected

_TIMEOUT = httpx.Timeout(60, connect=10)
_MOST_SECONDS = 600
"""Of one try as a whole: what drips for ever would keep others from being fetched."""
_MOST_HOPS = 3
_GONE = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


async def download(
    http: httpx.AsyncClient,
    url: str,
    path: Path,
    most_bytes: int,
    is_safe: Callable[[httpx.URL], bool],
) -> int:
    """Download `url` to `path` and return its size in bytes.

    What arrived of a download that breaks off is kept beside `path`, for the next try. Raises
    `Rejected` (gone, over `most_bytes`, or at an address that is not safe) or `Busy` (try again).
    """
    part = path.with_name(path.name + ".part")
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            size = await _fetch(http, _checked(url, is_safe), part, most_bytes, is_safe)
    except TimeoutError as error:
        raise Busy("downloadFailed", f"not whole within {_MOST_SECONDS} s") from error
    except httpx.HTTPError as error:
        raise Busy("downloadFailed", f"{type(error).__name__}: {error}") from error
    except ProviderError:
        part.unlink(missing_ok=True)
        raise
    part.replace(path)
    return size


async def _fetch(
    http: httpx.AsyncClient,
    url: httpx.URL,
    part: Path,
    most_bytes: int,
    is_safe: Callable[[httpx.URL], bool],
) -> int:
    have = _size(part)
    # Unpacked bytes could not be counted into a range of packed ones.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    for _ in range(_MOST_HOPS + 1):
        async with http.stream("GET", url, headers=headers, timeout=_TIMEOUT) as response:
            if not response.has_redirect_location:
                return await _save(response, part, have, most_bytes)
            url = _checked(response.headers["Location"], is_safe, url)
    raise Busy("downloadFailed", f"over {_MOST_HOPS} redirects")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _checked(
    url: str, is_safe: Callable[[httpx.URL], bool], base: httpx.URL | None = None
) -> httpx.URL:
    """Read a URL, relative to `base`. Raises `Rejected` where it may not be fetched from."""
    try:
        target = httpx.URL(url) if base is None else base.join(url)
    except httpx.InvalidURL as error:
        raise Rejected("invalidURL", str(error)) from error
    if not is_safe(target):
        raise Rejected("insecureURL", f"will not fetch from {target.scheme}://{target.host}")
    return target


async def _save(response: httpx.Response, part: Path, have: int, most_bytes: int) -> int:
    status = response.status_code
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        kind = Rejected if status in _GONE else Busy
        raise kind("downloadFailed", "the clip could not be downloaded", status=status)
    is_rest = have > 0 and status == HTTPStatus.PARTIAL_CONTENT
    with part.open("r+b" if is_rest else "wb") as file:
        size = file.seek(have if is_rest else 0)
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > most_bytes:
                raise Rejected("clipTooLarge", f"over {most_bytes} bytes")
            file.write(chunk)
    return size
