"""What happened in a run, in order: the same seed writes the same lines, to the byte."""

import asyncio
import hashlib


class Journal:
    """Notes events at the loop's time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lines: list[tuple[float, str]] = []

    def note(self, text: str) -> None:
        self._lines.append((self._loop.time(), text))

    def text(self) -> str:
        return "".join(f"{at:12.3f}  {text}\n" for at, text in self._lines)

    def digest(self) -> str:
        return hashlib.sha256(self.text().encode()).hexdigest()
