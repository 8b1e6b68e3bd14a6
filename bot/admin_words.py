"""Every word to a server's admins: what is set, what they changed, what cannot be done.

Members are named by mentions, which show a name and, in an embed, ping nobody. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from bot import picker, policy_words
from bot.accounts import AuditRow, Server, Usage
from bot.money import usd
from bot.prose import MOST_BODY, escaped, fitted
from bot.quota_words import capital, value
from bot.rules import Limits, Measure, Rule, Target, Values
from bot.tongue import mark, tongue
from bot.words import Note, Tone

_MOST_NAMED = 10


def whom(rule: Rule) -> str:
    """Name a rule's target."""
    say = tongue()
    return {
        Target.SERVER: say("this server"),
        Target.DEFAULT: say("each member"),
        Target.ROLE: f"<@&{rule.target_id}>",
        Target.MEMBER: f"<@{rule.target_id}>",
    }[rule.target]


def rules(found: Sequence[Rule], limits: Limits, server: Server) -> tuple[Note, bool]:
    """List the limits that are set in a server, and what is inherited; and whether that is all."""
    say = tongue()
    lines = [f"**{capital(whom(own[0]))}** · {_said(own)}" for own in _by_target(found)]
    if not lines:
        lines.append(say("No limit is set in this server yet: `/quota set`."))
    inherited = "\n".join(["", *_inherited(limits, server)])
    whole = "\n".join(lines)
    if is_all := len(whole) + len(inherited) <= MOST_BODY:
        body = whole + inherited
    else:
        hint = say("All of them are in the file.")
        inherited = f"\n{hint}{inherited}"
        body = fitted(lines, beside=len(inherited)) + inherited
    return Note(say("📋 Limits in this server"), body, Tone.WORKING), is_all


def rules_file(
    found: Sequence[Rule], limits: Limits, server: Server, roles: Mapping[int, str]
) -> str:
    """Write the same as a text, with the roles by name: outside Discord, mentions show none."""
    lines = [f"{_named(own[0], roles)} · {_said(own)}" for own in _by_target(found)]
    inherited = [line.removeprefix("-# ").replace("**", "") for line in _inherited(limits, server)]
    return "\n".join([*lines, *inherited])


def _by_target(found: Sequence[Rule]) -> list[list[Rule]]:
    by_target: dict[tuple[Target, int], list[Rule]] = {}
    for rule in found:
        by_target.setdefault((rule.target, rule.target_id), []).append(rule)
    return list(by_target.values())


def _said(own: Sequence[Rule]) -> str:
    return ", ".join(value(rule.measure, rule.value) for rule in own)


def _named(rule: Rule, roles: Mapping[int, str]) -> str:
    if rule.target is not Target.ROLE or not roles:
        return capital(whom(rule))
    name = roles.get(rule.target_id)
    say = tongue()
    what = say("A deleted role") if name is None else f"@{name}"
    return f"{what} ({rule.target_id})"


def _inherited(limits: Limits, server: Server) -> list[str]:
    say = tongue()
    owner = say("**From the bot's owner** · each member: {limits}", limits=_values(limits.member))
    widest = say("this server, never wider: {limits}", limits=_values(limits.server))
    zone = say("Time zone {zone}", zone=server.timezone)
    receipts = say("receipts on") if server.receipts else say("receipts off")
    return [owner, f"-# {widest}", f"-# {zone} · {receipts}"]


def _values(values: Values) -> str:
    said = [
        value(measure, amount)
        for measure, amount in values.items()
        if amount is not None and not (measure is Measure.COOLDOWN and amount == 0)
    ]
    say = tongue()
    return ", ".join(said) or say("no limits")


def rule_set(rule: Rule, before: Rule | None, limits: Limits) -> Note:
    """Say that a rule is in force now, and where the owner's `limits` are tighter."""
    say = tongue()
    text = f"{capital(whom(rule))}: {value(rule.measure, rule.value)}."
    if before is not None and before != rule:
        text += f" {_before(value(before.measure, before.value))}"
    widest = limits.server.get(rule.measure) if rule.target is Target.SERVER else None
    if widest is not None and (rule.value is None or widest < rule.value):
        text += "\n-# " + say(
            "The bot's owner allows this server {limit}: that counts.",
            limit=value(rule.measure, widest),
        )
    return Note(say("✅ Limit set"), text, Tone.DONE)


def _before(was: str) -> str:
    say = tongue()
    return say("Before: {was}.", was=was)


def rule_dropped(rule: Rule, before: Rule | None) -> Note:
    """Say that a target inherits again."""
    say = tongue()
    names = {"whom": capital(whom(rule)), "measure": say(picker.MEASURES[rule.measure])}
    if before is None:
        text = say("{whom}: {measure} had no limit set here.", **names)
    else:
        text = say("{whom}: {measure} inherits again.", **names)
        text += f" {_before(value(before.measure, before.value))}"
    return Note(say("✅ Limit cleared"), text, Tone.DONE)


def granted(member_id: int, micro: int, expires_at: int | None) -> Note:
    """Say that a member has credit now; `expires_at` in Unix milliseconds."""
    say = tongue()
    text = say(
        "{member} has {usd} more: it pays where their own limits don't, within this server's"
        " budget.",
        member=f"<@{member_id}>",
        usd=usd(micro),
    )
    if expires_at is not None:
        text += " " + say("It expires {when}.", when=f"<t:{expires_at // 1000}:R>")
    return Note(say("✅ Credit given"), text, Tone.DONE)


def revoked(member_id: int, micro: int) -> Note:
    """Say what of a member's credit was taken back."""
    say = tongue()
    member = f"<@{member_id}>"
    if micro == 0:
        text = say("{member} had no credit left.", member=member)
        return Note(say("✅ Nothing to revoke"), text, Tone.DONE)
    text = say(
        "{usd} of {member}'s credit is gone. Clips in progress keep what they hold of it; what they"
        " give back is gone too.",
        usd=usd(micro),
        member=member,
    )
    return Note(say("✅ Credit revoked"), text, Tone.DONE)


def reset_done(member_id: int, micro: int) -> Note:
    """Say what no longer counts."""
    say = tongue()
    member = f"<@{member_id}>"
    if micro == 0:
        text = say(
            "{member} has spent nothing that counts. What clips in progress hold stays.",
            member=member,
        )
        return Note(say("✅ Nothing to reset"), text, Tone.DONE)
    text = say(
        "{usd} that {member} has spent no longer counts against their limits. It stays in this"
        " server's budget, and so does what clips in progress hold.",
        usd=usd(micro),
        member=member,
    )
    return Note(say("✅ Limits begin anew"), text, Tone.DONE)


def zone_set(server: Server, before: Server, midnight: int) -> Note:
    """Say when days begin now; `midnight` in Unix seconds."""
    say = tongue()
    texts = [
        say(
            "This server's days begin at midnight in {zone}, the next {when}.",
            zone=server.timezone,
            when=f"<t:{midnight}:R>",
        )
    ]
    if before.timezone != server.timezone:
        texts.append(_before(before.timezone))
    texts.append(say("What was booked stays on the days it had."))
    return Note(say("✅ Time zone set"), " ".join(texts), Tone.DONE)


def zone_stays(until: int) -> Note:
    """Say that days were moved lately, and when they may be again, in Unix seconds."""
    say = tongue()
    text = say(
        "Days can be moved once a week, because each move brings budgets forward or back. You can"
        " set another zone again {when}. Nothing was changed.",
        when=f"<t:{until}:R>",
    )
    return Note(say("⏳ The time zone was changed lately"), text, Tone.WARNING)


def receipts_set(server: Server) -> Note:
    """Say whether clips come with what is left."""
    say = tongue()
    if server.receipts:
        text = say("Clips tell what their member has left.")
    else:
        text = say("Clips no longer tell what their member has left.")
    return Note(say("✅ Receipts"), text, Tone.DONE)


def changes(rows: Sequence[AuditRow]) -> Note:
    """List the last changes, the newest first."""
    say = tongue()
    blocks = [
        f"**{_act(row)}**\n-# <t:{row.at // 1000}:f> · <@{row.actor_id}>"
        + (f" · {escaped(row.reason)}" if row.reason else "")
        for row in rows
    ]
    return Note(say("🧾 Last changes"), fitted(blocks) or say("None yet."), Tone.WORKING)


def _act(row: AuditRow) -> str:
    say = tongue()
    match row.action, row.target.split():
        case "rule", [target, target_id, measure]:
            about = Rule(
                target=Target(target), target_id=int(target_id), measure=Measure(measure), value=0
            )
            was, now = (_written(about.measure, text) for text in (row.before, row.after))
            inherited = say("{measure} inherited", measure=say(picker.MEASURES[about.measure]))
            text = f"{capital(whom(about))}: {now or inherited}"
            return text if was == now else f"{text} ({_was(was or say('inherited'))})"
        case "grant", [_, member_id]:
            return f"<@{member_id}>: {_credit(*row.after.split())}"
        case "revoke", [_, member_id]:
            credit = say("{usd} credit revoked", usd=usd(int(row.before)))
            return f"<@{member_id}>: {credit}"
        case "reset", [_, member_id]:
            excused = say("{usd} no longer counts", usd=usd(int(row.before)))
            return f"<@{member_id}>: {excused}"
        case ("policy", _) | ("block", _) | ("job", _):
            return policy_words.act(row)
    was_and_is = zip(row.before.split(", "), row.after.split(", "), strict=True)
    changed = [f"{now} ({_was(was)})" for was, now in was_and_is if was != now]
    here, nothing = say("this server"), say("nothing")
    return f"{capital(here)}: {', '.join(changed) or nothing}"


def _credit(micro: str, expires_at: str = "") -> str:
    say = tongue()
    if not expires_at:  # without end, or noted before ends were
        return say("{usd} credit", usd=usd(int(micro)))
    when = f"<t:{int(expires_at) // 1000}:D>"
    return say("{usd} credit until {when}", usd=usd(int(micro)), when=when)


def _was(text: str) -> str:
    say = tongue()
    return say("was {was}", was=text)


def _written(measure: Measure, text: str) -> str:
    """Write a rule's value as the audit has it; "" where there was no rule."""
    match text:
        case "inherit":
            return ""
        case "unlimited":
            return value(measure, None)
    return value(measure, int(text))


def usage(found: Usage, name: str) -> Note:
    """Say what a server has spent over some days; the picture has the rest."""
    say = tongue()
    facts = [say("{usd} spent", usd=usd(sum(found.spent.values())))]
    if found.held_micro:
        facts.append(say("{usd} held", usd=usd(found.held_micro)))
    top = ", ".join(
        f"<@{share.member_id}> {usd(share.spent_micro)}" for share in found.shares[:_MOST_NAMED]
    )
    by = f"\n-# {top}" if top else ""
    title = say("📊 Spent {period}", period=say(name))
    return Note(title, f"{', '.join(facts)}.{by}", Tone.WORKING)


def exported(first: date, last: date, entries: int) -> Note:
    """Say what is in the file."""
    say = tongue()
    text = say(
        "{entries} entries from {first} to {last}. Amounts in dollars.",
        entries=entries,
        first=first.isoformat(),
        last=last.isoformat(),
    )
    return Note(say("🧾 This server's accounts"), text, Tone.WORKING)


# --- Refusals to admins --------------------------------------------------------------------------

NOT_ALLOWED = Note(
    mark("🙅 That's for moderators"),
    mark("You need Manage Server for this. Nothing was changed."),
    Tone.WARNING,
)
UNREADABLE = Note(
    mark("🔧 The accounts can't be read right now"),
    mark(
        "Until they can, no clip is accepted. Try again in a few minutes; if you were changing"
        " something, look first whether it was changed."
    ),
    Tone.WARNING,
)
OUTDATED = Note(
    mark("🔄 This command has changed"),
    mark("Your Discord still shows an older version of it. Restart Discord, then try again."),
    Tone.WARNING,
)
BROKEN = Note(
    mark("🔧 Something broke on my side"),
    mark(
        "It's been logged. If you were changing something, look whether it was changed before you"
        " try again."
    ),
    Tone.WARNING,
)
UNDRAWN = Note(
    mark("🔧 The picture could not be drawn"),
    mark("The figures are all there: try again, or get them with `/usage export`."),
    Tone.WARNING,
)


def unclear(option: str, allowed: str) -> Note:
    """Say that an option could not be read, and what it takes."""
    say = tongue()
    text = say(
        "`{option}` takes {allowed}. Nothing was changed.", option=say.name(option), allowed=allowed
    )
    return Note(say("⚙️ Can't read that"), text, Tone.WARNING)


def said(note: Note) -> Note:
    """Return one of the notes above in the language of who is answered."""
    say = tongue()
    return Note(say(note.title), say(note.body), note.tone)
