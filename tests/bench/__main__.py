"""Run every row and print one table; what is missed is said in it."""

import asyncio
import platform
import sqlite3

from tests.bench import accounts, doors, hooks, waiting
from tests.bench.table import printed


def main() -> None:
    parts = (doors, waiting, hooks, accounts)
    rows = [row for part in parts for row in asyncio.run(part.measure())]
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    print(
        f"{versions}; {doors.ROUNDS} rounds of the door, {waiting.ROUNDS} of the wait,"
        f" {accounts.ROUNDS} of the accounts"
    )
    print("median [least–most]; ours and the floor or peer on the same local servers\n")
    print(printed(rows))


if __name__ == "__main__":
    main()
