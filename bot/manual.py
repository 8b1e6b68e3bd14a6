"""The settings as people read them: the README's table and `.env.example`, made from the fields.

The bot itself has no use for it; a test holds both files to what stands here.
"""

from pydantic.fields import FieldInfo

from bot.money import usd
from bot.settings import Settings
from bot.values import MONEY, OFF, UNLIMITED, OrOff


def _written(field: FieldInfo) -> str:
    """Return a field's default as one would write it in `.env`; "" where it is required."""
    if field.is_required():
        return ""
    if field.default is None:
        return OFF if OrOff in field.metadata else UNLIMITED
    if MONEY in field.metadata:
        return usd(field.default).removeprefix("$")
    if isinstance(field.default, tuple):
        return ",".join(field.default)
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def as_table() -> str:
    """Return the settings as the README's Markdown table."""
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for field in Settings.model_fields.values():
        default = f"`{_written(field)}`" if not field.is_required() else "*required*"
        rows.append(f"| `{field.alias}` | {default} | {field.description} |")
    return "\n".join(rows)


def as_example() -> str:
    """Return the text of `.env.example`: the required ones open, the rest as comments."""
    blocks = ["# Copy this file to .env and fill in the first two."]
    for field in Settings.model_fields.values():
        mark = "" if field.is_required() else "# "
        blocks.append(f"# {field.description}\n{mark}{field.alias}={_written(field)}")
    return "\n\n".join(blocks) + "\n"
