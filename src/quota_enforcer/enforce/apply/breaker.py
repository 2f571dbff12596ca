"""The breaker at work: new blocks are held where they are too many in a quarter of an hour."""

from dataclasses import replace
from datetime import datetime, timedelta

from quota_enforcer.core.deployment import Breaker
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.decide.decision import Decision
from quota_enforcer.enforce.ports import Ledger
from quota_enforcer.enforce.report import Report

MEMORY = timedelta(minutes=15)
"""How long a block counts as new: a wrong quota blocks one after the other where usage streams."""


def apply_breaker(
    decisions: list[Decision],
    state: SweepState,
    ledger: Ledger,
    breaker: Breaker,
    report: Report,
) -> SweepState:
    """Take the new blocks out of `decisions` where they are too many; returns the state to leave.

    What they warn of and lift stays. Once it has tripped it stays so until an admin confirms, or
    until what it holds and what it let through before are few enough again. A team is not counted,
    but each of its members is.
    """
    blocking = [
        decision
        for decision in decisions
        if decision.blocks and decision.principal.kind is not Kind.TEAM
    ]
    if not blocking:
        return replace(state, breaker_since=None)
    before = recently_blocked(ledger, state, report.now, {each.principal for each in blocking})
    many = len(blocking) + len(before)
    if many <= breaker.number or not breaker.trips(many, _how_many(ledger)):
        return replace(state, breaker_since=None)
    hold_new_blocks(decisions, report)
    lately = (
        f", {len(before)} others in the {MEMORY.seconds // 60} minutes before" if before else ""
    )
    words = (
        f"{len(blocking)} principals would have been blocked in one sweep{lately}, more than "
        f"{breaker.number} and more than {breaker.percent} % of all: {', '.join(report.held)}. "
        "Check the quota that was edited last, then confirm with "
        "`quota-enforcer sweep --confirm-blocks`"
    )
    report.failures.append(words)
    if state.breaker_since is None:
        report.notices.append(Notice(NoticeKind.BREAKER, report.now, "", "", words))
    return replace(state, breaker_since=state.breaker_since or report.now)


def _how_many(ledger: Ledger) -> int:
    """How many principals are known; a team is none that can be blocked."""
    return sum(record.principal.kind is not Kind.TEAM for record in ledger.everybody())


def hold_new_blocks(decisions: list[Decision], report: Report) -> None:
    """Take all new blocks out of `decisions`."""
    report.held = [str(decision.principal) for decision in decisions if decision.blocks]
    decisions[:] = [each.without_new_blocks() if each.blocks else each for each in decisions]


def recently_blocked(
    ledger: Ledger, state: SweepState, now: datetime, but: set[Principal]
) -> list[Principal]:
    """Who else was blocked lately, or since shortly before the breaker tripped.

    What an admin has confirmed is forgiven.
    """
    since = min(now, state.breaker_since or now) - MEMORY
    if state.confirmed_at is not None:
        since = max(since, state.confirmed_at)
    return [
        record.principal
        for record in ledger.blocked()
        if record.principal not in but
        and record.principal.kind is not Kind.TEAM
        and (not record.standing.denied or (record.standing.since or since) > since)
    ]
