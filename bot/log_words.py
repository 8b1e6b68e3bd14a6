"""Every word in a server's log: a line for each clip, a clip that is held, and the daily digest.

In the server's language. Members are named by mentions, which in an embed ping nobody. What people
have typed, or the video service says, is never repeated. Pure.
"""

from collections.abc import Sequence
from datetime import date

from bot import quota_words
from bot.clip_words import DOORS
from bot.digests import Digest
from bot.lifecycle import Failure, Job
from bot.lines import Line
from bot.money import usd
from bot.pages import Told
from bot.prose import fitted
from bot.tongue import mark, tongue
from bot.words import Note, Tone

_MOST_NAMED = 5
REASONS = {
    Failure.DECLINED: mark("declined by the video service"),
    Failure.REFUSED: mark("not made by the video service"),
    Failure.ACCOUNT: mark("the bot's account needs its owner"),
    Failure.SILENT: mark("no answer from the video service"),
    Failure.LOST: mark("lost"),
    Failure.CANCELLED: mark("taken back"),
}
"""Why there was no clip, in a few words."""


def page(lines: Sequence[Told]) -> Note:
    """Show some lines."""
    if len(lines) == 1 and lines[0].line is Line.HELD:
        return _held(lines[0])
    say = tongue()
    tone = Tone.WARNING if any(told.line is not Line.DELIVERED for told in lines) else Tone.DONE
    # Where none were made, those that were asked for count.
    counts = {told.job.id: told.clips or told.job.order.results for told in lines}
    title = say.many("🎞️ {n} clip", "🎞️ {n} clips", sum(counts.values()))
    return Note(title, "\n".join(map(_line, lines)), tone)


def _held(told: Told) -> Note:
    say = tongue()
    text = say("It may not be for everybody. Nobody sees it until a moderator lets it out.")
    return Note(say("🛡️ A clip waits for a moderator"), f"{_facts(told)}\n-# {text}", Tone.WARNING)


def _line(told: Told) -> str:
    say, job = tongue(), told.job
    match told.line:
        case Line.DELIVERED:
            sign, what = "✅", _where_it_is(job)
        case Line.STUCK:
            sign, what = "📦", say("paid, and cannot be posted there; I keep trying")
        case Line.HELD:
            sign, what = "🛡️", say("waits for a moderator")
        case _:
            sign, what = "⚠️", say(REASONS[job.failure or Failure.LOST])
    return f"{sign} {_facts(told, what)}"


def _facts(told: Told, what: str = "") -> str:
    """Tell who, how, where, what became of it, of whose picture, the cost, and which it was.

    Of several clips it tells how many they are.
    """
    say, job = tongue(), told.job
    facts = [f"<@{job.member_id}>", say(DOORS[job.door]), f"<#{job.channel_id}>"]
    facts += [what] if what else []
    where = job.picture
    if where is not None and where.has_author and where.author_id != job.member_id:
        facts.append(say("a picture of {author}'s", author=f"<@{where.author_id}>"))
    if told.clips > 1:
        facts.append(say.many("{n} clip", "{n} clips", told.clips))
    facts.append(usd(told.spent_micro))
    return " · ".join([*facts, f"<t:{told.at // 1000}:t>", f"`{job.short_id}`"])


def _where_it_is(job: Job) -> str:
    """Link to the clip, if it is where others may see it."""
    say = tongue()
    if job.wish.is_private:
        return say("for their eyes only")
    places = {job.channel_id, job.parent_channel_id, job.picture and job.picture.channel_id}
    channel_id = job.message_channel_id or job.channel_id
    if channel_id not in places:
        return say("by direct message")
    link = f"https://discord.com/channels/{job.guild_id}/{channel_id}/{job.message_id}"
    name = say("clip")
    return f"[{name}]({link})"


def digest(found: Digest, days: tuple[date, date]) -> Note:
    """Show the figures of a day, or of some that nobody could be told of earlier."""
    say = tongue()
    first, last = days
    if first == last:
        title = say("📊 The clips of {day}", day=first.isoformat())
    else:
        title = say(
            "📊 The clips from {first} to {last}", first=first.isoformat(), last=last.isoformat()
        )
    blocks = [*_counts(found), *_top(found), *quota_words.left(found.statement)]
    return Note(title, fitted(blocks), Tone.WORKING)


def _counts(found: Digest) -> list[str]:
    say = tongue()
    facts = [
        say("{n} asked for", n=found.asked),
        say("{n} posted", n=found.delivered),
        say("{usd} spent", usd=usd(sum(found.usage.spent.values()))),
    ]
    if found.usage.held_micro:
        facts.append(say("{usd} held", usd=usd(found.usage.held_micro)))
    lines = [" · ".join(facts)]
    if found.failed:
        reasons = ", ".join(
            f"{count} {say(REASONS[failure])}" for failure, count in sorted(found.failures.items())
        )
        lines.append("⚠️ " + say("{n} failed: {reasons}", n=found.failed, reasons=reasons))
    if found.held:
        lines.append(
            "🛡️ "
            + say.many(
                "{n} clip waits for a moderator", "{n} clips wait for a moderator", found.held
            )
            + f" · {say.command('animate-admin jobs')}"
        )
    return lines


def _top(found: Digest) -> list[str]:
    say, shares = tongue(), found.usage.shares
    named = [f"<@{one.member_id}> {usd(one.spent_micro)}" for one in shares[:_MOST_NAMED]]
    if len(shares) > _MOST_NAMED:
        named.append(say("and {more} more", more=len(shares) - _MOST_NAMED))
    return [f"👥 {' · '.join(named)}"] if named else []
