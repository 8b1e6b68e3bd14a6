"""A wish as it is kept while the author of its picture is asked: as JSON, without what dies.

What is left out is read anew when it goes on, or belongs to this process and this moment.
"""

import json
from dataclasses import asdict, fields

from bot.intake import Ask
from bot.wish import Door, Origin, Wish

_LEFT_OUT = ("has_consent", "role_ids", "status_message_id", "answer", "reply")


def to_json(ask: Ask) -> str:
    """Write what is kept of a wish."""
    kept = {one.name: getattr(ask, one.name) for one in fields(Ask) if one.name not in _LEFT_OUT}
    kept["wish"] = json.loads(ask.wish.to_json())
    kept["picture"] = None if ask.picture is None else asdict(ask.picture)
    return json.dumps(kept)


def from_json(text: str) -> Ask:
    """Read what `to_json` wrote."""
    kept = json.loads(text)
    picture = kept["picture"]
    return Ask(
        **kept
        | {
            "door": Door(kept["door"]),
            "wish": Wish.from_json(json.dumps(kept["wish"])),
            "picture": None if picture is None else Origin(**picture),
            "place_ids": tuple(kept["place_ids"]),
            "status_message_id": None,
        }
    )
