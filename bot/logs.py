"""Logging for the terminal, with secrets taken out whatever wrote them.

Interaction and webhook tokens let anybody post for fifteen minutes and stand in URLs; signed media
links and bot tokens are as good as keys. Every record is cleaned after formatting, tracebacks too.
"""

import logging
import re
import sys
from collections.abc import Iterable

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_SHORTEST = 6
"""Characters; what is shorter is no secret, and striking it out would leave nothing to read."""
_TOKENS = (
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[\w\-.=%]+"), r"\1…"),
    (re.compile(r"([?&](?:hm|token|apiKey)=)[^&\s\"']+"), r"\1…"),
    (re.compile(r"((?:Bot|Bearer) )[\w\-.=]{8,}"), r"\1…"),
    (re.compile(r"[\w\-]{23,30}\.[\w\-]{6,7}\.[\w\-]{27,}"), "…"),  # a bare bot token's shape
    (re.compile(r"(data:\w+/)[\w+.;=\-]+,[\w+/=%\-]+"), r"\1…"),
)


class Clean(logging.Formatter):
    """Formats a record, then strikes out the given secrets and everything shaped like a token."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(_FORMAT)
        secrets = [secret for secret in secrets if len(secret) >= _SHORTEST]
        # The longest first: a secret within another must not leave the rest of it behind.
        self._secrets = sorted(secrets, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the cleaned line."""
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "…")
        for pattern, clean in _TOKENS:
            line = pattern.sub(clean, line)
        return line


def set_up(level: str, secrets: Iterable[str]) -> None:
    """Send all logs to standard error, cleaned; libraries only speak up from WARNING."""
    # A malformed call would otherwise print its arguments raw, past the cleaning.
    logging.raiseExceptions = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Clean(secrets))
    handler.addFilter(_shorten_reconnects)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for ours in ("bot", "cogs"):
        logging.getLogger(ours).setLevel(level)
    logging.getLogger("discord").setLevel(logging.WARNING)
    # Said at every start, and of no concern here: this bot does not speak.
    logging.getLogger("discord.client").setLevel(logging.ERROR)


def _shorten_reconnects(record: logging.LogRecord) -> bool:
    """Tell of a lost connection in a line: discord.py adds a traceback to each of its attempts."""
    if record.name == "discord.client" and record.exc_info and "reconnect" in str(record.msg):
        problem = record.exc_info[1]
        record.msg, record.args = f"{record.msg} (%s)", (*_as_tuple(record.args), problem)
        record.exc_info = record.exc_text = None
    return True


def _as_tuple(args: object) -> tuple[object, ...]:
    return args if isinstance(args, tuple) else ()
