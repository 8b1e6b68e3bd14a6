"""Several tasks sent in one request: how many fit into it, and what its answer says of each.

A task that is one among several is judged only by what names it. No I/O; `provider.py` calls it.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from bot.errors import AccountTrouble, Busy, ProviderError, Unclear
from bot.lifecycle import Order
from bot.task import Frame
from bot.wire import Reply, is_conflict

_MOST_CHARACTERS = 4_000_000
"""Of pictures in one request; the service states no limit."""
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Wanted:
    """One task that is to be accepted."""

    task_uuid: str
    order: Order
    picture: Frame


def parcels(tasks: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    """Yield the tasks, as many together as may be sent in one request."""
    parcel: list[Wanted] = []
    size = 0
    for wanted in tasks:
        size += len(wanted.picture.image)
        if parcel and size > _MOST_CHARACTERS:
            yield parcel
            parcel, size = [], len(wanted.picture.image)
        parcel.append(wanted)
    if parcel:
        yield parcel


def outcomes_of(sent: Collection[str], reply: Reply) -> dict[str, ProviderError | None]:
    """Return what the answer says of each task that was sent, by UUID; None: it is accepted."""
    is_alone = len(sent) == 1
    return {task_uuid: _outcome(task_uuid, reply, is_alone=is_alone) for task_uuid in sent}


def _outcome(task_uuid: str, reply: Reply, *, is_alone: bool) -> ProviderError | None:
    own = [fault for fault in reply.errors if fault.task_uuid == task_uuid]
    if is_alone:
        own = [fault for fault in reply.errors if fault.task_uuid in (task_uuid, "")]
    if any(map(is_conflict, own)):
        return None
    # The status is that of the whole answer: among others, only the code speaks of the one task.
    if own and (is_alone or own[0].is_known):
        return own[0].as_exception(reply.status)
    if not own and reply.names(task_uuid):
        return None
    return _of_all(reply) or Unclear(
        "noAcknowledgement", "the answer does not say what became of it", status=reply.status
    )


def _of_all(reply: Reply) -> ProviderError | None:
    """Return what kept every task out: a service that is busy, or that lets nobody in."""
    for fault in reply.errors:
        problem = fault.as_exception(reply.status)
        is_shut = isinstance(problem, AccountTrouble) and reply.status == _UNAUTHORIZED
        if fault.task_uuid == "" and (is_shut or isinstance(problem, Busy)):
            return problem
    return None
