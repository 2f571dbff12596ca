"""One round over some principals: decide side by side, then make it true one after the other."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from quota_enforcer.core.deployment import SETTLING, Settings
from quota_enforcer.core.errors import Closed, Conflict
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import GATED, Kind, Principal
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.evaluate import decide_for_one
from quota_enforcer.decide.rules import Rules
from quota_enforcer.enforce.apply.gates import GateRun, orphaned_gates_message
from quota_enforcer.enforce.apply.one import Attached, apply, conclude
from quota_enforcer.enforce.evaluate import Evaluated, decide_for
from quota_enforcer.enforce.gather import NOTHING, SweepInput
from quota_enforcer.enforce.ports import Adapters
from quota_enforcer.enforce.report import Report

TRIES = 3
"""How often a principal is gathered again when another sweep or wake wrote it first."""


class Enforcement:
    """Decides and applies; what fails goes into the report while the rest goes on.

    `rules` are what to decide by when another sweep or wake was first. A round that is a `wake`
    takes what the ledger says for what IAM denies: to find what others changed is the schedule's.
    """

    def __init__(
        self,
        settings: Settings,
        outside: Adapters,
        report: Report,
        rules: Callable[[], Rules],
        *,
        wake: bool = False,
    ) -> None:
        self._settings = settings
        self._outside = outside
        self._ledger = outside.ledger
        self._report = report
        self._rules = rules
        self._wake = wake
        self.failed = False
        """Whether somebody was not looked at or not brought to what was decided."""

    def decide(self, gathered: SweepInput) -> Evaluated:
        """Decide for everybody gathered, and for who shares a pool that changes for it."""
        looked = decide_for(gathered, self._ledger, self._failed)
        self._report.looked_at = looked.count
        return looked

    def apply(self, decisions: Iterable[Decision], gathered: SweepInput) -> None:
        """Make the decisions true: one policy after the other, since IAM throttles bulk changes.

        All that gates must deny goes to the author together. What is told of a team comes last,
        when it is true of its members; until it is written the next look at it goes on with them.
        """
        author = self._outside.author
        of_teams = [each for each in decisions if each.principal.kind is Kind.TEAM]
        others = [each for each in decisions if each.principal.kind is not Kind.TEAM]
        if author is None and gathered.gates:
            self._report.failures.append(orphaned_gates_message(gathered.gates))
        try:
            gated = self._apply_alone(others, gathered)
        except Closed:
            return
        if author is not None and (gated or not self._wake):
            run = GateRun(self._ledger, author, self._settings.account, self._report.gates_told)
            failures = run.apply(gated, gathered, self._report)
            self._report.failures += failures
            self.failed |= bool(failures)
            self.mark_due(run.unfinished)
        for decision in of_teams:
            self._tell_of_team(decision, gathered.records[decision.principal])

    def _apply_alone(self, decisions: Iterable[Decision], gathered: SweepInput) -> list[Decision]:
        """Apply what no gate is needed for; returns the rest. Raises Closed."""
        gated: list[Decision] = []
        for decision in decisions:
            record = gathered.records[decision.principal]
            if self._outside.author is None and decision.principal in gathered.gates:
                continue  # a gate that nobody writes any more still denies: nothing may be claimed
            if self._gated(decision) and not (self._wake and already_applied(decision, record)):
                gated.append(decision)
                continue
            try:
                self._tell_drift(record, self._really(record, gathered))
                self._report.notices += self._apply_one(decision, record, gathered)
            except Closed:
                raise
            except Exception as error:  # noqa: BLE001 - one that fails does not stop the others
                self._failed(record, error)
        return gated

    def _tell_of_team(self, decision: Decision, record: Record) -> None:
        """A team has no deny of its own: its record says what its pools deny its members."""
        try:
            self._report.notices += conclude(decision, record, "", self._ledger)
        except Conflict:  # another sweep or wake was first; the next one looks again
            self.mark_due([decision.principal])
        except Exception as error:  # noqa: BLE001 - one that fails does not stop the others
            self._failed(record, error)

    def mark_due(self, principals: Iterable[Principal]) -> None:
        """Make the next sweep look at them, whatever else happens."""
        several = set(principals)
        for record in self._ledger.records(several).values() if several else ():
            self._make_due(record)

    def _apply_one(self, decision: Decision, record: Record, gathered: SweepInput) -> list[Notice]:
        tried = NOTHING
        for _ in range(TRIES - 1):
            with suppress(Conflict):
                return self._attempt(decision, record, gathered, tried)
            tried |= decision.standing.denied
            record = self._ledger.records([record.principal])[record.principal]
            gathered = replace(gathered, rules=self._rules())
            decision = decide_for_one(record, gathered.rules.book, self._ledger, gathered.context)
        return self._attempt(decision, record, gathered, tried)

    def _attempt(
        self, decision: Decision, record: Record, gathered: SweepInput, tried: frozenset[str]
    ) -> list[Notice]:
        """`tried` may have been attached before somebody else turned out to be first."""
        if self._wake and already_applied(decision, record) and tried <= decision.standing.denied:
            return conclude(decision, record, record.trouble, self._ledger)
        if self._gated(decision):  # somebody else changed it just now: the next sweep has a gate
            self._make_due(record)
            return []
        really = Attached(self._really(record, gathered), tried)
        seen = gathered.rules.seen
        return apply(decision, record, really, self._ledger, self._outside.denies, seen)

    def _really(self, record: Record, gathered: SweepInput) -> frozenset[str]:
        """What IAM denies; to a wake that is what the ledger says was brought about."""
        if gathered.really is not None:
            return gathered.really.get(record.principal, NOTHING)
        return NOTHING if record.trouble or record.intended is not None else record.standing.denied

    def _gated(self, decision: Decision) -> bool:
        return self._outside.author is not None and decision.principal.kind in GATED

    def _tell_drift(self, record: Record, really: frozenset[str]) -> None:
        """What somebody else attached or detached, in words; an unfinished apply is none."""
        now, since = self._report.now, record.standing.since
        if record.intended is not None or record.trouble or (since and since > now - SETTLING):
            return
        missing, planted = record.standing.denied - really, really - record.standing.denied
        drift = [
            *(
                f"the deny of {each} was detached from {record.principal}"
                for each in sorted(missing)
            ),
            *(f"the deny of {each} was attached to {record.principal}" for each in sorted(planted)),
        ]
        if drift:
            why = f"{'; '.join(drift)}, not by the enforcer, which puts it right"
            notice = Notice(NoticeKind.TAMPERED, now, str(record.principal), "", why)
            self._ledger.post([notice])
            self._report.notices.append(notice)
            self._report.drift += drift

    def _failed(self, record: Record, error: Exception) -> None:
        self.failed = True
        self._report.failures.append(f"{record.principal}: {type(error).__name__}: {error}")
        if not self._report.dry_run:
            self._make_due(record)

    def _make_due(self, record: Record) -> None:
        now = self._report.now
        if record.due is None or record.due > now:
            with suppress(Conflict):  # whoever wrote it meanwhile has looked
                self._ledger.put(record.next(due=now))


def already_applied(decision: Decision, record: Record) -> bool:
    """Whether what is denied stays as the ledger says, and nothing was left half done."""
    return record.intended is None and decision.standing.denied == record.standing.denied
