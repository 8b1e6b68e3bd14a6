"""The bot's settings: one frozen model, read once from a mapping at the edge.

It refuses what it does not know, and reports every problem at once, by the variable's name, with
the fix, and never a secret's value. `__main__.py` and `app.py` read it and hand plain values down.
The README's table and `.env.example` are made from the fields, by `manual.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic import ValidationError as PydanticError

from bot.errors import SettingsError
from bot.values import (
    Count,
    Limit,
    Origin,
    OrOff,
    PerTask,
    Secret,
    Words,
    url,
)

PREFIX = "ANIMATE_"
_LEAST_TTL_BEYOND = 24
"""Hours. A clip may have been ready for as long as the bot waits before it is seen, after a long
absence for instance; this much is left to fetch it then."""


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
    catalog: Annotated[Path | None, OrOff] = Field(
        None,
        alias="ANIMATE_CATALOG",
        description="A JSON file of models' records that override or add to ours, or `off`.",
    )
    output_format: Annotated[Literal["MP4", "WEBM", "MOV"] | None, OrOff] = Field(
        None,
        alias="ANIMATE_OUTPUT_FORMAT",
        description="MP4, WEBM or MOV, as clips are made and stored; `off` is the service's own."
        " Posted is MP4, which plays everywhere.",
    )
    output_quality: Annotated[int | None, OrOff] = Field(
        None,
        ge=20,
        le=99,
        alias="ANIMATE_OUTPUT_QUALITY",
        description="How good, and large, the clips' files are, 20 to 99;"
        " `off` is the service's own, 95.",
    )
    safety: Literal["none", "fast", "full"] = Field(
        "none",
        alias="ANIMATE_SAFETY",
        description="What the service checks for unsafe content: none, fast (key frames)"
        " or full (all frames).",
    )
    member_daily_usd: Limit = Field(
        None,
        alias="ANIMATE_MEMBER_DAILY_USD",
        description="What one member may use in one server in a day: dollars, `0` or `unlimited`.",
    )
    member_weekly_usd: Limit = Field(
        None,
        alias="ANIMATE_MEMBER_WEEKLY_USD",
        description="What one member may use in one server in a week, from Monday on: dollars,"
        " `0` or `unlimited`.",
    )
    member_monthly_usd: Limit = Field(
        5_000_000,
        alias="ANIMATE_MEMBER_MONTHLY_USD",
        description="What one member may use in one server in a month: dollars, `0` or"
        " `unlimited`; its admins may set others.",
    )
    server_daily_usd: Limit = Field(
        None,
        alias="ANIMATE_SERVER_DAILY_USD",
        description="What one server may use in a day: dollars, `0` or `unlimited`.",
    )
    server_weekly_usd: Limit = Field(
        None,
        alias="ANIMATE_SERVER_WEEKLY_USD",
        description="What one server may use in a week, from Monday on: dollars, `0` or"
        " `unlimited`.",
    )
    server_monthly_usd: Limit = Field(
        25_000_000,
        alias="ANIMATE_SERVER_MONTHLY_USD",
        description="What one server may use in a month: dollars, `0` or `unlimited`; its"
        " admins may set it tighter.",
    )
    bot_daily_usd: Limit = Field(
        None,
        alias="ANIMATE_BOT_DAILY_USD",
        description="What everybody together may use in a day (UTC): dollars, `0` or `unlimited`.",
    )
    bot_weekly_usd: Limit = Field(
        None,
        alias="ANIMATE_BOT_WEEKLY_USD",
        description="What everybody together may use in a week, from Monday on (UTC): dollars,"
        " `0` or `unlimited`.",
    )
    bot_monthly_usd: Limit = Field(
        100_000_000,
        alias="ANIMATE_BOT_MONTHLY_USD",
        description="What everybody together may use in a month (UTC): dollars, `0` or"
        " `unlimited`.",
    )
    member_clips: Count = Field(
        3,
        alias="ANIMATE_MEMBER_CLIPS",
        description="How many clips of one member may be in the making at once: a number or"
        " `unlimited`.",
    )
    server_clips: Count = Field(
        20,
        alias="ANIMATE_SERVER_CLIPS",
        description="How many clips of one server may be in the making at once: a number or"
        " `unlimited`.",
    )
    bot_clips: Count = Field(
        200,
        alias="ANIMATE_BOT_CLIPS",
        description="How many clips of everybody may be in the making at once: a number or"
        " `unlimited`.",
    )
    queue_most: int = Field(
        50,
        ge=0,
        alias="ANIMATE_QUEUE_MOST",
        description="How many clips may wait in line while the video service does not answer.",
    )
    member_cooldown_seconds: int = Field(
        0,
        ge=0,
        le=86_400,
        alias="ANIMATE_MEMBER_COOLDOWN_SECONDS",
        description="How long a member waits from one clip to the next, in seconds.",
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
    keep_clips_hours: float = Field(
        24.0,
        ge=0,
        le=24 * 365,
        alias="ANIMATE_KEEP_CLIPS_HOURS",
        description="How long a clip's file is kept after it was posted, in hours; `0` not at all.",
    )
    keep_clips_max_mb: int = Field(
        2000,
        gt=0,
        alias="ANIMATE_KEEP_CLIPS_MAX_MB",
        description="What these files may take together, in megabytes; those that wait always may.",
    )
    upload_limit_mb: int = Field(
        20,
        gt=0,
        le=500,
        alias="ANIMATE_UPLOAD_LIMIT_MB",
        description="The largest file that Discord takes of a bot where a server has no higher"
        " limit, in MiB; what it refuses is made smaller in any case.",
    )
    clip_ttl_hours: Annotated[float | None, OrOff] = Field(
        None,
        le=24 * 365,
        alias="ANIMATE_CLIP_TTL_HOURS",
        description="How long the service keeps a clip, in hours, at least 24 more than"
        " ANIMATE_GIVE_UP_HOURS; `off` is the service's own time.",
    )
    upload_endpoint: Annotated[PerTask | None, OrOff] = Field(
        None,
        repr=False,  # it may carry a signature
        alias="ANIMATE_UPLOAD_ENDPOINT",
        description="Where the service also puts each clip (HTTP PUT), with `{task}` for the"
        " task's UUID; or `off`.",
    )
    public_url: Annotated[Origin | None, OrOff] = Field(
        None,
        alias="ANIMATE_PUBLIC_URL",
        description="Where the world reaches the bot's web server, for webhooks, or `off`.",
    )
    web_host: str = Field(
        "127.0.0.1",
        alias="ANIMATE_WEB_HOST",
        description="The address that the web server listens on.",
    )
    web_port: Annotated[int | None, OrOff] = Field(
        None,
        ge=1,
        le=65_535,
        validate_default=True,
        alias="ANIMATE_WEB_PORT",
        description="The port of the web server: webhooks, `/healthz` and `/readyz`; or `off`.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        alias="ANIMATE_LOG_LEVEL",
        description="DEBUG, INFO, WARNING or ERROR.",
    )
    discord_api: Annotated[str, url("https", "http")] = Field(
        "https://discord.com/api/v10",
        alias="ANIMATE_DISCORD_API",
        description="Discord's REST address. Leave it, except for a local Discord.",
    )
    discord_gateway: Annotated[str, url("wss", "ws")] = Field(
        "wss://gateway.discord.gg",
        alias="ANIMATE_DISCORD_GATEWAY",
        description="Discord's gateway address. Leave it, except for a local Discord.",
    )
    discord_media_hosts: Words = Field(
        (
            *("cdn.discordapp.com", "media.discordapp.net"),
            *("images-ext-1.discordapp.net", "images-ext-2.discordapp.net"),
        ),
        alias="ANIMATE_DISCORD_MEDIA_HOSTS",
        description="Discord's hosts, the only ones that pictures are fetched from."
        " Leave it, except for a local Discord.",
    )
    runware_api: Annotated[str, url("https", "http")] = Field(
        "https://api.runware.ai/v1",
        alias="ANIMATE_RUNWARE_API",
        description="The video service's address. Leave it, except for a local Runware.",
    )

    @field_validator("clip_ttl_hours")
    @classmethod
    def _lets_the_bot_fetch_late(cls, hours: float | None, info: ValidationInfo) -> float | None:
        least = info.data.get("give_up_hours", 0) + _LEAST_TTL_BEYOND
        if hours is not None and hours < least:
            raise ValueError(f"must be at least {least:g}")
        return hours

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
