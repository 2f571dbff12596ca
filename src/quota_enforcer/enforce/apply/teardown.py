"""The end of the stack: everybody that it denied is released."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.ledger import GateIntentReads, Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import GATED, Principal
from quota_enforcer.enforce.apply.gates import orphaned_gates_message
from quota_enforcer.enforce.gather import NOTHING
from quota_enforcer.enforce.ports import Denies, GateAuthor, Standings
from quota_enforcer.enforce.report import Outcome, failure


class TeardownLedger(Standings, GateIntentReads, Protocol):
    """The roles of the ledger that tell who is denied."""


def release_everybody(
    ledger: TeardownLedger, denies: Denies, author: GateAuthor | None, now: datetime
) -> Outcome:
    """Detach every deny that IAM or the ledger knows of, and empty the gates."""
    failures = _empty_gates(ledger, author)
    gates_closed = bool(failures)
    denied = denies.denied()
    in_force = set(denied)
    records = {record.principal: record for record in ledger.blocked()}
    for record in records.values():
        known = record.standing.denied | (record.intended or NOTHING)
        denied[record.principal] = denied.get(record.principal, NOTHING) | known
        if record.standing.denied and not record.trouble:
            in_force.add(record.principal)
    notices: list[Notice] = []
    why = "the quota enforcer is being removed"
    for principal, scopes in sorted(denied.items()):
        if principal.kind in GATED and gates_closed:
            continue
        try:
            for scope in sorted(scopes & denies.scopes):
                denies.detach(principal, scope)
        except Exception as error:  # noqa: BLE001 - the others are released all the same
            failures.append(failure(principal, error))
        else:
            since = records[principal].standing.blocked_since if principal in records else None
            told = [Notice(NoticeKind.RESTORED, now, str(principal), "", why, since=since)]
            told = told if principal in in_force else []
            notices += _noted(ledger, records.get(principal), principal, told)
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


def _noted(
    standings: Standings, record: Record | None, principal: Principal, told: list[Notice]
) -> list[Notice]:
    """Into the ledger with it, so that who is released twice is told once."""
    record = standings.records([principal])[principal] if record is None else record
    standing = replace(record.standing, denied=NOTHING, used_up={}, until=None, blocked_since=None)
    outcome = record.next(standing=standing, intended=None, trouble="", due=None)
    try:
        standings.put(outcome, told)
    except Conflict:  # a sweep under way was first, and releases everybody itself at its end
        return []
    return told
