"""Which limits are in force for whom: the operator's, a server's, and the one that wins. Pure.

For a member: an own rule wins over the best of the roles, that over the server's default, that
over the bot's default; each measure on its own. A server's own limit never widens the operator's:
there the tighter one counts, because the operator pays.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from bot.periods import Period


class Measure(StrEnum):
    """What a rule limits."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    """Micro-dollars, used and held, in that period."""
    CLIPS = "clips"
    """Clips in flight at once: accepted, and not yet finished by the video service."""
    COOLDOWN = "cooldown"
    """Seconds between two of a member's clips."""

    @property
    def period(self) -> Period | None:
        """The period of a limit on money; None for the others."""
        return _PERIODS.get(self)


_PERIODS = {
    Measure.DAY: Period.DAY,
    Measure.WEEK: Period.WEEK,
    Measure.MONTH: Period.MONTH,
}


class Target(StrEnum):
    """Whom a server's rule is for."""

    SERVER = "server"
    DEFAULT = "default"
    ROLE = "role"
    MEMBER = "member"


class Account(StrEnum):
    """Whose money is counted."""

    MEMBER = "member"
    SERVER = "server"
    BOT = "bot"


class Source(StrEnum):
    """Where a limit comes from."""

    OWN = "own"
    ROLE = "role"
    DEFAULT = "server default"
    SERVER = "server"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a server. `target_id` is 0 for the server and its default."""

    target: Target
    target_id: int = 0
    measure: Measure
    value: int | None
    """Micro-dollars, clips or seconds; None is unlimited, 0 is nothing (no pause at all)."""


LONGEST_COOLDOWN = 7 * 86_400
"""Seconds: no longer one is taken, and no clip before that is looked for."""

Values = Mapping[Measure, int | None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limits:
    """The operator's limits, per account; what is not named is unlimited."""

    member: Values = field(default_factory=lambda: MappingProxyType({}))
    server: Values = field(default_factory=lambda: MappingProxyType({}))
    bot: Values = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One limit in force, and where it comes from. None is unlimited."""

    account: Account
    measure: Measure
    value: int | None
    source: Source
    role_id: int | None = None


def in_force(
    limits: Limits, rules: Iterable[Rule], member_id: int, role_ids: Collection[int]
) -> tuple[Line, ...]:
    """Return every limit that a clip of this member must fit, the member's first.

    Unlimited ones are among them, so that it can be told which rule made them so.
    """
    by_target: dict[tuple[Target, int], dict[Measure, int | None]] = {}
    for rule in rules:
        by_target.setdefault((rule.target, rule.target_id), {})[rule.measure] = rule.value
    lines: list[Line] = []
    for measure in Measure:
        lines += _member_line(measure, limits, by_target, member_id, role_ids)
    server = by_target.get((Target.SERVER, 0), {})
    lines += _both(Account.SERVER, Source.SERVER, server)
    lines += _both(Account.SERVER, Source.OPERATOR, limits.server)
    lines += _both(Account.BOT, Source.OPERATOR, limits.bot)
    return tuple(lines)


def _member_line(
    measure: Measure,
    limits: Limits,
    by_target: Mapping[tuple[Target, int], Values],
    member_id: int,
    role_ids: Collection[int],
) -> Iterator[Line]:
    own = by_target.get((Target.MEMBER, member_id), {})
    roles = [
        (role_id, values[measure])
        for (target, role_id), values in by_target.items()
        if target is Target.ROLE and role_id in role_ids and measure in values
    ]
    default = by_target.get((Target.DEFAULT, 0), {})

    def line(value: int | None, source: Source, role_id: int | None = None) -> Line:
        return Line(
            account=Account.MEMBER, measure=measure, value=value, source=source, role_id=role_id
        )

    if measure in own:
        yield line(own[measure], Source.OWN)
    elif roles:
        role_id, value = min(roles, key=lambda role: (_tightness(measure, role[1]), role[0]))
        yield line(value, Source.ROLE, role_id)
    elif measure in default:
        yield line(default[measure], Source.DEFAULT)
    elif measure in limits.member:
        yield line(limits.member[measure], Source.OPERATOR)


def _both(account: Account, source: Source, values: Values) -> Iterator[Line]:
    for measure, value in values.items():
        if measure is not Measure.COOLDOWN:
            yield Line(account=account, measure=measure, value=value, source=source)


def _tightness(measure: Measure, value: int | None) -> float:
    """Order values from the most generous to the tightest."""
    if measure is Measure.COOLDOWN:
        return value or 0
    return float("-inf") if value is None else -value
