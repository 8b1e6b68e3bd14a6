"""What the video service's JSON means: an envelope of items and errors, each read with tolerance.

Unknown fields are kept, a field of the wrong type spoils its own item only. An error's code decides
who can act on it; an unknown code is logged whole and its HTTP status decides.
Facts: runware.ai/docs (errors, task polling); codes also from the official clients.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.errors import AccountTrouble, Busy, Moderated, ProviderError, Rejected, Unclear
from bot.money import to_micro

log = logging.getLogger(__name__)

_ACCOUNT = (
    "invalidApiKey missingApiKey unauthorized forbidden permissionDenied insufficientPermissions"
    " authenticationFailed authFailed authTimeout invalidAuthentication invalidCredentials"
    " missingAuthentication tokenExpired tokenInvalid tokenMissing tokenRevoked accountSuspended"
    " accountDisabled organizationSuspended organizationDisabled workspaceSuspended"
    " workspaceDisabled paymentRequired environmentPaused"
)
_CONTENT = (
    "contentPolicyViolation providerContentPolicyViolation sensitiveContentDetected"
    " unsafeContentDetected nsfwContentDetected promptBlocked imageBlocked moderationFailed"
    " invalidProviderContent"
)
_PASSING = (
    "internalServerError serviceUnavailable serverUnavailable unrecognizedResponse"
    " errorRetrievingAccountManagement modelNotReady noAvailableServer"
)
_FAILED = (
    "timeoutProvider providerTimeout providerGatewayTimeout inferenceError processingFailed"
    " taskFailed taskCancelled taskExpired taskNotFound taskFailedOrNotFound downloadFailed"
    " uploadFailed modelNotFound modelUnavailable modelDisabled conflictTaskUUID duplicateTaskUUID"
)
_KIND: dict[str, type[ProviderError]] = {
    **dict.fromkeys(_FAILED.split(), Rejected),
    **dict.fromkeys(_ACCOUNT.split(), AccountTrouble),
    **dict.fromkeys(_CONTENT.split(), Moderated),
    **dict.fromkeys(_PASSING.split(), Busy),
}
_FAMILIES: tuple[tuple[str, type[ProviderError]], ...] = (
    ("ratelimit", Busy),
    ("credits", AccountTrouble),
    ("quota", AccountTrouble),
    ("balance", AccountTrouble),
)
_STARTS = ("invalid", "missing", "unsupported", "unknown", "incompatible", "value", "array", "max")
_LONGEST_WAIT = 60.0
"""Seconds of `Retry-After` that are obeyed."""


_ENVELOPE = TypeAdapter(dict[str, Any])


class Item(BaseModel):
    """One element of `data`. Only `taskUUID` is always there."""

    model_config = ConfigDict(extra="allow", frozen=True)

    taskUUID: str = ""  # noqa: N815 - the wire's own names
    taskType: str = ""  # noqa: N815
    status: str = ""
    videoUUID: str = ""  # noqa: N815
    videoURL: str = ""  # noqa: N815
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    cost: Decimal | None = None
    NSFWContent: bool | None = None
    balance: Any = None
    error: Any = None

    @property
    def is_finished(self) -> bool:
        """A clip is there, whatever its status is called."""
        return bool(self.videoUUID and self.videoURL) and self.error is None

    @property
    def is_processing(self) -> bool:
        """The clip is still in the making."""
        return not self.is_finished and self.status != "error"

    @property
    def cost_micro(self) -> int | None:
        """The reported cost; None where there is none, or it is no amount."""
        micro = _amount(self.cost)
        return None if micro is None or micro < 0 else micro

    @property
    def balance_micro(self) -> int | None:
        """The credit, sent as a number or as an object; below 0 where more was used than paid."""
        value = self.balance
        if isinstance(value, Mapping):
            value = next((value[key] for key in ("amount", "value", "total") if key in value), None)
        return _amount(value)


@dataclass(frozen=True, slots=True)
class Fault:
    """One error of an answer."""

    code: str
    message: str
    task_uuid: str
    parameter: str
    retry_after: float | None
    is_final: bool = False
    """Whether the service itself says that this is how the task ended ("status": "error")."""

    @property
    def is_known(self) -> bool:
        """Whether the code is in our table, so that the HTTP status decides nothing."""
        return _kind(self.code) is not None

    @property
    def is_rejection(self) -> bool:
        """Whether the code by itself is final, whatever the HTTP status."""
        return issubclass(_kind(self.code) or Unclear, Rejected)

    def as_exception(self, status: int) -> ProviderError:
        """Return the exception that says who can act on it."""
        kind = _kind(self.code) or _kind_of_status(status)
        problem = kind(self.code, self.message, status=status, parameter=self.parameter)
        if isinstance(problem, Busy):
            problem.retry_after = self.retry_after
        return problem


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, taken apart."""

    status: int
    items: tuple[Item, ...]
    errors: tuple[Fault, ...]
    waiting: frozenset[str] = frozenset()
    """Tasks of which an item says that they are in the making, and nothing else of interest."""

    def names(self, task_uuid: str) -> bool:
        """Tell whether an item is about this task."""
        return task_uuid in self.waiting or any(item.taskUUID == task_uuid for item in self.items)


def is_conflict(fault: Fault) -> bool:
    """Tell whether the service says that it already has this task UUID."""
    return fault.code in ("conflictTaskUUID", "duplicateTaskUUID")


def is_unknown_task(fault: Fault) -> bool:
    """Tell whether the service does not know the task (yet); that proves nothing about it."""
    return fault.code in ("taskNotFound", "taskFailedOrNotFound")


def read_reply(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Take an answer apart. Raises `Unclear` where it is not the service's JSON."""
    wait = _retry_after(headers)
    try:
        envelope = _ENVELOPE.validate_json(body)
    except ValidationError:
        envelope = {}
    items, errors = [], []
    waiting: set[str] = set()
    for raw in _listed(envelope.get("data")):
        # Nearly all that is ever read is of tasks in the making: for these no item is made.
        if _is_waiting(raw):
            waiting.add(raw["taskUUID"])
            continue
        item = _item(raw)
        if item is not None and (item.error is not None or item.status == "error"):
            failure = _first_mapping(item.error, raw) | {"status": "error"}
            errors.append(_fault(failure, wait, item.taskUUID))
        elif item is not None:
            items.append(item)
    faults = [_fault(raw, wait) for raw in _listed(envelope.get("errors"))]
    told = {(fault.task_uuid, fault.code) for fault in faults}
    # A failure that is told both as an item and as an error is one failure.
    errors = [fault for fault in errors if (fault.task_uuid, fault.code) not in told] + faults
    if not envelope or (status >= 400 and not errors):  # noqa: PLR2004 - HTTP's own boundary
        errors.append(Fault("httpStatus", "no error object", "", "", wait))
        if status < 400:  # noqa: PLR2004
            raise Unclear("unreadable", "the answer is not the service's JSON", status=status)
    return Reply(status, tuple(items), tuple(errors), frozenset(waiting))


def _listed(value: Any) -> list[dict[str, Any]]:
    """Return the objects of what should be a list, but may be one object or missing."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)]


def _is_waiting(raw: Mapping[str, Any]) -> bool:
    is_quiet = raw.get("status") == "processing" and "error" not in raw and "videoURL" not in raw
    return is_quiet and isinstance(raw.get("taskUUID"), str)


def _item(raw: dict[str, Any]) -> Item | None:
    try:
        return Item.model_validate(raw)
    except ValidationError as error:
        fields = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
        log.warning("the service sent odd fields, left out: %s", ", ".join(sorted(fields)))
        try:
            return Item.model_validate({k: v for k, v in raw.items() if k not in fields})
        except ValidationError:
            return None


def _first_mapping(*values: Any) -> dict[str, Any]:
    return next((value for value in values if isinstance(value, dict)), {})


def _fault(raw: dict[str, Any], wait: float | None, task_uuid: str = "") -> Fault:
    parameter = raw.get("parameter") or ""
    fault = Fault(
        code=str(raw.get("code") or "noCode"),
        message=str(raw.get("message") or ""),
        task_uuid=str(raw.get("taskUUID") or task_uuid),
        parameter=", ".join(map(str, parameter)) if isinstance(parameter, list) else str(parameter),
        retry_after=wait,
        is_final=raw.get("status") == "error",
    )
    if _kind(fault.code) is None:
        log.warning("the service sent an error that is not in our table: %r", raw)
    return fault


def _kind(code: str) -> type[ProviderError] | None:
    if code in _KIND:
        return _KIND[code]
    lowered = code.lower()
    for part, kind in _FAMILIES:
        if part in lowered:
            return kind
    return Rejected if lowered.startswith(_STARTS) and code != "unknownError" else None


def _kind_of_status(status: int) -> type[ProviderError]:
    if status in (401, 402, 403):
        return AccountTrouble
    if status in (408, 425, 429):
        return Busy
    # A server error says nothing about whether the task was taken.
    return Unclear if status >= 500 else Rejected  # noqa: PLR2004


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return min(_LONGEST_WAIT, max(0.0, float(headers.get("Retry-After", ""))))
    except ValueError:
        return None


def _amount(value: Any) -> int | None:
    try:
        return to_micro(Decimal(str(value)))
    except (ArithmeticError, ValueError):
        return None
