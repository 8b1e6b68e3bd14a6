"""The errors: the tree as it is drawn, each raised somewhere, each with words for a log."""

import ast
import re
from collections.abc import Iterator

import pytest

from bot import errors
from bot.errors import (
    AnimateError,
    Busy,
    CannotPostHere,
    CoolingDown,
    LimitReached,
    OptionRefused,
    PictureProblem,
    PictureRefused,
    SettingsError,
    TooManyAtOnce,
)
from tests.conftest import ROOT


def ours() -> Iterator[ast.Module]:
    """Yield the bot's own modules, without the sandbox, which imports nothing of ours."""
    for part in ("bot", "cogs"):
        for path in (ROOT / part).glob("*.py"):
            yield ast.parse(path.read_text("utf-8"))


def drawn() -> dict[str, str]:
    """Return each class of the tree in the docstring of errors.py with the one above it."""
    parents: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([│├└─ ]*)(\w+)(  .*)?$", line)
        if found is None or not (found[1] or line == "AnimateError"):
            continue
        depth = len(found[1]) // 4
        above[depth:] = [found[2]]
        parents[found[2]] = above[depth - 1] if depth else ""
    return parents


def kinds(base: type[AnimateError]) -> Iterator[type[AnimateError]]:
    yield base
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:  # the demo has one of its own
            yield from kinds(kind)


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    assert drawn() == {
        kind.__name__: "" if kind is AnimateError else (kind.__base__ or object).__name__
        for kind in kinds(AnimateError)
    }


@pytest.mark.parametrize(
    "leaf", [kind.__name__ for kind in kinds(AnimateError) if not kind.__subclasses__()]
)
def test_every_error_is_raised_somewhere(leaf: str) -> None:
    makers = 0
    for module in ours():
        caught = {
            id(node)
            for handler in ast.walk(module)
            if isinstance(handler, ast.ExceptHandler) and handler.type is not None
            for node in ast.walk(handler.type)
        }
        makers += sum(
            isinstance(node, ast.Name) and node.id == leaf and id(node) not in caught
            for node in ast.walk(module)
        )
    assert makers


@pytest.mark.parametrize("kind", list(kinds(AnimateError)))
def test_every_error_says_what_it_means(kind: type[AnimateError]) -> None:
    assert kind.__doc__
    assert kind.__doc__.split("\n")[0].endswith(
        (".", '("member", "server" or "bot"); micro-dollars.')
    )


@pytest.mark.parametrize(
    "plain", [kind for kind in kinds(AnimateError) if kind.__init__ is Exception.__init__]
)
def test_an_error_without_a_message_says_its_docstring(plain: type[AnimateError]) -> None:
    assert str(plain()) == (plain.__doc__ or "").strip()
    assert str(plain("the message")) == "the message"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PictureRefused(PictureProblem.EMPTY), "picture refused: empty"),
        (
            PictureRefused(PictureProblem.TOO_LARGE, "31 MB", "20 MB"),
            "picture refused: too large 31 MB 20 MB",
        ),
        (OptionRefused("duration", "5 or 10"), "option duration refused, allowed: 5 or 10"),
        (
            LimitReached(
                whom="member",
                period="month",
                limit_micro=100,
                spent_micro=60,
                held_micro=20,
                left_micro=20,
                wanted_micro=30,
                resets_at=0,
            ),
            "member limit 100 a month reached: spent 60, held 20, wanted 30",
        ),
        (TooManyAtOnce("server", 20, 20), "server has 20 clips in flight of 20"),
        (CoolingDown(1_796_083_200), "the next clip may begin at 1796083200"),
        (CannotPostHere(("attach_files",)), "cannot post here, missing: attach_files"),
        (Busy("rateLimit", "slow down", status=429), "Busy rateLimit, HTTP 429: slow down"),
        (SettingsError(("A: is not set.", "B: is odd.")), "A: is not set.\nB: is odd."),
    ],
)
def test_an_error_tells_a_log_what_it_knows(error: AnimateError, text: str) -> None:
    assert str(error) == text
