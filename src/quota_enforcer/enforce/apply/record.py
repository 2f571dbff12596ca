"""What is written of one principal: the intent before, the outcome with its notices after.

A crash in between is seen by the intent. A notice never claims a block that did not happen.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, Self

from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.ledger import ANY_PREMISE, GateIntent, Premise, Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.notices import block_notice
from quota_enforcer.enforce.gather.sweep_input import SweepInput
from quota_enforcer.enforce.ports.ledger import Standings

_CLAIMS_A_BLOCK = {NoticeKind.BLOCKED, NoticeKind.CHANGED}
GONE = "it no longer exists"


class FirstWrite(NamedTuple):
    """What goes with the first write about a principal: its intent, or its outcome without one."""

    premise: Premise = ANY_PREMISE
    found: tuple[Notice, ...] = ()
    """Notices that are true whatever becomes of the decision."""

    @classmethod
    def of(cls, decision: Decision, given: SweepInput, drift: Iterable[str] = ()) -> Self:
        """Of a decision; its rules, and for a new block the breaker, must still be as in `given`.

        Drift is told in the write that begins to put it right, so that only one run tells it.
        """
        now, who = given.context.now, str(decision.principal)
        holds = decision.blocks and not given.confirmed
        premise = Premise(given.rules.version, given.state.breaker if holds else None)
        words = "; ".join(drift)
        if not words:
            return cls(premise)
        why = f"{words}, not by the enforcer, which puts it right"
        return cls(premise, (Notice(NoticeKind.TAMPERED, now, who, "", why),))


ALREADY_WRITTEN = FirstWrite()
"""Of an outcome that follows its intent: there is nothing to check and to tell any more."""


def intend(
    decision: Decision,
    record: Record,
    standings: Standings,
    first_write: FirstWrite,
    gate: GateIntent | None = None,
) -> Record:
    """The first step: write down what is about to be denied, with what a gate shall deny.

    Raises Conflict if another sweep was first, or the premise does not hold any more; and
    DeploymentClosed if the stack is being deleted.
    """
    written = record.next(intended=decision.standing.denied, due=decision.context.now)
    standings.put(written, first_write.found, gate=gate, premise=first_write.premise)
    return written


def conclude(
    decision: Decision,
    record: Record,
    standings: Standings,
    trouble: str = "",
    *,
    partly: bool = False,
    first_write: FirstWrite = ALREADY_WRITTEN,
) -> tuple[Notice, ...]:
    """The last step: the outcome with its notices, which are in the outbox then.

    `trouble` is why not all could be denied, `partly` whether something is denied all the same.
    `first_write` is that of `intend`, if no intent was written before.
    """
    notices = [*first_write.found, *_true_notices(decision, record.trouble, trouble, partly=partly)]
    standing = decision.standing
    if record.trouble and not trouble and standing.denied:  # what could not be denied was open
        standing = replace(standing, blocked_since=decision.context.now)
    outcome = record.next(
        standing=standing, intended=None, trouble=trouble, due=decision.standing.due
    )
    if outcome != record.next() or record.version == 0 or notices:
        standings.put(outcome, notices, premise=first_write.premise)
    return tuple(notices)


def mark_due(standings: Standings, principals: Iterable[Principal], now: datetime) -> None:
    """Make the next sweep look at them, whatever else happens."""
    several = set(principals)
    for record in standings.records(several).values() if several else ():
        if record.due is None or record.due > now:
            with suppress(Conflict):  # whoever wrote it meanwhile has looked
                standings.put(record.next(due=now))


def _true_notices(
    decision: Decision, trouble_before: str, trouble: str, *, partly: bool
) -> list[Notice]:
    """What may be said now, seen what IAM let us do."""
    notices = list(decision.notices)
    if trouble and not decision.standing.denied:
        notices = [
            replace(notice, kind=NoticeKind.COULD_NOT_LIFT, reason=trouble)
            if notice.kind is NoticeKind.RESTORED
            else notice
            for notice in notices
        ]
    elif trouble:
        if not partly:
            notices = [
                replace(notice, closed="")
                for notice in notices
                if notice.kind not in _CLAIMS_A_BLOCK
            ]
        if trouble not in {trouble_before, GONE}:
            notices += [
                replace(notice, kind=NoticeKind.COULD_NOT_DENY, reason=trouble)
                for notice in _blocks(decision)
            ]
    elif trouble_before and decision.standing.denied:
        # Nobody was told of this block yet, since it could not be made until now.
        notices = [notice for notice in notices if notice.kind not in _CLAIMS_A_BLOCK]
        notices += _blocks(decision)
    elif trouble_before:
        notices = [notice for notice in notices if notice.kind is not NoticeKind.RESTORED]
    return notices


def _blocks(decision: Decision) -> list[Notice]:
    """The notice of all quotas that deny something."""
    denying = decision.denying
    if not denying:
        return []
    return [block_notice(decision.principal, denying, denying, decision.context)]
