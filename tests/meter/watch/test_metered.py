"""The tallies where the metrics meter: all callers' series by hour and model, and recounts."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from builders import HAIKU, HOUR, NOON, UTC_ZONE
from fakes import FakeMetrics
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.meter.ports import NamedByThemselves
from quota_enforcer.meter.watch.metered import MetricTallies
from quota_enforcer.meter.watch.ports import HourTally
from stream_fakes import FakeMeterLedger

MINUTE = timedelta(minutes=1)
ALICE, BOB = (f"arn:aws:iam::123456789012:user/{name}" for name in ("alice", "bob"))
SONNET = "anthropic.claude-3-5-sonnet-20240620-v1:0"


class Metered:
    """A deployment that meters from metrics."""

    def __init__(self, zone: ZoneInfo = UTC_ZONE) -> None:
        self.ledger, self.metrics = FakeMeterLedger(zone), FakeMetrics()
        self.watched = MetricTallies(self.ledger, self.metrics, NamedByThemselves(), zone)

    def tallies(self, start: datetime, end: datetime) -> dict[datetime, HourTally]:
        return dict(self.watched.tallies(start, end))


@pytest.fixture
def metered() -> Metered:
    return Metered()


def test_an_hour_is_the_sum_of_all_callers_by_canonical_model(metered: Metered) -> None:
    metered.metrics.call(ALICE, NOON, Counts(1, 10, 20, 30, 40))
    metered.metrics.call(BOB, NOON + 59 * MINUTE, Counts(1, 1, 2, 3, 4), model_id=f"us.{HAIKU}")
    metered.metrics.call(BOB, NOON + 30 * MINUTE, Counts(1, 7), model_id=SONNET)
    assert metered.tallies(NOON, NOON) == {
        NOON: HourTally({HAIKU: Counts(2, 11, 22, 33, 44), SONNET: Counts(1, 7)})
    }


def test_each_hour_has_its_own_and_one_without_calls_none(metered: Metered) -> None:
    for hours in (-1, 0, 2, 3):
        metered.metrics.call(ALICE, NOON + hours * HOUR, Counts(1, hours + 5))
    found = metered.tallies(NOON, NOON + 2 * HOUR)
    assert {hour: each.models[HAIKU].input_tokens for hour, each in found.items()} == {
        NOON: 5,
        NOON + 2 * HOUR: 7,
    }


@pytest.mark.parametrize(("zone", "minutes"), [("Asia/Kolkata", 30), ("Asia/Kathmandu", 15)])
def test_hours_are_those_of_the_zone(zone: str, minutes: int) -> None:
    """In India they begin at the half, in Nepal at a quarter past."""
    metered = Metered(ZoneInfo(zone))
    begin = NOON + minutes * MINUTE
    for late in (-1, 0, 59, 60):
        metered.metrics.call(ALICE, begin + late * MINUTE, Counts(1, 10))
    assert metered.tallies(begin, begin) == {begin: HourTally({HAIKU: Counts(2, 20)})}


def test_what_a_recount_has_set_takes_the_place_of_the_metrics(metered: Metered) -> None:
    """The metrics keep what was not measured; the ledger has it from the log now."""
    metered.metrics.call(ALICE, NOON, Counts(1, 10))
    metered.metrics.call(ALICE, NOON + HOUR, Counts(1, 10))
    metered.ledger.set_tally(NOON, {HAIKU: Counts(9, 90)})
    found = metered.tallies(NOON, NOON + HOUR)
    assert found[NOON] == HourTally({HAIKU: Counts(9, 90)}, from_log=True)
    assert found[NOON + HOUR] == HourTally({HAIKU: Counts(1, 10)})


def test_what_the_stream_tallied_before_a_change_of_meter_counts_no_more(metered: Metered) -> None:
    metered.ledger.tallied[NOON] = HourTally({HAIKU: Counts(9, 90)})
    metered.metrics.call(ALICE, NOON, Counts(1, 10))
    assert metered.tallies(NOON, NOON) == {NOON: HourTally({HAIKU: Counts(1, 10)})}


def test_an_answer_that_is_not_complete_is_no_zero(metered: Metered) -> None:
    metered.metrics.call(ALICE, NOON, Counts(1, 10))
    metered.metrics.all_unknown()
    with pytest.raises(TimeoutError, match="did not say all of what was metered"):
        metered.tallies(NOON, NOON)


def test_callers_that_were_quiet_for_long_are_listed_too(metered: Metered) -> None:
    metered.metrics.now = NOON + 48 * HOUR
    metered.metrics.call(ALICE, NOON, Counts(1, 10))
    assert metered.tallies(NOON, NOON) == {NOON: HourTally({HAIKU: Counts(1, 10)})}
    assert metered.metrics.listings == [False]


def test_all_else_is_the_ledgers(metered: Metered) -> None:
    metered.watched.ask_recounts([NOON], NOON + HOUR)
    assert metered.ledger.asked == {NOON: NOON + HOUR}
    assert metered.watched.watch_memory() is None
