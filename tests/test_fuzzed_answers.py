"""The service's answers, spoilt in every way: the client never breaks, and money is booked once.

A good answer is taken and its fields are dropped, doubled, retyped, or its bytes cut off.
"""

import asyncio
import contextlib
import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.accounts import Accounts
from bot.database import Database
from bot.errors import ProviderError
from bot.ledger import Kind
from bot.lifecycle import State
from bot.media import Media
from bot.parcel import Wanted
from bot.provider import Provider
from bot.store import Store
from bot.task import Frame
from tests.conftest import UNLIMITED, Clock, make_order
from tests.corridor import CDN, KLING, Bot, Channel, World, ask, model, picture

Json = dict[str, Any]
JPEG = picture(1280, 720, "JPEG")
TASK = "47085cda-c166-4f41-981a-f59ade9cf578"
VIDEO = "9719745e-0f81-4905-b8b4-96698f2bc605"
OTHER_TYPES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)


def finished(task: str) -> Json:
    return {
        "data": [
            {
                "taskType": "videoInference",
                "taskUUID": task,
                "status": "success",
                "videoUUID": VIDEO,
                "videoURL": f"https://vm.runware.ai/video/{VIDEO}.mp4",
                "seed": 1988852260,
                "cost": 0.1848,
            }
        ]
    }


STRANGER = finished(TASK)["data"][0] | {"videoUUID": "f23cd7ba-242c-4c45-8de9-53db69229081"}
"""A second clip of a task that was asked for one."""

GOOD: dict[str, Json] = {
    "acknowledged": {"data": [{"taskType": "videoInference", "taskUUID": TASK}]},
    "in the making": {
        "data": [{"taskType": "videoInference", "taskUUID": TASK, "status": "processing"}]
    },
    "finished": finished(TASK),
    "failed": {
        "data": [],
        "errors": [
            {"code": "timeoutProvider", "status": "error", "message": "late", "taskUUID": TASK}
        ],
    },
    "account": {
        "data": [{"taskType": "accountManagement", "taskUUID": TASK, "balance": {"amount": 9.5}}]
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field and element of an answer, by the way to it."""
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    for key, one in inside:
        yield (*path, key)
        yield from places(one, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn, answer: Json) -> bytes:
    """A good answer after one to four accidents."""
    answer = copy.deepcopy(answer)
    for _ in range(draw(st.integers(1, 4))):
        if there := list(places(answer)):
            *way, key = draw(st.sampled_from(there))
            parent: Any = answer
            for step in way:
                parent = parent[step]
            spoil(parent, key, draw(st.sampled_from(("drop", "double", "retype"))), draw)
    body = json.dumps(answer).encode()
    return body[: draw(st.integers(0, len(body)))] if draw(st.integers(0, 5)) == 0 else body


def spoil(parent: Any, key: Any, how: str, draw: st.DrawFn) -> None:
    if how == "drop":
        del parent[key]
    elif how == "retype":
        parent[key] = draw(OTHER_TYPES)
    elif isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))
    else:
        parent[key] = [parent[key], copy.deepcopy(parent[key])]


ANSWER = st.sampled_from(list(GOOD.values())).flatmap(spoilt)
STATUS = st.sampled_from([200, 200, 200, 400, 401, 429, 500])


@given(body=ANSWER, status=STATUS)
@example(body=b"", status=200)
@example(body=b"null", status=400)
@example(body=json.dumps(finished(TASK)).replace("0.1848", "NaN").encode(), status=200)
def test_whatever_comes_back_the_client_answers_or_raises_its_own_error(
    body: bytes, status: int
) -> None:
    async def use() -> None:
        serve = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
        async with httpx.AsyncClient(transport=serve) as http:
            provider = Provider(http, "https://api.runware.ai/v1", "key")
            for call in (
                provider.submit([Wanted(TASK, make_order(), Frame.data_uri(JPEG))]),
                provider.price(make_order(), JPEG),
                provider.look([TASK]),
                provider.balance_micro(),
                provider.ping(),
            ):
                with contextlib.suppress(ProviderError):
                    await call

    asyncio.run(use())


def only_once(pieces: list[Any]) -> bool:
    return len(pieces) == len(set(pieces))


class SpoiltService:
    """A service that answers looks as it is told, and then as it should."""

    def __init__(self, looks: list[bytes]) -> None:
        self.looks = looks
        self.submitted: list[str] = []
        self.clip = b""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, content=self.clip)
        (asked, *_) = json.loads(request.content)
        task = asked["taskUUID"]
        if asked["taskType"] == "videoInference":
            self.submitted.append(task)
            return httpx.Response(200, json={"data": [{"taskUUID": task}]})
        if self.looks:
            spoilt_answer = self.looks.pop(0).replace(TASK.encode(), task.encode())
            return httpx.Response(200, content=spoilt_answer)
        return httpx.Response(200, json=finished(task))


@given(st.lists(ANSWER, min_size=1, max_size=4))
@example([json.dumps({"data": finished(TASK)["data"] * 2}).encode()])
@example([json.dumps({"data": [finished(TASK)["data"][0], STRANGER]}).encode()])
@example([json.dumps(finished(TASK)).replace("0.1848", '"0.1848"').encode()])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_back_a_job_ends_and_its_money_is_booked_once(looks: list[bytes]) -> None:
    asyncio.run(live(SpoiltService(looks)))


async def live(service: SpoiltService) -> None:
    """Take one job from the wish to the books, and audit them."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), runware=None, channel=Channel(), clock=Clock())  # type: ignore[arg-type]
        media = httpx.AsyncClient(transport=httpx.MockTransport(world._serve))  # noqa: SLF001
        http = httpx.AsyncClient(transport=httpx.MockTransport(service))
        async with Database(Path(folder)) as database, http, media:
            bot = Bot(
                world,
                store=Store(database),
                accounts=Accounts(database, UNLIMITED),
                database=database,
                provider=Provider(http, "https://api.runware.ai/v1", "key"),
                media=Media(media, (CDN,), 20_000_000),
                model=model(KLING),
                limits=UNLIMITED,
                look_every=2.0,
                give_up_after=86_400.0,
                clock=world.clock,
            )
            try:
                job = (await bot.intake.accept(ask())).job
                job = await bot.until(job, [State.RENDERED, State.FAILED])
            finally:
                await bot.gate.stop()
            entries = await bot.store.entries(job.id)
            assert [entry.kind for entry in entries] in (
                [Kind.HOLD, Kind.SPEND],
                [Kind.HOLD, Kind.RELEASE],
                [Kind.HOLD, Kind.RELEASE, Kind.ADJUSTMENT],
            )
            assert sum(entry.held_micro for entry in entries) == 0
            clips = await bot.store.clips(job.id)
            assert len(clips) <= job.order.results
            assert only_once([clip.video_uuid for clip in clips])
            assert bool(clips) == (job.state is State.RENDERED)
            assert only_once(service.submitted)
