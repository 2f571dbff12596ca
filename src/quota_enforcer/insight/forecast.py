"""Forecasts: when a quota is used up, how full it will be at its reset, and what a month costs.

There are two paces, that of the window so far and that of the last days. Neither knows the time of
day or the day of the week: a pace is a mean and nothing more. With too little to take a mean of,
there is no outlook.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import NO_MONEY, Counts
from quota_enforcer.core.usage.window import DAY, Unit, Window, day_start, local_date
from quota_enforcer.decide.verdict import FULL, Verdict

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
    """Time with one limit; nothing leaves the window but, at its end, so much."""

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


DAYS = 7
"""Whole days before today that the second pace is the mean of."""

SEEN_FOR = 28
"""Days to look back for the first use: if that is less than DAYS ago, the mean is of fewer days."""

FEW_CALLS = 5
"""With fewer calls there is nothing to take a mean of."""

ENOUGH = 20
"""So much of a window (one part in ENOUGH) must be over before its pace says something."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What happens at one pace, which is used per microsecond.

    `days` is how many whole days it is the mean of, 0 where it is the window's so far. `runs_out`
    is None if the window ends first, and `percent_at_reset` is of today's limit; a rolling
    window has none.
    """

    pace: Fraction
    days: int
    runs_out: datetime | None
    percent_at_reset: int | None


def of_window(verdict: Verdict, usage: Usage, context: Context) -> Outlook | None:
    """At the pace of the window so far; None if that is too little."""
    quota, span = verdict.quota, verdict.span
    if usage.within(span, quota.models).requests < FEW_CALLS:
        return None
    if not quota.window.rolling and (context.now - span.start) * ENOUGH < span.end - span.start:
        return None
    pace = window_pace(verdict, usage, context)
    return _at(pace, 0, verdict, usage, context) if pace else None


def of_days(verdict: Verdict, usage: Usage, context: Context) -> Outlook | None:
    """At the mean of the whole days before today, of fewer if the first use was later.

    None if that is too little: there must be two days at least.
    """
    quota, today = verdict.quota, local_date(context.now, context.zone)
    before = Window(Unit.DAY, SEEN_FOR).span(context.now, context.zone)
    counted = usage.by_bucket(before, quota.models)
    seen = [day for day, counts in counted.items() if counts.requests]
    days = min(DAYS, (today - min(seen)).days) if seen else 0
    if days < 2:  # noqa: PLR2004 - one day is no mean
        return None
    total = Counts.total(counted[today - DAY * n] for n in range(1, days + 1))
    if total.requests < FEW_CALLS:
        return None
    first = day_start(today - DAY * days, context.zone)
    pace = Fraction(quota.number(total)) / _microseconds(day_start(today, context.zone) - first)
    return _at(pace, days, verdict, usage, context)


def _at(pace: Fraction, days: int, verdict: Verdict, usage: Usage, context: Context) -> Outlook:
    percent = None
    if not verdict.quota.window.rolling and verdict.limit.is_finite() and verdict.limit:
        used = Fraction(verdict.used) + pace * _microseconds(verdict.span.end - context.now)
        percent = int(used * FULL / Fraction(verdict.limit))
    return Outlook(pace, days, runs_out(verdict, usage, context, pace), percent)


def per(outlook: Outlook, unit: timedelta) -> Fraction:
    return outlook.pace * _microseconds(unit)


PACE_DAYS = 7
"""A whole week, so that the weekend weighs as much as it should."""


@dataclass(frozen=True, slots=True)
class MonthCost:
    """The cost of the month that holds today, in dollars.

    `a_day` is the mean of the last `pace_days` whole days and `projected` what the month comes to
    if the rest of it costs as much a day; both are None before there was a whole day of usage.
    """

    first: date
    last: date
    so_far: Decimal
    a_day: Decimal | None
    pace_days: int
    projected: Decimal | None


def month_cost(by_day: Mapping[date, Decimal], now: datetime, zone: ZoneInfo) -> MonthCost:
    """Of what every local date cost; the earliest is when usage was first recorded.

    That day may have been recorded in part, so the pace rests on the days after it.
    """
    today = local_date(now, zone)
    first = today.replace(day=1)
    following = (first.replace(day=28) + DAY * 4).replace(day=1)
    so_far = sum((cost for day, cost in by_day.items() if first <= day <= today), NO_MONEY)
    whole = _whole_days(by_day, today)
    a_day = projected = None
    if whole:
        a_day = sum((by_day.get(day, NO_MONEY) for day in whole), NO_MONEY) / len(whole)
        left = (day_start(following, zone) - now) // _MICROSECOND
        projected = so_far + a_day * left / (DAY // _MICROSECOND)
    return MonthCost(first, following - DAY, so_far, a_day, len(whole), projected)


def _whole_days(by_day: Mapping[date, Decimal], today: date) -> list[date]:
    """The days before today that the pace rests on; one without usage cost nothing."""
    recorded_from = min(by_day, default=today)
    days = (today - DAY * n for n in range(1, PACE_DAYS + 1))
    return [day for day in days if day > recorded_from]
