"""Work: decisions to bring about, with all that an applier must know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from quota_enforcer.core.ledger import GateIntent, Record
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.principal import Principal
from quota_enforcer.decide.decision import Decision
from quota_enforcer.enforce.gather.sweep_input import SweepInput


@dataclass(frozen=True, slots=True)
class Work:
    """Decisions to bring about."""

    given: SweepInput
    decisions: list[Decision]
    records: Mapping[Principal, Record]
    """Those that the decisions start from."""
    gates: Mapping[Principal, GateIntent]
    """What the gates were asked to deny, if that concerns a decision."""

    def __iter__(self) -> Iterator[tuple[Decision, Record]]:
        for decision in self.decisions:
            yield decision, self.records[decision.principal]

    @property
    def notices(self) -> list[Notice]:
        """Those due if all of it is brought about."""
        return [notice for decision in self.decisions for notice in decision.notices]

    @property
    def moved(self) -> frozenset[Principal]:
        """Everybody whose denies change, or whose last change was left half done."""
        return frozenset(
            decision.principal
            for decision, record in self
            if not record.is_settled_on(decision.standing.denied)
        )
