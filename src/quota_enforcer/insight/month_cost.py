"""What a calendar month costs: so far, and where it leads at the pace of the last whole days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from quota_enforcer.core.usage.counts import NO_MONEY
from quota_enforcer.core.usage.window import DAY, day_start, local_date

PACE_DAYS = 7
"""A whole week, so that the weekend weighs as much as it should."""
_MICROSECOND = timedelta(microseconds=1)


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
