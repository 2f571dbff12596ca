"""Users and roles: the static deny policies, attached and detached one after the other.

Intent (so that a crash is seen) -> IAM -> outcome with its notices, in one transaction.
"""

from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple, Protocol

from quota_enforcer.core.errors import (
    AccountUnreachable,
    CannotDeny,
    Conflict,
    DeploymentClosed,
    PrincipalGone,
)
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.policies.in_force import NO_SCOPES, ONLY_HOME
from quota_enforcer.core.principal import GATED
from quota_enforcer.decide.decision import Decision
from quota_enforcer.enforce.apply.record import (
    GONE,
    FirstWrite,
    conclude,
    intend,
)
from quota_enforcer.enforce.apply.work import Work
from quota_enforcer.enforce.decide_all import SecondLook
from quota_enforcer.enforce.gather.gatherer import members_of
from quota_enforcer.enforce.gather.sweep_input import SweepInput
from quota_enforcer.enforce.ports.adapters import Denies
from quota_enforcer.enforce.ports.ledger import Outbox, Standings
from quota_enforcer.enforce.report import Outcome

TRIES = 3
"""How often a principal is decided again when another sweep or wake wrote it first."""


class Attached(NamedTuple):
    """The scopes that IAM denies, and with them those that it may deny for all we know."""

    surely: frozenset[str]
    maybe: frozenset[str]


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
        given = work.given
        now, in_force = given.context.now, given.in_force
        if not given.partial and any(in_force.drift(record, now) for _, record in work):
            given = self._listed_again(given)
        for decision, record in work:
            try:
                parts.append(self._one(decision, record, given))
            except DeploymentClosed:
                parts.append(Outcome(closed=True))
                break
            except AccountUnreachable as error:
                parts.append(Outcome.of_unreachable(decision.principal, error))
            except Exception as error:  # noqa: BLE001 - one that fails does not stop the others
                parts.append(Outcome.of_failure(decision.principal, error))
        return Outcome.total(parts)

    def _listed_again(self, given: SweepInput) -> SweepInput:
        """The input with what IAM denies by now.

        A list from before a record was read shows as tampering what another run put right.
        """
        before = given.in_force
        if given.partial:
            found = self._denies.in_force(members_of(before.asked, given.context))
            return replace(given, in_force=found.only_of(before.asked))
        return replace(given, in_force=self._denies.in_force(before.listed - ONLY_HOME))

    def _one(self, decision: Decision, record: Record, given: SweepInput) -> Outcome:
        tried = NO_SCOPES
        for _ in range(TRIES - 1):
            with suppress(Conflict):
                return self._attempt(decision, record, given, tried)
            tried |= decision.standing.denied
            decision, record, given = self._second_look.decide_about(decision.principal, given)
            if given.in_force.drift(record, given.context.now, tried):
                given = self._listed_again(given)
        return self._attempt(decision, record, given, tried)

    def _attempt(
        self, decision: Decision, record: Record, given: SweepInput, tried: frozenset[str]
    ) -> Outcome:
        """`tried` may have been attached before somebody else turned out to be first."""
        settled = (
            record.is_settled_on(decision.standing.denied)
            and tried <= decision.standing.denied
            and decision.principal not in given.in_force.asked
        )
        if given.partial and settled:
            first_write = FirstWrite.of(decision, given)
            told = conclude(decision, record, self._ledger, record.trouble, first_write=first_write)
            return Outcome(told)
        if self._gated and decision.principal.kind in GATED:
            # Somebody else changed it just now: the next sweep has a gate.
            return Outcome(unfinished=frozenset({decision.principal}))
        return self._bring_about(decision, record, given, tried)

    def _bring_about(
        self, decision: Decision, record: Record, given: SweepInput, tried: frozenset[str]
    ) -> Outcome:
        """Bring IAM and the ledger to the decision; raises what `intend` raises."""
        if decision.principal in given.in_force.asked and decision.standing.denied:
            standing = replace(decision.standing, in_force_at=given.context.now)
            decision = decision._replace(standing=standing)
        wanted, account = decision.standing.denied, decision.principal.account
        stuck = self._stuck(decision, record)
        surely = given.in_force.of(record)
        drift = given.in_force.drift(record, given.context.now, tried)
        # IAM lists late, and the list is older than the record: what either knows is detached.
        maybe = surely | tried | record.standing.denied | (record.intended or NO_SCOPES)
        # A satellite that was deleted has detached its own denies: nothing is left to change there.
        is_reached = account in ONLY_HOME | given.context.reached
        changes = is_reached and (wanted - surely or maybe - wanted)
        first_write = FirstWrite.of(decision, given, drift)
        if not changes:
            told = conclude(decision, record, self._ledger, stuck, first_write=first_write)
            return Outcome(told, drift=drift)
        if account:  # before anything is written, since it may take long until it is reached
            self._denies.reach(account)
        record = intend(decision, record, self._ledger, first_write)
        trouble = self._in_iam(decision, Attached(surely, maybe)) or stuck
        told = conclude(decision, record, self._ledger, trouble)
        return Outcome((*first_write.found, *told), drift=drift)

    def _stuck(self, decision: Decision, record: Record) -> str:
        """Why a deny that is to be lifted stays, if its scope's policy is not of the stack now."""
        uninstalled = record.standing.denied - self._denies.scopes
        if not uninstalled or decision.standing.denied:
            return ""
        return (
            f"{', '.join(sorted(uninstalled))} is no installed model scope any more, so the "
            "enforcer cannot detach its deny policy: detach it by hand, or install it again"
        )

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
