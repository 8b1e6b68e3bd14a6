"""The desk for quotas and usage: what members and admins may ask of the accounts, in their words.

Reads what people type, has `accounts.py` look and `admin.py` change, and answers in notes. Whether
somebody may ask is decided at the door, `cogs/quota.py` and `cogs/usage.py`.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType
from zoneinfo import available_timezones

from bot import admin_words, chart, picker, quota_words
from bot.accounts import Accounts
from bot.admin import Admin, Change
from bot.errors import InputRefused, ZoneSetLately
from bot.export import to_csv
from bot.money import parse_usd
from bot.periods import Period, day_of, ends_at, first_day, last_day
from bot.rules import LONGEST_COOLDOWN, Account, Limits, Line, Measure, Rule, Target
from bot.shelf import Shelf
from bot.tongue import mark, tongue
from bot.words import Note

MONTH = "this month"
INHERIT = "inherit"
UNLIMITED = "unlimited"
_DAY = 86_400_000
_MOST_DOLLARS = 1_000_000_000_000
"""A million dollars, in micro-dollars: more is a slip of the hand."""
_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}
_MOST_CLIPS = 10_000
_MOST_ENTRIES = 40_000
"""Some eight megabytes of CSV, which is what Discord takes anywhere."""
_DRAWN_AT_ONCE = 1
"""A drawing takes a second of a processor and some 85 MB, for as long."""

Name = Callable[[int], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside a note; `alt` describes it for people who do not see it."""

    filename: str
    content: bytes
    alt: str


class Desk:
    """`clock` returns Unix milliseconds; `limits` are the operator's."""

    def __init__(
        self,
        accounts: Accounts,
        admin: Admin,
        shelf: Shelf,
        limits: Limits,
        clock: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._admin = admin
        self._shelf = shelf
        self._limits = limits
        self._clock = clock
        self._drawing = asyncio.Semaphore(_DRAWN_AT_ONCE)

    def change(self, guild_id: int, actor_id: int, reason: str = "") -> Change:
        """Return a change of this moment."""
        text = " ".join(reason.split())
        return Change(guild_id=guild_id, actor_id=actor_id, at=self._clock(), reason=text)

    # --- For everybody ---------------------------------------------------------------------------

    async def card(self, guild_id: int, member_id: int, role_ids: Collection[int]) -> Note:
        """Show what a member can still use, and what of theirs waits to be posted."""
        found = await self._accounts.statement(guild_id, member_id, role_ids, self._clock())
        return quota_words.card(found, await self._shelf.waiting(member_id))

    # --- For admins: looking ---------------------------------------------------------------------

    async def explanation(self, guild_id: int, member_id: int, role_ids: Collection[int]) -> Note:
        """Show every limit in force for a member, and where it comes from."""
        found = await self._accounts.statement(guild_id, member_id, role_ids, self._clock())
        holds = await self._accounts.open_holds(guild_id, member_id)
        return quota_words.explanation(found, holds)

    async def rules(
        self, guild_id: int, roles: Mapping[int, str] = MappingProxyType({})
    ) -> Note | tuple[Note, Attachment]:
        """List what is set in a server; what is too long for a note comes as a file besides.

        `roles` are the names of the server's, by their ids.
        """
        found = await self._accounts.rules(guild_id)
        server = await self._accounts.server(guild_id)
        note, is_all = admin_words.rules(found, self._limits, server)
        if is_all:
            return note
        text = admin_words.rules_file(found, self._limits, server, roles)
        return note, Attachment("limits.txt", text.encode(), note.title)

    async def changes(self, guild_id: int) -> Note:
        """List the last changes by admins."""
        return admin_words.changes(await self._accounts.audit(guild_id))

    async def usage(
        self, guild_id: int, title: str, period: str, name: Name
    ) -> tuple[Note, Attachment]:
        """Draw what a server has spent. `title` is its name, `name` names a member by id.

        Raises `ChartBroken`.
        """
        server = await self._accounts.server(guild_id)
        today = day_of(self._clock(), server.zone)
        first, last = days(period, today)
        found = await self._accounts.usage(guild_id, first, last)
        statement = await self._accounts.statement(guild_id, 0, (), self._clock())
        limit = _drawn_limit(statement.money_lines(Account.SERVER))
        shares = [
            chart.Share(name=await name(share.member_id), spent_micro=share.spent_micro)
            for share in found.shares[: chart.MOST_NAMED]
        ]
        shares += [
            chart.Share(name=str(share.member_id), spent_micro=share.spent_micro)
            for share in found.shares[chart.MOST_NAMED :]
        ]
        picture = chart.Usage(
            title=title,
            days=tuple(
                chart.Day(day=day, spent_micro=found.spent.get(day, 0))
                for day in map(first.__add__, map(timedelta, range((last - first).days + 1)))
            ),
            shares=tuple(shares),
            limit_micro=limit.value if limit else None,
            limit_period=(limit.measure.period if limit else None) or Period.MONTH,
            held_micro=found.held_micro,
            today=today,
        )
        async with self._drawing:
            content = await chart.drawn(picture)
        note = admin_words.usage(found, picker.RANGES[period])
        return note, Attachment("usage.png", content, chart.alt_text(picture))

    async def export(self, guild_id: int, period: str) -> tuple[Note, Attachment]:
        """Return a server's entries as CSV."""
        server = await self._accounts.server(guild_id)
        first, last = days(period, day_of(self._clock(), server.zone))
        entries = await self._accounts.entries(guild_id, first, last, _MOST_ENTRIES)
        if len(entries) > _MOST_ENTRIES:
            say = tongue()
            shorter = say(
                "a shorter time: there are over {most} entries", most=f"{_MOST_ENTRIES:,}"
            )
            raise InputRefused("period", shorter)
        text = await asyncio.to_thread(to_csv, entries)
        name = f"accounts-{first.isoformat()}-{last.isoformat()}.csv"
        note = admin_words.exported(first, last, len(entries))
        return note, Attachment(name, text.encode(), "The entries as comma-separated values")

    # --- For admins: changing --------------------------------------------------------------------

    async def set_rule(
        self, change: Change, target: Target, target_id: int, limit: str, amount: str
    ) -> Note:
        """Limit a target to what was typed, or clear that limit. Raises `InputRefused`."""
        rule = Rule(target=target, target_id=target_id, measure=_measure(target, limit), value=None)
        if amount.strip().lower() == INHERIT:
            return admin_words.rule_dropped(rule, await self._admin.drop_rule(change, rule))
        rule = replace(rule, value=read_amount(rule.measure, amount))
        return admin_words.rule_set(rule, await self._admin.set_rule(change, rule), self._limits)

    async def drop_rules_of_roles(
        self, guild_id: int, actor_id: int, is_gone: Callable[[int], bool]
    ) -> None:
        """Clear the limits of roles that are gone: nobody can name these to Discord any more."""
        say = tongue()
        change = self.change(guild_id, actor_id, say("The role was deleted."))
        for rule in await self._accounts.rules(guild_id):
            if rule.target is Target.ROLE and is_gone(rule.target_id):
                await self._admin.drop_rule(change, rule)

    async def grant(self, change: Change, member_id: int, amount: str, days: int | None) -> Note:
        """Give a member credit for so many days, or for good. Raises `InputRefused`."""
        _check_reason(change)
        micro = _dollars(amount, mark("dollars such as `2.50`, and more than 0"))
        if micro == 0:
            say = tongue()
            raise InputRefused("amount", say("more than $0.00"))
        expires_at = None if days is None else change.at + days * _DAY
        await self._admin.grant(change, member_id, micro, expires_at)
        return admin_words.granted(member_id, micro, expires_at)

    async def revoke(self, change: Change, member_id: int) -> Note:
        """Take a member's credit back. Raises `InputRefused`."""
        _check_reason(change)
        return admin_words.revoked(member_id, await self._admin.revoke(change, member_id))

    async def reset(self, change: Change, member_id: int) -> Note:
        """Let a member's limits begin anew. Raises `InputRefused`."""
        _check_reason(change)
        return admin_words.reset_done(member_id, await self._admin.reset(change, member_id))

    async def set_timezone(self, change: Change, zone: str) -> Note:
        """Set when a server's days begin. Raises `InputRefused`."""
        name = _zones().get(zone.strip().lower())
        if name is None:
            nearest = next(iter(zones_like(zone)), "Europe/Berlin")
            say = tongue()
            raise InputRefused("zone", say("a time zone's name such as {zone}", zone=nearest))
        try:
            before, after = await self._admin.set_server(
                change, lambda server: replace(server, timezone=name)
            )
        except ZoneSetLately as error:
            return admin_words.zone_stays(error.until)
        today = day_of(change.at, after.zone)
        return admin_words.zone_set(after, before, ends_at(Period.DAY, today, after.zone))

    async def set_receipts(self, change: Change, *, shown: bool) -> Note:
        """Have clips tell what their member has left, or not."""
        _, after = await self._admin.set_server(
            change, lambda server: replace(server, receipts=shown)
        )
        return admin_words.receipts_set(after)


def _check_reason(change: Change) -> None:
    if not change.reason:  # of blanks alone, which Discord lets pass
        say = tongue()
        raise InputRefused("reason", say("a few words"))


def read_amount(measure: Measure, text: str) -> int | None:
    """Read what an admin typed as a rule's value; None is unlimited. Raises `InputRefused`."""
    text = text.strip().lower()
    if text == UNLIMITED:
        return None
    match measure:
        case Measure.CLIPS:
            return _clips(text)
        case Measure.COOLDOWN:
            return _seconds(text)
    return _dollars(text, mark("dollars such as `2.50`, `0`, `unlimited` or `inherit`"))


def _measure(target: Target, limit: str) -> Measure:
    """Return what is to be limited; a client that lies may name what is not offered."""
    offered = [one for one in Measure if (target, one) != (Target.SERVER, Measure.COOLDOWN)]
    if limit not in offered:
        raise InputRefused("limit", ", ".join(tongue()(picker.MEASURES[one]) for one in offered))
    return Measure(limit)


def _clips(text: str) -> int:
    found = re.fullmatch(r"(\d{1,5})\s*(clips?)?", text)
    if not found or int(found[1]) > _MOST_CLIPS:
        say = tongue()
        allowed = say("a number of clips such as `3`, `unlimited` or `inherit`")
        raise InputRefused("amount", allowed)
    return int(found[1])


def _dollars(text: str, allowed: str) -> int:
    try:
        micro = parse_usd(text)
    except ValueError:
        micro = _MOST_DOLLARS + 1
    if micro > _MOST_DOLLARS:
        raise InputRefused("amount", tongue()(allowed))
    return micro


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,6})\s*(s|m|min|h|)", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else LONGEST_COOLDOWN + 1
    if seconds > LONGEST_COOLDOWN:
        say = tongue()
        allowed = say("a time such as `30s`, `5m` or `2h`, at most a week")
        raise InputRefused("amount", allowed)
    return seconds


def days(period: str, today: date) -> tuple[date, date]:
    """Return the first and last day of a range that people choose; the last may be to come.

    Raises `InputRefused`.
    """
    month = first_day(Period.MONTH, today)
    match period:
        case "this week":
            return first_day(Period.WEEK, today), last_day(Period.WEEK, today)
        case "last month":
            last = month - timedelta(days=1)
            return first_day(Period.MONTH, last), last
        case "90 days":
            return today - timedelta(days=89), today
        case "this month":
            return month, last_day(Period.MONTH, today)
    raise InputRefused("period", ", ".join(map(tongue(), picker.RANGES.values())))


def zones_like(text: str, most: int = 25) -> list[str]:
    """Return time zones whose names hold `text`, those whose city begins with it first."""
    wanted = text.strip().lower().replace(" ", "_")
    found = [zone for name, zone in _zones().items() if wanted in name]

    def order(zone: str) -> tuple[bool, int, str]:
        *above, city = zone.split("/")
        return not city.lower().startswith(wanted), len(above), zone

    found.sort(key=order)
    return found[:most]


@cache
def _zones() -> dict[str, str]:
    """Return all time zones by their names in lower case."""
    named = (zone for zone in available_timezones() if "/" in zone or zone == "UTC")
    return {zone.lower(): zone for zone in named}


def _drawn_limit(lines: Collection[Line]) -> Line | None:
    """Return the limit that the picture shows: the longest period's, and of two the tighter."""
    limited = [line for line in lines if line.value is not None]
    order = list(Measure)
    return max(
        limited, key=lambda line: (order.index(line.measure), -(line.value or 0)), default=None
    )
