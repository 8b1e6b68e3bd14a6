"""The command line as an operator meets it: exit codes, sentences, no traceback, no secret."""

import asyncio
import gc
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot import app, logs
from bot.__main__ import main
from bot.database import Database
from bot.settings import Settings
from tests.conftest import ROOT
from tests.town import Ended, clean_environment, command, end_of, started_command, town, until

TOKEN, KEY = "MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.a-secret-token", "a-secret-runware-key"
SECRETS = {"DISCORD_TOKEN": TOKEN, "RUNWARE_API_KEY": KEY}
NOWHERE = {
    "ANIMATE_DISCORD_API": "http://127.0.0.1:9/api/v10",
    "ANIMATE_RUNWARE_API": "http://127.0.0.1:9/v1",
}


Terminal = Callable[..., Ended]


def assert_plain(ended: Ended, code: int) -> None:
    """Check what holds for every end: the code, no traceback, no secret."""
    assert ended.code == code, ended.text
    assert "Traceback" not in ended.text
    assert TOKEN not in ended.text
    assert KEY not in ended.text


# --- Settings ------------------------------------------------------------------------------------


async def test_without_settings_it_names_all_that_is_missing_and_where_to_put_it(
    tmp_path: Path,
) -> None:
    for name, code in (("run", 2), ("check", 1)):
        ended = await command(name, folder=tmp_path)
        assert_plain(ended, code)
        assert "DISCORD_TOKEN: is not set. The bot's token: Developer Portal" in ended.text
        assert "RUNWARE_API_KEY: is not set." in ended.text
        assert (".env.example names them all" in ended.err) is (name == "run")


@pytest.fixture
def terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    """The command line in this process, in an empty folder; for what ends before it starts."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ.keys() - clean_environment().keys():
        monkeypatch.delenv(name)

    def run(*arguments: str, settings: Mapping[str, str] | None = None) -> Ended:
        with monkeypatch.context() as given:
            for name, value in (settings or {}).items():
                given.setenv(name, value)
            code = main(arguments)
        shown = capsys.readouterr()
        return Ended(code, shown.out, shown.err)

    return run


def test_every_malformed_setting_is_named_in_one_go_with_what_it_takes(terminal: Terminal) -> None:
    wrong = {
        "DISCORD_TOKEN": f"{TOKEN} {TOKEN}",
        "RUNWARE_API_KEY": f"{KEY}\n{KEY}",
        "ANIMATE_MEMBER_MONTHLY_USD": "five",
        "ANIMATE_PICTURE_MAX_MB": "0",
        "ANIMATE_GIVE_UP_HOURS": "soon",
        "ANIMATE_LOG_LEVEL": "LOUD",
        "ANIMATE_DISCORD_API": "discord.com",
    }
    for name, code, mark in (("run", 2, "  - "), ("check", 1, "WRONG  ")):
        ended = terminal(name, settings=wrong)
        assert_plain(ended, code)
        lines = [line for line in ended.text.splitlines() if line.startswith(mark)]
        assert {line.removeprefix(mark).partition(":")[0] for line in lines} == wrong.keys()
        assert "dollars, `0` or `unlimited`" in ended.text
        assert "DEBUG, INFO, WARNING or ERROR" in ended.text


def test_an_unknown_setting_is_an_error_with_the_name_that_was_meant(terminal: Terminal) -> None:
    ended = terminal("run", settings=SECRETS | {"ANIMATE_MEMBER_MONTLY_USD": "3"})
    assert_plain(ended, 2)
    assert "ANIMATE_MEMBER_MONTLY_USD: there is no such setting." in ended.err
    assert "Did you mean ANIMATE_MEMBER_MONTHLY_USD?" in ended.err


def test_an_unknown_model_is_an_error_with_those_there_are(terminal: Terminal) -> None:
    ended = terminal("run", settings=SECRETS | {"ANIMATE_MODEL": "sora"})
    assert_plain(ended, 2)
    assert "ANIMATE_MODEL: sora is not known. Choose from klingai:2@1" in ended.err


def test_the_file_env_is_read_and_the_environment_wins_over_it(terminal: Terminal) -> None:
    lines = [f"{name}={value}" for name, value in (SECRETS | NOWHERE).items()]
    Path(".env").write_text("\n".join([*lines, "ANIMATE_MODEL=sora"]))
    ended = terminal("check")
    assert_plain(ended, 1)
    assert "WRONG  ANIMATE_MODEL: sora is not known." in ended.out

    ended = terminal("check", settings={"ANIMATE_MODEL": "klingai:6@0"})
    assert_plain(ended, 1)
    assert "ok     settings: complete; model klingai:6@0" in ended.out


@pytest.mark.parametrize("content", [b"\xff\xfeD\x00I\x00", b"this is\nno=[setting\n="])
def test_a_file_env_that_cannot_be_read_is_no_crash(terminal: Terminal, content: bytes) -> None:
    Path(".env").write_bytes(content)
    ended = terminal("run")
    assert_plain(ended, 2)
    assert ".env: " in ended.err
    assert_plain(terminal("check"), 1)


def test_a_line_of_the_file_env_that_makes_no_sense_is_named(terminal: Terminal) -> None:
    Path(".env").write_text("DISCORD_TOKEN=a\n\nthis is\nRUNWARE_API_KEY='b\n")
    ended = terminal("run")
    assert_plain(ended, 2)
    assert "2 setting(s) need attention:" in ended.err
    assert ".env: line 3 makes no sense. Write NAME=value." in ended.err
    assert ".env: line 4 makes no sense" in ended.err


def test_a_file_env_that_the_bot_may_not_read_says_whose_it_must_be(terminal: Terminal) -> None:
    Path(".env").mkdir()  # root, who may run the tests, may read all files
    ended = terminal("run")
    assert_plain(ended, 2)
    assert ".env: cannot be read: Is a directory. Who runs the bot must own it." in ended.err


def test_a_database_that_cannot_be_opened_is_told_once(terminal: Terminal) -> None:
    (Path("data") / "animate.db").mkdir(parents=True)
    for _ in range(3):
        ended = terminal("run", settings=SECRETS | {"ANIMATE_DATA_DIR": "data"})
        assert_plain(ended, 1)
        assert len(ended.err.splitlines()) == 1


# --- Starting ------------------------------------------------------------------------------------


async def test_a_discord_that_cannot_be_reached_is_said_in_one_sentence(tmp_path: Path) -> None:
    ended = await command("run", settings=SECRETS | NOWHERE, folder=tmp_path)
    assert_plain(ended, 1)
    assert "Discord cannot be reached: ClientConnectorError. Is the network up?" in ended.err


async def test_a_token_that_discord_refuses_is_said_with_the_fix(tmp_path: Path) -> None:
    async with town(tmp_path, token="the-right-one") as here:
        ended = await command("run", settings=here.settings | SECRETS, folder=tmp_path)
    assert_plain(ended, 2)
    assert "DISCORD_TOKEN: Discord refuses it. Reset it in the Developer Portal" in ended.err


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        pytest.param(
            {"do": "drop"},
            "Discord cannot be reached: ServerDisconnectedError. Is the network up?",
            id="hangs up",
        ),
        pytest.param(
            {"do": "truncate"}, "Discord cannot be reached: ClientPayloadError.", id="breaks off"
        ),
        pytest.param({"do": "status", "status": 200}, "makes no sense", id="says nothing"),
        pytest.param(
            {"do": "status", "status": 200, "body": "<html>", "headers": {"Content-Type": "text"}},
            "makes no sense",
            id="is somebody else",
        ),
        pytest.param({"do": "status", "status": 200, "body": {}}, "makes no sense", id="is empty"),
        pytest.param(
            {"do": "status", "status": 403, "body": {"message": "Blocked", "code": 40333}},
            "Discord answered HTTP 403: Blocked. Try again later.",
            id="blocks",
        ),
    ],
)
async def test_a_discord_that_answers_nonsense_at_the_start_is_said_in_one_sentence(
    tmp_path: Path, fault: dict[str, object], sentence: str
) -> None:
    async with town(tmp_path) as here:
        here.trouble_at_discord(**fault, match={"path": "/users/@me"}, times=None)
        ended = await command("run", settings=here.settings, folder=tmp_path)
    assert_plain(ended, 1)
    assert sentence in ended.err.splitlines()[-1]


async def test_commands_that_discord_does_not_take_are_said_in_one_sentence_and_end_nothing(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        blocked = {"message": "Missing Access", "code": 50001}
        match = {"method": "PUT", "path": "/commands"}
        trouble = here.trouble_at_discord(do="status", status=403, body=blocked, match=match)
        process = await started_command("run", settings=here.settings, folder=tmp_path)
        await until(lambda: here.discord.faults.hits(trouble))
        await here.mia.wait_for_bot(within=20)  # it lives on
        process.send_signal(signal.SIGTERM)
        ended = await end_of(process, within=10)
    assert_plain(ended, 0)
    assert "trying again: Discord answered HTTP 403: Missing Access." in ended.err


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param(4004, ("DISCORD_TOKEN: Discord refuses it.", "Reset it"), id="token reset"),
        pytest.param(4014, ("intent", "Privileged Gateway Intents"), id="intents"),
    ],
)
async def test_a_bot_that_discord_ends_for_good_says_exactly_why(
    tmp_path: Path, code: int, words: tuple[str, ...]
) -> None:
    async with town(tmp_path) as here, here.bot() as process:
        await here.control("POST", "gateway", {"do": "close", "code": code})
        assert await asyncio.wait_for(process.wait(), 10) == 2
        last = here.log.splitlines()[-1]
        assert all(word in last for word in words)
        assert "Traceback" not in here.log


async def test_a_connection_that_is_ended_for_another_reason_names_the_code(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here, here.bot() as process:
        await here.control("POST", "gateway", {"do": "close", "code": 4011})
        assert await asyncio.wait_for(process.wait(), 10) == 1
        assert "for good (code 4011)" in here.log.splitlines()[-1]


def test_a_file_of_our_own_that_cannot_be_used_is_not_blamed_on_discord(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def locked_out(_: Settings) -> None:
        raise PermissionError(13, "Permission denied", "/data/pictures")

    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("RUNWARE_API_KEY", KEY)
    monkeypatch.setattr(app, "run", locked_out)
    monkeypatch.setattr(logs, "set_up", lambda *_: None)
    try:
        assert main(["run"]) == 1
    finally:
        gc.enable()
    said = capsys.readouterr().err
    assert "/data/pictures" in said
    assert "ANIMATE_DATA_DIR" in said
    assert "Discord" not in said


async def test_a_second_bot_on_the_same_folder_refuses_and_says_why(tmp_path: Path) -> None:
    async with town(tmp_path) as here, here.bot() as first:
        ended = await command("run", settings=here.settings, folder=tmp_path)
        assert_plain(ended, 1)
        assert f"another bot runs on {here.data}" in ended.err
        assert "give this one its own folder" in ended.err
        assert first.returncode is None
        assert here.trouble() == []


@pytest.mark.parametrize(
    ("path", "number"),
    [
        pytest.param("/users/@me", signal.SIGTERM, id="to log in"),
        pytest.param("/users/@me", signal.SIGINT, id="to log in, with Ctrl-C"),
        pytest.param("/commands", signal.SIGTERM, id="to publish its commands"),
        pytest.param("/gateway", signal.SIGTERM, id="to connect"),
    ],
)
async def test_a_bot_that_waits_for_discord_can_still_be_stopped(
    tmp_path: Path, path: str, number: signal.Signals
) -> None:
    async with town(tmp_path) as here:
        stall = here.trouble_at_discord(do="stall", match={"path": path}, seconds=60)
        process = await started_command("run", settings=here.settings, folder=tmp_path)
        await until(lambda: here.discord.faults.hits(stall))
        process.send_signal(number)
        assert_plain(await end_of(process, within=10), 0)


async def test_a_bot_that_has_lost_discord_can_still_be_stopped(tmp_path: Path) -> None:
    async with town(tmp_path) as here, here.bot() as process:
        here.trouble_at_discord(do="drop", match={"path": "/gateway"}, times=None)
        await here.control("POST", "gateway", {"do": "drop"})
        await here.mia.wait_for_bot(online=False)
        await until(lambda: here.discord.faults.snapshot()[0]["hits"] > 1)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_a_second_word_to_stop_does_no_harm(tmp_path: Path) -> None:
    async with town(tmp_path, render_seconds=30) as here, here.bot() as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
        assert here.trouble() == []


# --- The other commands --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["demo", "--port", "99999"], "a port is a number from 0 to 65535"),
        (["demo", "--port", "-1"], "a port is a number from 0 to 65535"),
        (["demo", "--render-seconds", "nan"], "a number of seconds from 0 to 3600"),
        (["sandbox", "--render-seconds", "long"], "a number of seconds from 0 to 3600"),
        (["run", "--fast"], "unrecognized arguments: --fast"),
        (["backup"], "the following arguments are required: FILE"),
        (["restore"], "the following arguments are required: FILE"),
    ],
)
def test_a_wrong_argument_is_named_with_the_usage(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert "usage: animate-bot" in shown


COMMANDS = ("run", "demo", "sandbox", "check", "backup", "restore")


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"] if name else ["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: animate-bot {name}".rstrip())
    if not name:
        assert all(f"\n    {one} " in shown for one in COMMANDS)


async def test_the_sandbox_prints_settings_with_which_a_bot_runs_and_ends_when_told(
    tmp_path: Path,
) -> None:
    process = await started_command(
        *("sandbox", "--port", "0", "--runware-port", "0", "--render-seconds", "0"),
        settings={},
        folder=tmp_path,
    )
    assert process.stdout is not None
    shown = (await asyncio.wait_for(process.stdout.readuntil(b"Ctrl-C"), 20)).decode()
    assert re.search(r"^local Discord  http://127\.0\.0\.1:\d+/$", shown, re.MULTILINE)
    assert re.search(r"^local Runware  http://127\.0\.0\.1:\d+/v1$", shown, re.MULTILINE)
    settings = dict(re.findall(r"^([A-Z_]+)=(.+)$", shown, re.MULTILINE))

    checked = await command("check", settings=settings, folder=tmp_path)
    assert "ok     Discord token: belongs to animate-bot" in checked.out
    assert "ok     Runware key: accepted" in checked.out

    process.send_signal(signal.SIGTERM)
    assert_plain(await end_of(process, within=10), 0)


async def made(folder: Path) -> None:
    """Make an empty database."""
    async with Database(folder):
        pass


def test_a_backup_and_a_restore_say_what_they_did_and_what_they_will_not_do(
    terminal: Terminal,
) -> None:
    ended = terminal("backup", "copy.db", settings=SECRETS)
    assert_plain(ended, 1)
    assert "Is ANIMATE_DATA_DIR right?" in ended.err
    wrong = {"ANIMATE_SERVER_MONTHLY_USD": "some"}
    assert_plain(terminal("backup", "copy.db", settings=wrong), 2)

    asyncio.run(made(Path("animate-data")))
    ended = terminal("backup", "copy.db")  # on a machine that has no business with the secrets
    assert_plain(ended, 0)
    assert re.fullmatch(r"written to copy\.db: 0\.\d MB, 0 entries\n", ended.out)

    ended = terminal("backup", "copy.db", settings=SECRETS)
    assert_plain(ended, 1)
    assert "copy.db exists, and is left as it is. Choose another name." in ended.err

    ended = terminal("backup", "absent/copy.db", settings=SECRETS)
    assert_plain(ended, 1)
    assert f"there is no folder {Path('absent').absolute()}. Make it first." in ended.err

    ended = terminal("restore", "copy.db")
    assert_plain(ended, 0)
    assert ended.out.startswith("restored from copy.db: 0.")
    assert list(Path("animate-data").glob("animate.db.before-restore-*"))

    ended = terminal("restore", "absent.db", settings=SECRETS)
    assert_plain(ended, 1)
    assert f"there is no {Path('absent.db').absolute()}." in ended.err


async def test_what_is_kept_is_its_owners_alone_whichever_command_made_it(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        usual = os.umask(0o022)
        try:
            await command("check", settings=here.settings, folder=tmp_path)
            async with here.bot():
                kept = [here.data, *here.data.iterdir()]
                modes = {path.name: path.stat().st_mode & 0o077 for path in kept}
        finally:
            os.umask(usual)
    assert {"animate.db", "animate.db-wal", "lock"} <= modes.keys()
    assert not any(modes.values()), modes


async def test_a_port_in_use_is_said_with_the_option_that_changes_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, option in (
            (("demo", "--once", "--port", port), "--port"),
            (("sandbox", "--port", port, "--runware-port", "0"), "--port"),
            (("sandbox", "--port", "0", "--runware-port", port), "--runware-port"),
        ):
            ended = await command(*arguments, folder=tmp_path)
            assert_plain(ended, 1)
            assert ended.err == f"port {port} is in use; choose another with {option}\n"


def test_the_installed_script_is_the_same_command_line(tmp_path: Path) -> None:
    script = shutil.which("animate-bot", path=Path(sys.executable).parent)
    if script is None:
        pytest.skip("animate-bot is not installed beside this Python")
    ended = subprocess.run(
        [script, "run"],
        env=clean_environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert "DISCORD_TOKEN: is not set." in ended.stderr


# --- The wrong Python ----------------------------------------------------------------------------


def test_an_old_python_is_told_plainly_which_one_is_needed() -> None:
    pretend = (
        "import runpy, sys; sys.version_info = (3, 10, 4); runpy.run_module('bot', {}, '__main__')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", pretend],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("animate-bot needs Python 3.11 or newer; this one is ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_builds_nothing_with_an_old_python_and_says_so(tmp_path: Path, target: str) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    old = tmp_path / "python3.10"
    old.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 1\necho "used: $*"; mkdir -p .venv/bin\n')
    old.chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    ended = subprocess.run(
        [make, f"PYTHON={old}", target],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode != 0
    assert f"needs Python 3.11 or newer, and {old} is not. Try: make PYTHON=" in ended.stderr
    assert "used:" not in ended.stdout
    assert not (tmp_path / ".venv").exists()


# --- What the README says ------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["demo", "test", "coverage", "bench", "fix", "lint"])
def test_the_make_targets_of_the_readme_exist(target: str) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    ended = subprocess.run(
        [make, "--dry-run", "--directory", str(ROOT), target],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout


def test_every_command_in_the_readme_is_one_that_exists() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"python -m bot (\w+)", readme))
    assert set(COMMANDS) == named
    options = set(re.findall(r"`(?:demo|sandbox) ([^`]*)`", readme))
    for option in {word for text in options for word in text.split() if word.startswith("--")}:
        assert option in {"--once", "--image", "--port", "--render-seconds", "--data", "--help"}


def test_the_readme_builds_every_environment_that_make_builds() -> None:
    readme, makefile = ((ROOT / name).read_text("utf-8") for name in ("README.md", "Makefile"))
    built = set(re.findall(r"\$\(PYTHON\) -m venv (\S+)", makefile))
    assert {".venv", ".venv/conformance"} <= built
    assert set(re.findall(r"^python3 -m venv (\S+)", readme, re.MULTILINE)) == built


def test_no_supervisor_of_the_readme_sends_a_refused_token_for_ever() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    unit = re.findall(r"```ini\n(.+?)```", readme, re.DOTALL)
    assert unit
    assert all("\nRestartPreventExitStatus=2\n" in one for one in unit)
    assert re.findall(r"docker run .*--restart (\S+)", readme) == ["on-failure"]


def test_the_files_that_the_readme_installs_from_are_there() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in re.findall(r"-r (\S+\.txt)", readme):
        assert (ROOT / name).is_file()
    for name in re.findall(r"^\| `(bot/[\w/]+\.py)`", readme, re.MULTILINE):
        assert (ROOT / name).is_file(), name
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
