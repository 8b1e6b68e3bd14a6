"""Discord's refusals: HTTP status, JSON error code and sentence, and the nested errors of a form.

    ApiError            a refusal, as the REST API words it
    FormErrors          collects what is wrong with a body, path by path, then raises 50035
    PeopleError         a refusal on the people's side, in one sentence

Raised by every route, turned into a response by the front door only.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Any

FormPath = Sequence[str | int]


class Refusal(Enum):
    """Discord's documented answers: (HTTP status, error code, message)."""

    UNAUTHORIZED = (401, 0, "401: Unauthorized")
    NOT_FOUND = (404, 0, "404: Not Found")
    METHOD_NOT_ALLOWED = (405, 0, "405: Method Not Allowed")
    INTERNAL = (500, 0, "500: Internal Server Error")
    UNKNOWN_APPLICATION = (404, 10002, "Unknown Application")
    UNKNOWN_CHANNEL = (404, 10003, "Unknown Channel")
    UNKNOWN_GUILD = (404, 10004, "Unknown Guild")
    UNKNOWN_MEMBER = (404, 10007, "Unknown Member")
    UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
    UNKNOWN_USER = (404, 10013, "Unknown User")
    UNKNOWN_EMOJI = (400, 10014, "Unknown Emoji")
    UNKNOWN_WEBHOOK = (404, 10015, "Unknown Webhook")
    UNKNOWN_STICKER = (404, 10060, "Unknown sticker")
    UNKNOWN_INTERACTION = (404, 10062, "Unknown interaction")
    UNKNOWN_COMMAND = (404, 10063, "Unknown application command")
    UNKNOWN_PERMISSIONS = (404, 10066, "Unknown application command permissions")
    UNKNOWN_ENTITLEMENT = (404, 10094, "Unknown Entitlement")
    NOT_FOR_BOTS = (403, 20001, "Bots cannot use this endpoint")
    TOO_MANY_REACTIONS = (400, 30010, "Maximum number of reactions reached (20)")
    REQUEST_TOO_LARGE = (413, 40005, "Request entity too large")
    ALREADY_ACKNOWLEDGED = (400, 40060, "Interaction has already been acknowledged.")
    MISSING_ACCESS = (403, 50001, "Missing Access")
    EDIT_BY_ANOTHER = (403, 50005, "Cannot edit a message authored by another user")
    EMPTY_MESSAGE = (400, 50006, "Cannot send an empty message")
    CANNOT_DM = (403, 50007, "Cannot send messages to this user")
    NO_MUTUAL_GUILDS = (
        403,
        50278,
        "Cannot send messages to this user due to having no mutual guilds",
    )
    MISSING_PERMISSIONS = (403, 50013, "Missing Permissions")
    BAD_NUMBER_TO_DELETE = (
        400,
        50016,
        "Provided too few or too many messages to delete. Must provide at least 2 and at most 100.",
    )
    INVALID_WEBHOOK_TOKEN = (401, 50027, "Invalid Webhook Token")
    TOO_OLD_TO_DELETE = (400, 50034, "You can only bulk delete messages that are under 14 days old")
    INVALID_FORM = (400, 50035, "Invalid Form Body")
    INVALID_STICKER = (400, 50081, "Invalid sticker")
    THREAD_ARCHIVED = (400, 50083, "Thread is archived")
    INVALID_JSON = (400, 50109, "The request body contains invalid JSON.")
    REPLY_WITHOUT_HISTORY = (400, 160002, "Cannot reply without permission to read message history")
    FORWARD_UNREADABLE = (
        400,
        160014,
        "You cannot forward a message whose content you cannot read.",
    )
    THREAD_EXISTS = (400, 160004, "A thread has already been created for this message")


class ApiError(Exception):
    """A refusal of the REST API. `errors` is the nested object of an invalid form."""

    def __init__(self, refusal: Refusal, errors: dict[str, Any] | None = None) -> None:
        self.status, self.code, self.message = refusal.value
        self.errors = errors
        super().__init__(self.message)

    def as_json(self) -> dict[str, Any]:
        """Return the body that a client reads."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


class FormErrors:
    """What is wrong with a request body, as Discord nests it: each path ends in `_errors`."""

    def __init__(self) -> None:
        self._tree: dict[str, Any] = {}

    def add(self, path: FormPath, code: str, message: str) -> None:
        """Note one mistake at a path such as ("embeds", 0, "title")."""
        node = self._tree
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def required(self, path: FormPath) -> None:
        """Note that a field is missing."""
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def too_long(self, path: FormPath, most: int) -> None:
        """Note that a text has more than `most` characters."""
        self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def bad_length(self, path: FormPath, least: int, most: int) -> None:
        """Note that a text or list is not between `least` and `most` long."""
        self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")

    def text(self, path: FormPath, value: object, least: int, most: int) -> None:
        """Note it if `value` is not a text of `least` to `most` characters."""
        if not isinstance(value, str):
            self.required(path)
        elif not least <= len(value) <= most:
            self.bad_length(path, least, most)

    def check(self) -> None:
        """Raise ApiError 50035 if anything was noted."""
        if self._tree:
            raise ApiError(Refusal.INVALID_FORM, self._tree)


class PeopleError(Exception):
    """A refusal on the people's side: an HTTP status, and a sentence or the errors by option."""

    def __init__(self, status: int, sentence: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.errors = errors

    def as_json(self) -> dict[str, Any]:
        """Return the body that the page reads."""
        return (
            {"error": self.sentence}
            if self.errors is None
            else {
                "error": self.sentence,
                "errors": self.errors,
            }
        )
