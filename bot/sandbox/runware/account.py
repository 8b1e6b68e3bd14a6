"""The answers of the operator's tasks: the account's balance and use, and the models on offer.

Owns the shape of `accountManagement` and `modelSearch`. Reads the ledger, changes nothing.
"""

from typing import Any

from bot.sandbox.runware.ledger import Ledger
from bot.sandbox.runware.records import MODELS
from bot.sandbox.runware.refusal import Refused
from bot.sandbox.runware.settings import Settings

ORGANIZATION = "6f1c8a52-9d4e-4b7b-8a55-0c1f5d2e9b10"


def details(task: dict[str, Any], ledger: Ledger, settings: Settings) -> dict[str, Any]:
    """Answer `getDetails`; the usage operations are not offered here."""
    if task.get("operation") != "getDetails":
        raise Refused(
            "invalidOperation",
            "'operation' must be getDetails.",
            "operation",
            allowedValues=["getDetails"],
        )
    balance: Any = ledger.balance_micro / 1e6
    if settings.balance_form == "object":
        balance = {"amount": balance, "currency": "USD"}
    used = {"credits": ledger.billed_micro / 1e6, "requests": ledger.accepted}
    return {
        "operation": "getDetails",
        "organizationUUID": ORGANIZATION,
        "organizationName": "Local Runware",
        "balance": balance,
        "team": [],
        "apiKeys": [],
        "usage": dict.fromkeys(("total", "today", "last7Days", "last30Days"), used),
    }


def found_models(task: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Answer `modelSearch`: the models whose name or id contains the words."""
    words = str(task.get("search", "")).lower()
    retired = settings.retired_models
    found = [
        {
            "air": model.air,
            "name": model.name,
            "category": "video",
            "status": "retired" if model.air in retired else settings.model_state,
        }
        for model in MODELS.values()
        if words in f"{model.air} {model.name}".lower()
    ]
    limit = task.get("limit", 20)
    limit = limit if isinstance(limit, int) and limit >= 0 else 20
    return {"totalResults": len(found), "results": found[:limit]}
