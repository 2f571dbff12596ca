"""The end of the stack: everybody that it denied is released."""

from dataclasses import replace
from datetime import datetime

from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import GATED, Principal
from quota_enforcer.enforce.apply.gates import orphaned_gates_message
from quota_enforcer.enforce.gather import NOTHING
from quota_enforcer.enforce.ports import Adapters, Ledger


def release_everybody(outside: Adapters, now: datetime) -> tuple[list[Notice], list[str]]:
    """Detach every deny that IAM or the ledger knows of, and empty the gates.

    Returns what to tell whom, and failures in words; one failure does not stop the rest.
    """
    failures = _empty_gates(outside)
    gates_closed = bool(failures)
    denied = outside.denies.denied()
    in_force = set(denied)
    records = {record.principal: record for record in outside.ledger.blocked()}
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
            for scope in sorted(scopes & outside.denies.scopes):
                outside.denies.detach(principal, scope)
        except Exception as error:  # noqa: BLE001 - the others are released all the same
            failures.append(f"{principal}: {type(error).__name__}: {error}")
        else:
            told = [Notice(NoticeKind.RESTORED, now, str(principal), "", why)]
            told = told if principal in in_force else []
            notices += _noted(outside.ledger, records.get(principal), principal, told)
    return notices, failures


def _empty_gates(outside: Adapters) -> list[str]:
    """Have the author write gates that deny nobody; returns failures in words."""
    if outside.author is None:
        left = [intent.principal for intent in outside.ledger.gate_intents()]
        return [orphaned_gates_message(left)] if left else []
    try:
        return list(outside.author.empty().failures)
    except Exception as error:  # noqa: BLE001 - whoever can be released is
        return [f"the gates: {type(error).__name__}: {error}"]


def _noted(
    ledger: Ledger, record: Record | None, principal: Principal, told: list[Notice]
) -> list[Notice]:
    """Into the ledger with it, so that who is released twice is told once."""
    record = ledger.records([principal])[principal] if record is None else record
    standing = replace(record.standing, denied=NOTHING, used_up={}, until=None)
    outcome = record.next(standing=standing, intended=None, trouble="", due=None)
    try:
        ledger.put(outcome, told)
    except Conflict:  # a sweep under way was first, and releases everybody itself at its end
        return []
    return told
