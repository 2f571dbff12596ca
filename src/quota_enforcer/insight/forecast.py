"""Forecasts: when a quota is used up, how full it will be at its reset, and what a month costs.

There are two paces, that of the window so far and that of the last days. With too little to take a
mean of, there is no outlook.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.quotas.stage import AT_LIMIT
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import NO_MONEY, Counts
from quota_enforcer.core.usage.window import DAY, Unit, Window, day_start, local_date
from quota_enforcer.decide.pace.window import FEW_CALLS, microseconds, runs_out, telling_pace
from quota_enforcer.decide.verdict import Verdict

_MICROSECOND = timedelta(microseconds=1)


def percent_at_reset(verdict: Verdict, context: Context) -> int | None:
    """How many percent of today's limit the fixed window will end with, at its pace so far.

    None of a rolling window, which never ends, of an unlimited one, and of one that has just begun.
    """
    so_far = microseconds(context.now - verdict.span.start)
    endless = verdict.quota.window.rolling or not verdict.limit.is_finite()
    if endless or not verdict.limit or not so_far:
        return None
    whole = microseconds(verdict.span.end - verdict.span.start)
    return int(Fraction(verdict.used) * whole / so_far * AT_LIMIT / Fraction(verdict.limit))


DAYS = 7
"""Whole days before today that the second pace is the mean of."""

SEEN_FOR = 28
"""Days to look back for the first use: if that is less than DAYS ago, the mean is of fewer days."""


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
    pace = telling_pace(verdict, usage, context)
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
    pace = Fraction(quota.number(total)) / microseconds(day_start(today, context.zone) - first)
    return _at(pace, days, verdict, usage, context)


def _at(pace: Fraction, days: int, verdict: Verdict, usage: Usage, context: Context) -> Outlook:
    percent = None
    if not verdict.quota.window.rolling and verdict.limit.is_finite() and verdict.limit:
        used = Fraction(verdict.used) + pace * microseconds(verdict.span.end - context.now)
        percent = int(used * AT_LIMIT / Fraction(verdict.limit))
    return Outlook(pace, days, runs_out(verdict, usage, context, pace), percent)


def per(outlook: Outlook, unit: timedelta) -> Fraction:
    return outlook.pace * microseconds(unit)


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
