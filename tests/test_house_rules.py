"""The rules of the house that no linter knows: sizes, docstrings, maps, and nothing left behind."""

import ast
import importlib
import inspect
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.client import EXTENSIONS
from bot.settings import Settings
from tests.conftest import ROOT, readme_part

MOST_LINES = 350
MOST_LINES_OF_A_FUNCTION = 60
MOST_LINES_OF_A_DOCSTRING = 12

SOURCES = sorted(path for part in ("bot", "cogs") for path in (ROOT / part).rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in SOURCES]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def ours() -> Iterator[tuple[str, ast.Module]]:
    """Yield the bot's own modules, without the sandbox, which imports nothing of ours."""
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("bot/sandbox/"):
            yield name, tree(path)


# --- Every file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_file_fits_in_a_reading(name: str) -> None:
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", NAMES)
def test_a_file_opens_by_saying_what_it_owns(name: str) -> None:
    docstring = ast.get_docstring(tree(ROOT / name)) or ""
    prose = [line for line in docstring.splitlines() if not line.startswith(("├", "│", "└"))]
    assert prose
    assert len(prose) <= MOST_LINES_OF_A_DOCSTRING


@pytest.mark.parametrize("name", NAMES)
def test_a_function_fits_on_a_screen(name: str) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree(ROOT / name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert not long


# --- Nothing of the machine it was written on ----------------------------------------------------

# Put together here, so that this file does not contain them itself.
TRACES = [
    *(f"/{folder}/" for folder in ("work", "root", "home/runner", "home/ubuntu")),
    *(f"{name}.org" for name in ("pypi", "pythonhosted", "npmjs")),
    *(f"{name}.com" for name in ("npmjs", "yarnpkg", "goproxy")),
    *(f"--{option}" for option in ("index-url", "extra-index-url", "find-links")),
]


def tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_file_tells_of_the_machine_or_the_package_index_it_was_made_with() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {trace}"
        for path in tracked()
        if path.is_file()
        for content in [path.read_bytes()]
        for trace in TRACES
        if trace.encode() in content
    ]
    assert not found


def test_nothing_that_the_bot_writes_is_part_of_the_project() -> None:
    written = re.compile(r"(^|/)(\.env|animate\.db.*|.*\.pyc|__pycache__|\.DS_Store|\..*\.sw.)$")
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]
    assert not [name for name in names if written.search(name)]


# --- Maps and lists that must not drift ----------------------------------------------------------


def test_the_readme_maps_every_module_and_no_other() -> None:
    listed = set(re.findall(r"\b(\w+\.py)\b", readme_part("map")))
    there = {path.name for path in SOURCES if path.parent in (ROOT / "bot", ROOT / "cogs")}
    assert listed == there - {"__init__.py"}
    assert "sandbox/" in readme_part("map")


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_every_extension_can_be_loaded(extension: str) -> None:
    module = importlib.import_module(extension)
    assert inspect.iscoroutinefunction(module.setup)
    assert list(inspect.signature(module.setup).parameters) == ["bot"]


def test_every_cog_is_an_extension() -> None:
    cogs = {f"cogs.{path.stem}" for path in (ROOT / "cogs").glob("*.py")} - {"cogs.__init__"}
    assert cogs == set(EXTENSIONS)


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_read_somewhere(field: str) -> None:
    readers = [
        name
        for name, module in ours()
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and node.attr == field
        and isinstance(node.value, ast.Name)
        and node.value.id == "settings"
        and name != "bot/settings.py"
    ]
    assert readers
