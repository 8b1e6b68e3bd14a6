"""Amounts of money: read, written and rounded, never through a float."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.money import parse_usd, to_micro, usd


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
