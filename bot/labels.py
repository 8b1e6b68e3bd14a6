"""Every button that comes with a clip, in words: what it says, and when it is there.

Pure; `buttons.py` makes Discord's of them, `rights.py` says who may press.
"""

from bot.catalog import seconds
from bot.lifecycle import Failure, Job, State
from bot.money import usd
from bot.rights import Press, Verb
from bot.tongue import tongue

RETRIED = frozenset({Failure.ACCOUNT, Failure.SILENT, Failure.REFUSED, Failure.LOST})
"""What may go better the next time, with the same picture."""


def of_status(job: Job, *, has_picture: bool = False) -> tuple[Press, ...]:
    """Return the buttons of a job's status message.

    `has_picture`: whether the picture of a failed one is at hand, so that it can be tried again.
    """
    say = tongue(job.wish.locale)
    if job.state is State.QUEUED:
        return (Press(Verb.CANCEL, job.id, say("Cancel")),)
    if job.failure in RETRIED and has_picture:
        label = say("Try again – {price}", price=usd(job.quote_micro))
        return (Press(Verb.RETRY, job.id, label),)
    return ()


def of_clip(job: Job, longer: float | None) -> tuple[Press, ...]:
    """Return the buttons under a job's clips; `longer` is the model's next duration, if any."""
    say = tongue(job.wish.locale)
    found = [Press(Verb.AGAIN, job.id, say("Again"), "🔄")]
    if longer is not None:
        label = say("{seconds} s", seconds=seconds(longer))
        found.append(Press(Verb.LONGER, job.id, label, "➕"))  # noqa: RUF001 - a plus for people
    return (
        *found,
        Press(Verb.EDIT, job.id, say("Edit"), "✏️"),
        Press(Verb.INFO, job.id, say("Info"), "ℹ️"),  # noqa: RUF001
        Press(Verb.DELETE, job.id, say("Delete"), "🗑️"),
    )
