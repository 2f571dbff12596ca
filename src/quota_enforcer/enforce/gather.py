"""Whom to look at in a sweep, at a wake or after an edit, and what IAM denies them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from quota_enforcer.core.deployment import Context, Settings
from quota_enforcer.core.ledger import GateIntent, GateIntentReads, Record, SweepState
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.window import hour_start
from quota_enforcer.decide.rules import RuleSet
from quota_enforcer.enforce.ports import Denies, Standings
from quota_enforcer.enforce.rules_cache import CachedRules
from quota_enforcer.meter.cloudwatch.meter import MeterRun

NOTHING: frozenset[str] = frozenset()
"""No model scope."""


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

    @property
    def partial(self) -> bool:
        """A wake or an edit: to find what others changed in IAM is the schedule's."""
        return self.attached is None

    def denied(self, record: Record) -> frozenset[str]:
        """What IAM denies somebody; to a wake that is what the ledger says was brought about."""
        if self.attached is not None:
            return self.attached.get(record.principal, NOTHING)
        return NOTHING if record.trouble or record.intended is not None else record.standing.denied


class GatherLedger(Standings, GateIntentReads, Protocol):
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
        attached = self._denies.denied()
        gates = {intent.principal: intent for intent in ledger.gate_intents()}
        wanted = ledger.due(now) | gates.keys()
        if metered is not None:
            wanted |= metered.seen if state.interrupted else metered.touched
        recorded = {record.principal: record.standing.denied for record in ledger.blocked()}
        wanted |= {
            principal
            for principal in recorded.keys() | attached.keys()
            if recorded.get(principal, NOTHING) != attached.get(principal, NOTHING)
            and principal not in gates
            and principal.kind is not Kind.TEAM
        }
        # A recount may have taken usage away and its wake been lost, and the blocked make no calls.
        if state.finished is None or self._hour(state.finished) < self._hour(now):
            wanted |= recorded.keys()
        if self._settings_changed(state) or cached.unsettled:
            wanted |= rules.named.union(record.principal for record in ledger.everybody())
        else:
            wanted |= self._concerned(rules)
        return self._input(state, rules, wanted, now, attached, gates)

    def named(
        self, state: SweepState, rules: RuleSet, principals: Iterable[Principal], now: datetime
    ) -> SweepInput:
        """For a wake: just these and their pools."""
        return self._input(state, rules, set(principals), now)

    def edited(self, state: SweepState, rules: RuleSet, now: datetime) -> SweepInput:
        """Whom the edits concern, and their pools."""
        return self._input(state, rules, self._concerned(rules), now)

    def _input(
        self,
        state: SweepState,
        rules: RuleSet,
        wanted: set[Principal],
        now: datetime,
        attached: Mapping[Principal, frozenset[str]] | None = None,
        gates: Mapping[Principal, GateIntent] | None = None,
    ) -> SweepInput:
        everybody = frozenset(wanted | _pools(wanted, rules.book))
        changed, context = self._settings_changed(state), self._settings.context(now)
        return SweepInput(rules, context, everybody, state, changed, attached, gates)

    def _concerned(self, rules: RuleSet) -> set[Principal]:
        """Whom edits name, and of a kind or the default everybody known."""
        if not rules.concern_many:
            return rules.named
        everybody = (record.principal for record in self._ledger.everybody())
        return rules.named | rules.concerned(everybody)

    def _settings_changed(self, state: SweepState) -> bool:
        return state.terms != self._settings.fingerprint

    def _hour(self, moment: datetime) -> datetime:
        return hour_start(moment, self._settings.zone)


def _pools(principals: Iterable[Principal], book: QuotaBook) -> set[Principal]:
    return {team for principal in principals for team in book.pools_of(principal)}
