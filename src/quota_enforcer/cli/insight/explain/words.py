"""An explanation as people read it: for each quota name its rules, its facts and its sum."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from quota_enforcer.cli.insight.explain.verdict import Fact, amount, facts
from quota_enforcer.cli.insight.status.rows import denied_words, standing_words
from quota_enforcer.cli.terminal.output import hint, say, say_facts
from quota_enforcer.cli.terminal.tables import styled
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.core.principal import Kind
from quota_enforcer.core.quotas.describe import named
from quota_enforcer.core.quotas.precedence import Candidate, Precedence, Selection
from quota_enforcer.core.quotas.quota import Exemption, Quota, Rule, Share
from quota_enforcer.core.usage.counts import NO_MONEY, Number
from quota_enforcer.core.usage.window import Unit
from quota_enforcer.insight.explain import BucketAmount, Explained, Name, Summed

NEWEST = 12
"""Buckets shown; what is older is folded into one line."""
_INDENT = 2
_KNOWN = 10
"""Members named of those whom a group brings into a team."""
_FROM = {
    Precedence.ITSELF: "for itself",
    Precedence.TEAM: "for its team",
    Precedence.KIND: "for its kind",
    Precedence.ACCOUNT: "for its account",
    Precedence.DEFAULT: "for all people",
}


def say_explained(
    found: Explained, teams: Iterable[Rule], context: Context, *, everything: bool
) -> None:
    principal = found.record.principal
    table = [summed.row for name in found.names for summed in name.sums]
    words = standing_words(found.record, table, context)
    if principal.kind is Kind.TEAM and not table:
        words = "no pool, so each member by itself has the team's quotas"
    say(Text.assemble((str(principal), "bold"), f": {words}"))
    for fact in _standing(found, teams, context):
        say(fact)
    if not found.names and principal.kind is not Kind.TEAM:
        say("No quota covers it, so nothing can block it.")
    for name in found.names:
        say("")
        _say_name(name, found, context, everything=everything)
    if found.unreadable:
        several = "item names" if found.unreadable == 1 else "items name"
        hint(f"{found.unreadable} invalid {several} nobody: see quota-enforcer quota list")


def _standing(found: Explained, teams: Iterable[Rule], context: Context) -> Iterator[str]:
    """Facts about the principal as a whole."""
    standing, principal = found.standing, found.record.principal
    if standing.denied and not found.record.trouble:
        yield f"It is denied {denied_words(standing.denied)}: {standing.reason}."
    if principal.kind is Kind.SESSION:
        yield f"Its calls count to {principal.of_role} too, whose quotas hold for it as well."
    for rule in teams:
        shares = "share" if rule.share is Share.POOL else "each have"
        ended = "" if rule.stands(context.now) else ", which has ended"
        yield f"Its members {shares} {named(rule)}{ended}; they are {_members(rule)}."


def _members(rule: Rule) -> str:
    known = [each for each in rule.members if each not in rule.groups]
    if not rule.groups:
        return ", ".join(known)
    found = f", so far {listed(known, _KNOWN)}" if known else ", so far nobody"
    return f"everybody of {', '.join(sorted(rule.groups))}{found}"


def _say_name(name: Name, found: Explained, context: Context, *, everything: bool) -> None:
    for place, summed in enumerate(name.sums):
        if place:
            say("")
        state = styled(summed.row.state)
        say(Text.assemble(("Quota ", "bold"), (name.name, "bold"), ": ", state))
        rule = rule_facts(summed, name, context)
        say_facts([*rule, *facts(summed, found.standing, context)], _INDENT)
        _say_sum(summed, context, everything=everything)
    if not name.sums:
        words = "exempt, so there is no limit" if name.exempt else "none in force"
        say(Text.assemble(("Quota ", "bold"), (name.name, "bold"), ": ", (words, "dim")))
        say_facts(other_facts(name, context), _INDENT)


def rule_facts(summed: Summed, name: Name, context: Context) -> Iterator[Fact]:
    """The rule that the quota comes from, and the rules that it replaces."""
    quota = summed.verdict.quota
    here = next(each for each in name.candidates if each.rule == quota)
    others = [each for each in name.fated(Selection.APPLIES) if each is not here]
    words = f"{_subject(here)}, {_FROM[here.nearness]}"
    if others:
        teams = ", ".join(each.rule.subject for each in others)
        words += f"; so does that of {teams}: of several teams all count"
    yield "Rule", words
    yield from other_facts(name, context)


def other_facts(name: Name, context: Context) -> Iterator[Fact]:
    """The rules and items that do not apply, each with why."""
    for candidate in name.candidates:
        rule = candidate.rule
        invalid = name.invalid(rule.subject)
        if candidate.fate is Selection.APPLIES and isinstance(rule, Exemption):
            until = (
                "" if rule.until is None else f" until {wording.moment(rule.until, context.zone)}"
            )
            yield "Rule", f"{_subject(candidate)}, {_FROM[candidate.nearness]}: exempt{until}"
        elif candidate.fate is Selection.REPLACED:
            winners = ", ".join(each.rule.subject for each in name.fated(Selection.APPLIES))
            yield "Replaces", f"{named(rule)}; {winners} is nearer"
        elif candidate.fate is Selection.ENDED:
            yield "Ended", f"{named(rule)}; it ended {wording.moment(rule.until, context.zone)}"
        if invalid is not None:
            yield "Not valid", f"the item of {invalid.subject}: {_problems(invalid.problems)}"
            yield "", f"{invalid.instead}: it is the one shown"
    known = {candidate.rule.subject for candidate in name.candidates}
    for state in name.items:
        if state.problems and state.subject not in known:
            yield "Not valid", f"the item of {state.subject}: {_problems(state.problems)}"
            yield "", state.instead
        elif not state.problems:
            yield "Disabled", f"the item of {state.subject}"


def _subject(candidate: Candidate) -> str:
    return candidate.rule.subject


def _problems(problems: Sequence[str]) -> str:
    return "; ".join(problems)


def _say_sum(summed: Summed, context: Context, *, everything: bool) -> None:
    """Bucket by bucket with the sum so far; and by model and member where there are several."""
    quota, parts = summed.verdict.quota, summed.parts
    shown = parts.buckets if everything else parts.buckets[-NEWEST:]
    folded = parts.buckets[: len(parts.buckets) - len(shown)]
    unit = parts.bucket.capitalize()
    made = _table(unit, _measure(quota), "Sum")
    total = sum((part.number for part in folded), 0 * NO_MONEY if quota.measure.fractional else 0)
    if folded:
        label = f"{len(folded)} earlier {unit.lower()}{'s' if len(folded) > 1 else ''} (--all)"
        made.add_row(label, amount(total, quota), amount(total, quota))
    for part in shown:
        total += part.number
        start = _start(part, context, parts.bucket)
        made.add_row(start, amount(part.number, quota), amount(total, quota))
    if parts.buckets:
        _say_indented(made)
    if len(parts.models) > 1 or parts.elsewhere:
        _say_parts("Model", parts.models, parts.elsewhere, quota)
    if len(parts.places) > 1 or parts.other_places:
        _say_parts("Place", parts.places, parts.other_places, quota)
    if summed.members:
        by_member = _table("Member", _measure(quota))
        for member, number in summed.members.items():
            by_member.add_row(member, amount(number, quota))
        _say_indented(by_member)


def _say_parts(
    head: str, counted: Mapping[str, Number], others: Mapping[str, Number], quota: Quota
) -> None:
    made = _table(head, _measure(quota))
    for name, number in sorted(counted.items(), key=lambda each: -each[1]):
        made.add_row(name, amount(number, quota))
    for name, number in others.items():
        made.add_row(Text(f"{name} (not counted)", "dim"), Text(amount(number, quota), "dim"))
    _say_indented(made)


def _measure(quota: Quota) -> str:
    words = quota.measure.words
    return words[0].upper() + words[1:]


def _start(part: BucketAmount, context: Context, bucket: Unit) -> str:
    return (
        wording.moment(part.start, context.zone)
        if bucket is not Unit.DAY
        else f"{part.start.astimezone(context.zone):%a %Y-%m-%d}"
    )


def _table(first: str, *numbers: str) -> Table:
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    made.add_column(first, overflow="fold")
    for name in numbers:
        made.add_column(name, justify="right", overflow="fold")
    return made


def _say_indented(made: Table) -> None:
    say("")
    say(Padding(made, (0, 0, 0, _INDENT), expand=False))
