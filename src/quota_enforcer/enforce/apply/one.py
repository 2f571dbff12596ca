"""Apply: make a decision true, in steps that can each be repeated.

Intent (so that a crash is seen) -> IAM -> outcome with its notices, in one transaction. A notice
never claims a block that did not happen.
"""

from dataclasses import replace
from typing import NamedTuple

from quota_enforcer.core.errors import CannotDeny, PrincipalGone
from quota_enforcer.core.ledger import GateIntent, Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.notices import block_notices
from quota_enforcer.enforce.ports import Denies, Ledger

_CLAIMS_A_BLOCK = {NoticeKind.BLOCKED, NoticeKind.CHANGED}
_GONE = "it no longer exists"


class Attached(NamedTuple):
    """The scopes that IAM denies, and those that it may deny for all we know."""

    denied: frozenset[str]
    perhaps: frozenset[str] = frozenset()


def apply(
    decision: Decision,
    record: Record,
    really: Attached,
    ledger: Ledger,
    denies: Denies,
    quotas_seen: str | None = None,
) -> list[Notice]:
    """Bring IAM and the ledger to the decision; returns the notices now in the outbox.

    Raises Conflict where another sweep was first, or has seen an edit since the state had
    `quotas_seen`; and Closed where the stack is going.
    """
    # IAM lists late, and the list is older than the record: what either knows is detached.
    known = record.standing.denied | (record.intended or frozenset())
    perhaps = really.denied | really.perhaps | known
    unreachable = record.standing.denied - denies.scopes
    trouble = ""
    if decision.standing.denied - really.denied or perhaps - decision.standing.denied:
        record = intend(decision, record, ledger, quotas_seen=quotas_seen)
        trouble = _bring_about(decision, really.denied, perhaps, denies)
    if unreachable and not decision.standing.denied:
        trouble = trouble or (
            f"{', '.join(sorted(unreachable))} is no installed model scope any more, so the "
            "enforcer cannot detach its deny policy: detach it by hand, or install it again"
        )
    return conclude(decision, record, trouble, ledger)


def intend(
    decision: Decision,
    record: Record,
    ledger: Ledger,
    gate: GateIntent | None = None,
    quotas_seen: str | None = None,
) -> Record:
    """The first step: write down what is about to be denied, for a gate too where one does it."""
    written = record.next(intended=decision.standing.denied, due=decision.context.now)
    ledger.put(written, gate=gate, quotas_seen=quotas_seen)
    return written


def conclude(
    decision: Decision, record: Record, trouble: str, ledger: Ledger, *, partly: bool = False
) -> list[Notice]:
    """The last step: the outcome with its notices.

    `trouble` is why not all could be denied, `partly` whether something is denied all the same.
    """
    notices = _true_notices(decision, record.trouble, trouble, partly=partly)
    outcome = record.next(
        standing=decision.standing, intended=None, trouble=trouble, due=decision.standing.due
    )
    if outcome != record.next() or record.version == 0:
        ledger.put(outcome, notices)
    return notices


def _bring_about(
    decision: Decision, really: frozenset[str], perhaps: frozenset[str], denies: Denies
) -> str:
    """Attach, then detach, so that nothing opens in between; what IAM refuses comes in words.

    Where nothing could be attached, what is attached stays: a narrow deny is better than none.
    """
    trouble = _attach(decision, really, denies)
    if not (trouble and decision.standing.denied):
        for scope in sorted(perhaps - decision.standing.denied):
            denies.detach(decision.principal, scope)
    return trouble


def _attach(decision: Decision, really: frozenset[str], denies: Denies) -> str:
    try:
        for scope in sorted(decision.standing.denied - really):
            denies.attach(decision.principal, scope)
    except CannotDeny as refusal:
        return str(refusal)
    except PrincipalGone:
        return _GONE
    return ""


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
        if trouble not in {trouble_before, _GONE}:
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
    """One notice for each quota that denies something."""
    denying = decision.denying
    return block_notices(decision.principal, denying, denying, decision.context)
