"""What the month costs so far, and what it comes to at the pace of the last whole days."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from builders import NOON, UTC_ZONE
from quota_enforcer.insight.forecast import MonthCost, month_cost

TODAY = NOON.date()
"""The 24th: of 30 days, six and a half are left at noon."""


def costs(*, since: int, a_day: int = 10) -> dict[date, Decimal]:
    """So much every day from so many days ago on; today half of it."""
    days = {TODAY - timedelta(days=n): Decimal(a_day) for n in range(1, since + 1)}
    return days | {TODAY: Decimal(a_day) / 2}


def of_november(by_day: dict[date, Decimal]) -> MonthCost:
    return month_cost(by_day, NOON, UTC_ZONE)


def test_even_days_go_on_to_the_months_end() -> None:
    assert of_november(costs(since=60)) == MonthCost(
        first=date(2026, 11, 1),
        last=date(2026, 11, 30),
        so_far=Decimal(235),
        a_day=Decimal(10),
        pace_days=7,
        projected=Decimal(300),
    )


def test_the_pace_is_that_of_the_last_week_not_of_the_month() -> None:
    by_day = costs(since=60) | {date(2026, 11, 2): Decimal(7000)}
    month = of_november(by_day)
    assert (month.a_day, month.projected) == (Decimal(10), month.so_far + 65)


def test_days_without_usage_count_to_the_pace() -> None:
    """Nothing was used on five of the last seven days."""
    by_day = costs(since=60)
    for n in range(1, 6):
        del by_day[TODAY - timedelta(days=n)]
    assert of_november(by_day).a_day == Decimal(20) / 7


@pytest.mark.parametrize(
    ("since", "pace_days", "a_day"), [(0, 0, None), (1, 0, None), (2, 1, Decimal(10))]
)
def test_the_first_day_recorded_may_be_no_whole_day(
    since: int, pace_days: int, a_day: Decimal | None
) -> None:
    month = of_november(costs(since=since))
    assert (month.pace_days, month.a_day) == (pace_days, a_day)
    assert (month.projected is None) == (a_day is None)


def test_without_usage_nothing_is_projected() -> None:
    month = of_november({})
    assert month.so_far == 0
    assert month.a_day is month.projected is None


def test_a_month_begins_and_ends_on_the_deployments_clock() -> None:
    """23:30 in UTC on the 30th is the 1st in Berlin: a new month, 23.5 hours before its 2nd."""
    by_day = {date(2026, 11, n): Decimal(31) for n in range(20, 31)}
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    month = month_cost(by_day, late, ZoneInfo("Europe/Berlin"))
    assert (month.first, month.last) == (date(2026, 12, 1), date(2026, 12, 31))
    assert month.so_far == 0
    assert month.projected is not None
    assert month.projected == Decimal(31) * (30 * 24 * 60 + 23 * 60 + 30) / (24 * 60)
