"""Simulation: what quotas would have done to the calls of a log, decided by the core as always.

A replay takes the calls in the order of their time. It has one agenda of things to come: meter a
call once the ledger would know of it, look at a principal, let a deny come into force. Before each
call it does what is due.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from functools import cache, partial
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Quota, Rule, UsualHours, named_by
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import ModelScope, canonical_model
from quota_enforcer.core.usage.pace import DenyLag
from quota_enforcer.core.usage.place import EVERYWHERE, PlaceScope
from quota_enforcer.core.usage.window import hour_start, local_date
from quota_enforcer.decide.decision import decide
from quota_enforcer.decide.pace.usual import usual_hours, with_usual
from quota_enforcer.insight.simulate.growing import GrowingUsage, added
from quota_enforcer.meter.log.record import Counted

EVENTS = frozenset(
    {NoticeKind.WARNING, NoticeKind.BLOCKED, NoticeKind.RESTORED, NoticeKind.CHANGED}
)
"""The notices that say what happened to a principal."""

NO_LAG = DenyLag(Decimal(0), Decimal(0))

_NO_DENY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Delays:
    """How long everything takes; by default nothing does.

    `visible` says when the ledger knows of a call, `looked` at which moment the enforcer looks that
    is not before a given one, and `in_force` how long IAM takes to know of a deny or its end.
    """

    visible: Callable[[Counted], datetime] = lambda call: call.at
    looked: Callable[[datetime], datetime] = lambda moment: moment
    in_force: timedelta = timedelta(0)
    lag: DenyLag = NO_LAG
    """What a quota that avoids overshoot takes the sum of these for."""


@dataclass(slots=True)
class Simulated:
    """One principal's replay: the usage that went through, what was refused, and its notices."""

    used: Counts = field(default_factory=Counts)
    refused: Counts = field(default_factory=Counts)
    events: list[Notice] = field(default_factory=list)


SHARED = {Kind.SESSION, Kind.TEAM}
"""Whose calls count to their role or their members too."""


def refused(outcomes: Mapping[Principal, Simulated]) -> Counts:
    """All refused calls, each once."""
    return Counts.total(
        outcome.refused for who, outcome in outcomes.items() if who.kind not in SHARED
    )


def people_refused(outcomes: Mapping[Principal, Simulated]) -> int:
    """How many had a call refused."""
    several = (who for who, outcome in outcomes.items() if outcome.refused.requests)
    return sum(who.kind not in SHARED for who in several)


class Observer(Protocol):
    """Sees what the outcome does not keep."""

    def arrived(
        self, call: Counted, counts: Counts, principals: Sequence[Principal], *, refused: bool
    ) -> None:
        """A call with its cost, and all whom it counts to."""

    def looked(self, principal: Principal, quotas: Sequence[Quota], now: datetime) -> None:
        """The quotas that somebody is held against from now on, with what is usual of them."""

    def closed(self, principal: Principal, scopes: Collection[str], now: datetime) -> None:
        """All that IAM refuses somebody from now on."""


class _Unseen:
    """Observes nothing."""

    def arrived(
        self, call: Counted, counts: Counts, principals: Sequence[Principal], *, refused: bool
    ) -> None: ...

    def looked(self, principal: Principal, quotas: Sequence[Quota], now: datetime) -> None: ...

    def closed(self, principal: Principal, scopes: Collection[str], now: datetime) -> None: ...


class _Step(IntEnum):
    """What is done first if several things are due at one instant."""

    METER = 0
    LOOK = 1
    IN_FORCE = 2


_Whose = Principal | frozenset[Principal]
"""Whose usage: a principal's, or that of all who share a pool together."""
_Filled = tuple[_Whose, PlaceScope]
"""Which buckets: of what they used in these places."""


class _Use(NamedTuple):
    """What a call adds, to which buckets, and which principals are decided about for it."""

    filled: tuple[_Filled, ...]
    principals: tuple[Principal, ...]
    model: str
    at: datetime
    counts: Counts


_OfDay = tuple[Principal, Quota, date]
_Due = tuple[datetime, _Step, int, Callable[[datetime], None]]


class Replay:
    """A replay under way."""

    def __init__(
        self,
        rules: Sequence[Rule],
        price: Callable[[Counted], Cost],
        zone: ZoneInfo,
        delays: Delays,
        observer: Observer,
    ) -> None:
        self._observer = observer
        self._book = book = QuotaBook(rules)
        self._price = price
        self._zone = zone
        self._delays = delays
        self.outcomes: defaultdict[Principal, Simulated] = defaultdict(Simulated)
        new_buckets = partial(GrowingUsage, by_the_minute=bool(book.minutes))
        self._buckets: defaultdict[_Filled, GrowingUsage] = defaultdict(new_buckets)
        self._standings: defaultdict[Principal, Standing] = defaultdict(Standing)
        self._denied: dict[Principal, frozenset[str]] = {}
        self._agenda: list[_Due] = []
        self._number = count()
        self._looks: set[tuple[datetime, Principal]] = set()
        self._usual: dict[_OfDay, UsualHours] = {}
        self._charged = cache(book.charged)
        self._teams = cache(lambda principal: tuple(book.pools_of(principal)))
        self._pools = cache(lambda charged: _pools(book, charged))
        self._model = cache(canonical_model)
        self._accounts = frozenset(each.account for each in named_by(rules)) - {""}
        self._scopes = {EVERYWHERE, *(rule.places for rule in rules if isinstance(rule, Quota))}

    def begin(self, calls: Sequence[Counted], named: set[Principal]) -> None:
        """Look at everybody as the first call comes: a limit of 0 blocks before any use."""
        for principal in sorted(named.union(*map(self._everybody, calls))):
            self._look_at(calls[0].at, principal)

    def catch_up(self, now: datetime) -> None:
        """Do all that is due until now, and what that makes due."""
        while self._agenda and self._agenda[0][0] <= now:
            when, _, _, act = heappop(self._agenda)
            act(when)

    def arrive(self, call: Counted) -> None:
        """Let a call through or refuse it, as IAM would at this moment."""
        cost = self._price(call)
        counts = cost.charged_to(call.counts)
        model = self._model(call.model_id)
        charged, principals = self._charged(call.identity), self._everybody(call)
        refused = any(self._is_denied(principal, model) for principal in charged)
        for principal in principals:
            outcome = self.outcomes[principal]
            if refused:
                outcome.refused = added(outcome.refused, counts)
            else:
                outcome.used = added(outcome.used, counts)
        self._observer.arrived(call, counts, principals, refused=refused)
        if not refused:
            scopes = [each for each in self._scopes if each.covers(call.place)]
            whose: list[_Whose] = [*charged, *self._pools(charged)]
            filled = tuple((each, scope) for each in whose for scope in scopes)
            use = _Use(filled, principals, model, call.at, counts)
            self._plan(self._delays.visible(call), _Step.METER, lambda now: self._meter(use, now))

    def _meter(self, use: _Use, now: datetime) -> None:
        hour, day = hour_start(use.at, self._zone), local_date(use.at, self._zone)
        looked = self._delays.looked(now)
        for filled in use.filled:
            self._buckets[filled].add(use.model, use.at, hour, day, use.counts)
        for principal in use.principals:
            self._look_at(looked, principal)

    def _look(self, principal: Principal, now: datetime) -> None:
        self._looks.discard((now, principal))
        applicable, context = (
            self._book.applicable_to(principal, now),
            self._context(principal, now),
        )
        if applicable.asks_what_is_usual:
            applicable = with_usual(principal, applicable, self, context)
        self._observer.looked(principal, applicable.quotas, now)
        decision = decide(
            principal,
            applicable,
            self._buckets[principal, EVERYWHERE].usage,
            self._standings[principal],
            context,
            {
                quota.id: self._buckets[self._whose(quota, principal), quota.places].usage
                for quota in applicable.quotas
                if quota.pooled or quota.places != EVERYWHERE
            },
        )
        self._standings[principal] = decision.standing
        if decision.denies_changed:
            for member in self._book.pools.get(principal, ()):
                self._look_at(now, member)
        told = [notice for notice in decision.notices if notice.kind in EVENTS]
        if told:
            self.outcomes[principal].events += told
        if decision.standing.denied != decision.before.denied:
            denied = decision.standing.denied
            self._plan(
                now + self._delays.in_force,
                _Step.IN_FORCE,
                lambda when: self._close(principal, denied, when),
            )
        if decision.standing.due is not None:
            self._look_at(self._delays.looked(decision.standing.due), principal)

    def _close(self, principal: Principal, denied: frozenset[str], now: datetime) -> None:
        self._denied[principal] = denied
        self._observer.closed(principal, denied, now)

    def usual(
        self, principal: Principal, quotas: Collection[Quota], context: Context
    ) -> Mapping[str, UsualHours]:
        """What is usual of somebody, by what went through before today."""
        today = local_date(context.now, self._zone)
        for quota in quotas:
            if (principal, quota, today) not in self._usual:
                usage = self._buckets[principal, quota.places].usage
                self._usual[principal, quota, today] = usual_hours(quota, usage, context)
        return {quota.id: self._usual[principal, quota, today] for quota in quotas}

    def _context(self, principal: Principal, now: datetime) -> Context:
        """As where there are gates, and satellites in all accounts that anything is said of."""
        reached = self._accounts | ({principal.account} - {""})
        return Context(
            now, self._zone, Mode.ENFORCE, gated=True, reached=reached, lag=self._delays.lag
        )

    def _whose(self, quota: Quota, principal: Principal) -> _Whose:
        return self._book.contributors[quota.id] if quota.pooled else principal

    def _look_at(self, when: datetime, principal: Principal) -> None:
        if (when, principal) not in self._looks:
            self._looks.add((when, principal))
            self._plan(when, _Step.LOOK, lambda now: self._look(principal, now))

    def _plan(self, when: datetime, step: _Step, act: Callable[[datetime], None]) -> None:
        heappush(self._agenda, (when, step, next(self._number), act))

    def _everybody(self, call: Counted) -> tuple[Principal, ...]:
        """The principals that a call counts to, with the teams that share a quota."""
        charged = self._charged(call.identity)
        teams = (team for principal in charged for team in self._teams(principal))
        return (*charged, *dict.fromkeys(teams))

    def _is_denied(self, principal: Principal, model: str) -> bool:
        denied = self._denied.get(principal, _NO_DENY)
        return any(ModelScope(pattern).covers(model) for pattern in denied)


def _pools(book: QuotaBook, charged: tuple[Principal, ...]) -> tuple[frozenset[Principal], ...]:
    """The pools that a call draws on, as those who share one; a call counts in each once."""
    return tuple(
        {
            contributors
            for contributors in book.contributors.values()
            if contributors.intersection(charged)
        }
    )


INSTANT = Delays()
UNSEEN: Observer = _Unseen()


def simulate(
    calls: Iterable[Counted],
    rules: Iterable[Rule],
    price: Callable[[Counted], Cost],
    zone: ZoneInfo,
    delays: Delays = INSTANT,
    observer: Observer = UNSEEN,
) -> Mapping[Principal, Simulated]:
    """Replay the calls in the order of their time against rules in force from the first call on.

    A call that arrives while one of those it counts to is denied for its model is refused and not
    counted. Everybody in the log is known from its beginning, gates and satellites are in place,
    and nothing holds a block back. Resets and the ends of raises happen at their own instants, up
    to the last call.
    """
    ordered = sorted(calls, key=lambda call: call.at)
    several = list(rules)
    if any(rule.groups for rule in several):
        known = {each for call in ordered for each in call.identity if each is not None}
        several = [rule.among(known) for rule in several]
    replay = Replay(several, price, zone, delays, observer)
    if ordered:
        replay.begin(ordered, named_by(several))
    for call in ordered:
        replay.catch_up(call.at)
        replay.arrive(call)
    if ordered:
        replay.catch_up(ordered[-1].at)
    return dict(sorted(replay.outcomes.items()))
