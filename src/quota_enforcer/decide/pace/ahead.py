"""Whether a quota closes before its limit, so that it is not passed by what nobody has seen yet.

The rule was chosen by replaying real traffic (`bench/overshoot.py`): what a deny that takes its
time lets through is that many calls at the present pace, more or less their own spread. To keep
back for all of that would leave much of a small limit unused, so the spread is kept back within a
twentieth of the limit only.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import UsedUp
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Counts, Number
from quota_enforcer.core.usage.window import hour_start

RESERVE: Final = Decimal("0.05")
"""Of the limit: so much at most is kept back for calls that come faster or larger than usual."""
NEXT: Final = Decimal("0.5")
"""Of a call: the one that passes the limit is the last let through, and passes it by half."""
SPREAD: Final = Decimal("1.25")
"""Standard deviations of a random number of calls."""
NEAR: Final = 2
"""Nobody is stopped early before one part in NEAR of the limit is used."""
REST: Final = timedelta(minutes=10)
"""So long after its closing a quota of which more than RESERVE is left opens again."""
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What will have been used before a deny holds, as far as the present pace says."""

    amount: Decimal
    """With what is kept back for the spread."""
    pace: Decimal
    """Used in a second."""
    lag: Decimal
    """Seconds until a deny holds."""


def may_close_early(used: Number, limit: Decimal) -> bool:
    """Whether the pace matters to a quota that avoids overshoot; else nobody need read it."""
    return limit.is_finite() and used < limit <= used * NEAR


def near_of(quota: Quota, limit: Decimal) -> list[Decimal]:
    """From which usage on the pace matters, if it ever does."""
    matters = quota.avoids_overshoot and may_close_early(limit / NEAR, limit)
    return [limit / NEAR] if matters else []


def ahead_of(quota: Quota, usage: Usage, counts: Counts, limit: Decimal, context: Context) -> Ahead:
    """At the pace of the last minutes and the mean of the last hours' calls.

    `counts` are those of the window: they tell what a call comes to where no hour does.
    """
    each = _of_a_call(quota, usage, counts, context)
    per_second = usage.pace.per_second(context.now, context.lag)
    calls_a_second = Decimal(per_second.numerator) / per_second.denominator
    calls = calls_a_second * context.lag.total
    expected = each * calls
    spread = each * (NEXT + SPREAD * calls.sqrt())
    amount = max(expected, min(expected + spread, limit * RESERVE))
    return Ahead(amount, each * calls_a_second, context.lag.total)


def closed_since(
    used: Number, sure: Number, limit: Decimal, was: UsedUp | None, ahead: Decimal, now: datetime
) -> datetime | None:
    """Since when it is closed before its limit; None if it is not.

    Once closed it stays so until the window ends, whatever the pace: the refused make no calls that
    anybody could see. Only where more is left than is ever kept back for the spread, it opens again
    after a rest: it was closed for a burst.
    """
    if was is not None and was.early_since is not None and was.limit == limit:
        ended = was.until is not None and was.until <= now
        if not ended and not _has_rested(was.early_since, used, limit, now):
            return was.early_since
    return now if sure + ahead >= limit else None


def opens_at(since: datetime, used: Number, limit: Decimal, now: datetime) -> datetime | None:
    """When a quota closed before its limit opens again after its rest; None if it does not."""
    return since + REST if _leaves_more(used, limit) and now < since + REST else None


def _has_rested(since: datetime, used: Number, limit: Decimal, now: datetime) -> bool:
    return _leaves_more(used, limit) and now >= since + REST


def _leaves_more(used: Number, limit: Decimal) -> bool:
    return limit - used > limit * RESERVE


def _of_a_call(quota: Quota, usage: Usage, counts: Counts, context: Context) -> Decimal:
    """What a call adds in the mean, over this hour and the one before.

    Calls of models or in places that the quota does not count are calls too, that add nothing.
    """
    this = hour_start(context.now, context.zone)
    hours = this, hour_start(this - _MICROSECOND, context.zone)
    every = Counts.total(
        of.hours[hour] for of in usage.models.values() for hour in hours if hour in of.hours
    )
    if not every.requests:
        number = Decimal(quota.number(counts))
        return number / counts.requests if counts.requests else number
    counted = Counts.total(
        of.hours[hour]
        for model, of in usage.at(quota.places, context.home).models.items()
        if any(scope.covers(model) for scope in quota.models)
        for hour in hours
        if hour in of.hours
    )
    return Decimal(quota.number(counted)) / every.requests
