"""The settings: read once, judged whole, in words that an operator can act on."""

import re
import traceback
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SettingsError
from bot.manual import as_example, as_table
from bot.settings import PREFIX, Settings
from tests.conftest import ROOT, readme_part

TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"
KEY = "rw-5f2c9d0e1a7b4c3d"
REQUIRED = {"DISCORD_TOKEN": TOKEN, "RUNWARE_API_KEY": KEY}
NAMES = [field.alias or "" for field in Settings.model_fields.values()]
OPTIONAL = [name for name in NAMES if name not in REQUIRED]


def read(**environ: str) -> Settings:
    return Settings.from_env(REQUIRED | environ)


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as error:
        Settings.from_env(environ)
    return error.value.problems


# --- What is read --------------------------------------------------------------------------------


def test_the_two_required_settings_are_enough() -> None:
    settings = read()
    assert settings.discord_token.get_secret_value() == TOKEN
    assert settings.runware_api_key.get_secret_value() == KEY
    assert settings.member_monthly_usd == 5_000_000
    assert settings.discord_api == "https://discord.com/api/v10"
    assert settings.data_dir == Path("animate-data")


def test_the_rest_of_the_environment_is_nobodys_business() -> None:
    assert read(PATH="/usr/bin", HOME="/home/bot", LANG="C") == read()


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_empty_value_counts_as_unset(name: str) -> None:
    assert read(**{name: ""}) == read(**{name: "  "}) == read()


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("0", 0),
        ("2.50", 2_500_000),
        ("$7", 7_000_000),
        ("unlimited", None),
        (" Unlimited ", None),
        ("UNLIMITED", None),
    ],
)
@pytest.mark.parametrize("whom", ["member", "server", "bot"])
def test_a_limit_is_dollars_or_zero_or_unlimited(whom: str, text: str, micro: int | None) -> None:
    settings = read(**{f"ANIMATE_{whom.upper()}_MONTHLY_USD": text})
    assert getattr(settings, f"{whom}_monthly_usd") == micro


def test_media_hosts_may_be_parted_by_commas_or_blanks() -> None:
    expected = ("a.example", "b.example", "c.example")
    settings = read(ANIMATE_DISCORD_MEDIA_HOSTS="a.example, b.example c.example")
    assert settings.discord_media_hosts == expected


def test_an_address_is_kept_without_its_last_slash() -> None:
    assert read(ANIMATE_RUNWARE_API="http://localhost:8081/v1/").runware_api == (
        "http://localhost:8081/v1"
    )


def test_a_clip_is_kept_for_as_long_as_the_bot_may_need_to_fetch_it() -> None:
    assert read(ANIMATE_CLIP_TTL_HOURS="48").clip_ttl_hours == 48
    patient = {"ANIMATE_GIVE_UP_HOURS": "100", "ANIMATE_CLIP_TTL_HOURS": "123"}
    (told,) = problems(REQUIRED | patient)
    assert told.startswith("ANIMATE_CLIP_TTL_HOURS: must be at least 124. ")
    assert read(**patient | {"ANIMATE_CLIP_TTL_HOURS": "124"}).clip_ttl_hours == 124


@pytest.mark.parametrize(
    "name",
    [
        *("ANIMATE_CATALOG", "ANIMATE_OUTPUT_FORMAT", "ANIMATE_OUTPUT_QUALITY"),
        *("ANIMATE_CLIP_TTL_HOURS", "ANIMATE_UPLOAD_ENDPOINT"),
    ],
)
def test_what_is_off_is_left_to_the_service(name: str) -> None:
    assert read(**{name: "off"}) == read(**{name: " OFF "}) == read()


def test_an_address_with_a_signature_is_not_printed_with_the_settings() -> None:
    address = "https://store.example/{task}.mp4?signature=deadbeef"
    settings = read(ANIMATE_UPLOAD_ENDPOINT=address)
    assert settings.upload_endpoint == address
    assert "deadbeef" not in repr(settings)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().model = "another"


# --- What is refused -----------------------------------------------------------------------------


def test_every_problem_is_told_at_once_by_the_name_of_its_variable() -> None:
    told = problems(
        {
            "DISCORD_TOKEN": "has a blank",
            "ANIMATE_MEMBER_MONTHLY_USD": "five",
            "ANIMATE_LOOK_EVERY_SECONDS": "0",
            "ANIMATE_LOG_LEVEL": "LOUD",
            "ANIMATE_DISCORD_API": "discord.com",
            "ANIMATE_MEMBER_MONTHLY": "5",
        }
    )
    assert {line.partition(":")[0] for line in told} == {
        "DISCORD_TOKEN",
        "RUNWARE_API_KEY",
        "ANIMATE_MEMBER_MONTHLY_USD",
        "ANIMATE_LOOK_EVERY_SECONDS",
        "ANIMATE_LOG_LEVEL",
        "ANIMATE_DISCORD_API",
        "ANIMATE_MEMBER_MONTHLY",
    }
    assert all("\n" not in line and line.endswith((".", "?")) for line in told)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_secret_is_told_with_where_to_get_it(name: str) -> None:
    (told,) = problems({other: value for other, value in REQUIRED.items() if other != name})
    about = next(f.description for f in Settings.model_fields.values() if f.alias == name)
    assert told == f"{name}: is not set. {about}"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DISCORD_TOKEN", f" {TOKEN}", "blanks"),
        ("DISCORD_TOKEN", f"Bot {TOKEN}", "blanks"),
        ("RUNWARE_API_KEY", f"{KEY}\n", "blanks"),
        ("ANIMATE_MEMBER_MONTHLY_USD", "-1", "cannot be negative"),
        ("ANIMATE_MEMBER_MONTHLY_USD", "2,50", "not an amount in dollars"),
        ("ANIMATE_SERVER_MONTHLY_USD", "none", "not an amount in dollars"),
        ("ANIMATE_BOT_MONTHLY_USD", "1e999999999", "over a billion"),
        ("ANIMATE_PICTURE_MAX_MB", "0", "greater than 0"),
        ("ANIMATE_PICTURE_MAX_MB", "many", "valid integer"),
        ("ANIMATE_PICTURE_MAX_MEGAPIXELS", "201", "less than or equal to 200"),
        ("ANIMATE_LOOK_EVERY_SECONDS", "0.01", "greater than or equal to 0.05"),
        ("ANIMATE_LOOK_EVERY_SECONDS", "nan", "less than or equal to 60"),
        ("ANIMATE_GIVE_UP_HOURS", "nan", "less than or equal to 336"),
        ("ANIMATE_GIVE_UP_HOURS", "inf", "less than or equal to 336"),
        ("ANIMATE_OUTPUT_FORMAT", "GIF", "'MP4', 'WEBM' or 'MOV'"),
        ("ANIMATE_OUTPUT_QUALITY", "19", "greater than or equal to 20"),
        ("ANIMATE_OUTPUT_QUALITY", "100", "less than or equal to 99"),
        ("ANIMATE_SAFETY", "strict", "'none', 'fast' or 'full'"),
        ("ANIMATE_CLIP_TTL_HOURS", "47.9", "must be at least 48"),
        ("ANIMATE_CLIP_TTL_HOURS", "nan", "less than or equal to 8760"),
        ("ANIMATE_UPLOAD_ENDPOINT", "bucket/{task}", "https:// or http://"),
        ("ANIMATE_UPLOAD_ENDPOINT", "https://store.example/clip.mp4", "must have {task} in it"),
        ("ANIMATE_LOG_LEVEL", "info", "DEBUG"),
        ("ANIMATE_DISCORD_API", "ftp://discord.com", "https:// or http://"),
        ("ANIMATE_DISCORD_GATEWAY", "https://gateway.discord.gg", "wss:// or ws://"),
        ("ANIMATE_RUNWARE_API", "https://", "https:// or http://"),
        ("ANIMATE_RUNWARE_API", "api.runware.ai", "https:// or http://"),
        ("ANIMATE_RUNWARE_API", "https://[::1", "invalid IPv6"),
        ("ANIMATE_PUBLIC_URL", "http://bot.example.org", "https://, except on this machine"),
        ("ANIMATE_PUBLIC_URL", "ftp://bot.example.org", "https:// or http://"),
        ("ANIMATE_PUBLIC_URL", "https://me:secret@bot.example.org", "and perhaps a path"),
        ("ANIMATE_PUBLIC_URL", "https://bot.example.org/?a=b", "and perhaps a path"),
        ("ANIMATE_WEB_PORT", "0", "greater than or equal to 1"),
        ("ANIMATE_WEB_PORT", "65536", "less than or equal to 65535"),
        ("ANIMATE_WEB_PORT", "http", "valid integer"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_the_fix(
    name: str, value: str, reason: str
) -> None:
    (told,) = problems(REQUIRED | {"ANIMATE_WEB_PORT": "8090"} | {name: value})
    about = next(f.description for f in Settings.model_fields.values() if f.alias == name)
    assert told.startswith(f"{name}: ")
    assert reason in told
    assert told.endswith(f" {about}")


def test_webhooks_need_the_port_at_which_they_come_in() -> None:
    (told,) = problems(REQUIRED | {"ANIMATE_PUBLIC_URL": "https://bot.example.org/animate/"})
    assert told.startswith("ANIMATE_WEB_PORT: must be set where ANIMATE_PUBLIC_URL is. The port")


def test_the_web_server_is_off_unless_its_port_is_set() -> None:
    assert (read().web_port, read().public_url) == (None, None)
    both = read(ANIMATE_WEB_PORT="8090", ANIMATE_PUBLIC_URL="https://bot.example.org/animate/")
    assert (both.web_port, both.public_url) == (8090, "https://bot.example.org/animate")
    assert read(ANIMATE_PUBLIC_URL="http://127.0.0.1:8090", ANIMATE_WEB_PORT="8090").public_url


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("ANIMATE_MODLE", "Did you mean ANIMATE_MODEL?"),
        ("ANIMATE_MEMBER_MONTHLY", "Did you mean ANIMATE_MEMBER_MONTHLY_USD?"),
        ("ANIMATE_DATADIR", "Did you mean ANIMATE_DATA_DIR?"),
        ("ANIMATE_DISCORD_TOKEN", "Did you mean DISCORD_TOKEN?"),
        ("ANIMATE_XQ", "Remove it, or see the README for the names."),
    ],
)
def test_a_name_that_nobody_knows_is_refused_with_a_suggestion(name: str, advice: str) -> None:
    told = problems(REQUIRED | {name: "5"})
    assert told == (f"{name}: there is no such setting. {advice}",)


def test_an_unknown_name_is_refused_even_when_it_is_empty() -> None:
    assert problems(REQUIRED | {"ANIMATE_MODLE": ""})


@given(st.dictionaries(st.sampled_from([*NAMES, PREFIX + "X"]), st.text(max_size=30)))
def test_whatever_the_values_the_answer_is_settings_or_one_line_per_variable(
    environ: dict[str, str],
) -> None:
    try:
        Settings.from_env(environ)
    except SettingsError as error:
        named = [line.partition(":")[0] for line in error.problems]
        assert named
        assert len(set(named)) == len(named)
        assert set(named) <= {*NAMES, PREFIX + "X"}


# --- Secrets -------------------------------------------------------------------------------------


def test_secrets_are_never_printed_with_the_settings() -> None:
    settings = read()
    for text in (repr(settings), str(settings), f"{settings}", settings.model_dump_json()):
        assert TOKEN not in text
        assert KEY not in text


@pytest.mark.parametrize("spoilt", [f"{TOKEN} ", f"Bot {TOKEN}", f"{TOKEN}\n"])
def test_secrets_are_never_printed_with_a_problem(spoilt: str) -> None:
    try:
        Settings.from_env({"DISCORD_TOKEN": spoilt, "ANIMATE_LOG_LEVEL": KEY})
    except SettingsError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error) + str(error)
        assert TOKEN not in shown
        assert KEY not in shown
        assert "DISCORD_TOKEN" in shown
    else:
        pytest.fail("a spoilt token was taken")


# --- What is generated ---------------------------------------------------------------------------


def test_the_example_file_is_generated_from_the_settings() -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == as_example()


def test_the_readme_table_is_generated_from_the_settings() -> None:
    assert readme_part("settings") == as_table()


def test_the_example_names_every_setting_once_and_asks_for_the_required_ones() -> None:
    text = as_example()
    assert re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE) == NAMES
    assert re.findall(r"^([A-Z_]+)=$", text, re.MULTILINE) == list(REQUIRED)


def test_the_example_with_every_default_written_out_means_the_defaults(tmp_path: Path) -> None:
    text = re.sub(r"^# (ANIMATE_\w+=)", r"\1", as_example(), flags=re.MULTILINE)
    (tmp_path / ".env").write_text(text, "utf-8")
    filed = {name: value or "" for name, value in dotenv_values(tmp_path / ".env").items()}
    assert set(filed) == set(NAMES)
    assert all(filed[name] for name in OPTIONAL)
    assert Settings.from_env(filed | REQUIRED) == read()


def test_the_table_has_a_row_for_every_setting() -> None:
    rows = as_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == NAMES
    assert all(row.count("|") == 4 for row in rows)
