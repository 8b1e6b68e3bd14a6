"""`python -m bot check`: one line a thing, and for each thing that is wrong the way to mend it."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import discord
import pytest

from bot import check
from bot.client import PERMISSIONS, AnimateBot
from bot.sandbox.discord import payloads
from tests.conftest import ROOT
from tests.corridor import model
from tests.town import Town, town, until


async def offered() -> list[str]:
    """The names of all commands and menus that the bot has."""
    bot = AnimateBot()
    await bot.load(model())
    names = sorted(one.name for one in bot.tree.get_commands())
    assert {"Animate", "Animate with options…", "animate", "quota", "usage"} <= set(names)
    return names


OTHER_MODEL = "klingai:6@0"
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
        *("settings", "disk", "database", "accounts"),
        *("Discord token", "application", "other people's messages", "commands", "invite"),
        *("Runware key", "Runware balance", "Runware model", "Runware price"),
    ]
    assert report.fine["Discord token"].startswith("belongs to animate-bot")
    assert report.fine["commands"] == f"published: {', '.join(await offered())}"
    assert report.fine["Runware balance"] == "$1,000.00, 5411 clips"
    assert {request.method for request in here.discord.requests[before:]} == {"GET"}
    assert report.fine["Runware model"] == "klingai:2@1 is accepted"
    assert report.fine["Runware price"] == "5 s $0.1848; 10 s $0.3696, as in its record"
    assert here.runware.ledger.accepted == here.runware.ledger.committed_micro == 0
    for secret in ("a-local-token", "a-local-key"):
        assert secret not in report.shown


@pytest.mark.parametrize(
    ("is_on", "says"), [(False, "Message Content Intent: Developer Portal"), (True, "open")]
)
async def test_the_switch_for_other_peoples_messages_is_told_and_no_fault_either_way(
    here: Town, checked: Check, is_on: bool, says: str
) -> None:
    here.discord.set_limits({"message_content_enabled": is_on})
    assert says in (await checked(here)).fine["other people's messages"]


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
    assert report.wrong == {
        "commands": "; ".join(f"{name} is not published" for name in await offered()) + "."
        " Start the bot once: it publishes them."
    }


async def test_commands_of_another_model_are_out_of_date_and_a_start_mends_them(
    here: Town, checked: Check
) -> None:
    async with here.bot():
        pass
    assert (await checked(here)).fine["commands"] == f"published: {', '.join(await offered())}"
    report = await checked(here, ANIMATE_MODEL=OTHER_MODEL)
    assert report.code == 1
    assert report.wrong["commands"].startswith("animate is published in another version.")

    async with here.bot(ANIMATE_MODEL=OTHER_MODEL):
        await until(lambda: writes(here) == 2)
    assert (await checked(here, ANIMATE_MODEL=OTHER_MODEL)).wrong == {}


async def test_a_start_publishes_only_what_somebody_has_changed_at_discord(
    here: Town, checked: Check
) -> None:
    for _ in range(2):
        async with here.bot():
            pass
    assert writes(here) == 1, "the second start found them published"
    command = next(iter(here.discord.world.commands.values()))
    command["options"][0]["description"] = "Something else."
    stray = command | {"id": "77", "name": "stray"}
    here.discord.world.commands["77"] = stray
    wrong = (await checked(here)).wrong["commands"]
    assert "animate is published in another version; stray is there and should not be" in wrong

    async with here.bot():
        await until(lambda: writes(here) == 2)
    assert (await checked(here)).wrong == {}


@pytest.mark.parametrize(
    "filled_in",
    [
        pytest.param({"description_localizations": None, "version": "9"}, id="nulls and more"),
        pytest.param({"default_member_permissions": None, "dm_permission": None}, id="others"),
        pytest.param({"nsfw": None}, id="without a default"),
    ],
)
async def test_what_discord_fills_in_by_itself_is_no_difference(
    here: Town, checked: Check, filled_in: dict[str, object]
) -> None:
    async with here.bot():
        pass
    for command in here.discord.world.commands.values():
        command.update(
            {name: value for name, value in filled_in.items() if value or not command.get(name)}
        )
        for option in command.get("options", []):
            option.setdefault("required", False)
            option.setdefault("name_localizations", None)
            option.setdefault("autocomplete", False)
    assert (await checked(here)).wrong == {}


def writes(here: Town) -> int:
    """How often the commands were written."""
    return sum(request.method == "PUT" for request in here.discord.requests)


@pytest.mark.parametrize("fault", [{"do": "drop"}, {"do": "status", "status": 403, "body": {}}])
async def test_commands_that_discord_does_not_show_are_a_line_among_the_others(
    here: Town, checked: Check, fault: dict[str, object]
) -> None:
    async with here.bot():
        pass
    here.trouble_at_discord(**fault, match={"path": "/commands"}, times=None)
    report = await checked(here)
    assert report.code == 1
    assert report.wrong.keys() == {"commands"}
    assert report.wrong["commands"].startswith("Discord ")
    assert {"invite", "Runware balance"} <= report.fine.keys()


async def test_an_endpoint_that_takes_the_commands_away_is_to_be_cleared(
    here: Town, checked: Check
) -> None:
    async with here.bot():
        pass
    body = payloads.application(here.discord.world)
    body["interactions_endpoint_url"] = "https://elsewhere.example/interactions"
    match = {"path": "/applications/@me"}
    here.trouble_at_discord(do="status", status=200, body=body, match=match, times=None)
    report = await checked(here)
    assert report.code == 1
    assert report.wrong.keys() == {"application"}
    assert "Clear that field in the Developer Portal" in report.wrong["application"]


async def test_who_may_add_the_bot_is_said_and_never_wrong(here: Town, checked: Check) -> None:
    assert (
        "anybody can add it to a server and spend what you pay for (Public Bot in the"
        in (await checked(here)).fine["application"]
    )
    body = payloads.application(here.discord.world)
    body |= {"bot_public": False, "integration_types_config": {"0": {}, "1": {}}}
    match = {"path": "/applications/@me"}
    here.trouble_at_discord(do="status", status=200, body=body, match=match, times=None)
    text = (await checked(here)).fine["application"]
    assert "only its owner can add it to a server and to a user's own account" in text


async def test_every_wrong_setting_is_a_line_of_its_own(here: Town, checked: Check) -> None:
    wrong = {
        "DISCORD_TOKEN": "two words",
        "ANIMATE_GIVE_UP_HOURS": "soon",
        "ANIMATE_MEMBER_MONTLY_USD": "3",
    }
    report = await checked(here, **wrong)
    assert report.code == 1
    assert report.wrong.keys() == wrong.keys()
    assert report.fine == {}
    assert "Did you mean ANIMATE_MEMBER_MONTHLY_USD?" in report.shown
    assert "two words" not in report.shown

    report = await checked(here, ANIMATE_MODEL="sora")
    assert report.code == 1
    assert report.wrong.keys() == {"ANIMATE_MODEL"}


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
    assert report.wrong["Discord"].startswith("at http://127.0.0.1:9/api/v10: Discord cannot be")
    assert report.wrong["Runware"].startswith("no answer from http://127.0.0.1:9/v1")
    for text in report.wrong.values():
        assert "Is the network up?" in text


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
    assert ("python -m bot restore FILE" in report.wrong["database"]) is (damage == "noise")


async def test_accounts_that_do_not_add_up_are_said_with_the_first_that_does_not(
    here: Town, checked: Check
) -> None:
    await checked(here)  # makes it
    with closing(sqlite3.connect(here.data / "animate.db")) as db, db:
        for day in range(1, 6):
            db.execute("INSERT INTO totals VALUES (1, 2, ?, 300, 0, 0)", (f"2026-11-0{day}",))
    report = await checked(here)
    assert report.code == 1
    assert report.fine["database"].startswith("sound")
    said = report.wrong["accounts"]
    assert "the total of server 1, member 2, day 2026-11-01 is not its entries' sum" in said
    assert said.count("is not its entries' sum") == 3
    assert "report it" in said


# --- The model -----------------------------------------------------------------------------------


async def test_a_model_that_is_withdrawn_is_named_with_one_that_works(
    tmp_path: Path, checked: Check
) -> None:
    async with town(tmp_path, retired_models=("klingai:2@1",)) as here:
        report = await checked(here)
        assert report.code == 1
        assert report.wrong["Runware model"] == (
            "klingai:2@1 is refused: modelUnavailable (model)."
            " ANIMATE_MODEL=klingai:6@0 (Kling 2.5 Turbo Standard) is accepted."
        )
        again = await checked(here, ANIMATE_MODEL="klingai:6@0")
        assert again.fine["Runware model"] == "klingai:6@0 is accepted"
        assert again.fine["Runware price"] == "5 s $0.21; 10 s $0.42, as in its record"
        assert here.runware.ledger.accepted == 0


async def test_where_nothing_of_the_catalogue_is_accepted_that_is_said(
    tmp_path: Path, checked: Check
) -> None:
    async with town(tmp_path, model_state="retired") as here:
        report = await checked(here)
    assert report.wrong["Runware model"] == (
        "klingai:2@1 is refused: modelUnavailable (model)."
        " No other model of the catalogue is accepted; add one's record."
    )


async def test_a_rule_that_the_service_has_changed_is_mended_in_the_record(
    tmp_path: Path, checked: Check
) -> None:
    async with town(tmp_path, prompt="required") as here:
        report = await checked(here)
        assert report.wrong["Runware model"] == (
            "klingai:2@1 is refused: missingPositivePrompt (positivePrompt)."
            " Correct its record with ANIMATE_CATALOG."
            " ANIMATE_MODEL=klingai:6@0 (Kling 2.5 Turbo Standard) is accepted."
        )
        own = tmp_path / "models.json"
        own.write_text('[{"id": "klingai:2@1", "prompt": {"policy": "required", "least": 2}}]')
        mended = await checked(here, ANIMATE_CATALOG=str(own))
    assert mended.fine["Runware model"] == "klingai:2@1 is accepted"


async def test_a_price_that_has_changed_is_told_with_the_one_in_the_record(
    tmp_path: Path, checked: Check
) -> None:
    async with town(tmp_path, price_percent=200) as here:
        report = await checked(here)
    assert report.wrong["Runware price"] == (
        "5 s $0.3696, by its record $0.1848; 10 s $0.7392, by its record $0.3696."
        " Mend it with ANIMATE_CATALOG."
    )
    assert report.fine["Runware model"] == "klingai:2@1 is accepted"


async def test_what_the_record_says_of_the_state_is_told(here: Town, checked: Check) -> None:
    own = here.folder / "models.json"
    own.write_text('[{"id": "klingai:2@1", "state": "deprecated"}]')
    report = await checked(here, ANIMATE_CATALOG=str(own))
    told = "complete; model klingai:2@1, which its record calls deprecated"
    assert report.fine["settings"] == told


async def test_a_choice_that_the_service_refuses_is_named_by_its_setting(
    here: Town, checked: Check
) -> None:
    own = here.folder / "models.json"
    own.write_text('[{"id": "klingai:2@1", "output_formats": ["MP4"]}]')
    changes = {"ANIMATE_CATALOG": str(own), "ANIMATE_OUTPUT_FORMAT": "MOV"}
    report = await checked(here, **changes)
    assert report.wrong["Runware model"] == (
        "klingai:2@1 is refused: invalidOutputFormat (outputFormat). Change ANIMATE_OUTPUT_FORMAT."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read (FileNotFoundError). Name a JSON file."),
        ("{", "is no list of records"),
        ('[{"id": "klingai:2@1", "durations": []}]', "record klingai:2@1, field durations"),
    ],
)
async def test_a_catalogue_that_cannot_be_used_is_told_with_its_place(
    here: Town, checked: Check, text: str | None, told: str
) -> None:
    own = here.folder / "models.json"
    if text is not None:
        own.write_text(text)
    report = await checked(here, ANIMATE_CATALOG=str(own))
    assert report.code == 1
    assert told in report.wrong["ANIMATE_CATALOG"]
