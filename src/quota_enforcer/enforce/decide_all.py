"""Decides for everybody gathered, and for whoever shares a pool that changes by it.

Records are read page by page, and usage side by side; `decide.evaluate` decides about each one.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Protocol

from quota_enforcer.core.ledger import EverybodyReads, Record, StandingReads, SweepStateReads
from quota_enforcer.core.pricing.dated import (
    DatedPrices,
    PriceEvidence,
    newest_evidence,
    price_evidence,
)
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.looks.headroom import Headroom
from quota_enforcer.core.usage.reads import PaceReads, UsageReads
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.evaluate import Evaluation, Pools, decide_for_one, evaluate
from quota_enforcer.decide.pace.usual import UsualReads
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.enforce.apply.breaker import still_held
from quota_enforcer.enforce.gather.sweep_input import SweepInput
from quota_enforcer.enforce.metering import dated_prices
from quota_enforcer.enforce.report import Outcome

READERS = 8
"""Principals looked at side by side: reading waits for the network, not for the processor."""
PAGE = 500
"""Records read at once; those to which nothing happens are let go before the next page is read."""

PricesSeen = dict[str, PriceEvidence]
"""By model, whether its newest usage had a price."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What was decided about everybody that was looked at."""

    decisions: list[Decision]
    records: dict[Principal, Record]
    """Those that the decisions start from."""
    prices: PricesSeen
    """What the usage says of the prices of its models."""
    outcomes: list[Outcome]
    headrooms: dict[Principal, Headroom]
    """Of those who stay as they are, and whose headroom may be kept."""
    denied_callers: tuple[Record, ...] = ()
    """Those of whoever made a call and is denied something."""


class EvaluationLedger(StandingReads, UsageReads, PaceReads, Protocol):
    """The roles of the ledger that decisions rest on."""


def decide_for_all(given: SweepInput, ledger: EvaluationLedger, usuals: UsualReads) -> Evaluated:
    """Look at everybody gathered, and at all of a team whose pool now denies something else."""
    run = _EvaluationRun(given, ledger, usuals)
    run.decide_about(given.wanted)
    run.decide_about(_drawing_on_what_changed(run.decisions, given))
    callers = tuple(run.denied_callers)
    return Evaluated(run.decisions, run.records, run.prices, run.outcomes, run.headrooms, callers)


class SecondLookLedger(EvaluationLedger, EverybodyReads, SweepStateReads, Protocol):
    """Also whether the breaker holds, and who is known."""


class SecondLook:
    """Decides again about somebody whom another sweep or wake wrote first."""

    def __init__(self, ledger: SecondLookLedger, latest: Callable[[datetime], RuleSet]) -> None:
        self._ledger = ledger
        self._latest = latest

    def _known(self, principal: Principal) -> Iterator[Principal]:
        """Listed only if somebody goes through them."""
        yield principal
        yield from (each.principal for each in self._ledger.everybody())

    def decide_about(
        self, principal: Principal, given: SweepInput
    ) -> tuple[Decision, Record, SweepInput]:
        """By the rules, the breaker and the record as they are now.

        Whom the breaker holds now, or held when all were decided about together, it goes on
        holding: one alone cannot tell whether there are too many.
        """
        before, state = given.state, self._ledger.state()
        rules = self._latest(given.context.now).knowing(self._known(principal))
        given = replace(given, rules=rules, state=state)
        record = self._ledger.records([principal])[principal]
        book, context = given.rules.book, given.context
        pools = Pools(book, self._ledger, context, self._ledger)
        decision = decide_for_one(record, book, self._ledger, context, pools)
        tripped = before.breaker_since is not None or state.breaker_since is not None
        if given.paused:
            decision = decision.pausing()
        elif tripped and not given.confirmed:
            decision = still_held(decision, given)
        return decision, record, given


class _EvaluationRun:
    """What has been decided so far."""

    def __init__(self, given: SweepInput, ledger: EvaluationLedger, usuals: UsualReads) -> None:
        self._given = given
        self._ledger = ledger
        self._pools = Pools(given.rules.book, ledger, given.context, ledger, usuals)
        self.decisions: list[Decision] = []
        self.records: dict[Principal, Record] = {}
        self.outcomes: list[Outcome] = []
        self.headrooms: dict[Principal, Headroom] = {}
        self.prices = newest_evidence(map(self._evidence, given.roomy.values()))
        self.denied_callers: list[Record] = []

    def decide_about(self, principals: Iterable[Principal]) -> None:
        """Decide about these, and keep what is to be carried out."""
        for page in _pages(sorted(principals)):
            records = self._ledger.records(page)
            several = [records[principal] for principal in page]
            called = self._given.calls.called
            self.denied_callers += [
                each for each in several if each.standing.denied and called.get(each.principal)
            ]
            seen = [self.prices]
            with ThreadPoolExecutor(READERS) as threads:
                for record, answer in zip(several, threads.map(self._try, several), strict=True):
                    if isinstance(answer, Exception):
                        self.outcomes.append(Outcome.of_failure(record.principal, answer))
                        continue
                    evaluation, prices = answer
                    seen.append(prices)
                    if not _stays(evaluation.decision, record, self._given):
                        self.decisions.append(evaluation.decision)
                        self.records[record.principal] = record
                    elif record.principal in self._given.renewable:
                        self._keep(record.principal, evaluation)
            self.prices = newest_evidence(seen)
            self.outcomes.append(Outcome(looked_at=len(page)))

    def _keep(self, principal: Principal, evaluation: Evaluation) -> None:
        given = self._given
        headroom = evaluation.headroom(given.state.terms, given.premise)
        if headroom is not None:
            before = given.renewable[principal].headroom
            self.headrooms[principal] = headroom.after(before)

    def _try(self, record: Record) -> tuple[Evaluation, PricesSeen] | Exception:
        given = self._given
        try:
            evaluation = evaluate(
                record, given.rules.book, self._ledger, given.context, self._pools
            )
            return evaluation, newest_evidence(map(self._evidence, evaluation.counted))
        except Exception as error:  # noqa: BLE001 - kept for the report
            return error

    def _evidence(self, usage: Usage) -> PricesSeen:
        return price_evidence(usage, self._dearer_for_an_hour)

    def _dearer_for_an_hour(self, model: str, at: datetime) -> Decimal:
        day = local_date(at, self._given.context.zone)
        return self._dated_prices.on(day).dearer_for_an_hour(model)

    @cached_property
    def _dated_prices(self) -> DatedPrices:
        """Asked for only where it matters, and once: to find it compares all prices of admins."""
        return dated_prices(self._given.rules.prices)


def _pages(principals: list[Principal]) -> Iterator[list[Principal]]:
    for first in range(0, len(principals), PAGE):
        yield principals[first : first + PAGE]


def _stays(decision: Decision, record: Record, given: SweepInput) -> bool:
    """Whether there is nothing to do: all is as recorded, in IAM too as far as that was asked.

    A gate is looked after in every sweep, and so is who could not be denied.
    """
    if not record.version or record.trouble or record.intended is not None or decision.notices:
        return False
    if decision.standing != record.standing or decision.standing.due != record.due:
        return False
    if given.gates is not None and decision.principal in given.gates:
        return False
    heeded = not given.calls.pass_deny(record)
    return heeded and given.in_force.of(record) == record.standing.denied


def _drawing_on_what_changed(decisions: Iterable[Decision], given: SweepInput) -> set[Principal]:
    """The members not looked at yet of teams whose pools begin or cease to deny something."""
    pools = given.rules.book.pools
    changed = (
        each.principal for each in decisions if each.principal in pools and each.denies_changed
    )
    return {member for team in changed for member in pools[team]} - given.wanted
