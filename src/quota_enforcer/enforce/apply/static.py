"""Users and roles: the static deny policies, attached and detached one after the other.

Intent (so that a crash is seen) -> IAM -> outcome with its notices, in one transaction.
"""

from contextlib import suppress
from typing import NamedTuple, Protocol

from quota_enforcer.core.deployment import SETTLING
from quota_enforcer.core.errors import CannotDeny, Closed, Conflict, PrincipalGone
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import GATED
from quota_enforcer.decide.decision import Decision
from quota_enforcer.enforce.apply.record import GONE, already_applied, conclude, intend
from quota_enforcer.enforce.apply.work import Work
from quota_enforcer.enforce.evaluate import SecondLook
from quota_enforcer.enforce.gather import NOTHING, SweepInput
from quota_enforcer.enforce.ports import Denies, Outbox, Standings
from quota_enforcer.enforce.report import Outcome

TRIES = 3
"""How often a principal is decided again when another sweep or wake wrote it first."""


class Attached(NamedTuple):
    """The scopes that IAM denies, and those that it may deny for all we know."""

    surely: frozenset[str]
    maybe: frozenset[str] = NOTHING


class StaticLedger(Standings, Outbox, Protocol):
    """The roles of the ledger that it takes to deny somebody."""


class StaticApplier:
    """Attaches and detaches one policy after the other, since IAM throttles bulk changes."""

    def __init__(
        self,
        ledger: StaticLedger,
        denies: Denies,
        second_look: SecondLook,
        *,
        gated: bool,
    ) -> None:
        self._ledger = ledger
        self._denies = denies
        self._second_look = second_look
        self._gated = gated

    def apply(self, work: Work) -> Outcome:
        """Bring about each decision; ends early if the stack begins to go."""
        parts = []
        for decision, record in work:
            try:
                parts.append(self._drift(record, work.given))
                parts.append(self._one(decision, record, work.given))
            except Closed:
                parts.append(Outcome(closed=True))
                break
            except Exception as error:  # noqa: BLE001 - one that fails does not stop the others
                parts.append(Outcome.of_failure(decision.principal, error))
        return Outcome.total(parts)

    def _one(self, decision: Decision, record: Record, given: SweepInput) -> Outcome:
        tried = NOTHING
        for _ in range(TRIES - 1):
            with suppress(Conflict):
                return self._attempt(decision, record, given, tried)
            tried |= decision.standing.denied
            decision, record, given = self._second_look.at(decision.principal, given)
        return self._attempt(decision, record, given, tried)

    def _attempt(
        self, decision: Decision, record: Record, given: SweepInput, tried: frozenset[str]
    ) -> Outcome:
        """`tried` may have been attached before somebody else turned out to be first."""
        settled = already_applied(decision, record) and tried <= decision.standing.denied
        settled = settled and decision.principal not in given.asked
        if given.partial and settled:
            return Outcome(conclude(decision, record, record.trouble, self._ledger))
        if self._gated and decision.principal.kind in GATED:
            # Somebody else changed it just now: the next sweep has a gate.
            return Outcome(unfinished=frozenset({decision.principal}))
        attached = Attached(given.denied(record), tried)
        return Outcome(self._bring_about(decision, record, attached, given.rules.version))

    def _bring_about(
        self, decision: Decision, record: Record, attached: Attached, rules_version: str
    ) -> tuple[Notice, ...]:
        """Bring IAM and the ledger to the decision; raises Conflict or Closed as `intend` does."""
        # IAM lists late, and the list is older than the record: what either knows is detached.
        maybe = attached.surely | attached.maybe
        maybe |= record.standing.denied | (record.intended or NOTHING)
        unreachable = record.standing.denied - self._denies.scopes
        trouble = ""
        if decision.standing.denied - attached.surely or maybe - decision.standing.denied:
            record = intend(decision, record, self._ledger, rules_version)
            trouble = self._in_iam(decision, Attached(attached.surely, maybe))
        if unreachable and not decision.standing.denied:
            trouble = trouble or (
                f"{', '.join(sorted(unreachable))} is no installed model scope any more, so the "
                "enforcer cannot detach its deny policy: detach it by hand, or install it again"
            )
        return conclude(decision, record, trouble, self._ledger)

    def _in_iam(self, decision: Decision, attached: Attached) -> str:
        """Attach, then detach, so that nothing opens in between; what IAM refuses comes in words.

        If nothing could be attached, what is attached stays: a narrow deny is better than none.
        """
        trouble = self._attach(decision, attached.surely)
        if not (trouble and decision.standing.denied):
            for scope in sorted(attached.maybe - decision.standing.denied):
                self._denies.detach(decision.principal, scope)
        return trouble

    def _attach(self, decision: Decision, surely: frozenset[str]) -> str:
        try:
            for scope in sorted(decision.standing.denied - surely):
                self._denies.attach(decision.principal, scope)
        except CannotDeny as refusal:
            return str(refusal)
        except PrincipalGone:
            return GONE
        return ""

    def _drift(self, record: Record, given: SweepInput) -> Outcome:
        """What somebody else attached or detached, in words; an unfinished apply is none."""
        attached, since, now = given.denied(record), record.standing.since, given.context.now
        young = since and since > now - SETTLING and record.principal not in given.asked
        if record.intended is not None or record.trouble or young:
            return Outcome()
        missing, planted = record.standing.denied - attached, attached - record.standing.denied
        who = record.principal
        drift = (
            *(f"the deny of {each} was detached from {who}" for each in sorted(missing)),
            *(f"the deny of {each} was attached to {who}" for each in sorted(planted)),
        )
        if not drift:
            return Outcome()
        why = f"{'; '.join(drift)}, not by the enforcer, which puts it right"
        notice = Notice(NoticeKind.TAMPERED, now, str(who), "", why)
        self._ledger.post([notice])
        return Outcome(notices=(notice,), drift=drift)
