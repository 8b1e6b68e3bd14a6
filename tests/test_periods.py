"""Days, weeks and months of any time zone, whatever its clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.periods import Period, day_of, ends_at, first_day, last_day, next_first_day

DAY, WEEK, MONTH = Period
ZONES = sorted(available_timezones())
OVER_THE_DATE_LINE = {"Pacific/Apia", "Pacific/Fakaofo"}
YEARS_2000_TO_2040 = st.integers(946_684_800_000, 2_240_611_200_000)


def utc(text: str) -> int:
    """Return a moment in UTC as Unix milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2026-11-07T12:00", "UTC", "2026-11-07"),
        ("2026-12-31T23:59:59.999", "UTC", "2026-12-31"),
        ("2027-01-01T00:00", "UTC", "2027-01-01"),
        ("2027-01-01T04:59:59.999", "America/New_York", "2026-12-31"),
        ("2027-01-01T05:00", "America/New_York", "2027-01-01"),
        ("2026-12-31T10:00", "Pacific/Kiritimati", "2027-01-01"),
        ("2027-01-01T11:59:59.999", "Etc/GMT+12", "2026-12-31"),
        ("2028-02-29T18:14:59.999", "Asia/Kathmandu", "2028-02-29"),
        ("2028-02-29T18:15", "Asia/Kathmandu", "2028-03-01"),
    ],
)
def test_a_moment_is_on_the_day_that_the_zones_calendar_shows(
    moment: str, zone: str, expected: str
) -> None:
    assert day_of(utc(moment), ZoneInfo(zone)) == day(expected)


@pytest.mark.parametrize(
    ("period", "today", "first", "last"),
    [
        (DAY, "2028-02-29", "2028-02-29", "2028-02-29"),
        (WEEK, "2026-11-09", "2026-11-09", "2026-11-15"),
        (WEEK, "2026-11-15", "2026-11-09", "2026-11-15"),
        (WEEK, "2027-01-01", "2026-12-28", "2027-01-03"),
        (WEEK, "2028-02-29", "2028-02-28", "2028-03-05"),
        (MONTH, "2026-11-01", "2026-11-01", "2026-11-30"),
        (MONTH, "2026-12-31", "2026-12-01", "2026-12-31"),
        (MONTH, "2027-02-28", "2027-02-01", "2027-02-28"),
        (MONTH, "2028-02-29", "2028-02-01", "2028-02-29"),
        (MONTH, "2100-02-10", "2100-02-01", "2100-02-28"),
    ],
)
def test_a_period_has_a_first_and_a_last_day(
    period: Period, today: str, first: str, last: str
) -> None:
    assert first_day(period, day(today)) == day(first)
    assert last_day(period, day(today)) == day(last)
    assert next_first_day(period, day(today)) == day(last) + timedelta(days=1)


@given(st.sampled_from(Period), st.dates(date(1970, 1, 1), date(2200, 1, 1)))
def test_each_day_is_in_one_period_and_the_periods_follow_each_other(
    period: Period, today: date
) -> None:
    first, last = first_day(period, today), last_day(period, today)
    assert first <= today <= last
    assert first_day(period, first) == first_day(period, last) == first
    assert first_day(period, last + timedelta(days=1)) == next_first_day(period, today)
    assert last_day(period, first - timedelta(days=1)) == first - timedelta(days=1)
    spans = {DAY: {1}, WEEK: {7}, MONTH: {28, 29, 30, 31}}
    assert (last - first).days + 1 in spans[period]
    assert first.weekday() == 0 or period is not WEEK
    assert first.day == 1 or period is not MONTH


@pytest.mark.parametrize(
    ("today", "zone", "end"),
    [
        ("2026-11-07", "UTC", "2026-11-08T00:00"),
        # The clocks change in the night, a day has 23 or 25 hours.
        ("2027-03-14", "America/New_York", "2027-03-15T04:00"),
        ("2027-11-07", "America/New_York", "2027-11-08T05:00"),
        # They go forward at midnight: the day begins at 1 o'clock.
        ("2027-03-13", "America/Havana", "2027-03-14T05:00"),
        ("2027-03-27", "Asia/Beirut", "2027-03-27T22:00"),
        ("2027-04-29", "Africa/Cairo", "2027-04-29T22:00"),
        ("2027-09-04", "America/Santiago", "2027-09-05T04:00"),
        # They go back to midnight: the day begins at the first of the two.
        ("2027-11-06", "America/Havana", "2027-11-07T04:00"),
        # They go back at midnight: the last hour of the day comes twice.
        ("2027-10-30", "Asia/Beirut", "2027-10-30T22:00"),
        ("2027-10-28", "Africa/Cairo", "2027-10-28T22:00"),
        ("2027-04-03", "America/Santiago", "2027-04-04T04:00"),
        # They go back over midnight: part of the day comes again.
        ("2010-11-06", "America/St_Johns", "2010-11-07T03:30"),
        ("2010-03-04", "Antarctica/Casey", "2010-03-04T16:00"),
        # A day that never was.
        ("2011-12-29", "Pacific/Apia", "2011-12-30T10:00"),
        ("2011-12-31", "Pacific/Apia", "2011-12-31T10:00"),
    ],
)
def test_a_day_ends_at_the_last_midnight_whatever_the_clocks_do(
    today: str, zone: str, end: str
) -> None:
    assert ends_at(DAY, day(today), ZoneInfo(zone)) * 1000 == utc(end)


@pytest.mark.parametrize(
    ("period", "today", "zone", "end"),
    [
        (WEEK, "2027-03-10", "America/New_York", "2027-03-15T04:00"),
        (WEEK, "2026-12-31", "Asia/Kathmandu", "2027-01-03T18:15"),
        (MONTH, "2028-02-01", "America/New_York", "2028-03-01T05:00"),
        (MONTH, "2027-02-01", "Pacific/Kiritimati", "2027-02-28T10:00"),
        (MONTH, "2026-12-24", "Etc/GMT+12", "2027-01-01T12:00"),
        (MONTH, "2011-12-01", "Pacific/Apia", "2011-12-31T10:00"),
    ],
)
def test_weeks_and_months_end_at_the_midnight_of_their_zone(
    period: Period, today: str, zone: str, end: str
) -> None:
    assert ends_at(period, day(today), ZoneInfo(zone)) * 1000 == utc(end)


def test_a_day_that_comes_twice_ends_in_the_future_both_times() -> None:
    zone = ZoneInfo("America/St_Johns")
    for moment in ("2010-11-07T02:29", "2010-11-07T02:31:01", "2010-11-07T03:29:59.999"):
        now = utc(moment)
        if day_of(now, zone) == day("2010-11-06"):
            assert ends_at(DAY, day_of(now, zone), zone) * 1000 == utc("2010-11-07T03:30")
    assert day_of(utc("2010-11-07T02:30"), zone) == day("2010-11-07")
    assert day_of(utc("2010-11-07T02:31"), zone) == day("2010-11-06")


@given(st.sampled_from(ZONES), st.sampled_from(Period), YEARS_2000_TO_2040)
@example("America/St_Johns", DAY, utc("2010-11-07T02:31:30"))
@example("America/Goose_Bay", WEEK, utc("2010-11-07T03:31:30"))
@example("Antarctica/Casey", DAY, utc("2010-03-04T15:30"))
@example("Pacific/Apia", MONTH, utc("2011-12-30T09:59:59.999"))
def test_every_moment_lies_before_the_end_of_its_period_at_which_the_next_one_begins(
    name: str, period: Period, now: int
) -> None:
    zone = ZoneInfo(name)
    today = day_of(now, zone)
    end = ends_at(period, today, zone) * 1000
    assert now < end
    assert first_day(period, today) <= day_of(end - 1, zone) <= last_day(period, today)
    # The day after the 29th of December 2011 was the 31st in Apia.
    assert last_day(period, today) < day_of(end, zone)
    assert (day_of(end, zone) - last_day(period, today)).days == 1 or name in OVER_THE_DATE_LINE
