"""Builds the corridor for tests: Intake, Pipeline and Worker on a real store and a local Runware.

A `World` is what outlives the bot: its folder, the video service, the Discord channel, the time.
A `Bot` is one life of the process on that world; leaving its block abandons it as a crash would,
because everything that must survive is already in the files. Only Discord is a fake, at its seam.
"""

import asyncio
import io
import itertools
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import av
import httpx
from av.video.stream import VideoStream
from PIL import Image

from bot import catalog, transport
from bot.accounts import Accounts
from bot.answers import Answer, Answers
from bot.cancellation import Cancellation
from bot.catalog import Model
from bot.copies import Copies, Recode
from bot.database import Database
from bot.delivery import Bundle, Copy, Delivery, Noted, nonce
from bot.errors import DeliveryError, TooLarge, Unpostable
from bot.gate import Gate
from bot.handover import Hands
from bot.history import History
from bot.intake import Ask, Intake, Prepare, in_a_thread
from bot.keeper import ClipFiles
from bot.ladder import Posted
from bot.ledger import Entry, Kind
from bot.lifecycle import FINAL, LOOKED_AT, Job, State
from bot.media import Media
from bot.members import Members
from bot.packing import Packing
from bot.pictures import Pictures
from bot.pipeline import Pipeline
from bot.places import Places
from bot.policies import Policies
from bot.policy import DEFAULT, Policy
from bot.provider import Provider
from bot.review import Review
from bot.rules import Limits
from bot.sandbox.faults import Rule
from bot.sandbox.runware.server import LocalRunware
from bot.shelf import Shelf
from bot.status import Reply
from bot.store import Store
from bot.wish import Wish
from bot.words import Note
from bot.worker import Worker
from tests.conftest import NO_REST, UNLIMITED, Clock

KLING = "klingai:2@1"
TURBO = "klingai:6@0"
PRICE = 184_800
"""Micro-dollars of one clip of five seconds by the default model."""
CDN = "cdn.discordapp.com"
PICTURE_URL = f"https://{CDN}/attachments/1/2/picture.png"
QUEUE_MOST = 4
"""Clips that may wait here while the video service does not answer."""
LINKS_LIVE = 7 * 86_400.0
"""Seconds."""
_MOST_STEPS = 2000
WHERE = {
    "submit": {"label": "^videoInference$"},
    "look": {"label": "getResponse"},
    "fetch": {"method": "GET", "path": "^/video/"},
}
"""The requests of each step of a job, as a fault's `match`."""
NOTHING_KNOWN = {"do": "status", "status": 200, "body": {"data": []}, "times": None}
"""A fault: the service says nothing of any task."""


def model(name: str = KLING) -> Model:
    return catalog.parse(files("bot").joinpath("catalog.json").read_text("utf-8"))[name]


@cache
def picture(width: int = 640, height: int = 360, kind: str = "PNG") -> bytes:
    """A smooth picture whose four corners differ, so that a turn or a cut shows."""
    small = Image.new("RGB", (2, 2))
    small.putdata([(230, 40, 40), (40, 200, 60), (50, 80, 230), (240, 220, 60)])
    out = io.BytesIO()
    small.resize((width, height), Image.Resampling.BICUBIC).save(out, kind)
    return out.getvalue()


@cache
def clip(frames: int = 5, width: int = 64, height: int = 48, container: str = "mp4") -> bytes:
    """A real, tiny H.264 video of `frames` frames at 10 a second."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as output:
        stream = output.add_stream("libx264", rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            shade = Image.new("RGB", (width, height), (40 * index % 256, 90, 160))
            frame = av.VideoFrame.from_image(shade)  # type: ignore[no-untyped-call]
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return out.getvalue()


async def shrunk(source: Path, target: Path, most_bytes: int) -> None:
    """Make a copy that is smaller, and a video; the real one is `test_recode.py`'s."""
    del source
    copy = clip(1, 16, 16)
    assert len(copy) <= most_bytes
    await asyncio.to_thread(target.write_bytes, copy)


@dataclass(frozen=True, slots=True)
class Post:
    """A message with clips, as the channel got it."""

    id: int
    job_id: str
    clips: tuple[bytes, ...]
    names: tuple[str, ...]
    text: str
    alt: str
    links: tuple[str, ...] = ()
    is_spoiler: bool = False


@dataclass(slots=True)
class Channel:
    """A Discord channel: it outlives the bot, and takes a nonce once."""

    posts: dict[str, Post] = field(default_factory=dict)
    answers: dict[str, Post] = field(default_factory=dict)
    """What private answers show, by token."""
    dead_tokens: set[str] = field(default_factory=set)
    """Those that Discord takes no more, whatever the clock says."""
    most_bytes: int = 20_000_000
    """The largest file that is taken."""
    notes: list[Note] = field(default_factory=list)
    """What the status message showed, of whichever job."""
    replies: list[Reply | None] = field(default_factory=list)
    """The interaction that came along with each note, if one did."""
    refusals: deque[Exception] = field(default_factory=deque)
    """What the next posts are answered with, before one is taken."""
    attempts: int = 0
    may_dm: list[bool] = field(default_factory=list)
    """Of each try, whether the member had asked for direct messages."""

    @property
    def titles(self) -> list[str]:
        """The titles of the status message in the order in which they were shown."""
        return [note.title for note in self.notes]


class ChannelDelivery(Delivery):
    """Delivery at its designed seam: the same methods, into a `Channel`."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.is_closed = False
        self.copies_fail = False
        """Whether what is posted besides is refused."""
        self.dies: BaseException | None = None
        """Ends the bot when something is posted, before it is there or after."""
        self.dies_after = False

    async def post(self, job: Job, bundle: Bundle, *, may_dm: bool = False) -> Posted:
        self.channel.may_dm.append(may_dm)
        if job.wish.is_private and not may_dm:
            raise Unpostable("there is no place for it")
        return self._take(job, bundle, self.channel.posts, nonce(job))

    async def post_in(self, answer: Answer, job: Job, bundle: Bundle) -> Posted:
        if answer.token in self.channel.dead_tokens:
            raise Unpostable("the token is dead")
        self.channel.answers.pop(answer.token, None)
        return self._take(job, bundle, self.channel.answers, answer.token)

    async def post_copy(self, job: Job, bundle: Bundle, copy: Copy, noted: Noted) -> Posted:
        if self.copies_fail:
            raise DeliveryError("50007")
        posted = self._take(job, bundle, self.channel.posts, nonce(job, None, copy.key))
        await noted(posted)
        return posted

    def _take(self, job: Job, bundle: Bundle, posts: dict[str, Post], key: str) -> Posted:
        self.channel.attempts += 1
        if self.channel.refusals:
            raise self.channel.refusals.popleft()
        if self.dies is not None and not self.dies_after:
            raise self.dies
        clips = tuple(path.read_bytes() for path in bundle.files.values())
        if (size := max(map(len, clips), default=0)) > self.channel.most_bytes:
            problem = TooLarge("413")
            problem.size, problem.most_bytes = size, self.channel.most_bytes
            raise problem
        post = Post(
            id=900 + len(posts),
            job_id=job.id,
            clips=clips,
            names=tuple(path.name for path in bundle.files.values()),
            text=bundle.whole_text,
            alt=bundle.alt,
            links=tuple(bundle.links.values()),
            is_spoiler=bundle.is_spoiler,
        )
        posted = Posted(job.channel_id, posts.setdefault(key, post).id)
        if self.dies is not None:
            raise self.dies
        return posted

    def show(self, job: Job, note: Note, reply: Reply | None = None) -> None:
        del job
        self.channel.notes.append(note)
        self.channel.replies.append(reply)

    async def close(self, patience: float) -> None:
        del patience
        self.is_closed = True


class StillPlaces(Places):
    """Places of which Discord says what the world is told to."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def most_bytes(self, guild_id: int | None) -> int:
        del guild_id
        return self._world.usual_bytes

    def is_age_restricted(self, job: Job) -> bool:
        del job
        return self._world.is_age_restricted


@dataclass(slots=True)
class World:
    """What is there whether the bot runs or not."""

    folder: Path
    runware: LocalRunware
    channel: Channel = field(default_factory=Channel)
    clock: Clock = field(default_factory=Clock)
    cdn: dict[str, bytes] = field(default_factory=lambda: {PICTURE_URL: picture()})
    """What Discord's media host serves; anything else is a 404."""
    keep_for: float = 0
    """Seconds for which clips are kept after they were posted."""
    usual_bytes: int = 20_000_000
    """What the bot believes that a file may have."""
    is_age_restricted: bool = False
    """Whether the channel is for adults."""
    policy: Policy = DEFAULT
    """The server's rules."""
    held: list[str] = field(default_factory=list)
    """Jobs of which the moderators were told."""
    tells_fail: int = 0
    """How often they cannot be told."""
    recode: Recode = field(default_factory=lambda: shrunk)
    """Makes copies."""
    serving: int = 0
    most_serving: int = 0
    """How many pictures were being fetched at the same time, at most."""

    @property
    def clip_files(self) -> ClipFiles:
        """Where clips are kept, unless told otherwise until they are posted."""
        folder = self.folder / "clips"
        return ClipFiles(folder=folder, keep_for=self.keep_for, most_bytes=2_000_000_000)

    @property
    def leftovers(self) -> list[str]:
        """Pictures and clips on disk."""
        folders = (self.folder / "pictures", self.folder / "clips")
        return sorted(path.name for folder in folders for path in folder.glob("*"))

    def trouble(self, **rule: Any) -> str:
        """Order a fault from the video service; the answer is the rule's id."""
        return self.runware.faults.add(Rule(**rule))

    @asynccontextmanager
    async def bot(
        self,
        *,
        model_id: str = KLING,
        limits: Limits = UNLIMITED,
        look_every: float = 2.0,
        give_up_after: float = 86_400.0,
        store_type: Callable[[Database], Store] = Store,
        clock: Callable[[], int] | None = None,
        prepare: Prepare = in_a_thread,
    ) -> AsyncIterator["Bot"]:
        """Live one life of the process. Nothing is tidied up at its end but the file locks."""
        media = httpx.AsyncClient(transport=httpx.MockTransport(self._serve))
        async with (
            Database(self.folder, rest_seconds=NO_REST) as database,
            plain_http() as http,
            media,
        ):
            bot = Bot(
                self,
                store=store_type(database),
                accounts=Accounts(database, limits),
                database=database,
                provider=Provider(http, self.runware.url, "test-key"),
                media=Media(media, (CDN,), 20_000_000),
                model=model(model_id),
                limits=limits,
                look_every=look_every,
                give_up_after=give_up_after,
                clock=clock or self.clock,
                prepare=prepare,
            )
            try:
                yield bot
            finally:
                await bot.gate.stop()

    async def _serve(self, request: httpx.Request) -> httpx.Response:
        self.serving += 1
        self.most_serving = max(self.most_serving, self.serving)
        await asyncio.sleep(0.001)
        self.serving -= 1
        content = self.cdn.get(str(request.url))
        return httpx.Response(404) if content is None else httpx.Response(200, content=content)


class Bot:
    """One life of the process: the parts, and a hand that does what the worker would."""

    def __init__(
        self,
        world: World,
        *,
        store: Store,
        accounts: Accounts,
        database: Database,
        provider: Provider,
        media: Media,
        model: Model,
        limits: Limits,
        look_every: float,
        give_up_after: float,
        clock: Callable[[], int],
        prepare: Prepare = in_a_thread,
    ) -> None:
        self.world = world
        self.store = store
        self.accounts = accounts
        self.database = database
        self.answers = Answers(database, clock)
        self.members = Members(database)
        self.policies = Policies(database)
        self.provider = provider
        self.gate = Gate(provider.balance_micro, lambda: 1.0)
        self.delivery = ChannelDelivery(world.channel)
        places = StillPlaces(world)
        self.hands = Hands(
            delivery=self.delivery,
            packing=Packing(self.delivery, Copies(world.recode), places, LINKS_LIVE),
            review=Review(
                database, places, clock, policy_of=self._policy_of, tell=self._tell_moderators
            ),
            answers=self.answers,
            files=world.clip_files,
            members=self.members,
            history=History(database),
        )
        self.pictures = Pictures(world.folder / "pictures")
        self.pipeline = Pipeline(
            store=store,
            provider=provider,
            gate=self.gate,
            hands=self.hands,
            pictures=self.pictures,
            accounts=accounts,
            look_every=look_every,
            give_up_after=give_up_after,
            clock=clock,
            chance=lambda: 1.0,
        )
        self.worker = Worker(self.pipeline.watch, self.pipeline, clock)
        self.shelf = Shelf(database, clock, self.worker.wake)
        self.cancellation = Cancellation(store, self.delivery, self.pictures, clock)
        self.intake = Intake(
            store=store,
            policies=self.policies,
            gate=self.gate,
            media=media,
            delivery=self.delivery,
            pictures=self.pictures,
            model=model,
            limits=limits,
            most_pixels=64_000_000,
            queue_most=QUEUE_MOST,
            clock=clock,
            new_uuid=lambda: str(uuid.uuid4()),
            wake=self.worker.wake,
            prepare=prepare,
        )

    async def _policy_of(self, guild_id: int) -> Policy:
        del guild_id
        return self.world.policy

    async def _tell_moderators(self, job: Job) -> None:
        if self.world.tells_fail:
            self.world.tells_fail -= 1
            raise DeliveryError("503")
        self.world.held.append(job.id)

    async def accept(self, **wish: Any) -> Job:
        """Ask through the door and return the job."""
        return (await self.intake.accept(ask(**wish))).job

    async def finished(self, job: Job) -> Job:
        """Do what is due, going forward in time, until the job is at its end."""
        return await self.until(job, FINAL)

    async def until(self, job: Job, states: Iterable[State]) -> Job:
        """Do what is due, going forward in time, until the job is in one of these states."""
        wanted = frozenset(states)
        for _ in range(_MOST_STEPS):
            now = await self.reread(job)
            if now.state in wanted:
                return now
            await self.work()
        raise AssertionError(f"{await self.reread(job)} never became {sorted(wanted)}")

    async def work(self, late_by: float = 0) -> None:
        """Do once what is due; where nothing is, go forward to when something will be.

        `late_by` is how many seconds later than planned that is, as on a busy machine.
        """
        clock = self.world.clock
        agenda = await self.pipeline.watch.agenda(clock())
        if not agenda.jobs:
            assert agenda.next_at is not None, "nothing is left to do"
            clock.now = agenda.next_at + round(late_by * 1000)
            agenda = await self.pipeline.watch.agenda(clock())
        looked_at = [job for job in agenda.jobs if job.state in LOOKED_AT]
        if looked_at:
            await self.pipeline.look(looked_at)
        for job in agenda.jobs:
            if job.state not in LOOKED_AT:
                await self.pipeline.step(job)

    async def next_at(self) -> int:
        """When something will be due, where nothing is."""
        agenda = await self.pipeline.watch.agenda(self.world.clock())
        assert agenda.jobs == ()
        assert agenda.next_at is not None
        return agenda.next_at

    async def reread(self, job: Job) -> Job:
        found = await self.store.job(job.id)
        assert found is not None
        return found

    async def entries(self, job: Job) -> dict[Kind, Entry]:
        """What was booked for the job; a kind twice would be an error of the database."""
        entries = await self.store.entries(job.id)
        assert len({entry.kind for entry in entries}) == len(entries)
        return {Kind(entry.kind): entry for entry in entries}

    async def spent_micro(self, job: Job) -> int:
        return sum(entry.spent_micro for entry in await self.store.entries(job.id))

    async def held_micro(self, job: Job) -> int:
        return sum(entry.held_micro for entry in await self.store.entries(job.id))


def plain_http() -> httpx.AsyncClient:
    """A client for loopback, which need not read the certificates of the whole web."""
    return transport.client()


@asynccontextmanager
async def world(folder: Path, **runware: Any) -> AsyncIterator[World]:
    """Open a world whose video service makes a tiny clip at once, unless told otherwise."""
    canned = folder / "canned.mp4"
    canned.write_bytes(clip())
    usual: dict[str, Any] = {"render_seconds": 0, "stagger": 0, "canned_clip": canned}
    async with LocalRunware(canned=True, **usual | runware) as service:
        yield World(folder / "data", service)


_NUMBERS = itertools.count(1)


def ask(**changes: Any) -> Ask:
    """A wish for one clip; each is a new one unless `source` is given."""
    wish: dict[str, Any] = {
        "source": f"interaction:{next(_NUMBERS)}",
        "guild_id": 10,
        "channel_id": 20,
        "member_id": 30,
        "status_message_id": 40,
        "picture_url": PICTURE_URL,
    }
    if "shape" in changes:
        changes["wish"] = Wish(shape=changes.pop("shape"))
    return Ask(**wish | changes)


async def assert_paid_once(bot: Bot, job: Job) -> None:
    """The accounts hold one spend of what the service billed, and nothing is held."""
    assert (await bot.entries(job)).keys() == {Kind.HOLD, Kind.SPEND}
    assert await bot.spent_micro(job) == PRICE
    assert await bot.held_micro(job) == 0


async def assert_released(bot: Bot, job: Job) -> None:
    """The hold is given back and nothing is spent."""
    assert (await bot.entries(job)).keys() == {Kind.HOLD, Kind.RELEASE}
    assert await bot.spent_micro(job) == 0
    assert await bot.held_micro(job) == 0
