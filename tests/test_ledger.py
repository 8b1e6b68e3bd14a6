"""Money: whole micro-dollars, entries that only add up, limits that hold in any order of events."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import LimitReached
from bot.ledger import (
    Balance,
    Entry,
    Kind,
    Limits,
    Standing,
    first_limit_reached,
    hold,
    left_micro,
    month_end,
    month_of,
    parse_usd,
    release,
    spend,
    to_micro,
    total_cost,
    usd,
)
from tests.conftest import NOON, JobFactory, make_job

UNLIMITED = Limits(member_micro=None, server_micro=None, bot_micro=None)
EMPTY = Standing(member=Balance(), server=Balance(), bot=Balance())


def at(text: str) -> int:
    """Return a moment in UTC as Unix milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def sums(entries: Sequence[Entry]) -> Balance:
    return Balance(
        sum(entry.spent_micro for entry in entries), sum(entry.held_micro for entry in entries)
    )


# --- Entries -------------------------------------------------------------------------------------


def test_a_hold_sets_the_quote_aside_in_the_month_of_acceptance(job_factory: JobFactory) -> None:
    job = job_factory(quote_micro=250_000)
    entry = hold(job)
    assert (entry.kind, entry.held_micro, entry.spent_micro) == (Kind.HOLD, 250_000, 0)
    assert (entry.month, entry.at) == ("2026-11", job.created_at)
    assert (entry.job_id, entry.member_id, entry.guild_id) == (job.id, job.member_id, job.guild_id)


def test_a_spend_gives_the_whole_hold_back_and_books_the_reported_cost(
    job_factory: JobFactory,
) -> None:
    job = job_factory(quote_micro=250_000)
    assert sums([hold(job), spend(job, 190_000, NOON)]) == Balance(190_000, 0)
    assert sums([hold(job), spend(job, 400_000, NOON)]) == Balance(400_000, 0)


def test_a_release_leaves_nothing_behind(job_factory: JobFactory) -> None:
    job = job_factory()
    entry = release(job, NOON + 7, "refused")
    assert sums([hold(job), entry]) == Balance(0, 0)
    assert (entry.kind, entry.at, entry.note) == (Kind.RELEASE, NOON + 7, "refused")


def test_a_clip_held_in_november_and_paid_in_december_counts_in_november(
    job_factory: JobFactory,
) -> None:
    job = job_factory(created_at=at("2026-11-30T23:59:59.999"))
    december = at("2026-12-01T00:05")
    assert {hold(job).month, spend(job, 1, december).month, release(job, december).month} == {
        "2026-11"
    }


# --- What finished clips cost --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reported", "quote", "expected", "booked"),
    [
        ([184_800], 184_800, 1, (184_800, "")),
        ([100], 184_800, 1, (100, "")),
        ([0], 184_800, 1, (0, "")),
        ([None], 184_800, 1, (184_800, "cost not reported, estimate booked")),
        ([200_000], 184_800, 1, (200_000, "reported cost above the hold")),
        ([100, 100], 400, 4, (200, "")),
        ([90, None], 200, 2, (190, "cost not reported, estimate booked")),
        ([], 200, 2, (0, "")),
        (
            [300, None],
            200,
            2,
            (400, "cost not reported, estimate booked; reported cost above the hold"),
        ),
    ],
)
def test_what_is_booked_is_what_was_reported_and_unknown_is_never_free(
    reported: list[int | None], quote: int, expected: int, booked: tuple[int, str]
) -> None:
    assert total_cost(reported, quote, expected) == booked


@given(quote=st.integers(1, 10**9), expected=st.integers(1, 4))
def test_clips_without_any_reported_cost_are_booked_at_no_less_than_the_quote(
    quote: int, expected: int
) -> None:
    total, flag = total_cost([None] * expected, quote, expected)
    assert quote <= total < quote + expected
    assert "estimate" in flag


# --- Limits --------------------------------------------------------------------------------------


def limits(whom: str, micro: int | None) -> Limits:
    return replace(UNLIMITED, **{f"{whom}_micro": micro})


@pytest.mark.parametrize("whom", ["member", "server", "bot"])
@pytest.mark.parametrize(
    ("limit", "used", "wanted", "fits"),
    [
        (None, Balance(10**12, 10**12), 10**12, True),
        (0, Balance(), 1, False),
        (100, Balance(), 100, True),
        (100, Balance(), 101, False),
        (100, Balance(spent_micro=60), 40, True),
        (100, Balance(spent_micro=60), 41, False),
        (100, Balance(held_micro=60), 41, False),
        (100, Balance(30, 30), 40, True),
        (100, Balance(30, 30), 41, False),
        (100, Balance(spent_micro=120), 1, False),
    ],
)
def test_a_hold_fits_when_spent_and_held_and_wanted_are_within_the_limit(
    whom: str, limit: int | None, used: Balance, wanted: int, fits: bool
) -> None:
    standing = replace(EMPTY, **{whom: used})
    reached = first_limit_reached(standing, limits(whom, limit), wanted, NOON)
    assert (reached is None) is fits
    if reached is not None:
        assert reached.whom == whom
        assert (reached.limit_micro, reached.wanted_micro) == (limit, wanted)
        assert (reached.spent_micro, reached.held_micro) == (used.spent_micro, used.held_micro)
        assert reached.resets_at == at("2026-12-01") // 1000


def test_the_narrowest_limit_is_the_one_that_is_named() -> None:
    nothing = Limits(member_micro=0, server_micro=0, bot_micro=0)
    names = []
    for none in ({}, {"member_micro": None}, {"member_micro": None, "server_micro": None}):
        reached = first_limit_reached(EMPTY, replace(nothing, **none), 1, NOON)
        assert isinstance(reached, LimitReached)
        names.append(reached.whom)
    assert names == ["member", "server", "bot"]


@pytest.mark.parametrize(
    ("member", "server", "bot", "left"),
    [
        (None, None, None, None),
        (100, None, None, 70),
        (100, 50, None, 20),
        (None, None, 31, 1),
        (0, 500, 500, 0),
        (10, 500, 500, 0),
    ],
)
def test_what_is_left_is_the_smallest_room_and_never_negative(
    member: int | None, server: int | None, bot: int | None, left: int | None
) -> None:
    used = Balance(spent_micro=20, held_micro=10)
    standing = Standing(member=used, server=used, bot=used)
    bounds = Limits(member_micro=member, server_micro=server, bot_micro=bot)
    assert left_micro(standing, bounds) == left


@given(
    limit=st.integers(0, 1000),
    events=st.lists(st.tuples(st.integers(1, 400), st.integers(0, 500), st.booleans())),
    order=st.randoms(use_true_random=False),
)
def test_in_any_order_of_events_no_hold_breaks_the_limit_and_nothing_stays_held(
    limit: int, events: list[tuple[int, int, bool]], order: Random
) -> None:
    books: list[Entry] = []
    pending = [(make_job(quote_micro=quote), cost, is_paid) for quote, cost, is_paid in events]
    waiting = list(pending)
    running: list[tuple[Entry, Entry]] = []
    while waiting or running:
        if waiting and (not running or order.random() < 0.5):
            job, cost, is_paid = waiting.pop(order.randrange(len(waiting)))
            now = sums(books)
            standing = replace(EMPTY, member=now)
            reached = first_limit_reached(
                standing, limits("member", limit), job.quote_micro, job.created_at
            )
            assert (reached is None) is (now.used_micro + job.quote_micro <= limit)
            if reached is None:
                books.append(hold(job))
                assert sums(books).used_micro <= limit
                end = spend(job, cost, NOON) if is_paid else release(job, NOON)
                running.append((books[-1], end))
        else:
            books.append(running.pop(order.randrange(len(running)))[1])
        assert sums(books).held_micro >= 0
    assert sums(books).held_micro == 0


# --- Months --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "month", "end"),
    [
        ("2026-11-01T00:00", "2026-11", "2026-12-01"),
        ("2026-11-30T23:59:59.999", "2026-11", "2026-12-01"),
        ("2026-12-01T00:00", "2026-12", "2027-01-01"),
        ("2026-12-31T23:59:59.999", "2026-12", "2027-01-01"),
        ("2027-01-01T00:00", "2027-01", "2027-02-01"),
        ("2028-02-29T12:00", "2028-02", "2028-03-01"),
    ],
)
def test_a_month_is_a_calendar_month_in_utc(moment: str, month: str, end: str) -> None:
    assert month_of(at(moment)) == month
    assert month_end(at(moment)) == at(end) // 1000


@given(st.integers(0, at("2200-01-01")))
def test_every_moment_lies_before_the_end_of_its_month_which_begins_the_next(moment: int) -> None:
    end = month_end(moment) * 1000
    assert moment < end
    assert month_of(end - 1) == month_of(moment) < month_of(end)


# --- Amounts, written and read -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "$0.00"),
        (1, "$0.000001"),
        (184_800, "$0.1848"),
        (5_000_000, "$5.00"),
        (5_500_000, "$5.50"),
        (1_234_567_890_000, "$1,234,567.89"),
        (-184_800, "-$0.1848"),
    ],
)
def test_amounts_are_written_exactly_with_cents_at_least(micro: int, text: str) -> None:
    assert usd(micro) == text


@given(st.integers(0, 10**15))
def test_what_is_written_is_read_back_the_same(micro: int) -> None:
    # Without the marks between thousands: "2,50" is two and a half in half of the world.
    assert parse_usd(usd(micro).replace(",", "")) == micro


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("2.50", 2_500_000),
        ("$2.50", 2_500_000),
        (" 0 ", 0),
        ("5", 5_000_000),
        (".5", 500_000),
        ("0.0000005", 1),
        ("0.0000004", 0),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, micro: int) -> None:
    assert parse_usd(text) == micro


@pytest.mark.parametrize(
    "text",
    [
        *("", "$", "five", "2,50", "1,000.00", "0x1", "-1", "$-0.01"),
        *("nan", "sNaN", "inf", "-inf", "1000000001", "1e99", "1e999999999", "1" * 40),
    ],
)
def test_what_is_no_sensible_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|dollars"):
        parse_usd(text)


@given(st.text())
def test_reading_an_amount_gives_whole_micro_dollars_or_a_value_error(text: str) -> None:
    try:
        micro = parse_usd(text)
    except ValueError:
        return
    assert micro >= 0


@pytest.mark.parametrize(
    ("amount", "micro"),
    [
        ("0.1848", 184_800),
        ("0.00000049", 0),
        ("0.0000005", 1),
        ("1.0000015", 1_000_002),
        ("-0.5", -500_000),
    ],
)
def test_dollars_become_whole_micro_dollars_half_rounded_up(amount: str, micro: int) -> None:
    assert to_micro(Decimal(amount)) == micro


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "1e12", "-1e999999999"])
def test_an_amount_that_no_account_could_hold_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        to_micro(Decimal(amount))
