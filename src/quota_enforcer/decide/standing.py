"""The standing that judgements ask for, with what was said already."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Level, Standing, UsedUp, Warned, WouldDeny
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.stage import AT_LIMIT
from quota_enforcer.core.usage.model import scopes_of
from quota_enforcer.decide import reasons
from quota_enforcer.decide.judgement import Judgement
from quota_enforcer.decide.pace.ahead import opens_at
from quota_enforcer.decide.verdict import Verdict


def standing_of(
    principal: Principal,
    before: Standing,
    judgements: Sequence[Judgement],
    turns_at: datetime | None,
    context: Context,
) -> Standing:
    """What should hold now; `turns_at` is when other quotas apply."""
    verdicts = [each.verdict for each in judgements]
    denying = [each.verdict for each in judgements if each.denies]
    denied = scopes_of(each.quota.denies for each in denying)
    warned = _warned(principal, before.warned, judgements, context)
    standing = Standing(
        level=_level(verdicts),
        denied=denied,
        used_up={
            each.quota.id: _used_up(each, before.used_up.get(each.quota.id)) for each in denying
        },
        warned=warned,
        would_deny=_would_deny(before.would_deny, judgements, context.now),
        until=last(verdict.frees_at for verdict in denying),
        since=context.now,
        due=min(_turns(turns_at, verdicts, warned, context.now), default=None),
        blocked_since=(before.blocked_since or context.now) if denied else None,
        in_force_at=before.in_force_at if denied == before.denied else None,
        reason=reasons.reason(verdicts),
    )
    return settled(before, standing)


def last(moments: Iterable[datetime | None]) -> datetime | None:
    """The latest moment; None if one never comes, or if there is none."""
    known = list(moments)
    return None if None in known else max((m for m in known if m), default=None)


def draws_on_pool(principal: Principal, quota: Quota) -> bool:
    """Whether it draws on a pool; the team itself tells of the pool."""
    return quota.pooled and quota.subject != str(principal)


def _level(verdicts: Iterable[Verdict]) -> Level:
    levels = {
        Level.OVER if verdict.closes else Level.WARNED if verdict.threshold else Level.OK
        for verdict in verdicts
    }
    return next((level for level in (Level.OVER, Level.WARNED) if level in levels), Level.OK)


def _used_up(verdict: Verdict, before: UsedUp | None) -> UsedUp:
    """What denies; the percent used first stays, so that nothing is written for nothing."""
    limit, start = verdict.limit, verdict.span.start
    is_known = before is not None and before.limit == limit and before.window_start == start
    percent = before.percent if before is not None and is_known else verdict.sure_percent
    return UsedUp(limit, start, verdict.frees_at, percent, verdict.early_since)


def _would_deny(
    before: Mapping[str, WouldDeny], judgements: Iterable[Judgement], now: datetime
) -> dict[str, WouldDeny]:
    """The quotas that only observe mode keeps from denying now, and since when."""
    return {
        each.id: WouldDeny(
            was.since if was is not None else now,
            _used_up(each.verdict, was.used_up if was is not None else None),
        )
        for each in judgements
        if each.would_deny
        for was in [before.get(each.id)]
    }


def _warned(
    principal: Principal,
    before: Mapping[str, Warned],
    judgements: Iterable[Judgement],
    context: Context,
) -> dict[str, Warned]:
    """The highest threshold that each quota was warned of, or is now."""
    warned = {}
    for each in judgements:
        said = before.get(each.id)
        if said is not None and _still_said(said, each.verdict, context.now):
            warned[each.id] = said
        threshold = _threshold(principal, each)
        if threshold and (each.id not in warned or warned[each.id].threshold < threshold):
            ends = _window_ends(each.verdict, context)
            warned[each.id] = Warned(threshold, each.verdict.limit, ends)
    return warned


def _threshold(principal: Principal, judgement: Judgement) -> int:
    """The threshold to warn of; the limit itself is one if no block says it."""
    verdict = judgement.verdict
    if verdict.used_up and not judgement.denies:
        return AT_LIMIT
    return 0 if draws_on_pool(principal, verdict.quota) else verdict.threshold


def _still_said(said: Warned, verdict: Verdict, now: datetime) -> bool:
    """Whether it need not be said again: the same limit, and the window not over.

    A rolling window never ends, so there the usage must also have been below the threshold.
    """
    if verdict.limit != said.limit:
        return False
    return now < said.until or (
        bool(verdict.quota.window.rolling) and said.threshold <= verdict.percent
    )


def _window_ends(verdict: Verdict, context: Context) -> datetime:
    """Until when a warning is not repeated: a rolling window counts its own length from now."""
    window = verdict.quota.window
    if not window.rolling:
        return verdict.span.end
    return context.now + window.rolling * timedelta(**{f"{window.unit}s": 1})


def _turns(
    turns_at: datetime | None,
    verdicts: Iterable[Verdict],
    warned: Mapping[str, Warned],
    now: datetime,
) -> Iterator[datetime]:
    """When the decision can change by the clock alone.

    A warning of a rolling window is forgotten when its length is over and the usage is below: else
    the next use could jump past the threshold, and nobody would have seen that it was below.
    """
    if turns_at is not None:
        yield turns_at
    for verdict in verdicts:
        said = warned.get(verdict.quota.id)
        if said is not None and verdict.quota.window.rolling and now < said.until:
            yield said.until
        if verdict.early_since is not None:
            rested = opens_at(verdict.early_since, verdict.used, verdict.limit, now)
            if rested is not None:
                yield rested
        if verdict.closes and verdict.frees_at is not None:
            yield verdict.frees_at
        elif verdict.closes or verdict.threshold:
            yield verdict.span.end


def settled(before: Standing, after: Standing) -> Standing:
    """A standing that has not changed keeps its date and its words, so that nothing is written."""
    if before.since and (before.level, before.denied, before.used_up.keys()) == (
        after.level,
        after.denied,
        after.used_up.keys(),
    ):
        return replace(after, since=before.since, reason=before.reason)
    return after
