"""The decision: quotas x usage x standing x now -> the desired standing and the notices due.

Who is warned, blocked and released is decided here and nowhere else. The sweep, the dry run and
the status table all call it, so what an admin is told is what happens.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Level, Standing, UsedUp, Warned
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Applicable
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.decide import observe as observed
from quota_enforcer.decide import reasons
from quota_enforcer.decide.deniability import adds_denies, in_words, reason_not_denied, scopes_of
from quota_enforcer.decide.notices import changes, draws_on_pool, warnings
from quota_enforcer.decide.verdict import FULL, Verdict, judge

NO_POOLS: Mapping[str, Usage] = {}


@dataclass(frozen=True, slots=True)
class Decision:
    """The desired standing of a principal, the notices due, and the verdicts it rests on."""

    principal: Principal
    before: Standing
    standing: Standing
    notices: tuple[Notice, ...]
    verdicts: tuple[Verdict, ...]
    denying: tuple[Verdict, ...]
    context: Context

    @property
    def blocks(self) -> bool:
        """Whether it closes something that was open."""
        return adds_denies(self.standing.denied, self.before.denied)

    @property
    def denies_changed(self) -> bool:
        """Whether other quotas deny, or something else, than before."""
        before, after = self.before, self.standing
        return (before.denied, before.used_up.keys()) != (after.denied, after.used_up.keys())

    def without_new_blocks(self) -> "Decision":
        """The same but for what it would newly deny; due at once, so that it is decided again."""
        denying = tuple(each for each in self.denying if each.quota.id in self.before.used_up)
        now, due = self.context.now, self.before.due
        standing = replace(
            self.standing,
            denied=self.standing.denied & self.before.denied,
            used_up={each.quota.id: self.standing.used_up[each.quota.id] for each in denying},
            until=_last(each.frees_at for each in denying),
            due=due if due is not None and due <= now else now,
        )
        notices = tuple(
            replace(each, closed=in_words(standing.denied))
            for each in self.notices
            if each.kind is not NoticeKind.BLOCKED
        )
        return replace(self, standing=standing, notices=notices, denying=denying)


def decide(
    principal: Principal,
    applicable: Applicable,
    usage: Usage,
    before: Standing,
    context: Context,
    pools: Mapping[str, Usage] = NO_POOLS,
) -> Decision:
    """What should hold for a principal now.

    A warning never swallows the later block, a jump past both gives both, and a reset lifts only
    what its own window denied. `usage` is the principal's own, and `pools` are by quota id what all
    who share one used together: the team is warned of it, and the block is everybody's.
    """
    verdicts = tuple(
        judge(quota, pools[quota.id] if quota.pooled else usage, context)
        for quota in applicable.quotas
    )
    denying = {
        verdict.quota.id: verdict
        for verdict in verdicts
        if verdict.used_up and reason_not_denied(verdict, principal, context) is None
    }
    warned = _still_warned(before.warned, verdicts, context.now)
    would_deny = observed.would_deny(principal, before, verdicts, context)
    notices = observed.ended(principal, before, would_deny, verdicts, context)
    for verdict in verdicts:
        reached = _reached(principal, verdict, denying)
        told = warned.get(verdict.quota.id)
        if reached and (told is None or told.threshold < reached):
            warned[verdict.quota.id] = Warned(
                reached, verdict.limit, _window_ends(verdict, context)
            )
            denied = scopes_of(denying.values())
            notices += warnings(principal, verdict, reached, denied, context)
    notices += changes(principal, before, verdicts, denying, context)
    standing = Standing(
        level=_level(verdicts),
        denied=scopes_of(denying.values()),
        used_up={
            id_: UsedUp(verdict.limit, verdict.span.start, verdict.frees_at)
            for id_, verdict in denying.items()
        },
        warned=warned,
        would_deny=would_deny,
        until=_last(verdict.frees_at for verdict in denying.values()),
        reason=reasons.reason(verdicts),
        since=context.now,
        due=min(_turns(applicable, verdicts), default=None),
    )
    return Decision(
        principal,
        before,
        _settled(before, standing),
        tuple(notices),
        verdicts,
        tuple(denying.values()),
        context,
    )


def _reached(principal: Principal, verdict: Verdict, denying: Mapping[str, Verdict]) -> int:
    """The threshold to warn of; the limit itself is one where no block says it."""
    if verdict.used_up and verdict.quota.id not in denying:
        return FULL
    return 0 if draws_on_pool(principal, verdict.quota) else verdict.threshold


def _still_warned(
    before: Mapping[str, Warned], verdicts: Iterable[Verdict], now: datetime
) -> dict[str, Warned]:
    """What need not be said again: the same limit, and the window not over.

    A rolling window never ends, so there the usage must also have been below the threshold.
    """
    current = {verdict.quota.id: verdict for verdict in verdicts}
    return {
        id_: told
        for id_, told in before.items()
        if (verdict := current.get(id_))
        and verdict.limit == told.limit
        and (now < told.until or (verdict.quota.window.rolling and verdict.passed(told.threshold)))
    }


def _window_ends(verdict: Verdict, context: Context) -> datetime:
    """Until when a warning is not repeated: a rolling window counts its own length from now."""
    window = verdict.quota.window
    if not window.rolling:
        return verdict.span.end
    return context.now + window.rolling * timedelta(**{f"{window.unit}s": 1})


def _level(verdicts: Iterable[Verdict]) -> Level:
    levels = {
        Level.OVER if verdict.used_up else Level.WARNED if verdict.threshold else Level.OK
        for verdict in verdicts
    }
    return next((level for level in (Level.OVER, Level.WARNED) if level in levels), Level.OK)


def _last(moments: Iterable[datetime | None]) -> datetime | None:
    """The latest moment, None where one never comes or there is none."""
    known = list(moments)
    return None if None in known else max((m for m in known if m), default=None)


def _turns(applicable: Applicable, verdicts: Iterable[Verdict]) -> Iterable[datetime]:
    """When the decision can change by the clock alone."""
    if applicable.turns_at is not None:
        yield applicable.turns_at
    for verdict in verdicts:
        if verdict.used_up and verdict.frees_at is not None:
            yield verdict.frees_at
        elif verdict.used_up or verdict.threshold:
            yield verdict.span.end


def _settled(before: Standing, after: Standing) -> Standing:
    """The same standing keeps its date and its words, so that nothing is written for nothing."""
    if before.since and (before.level, before.denied, before.used_up.keys()) == (
        after.level,
        after.denied,
        after.used_up.keys(),
    ):
        return replace(after, since=before.since, reason=before.reason)
    return after
