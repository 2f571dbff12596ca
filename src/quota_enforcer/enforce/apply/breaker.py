"""The breaker at work: new blocks are held if they are too many in a quarter of an hour."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from quota_enforcer.core.deployment import Breaker
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.decide.decision import Decision
from quota_enforcer.enforce.ports import Standings
from quota_enforcer.enforce.report import Outcome

MEMORY = timedelta(minutes=15)
"""How long a block counts as new: with streamed usage a wrong quota blocks one by one."""

INDEX_LAG = timedelta(seconds=5)
"""So long the index that lists whoever is held may not know all of them yet."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The decisions without what the breaker holds."""

    decisions: list[Decision]
    since: datetime | None = None
    """When the breaker tripped; None if it has not."""
    outcome: Outcome = field(default_factory=Outcome)


def apply_breaker(
    decisions: list[Decision],
    state: SweepState,
    standings: Standings,
    breaker: Breaker,
    now: datetime,
) -> Allowed:
    """Take out the new blocks if they are too many.

    What the decisions lift stays, and warnings of whoever is not held. Once the breaker has
    tripped it stays so until an admin confirms, or until what it holds and what it let through
    before are few enough again. A team is not counted, but each of its members is.
    """
    blocking = [
        decision
        for decision in decisions
        if decision.blocks and decision.principal.kind is not Kind.TEAM
    ]
    if not blocking:
        return Allowed(decisions)
    before = recently_blocked(standings, state, now, {each.principal for each in blocking})
    if not _too_many(len(blocking) + len(before), standings, breaker):
        return Allowed(decisions)
    held = hold_new_blocks(decisions)
    lately = (
        f", {len(before)} others in the {MEMORY.seconds // 60} minutes before" if before else ""
    )
    words = (
        f"{len(blocking)} principals would have been blocked in one sweep{lately}, more than "
        f"{breaker.number} and more than {breaker.percent} % of all: "
        f"{', '.join(held.outcome.held)}. "
        "Check the quota that was edited last, then confirm with "
        "`quota-enforcer sweep --confirm-blocks`"
    )
    tripped = (
        [Notice(NoticeKind.BREAKER, now, "", "", words)] if state.breaker_since is None else []
    )
    said = Outcome(notices=tuple(tripped), failures=(words,))
    outcome = Outcome.total([held.outcome, said])
    return Allowed(held.decisions, state.breaker_since or now, outcome)


def let_go_with(
    decisions: Iterable[Decision],
    looked_at: Collection[Principal],
    state: SweepState,
    standings: Standings,
    breaker: Breaker,
    now: datetime,
) -> frozenset[Principal] | None:
    """Who else to look at so that a tripped breaker may let go; None if it goes on holding.

    Whoever is held is due at once. If there may still be too many, nobody is looked at for it: a
    wake follows every call.
    """
    if state.breaker_since is not None and now - state.breaker_since < INDEX_LAG:
        return None
    others = frozenset(standings.due(now)) - set(looked_at)
    several = {each.principal for each in decisions if each.blocks} | others
    blocking = {each for each in several if each.kind is not Kind.TEAM}
    before = recently_blocked(standings, state, now, blocking)
    too_many = _too_many(len(blocking) + len(before), standings, breaker)
    return None if too_many else others


def hold_new_blocks(decisions: Iterable[Decision], since: datetime | None = None) -> Allowed:
    """Take out all new blocks."""
    several = list(decisions)
    held = tuple(str(decision.principal) for decision in several if decision.blocks)
    kept = [each.without_new_blocks() if each.blocks else each for each in several]
    return Allowed(kept, since, Outcome(held=held))


def _too_many(many: int, standings: Standings, breaker: Breaker) -> bool:
    return many > breaker.number and breaker.trips(many, _how_many(standings))


def _how_many(standings: Standings) -> int:
    """How many principals are known; a team is none that can be blocked."""
    return sum(record.principal.kind is not Kind.TEAM for record in standings.everybody())


def recently_blocked(
    standings: Standings, state: SweepState, now: datetime, but: set[Principal]
) -> list[Principal]:
    """Who else was blocked lately, or since shortly before the breaker tripped.

    What an admin has confirmed is forgiven.
    """
    since = min(now, state.breaker_since or now) - MEMORY
    if state.confirmed_at is not None:
        since = max(since, state.confirmed_at)
    return [
        record.principal
        for record in standings.blocked()
        if record.principal not in but
        and record.principal.kind is not Kind.TEAM
        and (not record.standing.denied or (record.standing.since or since) > since)
    ]
