"""Logs: whoever writes them, no secret and nothing shaped like a token gets through."""

import io
import logging
import sys
from collections.abc import Iterator
from typing import NoReturn

import pytest

from bot.logs import Clean, set_up

TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"
OTHER_BOT = "OTg3NjU0MzIxMDk4NzY1NDMy.GkA_x1.aBcDeFgHiJkLmNoPqRsTuVwXyZ-0123456789_a"
KEY = "rw-5f2c9d0e1a7b4c3d"
HOOK = "aW50ZXJhY3Rpb246MTIz-NDU2_Nzg5.x=y%3D"


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of its own whose lines are cleaned of `TOKEN` and `KEY`, and what it wrote."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Clean([TOKEN, KEY, ""]))
    logger = logging.getLogger("test_logs")
    logger.propagate = False
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield logger, written
    logger.removeHandler(handler)


def shown(log: tuple[logging.Logger, io.StringIO], text: str, *values: object) -> str:
    log[0].warning(text, *values)
    return log[1].getvalue()


SECRETS = {
    "the given bot token": (f"using {TOKEN} now", TOKEN),
    "the given key": (f"using {KEY} now", KEY),
    "a webhook's token": (
        f"POST https://discord.com/api/v10/webhooks/123456789/{HOOK}/messages/@original",
        HOOK,
    ),
    "a webhook's token in a query": (
        f"POST https://discord.com/api/v10/webhooks/123456789/{HOOK}?wait=true",
        HOOK,
    ),
    "an interaction's token": (f"POST /interactions/987654321/{HOOK}/callback: 404", HOOK),
    "a signed media link": (
        "GET https://cdn.discordapp.com/attachments/1/2/cat.png?ex=66&is=65&hm=deadbeef0123&",
        "deadbeef0123",
    ),
    "a token in a query": ("wss://gateway/?v=10&token=abcdef012345", "abcdef012345"),
    "a key in a query": ("https://api.runware.ai/v1?apiKey=abcdef012345&x=1", "abcdef012345"),
    "another bot's token in a header": (f"Authorization: Bot {OTHER_BOT}", OTHER_BOT),
    "another bot's token, bare": (f"login with '{OTHER_BOT}' failed", OTHER_BOT),
    "a bearer token": ("{'Authorization': 'Bearer abc.def-ghi_012='}", "abc.def-ghi_012"),
    "a picture": ("inputs: data:image/jpeg;base64,/9j/4AAQSkZJRg+Q== end", "9j/4AAQSkZJRg"),
    "a picture of another type": (
        "data:image/vnd.microsoft.icon;base64,AAABAAEAEBAAAAEAIABoBAAA",
        "AAABAAEAEBAAAAEAIABoBAAA",
    ),
    "a picture with parameters": (
        "data:image/svg+xml;charset=utf-8;base64,PHN2ZyB4bWxucz0i",
        "PHN2ZyB4bWxucz0i",
    ),
    "a clip": ("data:video/mp4;base64,AAAAIGZ0eXBpc29t", "AAAAIGZ0eXBpc29t"),
}


@pytest.mark.parametrize("what", SECRETS)
def test_a_secret_never_survives_in_a_message(
    log: tuple[logging.Logger, io.StringIO], what: str
) -> None:
    text, secret = SECRETS[what]
    assert secret in text
    line = shown(log, text)
    assert secret not in line
    assert "…" in line


@pytest.mark.parametrize("what", SECRETS)
def test_a_secret_never_survives_among_the_values(
    log: tuple[logging.Logger, io.StringIO], what: str
) -> None:
    text, secret = SECRETS[what]
    assert secret not in shown(log, "%s and %r", text, {"url": text})


@pytest.mark.parametrize("what", SECRETS)
def test_a_secret_never_survives_in_a_traceback(
    log: tuple[logging.Logger, io.StringIO], what: str
) -> None:
    text, secret = SECRETS[what]

    def refused() -> NoReturn:
        raise ValueError(text)

    def broken() -> NoReturn:
        try:
            refused()
        except ValueError as error:
            raise ConnectionError("it broke") from error

    try:
        broken()
    except ConnectionError:
        log[0].exception("caught")
    lines = log[1].getvalue()
    assert "ValueError" in lines
    assert "Traceback" in lines
    assert secret not in lines


def test_a_secret_that_contains_another_is_struck_out_whole() -> None:
    line = Clean(["abcdef", "abcdef-efgh-ijkl"]).format(
        logging.makeLogRecord({"msg": "key abcdef-efgh-ijkl, key abcdef"})
    )
    assert "efgh" not in line
    assert "abcdef" not in line


@pytest.mark.parametrize(
    "text",
    [
        "job 0123abcd: rendered, $0.1848 spent",
        "the database is from a newer release (schema 3, this release knows 1)",
        "GET https://cdn.discordapp.com/attachments/1/2/cat.png?ex=66&is=65",
        "Bot is up; Bearer none",
        "9745b35c-bbd2-4a73-8ee7-3e95a9e3d8d0 /webhooks/ is not a token",
        "bot.sandbox.runware.server.handlers.submit: data: 3 items",
    ],
)
def test_what_is_no_secret_is_left_as_it_is(
    log: tuple[logging.Logger, io.StringIO], text: str
) -> None:
    assert shown(log, text).rstrip().endswith(text)


def test_the_rest_of_a_cleaned_line_can_still_be_read(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    line = shown(log, f"PATCH /webhooks/12/{HOOK}/messages/@original failed with 404")
    assert line.rstrip().endswith("PATCH /webhooks/12/…/messages/@original failed with 404")
    assert "WARNING" in line
    assert "test_logs" in line


@pytest.fixture
def loggers() -> Iterator[None]:
    """Put the process's logging back as it was."""
    names = (None, "bot", "cogs", "discord", "discord.client")
    before = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("loggers")
def test_ours_speak_at_the_chosen_level_and_libraries_from_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    set_up("DEBUG", [KEY])
    logging.getLogger("bot.pipeline").debug("ours, quiet")
    logging.getLogger("cogs.animate").info("a door")
    logging.getLogger("httpx").info("HTTP Request: POST")
    logging.getLogger("httpx").warning("a library warns of %s", KEY)
    logging.getLogger("discord.client").warning("PyNaCl is not installed")
    logging.getLogger("discord.gateway").warning("shard is late")
    messages = [line.partition(": ")[2] for line in written.getvalue().splitlines()]
    assert messages == ["ours, quiet", "a door", "a library warns of …", "shard is late"]


@pytest.mark.usefixtures("loggers")
def test_setting_up_twice_writes_each_line_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    set_up("INFO", [])
    set_up("WARNING", [])
    logging.getLogger("bot").info("unheard")
    logging.getLogger("bot").warning("heard")
    assert written.getvalue().count("heard") == 1


@pytest.mark.usefixtures("loggers")
def test_a_lost_connection_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    set_up("INFO", [])
    problem = ConnectionResetError("the peer hung up")
    logging.getLogger("discord.client").error(
        "Attempting a reconnect in %.2fs", 1.5, exc_info=problem
    )

    (line,) = written.getvalue().splitlines()
    assert line.endswith("Attempting a reconnect in 1.50s (the peer hung up)")


def test_a_secret_too_short_to_be_one_does_not_eat_the_log() -> None:
    record = logging.makeLogRecord({"msg": "botanical bot", "name": "bot"})
    assert Clean(["b"]).format(record).endswith("botanical bot")
