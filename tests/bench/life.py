"""What the bench and the processes that wait for clips say to each other: an order, a report.

Both environments import it: the standard library is all there is.
"""

import json
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeOrder:
    """Have `jobs` clips made of `picture` (a JPEG) at `url`; our own may use `folder`."""

    url: str
    picture: str
    jobs: int
    folder: str
    look_every: float
    """Seconds between two looks; the peer has its own way."""
    hook_port: int | None = None
    """Where ours is to hear of its clips, besides looking."""


def report(start_s: float, seen: dict[str, float]) -> None:
    """Print the process's CPU seconds at the start and now, and when each task was seen.

    Tasks by their UUID, their times in seconds of `time.monotonic`.
    """
    told = {"start_s": start_s, "end_s": time.process_time(), "seen": seen}
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
