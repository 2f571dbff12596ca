"""Which limit would have blocked at most so many: whole past windows, numbers people write."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, NOON, UTC_ZONE, a_quota, tokens
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Exemption, UnknownPrices
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.insight.quotas.suggest import (
    PastWindows,
    first_day,
    limits,
    past_windows,
    suggest,
    tried,
    whom_it_covers,
)

NOW = Context(NOON, UTC_ZONE, Mode.OBSERVE)
FIRST = date(2026, 11, 1)
TOKENS = a_quota(subject="default")
MONEY = a_quota(subject="default", measure=Measure.COST_USD)


def used(days: dict[int, int], **but: Any) -> Usage:
    """So many tokens on these days of November, at a dollar for each thousand."""
    return Usage({
        HAIKU: ModelUsage({}, {
            date(2026, 11, day): Counts(1, n, cost_usd=Decimal(n) / 1000)._replace(**but)
            for day, n in days.items()
        })
    })  # fmt: skip


def people(*usages: Usage) -> dict[Principal, Usage]:
    return {Principal.parse(f"user/u{n}"): usage for n, usage in enumerate(usages)}


def past(*usages: Usage, quota: Any = TOKENS, context: Context = NOW) -> PastWindows:
    return past_windows(quota, people(*usages), FIRST, context)


@pytest.mark.parametrize(
    ("measure", "first", "some"),
    [
        (Measure.COST_USD, ["0.01", "0.02", "0.03"], "12.5"),
        (Measure.TOTAL_TOKENS, ["1", "2", "3"], "1300"),
        (Measure.WEIGHTED_TOKENS, ["1", "2", "3"], "0.5"),
    ],
)
def test_limits_are_numbers_that_people_write(
    measure: Measure, first: list[str], some: str
) -> None:
    found = list(islice(limits(measure), 100))
    assert found[:3] == list(map(Decimal, first))
    assert found == sorted(set(found))
    assert {Decimal(10), Decimal(12), Decimal(15), Decimal(25), Decimal(2_000_000)} <= set(found)
    assert Decimal(some) not in found


def test_the_call_that_reaches_the_limit_blocks() -> None:
    """So a limit that somebody used exactly is one too small."""
    found = suggest(past(used({2: 100})), Measure.TOTAL_TOKENS, 0)
    assert found is not None
    assert found.chosen.limit == 120
    assert [each.limit for each in found.smaller] == [80, 100]
    assert found.larger == ()


def test_each_limit_says_who_was_blocked_how_often_and_how_much_lay_above() -> None:
    several = past(used({2: 100, 3: 100, 4: 10}), used({2: 200}), used({2: 5}))
    found = tried(Decimal(100), several)
    assert {str(who): times for who, times in found.blocked.items()} == {"user/u0": 2, "user/u1": 1}
    assert list(found.blocked.values()) == [2, 1]
    assert (found.times, found.above) == (3, Decimal("24.0"))  # 100 of 415


def test_the_largest_limit_shown_blocks_nobody() -> None:
    found = suggest(past(used({2: 10}), used({2: 1_000_000})), Measure.TOTAL_TOKENS, 1)
    assert found is not None
    assert found.chosen.limit == 12
    assert [each.limit for each in found.larger] == [15, 20, 25, 1_200_000]
    assert not found.larger[-1].blocked


@pytest.mark.parametrize(
    ("usages", "most"),
    [
        pytest.param([], 0, id="nobody used anything"),
        pytest.param([used({2: 10})], 1, id="no more people than may be blocked"),
        pytest.param([used({2: 10}), used({2: 0})], 1, id="only one used what counts"),
    ],
)
def test_where_any_limit_would_do_none_is_suggested(usages: list[Usage], most: int) -> None:
    assert suggest(past(*usages), Measure.TOTAL_TOKENS, most) is None


@pytest.mark.parametrize(
    ("unit", "sums"),
    [(Unit.DAY, [30, 30, 20, 20]), (Unit.WEEK, [60, 40]), (Unit.MONTH, [100])],
)
def test_a_window_sums_up_its_days_and_is_counted_once(unit: Unit, sums: list[int]) -> None:
    """16 and 22 November are Monday and Sunday of one week."""
    quota = a_quota(window=Window(unit))
    found = past(used({9: 20, 15: 20, 16: 30, 22: 30}), quota=quota)
    [verdicts] = found.verdicts.values()
    assert [each.sure for each in verdicts] == sums
    assert tried(Decimal(1), found).times == len(sums)


def test_hours_are_windows_too() -> None:
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    usage = tokens({at: 5, at.replace(minute=59): 6, at.replace(hour=10): 10})
    [peak] = past(usage, quota=a_quota(window=Window(Unit.HOUR))).peaks
    assert peak.sure == 11


def test_days_are_those_of_the_deployments_zone() -> None:
    zone = ZoneInfo("America/New_York")
    context = Context(NOON, zone, Mode.OBSERVE)
    usage = tokens({datetime(2026, 11, 20, 4, tzinfo=UTC): 7}, zone=zone)
    [peak] = past(usage, context=context).peaks
    assert peak.span.days == (date(2026, 11, 19),)


def test_today_counts_as_far_as_it_is() -> None:
    assert past(used({24: 50})).peaks[0].sure == 50


def test_what_lies_before_the_first_day_is_left_out() -> None:
    found = past_windows(TOKENS, people(used({1: 900, 10: 5})), date(2026, 11, 2), NOW)
    assert [peak.sure for peak in found.peaks] == [5]
    assert (found.days, found.since) == (1, date(2026, 11, 10))


def test_only_days_with_usage_are_days() -> None:
    found = past(used({2: 10, 5: 10}), used({5: 1, 7: 1}))
    assert (found.days, found.since) == (3, date(2026, 11, 2))


@pytest.mark.parametrize(
    ("window", "days", "first"),
    [
        (Unit.DAY, 1, "2026-11-24"),
        (Unit.DAY, 30, "2026-10-26"),
        (Unit.WEEK, 1, "2026-11-23"),
        (Unit.MONTH, 30, "2026-10-01"),
    ],
)
def test_the_first_window_is_a_whole_one(window: Unit, days: int, first: str) -> None:
    assert str(first_day(a_quota(window=Window(window)), days, NOW)) == first


def test_assumed_prices_block_nobody_unless_the_quota_says_so() -> None:
    usage = used({2: 9000}, assumed_usd=Decimal(6))
    strict = a_quota(measure=Measure.COST_USD, unknown_prices=UnknownPrices.DENY)
    assert past(usage, quota=MONEY).peaks[0].sure == 3
    assert past(usage, quota=strict).peaks[0].sure == 9
    assert not tried(Decimal(4), past(usage, quota=MONEY)).blocked
    assert tried(Decimal(4), past(usage, quota=strict)).blocked


def test_models_that_the_quota_does_not_count_are_left_out() -> None:
    quota = a_quota(models=(ModelScope("meta.*"),))
    assert past(used({2: 10}), quota=quota).peaks == []


def test_whoever_has_a_nearer_rule_of_this_name_is_not_covered() -> None:
    alice, bob, ci, team = map(
        Principal.parse, ("user/alice", "user/bob", "role/ci", "team/research")
    )
    rules = [a_quota(subject="default"), Exemption(Subject("user/alice"), "daily")]
    covered = whom_it_covers(TOKENS, rules, [alice, bob, ci, team], NOON)
    assert covered == [bob]


amounts = st.dictionaries(st.integers(1, 24), st.integers(0, 10**9), max_size=4)


@given(st.lists(amounts, max_size=6), st.integers(0, 6), st.sampled_from([TOKENS, MONEY]))
def test_the_suggested_limit_blocks_at_most_so_many_and_the_next_smaller_more(
    several: list[dict[int, int]], most: int, quota: Any
) -> None:
    windows = past(*map(used, several), quota=quota)
    found = suggest(windows, quota.measure, most)
    if found is None:
        assert len(tried(next(limits(quota.measure)), windows).blocked) <= most
        return
    assert len(found.chosen.blocked) <= most < len(found.smaller[-1].blocked)
    written = list(islice(limits(quota.measure), 150))
    assert written[written.index(found.chosen.limit) - 1] == found.smaller[-1].limit
    assert not found.all[-1].blocked
    blocked = [len(each.blocked) for each in found.all]
    assert blocked == sorted(blocked, reverse=True)
    above = [each.above for each in found.all]
    assert above == sorted(above, reverse=True)
    assert above[-1] == 0
