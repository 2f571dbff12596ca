"""Outlooks: when a quota runs out at two paces, its window's so far and that of the last days.

Neither knows the time of day or the day of the week: a pace is a mean and nothing more. Where there
is too little to take a mean of, there is no outlook.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.window import DAY, Unit, Window, day_start, local_date
from quota_enforcer.decide.verdict import FULL, Verdict
from quota_enforcer.insight.forecast import runs_out, window_pace

DAYS = 7
"""Whole days before today that the second pace is the mean of."""
SEEN_FOR = 28
"""Days to look back for the first use: who began later than DAYS ago has a mean of fewer days."""
FEW_CALLS = 5
"""With fewer calls there is nothing to take a mean of."""
ENOUGH = 20
"""One part in so many of a window must be over before its pace says something of the rest."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What happens at one pace, which is used per microsecond.

    `days` is how many whole days it is the mean of, 0 where it is the window's so far. `runs_out`
    is None where the window ends first, and `percent_at_reset` is of today's limit; a rolling
    window has none.
    """

    pace: Fraction
    days: int
    runs_out: datetime | None
    percent_at_reset: int | None


def of_window(verdict: Verdict, usage: Usage, context: Context) -> Outlook | None:
    """At the pace of the window so far; None where that is too little."""
    quota, span = verdict.quota, verdict.span
    if usage.within(span, quota.models).requests < FEW_CALLS:
        return None
    if not quota.window.rolling and (context.now - span.start) * ENOUGH < span.end - span.start:
        return None
    pace = window_pace(verdict, usage, context)
    return _at(pace, 0, verdict, usage, context) if pace else None


def of_days(verdict: Verdict, usage: Usage, context: Context) -> Outlook | None:
    """At the mean of the whole days before today, of fewer where the first use was later.

    None where that is too little: there must be two days at least.
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
    """The pace by the hour or by the day."""
    return outlook.pace * _microseconds(unit)


def _microseconds(length: timedelta) -> int:
    return length // _MICROSECOND
