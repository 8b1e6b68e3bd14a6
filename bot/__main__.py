"""The command line: `python -m bot run | demo | sandbox | check | backup | restore`.

The only reader of the environment and `.env`. Exit codes: 0 fine, 1 something is wrong outside,
2 the operator must act: settings, arguments, token, a database that this release cannot use.
No traceback, no secret reaches the terminal.
"""

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from io import StringIO
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - started from a folder, nothing else has checked it
    sys.exit("animate-bot needs Python 3.11 or newer; this one is " + sys.version.split()[0])

from bot.errors import AnimateError, DiscordRefuses, SettingsError, Unusable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    chosen = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = chosen.command
    os.umask(0o077)  # what is kept has tokens in it, and is nobody else's
    try:
        return command(chosen)
    except SettingsError as error:
        _say(f"{len(error.problems)} setting(s) need attention:")
        for problem in error.problems:
            _say(f"  - {problem}")
        _say("Put them into the environment or into a file .env; .env.example names them all.")
        return 2
    except AnimateError as error:
        _say(str(error))
        return 2 if isinstance(error, DiscordRefuses | Unusable) else 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="animate-bot", description="A Discord bot that turns pictures into short clips."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="the bot, from the environment and .env")
    run.set_defaults(command=_run)

    demo = commands.add_parser("demo", help="the whole bot on this machine, free of charge")
    demo.add_argument("--image", type=Path, help="the picture to animate (default: one of ours)")
    demo.add_argument(
        "--once", action="store_true", help="end after one clip; 0 only if it is good"
    )
    demo.add_argument("--model", help="by its id in the catalogue (default: ANIMATE_MODEL)")
    demo.add_argument("--port", type=_port, help="of the page (default: 8080, or any free one)")
    demo.add_argument(
        "--render-seconds", type=_seconds, default=4.0, help="of the local video service"
    )
    demo.add_argument("--data", type=Path, help="folder for the bot's data and the clip")
    demo.set_defaults(command=_demo)

    sandbox = commands.add_parser("sandbox", help="the local Discord and Runware alone")
    sandbox.add_argument("--port", type=_port, default=8080, help="of the local Discord")
    sandbox.add_argument("--runware-port", type=_port, default=8081, help="of the local Runware")
    sandbox.add_argument("--render-seconds", type=_seconds, default=4.0)
    sandbox.set_defaults(command=_sandbox)

    check = commands.add_parser("check", help="settings, database, Discord and Runware, with fixes")
    check.set_defaults(command=_check)

    backup = commands.add_parser("backup", help="a copy of the database, also while the bot runs")
    backup.add_argument("file", type=Path, metavar="FILE", help="a new file for the copy")
    backup.set_defaults(command=_backup)

    restore = commands.add_parser("restore", help="such a copy put back, while the bot is stopped")
    restore.add_argument("file", type=Path, metavar="FILE", help="a copy that `backup` made")
    restore.set_defaults(command=_restore)
    return parser


def _run(_: argparse.Namespace) -> int:
    gc.disable()  # until everything is loaded, for none of that is garbage: see `app.py`
    with ThreadPoolExecutor(1) as pool:
        # A good part of loading discord.py is reading certificates, which leaves the other core
        # to everybody else: a bot that restarts is back a little sooner.
        pool.submit(import_module, "discord")
        from bot.settings import Settings  # noqa: PLC0415 - each command loads what it needs

        settings = Settings.from_env(_environment())
    from bot import app, logs  # noqa: PLC0415

    secrets = (settings.discord_token, settings.runware_api_key)
    logs.set_up(settings.log_level, (secret.get_secret_value() for secret in secrets))
    try:
        asyncio.run(app.run(settings))
    except OSError as error:
        # Of our own machine: Discord's come as `ConnectionTrouble`.
        fix = "May the bot write there? Its files are in ANIMATE_DATA_DIR."
        _say(f"{error}. {fix if error.filename else ''}".rstrip())
        return 1
    return 0


def _demo(chosen: argparse.Namespace) -> int:
    from bot import demo  # noqa: PLC0415

    return asyncio.run(
        demo.run(
            image=chosen.image,
            is_once=chosen.once,
            port=chosen.port,
            render_seconds=chosen.render_seconds,
            folder=chosen.data,
            environment=os.environ | ({"ANIMATE_MODEL": chosen.model} if chosen.model else {}),
        )
    )


def _sandbox(chosen: argparse.Namespace) -> int:
    from bot import demo  # noqa: PLC0415

    return asyncio.run(demo.run_sandbox(chosen.port, chosen.runware_port, chosen.render_seconds))


def _check(_: argparse.Namespace) -> int:
    from bot import check  # noqa: PLC0415

    try:
        environment = _environment()
    except SettingsError as error:
        return check.report(error)
    return asyncio.run(check.run(environment))


def _backup(chosen: argparse.Namespace) -> int:
    from bot import backup  # noqa: PLC0415

    return _tell(backup.backup(_data_dir(), chosen.file))


def _restore(chosen: argparse.Namespace) -> int:
    from bot import backup  # noqa: PLC0415

    return _tell(backup.restore(_data_dir(), chosen.file, datetime.now(UTC)))


def _tell(lines: Iterable[str]) -> int:
    for line in lines:
        print(line)
    return 0


def _data_dir() -> Path:
    """Return the data folder; where only that matters, no secret is needed."""
    from bot.settings import Settings  # noqa: PLC0415

    unneeded = {"DISCORD_TOKEN": "none", "RUNWARE_API_KEY": "none"}
    return Settings.from_env(_environment() | unneeded).data_dir


def _environment() -> dict[str, str]:
    """Return the environment over the file `.env` of this folder. Raises `SettingsError`."""
    from dotenv import dotenv_values  # noqa: PLC0415
    from dotenv.parser import parse_stream  # noqa: PLC0415

    try:
        text = Path(".env").read_text("utf-8-sig")
    except FileNotFoundError:
        return dict(os.environ)
    except UnicodeDecodeError:
        raise SettingsError((".env: is not a text in UTF-8. Save it again as UTF-8.",)) from None
    except OSError as error:
        reason = f"{error.strerror or type(error).__name__}. Who runs the bot must own it."
        raise SettingsError((f".env: cannot be read: {reason}",)) from None
    odd = [one.original for one in parse_stream(StringIO(text)) if one.error]
    if odd:
        # Each comes with the empty lines before it.
        lines = [one.line + one.string[: -len(one.string.lstrip())].count("\n") for one in odd]
        problem = ".env: line {} makes no sense. Write NAME=value."
        raise SettingsError(tuple(map(problem.format, lines)))
    filed = {name: value or "" for name, value in dotenv_values(stream=StringIO(text)).items()}
    return filed | dict(os.environ)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) < 1 << 16:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 3600:  # noqa: PLR2004 - an hour
        raise argparse.ArgumentTypeError("a number of seconds from 0 to 3600")
    return value


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
