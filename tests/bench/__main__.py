"""Run every row, print one table, end with 1 if a target is missed."""

import asyncio
import platform
import sqlite3
import sys

from tests.bench import doors, hooks, waiting
from tests.bench.table import printed


def main() -> int:
    parts = (doors, waiting, hooks)
    rows = [row for part in parts for row in asyncio.run(part.measure())]
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    print(f"{versions}; {doors.ROUNDS} rounds of the door, {waiting.ROUNDS} of the wait")
    print("median [least–most]; ours and the floor or peer on the same local servers\n")
    print(printed(rows))
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
