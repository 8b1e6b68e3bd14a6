"""`python -m bot check`: one line a thing, and for each thing that is wrong the way to mend it."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import discord
import pytest

from bot import check
from bot.client import PERMISSIONS
from tests.conftest import ROOT
from tests.town import Town, town

Check = Callable[..., Awaitable["Report"]]


class Report:
    """What `check` printed, by topic, and the code it ended with."""

    def __init__(self, code: int, shown: str) -> None:
        self.code = code
        self.shown = shown
        lines = [line.partition(": ") for line in shown.splitlines()]
        self.fine = {head[7:]: text for head, _, text in lines if head.startswith("ok     ")}
        self.wrong = {head[7:]: text for head, _, text in lines if head.startswith("WRONG  ")}
        assert len(self.fine) + len(self.wrong) == len(lines), "a line is neither ok nor WRONG"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


@pytest.fixture
def checked(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Check:
    """Check with a town's settings, some of them changed; what it points elsewhere is put back."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    socket = discord.gateway.DiscordWebSocket
    monkeypatch.setattr(socket, "DEFAULT_GATEWAY", socket.DEFAULT_GATEWAY)

    async def run(here: Town, **changes: str) -> Report:
        code = await check.run(here.settings | changes)
        return Report(code, capsys.readouterr().out)

    return run


async def test_everything_is_fine_after_the_bot_has_run_once(here: Town, checked: Check) -> None:
    async with here.bot():
        pass
    before = len(here.discord.requests)
    report = await checked(here)

    assert report.code == 0
    assert report.wrong == {}
    assert list(report.fine) == [
        *("settings", "disk", "database", "Discord token", "intents", "commands", "invite"),
        *("Runware key", "Runware balance"),
    ]
    assert report.fine["Discord token"].startswith("belongs to animate-bot")
    assert report.fine["commands"] == "published: animate"
    assert report.fine["Runware balance"] == "$1,000.00, 5411 clips"
    assert {request.method for request in here.discord.requests[before:]} == {"GET"}
    assert here.runware.ledger.accepted == 0
    for secret in ("a-local-token", "a-local-key"):
        assert secret not in report.shown


async def test_the_invite_asks_for_what_the_readme_says_and_no_more(
    here: Town, checked: Check
) -> None:
    invite = (await checked(here)).fine["invite"]
    assert f"client_id={here.discord.world.application_id}" in invite
    assert f"permissions={PERMISSIONS.value}" in invite
    assert "scope=bot+applications.commands" in invite
    assert f"permissions={PERMISSIONS.value}" in (ROOT / "README.md").read_text("utf-8")
    assert not PERMISSIONS.administrator
    assert not PERMISSIONS.mention_everyone


async def test_a_running_bot_is_no_problem(here: Town, checked: Check) -> None:
    async with here.bot() as process:
        report = await checked(here)
        assert process.returncode is None
    assert report.code == 0
    assert "in use by a running bot" in report.fine["database"]


async def test_commands_that_were_never_published_are_mended_by_a_start(
    here: Town, checked: Check
) -> None:
    report = await checked(here)
    assert report.code == 1
    assert report.wrong == {"commands": "Discord has none. Start the bot once: it publishes them."}


async def test_a_token_that_is_refused_is_reset_in_the_portal(
    tmp_path: Path, checked: Check
) -> None:
    async with town(tmp_path, token="the-right-one") as here:
        report = await checked(here)
    assert report.code == 1
    assert report.wrong.keys() == {"Discord token"}
    assert "Reset it in the Developer Portal, under Bot, and set DISCORD_TOKEN" in report.shown
    assert "a-local-token" not in report.shown
    assert "Runware balance" in report.fine  # and the rest is looked at all the same


async def test_a_key_that_is_refused_is_made_anew(tmp_path: Path, checked: Check) -> None:
    async with town(tmp_path, api_key="the-right-one") as here:
        report = await checked(here)
    assert report.code == 1
    assert "Make one at Runware, set RUNWARE_API_KEY" in report.wrong["Runware key"]
    assert "a-local-key" not in report.shown


@pytest.mark.parametrize(
    ("balance", "left"), [(0, "$0.00"), (500_000, "$0.50"), (-1_000_000, "-$1.00")]
)
async def test_an_account_that_is_nearly_empty_needs_money(
    tmp_path: Path, checked: Check, balance: int, left: str
) -> None:
    async with town(tmp_path, balance_micro=balance) as here:
        report = await checked(here)
    assert report.code == 1
    assert report.wrong["Runware balance"] == f"{left} left. Top up the account."


async def test_what_cannot_be_reached_is_named_by_its_address(here: Town, checked: Check) -> None:
    report = await checked(
        here,
        ANIMATE_DISCORD_API="http://127.0.0.1:9/api/v10",
        ANIMATE_RUNWARE_API="http://127.0.0.1:9/v1",
    )
    assert report.code == 1
    assert report.wrong.keys() == {"Discord", "Runware"}
    assert report.wrong["Discord"].startswith("no answer from http://127.0.0.1:9/api/v10")
    assert report.wrong["Runware"].startswith("no answer from http://127.0.0.1:9/v1")
    for text in report.wrong.values():
        assert text.endswith("Is the network up?")


async def test_an_address_where_something_else_answers_is_no_crash(
    here: Town, checked: Check
) -> None:
    report = await checked(
        here,
        ANIMATE_DISCORD_API=here.discord.url,  # the page, not the API
        ANIMATE_RUNWARE_API=here.discord.url,
    )
    assert report.code == 1
    assert report.wrong.keys() == {"Discord", "Runware"}


async def test_a_folder_that_cannot_be_made_is_named_with_its_setting(
    here: Town, checked: Check
) -> None:
    blocked = here.folder / "canned.mp4"  # a file
    report = await checked(here, ANIMATE_DATA_DIR=str(blocked / "data"))
    assert report.code == 1
    assert f"{blocked}/data cannot be made" in report.wrong["disk"]
    assert "Set ANIMATE_DATA_DIR." in report.wrong["disk"]


@pytest.mark.parametrize("damage", ["noise", "newer"])
async def test_a_database_that_cannot_be_used_is_named_with_a_way_out(
    here: Town, checked: Check, damage: str
) -> None:
    await checked(here)  # makes it
    path = here.data / "animate.db"
    if damage == "noise":
        path.write_bytes(b"this was a database once " * 400)
    else:
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version = 99")
    report = await checked(here)
    assert report.code == 1
    assert "backup" in report.wrong["database"]
