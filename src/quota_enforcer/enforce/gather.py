"""Whom to look at in a sweep, at a wake or after an edit, and what IAM denies them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from quota_enforcer.core.deployment import SETTLING, Context, Settings
from quota_enforcer.core.ledger import (
    GateIntent,
    GateIntentReads,
    Record,
    SweepState,
)
from quota_enforcer.core.principal import GATED, Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Pause, pause_of
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.headroom import fingerprint
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.pace import DenyLag
from quota_enforcer.core.usage.reads import Called, Woken
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start, local_date
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.enforce.ports import Denies, Headrooms, KeptHeadroom, Standings, Unseen
from quota_enforcer.enforce.rules_cache import CachedRules
from quota_enforcer.meter.cloudwatch.meter import MeterRun

if TYPE_CHECKING:
    from quota_enforcer.core.quotas.quota import Quota
    from quota_enforcer.core.usage.headroom import Headroom

NOTHING: frozenset[str] = frozenset()
"""No model scope."""
HOME: frozenset[str] = frozenset({""})
"""The home account alone."""
REFUSED_AFTER = timedelta(minutes=5)
"""So long after a deny IAM refuses everywhere, and clocks differ by less."""
SURELY_REFUSED_AFTER = timedelta(hours=1)
"""So long after a deny no call can have begun before it."""


@dataclass(frozen=True, slots=True)
class SweepInput:
    """What is known before anything is decided."""

    rules: RuleSet
    context: Context
    wanted: frozenset[Principal]
    """Whom to look at."""
    state: SweepState
    settings_changed: bool
    """Whether no sweep has acted on the present settings yet."""
    attached: Mapping[Principal, frozenset[str]] | None = None
    """The scopes that IAM denies at present; None if IAM was not asked."""
    gates: Mapping[Principal, GateIntent] | None = None
    """What the gates were asked to deny; None if the ledger was not asked."""
    listed: frozenset[str] = HOME
    """The accounts that `attached` is of."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """The member accounts that IAM was asked about in vain, and why."""
    unseen: Mapping[str, frozenset[Principal]] = field(default_factory=dict)
    """By mark who used something that nobody had looked at; of a wake its own marks."""
    confirmed: bool = False
    """An admin's word that the breaker need not hold."""

    called: Called = field(default_factory=dict)
    """When whoever is woken called which model last."""
    passing: tuple[Record, ...] = ()
    """The records of those among them who are denied something."""
    asked: Mapping[Principal, frozenset[str]] = field(default_factory=dict)
    """What IAM denies the users and roles among those."""
    roomy: Mapping[Principal, Usage] = field(default_factory=dict)
    """Who was woken and need not be looked at: nothing changes yet by what they used today."""
    renewable: Mapping[Principal, str] = field(default_factory=dict)
    """Whose headroom may be kept, over which token."""
    doubted: frozenset[Principal] = frozenset()
    """Those at a wake of whom it is doubted that what the ledger says is in force."""

    @property
    def paused(self) -> bool:
        """Whether nobody new is blocked for the moment."""
        return pause_of(self.rules.rules, self.context.now) is not None

    @property
    def asked_everywhere(self) -> bool:
        """Whether IAM was asked in every member account, as once an hour."""
        return self.context.reached <= self.listed | self.unread.keys()

    @property
    def partial(self) -> bool:
        """A wake or an edit: to find what others changed in IAM is the schedule's."""
        return self.attached is None

    def seen(self, *, but: Collection[Principal]) -> dict[str, frozenset[Principal]]:
        """The marks that need not stay as they are, and whom each must go on marking.

        That are those of `but` and whoever was not looked at; one mark of somebody is enough, so
        that whoever fails again and again does not gather marks.
        """
        looked = (self.wanted | self.roomy.keys()) - frozenset(but)
        marked = frozenset[Principal]()
        left = {}
        for mark, users in sorted(self.unseen.items()):
            stay = users - looked - marked
            marked |= stay
            if stay != users:
                left[mark] = stay
        return left

    def denied(self, record: Record) -> frozenset[str]:
        """What IAM denies somebody; where it was not asked, what the ledger says was brought about.

        A wake does not ask, and a sweep asks in member accounts once an hour.
        """
        if self.attached is not None and record.principal.account in self.listed:
            return self.attached.get(record.principal, NOTHING)
        if record.principal in self.asked:
            return self.asked[record.principal]
        return NOTHING if record.trouble or record.intended is not None else record.standing.denied

    def doubts(self, record: Record) -> bool:
        """Whether somebody called what had been denied for so long that IAM should have refused.

        Once IAM was asked, only calls that are as much later are a reason to ask again. Then the
        deny was taken off; that a call is over late is no reason, since it is dated by its begin.
        """
        return self.attached is None and self._called_since(record, REFUSED_AFTER) is not None

    def unheeded(self, records: Iterable[Record]) -> tuple[str, ...]:
        """Of which denies it is known that they are attached, and calls pass them all the same."""
        found = []
        for record in records:
            denied, call = record.standing.denied, self._called_since(record, SURELY_REFUSED_AFTER)
            gate = record.principal.kind in GATED
            if call is not None and not gate and denied <= self.asked.get(record.principal, denied):
                model, at = call
                found.append(
                    f"{record.principal} called {model} at {at:%Y-%m-%dT%H:%M:%SZ}, although the "
                    f"deny of {', '.join(sorted(denied))} is attached: see `quota-enforcer "
                    "doctor`, which reads what the deny says"
                )
        return tuple(found)

    @property
    def measured(self) -> DenyLag:
        """The lag with what a wake's calls say of it.

        How old they are is what it takes until somebody looks. One of a model that was denied by
        then says how long IAM let it pass; one as late as REFUSED_AFTER is another matter.
        """
        now = self.context.now
        ages = sorted(now - max(calls.values()) for calls in self.called.values() if calls)
        passed = [
            at - record.standing.since
            for record in self.passing
            if record.standing.since is not None
            for at in self._passing(record)
            if timedelta() < at - record.standing.since < REFUSED_AFTER
        ]
        return self.context.lag.measured(
            _seconds(ages[len(ages) // 2]) if ages else None,
            _seconds(max(passed)) if passed else None,
        )

    def _passing(self, record: Record) -> Iterator[datetime]:
        """When somebody called what the ledger says is denied."""
        scopes = [ModelScope(each) for each in record.standing.denied]
        for model, at in self.called.get(record.principal, {}).items():
            if any(scope.covers(model) for scope in scopes):
                yield at

    def drift(self, record: Record, tried: frozenset[str] = NOTHING) -> tuple[str, ...]:
        """What somebody else attached or detached, in words; an unfinished apply is none.

        `tried` may have been attached by ourselves.
        """
        since = record.standing.since
        young = since and since > self.context.now - SETTLING
        if record.intended is not None or record.trouble:
            return ()
        if young and record.principal not in self.asked:
            return ()
        attached, who = self.denied(record), record.principal
        missing = record.standing.denied - attached
        planted = attached - record.standing.denied - tried
        return (
            *(f"the deny of {each} was detached from {who}" for each in sorted(missing)),
            *(f"the deny of {each} was attached to {who}" for each in sorted(planted)),
        )

    def _called_since(self, record: Record, after: timedelta) -> tuple[str, datetime] | None:
        """The first of the models that are denied which was called so long after it was denied."""
        standing, calls = record.standing, self.called.get(record.principal, {})
        if not calls or record.trouble or record.intended is not None or standing.since is None:
            return None
        refused_from = max(standing.since, standing.in_force_at or standing.since) + after
        scopes = [ModelScope(each) for each in standing.denied]
        for model, at in sorted(calls.items()):
            if at > refused_from and any(scope.covers(model) for scope in scopes):
                return model, at
        return None


class GatherLedger(Standings, GateIntentReads, Unseen, Headrooms, Protocol):
    """The roles of the ledger that tell whom to look at."""


class Gatherer:
    """Finds whom to look at."""

    def __init__(self, settings: Settings, ledger: GatherLedger, denies: Denies) -> None:
        self._settings = settings
        self._ledger = ledger
        self._denies = denies

    def due(
        self, state: SweepState, cached: CachedRules, metered: MeterRun | None, now: datetime
    ) -> SweepInput:
        """For a sweep: due, touched, edited, not denied as recorded, or, each hour, blocked."""
        ledger, rules = self._ledger, cached.rules
        # A recount may have taken usage away and its wake been lost, and the blocked make no calls.
        first_of_hour = state.finished is None or self._hour(state.finished) < self._hour(now)
        found = self._denies.in_force(cached.reached if first_of_hour else ())
        attached = found.denied
        gates = {intent.principal: intent for intent in ledger.gate_intents()}
        unseen = ledger.unseen()  # Before the usage is read: what comes later has another mark.
        wanted = ledger.due(now) | gates.keys() | set().union(*unseen.values())
        if metered is not None:
            wanted |= metered.seen if state.interrupted else metered.touched
        recorded = {record.principal: record.standing.denied for record in ledger.blocked()}
        wanted |= {
            principal
            for principal in recorded.keys() | attached.keys()
            if recorded.get(principal, NOTHING) != attached.get(principal, NOTHING)
            and principal.account in found.listed
            and principal not in gates
            and principal.kind is not Kind.TEAM
        }
        if first_of_hour:
            wanted |= recorded.keys()
        if self._settings_changed(state, cached) or cached.unsettled:
            wanted |= rules.named.union(record.principal for record in ledger.everybody())
        else:
            wanted |= self._concerned(rules)
        given = self._input(state, cached, wanted, now, attached, gates)
        return replace(given, unseen=unseen, listed=found.listed, unread=found.unread)

    def named(
        self,
        state: SweepState,
        cached: CachedRules,
        principals: Iterable[Principal],
        now: datetime,
        woken: Woken,
    ) -> SweepInput:
        """For a wake: just these and their pools, but for whom there is headroom."""
        ledger, wanted = self._ledger, set(principals)
        unseen = ledger.unseen(woken.mark) if woken.mark else {}
        roomy: Mapping[Principal, Usage] = {}
        renewable = {}
        if woken.since is None or self._day(woken.since) != self._day(now):
            ledger.drop_headrooms(wanted, now)  # before their usage is read
        elif not self._settings_changed(state, cached):
            kept = ledger.headrooms(wanted)
            renewable = {each: kept[each].token if each in kept else "" for each in wanted}
            if state.breaker_since is None and pause_of(cached.rules.rules, now) is None:
                roomy = self._roomy(state, cached.rules, kept, now, woken)
        given = self._input(state, cached, wanted - roomy.keys(), now)
        return replace(given, called=woken.called, unseen=unseen, roomy=roomy, renewable=renewable)

    def _roomy(
        self,
        state: SweepState,
        rules: RuleSet,
        kept: Mapping[Principal, KeptHeadroom],
        now: datetime,
        woken: Woken,
    ) -> dict[Principal, Usage]:
        """For whom what was used today changes nothing, by one read for all of them.

        What was called just now may be a model that they had not used before.
        """
        today = self._day(now)
        held: dict[Principal, tuple[Headroom, tuple[Quota, ...]]] = {}
        for principal, (headroom, _) in kept.items():
            told = principal in woken.called
            if told and headroom and headroom.settings == state.terms and now < headroom.until:
                quotas = rules.book.applicable_to(principal, now).quotas
                if headroom.quotas == fingerprint(quotas):
                    held[principal] = headroom, quotas
        buckets = [
            Bucket(principal, model, today, place)
            for principal, (headroom, quotas) in held.items()
            for model, place in headroom.buckets
            | {(model, woken.place) for model in woken.called.get(principal, {})}
            if quotas
        ]
        used: defaultdict[Principal, defaultdict[str, dict[str, ModelUsage]]]
        used = defaultdict(lambda: defaultdict(dict))
        for bucket, hours in self._ledger.hours(buckets).items():
            of_hours = ModelUsage.of_hours(hours, self._settings.zone)
            used[bucket.principal][bucket.place][bucket.model] = of_hours
        days = {principal: Usage.of_places(used[principal]) for principal in held}
        return {
            principal: days[principal]
            for principal, (headroom, quotas) in held.items()
            if headroom.covers(quotas, days[principal].on(today))
        }

    def asked(
        self, given: SweepInput, doubted: Iterable[Principal]
    ) -> tuple[SweepInput, dict[Principal, GateIntent]]:
        """The same with what IAM denies these; and what the gates were asked to deny."""
        several = frozenset(doubted)
        found = self._denies.in_force(members_of(several, given.context))
        gates = {intent.principal: intent for intent in self._ledger.gate_intents()}
        asked = {
            each: found.denied.get(each, NOTHING)
            for each in several
            if each not in gates and each.account in found.listed
        }
        return replace(given, asked=asked, doubted=several, unread=found.unread), gates

    def edited(self, state: SweepState, cached: CachedRules, now: datetime) -> SweepInput:
        """Whom the edits concern, and their pools; with a pause that ends, whoever waits for it."""
        rules = cached.rules
        wanted = self._concerned(rules)
        if any(isinstance(rule, Pause) for rule in rules.edited):
            wanted |= self._ledger.due(now)
        return self._input(state, cached, wanted, now)

    def _input(
        self,
        state: SweepState,
        cached: CachedRules,
        wanted: set[Principal],
        now: datetime,
        attached: Mapping[Principal, frozenset[str]] | None = None,
        gates: Mapping[Principal, GateIntent] | None = None,
    ) -> SweepInput:
        rules = cached.rules
        everybody = frozenset(wanted | _pools(wanted, rules.book))
        changed = self._settings_changed(state, cached)
        context = replace(self._settings.context(now, cached.reached), lag=state.lag)
        return SweepInput(rules, context, everybody, state, changed, attached, gates)

    def _concerned(self, rules: RuleSet) -> set[Principal]:
        """Whom edits name, and of a kind or the default everybody known."""
        if not rules.concern_many:
            return rules.named
        everybody = (record.principal for record in self._ledger.everybody())
        return rules.named | rules.concerned(everybody)

    def _settings_changed(self, state: SweepState, cached: CachedRules) -> bool:
        return state.terms != self._settings.terms(cached.reached)

    def _day(self, moment: datetime) -> date:
        return local_date(moment, self._settings.zone)

    def _hour(self, moment: datetime) -> datetime:
        return hour_start(moment, self._settings.zone)


def members_of(principals: Iterable[Principal], context: Context) -> frozenset[str]:
    """The member accounts of these principals in which anything can be done."""
    return frozenset(each.account for each in principals) & context.reached


def _pools(principals: Iterable[Principal], book: QuotaBook) -> set[Principal]:
    return {team for principal in principals for team in book.pools_of(principal)}


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(milliseconds=1)) / 1000
