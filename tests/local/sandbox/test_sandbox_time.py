"""Time in the sandbox: a clock that runs, schedules that are due, and where a move stops."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from freezegun import freeze_time

from quota_enforcer import clock
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.sandbox.home import Home
from quota_enforcer.local.sandbox.passing_time import LONGEST, CannotMove, due, move, stops

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def aws(tmp_path: Path) -> EmbeddedAws:
    return EmbeddedAws.attached("http://127.0.0.1:9", tmp_path / "clock")


def test_a_clock_that_is_set_stands_still(aws: EmbeddedAws) -> None:
    with freeze_time(NOON) as real:
        aws.set_time(NOON - DAY)
        real.tick(HOUR)
        assert aws.time == NOON - DAY


def test_a_clock_that_runs_goes_on_from_where_it_was_set(
    aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(clock.SIMULATED, str(aws.clock_file))
    with freeze_time(NOON) as real:
        aws.set_time(NOON + 3 * DAY, running=True)
        real.tick(90 * MINUTE)
        assert aws.time == clock.now() == NOON + 3 * DAY + 90 * MINUTE


@pytest.mark.parametrize(
    ("last", "now", "fired"),
    [
        (NOON, NOON + 4 * MINUTE, []),
        (NOON + 4.9 * MINUTE, NOON + 5 * MINUTE, ["EnforcerSchedule"]),
        (NOON + 5 * MINUTE, NOON + 5.1 * MINUTE, []),  # once
        (NOON + 14 * MINUTE, NOON + 15 * MINUTE, ["MeterSchedule", "EnforcerSchedule"]),
        (NOON + 4 * MINUTE, NOON + 11 * MINUTE, ["EnforcerSchedule"]),  # late, and then once
        (NOON - 0.5 * MINUTE, NOON, ["EnforcerSchedule"]),
    ],
)
def test_schedules_fire_when_the_clock_has_passed_their_moment(
    last: datetime, now: datetime, fired: list[str]
) -> None:
    assert due(last, now) == fired


def test_a_move_stops_at_each_hour_for_two_days_and_then_at_each_midnight() -> None:
    at = NOON + 20 * MINUTE
    assert list(stops(at, at + 10 * MINUTE)) == [at + 10 * MINUTE]
    assert list(stops(at, NOON + HOUR)) == [NOON + HOUR]
    assert list(stops(at, at + 2 * HOUR)) == [NOON + HOUR, NOON + 2 * HOUR, at + 2 * HOUR]
    far = list(stops(at, at + 5 * DAY))
    assert far == sorted(set(far))
    assert far[-1] == at + 5 * DAY
    assert {stop.hour for stop in far if stop - at > 3 * DAY} == {0, 12}
    midnights = {NOON.replace(hour=0) + n * DAY for n in range(1, 6)}
    assert midnights <= set(far)  # no day's reset is passed over


@pytest.mark.parametrize("to", [NOON - HOUR, NOON, NOON + LONGEST + MINUTE])
def test_time_goes_on_only_and_not_too_far_at_once(
    aws: EmbeddedAws, tmp_path: Path, to: datetime
) -> None:
    aws.set_time(NOON)
    with pytest.raises(CannotMove):
        move(aws, Home(tmp_path), to, lambda _: None)
    assert aws.time == NOON
