"""Message and modal components: checked as Discord checks them, numbered, and their media resolved.

Pure, except that it marks mistakes in the FormErrors it is given. Knows no message and no route.
"""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.discord.cdn import Attachment
from bot.sandbox.discord.errors import FormErrors, FormPath
from bot.sandbox.discord.inputs import check_button, check_input, check_label
from bot.sandbox.discord.kinds import INTERACTIVE, JSON, SELECTS, Kind, without_nulls

K = Kind
_V2_TOP = frozenset(
    {K.ACTION_ROW, K.SECTION, K.TEXT_DISPLAY, K.MEDIA_GALLERY, K.FILE, K.SEPARATOR, K.CONTAINER}
)
_MODAL_TOP = frozenset({K.ACTION_ROW, K.LABEL, K.TEXT_DISPLAY})
#: What a row takes, in a message and in a modal.
_IN_ROWS = SELECTS | {K.BUTTON}
_ROWS_MAX, _BUTTONS_MAX, _V2_TOTAL_MAX, _MEDIA_MAX = 5, 5, 40, 10
_CUSTOM_ID_MAX, _V2_TEXT_MAX, _TITLE_MAX = 100, 4000, 45
_PLAIN_MEDIA: JSON = {"description": None, "spoiler": False}
#: What Discord adds where the app said nothing.
_DEFAULTS: dict[int, JSON] = {
    K.BUTTON: {"disabled": False},
    **{kind: {"min_values": 1, "max_values": 1} for kind in SELECTS},
    K.THUMBNAIL: _PLAIN_MEDIA,
    K.FILE: {"name": None, "size": None, "spoiler": False},
    K.SEPARATOR: {"divider": True, "spacing": 1},
    K.CONTAINER: {"accent_color": None, "spoiler": False},
}


class _Walk:
    """One pass over a tree: gives ids, resolves media, notes mistakes."""

    def __init__(
        self, errors: FormErrors, files: Mapping[str, Attachment], in_rows: frozenset[Kind]
    ) -> None:
        self.errors = errors
        self._in_rows = in_rows
        self.files = files
        self.count = 0
        self.text = 0
        self._ids: set[int] = set()
        self._next_id = 1
        self._custom_ids: set[str] = set()

    def visit(self, given: Any, path: FormPath) -> JSON:
        """Return a component as Discord would echo it."""
        if not isinstance(given, dict) or given.get("type") not in set(Kind):
            self.errors.add((*path, "type"), "BASE_TYPE_CHOICES", "Unknown component type")
            return {}
        self.count += 1
        shape = _DEFAULTS.get(given["type"], {}) | without_nulls(given)
        if "default_values" in shape:  # ids come as numbers, too
            shape["default_values"] = [
                {**one, "id": str(one.get("id"))} for one in shape["default_values"]
            ]
        shape["id"] = self._number(given.get("id"), path)
        self._children(shape, path)
        self._check(shape, path)
        return shape

    def _number(self, wanted: Any, path: FormPath) -> int:
        if isinstance(wanted, int) and wanted > 0:
            if wanted in self._ids:
                self.errors.add(
                    (*path, "id"), "COMPONENT_ID_DUPLICATED", "Component id is used twice"
                )
            self._ids.add(wanted)
            return wanted
        while self._next_id in self._ids:
            self._next_id += 1
        self._ids.add(self._next_id)
        return self._next_id

    def _children(self, shape: JSON, path: FormPath) -> None:
        if "components" in shape:
            shape["components"] = [
                self.visit(child, (*path, "components", index))
                for index, child in enumerate(shape["components"])
            ]
        for name in ("accessory", "component"):
            if name in shape:
                shape[name] = self.visit(shape[name], (*path, name))

    def _check(self, shape: JSON, path: FormPath) -> None:
        kind = shape["type"]
        if kind == K.ACTION_ROW:
            self._row(shape, path)
        elif kind in INTERACTIVE:
            self._interactive(shape, path)
        elif kind == K.LABEL:
            check_label(shape, path, self.errors)
        elif kind == K.TEXT_DISPLAY:
            self._displayed(shape, path)
        elif kind == K.MEDIA_GALLERY:
            self._gallery(shape, path)
        elif kind == K.THUMBNAIL:
            shape["media"] = self._media(shape.get("media"), (*path, "media"))
        elif kind == K.FILE:
            self._file(shape, path)

    def _row(self, shape: JSON, path: FormPath) -> None:
        children = shape.get("components") or []
        most = _BUTTONS_MAX if all(child.get("type") == K.BUTTON for child in children) else 1
        if not 1 <= len(children) <= most:
            self.errors.bad_length((*path, "components"), 1, most)
        for index, child in enumerate(children):
            if child.get("type") not in self._in_rows:
                where = (*path, "components", index, "type")
                choices = ", ".join(str(int(kind)) for kind in sorted(self._in_rows))
                message = f"Value of field 'type' must be one of ({choices})."
                self.errors.add(where, "UNION_TYPE_CHOICES", message)

    def _interactive(self, shape: JSON, path: FormPath) -> None:
        if shape["type"] != K.BUTTON:
            check_input(shape, path, self.errors)
        elif not check_button(shape, path, self.errors):
            return
        self._custom_id(shape, path)

    def _custom_id(self, shape: JSON, path: FormPath) -> None:
        custom_id = shape.get("custom_id")
        self.errors.text((*path, "custom_id"), custom_id, 1, _CUSTOM_ID_MAX)
        if custom_id in self._custom_ids:
            self.errors.add(
                (*path, "custom_id"),
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        self._custom_ids.add(str(custom_id))

    def _displayed(self, shape: JSON, path: FormPath) -> None:
        self.errors.text((*path, "content"), shape.get("content"), 1, _V2_TEXT_MAX)
        self.text += len(shape.get("content", ""))

    def _gallery(self, shape: JSON, path: FormPath) -> None:
        items = shape.get("items") or []
        if not 1 <= len(items) <= _MEDIA_MAX:
            self.errors.bad_length((*path, "items"), 1, _MEDIA_MAX)
        resolved = []
        for index, item in enumerate(items):
            media = self._media(item.get("media"), (*path, "items", index, "media"))
            resolved.append(_PLAIN_MEDIA | without_nulls(item) | {"media": media})
        shape["items"] = resolved

    def _file(self, shape: JSON, path: FormPath) -> None:
        media = self._media(shape.get("file"), (*path, "file"))
        shape["file"] = media
        for found in self.files.values():
            if found.id == media.get("attachment_id"):
                shape |= {"name": found.filename, "size": len(found.content)}

    def _media(self, given: Any, path: FormPath) -> JSON:
        """Return an unfurled media item: `attachment://name` becomes the file that it names."""
        url = given.get("url") if isinstance(given, dict) else None
        if not isinstance(url, str):
            self.errors.required((*path, "url"))
            return {}
        if not url.startswith("attachment://"):
            return {"id": "0", "url": url, "proxy_url": url, "loading_state": 2, "flags": 0}
        found = self.files.get(url.removeprefix("attachment://"))
        if found is None:
            self.errors.add(
                path, "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                "The referenced attachment was not found",
            )  # fmt: skip
            return {}
        return {
            "id": found.id,
            "url": url,
            "proxy_url": url,
            "width": found.width,
            "height": found.height,
            "content_type": found.content_type,
            "attachment_id": found.id,
            "loading_state": 2,
            "flags": 0,
        }


def message_components(
    given: Any, *, v2: bool, files: Mapping[str, Attachment], errors: FormErrors
) -> list[JSON]:
    """Components of a message, as Discord echoes them. Mistakes go to `errors`."""
    if not isinstance(given, list):
        errors.add(("components",), "BASE_TYPE_LIST", "Only iterables may be used in a ListType")
        return []
    allowed = _V2_TOP if v2 else {K.ACTION_ROW}
    walk = _Walk(errors, files, _IN_ROWS)
    shapes = [_top(walk, each, index, allowed) for index, each in enumerate(given)]
    most = _V2_TOTAL_MAX if v2 else _ROWS_MAX
    if (walk.count if v2 else len(given)) > most:
        errors.bad_length(("components",), 1, most)
    if walk.text > _V2_TEXT_MAX:
        errors.too_long(("components",), _V2_TEXT_MAX)
    return shapes


def modal(given: JSON, errors: FormErrors) -> JSON:
    """Return a modal, as the page gets it. Mistakes go to `errors`, under `data`."""
    errors.text(("data", "title"), given.get("title"), 1, _TITLE_MAX)
    errors.text(("data", "custom_id"), given.get("custom_id"), 1, _CUSTOM_ID_MAX)
    walk = _Walk(errors, {}, frozenset({K.TEXT_INPUT}))
    rows = given.get("components") or []
    if not 1 <= len(rows) <= _ROWS_MAX:
        errors.bad_length(("data", "components"), 1, _ROWS_MAX)
    shapes = [_top(walk, each, index, _MODAL_TOP, ("data",)) for index, each in enumerate(rows)]
    return {
        "custom_id": given.get("custom_id"),
        "title": given.get("title"),
        "components": shapes,
    }


def _top(
    walk: _Walk, given: Any, index: int, allowed: set[Kind] | frozenset[Kind], root: FormPath = ()
) -> JSON:
    path = (*root, "components", index)
    if isinstance(given, dict) and given.get("type") not in allowed:
        choices = ", ".join(str(int(kind)) for kind in sorted(allowed))
        message = f"Value of field 'type' must be one of ({choices})."
        walk.errors.add((*path, "type"), "UNION_TYPE_CHOICES", message)
        return {}
    return walk.visit(given, path)
