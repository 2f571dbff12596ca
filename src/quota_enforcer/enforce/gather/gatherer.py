"""Whom to look at in a sweep, at a wake or after an edit."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from quota_enforcer.core.deployment import Context, Settings
from quota_enforcer.core.ledger import GateIntent, GateIntentReads, SweepState
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Pause, pause_of
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.looks.headroom import fingerprint
from quota_enforcer.core.usage.looks.unseen import is_token
from quota_enforcer.core.usage.reads import Woken
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start, local_date
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.enforce.gather.sweep_input import NOTHING, SweepInput
from quota_enforcer.enforce.ports import Denies, Headrooms, KeptHeadroom, Standings, Unseen
from quota_enforcer.enforce.rules_cache import CachedRules
from quota_enforcer.meter.cloudwatch.meter import MeterRun

if TYPE_CHECKING:
    from quota_enforcer.core.quotas.quota import Quota
    from quota_enforcer.core.usage.looks.headroom import Headroom


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
        unseen: Mapping[str, frozenset[Principal]] = {}
        if is_token(woken.mark):
            unseen = {woken.mark: frozenset(wanted)}
        elif woken.mark:
            unseen = ledger.unseen(woken.mark)
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
        pools = _pools(wanted, rules.book)
        everybody = frozenset(wanted | pools)
        if not rules.book.open_pools.isdisjoint(everybody):
            known = {record.principal for record in self._ledger.everybody()}
            rules = rules.knowing(known | everybody)
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
