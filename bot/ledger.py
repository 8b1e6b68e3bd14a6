"""May we pay? Entries that only ever add up, balances that derive from them, and the decision.

A hold is followed by exactly one spend or release that takes the whole hold back. What a credit
pays for is excused: it does not count against the member's own limits, though against all others.
A clip counts in the period in which it was accepted. Pure: no I/O, no clock. `books.py` keeps the
entries and asks `draws_for` inside the transaction that books the hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.errors import CoolingDown, LimitReached, TooManyAtOnce
from bot.lifecycle import Job
from bot.periods import Period, day_of, ends_at
from bot.rules import Account, Line, Measure


class Kind(StrEnum):
    """What an entry does."""

    HOLD = "hold"
    SPEND = "spend"
    RELEASE = "release"
    GRANT = "grant"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the accounts; never changed, never removed. Amounts are changes."""

    kind: Kind
    job_id: str | None = None
    member_id: int
    guild_id: int
    day: date
    """The server's local day of acceptance: a clip counts where it was accepted."""
    utc_day: date
    """The same moment's day for the whole bot, which lives in UTC."""
    held_micro: int = 0
    spent_micro: int = 0
    excused_micro: int = 0
    """The part of `held_micro` and `spent_micro` that the member's limits do not see."""
    credit_micro: int = 0
    """What a grant grants."""
    expires_at: int | None = None
    """When what is left of a grant is gone, Unix milliseconds."""
    actor_id: int | None = None
    """Who granted or adjusted."""
    at: int
    """Unix milliseconds."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What became of a job's hold: paid, given back, or given back and then found after all."""

    job_id: str
    kind: Kind
    cost_micro: int
    at: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """What one account has used in one period, micro-dollars."""

    spent_micro: int = 0
    held_micro: int = 0
    excused_micro: int = 0

    @property
    def used_micro(self) -> int:
        """What counts against a limit."""
        return self.spent_micro + self.held_micro - self.excused_micro


@dataclass(frozen=True, slots=True)
class Credit:
    """What is left of one grant; `expires_at` in Unix milliseconds, None for never."""

    grant_id: int
    left_micro: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Draw:
    """Micro-dollars that a clip takes from a grant, or, below 0, gives back to it."""

    grant_id: int
    micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Everything that decides whether a member's next clip is accepted, at one moment."""

    guild_id: int
    member_id: int
    now: int
    """Unix milliseconds."""
    zone: ZoneInfo
    """The server's; the bot's own periods are in UTC."""
    lines: tuple[Line, ...]
    balances: Mapping[tuple[Account, Period], Balance]
    running: Mapping[Account, int]
    """Clips in flight."""
    last_at: int | None = None
    """When the member's last clip was accepted, Unix milliseconds; None: not lately.

    Of those that came to nothing only what the service would not show.
    """
    credits: tuple[Credit, ...] = ()
    """In the order in which they are used up: the first to expire first."""

    @property
    def credit_micro(self) -> int:
        """What all credits together still pay."""
        return sum(credit.left_micro for credit in self.credits)

    def day(self, account: Account = Account.MEMBER) -> date:
        """Return today, as this account's periods count it."""
        return day_of(self.now, self.zone_of(account))

    def zone_of(self, account: Account) -> ZoneInfo:
        """Return the zone of an account's periods."""
        return UTC_ZONE if account is Account.BOT else self.zone

    def balance(self, line: Line) -> Balance:
        """Return what has been used of a limit on money."""
        assert line.measure.period is not None
        return self.balances[line.account, line.measure.period]

    def room_micro(self, line: Line) -> int | None:
        """Return what is left of a limit on money, never below 0; None is unlimited."""
        if line.value is None:
            return None
        return max(0, line.value - self.balance(line).used_micro)

    def resets_at(self, line: Line) -> int:
        """Return the Unix second at which a limit on money begins anew."""
        assert line.measure.period is not None
        return ends_at(line.measure.period, self.day(line.account), self.zone_of(line.account))

    def money_lines(self, account: Account) -> Sequence[Line]:
        """Return the limits on money of one account."""
        return [one for one in self.lines if one.account is account and one.measure.period]

    def left_micro(self, line: Line) -> int | None:
        """Return what the member may still use of a limit, credit included; None is unlimited."""
        room = self.room_micro(line)
        if room is None or line.account is not Account.MEMBER:
            return room
        return room + self.credit_micro

    def tightest(self, *accounts: Account) -> Line | None:
        """Return the limit on money that leaves the least; None: no limit.

        Of those that leave the same, the one that resets last: waiting for another would be in
        vain. Of all accounts, where none is named.
        """
        limited = [
            line
            for account in accounts or Account
            for line in self.money_lines(account)
            if line.value is not None
        ]
        left = [self.left_micro(line) or 0 for line in limited]
        least = min(left, default=0)
        tightest = [line for line, micro in zip(limited, left, strict=True) if micro == least]
        return max(tightest, key=self.resets_at, default=None)


UTC_ZONE = ZoneInfo("UTC")


def draws_for(statement: Statement, wanted_micro: int) -> tuple[Draw, ...]:
    """Decide on a hold of `wanted_micro` and return what of it is drawn from the credits.

    Raises `CoolingDown`, `TooManyAtOnce` or `LimitReached`: for the member before the server, for
    that before the bot, and of several limits on money for the one that leaves the least.
    """
    if all(_leaves_room(statement, line, wanted_micro) for line in statement.lines):
        return ()  # nearly always; and who is refused can wait for the reason
    _check_pace(statement)
    for account in Account:
        _check_running(statement, account)
        _check_money(statement, account, wanted_micro)
    if not statement.credits:
        return ()
    own = statement.tightest(Account.MEMBER)
    over = 0 if own is None else wanted_micro - (statement.room_micro(own) or 0)
    return _drawn(statement.credits, over)


def _leaves_room(statement: Statement, line: Line, wanted_micro: int) -> bool:
    """Tell whether a limit lets the clip pass, and no credit has to pay for it."""
    if line.value is None:
        return True
    if line.measure is Measure.CLIPS:
        return statement.running[line.account] < line.value
    if line.measure is Measure.COOLDOWN:
        last = statement.last_at
        return last is None or statement.now >= last + line.value * 1000
    return statement.balance(line).used_micro + wanted_micro <= line.value


def _check_pace(statement: Statement) -> None:
    for line in statement.lines:
        if line.measure is Measure.COOLDOWN and line.value and statement.last_at is not None:
            over_at = statement.last_at + line.value * 1000
            if statement.now < over_at:
                raise CoolingDown(-(-over_at // 1000))


def _check_running(statement: Statement, account: Account) -> None:
    for line in statement.lines:
        if line.account is account and line.measure is Measure.CLIPS and line.value is not None:
            running = statement.running[account]
            if running >= line.value:
                raise TooManyAtOnce(account, line.value, running)


def _check_money(statement: Statement, account: Account, wanted_micro: int) -> None:
    line = statement.tightest(account)
    if line is None or line.value is None:
        return
    left_micro = statement.left_micro(line) or 0
    if wanted_micro <= left_micro:
        return
    balance = statement.balance(line)
    raise LimitReached(
        whom=account,
        period=line.measure.value,
        limit_micro=line.value,
        spent_micro=balance.spent_micro,
        held_micro=balance.held_micro,
        excused_micro=balance.excused_micro,
        credit_micro=statement.credit_micro if account is Account.MEMBER else 0,
        left_micro=left_micro,
        wanted_micro=wanted_micro,
        resets_at=statement.resets_at(line),
    )


def _drawn(available: Iterable[Credit], micro: int) -> tuple[Draw, ...]:
    draws = []
    for credit in available:
        part = min(micro, credit.left_micro)
        if part > 0:
            draws.append(Draw(credit.grant_id, part))
            micro -= part
    return tuple(draws)


# --- Entries -------------------------------------------------------------------------------------


def hold(job: Job, zone: ZoneInfo, draws: Iterable[Draw] = ()) -> Entry:
    """Set the quote aside."""
    return Entry(
        kind=Kind.HOLD,
        job_id=job.id,
        member_id=job.member_id,
        guild_id=job.guild_id,
        day=day_of(job.created_at, zone),
        utc_day=day_of(job.created_at, UTC),
        held_micro=job.quote_micro,
        excused_micro=sum(draw.micro for draw in draws),
        at=job.created_at,
    )


def spend(job: Job, cost_micro: int, at: int, note: str = "") -> Resolution:
    """Book what the service reported, in full, and give the hold back."""
    return Resolution(job_id=job.id, kind=Kind.SPEND, cost_micro=cost_micro, at=at, note=note)


def release(job: Job, at: int, note: str = "") -> Resolution:
    """Give the hold back; nothing was paid."""
    return Resolution(job_id=job.id, kind=Kind.RELEASE, cost_micro=0, at=at, note=note)


def found(job: Job, cost_micro: int, at: int, note: str) -> Resolution:
    """Book what a clip did cost that turned up after its hold had been released."""
    return Resolution(job_id=job.id, kind=Kind.ADJUSTMENT, cost_micro=cost_micro, at=at, note=note)


def resolved(held: Entry, resolution: Resolution) -> Entry:
    """Return the entry that resolves a hold, in the period of the hold.

    Of a clip that cost less than was held, the credit gets the difference back first.
    """
    excused = 0
    if resolution.kind is not Kind.ADJUSTMENT:
        own = held.held_micro - held.excused_micro
        paid_by_credit = min(held.excused_micro, max(0, resolution.cost_micro - own))
        excused = paid_by_credit - held.excused_micro
    return replace(
        held,
        kind=resolution.kind,
        held_micro=0 if resolution.kind is Kind.ADJUSTMENT else -held.held_micro,
        spent_micro=resolution.cost_micro,
        excused_micro=excused,
        at=resolution.at,
        note=resolution.note,
    )


def given_back(draws: Sequence[Draw], micro: int) -> tuple[Draw, ...]:
    """Return `micro` of what was drawn, to the credit that was drawn on last first."""
    back = []
    for draw in reversed(draws):
        part = min(micro, draw.micro)
        if part > 0:
            back.append(Draw(draw.grant_id, -part))
            micro -= part
    return tuple(back)


def total_cost(reported: Iterable[int | None], quote_micro: int, expected: int) -> tuple[int, str]:
    """Return what to book for finished clips, and a flag where it is not just the reported cost.

    A clip without a reported cost is booked at its share of the quote: unknown is never free.
    """
    costs = list(reported)
    share = -(-quote_micro // expected)
    total = sum(share if cost is None else cost for cost in costs)
    flags = []
    if None in costs:
        flags.append("cost not reported, estimate booked")
    if total > quote_micro:
        flags.append("reported cost above the hold")
    return total, "; ".join(flags)
