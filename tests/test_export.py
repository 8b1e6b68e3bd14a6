"""The accounts as CSV: exact, read back the same, and harmless where it is opened."""

import csv
import io
import re
from dataclasses import fields, replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.export import to_csv
from bot.ledger import Entry, Kind
from tests.conftest import NOON

AMOUNTS = ("held", "spent", "excused", "credit")


def entry(**changes: object) -> Entry:
    of_a_hold = {
        "kind": Kind.HOLD,
        "job_id": "0000002a-0000-4000-8000-000000000001",
        "member_id": 2**63 - 1,
        "guild_id": 1000,
        "day": date(2026, 11, 8),
        "utc_day": date(2026, 11, 7),
        "held_micro": 184_800,
        "at": NOON,
    } | changes
    return Entry(**of_a_hold)  # type: ignore[arg-type]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_an_entry_is_a_line_under_a_header() -> None:
    assert to_csv([entry(note="a note")]) == (
        "time,day,kind,member,job,held,spent,excused,credit,expires,actor,note,server,utc_day\r\n"
        "2026-11-07T12:00:00Z,2026-11-08,hold,<@9223372036854775807>,"
        "0000002a-0000-4000-8000-000000000001,0.184800,0.000000,0.000000,0.000000,,,a note,"
        "server 1000,2026-11-07\r\n"
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


def of_mention(text: str) -> int:
    found = re.fullmatch(r"<@(\d+)>", text)
    assert found, text
    return int(found[1])


def moment(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1000


def read_back(row: dict[str, str]) -> Entry:
    """The entry that a line tells of; a note that was made text keeps its mark."""
    micro = {f"{name}_micro": int(Decimal(row[name]) * 10**6) for name in AMOUNTS}
    return Entry(
        kind=Kind(row["kind"]),
        job_id=row["job"] or None,
        member_id=of_mention(row["member"]),
        guild_id=int(row["server"].removeprefix("server ")),
        day=date.fromisoformat(row["day"]),
        utc_day=date.fromisoformat(row["utc_day"]),
        expires_at=moment(row["expires"]) if row["expires"] else None,
        actor_id=of_mention(row["actor"]) if row["actor"] else None,
        at=moment(row["time"]),
        note=row["note"],
        **micro,
    )


IDS = st.integers(0, 2**63 - 1)
SECONDS = st.integers(0, 4_102_444_800).map(lambda second: second * 1000)


@given(
    st.lists(
        st.builds(
            Entry,
            kind=st.sampled_from(Kind),
            job_id=st.none() | st.uuids().map(str),
            member_id=IDS,
            guild_id=IDS,
            held_micro=st.integers(-(10**15), 10**15),
            spent_micro=st.integers(0, 10**15),
            excused_micro=st.integers(-(10**15), 10**15),
            credit_micro=st.integers(0, 10**15),
            expires_at=st.none() | SECONDS,
            actor_id=st.none() | IDS,
            day=st.dates(),
            utc_day=st.dates(),
            at=SECONDS,
            note=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        ),
        max_size=5,
    )
)
def test_every_field_is_read_back_as_it_was_to_the_second(entries: list[Entry]) -> None:
    found = [read_back(row) for row in rows(to_csv(entries))]
    assert [replace(one, note="") for one in found] == [replace(one, note="") for one in entries]
    for back, one in zip(found, entries, strict=True):
        assert back.note in (one.note, f"'{one.note}")


def test_no_field_of_an_entry_is_left_out() -> None:
    assert len(rows(to_csv([entry()]))[0]) == len(fields(Entry))


def test_a_spreadsheet_takes_no_id_for_a_number_of_which_it_keeps_fifteen_digits() -> None:
    (row,) = rows(to_csv([entry(actor_id=2**63 - 1, guild_id=2**63 - 1)]))
    assert not [name for name, text in row.items() if re.fullmatch(r"\d{16,}", text)]


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
