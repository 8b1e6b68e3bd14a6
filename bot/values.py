"""The kinds of value that a setting may have: how each is read from text, and what is refused.

Knows no setting by name; `settings.py` puts them together. A refusal is a `ValueError` in words
that can stand behind the variable's name, and never repeats the value.
"""

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from bot.money import parse_usd

UNLIMITED = "unlimited"
OFF = "off"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TASK = "{task}"
"""Stands for the task's UUID in an address."""


def _limit(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return None if value.strip().lower() == UNLIMITED else parse_usd(value)


def _or_off(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() == OFF else value


def _public(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must start with https://, except on this machine")
    if "@" in parts.netloc or "?" in value or "#" in value:
        raise ValueError("must be a host, and perhaps a path, no more")
    return value


def _words(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def url(*schemes: str) -> AfterValidator:
    """Take an address that starts with one of these schemes, without its last slash."""

    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname:
            starts = " or ".join(f"{scheme}://" for scheme in schemes)
            raise ValueError(f"must start with {starts}, then a host")
        return value.rstrip("/")

    return AfterValidator(check)


def _one_per_task(value: str) -> str:
    if TASK not in value:
        raise ValueError(f"must have {TASK} in it, or every clip would take the place of the last")
    return value


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or text != text.strip() or any(map(str.isspace, text)):
        raise ValueError("is empty or has blanks in it")
    return value


def _count(value: Any) -> Any:
    is_unlimited = isinstance(value, str) and value.strip().lower() == UNLIMITED
    return None if is_unlimited else value


Count = Annotated[Annotated[int, Field(ge=0)] | None, BeforeValidator(_count)]
MONEY = BeforeValidator(_limit)
Limit = Annotated[int | None, MONEY]
Origin = Annotated[str, url("https", "http"), AfterValidator(_public)]
OrOff = BeforeValidator(_or_off)
PerTask = Annotated[str, url("https", "http"), AfterValidator(_one_per_task)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
