"""The end of the stack: everybody that it denied is released."""

from datetime import datetime

from quota_enforcer.core.notice import Notice, NoticeKind
from quota_enforcer.core.principal import GATED
from quota_enforcer.ports import Outside
from quota_enforcer.sweep.gather import NOTHING


def release_everybody(outside: Outside, now: datetime) -> tuple[list[Notice], list[str]]:
    """Detach every deny that IAM or the ledger knows of, and empty the gates.

    Returns what to tell whom, and failures in words; one failure does not stop the rest.
    """
    failures: list[str] = []
    if outside.author is not None:
        try:
            failures += outside.author.empty().failures
        except Exception as error:  # noqa: BLE001 - whoever can be released is
            failures.append(f"the gates: {type(error).__name__}: {error}")
    gates_closed = bool(failures)
    denied = outside.denies.denied()
    for record in outside.ledger.blocked():
        known = record.standing.denied | (record.intended or NOTHING)
        denied[record.principal] = denied.get(record.principal, NOTHING) | known
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
            notices.append(Notice(NoticeKind.RESTORED, now, str(principal), "", why))
    return notices, failures
