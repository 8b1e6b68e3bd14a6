"""Request bodies: JSON, or multipart with `payload_json` and `files[n]`, read once into a `Body`.

Knows the wire format and the size limits, nothing of what the fields mean.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import content_disposition_filename, parse_content_disposition, web
from multidict import CIMultiDict

from bot.sandbox.discord.errors import ApiError, FormErrors, Refusal

JSON = dict[str, Any]

#: Where the decoded JSON of a request is left, for the journal.
PAYLOAD = web.RequestKey("payload", object)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a multipart body."""

    filename: str
    content: bytes


@dataclass(slots=True)
class Body:
    """What a request carried: its JSON object (or list), and its files by number."""

    payload: Any = field(default_factory=dict)
    files: dict[int, Upload] = field(default_factory=dict)

    @property
    def form(self) -> JSON:
        """The payload, which must be an object."""
        if not isinstance(self.payload, dict):
            raise ApiError(Refusal.INVALID_FORM, {})
        return self.payload

    def check_sizes(self, most: int) -> None:
        """Raise ApiError 40005 if any one file is over the limit."""
        if any(len(upload.content) > most for upload in self.files.values()):
            raise ApiError(Refusal.REQUEST_TOO_LARGE)


async def read_body(request: web.Request, request_limit: int) -> Body:
    """Read a request's body. Raises ApiError 50109 for broken JSON, 40005 for a body too large."""
    if (request.content_length or 0) > request_limit:
        raise ApiError(Refusal.REQUEST_TOO_LARGE)
    content = await request.read()
    if len(content) > request_limit:
        raise ApiError(Refusal.REQUEST_TOO_LARGE)
    if request.content_type == "multipart/form-data":
        body = _multipart(request.headers.get("Content-Type", ""), content)
    else:
        body = Body(_json(content) if content else {})
    request[PAYLOAD] = body.payload
    return body


def _json(content: bytes | str) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise ApiError(Refusal.INVALID_JSON) from None


def _multipart(content_type: str, content: bytes) -> Body:
    body = Body()
    fields: JSON = {}
    for headers, data in split_multipart(content_type, content):
        _, parameters = parse_content_disposition(headers.get("Content-Disposition"))
        name = content_disposition_filename(parameters, "name") or ""
        filename = content_disposition_filename(parameters)
        if name == "payload_json":
            body.payload = _json(data)
        elif name.startswith("files[") and name[6:-1].isdecimal():
            body.files[int(name[6:-1])] = Upload(filename or "unknown", data)
        elif filename is not None:
            body.files[len(body.files)] = Upload(filename, data)
        else:
            fields[name] = data.decode(errors="replace")
    body.payload = body.payload or fields
    return body


def split_multipart(content_type: str, content: bytes) -> list[tuple[CIMultiDict[str], bytes]]:
    """Return the parts of a multipart body as (headers, data). Raises ApiError 50035."""
    marker = b"--" + _boundary(content_type).encode()
    parts = []
    position = content.find(marker) + len(marker)
    while content[position : position + 2] == b"\r\n":
        end = content.find(b"\r\n" + marker, position)
        head_end = content.find(b"\r\n\r\n", position)
        if end < 0 or head_end < 0:
            break
        parts.append((_headers(content[position + 2 : head_end]), content[head_end + 4 : end]))
        position = end + 2 + len(marker)
    return parts


def _boundary(content_type: str) -> str:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "boundary" and value:
            return value.strip('"')
    errors = FormErrors()
    errors.add((), "CONTENT_TYPE_INVALID", "Expected a multipart body with a boundary")
    errors.check()
    raise AssertionError


def _headers(block: bytes) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict()
    for line in block.decode("utf-8", "surrogateescape").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    return headers
