"""At the pace of its window so far, when a quota is used up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, UTC_ZONE, a_quota, tokens
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.quotas.quota import UNLIMITED, Quota
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.decide.pace.window import runs_out
from quota_enforcer.decide.verdict import judge
from quota_enforcer.insight.forecast import percent_at_reset

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
HOURS = {n: timedelta(hours=n) for n in range(-48, 49)}
CONTEXT = Context(NOON, UTC_ZONE, Mode.ENFORCE)


def forecast(
    quota: Quota, used: dict[datetime, int], context: Context = CONTEXT
) -> datetime | None:
    usage = tokens(used)
    return runs_out(judge(quota, usage, context), usage, context)


@pytest.mark.parametrize(
    ("used", "when"),
    [
        (0, None),
        (400, None),
        (500, None),
        (600, NOON + HOURS[8]),
        (750, NOON + HOURS[4]),
        (1000, NOON),
        (1200, NOON),
    ],
)
def test_half_a_day_gone_a_quota_lasts_as_long_as_its_first_half(
    used: int, when: datetime | None
) -> None:
    """1,000 a day: 600 by noon are 50 an hour, so the other 400 last eight hours."""
    assert forecast(a_quota(), {NOON - HOURS[3]: used}) == when


@pytest.mark.parametrize(
    ("window", "used", "when"),
    [
        (Window(Unit.HOUR), 800, None),
        (Window(Unit.WEEK), 600, NOON + HOURS[24]),
        (Window(Unit.MONTH), 940, NOON + HOURS[36]),
    ],
)
def test_other_windows(window: Window, used: int, when: datetime | None) -> None:
    """Noon is the start of an hour, so its window has no pace yet; the week began on Monday."""
    assert forecast(a_quota(window=window), {NOON: used}) == when


def test_a_window_that_has_just_begun_has_no_pace() -> None:
    context = Context(MIDNIGHT, UTC_ZONE, Mode.ENFORCE)
    assert forecast(a_quota(), {MIDNIGHT: 999}, context) is None
    usage = tokens({MIDNIGHT: 999})
    assert percent_at_reset(judge(a_quota(), usage, context), context) is None


def test_a_raise_is_counted_on_while_it_lasts() -> None:
    until_evening = a_quota(raise_to=Decimal(5000), raise_until=NOON + HOURS[6])
    assert forecast(until_evening, {NOON - HOURS[3]: 900}) == NOON + HOURS[6]
    until_night = a_quota(raise_to=Decimal(5000), raise_until=MIDNIGHT)
    assert forecast(until_night, {NOON - HOURS[3]: 900}) is None
    unlimited = a_quota(raise_to=UNLIMITED, raise_until=NOON + HOURS[6])
    assert forecast(unlimited, {NOON - HOURS[3]: 600}) == NOON + HOURS[8]


def test_a_quota_that_ends_before_is_never_used_up() -> None:
    assert forecast(a_quota(until=NOON + HOURS[7]), {NOON - HOURS[3]: 600}) is None
    assert forecast(a_quota(until=NOON + HOURS[9]), {NOON - HOURS[3]: 600}) == NOON + HOURS[8]


ROLLING = Window(Unit.HOUR, 24)


def test_a_rolling_window_goes_on_at_the_pace_since_its_first_use() -> None:
    """Two hours at 100: nothing leaves for the next 22, so 1,000 are reached eight hours on."""
    used = {NOON - HOURS[2]: 100, NOON - HOURS[1]: 100}
    assert forecast(a_quota(window=ROLLING), used) == NOON + HOURS[8]


def test_what_leaves_a_rolling_window_makes_room() -> None:
    """900 of yesterday leave in the next hour; 39 an hour never make 1,000 within a day."""
    used = {NOON - HOURS[23]: 900}
    assert forecast(a_quota(window=ROLLING), used) is None
    assert forecast(a_quota(window=ROLLING, limit=Decimal(910)), used) is not None


def test_what_leaves_as_a_raise_ends_has_left_before_the_lower_limit_counts() -> None:
    """900 leave at one o'clock, just when the limit falls from 5,000 to 1,000."""
    used = {NOON - HOURS[23]: 900, NOON - HOURS[1]: 90}
    quota = a_quota(window=ROLLING, raise_to=Decimal(5000), raise_until=NOON + HOURS[1])
    when = forecast(quota, used)
    assert when is not None
    assert when > NOON + HOURS[20]


def test_steady_use_of_a_rolling_window_below_its_limit_never_reaches_it() -> None:
    used = {NOON - HOURS[n]: 40 for n in range(1, 24)}
    assert forecast(a_quota(window=ROLLING), used) is None


def test_a_rolling_window_of_days() -> None:
    used = {NOON - HOURS[24]: 300, NOON: 300}
    when = forecast(a_quota(window=Window(Unit.DAY, 7)), used)
    assert when == NOON + HOURS[24]


@pytest.mark.parametrize(("used", "percent"), [(0, 0), (250, 50), (500, 100), (900, 180)])
def test_how_full_a_fixed_window_will_be_at_its_reset(used: int, percent: int) -> None:
    verdict = judge(a_quota(), tokens({NOON - HOURS[3]: used}), CONTEXT)
    assert percent_at_reset(verdict, CONTEXT) == percent


@pytest.mark.parametrize(
    "quota",
    [
        a_quota(window=ROLLING),
        a_quota(limit=Decimal(0)),
        a_quota(raise_to=UNLIMITED, raise_until=MIDNIGHT),
    ],
)
def test_without_a_reset_or_a_limit_there_is_no_percent(quota: Quota) -> None:
    assert percent_at_reset(judge(quota, tokens({NOON: 500}), CONTEXT), CONTEXT) is None


windows = st.sampled_from(
    [Window(Unit.HOUR), Window(Unit.DAY), Window(Unit.WEEK), ROLLING, Window(Unit.DAY, 3)]
)
usages = st.dictionaries(st.integers(-47, 0), st.integers(0, 500), max_size=12)


@given(windows, usages, st.integers(1, 2000), st.integers(0, 59))
def test_it_is_never_in_the_past_nor_after_the_reset(
    window: Window, used: dict[int, int], limit: int, minute: int
) -> None:
    context = Context(NOON + timedelta(minutes=minute), UTC_ZONE, Mode.ENFORCE)
    quota = a_quota(window=window, limit=Decimal(limit))
    usage = tokens({NOON + HOURS[hour]: number for hour, number in used.items()})
    verdict = judge(quota, usage, context)
    when = runs_out(verdict, usage, context)
    assert (when == context.now) == verdict.used_up
    if when is not None and not window.rolling and not verdict.used_up:
        assert context.now < when < verdict.span.end


@given(usages, st.integers(1, 2000), st.integers(1, 1000))
def test_a_higher_limit_is_never_used_up_sooner(
    used: dict[int, int], limit: int, more: int
) -> None:
    moments = {NOON + HOURS[hour]: number for hour, number in used.items()}
    lower = forecast(a_quota(window=ROLLING, limit=Decimal(limit)), moments)
    higher = forecast(a_quota(window=ROLLING, limit=Decimal(limit + more)), moments)
    assert higher is None or (lower is not None and lower <= higher)
