"""The end of the stack: everybody that it denied is released."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.ledger import GateIntentReads, Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import GATED
from quota_enforcer.enforce.apply.gates import orphaned_gates_message
from quota_enforcer.enforce.gather import NOTHING
from quota_enforcer.enforce.ports import Denies, GateAuthor, Standings
from quota_enforcer.enforce.report import Outcome, failure

REMOVED = "the quota enforcer is being removed"
TRIES = 3
"""How often somebody is released again whose record others have just written."""


class TeardownLedger(Standings, GateIntentReads, Protocol):
    """The roles of the ledger that tell who is denied."""


def release_everybody(
    ledger: TeardownLedger, denies: Denies, author: GateAuthor | None, now: datetime
) -> Outcome:
    """Detach every deny that IAM or the ledger knows of, and empty the gates."""
    failures = _empty_gates(ledger, author)
    gates_closed = bool(failures)
    denied = denies.denied()
    records = {record.principal: record for record in ledger.blocked()}
    # A block that was under way was never told, so its end is not told either.
    in_force = {each for each in denied if each not in records or records[each].intended is None}
    for record in records.values():
        known = record.standing.denied | (record.intended or NOTHING)
        denied[record.principal] = denied.get(record.principal, NOTHING) | known
        if record.standing.denied and not record.trouble:
            in_force.add(record.principal)
    notices: list[Notice] = []
    for principal, scopes in sorted(denied.items()):
        if principal.kind in GATED and gates_closed:
            continue
        try:
            for scope in sorted(scopes & denies.scopes):
                denies.detach(principal, scope)
            record = records.get(principal) or ledger.records([principal])[principal]
            notices += _noted(ledger, record, now, told=principal in in_force)
        except Exception as error:  # noqa: BLE001 - the others are released all the same
            failures.append(failure(principal, error))
    return Outcome(notices=tuple(notices), failures=tuple(failures))


def _empty_gates(intents: GateIntentReads, author: GateAuthor | None) -> list[str]:
    """Have the author write gates that deny nobody; returns failures in words."""
    if author is None:
        left = [intent.principal for intent in intents.gate_intents()]
        return [orphaned_gates_message(left)] if left else []
    try:
        return list(author.empty().failures)
    except Exception as error:  # noqa: BLE001 - whoever can be released is
        return [failure("the gates", error)]


def _noted(standings: Standings, record: Record, now: datetime, *, told: bool) -> list[Notice]:
    """Into the ledger with it, so that who is released twice is told once.

    Raises Conflict if others go on writing the record.
    """
    for _ in range(TRIES):
        standing = record.standing
        since, who = standing.blocked_since, str(record.principal)
        notice = Notice(NoticeKind.RESTORED, now, who, "", REMOVED, since=since)
        notices = [notice] if told else []
        free = replace(standing, denied=NOTHING, used_up={}, until=None, blocked_since=None)
        try:
            standings.put(record.next(standing=free, intended=None, trouble="", due=None), notices)
        except Conflict:  # a sweep under way was first, which may have died since
            record = standings.records([record.principal])[record.principal]
            if not record.standing.denied and record.intended is None:
                return []  # it has released them itself
        else:
            return notices
    raise Conflict(f"the record of {record.principal} is written by others again and again")
