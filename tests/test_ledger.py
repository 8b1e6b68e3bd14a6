"""Entries that only add up, the decision on a hold, what a credit pays, and what it gets back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CoolingDown, LimitReached, TooManyAtOnce
from bot.ledger import (
    UTC_ZONE,
    Balance,
    Credit,
    Draw,
    Entry,
    Kind,
    Statement,
    draws_for,
    found,
    given_back,
    hold,
    release,
    resolved,
    spend,
    total_cost,
)
from bot.periods import Period
from bot.rules import Account, Line, Measure, Source
from tests.conftest import NOON, JobFactory, make_job

NOTHING = Balance()
MEMBER, SERVER, BOT = Account


def at(text: str) -> int:
    """Return a moment in UTC as Unix milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def line(account: Account, measure: Measure, value: int | None) -> Line:
    source = Source.DEFAULT if account is MEMBER else Source.OPERATOR
    return Line(account=account, measure=measure, value=value, source=source)


def statement(
    *lines: Line,
    used: Mapping[tuple[Account, Period], Balance] | None = None,
    running: Mapping[Account, int] | None = None,
    granted: Iterable[int] = (),
    last_at: int | None = None,
    now: int = NOON,
    zone: ZoneInfo = UTC_ZONE,
) -> Statement:
    """Return where a member stands; the grants are numbered from 1."""
    nowhere = {(account, period): NOTHING for account in Account for period in Period}
    return Statement(
        guild_id=1000,
        member_id=3000,
        now=now,
        zone=zone,
        lines=lines,
        balances=nowhere | dict(used or {}),
        running=dict.fromkeys(Account, 0) | dict(running or {}),
        last_at=last_at,
        credits=tuple(Credit(number, left, None) for number, left in enumerate(granted, 1)),
    )


def sums(entries: Sequence[Entry]) -> Balance:
    return Balance(
        sum(entry.spent_micro for entry in entries),
        sum(entry.held_micro for entry in entries),
        sum(entry.excused_micro for entry in entries),
    )


# --- Entries -------------------------------------------------------------------------------------


def test_a_hold_sets_the_quote_aside_on_the_day_of_acceptance(job_factory: JobFactory) -> None:
    job = job_factory(quote_micro=250_000)
    entry = hold(job, UTC_ZONE)
    assert (entry.kind, entry.held_micro, entry.spent_micro) == (Kind.HOLD, 250_000, 0)
    assert (entry.day, entry.utc_day, entry.at) == (
        date(2026, 11, 7),
        date(2026, 11, 7),
        job.created_at,
    )
    assert (entry.job_id, entry.member_id, entry.guild_id) == (job.id, job.member_id, job.guild_id)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2027, 1, 1)),
        ("America/New_York", date(2026, 12, 31)),
        ("Pacific/Kiritimati", date(2027, 1, 1)),
        ("Etc/GMT+12", date(2026, 12, 31)),
    ],
)
def test_a_hold_counts_on_the_servers_day_and_for_the_bot_on_the_day_in_utc(
    job_factory: JobFactory, zone: str, day: date
) -> None:
    entry = hold(job_factory(created_at=at("2027-01-01T03:30")), ZoneInfo(zone))
    assert (entry.day, entry.utc_day) == (day, date(2027, 1, 1))


@pytest.mark.parametrize("cost", [0, 190_000, 250_000, 400_000])
def test_a_spend_gives_the_whole_hold_back_and_books_the_reported_cost(
    job_factory: JobFactory, cost: int
) -> None:
    job = job_factory(quote_micro=250_000)
    held = hold(job, UTC_ZONE)
    assert sums([held, resolved(held, spend(job, cost, NOON))]) == Balance(cost)


def test_a_release_leaves_nothing_behind(job_factory: JobFactory) -> None:
    job = job_factory()
    held = hold(job, UTC_ZONE, [Draw(1, 100)])
    entry = resolved(held, release(job, NOON + 7, "refused"))
    assert sums([held, entry]) == NOTHING
    assert (entry.kind, entry.at, entry.note) == (Kind.RELEASE, NOON + 7, "refused")


def test_a_clip_that_is_found_after_all_is_booked_without_a_hold(job_factory: JobFactory) -> None:
    job = job_factory(quote_micro=100)
    held = hold(job, UTC_ZONE, [Draw(1, 40)])
    gone = resolved(held, release(job, NOON + 1, "no word"))
    back = resolved(held, found(job, 90, NOON + 2, "turned up"))
    assert sums([held, gone, back]) == Balance(90)
    assert (back.kind, back.at, back.note) == (Kind.ADJUSTMENT, NOON + 2, "turned up")


def test_a_clip_held_in_november_and_ended_in_december_counts_in_november(
    job_factory: JobFactory,
) -> None:
    job = job_factory(created_at=at("2026-11-30T23:59:59.999"))
    december = at("2026-12-01T00:05")
    held = hold(job, ZoneInfo("America/New_York"))
    ends = (spend(job, 1, december), release(job, december), found(job, 1, december, "late"))
    for end in ends:
        entry = resolved(held, end)
        assert (entry.day, entry.utc_day) == (date(2026, 11, 30), date(2026, 11, 30))


@pytest.mark.parametrize(
    ("cost", "excused"),
    [(0, 0), (59, 0), (60, 0), (61, 1), (99, 39), (100, 40), (101, 40), (500, 40)],
)
def test_of_a_clip_that_cost_less_the_credit_gets_the_difference_and_of_a_dear_one_it_pays_no_more(
    job_factory: JobFactory, cost: int, excused: int
) -> None:
    job = job_factory(quote_micro=100)
    held = hold(job, UTC_ZONE, [Draw(1, 10), Draw(2, 30)])
    entry = resolved(held, spend(job, cost, NOON))
    assert sums([held, entry]) == Balance(cost, 0, excused)


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


# --- Limits on money -----------------------------------------------------------------------------


@pytest.mark.parametrize("counted", list(product(Account, Period)))
@pytest.mark.parametrize(
    ("limit", "used", "wanted", "fits"),
    [
        (None, Balance(10**12, 10**12), 10**12, True),
        (0, Balance(), 1, False),
        (100, Balance(), 100, True),
        (100, Balance(), 101, False),
        (100, Balance(spent_micro=60), 40, True),
        (100, Balance(spent_micro=60), 41, False),
        (100, Balance(held_micro=60), 40, True),
        (100, Balance(held_micro=60), 41, False),
        (100, Balance(30, 30), 40, True),
        (100, Balance(30, 30), 41, False),
        (100, Balance(spent_micro=120), 1, False),
        (100, Balance(120, 0, 40), 20, True),
        (100, Balance(120, 0, 40), 21, False),
        (100, Balance(90, 40, 40), 10, True),
        (100, Balance(90, 40, 40), 11, False),
    ],
)
def test_a_hold_fits_where_what_counts_and_what_is_wanted_are_within_the_limit(
    counted: tuple[Account, Period], limit: int | None, used: Balance, wanted: int, fits: bool
) -> None:
    account, period = counted
    view = statement(line(account, Measure(period), limit), used={counted: used})
    if fits:
        assert draws_for(view, wanted) == ()
        return
    with pytest.raises(LimitReached) as refusal:
        draws_for(view, wanted)
    reached = refusal.value
    assert (reached.whom, reached.period) == (account, period)
    assert (reached.limit_micro, reached.wanted_micro) == (limit, wanted)
    assert Balance(reached.spent_micro, reached.held_micro, reached.excused_micro) == used
    assert reached.credit_micro == 0


@pytest.mark.parametrize(
    ("account", "period", "resets"),
    [
        (MEMBER, Period.DAY, "2026-11-08T05:00"),
        (MEMBER, Period.WEEK, "2026-11-09T05:00"),
        (MEMBER, Period.MONTH, "2026-12-01T05:00"),
        (SERVER, Period.MONTH, "2026-12-01T05:00"),
        (BOT, Period.DAY, "2026-11-08T00:00"),
        (BOT, Period.WEEK, "2026-11-09T00:00"),
        (BOT, Period.MONTH, "2026-12-01T00:00"),
    ],
)
def test_a_refusal_says_when_the_limit_begins_anew_by_the_clock_of_its_account(
    account: Account, period: Period, resets: str
) -> None:
    view = statement(line(account, Measure(period), 0), zone=ZoneInfo("America/New_York"))
    with pytest.raises(LimitReached) as refusal:
        draws_for(view, 1)
    assert refusal.value.resets_at * 1000 == at(resets)


@pytest.mark.parametrize("account", Account)
@pytest.mark.parametrize("narrowest", Period)
def test_of_an_accounts_limits_the_one_that_leaves_the_least_is_named(
    account: Account, narrowest: Period
) -> None:
    lines = [line(account, Measure(one), 5 if one is narrowest else 10) for one in Period]
    for order in (lines, lines[::-1]):
        with pytest.raises(LimitReached) as refusal:
            draws_for(statement(*order), 20)
        assert (refusal.value.whom, refusal.value.period) == (account, narrowest)


def test_the_members_own_refusal_comes_first_then_the_servers_then_the_bots() -> None:
    whose = []
    for first in range(3):
        lines = [line(account, Measure.MONTH, 0) for account in list(Account)[first:]]
        with pytest.raises(LimitReached) as refusal:
            draws_for(statement(*lines[::-1]), 1)
        whose.append(refusal.value.whom)
    assert whose == ["member", "server", "bot"]


def test_every_limit_of_a_server_holds_its_own_and_the_operators() -> None:
    for values in ((10, 5), (5, 10), (None, 5), (5, None)):
        lines = [line(SERVER, Measure.MONTH, value) for value in values]
        assert draws_for(statement(*lines), 5) == ()
        with pytest.raises(LimitReached) as refusal:
            draws_for(statement(*lines), 6)
        assert refusal.value.limit_micro == 5


# --- Credits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "draws"),
    [
        (29, ()),
        (30, ()),
        (31, (Draw(1, 1),)),
        (50, (Draw(1, 20),)),
        (55, (Draw(1, 20), Draw(2, 5))),
        (65, (Draw(1, 20), Draw(2, 10), Draw(3, 5))),
    ],
)
def test_credits_pay_only_what_the_own_limits_leave_open_and_in_their_order(
    wanted: int, draws: tuple[Draw, ...]
) -> None:
    lines = line(MEMBER, Measure.DAY, 100), line(MEMBER, Measure.MONTH, 500)
    used = {(MEMBER, Period.DAY): Balance(50, 20), (MEMBER, Period.MONTH): Balance(50, 20)}
    assert draws_for(statement(*lines, used=used, granted=(20, 10, 5)), wanted) == draws


def test_where_credits_do_not_reach_the_refusal_says_what_they_would_have_paid() -> None:
    used = {(MEMBER, Period.DAY): Balance(50, 20)}
    view = statement(line(MEMBER, Measure.DAY, 100), used=used, granted=(20, 10, 5))
    with pytest.raises(LimitReached) as refusal:
        draws_for(view, 66)
    assert (refusal.value.credit_micro, refusal.value.wanted_micro) == (35, 66)


def test_a_credit_pays_in_full_where_more_than_the_limit_was_spent() -> None:
    used = {(MEMBER, Period.MONTH): Balance(spent_micro=900)}
    view = statement(line(MEMBER, Measure.MONTH, 100), used=used, granted=(40,))
    assert draws_for(view, 40) == (Draw(1, 40),)
    with pytest.raises(LimitReached):
        draws_for(view, 41)


def test_without_a_limit_of_their_own_nobody_uses_up_their_credit() -> None:
    for value in ((), (None,)):
        lines = [line(MEMBER, Measure.MONTH, one) for one in value]
        assert draws_for(statement(*lines, granted=(50,)), 1000) == ()


@pytest.mark.parametrize("account", [SERVER, BOT])
def test_a_credit_never_helps_past_the_servers_or_the_bots_limit(account: Account) -> None:
    lines = line(MEMBER, Measure.MONTH, 0), line(account, Measure.MONTH, 100)
    used = {(account, Period.MONTH): Balance(spent_micro=60)}
    view = statement(*lines, used=used, granted=(1000,))
    assert draws_for(view, 40) == (Draw(1, 40),)
    with pytest.raises(LimitReached) as refusal:
        draws_for(view, 41)
    assert (refusal.value.whom, refusal.value.credit_micro) == (account, 0)


@pytest.mark.parametrize(
    ("micro", "back"),
    [
        (0, []),
        (1, [Draw(3, -1)]),
        (5, [Draw(3, -5)]),
        (6, [Draw(3, -5), Draw(2, -1)]),
        (35, [Draw(3, -5), Draw(2, -10), Draw(1, -20)]),
    ],
)
def test_what_a_clip_did_not_need_goes_back_to_the_last_drawn_first(
    micro: int, back: list[Draw]
) -> None:
    assert list(given_back([Draw(1, 20), Draw(2, 10), Draw(3, 5)], micro)) == back


@given(
    limit=st.integers(0, 100),
    used=st.integers(0, 150),
    granted=st.lists(st.integers(1, 60), max_size=4),
    wanted=st.integers(1, 200),
    cost=st.integers(0, 300),
)
def test_own_money_and_credits_pay_a_clip_exactly_once(
    limit: int, used: int, granted: list[int], wanted: int, cost: int
) -> None:
    spent = {(MEMBER, Period.MONTH): Balance(spent_micro=used)}
    view = statement(line(MEMBER, Measure.MONTH, limit), used=spent, granted=granted)
    room = max(0, limit - used)
    try:
        draws = draws_for(view, wanted)
    except LimitReached:
        assert wanted > room + sum(granted)
        return
    drawn = sum(draw.micro for draw in draws)
    assert drawn == max(0, wanted - room) <= sum(granted)
    assert all(0 < draw.micro <= granted[draw.grant_id - 1] for draw in draws)
    job = make_job(quote_micro=wanted)
    held = hold(job, UTC_ZONE, draws)
    end = resolved(held, spend(job, cost, NOON))
    back = sum(draw.micro for draw in given_back(draws, -end.excused_micro))
    own = cost - (drawn + back)
    assert 0 <= drawn + back <= cost
    assert own <= room or cost > wanted
    assert sums([held, end]) == Balance(cost, 0, drawn + back)


# --- Clips in flight and pauses between them -----------------------------------------------------


@pytest.mark.parametrize("account", Account)
@pytest.mark.parametrize(
    ("limit", "running", "fits"),
    [(None, 99, True), (0, 0, False), (2, 1, True), (2, 2, False), (2, 3, False)],
)
def test_no_more_clips_are_in_flight_than_may_be(
    account: Account, limit: int | None, running: int, fits: bool
) -> None:
    view = statement(line(account, Measure.CLIPS, limit), running={account: running})
    if fits:
        assert draws_for(view, 1) == ()
        return
    with pytest.raises(TooManyAtOnce) as refusal:
        draws_for(view, 1)
    refused = refusal.value
    assert (refused.whom, refused.limit, refused.running) == (account, limit, running)


@pytest.mark.parametrize(
    ("seconds", "last_at", "until"),
    [
        (None, NOON, None),
        (0, NOON, None),
        (60, None, None),
        (60, NOON - 60_000, None),
        (60, NOON - 59_999, NOON // 1000 + 1),
        (60, NOON - 1, NOON // 1000 + 60),
        (60, NOON, NOON // 1000 + 60),
    ],
)
def test_the_next_clip_waits_until_the_pause_is_over(
    seconds: int | None, last_at: int | None, until: int | None
) -> None:
    view = statement(line(MEMBER, Measure.COOLDOWN, seconds), last_at=last_at)
    if until is None:
        assert draws_for(view, 1) == ()
        return
    with pytest.raises(CoolingDown) as refusal:
        draws_for(view, 1)
    assert refusal.value.until == until


def test_the_moment_that_a_pause_is_said_to_end_is_one_at_which_it_is_over() -> None:
    last_at = NOON + 1
    view = statement(line(MEMBER, Measure.COOLDOWN, 60), last_at=last_at, now=last_at)
    with pytest.raises(CoolingDown) as refusal:
        draws_for(view, 1)
    assert draws_for(replace(view, now=refusal.value.until * 1000), 1) == ()


# --- What is left --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "used", "room", "left"),
    [
        (None, Balance(5), None, None),
        (100, Balance(), 100, 130),
        (100, Balance(20, 30, 10), 60, 90),
        (100, Balance(200), 0, 30),
        (0, Balance(), 0, 30),
    ],
)
def test_what_is_left_is_never_negative_and_a_members_credit_is_part_of_it(
    value: int | None, used: Balance, room: int | None, left: int | None
) -> None:
    for account in Account:
        one = line(account, Measure.MONTH, value)
        view = statement(one, used={(account, Period.MONTH): used}, granted=(10, 20))
        assert view.room_micro(one) == room
        assert view.left_micro(one) == (left if account is MEMBER else room)


def test_the_tightest_limit_is_the_one_that_leaves_the_least_with_credit_counted() -> None:
    own, servers = line(MEMBER, Measure.MONTH, 50), line(SERVER, Measure.MONTH, 60)
    others = line(BOT, Measure.DAY, None), line(MEMBER, Measure.CLIPS, 0)
    assert statement(own, servers, *others).tightest() == own
    assert statement(own, servers, *others, granted=(20,)).tightest() == servers
    assert statement(*others).tightest() is None


@given(
    values=st.lists(
        st.tuples(st.sampled_from(Account), st.sampled_from(Period), st.integers(0, 100)),
        min_size=1,
    ),
    credit=st.integers(0, 50),
)
def test_what_the_tightest_limit_leaves_can_be_had_and_no_more(
    values: list[tuple[Account, Period, int]], credit: int
) -> None:
    lines = [line(account, Measure(period), value) for account, period, value in values]
    view = statement(*lines, granted=[credit] if credit else [])
    tightest = view.tightest()
    assert tightest is not None
    left = view.left_micro(tightest)
    assert left is not None
    if left:
        draws_for(view, left)
    with pytest.raises(LimitReached):
        draws_for(view, left + 1)
