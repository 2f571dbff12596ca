"""Decide for everybody gathered: page by page, side by side, and for who shares a pool as well."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import Principal
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.evaluate import evaluate
from quota_enforcer.decide.pools import Pools
from quota_enforcer.enforce.gather import NOTHING, SweepInput
from quota_enforcer.enforce.ports import Ledger
from quota_enforcer.enforce.unpriced import Evidence, evidence, newest

READERS = 8
"""Principals looked at side by side: reading waits for the network, not for the processor."""
PAGE = 500
"""Records read at once; who stays as recorded is forgotten before the next page."""

Prices = dict[str, Evidence]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What is to be done, of how many looked at.

    `gathered` has the records that the decisions start from, `prices` what the usage says of the
    prices of its models.
    """

    decisions: list[Decision]
    prices: Prices
    gathered: SweepInput
    count: int


def decide_for(
    gathered: SweepInput, ledger: Ledger, failed: Callable[[Record, Exception], None]
) -> Evaluated:
    """Look at everybody gathered, and at all of a team whose pool now denies something else.

    One that fails does not stop the others.
    """
    looking = _EvaluationRun(gathered, ledger, failed)
    looking.at(gathered.wanted)
    looking.at(_drawing_on_what_changed(looking.decisions, gathered))
    return Evaluated(
        looking.decisions,
        looking.prices,
        replace(gathered, records=looking.records),
        looking.count,
    )


class _EvaluationRun:
    """What has been decided so far."""

    def __init__(
        self, gathered: SweepInput, ledger: Ledger, failed: Callable[[Record, Exception], None]
    ) -> None:
        self._gathered = gathered
        self._ledger = ledger
        self._failed = failed
        self._pools = Pools(gathered.rules.book, ledger, gathered.context)
        self.decisions: list[Decision] = []
        self.records: dict[Principal, Record] = {}
        self.prices: Prices = {}
        self.count = 0

    def at(self, principals: Iterable[Principal]) -> None:
        """Look at these."""
        for page in _pages(sorted(principals)):
            records = self._ledger.records(page)
            several = [records[principal] for principal in page]
            seen = [self.prices]
            with ThreadPoolExecutor(READERS) as threads:
                for record, outcome in zip(several, threads.map(self._try, several), strict=True):
                    if isinstance(outcome, Exception):
                        self._failed(record, outcome)
                        continue
                    decision, prices = outcome
                    seen.append(prices)
                    if not _stays(decision, record, self._gathered):
                        self.decisions.append(decision)
                        self.records[record.principal] = record
            self.prices = newest(seen)
            self.count += len(page)

    def _try(self, record: Record) -> tuple[Decision, Prices] | Exception:
        gathered = self._gathered
        try:
            looked = evaluate(
                record, gathered.rules.book, self._ledger, gathered.context, self._pools
            )
            return looked.decision, newest(map(evidence, looked.counted))
        except Exception as error:  # noqa: BLE001 - kept for the report
            return error


def _pages(principals: list[Principal]) -> Iterator[list[Principal]]:
    for first in range(0, len(principals), PAGE):
        yield principals[first : first + PAGE]


def _stays(decision: Decision, record: Record, gathered: SweepInput) -> bool:
    """Whether there is nothing to do: all is as recorded, in IAM too as far as that was asked.

    A gate is looked after in every sweep, and so is who could not be denied.
    """
    if not record.version or record.trouble or record.intended is not None or decision.notices:
        return False
    if decision.standing != record.standing or decision.standing.due != record.due:
        return False
    if decision.principal in gathered.gates:
        return False
    really = gathered.really
    return really is None or really.get(record.principal, NOTHING) == record.standing.denied


def _drawing_on_what_changed(decisions: Iterable[Decision], gathered: SweepInput) -> set[Principal]:
    """The members not looked at yet of teams whose pools begin or cease to deny something."""
    pools = gathered.rules.book.pools
    changed = (
        each.principal for each in decisions if each.principal in pools and each.denies_changed
    )
    return {member for team in changed for member in pools[team]} - gathered.wanted
