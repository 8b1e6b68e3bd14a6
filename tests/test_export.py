"""The accounts as CSV: exact, read back the same, and harmless where it is opened."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.export import to_csv
from bot.ledger import Entry, Kind
from tests.conftest import NOON

AMOUNTS = ("held", "spent", "excused", "credit")


def entry(**changes: object) -> Entry:
    fields = {
        "kind": Kind.HOLD,
        "job_id": "0000002a-0000-4000-8000-000000000001",
        "member_id": 2**63 - 1,
        "guild_id": 1000,
        "day": date(2026, 11, 8),
        "utc_day": date(2026, 11, 7),
        "held_micro": 184_800,
        "at": NOON,
    } | changes
    return Entry(**fields)  # type: ignore[arg-type]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_an_entry_is_a_line_under_a_header() -> None:
    assert to_csv([entry(note="a note")]) == (
        "time,day,kind,member,job,held,spent,excused,credit,note\r\n"
        "2026-11-07T12:00:00Z,2026-11-08,hold,9223372036854775807,"
        "0000002a-0000-4000-8000-000000000001,0.184800,0.000000,0.000000,0.000000,a note\r\n"
    )


def test_no_entries_are_a_header_alone() -> None:
    assert rows(to_csv([])) == []
    assert to_csv([]).startswith("time,day,kind")


def test_an_entry_without_a_job_leaves_its_place_empty() -> None:
    (row,) = rows(to_csv([entry(kind=Kind.GRANT, job_id=None, held_micro=0, credit_micro=1)]))
    assert (row["kind"], row["job"], row["credit"]) == ("grant", "", "0.000001")


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "0.000000"),
        (1, "0.000001"),
        (-1, "-0.000001"),
        (-184_800, "-0.184800"),
        (2**63 - 1, "9223372036854.775807"),
        (-(2**63), "-9223372036854.775808"),
    ],
)
def test_amounts_are_exact_dollars_with_six_digits(micro: int, text: str) -> None:
    (row,) = rows(to_csv([entry(held_micro=micro)]))
    assert row["held"] == text


@given(
    st.lists(
        st.builds(
            entry,
            kind=st.sampled_from(Kind),
            member_id=st.integers(0, 2**63 - 1),
            held_micro=st.integers(-(10**15), 10**15),
            spent_micro=st.integers(0, 10**15),
            excused_micro=st.integers(-(10**15), 10**15),
            credit_micro=st.integers(0, 10**15),
            day=st.dates(),
            at=st.integers(0, 4_102_444_800_000),
            note=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read_back_and_adds_up(entries: list[Entry]) -> None:
    found = rows(to_csv(entries))
    assert len(found) == len(entries)
    for row, one in zip(found, entries, strict=True):
        micros = (one.held_micro, one.spent_micro, one.excused_micro, one.credit_micro)
        assert [Decimal(row[name]) * 10**6 for name in AMOUNTS] == list(map(Decimal, micros))
        assert (row["kind"], row["member"], row["day"]) == (
            one.kind,
            str(one.member_id),
            one.day.isoformat(),
        )
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=one.at // 1000)
        assert datetime.fromisoformat(row["time"]) == moment
        assert row["note"] in (one.note, f"'{one.note}")


@pytest.mark.parametrize(
    "note",
    [
        '=HYPERLINK("https://example.com","click")',
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM(A1)",
    ],
)
def test_a_note_that_a_spreadsheet_would_run_is_made_text(note: str) -> None:
    (row,) = rows(to_csv([entry(note=note)]))
    assert row["note"] == f"'{note}"


@pytest.mark.parametrize(
    "note", ["", "a note", 'said "no", twice', "1, 2; 3", "two\nlines", "a = b", "'quoted'", "ü 🎬"]
)
def test_any_other_note_stays_as_it_is(note: str) -> None:
    (row,) = rows(to_csv([entry(note=note)]))
    assert row["note"] == note
