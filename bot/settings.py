"""The bot's settings: one frozen model, read once from a mapping at the edge.

It refuses what it does not know, and reports every problem at once, by the variable's name, with
the fix, and never a secret's value. `__main__.py` and `app.py` read it and hand plain values down.
The README's table and `.env.example` are generated from the fields.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic import ValidationError as PydanticError
from pydantic.fields import FieldInfo

from bot.errors import SettingsError
from bot.ledger import parse_usd, usd

PREFIX = "ANIMATE_"
UNLIMITED = "unlimited"
OFF = "off"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


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


def _url(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname:
            starts = " or ".join(f"{scheme}://" for scheme in schemes)
            raise ValueError(f"must start with {starts}, then a host")
        return value.rstrip("/")

    return AfterValidator(check)


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or text != text.strip() or any(map(str.isspace, text)):
        raise ValueError("is empty or has blanks in it")
    return value


Limit = Annotated[int | None, BeforeValidator(_limit)]
Origin = Annotated[str, _url("https", "http"), AfterValidator(_public)]
Port = Annotated[int | None, BeforeValidator(_or_off)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]


class Settings(BaseModel):
    """Every field is one environment variable; its alias is the variable's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    discord_token: Secret = Field(
        alias="DISCORD_TOKEN",
        description="The bot's token: Developer Portal, your application, Bot, Reset Token.",
    )
    runware_api_key: Secret = Field(
        alias="RUNWARE_API_KEY",
        description="The key of the Runware account that pays.",
    )
    data_dir: Path = Field(
        Path("animate-data"),
        alias="ANIMATE_DATA_DIR",
        description="Where the database, pictures in work and clips are kept. One bot per folder.",
    )
    model: str = Field(
        "klingai:2@1",
        alias="ANIMATE_MODEL",
        description="The model that animates, by its id in the catalogue.",
    )
    member_monthly_usd: Limit = Field(
        5_000_000,
        alias="ANIMATE_MEMBER_MONTHLY_USD",
        description="What one member may spend in one server in a month (UTC):"
        " dollars, `0` or `unlimited`.",
    )
    server_monthly_usd: Limit = Field(
        25_000_000,
        alias="ANIMATE_SERVER_MONTHLY_USD",
        description="What one server may spend in a month (UTC).",
    )
    bot_monthly_usd: Limit = Field(
        100_000_000,
        alias="ANIMATE_BOT_MONTHLY_USD",
        description="What everybody together may spend in a month (UTC).",
    )
    picture_max_mb: int = Field(
        20,
        gt=0,
        le=100,
        alias="ANIMATE_PICTURE_MAX_MB",
        description="The largest picture taken, in megabytes.",
    )
    picture_max_megapixels: int = Field(
        64,
        gt=0,
        le=200,
        alias="ANIMATE_PICTURE_MAX_MEGAPIXELS",
        description="The most pixels a picture may have, in millions; larger ones are not decoded.",
    )
    look_every_seconds: float = Field(
        1.0,
        ge=0.05,
        le=60,
        alias="ANIMATE_LOOK_EVERY_SECONDS",
        description="How often the video service is asked about clips in the making, in seconds.",
    )
    give_up_hours: float = Field(
        24.0,
        ge=1,
        le=24 * 14,
        alias="ANIMATE_GIVE_UP_HOURS",
        description="How long a clip may stay without a word until its hold is released, in hours.",
    )
    public_url: Annotated[Origin | None, BeforeValidator(_or_off)] = Field(
        None,
        alias="ANIMATE_PUBLIC_URL",
        description="Where the world reaches the bot's web server, for webhooks, or `off`.",
    )
    web_host: str = Field(
        "127.0.0.1",
        alias="ANIMATE_WEB_HOST",
        description="The address that the web server listens on.",
    )
    web_port: Port = Field(
        None,
        ge=1,
        le=65_535,
        validate_default=True,
        alias="ANIMATE_WEB_PORT",
        description="The port of the web server: webhooks, `/healthz` and `/readyz`; or `off`.",
    )
    log_level: str = Field(
        "INFO",
        alias="ANIMATE_LOG_LEVEL",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="DEBUG, INFO, WARNING or ERROR.",
    )
    discord_api: Annotated[str, _url("https", "http")] = Field(
        "https://discord.com/api/v10",
        alias="ANIMATE_DISCORD_API",
        description="Discord's REST address. Leave it, except for a local Discord.",
    )
    discord_gateway: Annotated[str, _url("wss", "ws")] = Field(
        "wss://gateway.discord.gg",
        alias="ANIMATE_DISCORD_GATEWAY",
        description="Discord's gateway address. Leave it, except for a local Discord.",
    )
    discord_media_hosts: Words = Field(
        ("cdn.discordapp.com", "media.discordapp.net"),
        alias="ANIMATE_DISCORD_MEDIA_HOSTS",
        description="The only hosts that pictures are fetched from."
        " Leave it, except for a local Discord.",
    )
    runware_api: Annotated[str, _url("https", "http")] = Field(
        "https://api.runware.ai/v1",
        alias="ANIMATE_RUNWARE_API",
        description="The video service's address. Leave it, except for a local Runware.",
    )

    @field_validator("web_port")
    @classmethod
    def _is_there_for_webhooks(cls, port: int | None, info: ValidationInfo) -> int | None:
        if port is None and info.data.get("public_url"):
            raise ValueError("must be set where ANIMATE_PUBLIC_URL is")
        return port

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; empty counts as unset. Raises `SettingsError` with every problem."""
        names = {field.alias for field in cls.model_fields.values()}
        known: dict[str, Any] = {
            name: value for name, value in environ.items() if name in names and value.strip()
        }
        unknown = sorted(set(environ) - names)
        problems = [
            f"{name}: there is no such setting. {_nearest(name, names)}"
            for name in unknown
            if name.startswith(PREFIX)
        ]
        try:
            settings = cls(**known)
        except PydanticError as error:
            problems += [_problem(cls, dict(detail)) for detail in error.errors()]
        else:
            if not problems:
                return settings
        raise SettingsError(tuple(problems))


def _problem(cls: type[Settings], detail: dict[str, Any]) -> str:
    place = detail["loc"][0]  # a field's own name where its default does not fit
    field = next(f for own, f in cls.model_fields.items() if place in (f.alias, own))
    name, about = field.alias, field.description
    if detail["type"] == "missing":
        return f"{name}: is not set. {about}"
    reason = str(detail["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{name}: {reason[:1].lower()}{reason[1:]}. {about}"


def _nearest(name: str, names: set[str | None]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only where a name is wrong

    # Compared without the common prefix, which would make everything look alike.
    bare = {known.removeprefix(PREFIX): known for known in names if known}
    close = get_close_matches(name.removeprefix(PREFIX), bare, n=1)
    if not close:
        return "Remove it, or see the README for the names."
    return f"Did you mean {bare[close[0]]}?"


def written(field: FieldInfo) -> str:
    """Return a field's default as one would write it in `.env`; "" where it is required."""
    if field.is_required():
        return ""
    if field.default is None:
        return OFF
    if field.annotation == int | None:
        return usd(field.default).removeprefix("$")
    if isinstance(field.default, tuple):
        return ",".join(field.default)
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def as_table() -> str:
    """Return the settings as the README's Markdown table."""
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for field in Settings.model_fields.values():
        default = f"`{written(field)}`" if not field.is_required() else "*required*"
        rows.append(f"| `{field.alias}` | {default} | {field.description} |")
    return "\n".join(rows)


def as_example() -> str:
    """Return the text of `.env.example`: the required ones open, the rest as comments."""
    blocks = ["# Copy this file to .env and fill in the first two."]
    for field in Settings.model_fields.values():
        mark = "" if field.is_required() else "# "
        blocks.append(f"# {field.description}\n{mark}{field.alias}={written(field)}")
    return "\n\n".join(blocks) + "\n"
