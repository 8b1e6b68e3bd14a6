"""What must be true when everything has settled, whatever happened before: asked from outside.

Three parties are compared: what the video service accepted, made and billed, what is in the
channels, and the bot's database, opened without a right to write. Every finding is a sentence.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot import ids
from bot.sandbox.runware.tasks import Task
from tests.matrix.lives import ENDS, QUEUED, Lives
from tests.town import JSON, Books, fetched

CHAINS = (
    ["hold", "spend"],
    ["hold", "release"],
    ["hold", "release", "adjustment"],
)
BUGS = ("broke; trying again", "/animate broke", "command animate broke", "cannot be written")
"""What the log says of an error that nobody had foreseen."""


@dataclass(slots=True)
class Auditor:
    """Audits one town again and again; remembers what the clips were, and what was found."""

    lives: Lives
    clips: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every clip that was made, to its UUID."""
    known: set[str] = field(default_factory=set)
    read: int = 0

    async def audit(self, books: Books) -> list[str]:
        """Return what is wrong and was not found before."""
        await self._look_at_the_clips()
        found = [
            *self._accounts(books),
            *self._tasks(books),
            *self._posts(books),
            *self._words(books),
            *self._log(),
        ]
        fresh = [finding for finding in found if finding not in self.known]
        self.known |= set(fresh)
        return fresh

    # --- The accounts ----------------------------------------------------------------------------

    def _accounts(self, books: Books) -> Iterator[str]:
        ledger = self.lives.here.runware.ledger
        if books.spent_micro != ledger.billed_micro:
            yield f"{books.spent_micro} µ$ are booked, {ledger.billed_micro} µ$ were billed"
        if books.held_micro:
            yield f"{books.held_micro} µ$ are still held"
        for job in books.jobs:
            if job["state"] not in ENDS:
                yield f"job {job['id']} is left {job['state']}"
            if books.of(job) not in CHAINS:
                yield f"job {job['id']} has the entries {books.of(job)}"

    def _tasks(self, books: Books) -> Iterator[str]:
        """Each accepted task is one job, which was charged exactly what was billed for it."""
        service = self.lives.here.runware.ledger
        jobs = {job["task_uuid"]: job for job in books.jobs}
        spent = Counter[str]()
        for entry in books.entries:
            spent[entry["job_id"]] += entry["spent_micro"]
        now = service.clock()
        for task_uuid, task in service.book.tasks.items():
            job = jobs.pop(task_uuid, None)
            if job is None:
                yield f"task {task_uuid} was accepted, and no job knows of it"
            elif spent[job["id"]] != task.billed_micro(now):
                billed = task.billed_micro(now)
                yield f"job {job['id']}: {spent[job['id']]} µ$ booked, {billed} µ$ billed"
        for job in jobs.values():
            if spent[job["id"]] or job["state"] == "delivered":
                yield f"job {job['id']} is {job['state']}, and its task was never accepted"

    # --- The channels ----------------------------------------------------------------------------

    def _posts(self, books: Books) -> Iterator[str]:
        """Each clip of a delivered job is in its channel once, as it was made, and no other is."""
        channels = {job["task_uuid"]: str(job["channel_id"]) for job in books.jobs}
        posted = Counter[str]()
        for message in self.lives.here.posts:
            for attachment in message.attachments:
                clip = self.clips.get(hashlib.sha256(attachment.content).hexdigest(), "")
                posted[clip] += 1
                if clip == "":
                    yield f"message {message.id}: {attachment.filename} is not what was made"
                elif channels.get(self._task_of(clip).order.task_uuid) != message.channel_id:
                    yield f"message {message.id}: {attachment.filename} is in the wrong channel"
        yield from (
            f"clip {clip} was posted {posted[clip]} times" for clip in posted - Counter(set(posted))
        )
        for job in books.jobs:
            if job["state"] == "delivered":
                missing = [clip for clip in self._clips_of(job) if not posted[clip]]
                yield from (f"job {job['id']}: clip {clip} was never posted" for clip in missing)

    def _words(self, books: Books) -> Iterator[str]:
        """Nobody is pinged twice for one job; who was told "Queued" heard how it ended."""
        mia = self.lives.here.mia
        seen = [data for name, data in mia.events if name == "MESSAGE_CREATE"]
        pings = Counter(job for message in seen for job in _pinged(message))
        for job in books.jobs:
            short = ids.short(job["id"])
            if pings[short] > 1:
                yield f"job {job['id']}: {pings[short]} pings"
            if job["state"] == "delivered" and not pings[short]:
                yield f"job {job['id']} is delivered, and nobody was pinged"
        yield from (f"job {job['id']}: no word of its end" for job in self.lives.untold(books))
        sources = {job["source"] for job in books.jobs}
        for wish in self._told_queued():
            if f"interaction:{wish}" not in sources:
                yield f"interaction {wish} was told that it is queued, and no job knows of it"

    def _told_queued(self) -> set[str]:
        return {
            data["interaction_metadata"]["id"]
            for name, data in self.lives.here.mia.events
            if name == "MESSAGE_UPDATE"
            and data.get("interaction_metadata")
            and any(QUEUED in one.get("title", "") for one in data["embeds"])
        }

    # --- The clips -------------------------------------------------------------------------------

    async def _look_at_the_clips(self) -> None:
        """Fetch every clip that was made since the last time, from where the bot had it."""
        service = self.lives.here.runware.ledger
        known = set(self.clips.values())
        for video_uuid, (task, result) in service.book.by_video.items():
            is_made = task.is_over(result, service.clock()) and result.failure is None
            if is_made and video_uuid not in known:
                content = await fetched(service.book.url(task, result))
                self.clips[hashlib.sha256(content).hexdigest()] = video_uuid

    def _clips_of(self, job: JSON) -> list[str]:
        book = self.lives.here.runware.ledger.book
        task = book.tasks.get(job["task_uuid"])
        made = set(self.clips.values())
        results = task.results if task is not None else ()
        return [result.video_uuid for result in results if result.video_uuid in made]

    def _task_of(self, video_uuid: str) -> Task:
        task, _ = self.lives.here.runware.ledger.book.by_video[video_uuid]
        return task

    def _log(self) -> Iterator[str]:
        news = self.lives.here.log[self.read :]
        self.read += len(news)
        for line in news.splitlines():
            if any(sign in line for sign in BUGS):
                yield f"log: {line[:200]}"


def _pinged(message: JSON) -> list[str]:
    """The short ids of the jobs for which a message pings somebody."""
    if not message["mentions"] or message["author"].get("bot") is not True:
        return []
    return re.findall(r"· job ([0-9a-f]{8})$", message["content"])
