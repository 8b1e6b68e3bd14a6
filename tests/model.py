"""The accounts once more, too simple to be wrong: events are kept in lists, a figure is a sum.

Nothing of the bot's own arithmetic is used, neither of its periods nor of its rules.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.errors import CoolingDown, LimitReached, TooManyAtOnce
from bot.ledger import Balance
from bot.lifecycle import Job
from bot.periods import Period
from bot.rules import Account, Limits, Measure, Target

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SAME: dict[Period, Callable[[date], object]] = {
    Period.DAY: lambda day: day,
    Period.WEEK: lambda day: day.isocalendar()[:2],
    Period.MONTH: lambda day: (day.year, day.month),
}
"""What two days of one period have in common."""

Refusal = tuple[type[Exception], Account]


@dataclass(kw_only=True)
class Kept:
    """One accepted clip."""

    guild: int
    member: int
    at: int
    day: date
    utc_day: date
    quote: int
    drawn: dict[int, int]
    """Micro-dollars by number of the grant, in the order in which they were drawn on."""
    held: int
    spent: int = 0
    is_running: bool = True
    is_found: bool = False
    is_nothing: bool = False
    """Whether it has failed, and not for what it would have shown."""


@dataclass(kw_only=True)
class Granted:
    """What is left of one grant."""

    guild: int
    member: int
    left: int
    expires_at: float


@dataclass(kw_only=True)
class Excused:
    """What an admin has excused of one day."""

    guild: int
    member: int
    day: date
    micro: int


def day_of(now: int, zone: ZoneInfo) -> date:
    return (EPOCH + timedelta(milliseconds=now)).astimezone(zone).date()


def number(value: int | None) -> float:
    return math.inf if value is None else value


def pause(value: float) -> float:
    """Return the seconds of a cooldown; "unlimited" is none."""
    return 0 if value == math.inf else value


def used(balance: Balance) -> int:
    """Return what counts against a limit."""
    return balance.spent_micro + balance.held_micro - balance.excused_micro


@dataclass
class Model:
    """All servers, members and grants."""

    limits: Limits = field(default_factory=Limits)
    clips: dict[str, Kept] = field(default_factory=dict)
    grants: list[Granted] = field(default_factory=list)
    excuses: list[Excused] = field(default_factory=list)
    rules: dict[int, dict[tuple[Target, int, Measure], float]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    zones: dict[int, ZoneInfo] = field(default_factory=lambda: defaultdict(lambda: ZoneInfo("UTC")))
    moved: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """When the days of a server were moved."""
    prices: dict[str, tuple[int, int]] = field(default_factory=dict)
    """What one clip of a kind did cost last, and when."""

    def price(self, clip_kind: str, now: int) -> int:
        """What one clip of a kind did cost, within the last week."""
        cost, at = self.prices.get(clip_kind, (0, 0))
        return cost if now - at < 7 * 24 * 3600 * 1000 else 0

    # --- What is in force ------------------------------------------------------------------------

    def values(
        self, account: Account, measure: Measure, guild: int, member: int, roles: Iterable[int]
    ) -> list[float]:
        """Return the limits of an account that a clip must fit, all of them."""
        if account is Account.MEMBER:
            return [self.members_own(measure, guild, member, roles)]
        if account is Account.BOT:
            return [number(self.limits.bot.get(measure))]
        servers_own = self.rules[guild].get((Target.SERVER, 0, measure), math.inf)
        return [servers_own, number(self.limits.server.get(measure))]

    def members_own(self, measure: Measure, guild: int, member: int, roles: Iterable[int]) -> float:
        rules = self.rules[guild]
        if (Target.MEMBER, member, measure) in rules:
            return rules[Target.MEMBER, member, measure]
        by_role = [
            rules[Target.ROLE, role, measure]
            for role in roles
            if (Target.ROLE, role, measure) in rules
        ]
        if by_role:
            return min(by_role, key=pause) if measure is Measure.COOLDOWN else max(by_role)
        default = number(self.limits.member.get(measure))
        return rules.get((Target.DEFAULT, 0, measure), default)

    # --- What is used ----------------------------------------------------------------------------

    def balance(
        self, account: Account, period: Period, guild: int, member: int, now: int
    ) -> Balance:
        same = SAME[period]
        today = day_of(now, ZoneInfo("UTC") if account is Account.BOT else self.zones[guild])
        if account is Account.BOT:
            clips = [clip for clip in self.clips.values() if same(clip.utc_day) == same(today)]
            return Balance(sum(clip.spent for clip in clips), sum(clip.held for clip in clips))
        clips = [
            clip
            for clip in self.clips.values()
            if clip.guild == guild and same(clip.day) == same(today)
        ]
        if account is Account.SERVER:
            return Balance(sum(clip.spent for clip in clips), sum(clip.held for clip in clips))
        clips = [clip for clip in clips if clip.member == member]
        excused = sum(
            one.micro
            for one in self.excuses
            if (one.guild, one.member) == (guild, member) and same(one.day) == same(today)
        )
        return Balance(
            sum(clip.spent for clip in clips),
            sum(clip.held for clip in clips),
            sum(sum(clip.drawn.values()) for clip in clips) + excused,
        )

    def running(self, account: Account, guild: int, member: int) -> int:
        return sum(
            clip.is_running
            and (account is Account.BOT or clip.guild == guild)
            and (account is not Account.MEMBER or clip.member == member)
            for clip in self.clips.values()
        )

    def last_at(self, guild: int, member: int, now: int) -> int | None:
        same = [
            clip.at
            for clip in self.clips.values()
            if (clip.guild, clip.member) == (guild, member)
            and not clip.is_nothing
            and now - clip.at < 7 * 24 * 3600 * 1000
        ]
        return max(same, default=None)

    def usable(self, guild: int, member: int, now: int) -> list[int]:
        """Return the numbers of the grants that still pay, the first to expire first."""
        found = [
            which
            for which, grant in enumerate(self.grants)
            if (grant.guild, grant.member) == (guild, member)
            and grant.left > 0
            and now < grant.expires_at
        ]
        return sorted(found, key=lambda which: (self.grants[which].expires_at, which))

    def credit(self, account: Account, guild: int, member: int, now: int) -> int:
        if account is not Account.MEMBER:
            return 0
        return sum(self.grants[which].left for which in self.usable(guild, member, now))

    def room(
        self, account: Account, guild: int, member: int, roles: Iterable[int], now: int
    ) -> float:
        """Return what the limits on money of an account leave, without any credit."""
        return min(
            max(0, limit - used(self.balance(account, period, guild, member, now)))
            for period in Period
            for limit in self.values(account, Measure(period), guild, member, roles)
        )

    def left(
        self, account: Account, guild: int, member: int, roles: Iterable[int], now: int
    ) -> float:
        """Return what the limits on money of an account and the member's credit leave."""
        room = self.room(account, guild, member, roles, now)
        return room + self.credit(account, guild, member, now)

    # --- What happens ----------------------------------------------------------------------------

    def refusal(self, job: Job, wanted: int) -> Refusal | None:
        """Return the kind and the account of the refusal of a clip, None where it is accepted."""
        guild, member, roles, now = job.guild_id, job.member_id, job.role_ids, job.created_at
        seconds = pause(self.members_own(Measure.COOLDOWN, guild, member, roles))
        last_at = self.last_at(guild, member, now)
        if seconds and last_at is not None and now < last_at + seconds * 1000:
            return CoolingDown, Account.MEMBER
        for account in Account:
            most = min(self.values(account, Measure.CLIPS, guild, member, roles))
            if self.running(account, guild, member) >= most:
                return TooManyAtOnce, account
            if wanted > self.left(account, guild, member, roles, now):
                return LimitReached, account
        return None

    def hold(self, job: Job, wanted: int) -> None:
        """Book a hold; what the member's own limits leave open is drawn from their credits."""
        guild, member, now = job.guild_id, job.member_id, job.created_at
        missing = max(0, wanted - self.room(Account.MEMBER, guild, member, job.role_ids, now))
        drawn: dict[int, int] = {}
        for which in self.usable(guild, member, now):
            part = int(min(missing, self.grants[which].left))
            if part:
                drawn[which] = part
                self.grants[which].left -= part
                missing -= part
        assert not missing
        self.clips[job.id] = Kept(
            guild=guild,
            member=member,
            at=now,
            day=day_of(now, self.zones[guild]),
            utc_day=day_of(now, ZoneInfo("UTC")),
            quote=wanted,
            drawn=drawn,
            held=wanted,
        )

    def spend(self, job_id: str, cost: int) -> None:
        """End a hold; what the credits need not pay goes back to the last drawn first."""
        clip = self.clips[job_id]
        own = clip.quote - sum(clip.drawn.values())
        needed = max(0, cost - own)
        for which, part in list(clip.drawn.items()):
            clip.drawn[which] = min(part, needed)
            needed -= clip.drawn[which]
            self.grants[which].left += part - clip.drawn[which]
        clip.held, clip.spent, clip.is_running = 0, cost, False

    def fail(self, job_id: str, *, is_shunned: bool) -> None:
        """There will be no clip; content that is not shown counts as one between clips."""
        self.clips[job_id].is_nothing = not is_shunned

    def find(self, job_id: str, cost: int) -> None:
        """Book a clip whose hold had been released."""
        self.clips[job_id].spent, self.clips[job_id].is_found = cost, True

    def revoke(self, guild: int, member: int, now: int) -> int:
        """End what has not expired, whatever a clip still gives back to it."""
        left = self.credit(Account.MEMBER, guild, member, now)
        for grant in self.grants:
            if (grant.guild, grant.member) == (guild, member) and now < grant.expires_at:
                grant.expires_at = -math.inf
        return left

    def may_move(self, guild: int, zone: str, now: int) -> bool:
        """Whether a server's days may begin in another zone: a week after they last were moved."""
        is_free = all(now - at >= 7 * 24 * 3600 * 1000 for at in self.moved[guild])
        return is_free or zone == self.zones[guild].key

    def move(self, guild: int, zone: str, now: int) -> None:
        if zone != self.zones[guild].key:
            self.moved[guild].append(now)
        self.zones[guild] = ZoneInfo(zone)

    def reset(self, guild: int, member: int, now: int) -> int:
        """Excuse what is spent and not excused yet, on each day of the current periods."""
        today = day_of(now, self.zones[guild])
        spent: dict[date, int] = defaultdict(int)
        for clip in self.clips.values():
            is_now = any(same(clip.day) == same(today) for same in SAME.values())
            if (clip.guild, clip.member) == (guild, member) and not clip.is_running and is_now:
                spent[clip.day] += clip.spent - sum(clip.drawn.values())
        for one in self.excuses:
            if (one.guild, one.member) == (guild, member):
                spent[one.day] -= one.micro
        left = {day: micro for day, micro in spent.items() if micro > 0}
        for day, micro in left.items():
            self.excuses.append(Excused(guild=guild, member=member, day=day, micro=micro))
        return sum(left.values())
