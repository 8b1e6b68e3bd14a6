"""How the next tasks will end: orders given ahead, used up in turn as tasks are accepted.

Owns the list of orders and what each kind of ending means. Called by `Service` at acceptance, and
filled through the control interface.
"""

from collections import deque
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Ending = Literal[
    "success",
    "moderated",
    "timeout",
    "failed",
    "partial",
    "never",
    "expired",
    "corrupt",
    "wrong_size",
]

_FAILURES = {
    "moderated": ("invalidProviderContent", "The provider refused the content of this task."),
    "timeout": ("timeoutProvider", "The provider did not respond in time."),
    "failed": ("processingFailed", "The task could not be processed."),
    "partial": ("processingFailed", "One of the results could not be processed."),
}


class Outcome(BaseModel):
    """The ending of the next `times` tasks (`None`: of all that follow).

    - `success`: every clip is made. `never`: no result ever comes, nothing is billed.
    - `moderated`, `timeout`, `failed`: no clip, an error per result. `partial`: the last one fails.
    - `expired`: the URL is dead at once. `corrupt`: it serves noise. `wrong_size`: 4 pixels off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    next: Ending
    times: int | None = Field(default=1, ge=1)
    code: str | None = None
    """Instead of the usual code of the failure."""
    message: str | None = None
    billed: bool = False
    """Whether results that fail are billed all the same."""
    flagged: bool = False
    """Whether clips that are made are called sensitive; told also where nobody asked."""
    render_seconds: float | None = Field(default=None, ge=0)
    """Instead of the setting, for these tasks; exact, without stagger."""

    def failure(self, index: int, results: int) -> tuple[str, str] | None:
        """Return the code and message with which the result fails; `None` if it does not."""
        if self.next not in _FAILURES or (self.next == "partial" and index < results - 1):
            return None
        code, message = _FAILURES[self.next]
        return self.code or code, self.message or message


SUCCESS = Outcome(next="success", times=None)


class Outcomes:
    """The orders in the sequence in which they were given."""

    def __init__(self) -> None:
        self._ahead: deque[tuple[Outcome, int | None]] = deque()

    def add(self, outcome: Outcome) -> None:
        """Put an order behind the others."""
        self._ahead.append((outcome, outcome.times))

    def clear(self) -> None:
        """Forget all orders: what follows succeeds."""
        self._ahead.clear()

    def take(self) -> Outcome:
        """Return the ending of the task that is being accepted, and count it."""
        if not self._ahead:
            return SUCCESS
        outcome, left = self._ahead[0]
        if left is not None:
            left -= 1
            self._ahead[0] = (outcome, left)
            if not left:
                self._ahead.popleft()
        return outcome
