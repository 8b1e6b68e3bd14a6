"""Develops pictures, one after the other, in a process of its own: `python -m bot.develop`.

A picture is a stranger's file, and what decodes it is millions of lines of C. Here that holds no
secret, keeps no event loop waiting, may be killed, and gets no more memory than the picture's own
header justifies. `darkroom.py` starts it and speaks with it: a line of JSON, then as many bytes as
that says. It ends with its standard input.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot import image, preview
from bot.errors import PictureRefused
from bot.image import Rules
from bot.wish import Fit

_SPARE = 64_000_000
"""Bytes that any picture may take, to be opened and to be brought into its frame."""
_COPIES = 3
"""Of the file, in different hands."""


def main() -> None:
    """Answer until there is nothing more to read."""
    _step_back()  # before two processors are busy with what is loaded next
    from PIL import (  # noqa: F401, PLC0415 - now, and not while the first picture waits
        AvifImagePlugin,
        ImageCms,
        ImageFilter,
        ImageStat,
        JpegImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    _say({"ready": True})
    while line := sys.stdin.buffer.readline():
        order = json.loads(line)
        _answer(order, sys.stdin.buffer.read(order["bytes"]))


def _step_back() -> None:
    """Let the bot itself go first: with the processor, and with what memory there is."""
    with suppress(AttributeError, OSError):
        os.nice(5)
        Path("/proc/self/oom_score_adj").write_text("1000")


def _answer(order: Mapping[str, Any], data: bytes) -> None:
    spare = _SPARE + _COPIES * len(data)

    def grant(needs: int) -> None:
        _say({"needs": needs + spare})
        sys.stdin.buffer.readline()
        _allow(needs + spare)

    work = image.prepare if order["do"] == "prepare" else preview.preview
    size = order["size"] and tuple(order["size"])
    _allow(spare)
    try:
        made = work(data, Rules(**order["rules"]), size, Fit(order["fit"]), grant=grant)
    except PictureRefused as refused:
        _say({"problem": refused.problem, "found": refused.found, "limit": refused.limit})
    else:
        kept = made.kept if isinstance(made, preview.Preview) else 1.0
        _say({"size": made.size, "kept": kept}, made.jpeg)


def _say(answer: Mapping[str, object], body: bytes = b"") -> None:
    head = json.dumps({**answer, "bytes": len(body)}).encode()
    sys.stdout.buffer.write(head + b"\n" + body)
    sys.stdout.buffer.flush()


def _allow(more: int) -> None:
    """Let this process have so many bytes more than now; where the system can tell and hold it."""
    with suppress(ImportError, OSError):
        import resource  # noqa: PLC0415 - not everywhere

        pages = int(Path("/proc/self/statm").read_text("ascii").split()[5])
        most = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
