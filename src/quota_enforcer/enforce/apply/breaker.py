"""The breaker at work: what a recent edit newly blocks is held if it is too much at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from quota_enforcer.core.deployment import Breaker
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.amounts import and_more, listed
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.subject import QuotaId
from quota_enforcer.decide.breaker import (
    FAR,
    NewBlock,
    Wave,
    by_quota,
    judge_wave,
)
from quota_enforcer.decide.decision import HELD, Decision
from quota_enforcer.enforce.gather.sweep_input import SweepInput
from quota_enforcer.enforce.ports.ledger import Standings
from quota_enforcer.enforce.report import Outcome

INDEX_LAG = timedelta(seconds=5)
"""So long the index that lists whoever is held may not know all of them yet."""

_NAMED = 10
"""Of each quota so many principals are named, and so many quotas."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The decisions without what the breaker holds."""

    decisions: list[Decision]
    since: datetime | None = None
    """When the breaker tripped; None if it has not."""
    far: int = 0
    """Percent of a limit from which on it holds nobody; 0 if it has not tripped."""
    outcome: Outcome = field(default_factory=Outcome)


def apply_breaker(
    decisions: list[Decision], given: SweepInput, standings: Standings, breaker: Breaker
) -> Allowed:
    """Take out what recent edits newly block if it is too much.

    What the decisions lift stays, and so does every block that rests on no recent edit. Once the
    breaker has tripped it stays so until an admin confirms, or until what it holds and what it let
    through before are few enough again.
    """
    edits = given.recent_edits
    new = edits.new_blocks(decisions)
    if not new:
        return Allowed(decisions)
    state, now = given.state, given.context.now
    lately = edits.blocked_lately(standings.blocked(), new, decisions)
    wave = judge_wave(new, lately, _everybody(given, standings), breaker)
    if not wave.trips:
        return Allowed(decisions)
    held = _hold(decisions, new, wave)
    if not held.outcome.held:
        return held
    words = _in_words(new, wave, breaker, given)
    tripped = (
        [Notice(NoticeKind.BREAKER, now, "", "", words)] if state.breaker_since is None else []
    )
    said = Outcome(notices=tuple(tripped), failures=(words,))
    outcome = Outcome.total([held.outcome, said])
    return replace(held, since=state.breaker_since or now, far=wave.far, outcome=outcome)


def while_tripped(
    decisions: list[Decision], given: SweepInput, standings: Standings, breaker: Breaker
) -> Allowed | frozenset[Principal]:
    """What a wake or an edit may do while the breaker holds; or whom else it must look at first.

    It lets go of everybody or of nobody: else they would go one by one. A wake follows every call,
    so nobody else is looked at unless it has fewer to hold than there were, or somebody farther
    beyond a limit than it holds; and none of them is if there may still be too many.
    """
    edits, tripped = given.recent_edits, given.state
    new = edits.new_blocks(decisions)
    fresh = _is_fresh(tripped.breaker_since, given.context.now)
    known = 0 if fresh else tripped.breaker_far
    farther = bool(known) and any(each.percent >= known for each in new)
    if fresh or not (farther or _are_fewer(decisions, new)):
        wave = Wave(0, 0, trips=True, far=known) if known else _unknown(new)
        return _still(_hold(decisions, new, wave), tripped)
    everybody = standings.everybody()
    elsewhere = [each for each in everybody
                 if each.standing.held and each.principal not in given.wanted]  # fmt: skip
    several = [*new, *edits.held_before(elsewhere)]
    lately = edits.blocked_lately(everybody, several, decisions)
    known_to_all = {each.principal for each in everybody} | given.wanted
    wave = judge_wave(several, lately, known_to_all, breaker)
    if not wave.trips:
        return frozenset(each.principal for each in elsewhere)
    wave = replace(wave, far=max(wave.far, known))
    return replace(_still(_hold(decisions, new, wave), tripped), far=wave.far)


def hold_everything(decisions: Iterable[Decision], given: SweepInput) -> Allowed:
    """Take out all new blocks, as in a pause; the breaker is as it was."""
    several = list(decisions)
    kept = [each.pausing() for each in several]
    held = tuple(str(each.principal) for each in several if each.blocks)
    return _still(Allowed(kept, outcome=Outcome(held=held)), given.state)


def still_held(decision: Decision, given: SweepInput) -> Decision:
    """One decision without what recent edits newly block, while the breaker holds others."""
    new = given.recent_edits.new_blocks([decision])
    return _hold([decision], new, _unknown(new)).decisions[0]


def _everybody(given: SweepInput, standings: Standings) -> Iterator[Principal]:
    """All who are known or looked at; only if they are counted at all, the ledger lists them."""
    yield from given.wanted
    yield from (record.principal for record in standings.everybody())


def _unknown(new: Iterable[NewBlock]) -> Wave:
    """Everybody is held whom the index may not know of yet, however far beyond."""
    farthest = max((each.percent for each in new), default=0)
    return Wave(0, 0, trips=True, far=farthest + 1)


def _is_fresh(since: datetime | None, now: datetime) -> bool:
    return since is not None and now - since < INDEX_LAG


def _are_fewer(decisions: Iterable[Decision], new: Iterable[NewBlock]) -> bool:
    """Whether somebody need not be held any more, or is let go of a block that counted."""
    still: dict[Principal, set[str]] = {}
    for each in new:
        still.setdefault(each.principal, set()).add(each.quota)
    return any(
        each.before.held.keys() - still.get(each.principal, set())
        or each.before.denied - each.standing.denied
        for each in decisions
    )


def _still(allowed: Allowed, tripped: SweepState) -> Allowed:
    """What is allowed, with the breaker left as it was."""
    return replace(allowed, since=tripped.breaker_since, far=tripped.breaker_far)


def _hold(decisions: list[Decision], new: list[NewBlock], wave: Wave) -> Allowed:
    held = wave.held(new)
    if not held:
        return Allowed(decisions)
    kept = [each.holding(held.get(each.principal, {}), HELD) for each in decisions]
    names = tuple(str(each.principal) for each in decisions if each.principal in held)
    return Allowed(kept, outcome=Outcome(held=names))


def _in_words(new: list[NewBlock], wave: Wave, breaker: Breaker, given: SweepInput) -> str:
    """What is held and why; names are capped, so that it fits the ledger and every mail."""
    cause = "what was edited lately"
    if given.settings_changed:
        cause = f"{cause}, or the deployment's settings, which are new,"
    far = "twice" if wave.far == FAR else f"{wave.far // 100:,} times"
    several = by_quota(wave.held(new))
    held = "; ".join(
        f"quota {QuotaId.parse(id_).label} of {QuotaId.parse(id_).subject} for {len(whom):,} "
        f"({listed(list(map(str, whom)), _NAMED)})"
        for id_, whom in list(several.items())[:_NAMED]
    )
    more = and_more(len(several), _NAMED, "quotas")
    held = f"{held}; {more}" if more else held
    return (
        f"{cause} would newly block {wave.count:,} of {wave.everybody:,} "
        f"principals ({wave.percent} %), more than {breaker.number} and more than "
        f"{breaker.percent} % of all. Held are just these blocks: {held}. Whoever has used "
        f"{far} the limit or more is blocked all the same. Check what was "
        "edited last, then confirm with `quota-enforcer sweep --confirm-blocks`"
    )
