"""Coverage: the usage that no quota counts, and which rules would count it.

A call is under a quota if one applies to a principal that it counts to, and covers its model;
whether it denies or only notifies makes no difference. An exemption leaves usage without a limit on
purpose, so that is told apart.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from quota_enforcer.core.notices.amounts import count, dollars, exact, listed
from quota_enforcer.core.principal import PEOPLE, Kind, Principal
from quota_enforcer.core.quotas.precedence import Precedence, QuotaBook, Selection
from quota_enforcer.core.quotas.quota import Exemption, Quota
from quota_enforcer.core.quotas.subject import DEFAULT, Subject
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.place import NOWHERE_KNOWN, Place, PlaceScope

_NAMED = 3
"""Principals that the sentence names."""
_MANY = 2
"""From so many principals of a kind on, one rule for all of them is offered."""


class ChargedUse(NamedTuple):
    """Usage of one model, by all principals that it counts to: a role, then one of its sessions.

    `session` is whose it is where a log names it, whether a quota does or not, and `place` where it
    was made.
    """

    charged: tuple[Principal, ...]
    model: str
    counts: Counts
    session: Principal | None = None
    place: Place = NOWHERE_KNOWN


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of some usage no quota counts.

    `uncovered` is by principal, the dearest first. `exempt` is without a limit on purpose, and not
    in it. `sessions` are how many different ones a log names of a role. `elsewhere` says that a
    quota would count some of it if it had been used in another Region or account.
    """

    total: Counts = field(default_factory=Counts)
    uncovered: Mapping[Principal, Counts] = field(default_factory=dict)
    exempt: Counts = field(default_factory=Counts)
    sessions: Mapping[Principal, int] = field(default_factory=dict)
    elsewhere: bool = False

    @property
    def missed(self) -> Counts:
        return Counts.total(self.uncovered.values())

    @property
    def rules(self) -> tuple[str, ...]:
        """The subjects of the rules that would count all of it, as few as possible.

        Nothing can count `other/...` against a limit that blocks: no policy reaches them.
        """
        return tuple(_rules(self.uncovered))

    @property
    def words(self) -> str:
        """On one line."""
        if not self.total.requests:
            return "No call was counted, so none is without a quota."
        exempt = _exempt(self.exempt)
        missed = self.missed
        if not missed.requests:
            return f"Every call is under a quota{exempt}."
        used = self.total.requests
        share = f"{missed.requests * 100 // used} %" if missed.requests * 100 >= used else "< 1 %"
        return (
            f"Under no quota: {count(missed.requests, 'call')} of {used:,} ({share}) and "
            f"{dollars(missed.cost_usd)} of {dollars(self.total.cost_usd)}, by "
            f"{listed(list(map(str, self.uncovered)), _NAMED)}{exempt}. {_advice(self)}"
        )

    def to_json(self) -> dict[str, Any]:
        """For machines; dollars as exact text."""
        return {
            **_amounts(self.missed),
            "of_requests": self.total.requests,
            "of_cost_usd": exact(self.total.cost_usd),
            "exempt_requests": self.exempt.requests,
            "exempt_cost_usd": exact(self.exempt.cost_usd),
            "rules": list(self.rules),
            "principals": [
                {"principal": str(who), **_amounts(counts), "sessions": self.sessions.get(who)}
                for who, counts in self.uncovered.items()
            ],
        }


def coverage(uses: Iterable[ChargedUse], book: QuotaBook, now: datetime) -> Coverage:
    """What the rules that stand at one moment leave uncounted."""
    asked = _Asked(book, now)
    total: list[Counts] = []
    exempt: list[Counts] = []
    uncovered: defaultdict[Principal, list[Counts]] = defaultdict(list)
    sessions: defaultdict[Principal, set[Principal]] = defaultdict(set)
    elsewhere = False
    for charged, model, counts, session, place in uses:
        total.append(counts)
        several = [asked.of(each) for each in charged]
        if any(each.counts(model, place) for each in several):
            continue
        if any(each.exempt for each in several):
            exempt.append(counts)
        else:
            uncovered[charged[0]].append(counts)
            elsewhere |= any(each.counts(model, NOWHERE_KNOWN) for each in several)
            if session is not None:
                sessions[charged[0]].add(session)
    sums = {who: Counts.total(rows) for who, rows in uncovered.items()}
    ranked = sorted(sums, key=lambda who: (-sums[who].cost_usd, -sums[who].requests, who))
    return Coverage(
        Counts.total(total),
        {who: sums[who] for who in ranked if any(sums[who])},
        Counts.total(exempt),
        {role: len(several) for role, several in sessions.items()},
        elsewhere,
    )


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a principal's quotas count and where, and whether a quota's name is exempt."""

    scopes: frozenset[tuple[ModelScope, PlaceScope]]
    exempt: bool

    def counts(self, model: str, place: Place) -> bool:
        return any(scope.covers(model) and where.covers(place) for scope, where in self.scopes)


class _Asked:
    """What applies to each principal, asked once for all whom the same rules concern."""

    def __init__(self, book: QuotaBook, now: datetime) -> None:
        self._book = book
        self._now = now
        self._sessions = book.sessions
        self._known: dict[tuple[Subject, ...], _Limits] = {}

    def of(self, principal: Principal) -> _Limits:
        """A role's sessions are metered apart only from the day on that a quota names them."""
        asked, named = [principal], self._book.named_as(principal)
        if principal.kind is Kind.ROLE and Subject.sessions_of(principal) in self._sessions:
            asked.append(replace(principal, kind=Kind.SESSION, name=f"{principal.name}/-"))
            named = (*named, *self._book.named_as(asked[-1]))
        if named not in self._known:
            self._known[named] = self._limits(asked)
        return self._known[named]

    def _limits(self, asked: Sequence[Principal]) -> _Limits:
        principal = asked[0]
        rules = [
            each.rule
            for who in asked
            for each in self._book.candidates(who, self._now)
            if each.fate is Selection.APPLIES
            and (who is principal or each.nearness is Precedence.KIND)
        ]
        quotas = (rule for rule in rules if isinstance(rule, Quota))
        scopes = ((scope, quota.places) for quota in quotas for scope in quota.models)
        return _Limits(frozenset(scopes), any(isinstance(rule, Exemption) for rule in rules))


def _rules(uncovered: Iterable[Principal]) -> Iterator[str]:
    kinds = Counter(who.kind for who in uncovered)
    people = [kind for kind in PEOPLE if kinds[kind]]
    for who in uncovered:
        if who.kind in PEOPLE and sum(kinds[kind] for kind in people) < _MANY:
            yield str(who)
        if who.kind is Kind.ROLE and kinds[Kind.ROLE] < _MANY:
            yield str(who)
    if sum(kinds[kind] for kind in people) >= _MANY:
        yield DEFAULT if len(people) == len(PEOPLE) else f"{people[0]}/*"
    if kinds[Kind.ROLE] >= _MANY:
        yield f"{Kind.ROLE}/*"


def _advice(found: Coverage) -> str:
    """What to set, and what no rule can do."""
    said = []
    if found.rules:
        of = " and one for ".join(found.rules)
        every = "models, Regions and accounts" if found.elsewhere else "models"
        said.append(f"A quota for all {every} for {of} would cover it.")
    shared = [who for who in found.uncovered if found.sessions.get(who, _MANY) >= _MANY]
    roles = [who for who in shared if who.kind is Kind.ROLE]
    if roles:
        names = found.sessions.get(roles[0])
        share = (
            f"{names:,} session names share {roles[0]}" if names else "Where people share a role"
        )
        said.append(f"{share}: one for {Subject.sessions_of(roles[0])} limits each by itself.")
    if any(who.kind is Kind.OTHER for who in found.uncovered):
        said.append("No quota can deny other/...: they are root, federated or of other accounts.")
    return " ".join(said)


def _exempt(counts: Counts) -> str:
    if not counts.requests:
        return ""
    return f"; {count(counts.requests, 'call')} more ({dollars(counts.cost_usd)}) are exempt"


def _amounts(counts: Counts) -> dict[str, Any]:
    return {
        "requests": counts.requests,
        "cost_usd": exact(counts.cost_usd),
        "assumed_usd": exact(counts.assumed_usd),
    }
