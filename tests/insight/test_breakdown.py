"""What a verdict's sum is made of."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, HOUR, NOON, UTC_ZONE, a_quota, tokens
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.place import Place, PlaceScope
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.decide.verdict import judge
from quota_enforcer.insight.explain import Breakdown, breakdown

NOVA = "amazon.nova-lite-v1:0"
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
DAY = timedelta(days=1)


def of(quota: Quota, usage: Usage, zone: ZoneInfo = UTC_ZONE) -> Breakdown:
    context = Context(NOON, zone, Mode.ENFORCE)
    return breakdown(judge(quota, usage, context), usage, context)


def test_a_day_is_shown_by_its_hours() -> None:
    parts = of(a_quota(), tokens({NOON: 5, NOON - 3 * HOUR: 7, NOON - 13 * HOUR: 99}))
    assert parts.bucket is Unit.HOUR
    assert parts.buckets == ((NOON - 3 * HOUR, 7), (NOON, 5))


def test_a_week_is_shown_by_its_days_and_unused_ones_are_left_out() -> None:
    parts = of(a_quota(window=Window(Unit.DAY, 7)), tokens({NOON: 5, NOON - 3 * DAY: 7}))
    assert parts.bucket is Unit.DAY
    assert parts.buckets == ((MIDNIGHT - 3 * DAY, 7), (MIDNIGHT, 5))


def test_a_day_begins_at_local_midnight() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    usage = tokens({NOON: 5}, zone=berlin)
    parts = of(a_quota(window=Window(Unit.WEEK)), usage, berlin)
    assert parts.buckets == ((MIDNIGHT - HOUR, 5),)


def test_where_the_hours_are_not_known_the_day_is_one_bucket() -> None:
    usage = Usage({HAIKU: ModelUsage({}, {date(2026, 11, 24): Counts(1, 8)})})
    parts = of(a_quota(), usage)
    assert parts.bucket is Unit.DAY
    assert parts.buckets == ((MIDNIGHT, 8),)


def test_models_that_the_quota_does_not_count_are_told_apart() -> None:
    used = {**tokens({NOON: 5}).models, **tokens({NOON: 9}, NOVA).models}
    parts = of(a_quota(models=(ModelScope(HAIKU),)), Usage(used))
    assert parts.models == {HAIKU: 5}
    assert parts.elsewhere == {NOVA: 9}


def test_money_stays_exact() -> None:
    cost = Counts(1, cost_usd=Decimal("0.0000012345"))
    usage = Usage({HAIKU: ModelUsage.of_hours({NOON: cost}, UTC_ZONE)})
    parts = of(a_quota(measure=Measure.COST_USD, limit=Decimal(1)), usage)
    assert parts.buckets == ((NOON, Decimal("0.0000012345")),)


windows = st.sampled_from(
    [
        Window(Unit.HOUR), Window(Unit.DAY), Window(Unit.WEEK), Window(Unit.MONTH),
        Window(Unit.HOUR, 24), Window(Unit.DAY, 3),
    ]
)  # fmt: skip


@given(
    windows,
    st.dictionaries(st.integers(-200, 0), st.integers(0, 500), max_size=12),
    st.dictionaries(st.integers(-200, 0), st.integers(0, 500), max_size=12),
)
def test_buckets_and_models_each_add_up_to_what_decides(
    window: Window, haiku: dict[int, int], nova: dict[int, int]
) -> None:
    used = {
        **tokens({NOON + HOUR * hour: number for hour, number in haiku.items()}).models,
        **tokens({NOON + HOUR * hour: number for hour, number in nova.items()}, NOVA).models,
    }
    quota, usage = a_quota(window=window), Usage(used)
    context = Context(NOON, UTC_ZONE, Mode.ENFORCE)
    verdict = judge(quota, usage, context)
    parts = breakdown(verdict, usage, context)
    assert sum(part.number for part in parts.buckets) == verdict.used
    assert sum(parts.models.values()) == verdict.used
    assert list(parts.buckets) == sorted(parts.buckets)


@pytest.mark.parametrize("window", [Window(Unit.DAY), Window(Unit.HOUR, 24)])
def test_unused_there_is_nothing_to_show(window: Window) -> None:
    assert of(a_quota(window=window), Usage()).buckets == ()


HOME = Place("111122223333", "us-east-1")
DUBLIN, MEMBER = "111122223333/eu-west-1", "444455556666/eu-west-1"
EVERY_PLACE = Usage.of_places(
    {
        "": {**tokens({NOON: 1}).models, **tokens({NOON: 2}, NOVA).models},
        DUBLIN: {**tokens({NOON: 10}).models, **tokens({NOON: 20}, NOVA).models},
        MEMBER: tokens({NOON: 100}).models,
    }
)


@pytest.mark.parametrize(
    ("but", "used", "places", "other_places"),
    [
        ({}, 133, {str(HOME): 3, DUBLIN: 30, MEMBER: 100}, {}),
        ({"places": PlaceScope(regions=("eu-west-1",))}, 130, {DUBLIN: 30, MEMBER: 100},
         {str(HOME): 3}),
        ({"places": PlaceScope(accounts=("111122223333",))}, 33, {str(HOME): 3, DUBLIN: 30},
         {MEMBER: 100}),
        ({"places": PlaceScope(regions=("us-east-1",)), "models": (ModelScope(HAIKU),)}, 1,
         {str(HOME): 1}, {DUBLIN: 30, MEMBER: 100}),
        ({"places": PlaceScope(regions=("eu-west-3",))}, 0, {},
         {str(HOME): 3, DUBLIN: 30, MEMBER: 100}),
    ],
)  # fmt: skip
def test_a_sum_is_told_by_place_and_what_does_not_count_there(
    but: dict[str, Any], used: int, places: dict[str, int], other_places: dict[str, int]
) -> None:
    quota, context = a_quota(**but), Context(NOON, UTC_ZONE, Mode.ENFORCE, home=HOME)
    verdict = judge(quota, EVERY_PLACE, context)
    parts = breakdown(verdict, EVERY_PLACE, context)
    assert verdict.used == used == sum(each.number for each in parts.buckets)
    assert parts.places == places
    assert parts.other_places == other_places
