"""The end of the stack: everybody that it denied is released."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from quota_enforcer.core.errors import AccountUnreachable, Conflict
from quota_enforcer.core.ledger import GateIntentReads, Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.policies.in_force import NO_SCOPES, ONLY_HOME
from quota_enforcer.core.principal import GATED
from quota_enforcer.enforce.apply.gates import orphaned_gates_message
from quota_enforcer.enforce.ports.adapters import Denies, GateAuthor
from quota_enforcer.enforce.ports.ledger import Outbox, Standings
from quota_enforcer.enforce.report import Outcome, failure

REMOVED = "the quota enforcer is being removed"
TRIES = 3
"""How often somebody is released again whose record others have just written."""


class TeardownLedger(Standings, Outbox, GateIntentReads, Protocol):
    """The roles of the ledger that tell who is denied."""


def release_everybody(
    ledger: TeardownLedger,
    denies: Denies,
    author: GateAuthor | None,
    now: datetime,
    members: Iterable[str] = (),
) -> Outcome:
    """Detach every deny that IAM or the ledger knows of, and empty the gates.

    In member accounts too. One that cannot be reached is told of and keeps no stack from going:
    its satellite detaches its own denies when it is deleted.
    """
    members = frozenset(members)
    failures, unreachable = _empty_gates(ledger, author)
    gates_closed = bool(failures)
    found = denies.in_force(members)
    denied = dict(found.denied)
    unreachable |= found.unread
    records = {record.principal: record for record in ledger.blocked()}
    # A block that was under way was never told, so its end is not told either.
    in_force = {each for each in denied if each not in records or records[each].intended is None}
    for record in records.values():
        known = record.standing.denied | (record.intended or NO_SCOPES)
        denied[record.principal] = denied.get(record.principal, NO_SCOPES) | known
        if record.standing.denied and not record.trouble:
            in_force.add(record.principal)
    notices: list[Notice] = []
    for principal, scopes in sorted(denied.items()):
        if principal.kind in GATED and gates_closed:
            continue
        reached = principal.account in ONLY_HOME | members
        try:
            for scope in sorted(scopes & denies.scopes) if reached else ():
                denies.detach(principal, scope)
            record = records.get(principal) or ledger.records([principal])[principal]
            notices += _noted(ledger, record, now, told=principal in in_force)
        except AccountUnreachable as error:
            unreachable[error.account] = error.why
        except Exception as error:  # noqa: BLE001 - the others are released all the same
            failures.append(failure(principal, error))
    if unreachable:
        ledger.post(_left_behind(unreachable, now))
    return Outcome(tuple(notices), tuple(failures), unreachable=unreachable)


def _left_behind(unreachable: Mapping[str, str], now: datetime) -> list[Notice]:
    """What admins are told of accounts in which somebody may stay denied."""
    why = (
        "{}; the home stack goes, and whom it denied there stays denied until the satellite of "
        "that account is deleted"
    )
    return [
        Notice(NoticeKind.ACCOUNT_UNREACHABLE, now, "", account, why.format(unreachable[account]))
        for account in sorted(unreachable)
    ]


def _empty_gates(
    intents: GateIntentReads, author: GateAuthor | None
) -> tuple[list[str], dict[str, str]]:
    """Have the author write gates that deny nobody.

    Returns failures in words, and the member accounts that could not be reached.
    """
    if author is None:
        left = [intent.principal for intent in intents.gate_intents()]
        return [orphaned_gates_message(left)] if left else [], {}
    try:
        emptied = author.empty()
    except Exception as error:  # noqa: BLE001 - whoever can be released is
        return [failure("the gates", error)], {}
    return list(emptied.failures), dict(emptied.unreachable)


def _noted(standings: Standings, record: Record, now: datetime, *, told: bool) -> list[Notice]:
    """Into the ledger with it, so that who is released twice is told once.

    Raises Conflict if others go on writing the record.
    """
    for _ in range(TRIES):
        standing = record.standing
        since, who = standing.blocked_since, str(record.principal)
        notice = Notice(NoticeKind.RESTORED, now, who, "", REMOVED, since=since)
        notices = [notice] if told else []
        free = replace(standing, denied=NO_SCOPES, used_up={}, until=None, blocked_since=None)
        try:
            standings.put(record.next(standing=free, intended=None, trouble="", due=None), notices)
        except Conflict:  # a sweep under way was first, which may have died since
            record = standings.records([record.principal])[record.principal]
            if not record.standing.denied and record.intended is None:
                return []  # it has released them itself
        else:
            return notices
    raise Conflict(f"the record of {record.principal} is written by others again and again")
