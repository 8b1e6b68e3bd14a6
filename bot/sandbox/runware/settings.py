"""The switches of the local Runware: everything the real one is known, or feared, to vary in.

Changed while it runs, through the control interface or in the same process; a wrong name or value
is refused. Every other part reads them at the moment it needs them and keeps no copy.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.sandbox.runware.records import PromptMode

WEEK_SECONDS = 7 * 24 * 3600.0


class Settings(BaseModel):
    """Defaults are the documented behaviour, where there is any."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    # Who may come in, and what is served.
    api_key: str | None = Field(default=None, repr=False, exclude=True)
    """The only key accepted; by default any that is not empty."""
    prompt: PromptMode | None = None
    """Overrides what the model's own record says of `positivePrompt`."""
    model_state: Literal["live", "retired"] = "live"
    """Of all models together."""
    retired_models: tuple[str, ...] = ()
    """These are retired, whatever the state of the others."""
    retired_code: str = "modelUnavailable"

    # Time.
    render_seconds: float = Field(default=20.0, ge=0)
    """Apparent rendering time; a clip is never ready before it is really rendered."""
    stagger: float = Field(default=0.2, ge=0, le=1)
    """Each clip takes up to this share less or more than `render_seconds`."""
    canned: bool = False
    """Render nothing: all clips of a shape are one small file, made once."""
    canned_clip: Path | None = None
    """With `canned`: this very file, whatever the shape."""
    canned_apart: bool = False
    """With `canned`: no two clips are alike, each ends with its UUID, which players skip."""

    # Answers.
    duplicate: Literal[400, 409, "accept"] = 400
    """A used task UUID: a conflict with this status, or the same acknowledgement again."""
    unknown_task: Literal["empty", "error"] = "empty"
    running_answer: Literal["processing", "empty"] = "processing"
    """A known task that runs: an item that says so, or nothing at all, as of an unknown one."""
    failure_form: Literal["errors", "item", "http_400"] = "errors"
    parameter_as_list: bool = False
    progress: bool = False

    # Money.
    balance_micro: int = 1_000_000_000
    """What the account held at the start, in micro-dollars."""
    balance_form: Literal["number", "object"] = "number"
    cost: Literal["asked", "always", "never"] = "asked"
    """Whether a result tells its cost: if the task has `includeCost`, always, never."""
    price_percent: int = Field(default=100, ge=0)
    """Of the list price, for tasks accepted from now on."""

    # Clips and callbacks.
    url_seconds: float = Field(default=WEEK_SECONDS, ge=0)
    """Life of a clip's URL, if the task has no `ttl`."""
    expired_status: Literal[404, 403] = 404
    renew_urls: bool = False
    """Whether a clip whose URL is dead is listed under another one, which lives as long again."""
    webhook_copies: int = Field(default=1, ge=0, le=10)
    """0 loses every webhook, 2 doubles it."""
    webhook_delay_seconds: float = Field(default=0.0, ge=0)
    webhook_before_ack: bool = False
    """Call back once more, and before the submit is acknowledged."""
