"""Whom to look at in a sweep, at a wake or after an edit."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Protocol

from quota_enforcer.core.deployment import Context, Settings
from quota_enforcer.core.ledger import GateIntent, GateIntentReads, SweepState
from quota_enforcer.core.policies.in_force import NO_SCOPES, WokenCalls
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Pause, pause_of
from quota_enforcer.core.usage.looks.headroom import (
    NONE_KEPT,
    Headroom,
    KeptHeadroom,
    premise_of,
)
from quota_enforcer.core.usage.looks.unseen import is_token
from quota_enforcer.core.usage.reads import Woken
from quota_enforcer.core.usage.window import hour_start, local_date
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.enforce.gather.room import NOBODY, Kept, Roomy, find_room, grows_old
from quota_enforcer.enforce.gather.sweep_input import SweepInput
from quota_enforcer.enforce.metering import dated_prices
from quota_enforcer.enforce.ports.adapters import Denies
from quota_enforcer.enforce.ports.ledger import Standings
from quota_enforcer.enforce.ports.sweep_memory import Headrooms, Unseen
from quota_enforcer.enforce.rules_cache import CachedRules
from quota_enforcer.meter.cloudwatch.meter import MeterRun

Concerned = tuple[set[Principal], Mapping[Principal, KeptHeadroom], Roomy]
"""Whom edits concern who may have no room, and the headrooms of all whom they concern."""
_NOBODY_CONCERNED: Concerned = (set(), {}, NOBODY)


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
            if recorded.get(principal, NO_SCOPES) != attached.get(principal, NO_SCOPES)
            and principal.account in found.listed
            and principal not in gates
            and principal.kind is not Kind.TEAM
        }
        if first_of_hour:
            wanted |= recorded.keys()
        concerned, kept, room = _NOBODY_CONCERNED
        if self._settings_changed(state, cached) or cached.unsettled:
            wanted |= rules.named.union(record.principal for record in ledger.everybody())
        else:
            concerned, kept, room = self._concerned(state, cached, now, wanted)
        given = self._input(state, cached, wanted | concerned, now)
        given = replace(given, in_force=found, gates=gates, unseen=unseen)
        return _with(given, concerned, kept, room)

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
        kept: Mapping[Principal, KeptHeadroom] = {}
        room, renewable = NOBODY, set[Principal]()
        if woken.since is None or self._day(woken.since) != self._day(now):
            ledger.drop_headrooms(wanted, now)  # before their usage is read
        elif not self._settings_changed(state, cached):
            kept, renewable = ledger.headrooms(wanted), wanted
            strangers = {each for each in kept if _is_strange(kept[each].headroom, each, woken)}
            if strangers:  # likewise: who is told of another call must not go by the old models
                ledger.drop_headrooms(strangers, now)
                kept = {**kept, **ledger.headrooms(strangers)}
            told = {each: kept[each] for each in kept if each in woken.called}
            room = self._room(state, cached, told, now)
        given = self._input(state, cached, wanted - room.used.keys(), now)
        given = replace(given, calls=WokenCalls(woken.called), unseen=unseen)
        return _with(given, renewable, kept, room)

    def _room(
        self,
        state: SweepState,
        cached: CachedRules,
        several: Mapping[Principal, KeptHeadroom],
        now: datetime,
    ) -> Roomy:
        """Who of these has room; nobody while the breaker holds or while blocks are paused."""
        rules, zone = cached.rules, self._settings.zone
        if _is_halted(state, rules, now):
            return NOBODY
        premise = _premise(state, cached, now)
        held = {
            principal: Kept(
                headroom, rules.book.applicable_to(principal, now).quotas, now, zone, premise
            )
            for principal, (headroom, _) in several.items()
            if headroom is not None and headroom.settings == state.terms
        }
        of_use = {principal: each for principal, each in held.items() if each.of_use}
        return find_room(of_use, self._ledger.hours, zone)

    def asked(
        self, given: SweepInput, doubted: Iterable[Principal]
    ) -> tuple[SweepInput, dict[Principal, GateIntent]]:
        """The same with what IAM denies these; and what the gates were asked to deny."""
        several = frozenset(doubted)
        found = self._denies.in_force(members_of(several, given.context))
        gates = {intent.principal: intent for intent in self._ledger.gate_intents()}
        in_force = found.only_of(several - gates.keys())
        return replace(given, in_force=in_force, doubted=several), gates

    def edited(self, state: SweepState, cached: CachedRules, now: datetime) -> SweepInput:
        """Whom the edits concern, and their pools; with a pause that ends, whoever waits for it."""
        wanted = set[Principal]()
        if any(isinstance(rule, Pause) for rule in cached.rules.edited):
            wanted |= self._ledger.due(now)
        concerned, kept, room = self._concerned(state, cached, now, wanted)
        given = self._input(state, cached, wanted | concerned, now)
        return _with(given, concerned, kept, room)

    def _input(
        self,
        state: SweepState,
        cached: CachedRules,
        wanted: set[Principal],
        now: datetime,
    ) -> SweepInput:
        rules = cached.rules
        pools = _pools(wanted, rules.book)
        everybody = frozenset(wanted | pools)
        if not rules.book.open_pools.isdisjoint(everybody):
            known = {record.principal for record in self._ledger.everybody()}
            rules = rules.knowing(known | everybody)
        changed = self._settings_changed(state, cached)
        today = self._day(now)
        context = replace(
            self._settings.context(now, cached.reached),
            lag=state.lag,
            prices=lambda: dated_prices(rules.prices).on(today),
        )
        premise = _premise(state, cached, now)
        return SweepInput(rules, context, everybody, state, changed, premise=premise)

    def _concerned(
        self, state: SweepState, cached: CachedRules, now: datetime, wanted: set[Principal]
    ) -> Concerned:
        """Whom edits name, and of a kind or the default everybody known."""
        rules = cached.rules
        if not rules.concern_many:
            return rules.named, {}, NOBODY
        records = self._ledger.everybody()
        concerned = rules.concerned(record.principal for record in records)
        plain = {each.principal for each in records if each.is_plain} & concerned
        kept = self._ledger.headrooms(concerned)
        several = {each: kept[each] for each in kept.keys() & plain - wanted - rules.named}
        room = self._room(state, cached, several, now)
        # Their next wake finds the same and keeps it: to write it here for everybody would take
        # longer than all else. Only who makes no calls must not come to be looked at again.
        room = room.but_renewing(
            each for each in room.renewed if grows_old(kept[each].headroom, self._day(now))
        )
        return rules.named | (concerned - room.used.keys()), kept, room

    def _settings_changed(self, state: SweepState, cached: CachedRules) -> bool:
        return state.terms != self._settings.terms(cached.reached)

    def _day(self, moment: datetime) -> date:
        return local_date(moment, self._settings.zone)

    def _hour(self, moment: datetime) -> datetime:
        return hour_start(moment, self._settings.zone)


def _with(
    given: SweepInput,
    several: Iterable[Principal],
    kept: Mapping[Principal, KeptHeadroom],
    room: Roomy,
) -> SweepInput:
    """With who has room, and over which the headrooms of these may be kept."""
    renewable = {each: kept.get(each, NONE_KEPT) for each in {*several, *room.renewed}}
    return replace(given, roomy=room.used, renewed=room.renewed, renewable=renewable)


def _premise(state: SweepState, cached: CachedRules, now: datetime) -> str:
    """On what a headroom stands that is found by these rules.

    Empty while somebody has to look at everybody, and while an edit is not acted on to the end: it
    may be taken back before, and then nothing says that it was.
    """
    unsettled = cached.rules.news or cached.unsettled or bool(state.unsettled)
    if unsettled or _is_halted(state, cached.rules, now):
        return ""
    return premise_of(cached.rules.version, state.breaker)


def _is_halted(state: SweepState, rules: RuleSet, now: datetime) -> bool:
    """Whether new blocks are held or paused."""
    return state.breaker_since is not None or pause_of(rules.rules, now) is not None


def _is_strange(headroom: Headroom | None, principal: Principal, woken: Woken) -> bool:
    """Whether a model was called, or in a place, that the headroom does not know."""
    called = {(model, woken.place) for model in woken.called.get(principal, {})}
    return headroom is not None and not headroom.knows(called)


def members_of(principals: Iterable[Principal], context: Context) -> frozenset[str]:
    """The member accounts of these principals in which anything can be done."""
    return frozenset(each.account for each in principals) & context.reached


def _pools(principals: Iterable[Principal], book: QuotaBook) -> set[Principal]:
    return {team for principal in principals for team in book.pools_of(principal)}
