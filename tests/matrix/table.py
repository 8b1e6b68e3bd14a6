"""What a run did and found, as a Markdown table."""

from collections import Counter

from tests.matrix.runs import Run

HEAD = [
    "killed at / during",
    "cells",
    "kills",
    "starts",
    "wishes",
    "delivered",
    "declined",
    "wrong",
]


def table(run: Run) -> str:
    """Return one line for each group, and their sum."""
    rows = [HEAD, ["---"] + ["---:"] * (len(HEAD) - 1)]
    total = Counter[str]()
    for group, tally in sorted(run.tallies.items()):
        counts = tally.counts + Counter(cells=tally.cells, wrong=len(tally.failed))
        total += counts
        rows.append(_row(group, counts))
    rows.append(_row("**all**", total))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(group: str, counts: Counter[str]) -> list[str]:
    return [group, *(str(counts[name]) for name in HEAD[1:])]
