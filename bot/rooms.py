"""What is behind the doors, for the cogs: one record, filled when all of it is there.

Imports none of it, so that the bot can connect while it is still being loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.cancellation import Cancellation
    from bot.consent import Mediator
    from bot.delivery import Delivery
    from bot.desk import Desk
    from bot.docket import Docket
    from bot.drafts import Drafts
    from bot.history import History
    from bot.intake import Intake
    from bot.members import Members
    from bot.policies import Policies
    from bot.privacy import Privacy
    from bot.rehearsal import Rehearsal
    from bot.reissue import Reissue
    from bot.removal import Removal
    from bot.rulebook import Rulebook
    from bot.shelf import Shelf
    from bot.whispers import Whispers


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What is behind the doors, for the cogs."""

    intake: Intake
    """The corridor's entrance."""
    cancellation: Cancellation
    delivery: Delivery
    desk: Desk
    """Where the accounts are asked about."""
    docket: Docket
    """What moderators see of clips in the making, and do about them."""
    drafts: Drafts
    history: History
    """What became of wishes."""
    mediator: Mediator
    """Asks the authors of pictures."""
    members: Members
    policies: Policies
    """What servers have set for themselves."""
    privacy: Privacy
    """What is kept of members."""
    rehearsal: Rehearsal
    """What a wish would come to."""
    reissue: Reissue
    """Hands out clips once more."""
    removal: Removal
    rulebook: Rulebook
    """What moderators set of that, in their words."""
    shelf: Shelf
    whispers: Whispers
