"""Money: whole micro-dollars in `int`, read from and written for people.

No float ever holds an amount. Pure.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MICRO = 1_000_000
_MOST_USD = 10**9
"""No single amount is larger, so that every sum stays far inside SQLite's 64 bits."""


def to_micro(usd: Decimal) -> int:
    """Return dollars as whole micro-dollars, half rounded up.

    ValueError if it is not finite, or over a billion dollars.
    """
    if not usd.is_finite() or usd.copy_abs() > _MOST_USD:
        raise ValueError("not a finite amount, or over a billion dollars")
    return int((usd * MICRO).to_integral_value(ROUND_HALF_UP))


def parse_usd(text: str) -> int:
    """Read "2.50" or "$2.50" as micro-dollars. ValueError if it is no amount, or negative."""
    try:
        micro = to_micro(Decimal(text.strip().removeprefix("$")))
    except InvalidOperation:
        raise ValueError("not an amount in dollars") from None
    if micro < 0:
        raise ValueError("an amount cannot be negative")
    return micro


def usd(micro: int) -> str:
    """Write micro-dollars for people, exactly: "$5.00", "$0.1848"; cents at least."""
    sign = "-" if micro < 0 else ""
    whole, part = divmod(abs(micro), MICRO)
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}${whole:,}.{digits}"
