"""The bot's HTTP client in the simulation: httpx over the simulated service and picture host."""

from collections.abc import AsyncIterator, Callable

import httpx
import orjson

from tests.simulation.runware import URL, Runware
from tests.simulation.weather import OK, Fate, Side
from tests.simulation.wire import Answer, NoAnswer, Silence, Wire

PICTURES = "cdn.discordapp.com"
_RAISED = {
    Silence.CONNECT: httpx.ConnectError,
    Silence.TIMEOUT: httpx.ReadTimeout,
    Silence.RESET: httpx.RemoteProtocolError,
}


class SimulatedWeb(httpx.AsyncBaseTransport):
    """`pictures` is what members handed to Discord, by path."""

    def __init__(self, wire: Wire, runware: Runware, pictures: dict[str, bytes]) -> None:
        self._wire = wire
        self._runware = runware
        self._pictures = pictures

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        side, label, handle = self._meant(request)
        patience = request.extensions["timeout"]["read"]
        try:
            answer = await self._wire.exchange(side, label, handle, patience)
        except NoAnswer as error:
            raise _RAISED[error.silence](str(error.silence), request=request) from None
        if label != "fetch":
            return httpx.Response(answer.status, headers=answer.headers, content=answer.body)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Halves(self._wire, answer)
        )

    def _meant(self, request: httpx.Request) -> tuple[Side, str, Callable[[], Answer]]:
        url = request.url
        if url.host == PICTURES:
            return Side.CDN, "picture", lambda: Answer(OK, self._pictures[url.path])
        if str(url) == URL:
            body = request.content
            kinds = {task["taskType"] for task in orjson.loads(body)}
            label = {"videoInference": "submit", "getResponse": "look"}.get(kinds.pop(), "account")
            return Side.RUNWARE, label, lambda: self._runware.answer(body)
        video_uuid = url.path[1:].removesuffix(".mp4")
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        query = url.query.decode()
        return Side.RUNWARE, "fetch", lambda: self._runware.download(video_uuid, query, start)


class _Halves(httpx.AsyncByteStream):
    """A body that comes in two pieces, the second of which may be missing."""

    def __init__(self, wire: Wire, answer: Answer) -> None:
        self._wire = wire
        self._body = answer.body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        middle = len(self._body) // 2
        yield self._body[:middle]
        self._wire.peril.point("fetch: half of it is read")
        if self._wire.fate(Side.RUNWARE) is Fate.CUT:
            raise httpx.ReadError("broken off")
        yield self._body[middle:]
