"""httpx's requests carried by aiohttp, which discord.py has loaded anyway.

The clients above keep httpx's ways, and tests its `MockTransport`. Below them aiohttp needs a
fraction of the CPU for a large body, and httpx's own transport, which nobody then loads, would take
a tenth of a second of each start. What goes wrong is told as httpx tells it, and never better than
it is: only what is sure to have happened before a byte was sent is a `ConnectError`,
`ConnectTimeout` or `PoolTimeout`.
"""

import asyncio
import io
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast
from urllib.request import getproxies

import aiohttp
import httpx
import yarl

_KEPT_ALIVE = 5.0
"""Seconds that an idle connection is kept: servers close theirs after more."""
_SMALL = 1 << 20
"""Bytes of a body that are handed over at once; a larger one in pieces."""
_PIECE = 1 << 20
"""Bytes of an answer that are read ahead."""


def client() -> httpx.AsyncClient:
    """Return a client of the web. Costs nothing until its first request."""
    return httpx.AsyncClient(transport=Transport())


class Transport(httpx.AsyncBaseTransport):
    """One pool of connections, opened with the first request."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the body of the answer is read by who gets it."""
        spans = request.extensions["timeout"]
        content = await request.aread()
        with _as_httpx(request):
            async with asyncio.timeout(_until_headers(spans)):
                response = await self._opened().request(
                    request.method,
                    _url(request.url),
                    headers=[(_text(name), _text(value)) for name, value in request.headers.raw],
                    data=_body(content),
                    timeout=aiohttp.ClientTimeout(
                        connect=spans["pool"],
                        sock_connect=spans["connect"],
                        sock_read=spans["read"],
                    ),
                    allow_redirects=False,
                )
        return httpx.Response(
            response.status,
            headers=list(response.raw_headers),
            stream=_Body(request, response),
            extensions={"reason_phrase": (response.reason or "").encode("ascii", "ignore")},
        )

    async def aclose(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # As httpx does it: names by the system, no cookies, proxies from the environment.
            connector = aiohttp.TCPConnector(
                resolver=aiohttp.ThreadedResolver(cast("Any", _Names())),
                keepalive_timeout=_KEPT_ALIVE,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=bool(getproxies()),  # with it, each request would look for a .netrc
                auto_decompress=False,
                read_bufsize=_PIECE,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._session


class _Names:
    """Asks the system for addresses, as an event loop does, in threads that nobody waits for.

    A silent network leaves a name unanswered for half a minute and more. A thread of asyncio's own
    would keep the bot from stopping for so long.
    """

    async def getaddrinfo(self, *wanted: Any, **more: Any) -> Any:
        """Ask, and raise what the system raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def tell(found: Any, error: Exception | None) -> None:
            if answer.done():
                return  # who asked has left
            if error is None:
                answer.set_result(found)
            else:
                answer.set_exception(error)

        def ask() -> None:
            found, problem = None, None
            try:
                found = socket.getaddrinfo(*wanted, **more)
            except Exception as error:  # noqa: BLE001 - raised where it was asked
                problem = error
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(tell, found, problem)

        threading.Thread(target=ask, name="names", daemon=True).start()
        return await answer


class _Body(httpx.AsyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(self, request: httpx.Request, response: aiohttp.ClientResponse) -> None:
        self._request = request
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx(self._request):
            async for piece in self._response.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        self._response.close()  # one that was read to its end is not in hand any more


@contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    """Raise what aiohttp raises as httpx would."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        kind = next(ours for theirs, ours in _ERRORS if isinstance(error, theirs))
        raise kind(f"{type(error).__name__}: {error}", request=request) from error


_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (ValueError, httpx.UnsupportedProtocol),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError),
    (OSError, httpx.ReadError),
    (Exception, httpx.RemoteProtocolError),
)
"""The first that fits. `ClientConnectorError` is of the making of a connection, TLS included."""


def _until_headers(spans: dict[str, Any]) -> float | None:
    """Return the seconds until an answer must have begun: aiohttp knows no limit for writing."""
    limits = list(spans.values())
    return None if None in limits else sum(limits)


def _url(url: httpx.URL) -> yarl.URL:
    """Put an address together from httpx's parts: it is not read a second time, by other rules."""
    path, _, query = _text(url.raw_path).partition("?")
    return yarl.URL.build(
        scheme=url.scheme,
        host=_text(url.raw_host),
        port=url.port,
        path=path,
        query_string=query,
        encoded=True,
    )


def _body(content: bytes) -> bytes | io.BytesIO | None:
    if len(content) > _SMALL:
        return io.BytesIO(content)
    return content or None


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
