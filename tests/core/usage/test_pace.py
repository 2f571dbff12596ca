"""How fast somebody calls, and how long a deny takes, as measured."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from quota_enforcer.core.usage.pace import (
    LATELY,
    NO_PACE,
    SLOT,
    USUAL_LAG,
    CallPace,
    DenyLag,
    counted_from,
    slot_of,
)

NOW = datetime(2026, 11, 24, 12, 0, 13, tzinfo=UTC)
"""Calls until 12:00:00 are seen."""
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def slots(*calls: tuple[int, int]) -> CallPace:
    """So many calls in the slot so many seconds before noon."""
    return CallPace({NOON - timedelta(seconds=before): number for before, number in calls})


@pytest.mark.parametrize(
    ("pace", "per_second"),
    [
        pytest.param(NO_PACE, 0, id="no calls"),
        pytest.param(slots((300, 30)), Fraction(1, 10), id="over five minutes"),
        pytest.param(slots((310, 30)), 0, id="longer ago does not count"),
        pytest.param(slots((60, 30)), Fraction(1, 2), id="a burst counts as the pace"),
        pytest.param(slots((10, 2)), Fraction(2, 300), id="two calls are no burst"),
        pytest.param(slots((10, 3)), Fraction(3, 60), id="three are"),
        pytest.param(slots((300, 240), (10, 6)), Fraction(246, 300), id="the faster of the two"),
        pytest.param(slots((300, 200), (60, 56)), Fraction(256, 300), id="chance is no burst"),
        pytest.param(slots((300, 200), (60, 60)), 1, id="more than chance is one"),
        pytest.param(slots((-10, 30)), Fraction(30, 60), id="what is seen early counts too"),
        pytest.param(slots((-60, 30)), 0, id="the future does not"),
    ],
)
def test_the_pace_is_that_of_the_last_minutes(pace: CallPace, per_second: Fraction) -> None:
    assert pace.per_second(NOW, USUAL_LAG) == per_second


def test_nothing_is_asked_for_that_does_not_count() -> None:
    first = counted_from(NOW, USUAL_LAG)
    assert first == NOON - LATELY
    assert CallPace({first: 3}).per_second(NOW, USUAL_LAG)
    assert not CallPace({first - SLOT: 3}).per_second(NOW, USUAL_LAG)


def test_slots_start_at_whole_tens_of_seconds_whatever_the_zone() -> None:
    moment = datetime.fromisoformat("2026-11-24T17:30:19.999+05:30")
    assert slot_of(moment) == datetime(2026, 11, 24, 12, 0, 10, tzinfo=UTC)


def test_who_shares_something_is_as_fast_as_all_together() -> None:
    both = CallPace.together([slots((300, 30)), slots((300, 3), (60, 1))])
    assert both == slots((300, 33), (60, 1))


@pytest.mark.parametrize(
    ("seen", "passed", "expected"),
    [
        pytest.param(None, None, ("13", "4"), id="nothing measured"),
        pytest.param("5", None, ("12.75", "4"), id="a shorter one counts a thirty-second"),
        pytest.param("86400", None, ("18.88", "4"), id="a longer one an eighth"),
        pytest.param("-3", None, ("12.62", "4"), id="and so are clocks that differ"),
        pytest.param(None, "2", ("13", "4"), id="IAM was as fast as usual"),
        pytest.param(None, "9", ("13", "9"), id="what passed a deny counts at once"),
        pytest.param(None, "200", ("13", "60"), id="but not without end"),
    ],
)
def test_a_measurement_moves_the_lag(
    seen: str | None, passed: str | None, expected: tuple[str, str]
) -> None:
    moved = USUAL_LAG.measured(seen and Decimal(seen), passed and Decimal(passed))  # type: ignore[arg-type]
    assert moved == DenyLag(*map(Decimal, expected))


def test_the_lag_settles_where_the_late_weigh_as_much_as_the_many_in_time() -> None:
    """Not at the mean of 10 s: half of all calls are later than that."""
    lag = USUAL_LAG
    for number in range(1_000):
        lag = lag.measured(Decimal((7, 9, 11, 13)[number % 4]), None)
    assert Decimal("11.2") < lag.seen < Decimal("12.2")


def test_that_iam_was_slow_once_is_forgotten() -> None:
    lag = USUAL_LAG.measured(None, Decimal(30))
    for _ in range(500):
        lag = lag.measured(None, None)
    assert lag.holds - USUAL_LAG.holds < 4
