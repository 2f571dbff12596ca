"""Review: what valid quotas say that an admin may not have meant; remarks, never errors."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from quota_enforcer.core.errors import did_you_mean_any, near_names
from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Action, LeadRaise, Pause, Quota, Rule, Team
from quota_enforcer.core.quotas.subject import Subject, covering
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.place import EVERYWHERE, Place

_NAMED = 3
"""Principals that a warning names."""
_SUGGESTED = 5
"""For how many unseen names a near one is looked for, each time among all that are known."""


class LintCode(StrEnum):
    """What may not have been meant."""

    UNKNOWN_TO_IAM = "unknown_to_iam"
    COVERS_NOBODY = "covers_nobody"
    UNSEEN_MEMBER = "unseen_member"
    NEVER_APPLIES = "never_applies"
    COUNTS_LESS = "counts_less"
    COUNTS_NOTHING = "counts_nothing"
    CLOSES_UNWARNED = "closes_unwarned"
    CLOSES_UNCOUNTED = "closes_uncounted"
    STANDS_TWICE = "stands_twice"
    MEMBERS_DIFFER = "members_differ"
    NO_END = "no_end"
    ENDED = "ended"
    RAISES_NOTHING = "raises_nothing"


@dataclass(frozen=True, slots=True)
class LintWarning:
    """Something about one rule that may not be meant; `words` follow its name in a sentence."""

    code: LintCode
    subject: str
    name: str
    words: str


NO_ONE: Mapping[Principal, str] = {}


def review(
    rules: Iterable[Rule],
    known: Collection[Principal],
    now: datetime,
    unknown: Mapping[Principal, str] = NO_ONE,
    metered: Collection[Place] = (),
) -> list[LintWarning]:
    """Every warning, by subject and name.

    `known` are the principals that the ledger has; while it has none, it is not looked at whom a
    rule covers. `unknown` are those whom IAM does not know, with what it says of them. `metered`
    are home's place and those of satellites; without any, places are not looked at.
    """
    every = list(rules)
    several = [rule for rule in every if not isinstance(rule, (LeadRaise, Pause))]
    standing = [rule for rule in several if rule.stands(now)]
    found = [
        LintWarning(LintCode.ENDED, rule.subject, rule.name, "has ended and does nothing any more")
        for rule in several
        if not rule.stands(now)
    ]
    if known:
        found += _nobody(standing, known, set(map(str, unknown)))
    found += [
        LintWarning(
            LintCode.UNKNOWN_TO_IAM,
            rule.subject,
            rule.name,
            f"names {each}, but {unknown[each]}",
        )
        for rule in standing
        for each in sorted(_principals(rule) & unknown.keys())
    ]
    found += [*_twice(standing), *_shadowed(standing), *_beaten(standing), *_teams(standing)]
    found += [*_counting_less(standing), *_closing(standing), *_raising_nothing(every, now)]
    if metered:
        found += _counting_nothing(standing, sorted(metered))
    found += [
        LintWarning(
            LintCode.NO_END, rule.subject, rule.name,
            "has limit 0 and no `until`: it blocks until somebody removes it",
        )
        for rule in standing
        if isinstance(rule, Quota) and _blocks_always(rule) and rule.until is None
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each.subject, each.name, each.code, each.words))


def _principals(rule: Rule) -> set[Principal]:
    """Whom it names one by one."""
    several = {Subject(each) for each in rule.members or (rule.subject,)}
    return {each.principal() for each in several if not each.is_group}


def _blocks_always(quota: Quota) -> bool:
    return not quota.limit and quota.action is Action.DENY


def _nobody(
    rules: Iterable[Rule], known: Collection[Principal], unknown: Collection[str]
) -> Iterator[LintWarning]:
    """Rules for nobody who has used Bedrock, and members who have not."""
    names = {str(principal) for principal in known}
    suggest = _Suggestions(names)
    for rule in rules:
        for member in rule.members:
            if member in rule.groups:
                words = f"has the members {member}, of whom nobody has used Bedrock yet"
                unseen = not any(Subject(member).covers(principal) for principal in known)
            else:
                words = f"has the member {member}, who has not used Bedrock yet"
                unseen = member not in names and member not in unknown
                words += suggest(member) if unseen else ""
            if unseen:
                yield LintWarning(LintCode.UNSEEN_MEMBER, rule.subject, rule.name, words)
        if rule.members or rule.subject in names or rule.subject in unknown:
            continue
        if not rule.subject.is_group:
            words = f"covers nobody who has used Bedrock yet{suggest(rule.subject)}"
        elif any(rule.subject.covers(principal) for principal in known):
            continue
        else:
            words = "covers nobody who has used Bedrock yet"
        yield LintWarning(LintCode.COVERS_NOBODY, rule.subject, rule.name, words)


def _raising_nothing(rules: Sequence[Rule], now: datetime) -> Iterator[LintWarning]:
    """Raises of leads that are without effect: asked of the book that applies them."""
    raises = [rule for rule in rules if isinstance(rule, LeadRaise) and rule.stands(now)]
    if not raises or len(raises) == len(rules):
        return
    book = QuotaBook(rules)
    for each in raises:
        [member] = each.members
        held = book.applicable_to(Principal.parse(member), now).quotas
        raised = {(quota.subject, quota.name) for quota in held if quota.raised_by_lead}
        if (each.team, each.quota) not in raised:
            words = (
                f"raises nothing: {member} is held to no quota {each.quota} of {each.team} whose "
                "leads_raise_to is above its limit"
            )
            yield LintWarning(LintCode.RAISES_NOTHING, each.subject, each.name, words)


class _Suggestions:
    """`; did you mean user/alice?`, for the first few that ask."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._left = _SUGGESTED

    def __call__(self, unseen: str) -> str:
        self._left -= 1
        meant = did_you_mean_any(near_names(unseen, self._names)) if self._left >= 0 else ""
        return meant and f"; {meant}"


def _twice(rules: Iterable[Rule]) -> Iterator[LintWarning]:
    """Two items may spell one person of Identity Center differently."""
    times: defaultdict[tuple[str, str], int] = defaultdict(int)
    for rule in rules:
        times[rule.subject, rule.name] += 1
    for (subject, name), count in times.items():
        if count > 1:
            words = f"stands {count} times, in different spellings: the strictest of them decides"
            yield LintWarning(LintCode.STANDS_TWICE, subject, name, words)


def _shadowed(rules: Iterable[Rule]) -> Iterator[LintWarning]:
    """Rules that a nearer one of the same name replaces for everybody they cover."""
    several = list(rules)
    by_key: dict[tuple[str, str], Rule] = {(rule.subject, rule.name): rule for rule in several}
    for rule in several:
        nearer = rule.members or rule.subject.parts
        if rule.groups:  # a team is nearer than those
            continue
        if nearer and all(_outlasts(by_key.get((each, rule.name)), rule) for each in nearer):
            words = (
                f"never applies: there is a nearer one of that name for {listed(nearer, _NAMED)}"
            )
            yield LintWarning(LintCode.NEVER_APPLIES, rule.subject, rule.name, words)


def _outlasts(nearer: Rule | None, rule: Rule) -> bool:
    if nearer is None:
        return False
    return nearer.until is None or (rule.until is not None and rule.until <= nearer.until)


def _beaten(rules: Iterable[Rule]) -> Iterator[LintWarning]:
    """A principal's quotas that block nothing which another of theirs has not blocked before."""
    alike: defaultdict[object, list[Quota]] = defaultdict(list)
    for rule in rules:
        if isinstance(rule, Quota) and _is_one(rule) and rule.action is Action.DENY:
            counts = (rule.measure, rule.weights, rule.window, rule.models, rule.places)
            closes = (rule.denies, rule.stages)
            denies = (closes, rule.unknown_prices, rule.overshoot, rule.unusual)
            alike[rule.subject, counts, denies].append(rule)
    for several in alike.values():
        lasting = [each for each in several if each.until is None and each.raise_to is None]
        strictest = min(lasting, key=lambda each: each.limit, default=None)
        for each in several:
            if strictest is not None and each.limit > strictest.limit:
                words = f"never blocks: {strictest.name} counts the same and has a lower limit"
                yield LintWarning(LintCode.NEVER_APPLIES, each.subject, each.name, words)


def _counting_less(rules: Iterable[Rule]) -> Iterator[LintWarning]:
    """Quotas of some places that replace one of all of them, so that the rest has no limit."""
    several = list(rules)
    by_key = {(rule.subject, rule.name): rule for rule in several}
    for rule in several:
        if not isinstance(rule, Quota) or rule.places == EVERYWHERE:
            continue
        farther = {(subject, rule.name) for subject in _farther(rule)}
        for key in sorted(farther & by_key.keys()):
            replaced = by_key[key]
            if isinstance(replaced, Quota) and replaced.places != rule.places:
                words = (
                    f"counts only what is used {rule.places}, and replaces that of "
                    f"{replaced.subject} everywhere; under another name both count"
                )
                yield LintWarning(LintCode.COUNTS_LESS, rule.subject, rule.name, words)


def _closing(rules: Iterable[Rule]) -> Iterator[LintWarning]:
    """Quotas that close a model without a warning, or nothing of what they count."""
    for rule in rules:
        if not isinstance(rule, Quota):
            continue
        if rule.stages and rule.warn_at and min(rule.warn_at) >= rule.stages[0].percent:
            words = (
                f"closes {rule.stages[0]}, and warns of nothing before: set warn_at below "
                f"{rule.stages[0].percent}"
            )
            yield LintWarning(LintCode.CLOSES_UNWARNED, rule.subject, rule.name, words)
        if not any(_overlap(closed, each) for closed in rule.denies for each in rule.models):
            words = (
                f"counts {listed(list(map(str, rule.models)), _NAMED)} and closes "
                f"{rule.closed_words}: whoever has used it up goes on"
            )
            yield LintWarning(LintCode.CLOSES_UNCOUNTED, rule.subject, rule.name, words)


def _overlap(one: ModelScope, other: ModelScope) -> bool:
    """Whether a model can be of both; of patterns what stands before their first `*` tells."""
    if "*" not in one.pattern or "*" not in other.pattern:
        return one.includes(other) or other.includes(one)
    begin, begins = (each.pattern.partition("*")[0] for each in (one, other))
    return begin.startswith(begins) or begins.startswith(begin)


def _counting_nothing(rules: Iterable[Rule], metered: Sequence[Place]) -> Iterator[LintWarning]:
    """Quotas of places of which nothing is metered."""
    for rule in rules:
        if isinstance(rule, Quota) and not any(map(rule.places.covers, metered)):
            words = (
                f"counts what is used {rule.places}, and nothing is metered there; metered "
                f"{'is' if len(metered) == 1 else 'are'} {listed(list(map(str, metered)), _NAMED)}"
            )
            yield LintWarning(LintCode.COUNTS_NOTHING, rule.subject, rule.name, words)


def _farther(rule: Rule) -> Iterator[Subject]:
    """The groups whose rules of that name this one replaces for some of whom it covers."""
    for each in rule.members or rule.subject.parts or (rule.subject,):
        chain = covering(Subject(each).somebody)
        here = chain.index(rule.subject) if rule.subject in chain else 0
        yield from chain[here + 1 :]


def _is_one(rule: Rule) -> bool:
    """Whether nothing can be nearer: it is for one principal itself."""
    return not rule.members and not rule.subject.is_group


def _teams(rules: Iterable[Rule]) -> Iterator[LintWarning]:
    """Teams whose quotas name different members."""
    teams: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        if rule.members:
            teams[rule.subject].append(rule)
    for several in teams.values():
        first, *others = sorted(several, key=lambda rule: not isinstance(rule, Team))
        own = f"; without members of its own it takes those of {first.subject}"
        for each in others:
            if set(each.members) != set(first.members):
                words = f"names other members than {first.name} of the same team"
                words += own if isinstance(first, Team) else ""
                yield LintWarning(LintCode.MEMBERS_DIFFER, each.subject, each.name, words)
