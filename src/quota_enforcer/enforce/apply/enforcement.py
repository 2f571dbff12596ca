"""What sweeps, wakes and edits have in common: decide, hold, and bring about in IAM."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import Protocol
from uuid import uuid4

from quota_enforcer.core.deployment import Breaker
from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.ledger import GateIntentReads, Record, SweepState
from quota_enforcer.core.principal import GATED, Kind, Principal
from quota_enforcer.core.usage.looks.headroom import Headroom
from quota_enforcer.core.usage.reads import PaceReads, UsageReads
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.pace.usual import UsualHoursRead
from quota_enforcer.enforce.apply.breaker import (
    Allowed,
    apply_breaker,
    hold_everything,
    while_tripped,
)
from quota_enforcer.enforce.apply.gates import GateApplier, orphaned_gates_message
from quota_enforcer.enforce.apply.record import mark_due
from quota_enforcer.enforce.apply.static import StaticApplier
from quota_enforcer.enforce.apply.teams import TeamApplier
from quota_enforcer.enforce.apply.work import Work
from quota_enforcer.enforce.decide_all import Evaluated, PricesSeen, decide_for_all
from quota_enforcer.enforce.gather.sweep_input import SweepInput
from quota_enforcer.enforce.notify.prices import UnpricedModels
from quota_enforcer.enforce.ports.ledger import Standings
from quota_enforcer.enforce.ports.sweep_memory import Headrooms, SweepMemory
from quota_enforcer.enforce.report import Outcome

TRIES = 5
"""How often it is planned again if somebody else has just turned the breaker."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, after the breaker."""

    work: Work
    state: SweepState
    """As the breaker leaves it."""
    prices: PricesSeen
    """What the usage says of the prices of its models."""
    outcomes: list[Outcome]
    """What was found on the way."""
    headrooms: Mapping[Principal, Headroom] = field(default_factory=dict)
    """Headrooms that may be kept, of those to whom nothing happens."""


@dataclass(frozen=True, slots=True)
class Appliers:
    """The three ways to bring a decision about; `gates` is None if the deployment keeps none."""

    static: StaticApplier
    gates: GateApplier | None
    teams: TeamApplier


class Way(Enum):
    """How a decision is brought about."""

    STATIC = auto()
    GATE = auto()
    TEAM = auto()
    NONE = auto()


class EnforcementLedger(
    Standings, SweepMemory, Headrooms, GateIntentReads, UsageReads, PaceReads, Protocol
):
    """The roles of the ledger that it takes to decide and to say what was decided."""


class Enforcement:
    """Decides, and brings the decisions about."""

    def __init__(self, ledger: EnforcementLedger, appliers: Appliers, breaker: Breaker) -> None:
        self._ledger = ledger
        self._appliers = appliers
        self._breaker = breaker
        self._usuals = UsualHoursRead(ledger)

    def plan(self, given: SweepInput, *, confirmed: bool = False) -> Plan:
        """Decide for everybody gathered, and for who shares a pool that changes for it.

        Changes nothing. `confirmed` is an admin's word that the breaker need not hold.
        """
        given = replace(given, confirmed=confirmed)
        evaluated, allowed = self._decide(given)
        calls = replace(given.calls, denied=evaluated.denied_callers)
        given = replace(given, calls=calls)
        work = Work(given, allowed.decisions, evaluated.records, given.gates or {})
        if given.gates is None and any(who.kind in GATED for who in work.moved):
            intents = {intent.principal: intent for intent in self._ledger.gate_intents()}
            work = replace(work, gates=intents)
        state = replace(given.state, breaker_since=allowed.since, breaker_far=allowed.far)
        outcomes = [*evaluated.outcomes, allowed.outcome]
        return Plan(work, state, evaluated.prices, outcomes, evaluated.headrooms)

    def agree(self, plan: Plan) -> Plan:
        """The plan, once the ledger has what the breaker does by it.

        It is planned again if somebody else turned the breaker first. Raises Conflict if others
        go on turning it.
        """
        for _ in range(TRIES):
            given = plan.work.given
            before, since, far = given.state, plan.state.breaker_since, plan.state.breaker_far
            same = since == before.breaker_since and (since is None or far == before.breaker_far)
            if given.confirmed or same:
                return plan
            token, notices = uuid4().hex, Outcome.total(plan.outcomes).notices
            if self._ledger.turn_breaker(since, before, token, notices, far=far):
                turned = replace(before, breaker_since=since, breaker=token, breaker_far=far)
                work = replace(plan.work, given=replace(given, state=turned))
                return replace(plan, work=work)
            plan = self.plan(replace(given, state=_turned_by(self._ledger.state(), before)))
        raise Conflict("others turn the breaker again and again; the next sweep looks again")

    def overrule(self, now: datetime) -> None:
        """Note that an admin has confirmed the blocks, once they are made: it lets go."""
        for _ in range(TRIES):
            if self._ledger.turn_breaker(None, self._ledger.state(), uuid4().hex, (), now):
                return
        raise Conflict("others turn the breaker again and again: confirm once more")

    def carry_out(self, plan: Plan, unpriced: UnpricedModels) -> Outcome:
        """Make the decisions true; what fails goes into the outcome while the rest goes on.

        A headroom holds for a record as it is: those of records that are about to change are
        dropped before, and what looks at all others have found is kept after.
        """
        work, given = plan.work, plan.work.given
        now = given.context.now
        recorded = {principal for principal, record in work.records.items() if record.version}
        self._ledger.drop_headrooms(recorded, now)
        parts = []
        for part in self._parts(plan, unpriced):
            parts.append(part)
            if part.unfinished:
                mark_due(self._ledger, part.unfinished, now)
            if part.closed:
                break
        if given.partial and given.settings_changed:
            # No sweep has seen these settings: if they are taken back before, none ever will.
            mark_due(self._ledger, work.moved, now)
        self._ledger.keep_headrooms({**given.renewed, **plan.headrooms}, given.over)
        return Outcome.total(parts)

    def _decide(self, given: SweepInput) -> tuple[Evaluated, Allowed]:
        """Decide, and take out what the breaker holds.

        While it has tripped a wake or an edit blocks somebody it holds only if it lets go of
        everybody.
        """
        ledger, breaker = self._ledger, self._breaker
        evaluated = decide_for_all(given, ledger, self._usuals)
        if given.paused:
            return evaluated, hold_everything(evaluated.decisions, given)
        if given.confirmed:
            return evaluated, Allowed(evaluated.decisions)
        if given.partial and given.state.breaker_since is not None:
            answer = while_tripped(evaluated.decisions, given, ledger, breaker)
            if isinstance(answer, Allowed):
                return evaluated, answer
            if answer:
                given = replace(given, wanted=given.wanted | answer)
                evaluated = decide_for_all(given, ledger, self._usuals)
        return evaluated, apply_breaker(evaluated.decisions, given, ledger, breaker)

    def _parts(self, plan: Plan, unpriced: UnpricedModels) -> Iterator[Outcome]:
        """What was found on the way, then each way of bringing it about.

        All that gates must deny goes to the author together. What is told of a team comes last,
        when it is true of its members; until it is written the next look at it goes on with them.
        """
        work = plan.work
        by: dict[Way, list[Decision]] = {way: [] for way in Way}
        for decision, record in work:
            by[self._way(decision, record, work)].append(decision)
        yield from plan.outcomes
        static, gates, teams = self._appliers.static, self._appliers.gates, self._appliers.teams
        if gates is None and work.gates:
            yield Outcome(failures=(orphaned_gates_message(work.gates),))
        yield static.apply(replace(work, decisions=by[Way.STATIC]))
        if gates is not None and (by[Way.GATE] or not work.given.partial):
            yield gates.apply(replace(work, decisions=by[Way.GATE]))
        yield teams.apply(replace(work, decisions=by[Way.TEAM]))
        yield Outcome(notices=tuple(unpriced.notify(plan.prices, work.given.context.now)))

    def _way(self, decision: Decision, record: Record, work: Work) -> Way:
        kind, gates = decision.principal.kind, self._appliers.gates
        settled = work.given.partial and record.is_settled_on(decision.standing.denied)
        settled = settled and decision.principal not in work.given.doubted
        if kind is Kind.TEAM:
            return Way.TEAM
        if gates is not None and kind in GATED and not settled:
            return Way.GATE
        if gates is None and decision.principal in work.gates:
            return Way.NONE  # a gate that nobody writes any more still denies: claim nothing
        return Way.STATIC


def _turned_by(latest: SweepState, before: SweepState) -> SweepState:
    """What a run began with, but for the breaker as it is by now."""
    return replace(
        before,
        breaker=latest.breaker,
        breaker_since=latest.breaker_since,
        breaker_far=latest.breaker_far,
        confirmed_at=latest.confirmed_at,
    )
