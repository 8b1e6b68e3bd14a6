"""Run the rows, all or by section, and print one table; what is missed is said in it.

`python -m tests.bench [SECTION …] [--in-flight SECONDS]`
"""

import argparse
import asyncio
import platform
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from tests.bench import accounts, clips, crowd, doors, hooks, pictures, restart, sizes, waiting
from tests.bench.table import Row, printed

_PARTS: dict[str, Callable[[], Coroutine[Any, Any, Sequence[Row]]]] = {
    "doors": doors.measure,
    "waiting": waiting.measure,
    "hooks": hooks.measure,
    "crowd": crowd.measure,
    "restart": restart.measure,
    "clips": clips.measure,
    "sizes": sizes.measure,
    "accounts": accounts.measure,
    "pictures": pictures.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(_PARTS))
    parser.add_argument("--in-flight", type=float, default=crowd.SECONDS, metavar="SECONDS")
    chosen = parser.parse_args()
    parts = _PARTS | {"crowd": lambda: crowd.measure(chosen.in_flight)}
    if unknown := set(chosen.sections) - parts.keys():
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    rows = [row for name in chosen.sections or parts for row in asyncio.run(parts[name]())]
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    print(
        f"{versions}; {doors.ROUNDS} rounds of the door, {waiting.ROUNDS} of the wait,"
        f" {accounts.ROUNDS} of the accounts, {chosen.in_flight:g} s of the crowd"
    )
    print("median [least–most]; ours and the floor or peer on the same local servers\n")
    print(printed(rows))


if __name__ == "__main__":
    main()
