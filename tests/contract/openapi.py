"""Discord's published OpenAPI document and the gateway's JSON schemas, as validators."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from bot.sandbox.discord.journal import Exchange

JSON = dict[str, Any]
REFERENCE = Path(__file__).parents[2].parent / "shared" / "reference"
MISSING = "the published contracts (../shared/reference) are not beside the project"
_ROOT = "urn:discord"
#: Routes that exist and are in use, but not in the document.
_UNPUBLISHED = ("/attachments/refresh-urls", "/skus")


class Contract:
    """Checks recorded exchanges against the OpenAPI document."""

    def __init__(self, document: JSON) -> None:
        # The documentation has forwards (1); the document has not.
        document["components"]["schemas"]["MessageReferenceType"]["oneOf"].append({"const": 1})
        # Discord accepts ids as numbers too, and its own clients send them so.
        requests = json.loads(json.dumps(document))
        requests["components"]["schemas"]["SnowflakeType"] = {"type": ["string", "integer"]}
        self._paths: JSON = document["paths"]
        self._responses = _registry(document)
        self._requests = _registry(requests)
        templates = sorted(self._paths, key=lambda path: path.count("{"))
        self._patterns: list[tuple[re.Pattern[str], str]] = [
            (_pattern(one), one) for one in templates
        ]

    def template(self, exchange: Exchange) -> str | None:
        """The path of the operation that a request called; None if there is none."""
        for pattern, template in self._patterns:
            known = exchange.method.lower() in self._paths[template]
            if known and pattern.fullmatch(exchange.path):
                return template
        return None

    def mistakes(self, exchange: Exchange) -> list[str]:
        """What the document has against a request and its answer."""
        if any(one in exchange.path for one in _UNPUBLISHED):
            return []
        template = self.template(exchange)
        if template is None:
            return [f"{exchange.method} {exchange.path}: no such operation"]
        where = f"{exchange.method} {template} {exchange.status}"
        operation: JSON = self._paths[template][exchange.method.lower()]
        pointer = ["paths", template, exchange.method.lower()]
        found = []
        if exchange.payload and exchange.status < 400:
            kind = "multipart/form-data" if exchange.multipart else "application/json"
            schema = [*pointer, "requestBody", "content", kind, "schema"]
            found += _against(self._requests, schema, exchange.payload, f"{where} request")
        return found + self._answer(exchange, operation, pointer, where)

    def _answer(
        self, exchange: Exchange, operation: JSON, pointer: list[str], where: str
    ) -> list[str]:
        status = str(exchange.status)
        if status == "429":
            schema = ["components", "schemas", "RatelimitedResponse"]
        elif exchange.status >= 400:
            # Not ErrorResponse: it wants numbers where the docs and Discord have words such as
            # BASE_TYPE_REQUIRED, in the errors of a form's fields.
            schema = ["components", "schemas", "Error"]
        elif status not in operation["responses"]:
            return [f"{where}: no such status"]
        elif not operation["responses"][status].get("content"):
            return [f"{where}: must have no body"] if exchange.answer else []
        else:
            media = "application/json"
            schema = [*pointer, "responses", status, "content", media, "schema"]
        return _against(self._responses, schema, json.loads(exchange.answer), f"{where} answer")


@cache
def contract() -> Contract:
    """The OpenAPI document, read once: it is large."""
    return Contract(json.loads((REFERENCE / "discord-openapi.json").read_bytes()))


@cache
def _gateway_validator(name: str) -> jsonschema.Draft7Validator:
    schema = json.loads((REFERENCE / "discord-gateway-schemas" / f"{name}.json").read_bytes())
    _mend_snapshots(schema.get("definitions", {}))
    return jsonschema.Draft7Validator(schema)


def _mend_snapshots(definitions: JSON) -> None:
    """Give a snapshot's fields the schemas that they have in a message.

    They were made of a type that picks fields of another, and each became a whole message.
    """
    fields = definitions.get("APIMessageSnapshotFields")
    if fields is not None:
        whole = definitions["APIMessage"]["properties"]
        fields["properties"] = {name: whole[name] for name in fields["properties"]}
        fields["required"] = [one for one in fields["required"] if "sticker" not in one]


def gateway_mistakes(name: str, data: Any) -> list[str]:
    """What the schema of a gateway payload has against some data."""
    return [f"{name}: {_told(error)}" for error in _gateway_validator(name).iter_errors(data)]


def _registry(document: JSON) -> Registry[Any]:
    resource = DRAFT202012.create_resource(document)
    registry: Registry[Any] = Registry().with_resource(_ROOT, resource)
    return registry


def _against(registry: Registry[Any], pointer: list[str], data: Any, where: str) -> list[str]:
    steps = "/".join(quote(step.replace("~", "~0").replace("/", "~1")) for step in pointer)
    schema = {"$ref": f"{_ROOT}#/{steps}"}
    validator = jsonschema.Draft202012Validator(schema, registry=registry)
    return [f"{where}: {_told(error)}" for error in validator.iter_errors(data)]


def _told(error: ValidationError) -> str:
    """The innermost reason, with its place."""
    while error.context:
        error = _meant(error)
    return f"{error.json_path}: {error.message[:300]}"


def _meant(error: ValidationError) -> ValidationError:
    """The failure in the branch of a union that was meant: the one whose `type` fits."""
    branches: dict[Any, list[ValidationError]] = {}
    for one in error.context or []:
        branches.setdefault(one.schema_path[0], []).append(one)

    def strangeness(branch: list[ValidationError]) -> tuple[bool, bool, int]:
        wrong_type = any(list(one.relative_path) == ["type"] for one in branch)
        wrong_kind = any(one.validator == "type" and not one.relative_path for one in branch)
        return wrong_kind, wrong_type, len(branch)

    closest = min(branches.values(), key=strangeness)
    return max(closest, key=lambda one: len(one.path))


def _pattern(template: str) -> re.Pattern[str]:
    # A path parameter is one segment; @original has a path of its own.
    return re.compile(re.sub(r"\\\{[^/]+?\\\}", "(?!@)[^/]+", re.escape(template)))
