"""Teams: a team has no deny of its own; its record says what its pools deny its members."""

from quota_enforcer.core.errors import Conflict
from quota_enforcer.enforce.apply.record import FirstWrite, conclude
from quota_enforcer.enforce.apply.work import Work
from quota_enforcer.enforce.ports.ledger import Standings
from quota_enforcer.enforce.report import Outcome


class TeamApplier:
    """Writes down and tells what holds for teams."""

    def __init__(self, standings: Standings) -> None:
        self._standings = standings

    def apply(self, work: Work) -> Outcome:
        parts = []
        for decision, record in work:
            try:
                first_write = FirstWrite.of(decision, work.given)
                told = conclude(decision, record, self._standings, first_write=first_write)
                parts.append(Outcome(told))
            except Conflict:  # another sweep or wake was first; the next one looks again
                parts.append(Outcome(unfinished=frozenset({decision.principal})))
            except Exception as error:  # noqa: BLE001 - one that fails does not stop the others
                parts.append(Outcome.of_failure(decision.principal, error))
        return Outcome.total(parts)
