"""Forecasts: at the pace of its window so far, when is a quota used up, and how full will it be."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.window import day_start
from quota_enforcer.decide.verdict import FULL, Verdict

_MICROSECOND = timedelta(microseconds=1)


def runs_out(
    verdict: Verdict, usage: Usage, context: Context, pace: Fraction | None = None
) -> datetime | None:
    """When the quota is used up if its window goes on as so far; `now` where it is already.

    None where that is not within the window: before it begins anew or, of a rolling one, within
    one length of it from now. Raises that end and quotas that end by the clock are seen. With
    `pace`, used per microsecond, the window goes on at that instead.
    """
    if verdict.used_up:
        return context.now
    pace = window_pace(verdict, usage, context) if pace is None else pace
    if not pace:
        return None
    used = Fraction(verdict.used)
    since = context.now
    for until, leaves in _stretches(verdict, usage, context):
        limit = verdict.quota.limit_at(since)
        if limit.is_finite():
            if used >= limit:
                return since
            needed = (Fraction(limit) - used) / pace
            if needed < _microseconds(until - since):
                return since + int(needed) * _MICROSECOND
        used += pace * _microseconds(until - since) - leaves
        since = until
    return None


def percent_at_reset(verdict: Verdict, context: Context) -> int | None:
    """How many percent of today's limit the fixed window will end with, at its pace so far.

    None of a rolling window, which never ends, of an unlimited one, and of one that has just begun.
    """
    so_far = _microseconds(context.now - verdict.span.start)
    endless = verdict.quota.window.rolling or not verdict.limit.is_finite()
    if endless or not verdict.limit or not so_far:
        return None
    whole = _microseconds(verdict.span.end - verdict.span.start)
    return int(Fraction(verdict.used) * whole / so_far * FULL / Fraction(verdict.limit))


class _Stretch(NamedTuple):
    """Time in which the limit stays and nothing leaves; at its end so much leaves the window."""

    until: datetime
    leaves: Fraction


def window_pace(verdict: Verdict, usage: Usage, context: Context) -> Fraction:
    """Used per microsecond: since the window began or, if it rolls, since its first use."""
    start = verdict.span.start
    if verdict.quota.window.rolling:
        used = (begins for begins, number in _buckets(verdict, usage, context) if number)
        start = next(used, context.now)
    so_far = _microseconds(context.now - start)
    return Fraction(verdict.used) / so_far if so_far > 0 else Fraction(0)


def _stretches(verdict: Verdict, usage: Usage, context: Context) -> Iterator[_Stretch]:
    """From now to the window's end, cut where a bucket leaves or a raise ends."""
    quota = verdict.quota
    ends = [_Stretch(verdict.span.end, Fraction(0))]
    if quota.window.rolling:
        numbers = (number for _, number in _buckets(verdict, usage, context))
        leaving = quota.window.leaving(context.now, context.zone)
        ends = [_Stretch(*each) for each in zip(leaving, numbers, strict=False)]
    last = ends[-1].until
    turns = [_Stretch(t, Fraction(0)) for t in quota.turning_points() if context.now < t < last]
    # What leaves at the very moment a raise ends has left before the lower limit counts.
    for stretch in sorted([*ends, *turns], key=lambda each: (each.until, -each.leaves)):
        yield stretch
        if not quota.stands(stretch.until):
            return


def _buckets(
    verdict: Verdict, usage: Usage, context: Context
) -> Iterator[tuple[datetime, Fraction]]:
    """The window's buckets, oldest first: when each begins, and what was used in it."""
    quota = verdict.quota
    for key, counts in usage.by_bucket(verdict.span, quota.models).items():
        begins = key if isinstance(key, datetime) else day_start(key, context.zone)
        yield begins, Fraction(quota.number(counts))


def _microseconds(length: timedelta) -> int:
    return length // _MICROSECOND
