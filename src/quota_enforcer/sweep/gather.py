"""Gather: whom this sweep must look at, and what IAM and the ledger say of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from quota_enforcer.core.precedence import QuotaBook
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.verdict import Terms
from quota_enforcer.core.window import hour_start
from quota_enforcer.metering.cloudwatch import Metered
from quota_enforcer.ports import GateIntent, Outside, Record, SweepState
from quota_enforcer.settings import Settings
from quota_enforcer.sweep.known import Known, KnownQuotas
from quota_enforcer.sweep.quotas import LoadedQuotas, Rules

NOTHING: frozenset[str] = frozenset()
"""No model scope."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a sweep knows before it decides.

    `really` are the scopes that IAM denies at present, `gates` what the gates were asked to deny.
    """

    rules: Rules
    terms: Terms
    really: Mapping[Principal, frozenset[str]]
    records: Mapping[Principal, Record]
    gates: Mapping[Principal, GateIntent]


def gather(
    outside: Outside,
    settings: Settings,
    state: SweepState,
    loaded: LoadedQuotas,
    metered: Metered | None,
    now: datetime,
) -> Gathered:
    """Who is due, touched, concerned by an edit, not denied as recorded, or, each hour, blocked."""
    ledger = outside.ledger
    book = loaded.book
    really = outside.denies.denied()
    gates = {intent.principal: intent for intent in ledger.gate_intents()}
    wanted = ledger.due(now) | loaded.named | gates.keys()
    if metered is not None:
        wanted |= metered.seen if state.interrupted else metered.touched
    wanted |= _pools(wanted, book)
    recorded = {record.principal: record.standing.denied for record in ledger.blocked()}
    wanted |= {
        principal
        for principal in recorded.keys() | really.keys()
        if recorded.get(principal, NOTHING) != really.get(principal, NOTHING)
        and principal not in gates
    }
    # A recount may have taken usage away and its wake been lost, and the blocked make no calls.
    if state.finished is None or _hour(state.finished, settings) < _hour(now, settings):
        wanted |= recorded.keys()
    if state.terms != settings.fingerprint:
        wanted |= {record.principal for record in ledger.everybody()}
    elif loaded.edited:
        wanted |= loaded.concerned(record.principal for record in ledger.everybody())
    return Gathered(Rules(book), settings.terms(now), really, ledger.records(wanted), gates)


def gather_named(
    outside: Outside, settings: Settings, quotas: KnownQuotas, named: set[Principal], now: datetime
) -> tuple[SweepState, Known, Gathered]:
    """Just these and their pools, with quotas that are as new as the last sweep's.

    What IAM denies is not asked.
    """
    state = outside.ledger.state()
    known = quotas.current(state, now)
    records = outside.ledger.records(named | _pools(named, known.rules.book))
    terms = settings.terms(max(now, state.watermark or now))
    return state, known, Gathered(known.rules, terms, {}, records, {})


def _hour(moment: datetime, settings: Settings) -> datetime:
    return hour_start(moment, settings.zone)


def _pools(principals: Iterable[Principal], book: QuotaBook) -> set[Principal]:
    return {team for principal in principals for team in book.pools_of(principal)}
