"""Gather: whom to look at, in a sweep, at a wake or after an edit, and what IAM denies them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from quota_enforcer.core.deployment import Context, Settings
from quota_enforcer.core.ledger import GateIntent, Record, SweepState
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.window import hour_start
from quota_enforcer.decide.rules import Rules, RuleSet
from quota_enforcer.enforce.ports import Adapters, Ledger
from quota_enforcer.enforce.rules_cache import CachedRules
from quota_enforcer.meter.cloudwatch.meter import MeterRun

NOTHING: frozenset[str] = frozenset()
"""No model scope."""


@dataclass(frozen=True, slots=True)
class SweepInput:
    """What is known before anything is decided.

    `wanted` are to be looked at, `really` are the scopes that IAM denies at present (None: it was
    not asked), `gates` what the gates were asked to deny, and `records` are read as it is decided.
    """

    rules: Rules
    context: Context
    wanted: frozenset[Principal]
    really: Mapping[Principal, frozenset[str]] | None = None
    gates: Mapping[Principal, GateIntent] = field(default_factory=dict)
    records: Mapping[Principal, Record] = field(default_factory=dict)


def gather(
    outside: Adapters,
    settings: Settings,
    state: SweepState,
    known: CachedRules,
    metered: MeterRun | None,
    now: datetime,
) -> SweepInput:
    """Who is due, touched, concerned by an edit, not denied as recorded, or, each hour, blocked."""
    ledger, loaded = outside.ledger, known.loaded
    really = outside.denies.denied()
    gates = {intent.principal: intent for intent in ledger.gate_intents()}
    wanted = ledger.due(now) | gates.keys()
    if metered is not None:
        wanted |= metered.seen if state.interrupted else metered.touched
    recorded = {record.principal: record.standing.denied for record in ledger.blocked()}
    wanted |= {
        principal
        for principal in recorded.keys() | really.keys()
        if recorded.get(principal, NOTHING) != really.get(principal, NOTHING)
        and principal not in gates
        and principal.kind is not Kind.TEAM
    }
    # A recount may have taken usage away and its wake been lost, and the blocked make no calls.
    if state.finished is None or _hour(state.finished, settings) < _hour(now, settings):
        wanted |= recorded.keys()
    if state.terms != settings.fingerprint or known.unsettled:
        wanted |= loaded.named.union(record.principal for record in ledger.everybody())
    else:
        wanted |= _concerned(loaded, ledger)
    wanted |= _pools(wanted, loaded.book)
    return SweepInput(known.rules, settings.context(now), frozenset(wanted), really, gates)


def gather_named(
    settings: Settings, known: CachedRules, named: Iterable[Principal], now: datetime
) -> SweepInput:
    """Just these and their pools; what IAM denies is not asked."""
    several = set(named)
    wanted = frozenset(several | _pools(several, known.loaded.book))
    return SweepInput(known.rules, settings.context(now), wanted)


def gather_edited(
    outside: Adapters, settings: Settings, known: CachedRules, now: datetime
) -> SweepInput:
    """Whom the edits concern; likewise."""
    return gather_named(settings, known, _concerned(known.loaded, outside.ledger), now)


def _concerned(loaded: RuleSet, ledger: Ledger) -> set[Principal]:
    """Whom edits name, and of a kind or the default everybody known."""
    if not loaded.concern_many:
        return loaded.named
    everybody = (record.principal for record in ledger.everybody())
    return loaded.named | loaded.concerned(everybody)


def _hour(moment: datetime, settings: Settings) -> datetime:
    return hour_start(moment, settings.zone)


def _pools(principals: Iterable[Principal], book: QuotaBook) -> set[Principal]:
    return {team for principal in principals for team in book.pools_of(principal)}
