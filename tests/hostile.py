"""Opens files in a process that may take 100 MB more than it has, and says what became of each.

`python -m tests.hostile FILE …`: a line of JSON for each, and one with the memory at last.
"""

import json
import resource
import sys
import time
from pathlib import Path

from bot.errors import PictureRefused
from bot.image import Rules, prepare
from tests.gallery import blended, encoded

RULES = Rules(
    sizes=((1280, 720), (720, 720), (720, 1280)),
    least_side=300,
    most_side=2048,
    most_pixels=64_000_000,
)
MORE = 100_000_000


def main() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"):  # so that all is loaded
        prepare(encoded(blended((64, 36)), kind), RULES)
    limit()
    before = peak()
    for name in sys.argv[1:]:
        data = Path(name).read_bytes()
        begun = time.perf_counter()
        try:
            size = prepare(data, RULES).size
        except PictureRefused as refused:
            answer: dict[str, object] = {"problem": refused.problem}
        else:
            answer = {"size": size}
        seconds = time.perf_counter() - begun
        del data
        print(json.dumps({**answer, "seconds": seconds}), flush=True)
    print(json.dumps({"more": peak() - before}), flush=True)


def limit() -> None:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[5])
    most = pages * resource.getpagesize() + MORE
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def peak() -> int:
    """Return the most memory that this process has had; `getrusage` tells its parent's, too."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024


if __name__ == "__main__":
    main()
