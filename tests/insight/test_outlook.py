"""When a quota runs out at the pace of its window, and of the days before."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from builders import HOUR, NOON, UTC_ZONE, a_quota, tokens
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.quotas.quota import UNLIMITED, Quota
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.window import DAY, Unit, Window
from quota_enforcer.decide.verdict import Verdict, judge
from quota_enforcer.insight.forecast import Outlook, of_days, of_window, per

CONTEXT = Context(NOON, UTC_ZONE, Mode.ENFORCE)
MONTHLY = a_quota(window=Window(Unit.MONTH), limit=Decimal(10_000))


def used(by_hours_ago: Mapping[int, int]) -> Usage:
    return tokens({NOON - HOUR * ago: number for ago, number in by_hours_ago.items()})


def judged(
    quota: Quota, usage: Usage, context: Context = CONTEXT
) -> tuple[Verdict, Usage, Context]:
    return judge(quota, usage, context), usage, context


def spread(total: int, calls: int = 6) -> dict[int, int]:
    """So much in the last hours, in so many calls."""
    return dict.fromkeys(range(1, calls + 1), total // calls)


class TestOfItsWindow:
    def test_half_a_day_at_this_pace_makes_twice_as_much(self) -> None:
        outlook = of_window(*judged(a_quota(), used(spread(600))))
        assert outlook == Outlook(
            Fraction(600, 12 * 3_600_000_000), 0, NOON + 8 * HOUR, percent_at_reset=120
        )

    def test_a_slow_pace_lasts_until_the_reset(self) -> None:
        outlook = of_window(*judged(a_quota(), used(spread(300))))
        assert outlook is not None
        assert (outlook.runs_out, outlook.percent_at_reset) == (None, 60)

    def test_a_rolling_window_has_no_reset(self) -> None:
        outlook = of_window(*judged(a_quota(window=Window(Unit.HOUR, 24)), used(spread(600))))
        assert outlook is not None
        assert outlook.percent_at_reset is None
        assert outlook.runs_out == NOON + 4 * HOUR

    @pytest.mark.parametrize(
        ("quota", "by_hours_ago"),
        [
            pytest.param(a_quota(), spread(600, calls=4), id="fewer than five calls"),
            pytest.param(a_quota(), {}, id="none at all"),
            pytest.param(
                a_quota(window=Window(Unit.MONTH, resets_on=24)), spread(600), id="a young window"
            ),
        ],
    )
    def test_too_little_data_gives_none(self, quota: Quota, by_hours_ago: dict[int, int]) -> None:
        assert of_window(*judged(quota, used(by_hours_ago))) is None

    def test_a_twentieth_of_the_window_is_enough(self) -> None:
        quota = a_quota(window=Window(Unit.DAY))
        usage = tokens({NOON.replace(hour=0, minute=minute): 10 for minute in range(5)})
        early = Context(NOON.replace(hour=1, minute=11), UTC_ZONE, Mode.ENFORCE)
        later = Context(NOON.replace(hour=1, minute=12), UTC_ZONE, Mode.ENFORCE)
        assert of_window(*judged(quota, usage, early)) is None
        assert of_window(*judged(quota, usage, later)) is not None


class TestOfTheDaysBefore:
    def test_it_is_the_mean_of_seven_whole_days(self) -> None:
        """700 in seven days and 9,000 today: 100 a day."""
        by_days = {24 * n: 100 for n in range(1, 8)} | {1: 9000, 24 * 9: 5000}
        outlook = of_days(*judged(MONTHLY, used(by_days)))
        assert outlook is not None
        assert outlook.days == 7
        assert per(outlook, DAY) == 100

    def test_an_idle_day_counts_as_one(self) -> None:
        """All of it on one of the seven days; the first use was nine days ago."""
        outlook = of_days(*judged(MONTHLY, used({24 * 9: 1} | {24 + n: 140 for n in range(5)})))
        assert outlook is not None
        assert outlook.days == 7
        assert per(outlook, DAY) == 100

    def test_who_began_three_days_ago_has_a_mean_of_three(self) -> None:
        by_days = {24 * n + m: 50 for n in range(1, 4) for m in range(2)}
        outlook = of_days(*judged(MONTHLY, used(by_days)))
        assert outlook is not None
        assert outlook.days == 3
        assert per(outlook, DAY) == 100

    def test_it_says_when_the_quota_runs_out_from_what_is_used_by_now(self) -> None:
        by_days = {24 * n: 1000 for n in range(1, 8)}
        outlook = of_days(*judged(MONTHLY, used(by_days)))
        assert outlook is not None
        assert outlook.runs_out == NOON + 3 * DAY
        assert outlook.percent_at_reset == 100 * (7000 + 6500) // 10_000

    @pytest.mark.parametrize(
        "by_hours_ago",
        [
            pytest.param({}, id="none at all"),
            pytest.param(spread(600), id="only today"),
            pytest.param({24 + n: 100 for n in range(6)}, id="only yesterday"),
            pytest.param({24: 100, 48: 100, 72: 100, 96: 100}, id="fewer than five calls"),
            pytest.param({24 * n: 100 for n in range(29, 40)}, id="four weeks ago"),
        ],
    )
    def test_too_little_data_gives_none(self, by_hours_ago: dict[int, int]) -> None:
        assert of_days(*judged(MONTHLY, used(by_hours_ago))) is None


def test_without_a_limit_nothing_runs_out() -> None:
    raised = a_quota(raise_to=UNLIMITED, raise_until=datetime(2027, 1, 1, tzinfo=NOON.tzinfo))
    outlook = of_window(*judged(raised, used(spread(600))))
    assert outlook is not None
    assert (outlook.runs_out, outlook.percent_at_reset) == (None, None)


def test_a_pace_by_the_hour() -> None:
    outlook = of_window(*judged(a_quota(), used(spread(600))))
    assert outlook is not None
    assert per(outlook, timedelta(hours=1)) == 50
