"""Judges a settled run from outside: the service's bill, the accounts, and what is in the channels.

Returns what is wrong as sentences; the bot's own opinion of its state counts for nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot import books
from tests.simulation.chat import Chat, Message
from tests.simulation.disk import Disk
from tests.simulation.runware import Runware, Task
from tests.simulation.wishes import Wish

_NO_CHARGE = "not charged"


@dataclass(frozen=True, slots=True)
class Hopes:
    """What a member may count on in this run."""

    patience: float
    """Seconds before which nothing is given up."""
    has_credit: bool
    """Whether the account was in order all the time."""
    may_edit: bool
    """Whether the bot could be heard all the time but for outages."""


def audit(
    disk: Disk, runware: Runware, chat: Chat, wishes: Sequence[Wish], hopes: Hopes
) -> list[str]:
    """Return all that is wrong."""
    sources = {row["source"]: row["id"] for row in disk.rows("SELECT source, id FROM jobs")}
    spent = {
        row[0]: row[1]
        for row in disk.rows("SELECT job_id, sum(spent_micro) FROM entries GROUP BY job_id")
    }
    tasks = list(runware.tasks.values())
    posts = [message for message in chat.messages.values() if message.files]
    found: list[str] = []
    for wish in wishes:
        own = [task for task in tasks if task.picture == wish.fingerprint]
        job_id = sources.get(wish.source)
        found += _of_door(wish, job_id)
        found += _of_money(wish, own, spent.get(job_id or "", 0))
        found += _of_posts(wish, own, posts)
        if job_id is not None and not any(task.clips for task in own) and hopes.may_edit:
            found += _of_words(wish, chat)
        if job_id is not None and not own and hopes.has_credit:
            found += _of_patience(wish, disk, job_id, hopes.patience)
    found += _of_channels(tasks, posts)
    found += _of_accounts(disk, tasks)
    return found


def _of_door(wish: Wish, job_id: str | None) -> Iterator[str]:
    if wish.job_id is not None and wish.job_id != job_id:
        yield f"wish {wish.number}: accepted, and there is no such job"
    if wish.is_refused and wish.job_id is None and job_id is not None and wish.again_at is None:
        yield f"wish {wish.number}: refused, and there is a job"


def _of_money(wish: Wish, tasks: Sequence[Task], spent_micro: int) -> Iterator[str]:
    if len(tasks) > 1:
        yield f"wish {wish.number}: {len(tasks)} tasks"
    billed_micro = sum(task.billed_micro for task in tasks)
    if billed_micro != spent_micro:
        yield f"wish {wish.number}: {billed_micro} billed, {spent_micro} booked"


def _of_posts(wish: Wish, tasks: Sequence[Task], posts: Sequence[Message]) -> Iterator[str]:
    clips = [clip for task in tasks for clip in task.clips]
    for clip in clips:
        holders = [post for post in posts for file in post.files.values() if file == clip]
        if len(holders) != 1:
            yield f"wish {wish.number}: a clip is posted {len(holders)} times"
        for post in holders:
            if post.channel_id != wish.channel_id:
                yield f"wish {wish.number}: a clip is in channel {post.channel_id}"
    own = [post for post in posts if any(clip in post.files.values() for clip in clips)]
    pings = sum(post.pinged == (wish.member_id,) for post in own)
    if own and pings != 1:
        yield f"wish {wish.number}: its member is pinged {pings} times"


def _of_words(wish: Wish, chat: Chat) -> Iterator[str]:
    """Whoever gets no clip is told so, and that it cost nothing."""
    assert wish.message_id is not None
    message = chat.messages[wish.message_id]
    if not any(_NO_CHARGE in text for text in message.told):
        yield f"wish {wish.number}: ended without a clip, and is told {message.told[-1:]}"


def _of_patience(wish: Wish, disk: Disk, job_id: str, patience: float) -> Iterator[str]:
    """Nothing is given up early that the service has never heard of."""
    for row in disk.rows("SELECT id, updated_at - created_at AS waited FROM jobs"):
        if row["id"] == job_id and row["waited"] < patience * 1000:
            yield f"wish {wish.number}: given up after {row['waited'] / 1000:.0f} s"


def _of_channels(tasks: Iterable[Task], posts: Iterable[Message]) -> Iterator[str]:
    made = Counter(clip for task in tasks for clip in task.clips)
    for post in posts:
        for name, content in post.files.items():
            if content not in made:
                yield f"{name} in the channel is not what was rendered"


def _of_accounts(disk: Disk, tasks: Iterable[Task]) -> Iterator[str]:
    spent = disk.rows("SELECT coalesce(sum(spent_micro), 0) FROM entries")[0][0]
    billed = sum(task.billed_micro for task in tasks)
    if spent != billed:
        yield f"{billed} billed, {spent} booked in all"
    for row in disk.rows("SELECT job_id FROM entries GROUP BY job_id HAVING sum(held_micro) <> 0"):
        yield f"job {row[0][:8]} still holds money"
    yield from books.discrepancies(disk.connection)
