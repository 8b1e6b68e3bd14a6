"""Whose turn it is to be sent: servers take turns, and in a server its members do.

So nobody waits for all the clips of one who asked for twenty. A member's own jobs go in the order
of their acceptance. Kept in memory: what waits is read from the store again after a restart.
`worker.py` sends in this order; `ahead` says the same of a job that has just been accepted.
"""

from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from operator import attrgetter

from bot.lifecycle import Job

_accepted = attrgetter("created_at")


class Turns:
    """A line of jobs; each take from one server, or one member, is followed by all others'."""

    def __init__(self) -> None:
        # The first is whose turn it is; who has had it and still waits goes behind the last.
        self._servers: OrderedDict[int, OrderedDict[int, list[Job]]] = OrderedDict()

    def put(self, job: Job) -> None:
        """Have a job wait; its server and its member go behind those that wait already."""
        members = self._servers.setdefault(job.guild_id, OrderedDict())
        insort(members.setdefault(job.member_id, []), job, key=_accepted)

    def take(self, most: int) -> list[Job]:
        """Return the next jobs, at most so many, which wait no more."""
        taken: list[Job] = []
        while self._servers and len(taken) < most:
            guild_id, members = self._servers.popitem(last=False)
            member_id, jobs = members.popitem(last=False)
            taken.append(jobs.pop(0))
            if jobs:
                members[member_id] = jobs
            if members:
                self._servers[guild_id] = members
        return taken

    def clear(self) -> None:
        """Let nobody wait."""
        self._servers.clear()


def ahead(waiting: Iterable[tuple[int, int]], guild_id: int, member_id: int) -> int:
    """Return how many of those that wait go before one more job of this member.

    Each of `waiting` is a server and a member, in the order of acceptance.
    """
    servers: dict[int, int] = {}
    members: dict[int, int] = {}
    for guild, member in waiting:
        servers[guild] = servers.get(guild, 0) + 1
        if guild == guild_id:
            members[member] = members.get(member, 0) + 1
    in_the_server = _before(members, member_id, members.get(member_id, 0))
    return _before(servers, guild_id, in_the_server)


def _before(counts: Mapping[int, int], who: int, turn: int) -> int:
    """Count the turns before the one that `who` has after `turn` own ones; all stand as listed."""
    total = turn
    is_behind = False
    for other, count in counts.items():
        if other == who:
            is_behind = True
        else:
            total += min(count, turn if is_behind else turn + 1)
    return total
