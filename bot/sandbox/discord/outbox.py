"""Frames on their way to one WebSocket: queued by anybody, written in order by one task.

Used by the gateway (compressed as the client asked) and by the people's sockets (text).
"""

import asyncio
import contextlib
import zlib
from collections.abc import Callable

import zstandard
from aiohttp import ClientConnectionError, web

Encode = Callable[[bytes], bytes]


class Outbox:
    """One socket's frames. `send` and `close` never wait."""

    def __init__(self, socket: web.WebSocketResponse, encode: Encode | None = None) -> None:
        self._socket = socket
        self._encode = encode
        #: Frames; a number closes the socket with that code.
        self._waiting: asyncio.Queue[bytes | int] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())
        #: True once this side asked for the end: the client did not choose to leave.
        self.closing = False
        #: True for a connection that looks alive and says nothing more.
        self.muted = False

    def send(self, frame: bytes) -> None:
        """Queue one frame of JSON."""
        if not self.muted:
            self._waiting.put_nowait(frame)

    def close(self, code: int) -> None:
        """Close with this code, after everything that is queued."""
        self.closing = True
        self._waiting.put_nowait(code)

    def abort(self, request: web.Request) -> None:
        """Cut the connection without a close frame, as a lost network does."""
        self.closing = True
        if request.transport is not None:
            request.transport.abort()

    async def finish(self) -> None:
        """Stop writing; what is still queued is lost with the socket."""
        self._writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._writer

    async def _write(self) -> None:
        while True:
            item = await self._waiting.get()
            try:
                if isinstance(item, int):
                    await self._socket.close(code=item)
                elif self._encode is None:
                    await self._socket.send_str(item.decode())
                else:
                    await self._socket.send_bytes(self._encode(item))
            except (ClientConnectionError, ConnectionError, RuntimeError):
                return  # the reader sees the end of the socket and cleans up


def encoder(compress: str | None) -> Encode | None:
    """Return the transport compression that a client asked for; None for plain text."""
    if compress == "zlib-stream":
        return _zlib_stream()
    if compress == "zstd-stream":
        return _zstd_stream()
    return None


def _zlib_stream() -> Encode:
    """One zlib stream a connection; each message ends with the sync marker 00 00 ff ff."""
    stream = zlib.compressobj()

    def encode(frame: bytes) -> bytes:
        return stream.compress(frame) + stream.flush(zlib.Z_SYNC_FLUSH)

    return encode


def _zstd_stream() -> Encode:
    """One zstd frame a connection, never ended; each message ends a block."""
    stream = zstandard.ZstdCompressor(level=3).compressobj()

    def encode(frame: bytes) -> bytes:
        return stream.compress(frame) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    return encode
