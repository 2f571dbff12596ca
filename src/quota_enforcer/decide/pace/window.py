"""The pace of a quota: how fast it is used, and when it runs out if that goes on.

A pace is a mean and nothing more: it knows neither the time of day nor the day of the week.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.window import day_start
from quota_enforcer.decide.verdict import Verdict

FEW_CALLS = 5
"""With fewer calls there is nothing to take a mean of."""

ENOUGH = 20
"""So much of a window (one part in ENOUGH) must be over before its pace says something."""

_MICROSECOND = timedelta(microseconds=1)


def runs_out(
    verdict: Verdict, usage: Usage, context: Context, pace: Fraction | None = None
) -> datetime | None:
    """When the quota is used up if its window goes on as so far; `now` if it is already.

    None if that is not within the window: before its reset or, of a rolling one, within one length
    of it from now. Raises that end and quotas that end by the clock are seen. With
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
            if needed < microseconds(until - since):
                return since + int(needed) * _MICROSECOND
        used += pace * microseconds(until - since) - leaves
        since = until
    return None


def telling_pace(verdict: Verdict, usage: Usage, context: Context) -> Fraction:
    """Used per microsecond in the window so far; 0 if that is too little to say anything."""
    quota, span = verdict.quota, verdict.span
    if verdict.counts.requests < FEW_CALLS:
        return Fraction(0)
    if not quota.window.rolling and (context.now - span.start) * ENOUGH < span.end - span.start:
        return Fraction(0)
    return window_pace(verdict, usage, context)


class _Stretch(NamedTuple):
    """Time with one limit; nothing leaves the window but, at its end, so much."""

    until: datetime
    leaves: Fraction


def window_pace(verdict: Verdict, usage: Usage, context: Context) -> Fraction:
    """Used per microsecond: since the window began or, if it rolls, since its first use."""
    start = verdict.span.start
    if verdict.quota.window.rolling:
        used = (begins for begins, number in _buckets(verdict, usage, context) if number)
        start = next(used, context.now)
    so_far = microseconds(context.now - start)
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


def microseconds(length: timedelta) -> int:
    return length // _MICROSECOND
