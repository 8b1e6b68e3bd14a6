"""A bounded log of what clients sent, for tests and the curious: without pictures, without keys.

Owns the redaction and the length. Called by the API for every request, read through the control
interface.
"""

from collections import Counter, deque
from typing import Any

from bot.sandbox.runware.ledger import Ledger

KEPT = 2000
LONGEST = 300
"""Characters of a string that is kept whole; a picture is always longer."""
MOST_TASKS = 20
"""Of one request; the rest is only counted."""


class Journal:
    """The last requests, oldest first."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def note(self, tasks: list[Any], *, at: float, transport: str, dry_run: bool) -> None:
        """Write one request down; `at` in seconds since the epoch."""
        kinds = Counter(_kind(task) for task in tasks)
        self._ledger.requests += 1
        self._ledger.polls += "getResponse" in kinds
        self._ledger.asked += kinds
        entry = {
            "at": at,
            "transport": transport,
            "count": len(tasks),
            "tasks": [redacted(task) for task in tasks[:MOST_TASKS]],
        }
        self._entries.append(entry | ({"dryRun": True} if dry_run else {}))

    def entries(self) -> list[dict[str, Any]]:
        """Return what is kept."""
        return list(self._entries)


def _kind(task: Any) -> str:
    kind = task.get("taskType") if isinstance(task, dict) else None
    return kind if isinstance(kind, str) else "?"


def redacted(value: Any) -> Any:
    """Copy JSON without what is long (pictures) or secret (keys)."""
    if isinstance(value, dict):
        return {
            name: "(left out)" if name == "apiKey" else redacted(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if isinstance(value, str) and len(value) > LONGEST:
        return f"({len(value)} characters left out)"
    return value
