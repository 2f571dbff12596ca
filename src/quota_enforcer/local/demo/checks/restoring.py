"""Checks of what ends a block: a higher limit, the window's end, the stack's deletion."""

from collections.abc import Callable
from datetime import datetime

from quota_enforcer.core.principal import GATED, Principal
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.checks.blocks import LIMITS, NEVER, is_last_release, reported
from quota_enforcer.local.demo.record import RunRecord


def raise_restores(record: RunRecord) -> bool:
    raised = record.edits.get("raise", NEVER)
    old = LIMITS["user/bob", "daily"]
    return any(
        event.at >= raised and event.used >= old and _back(record, cast.BOB, event.at)
        for event in reported(record, "restored", cast.BOB)
    )


def window_restores(principal: Principal, quota: str) -> Callable[[RunRecord], bool]:
    """The same limit, less used than that, and the next call goes through."""
    limit = LIMITS.get((str(principal), quota), LIMITS["default", "daily"])

    def restored(record: RunRecord) -> bool:
        return any(
            event.used < limit == event.limit and _back(record, principal, event.at)
            for event in reported(record, "restored", principal)
        )

    return restored


def deletion_releases(record: RunRecord) -> bool:
    last = [event for event in record.events if is_last_release(record, event)]
    after = [a for a in record.answers if record.closed and a.call.at >= record.closed]
    return (
        len(record.blocked) > 0
        and {event.principal for event in last} == {str(each) for each in record.blocked}
        and record.blocked <= {answer.call.principal for answer in after}
        and not any(answer.refusal for answer in after)
    )


def nothing_left(record: RunRecord) -> bool:
    return record.closed is not None and not record.leftovers


def gate_is_empty(record: RunRecord) -> bool:
    gated = any(principal.kind in GATED for principal in record.blocked)
    return gated and record.still_listed == frozenset()


def _back(record: RunRecord, principal: Principal, at: datetime) -> bool:
    """Whether the last call before was refused and the next one goes through."""
    answers = [answer for answer in record.answers if answer.call.principal == principal]
    before = [answer for answer in answers if answer.call.at < at]
    after = [answer for answer in answers if answer.call.at >= at]
    return bool(before and before[-1].refusal and after and not after[0].refusal)
