"""The hourly look as timelines: what it tells, what it asks for, and what it leaves alone."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import HAIKU, HOUR, NOON
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.meter.watch.compare import Volume, Witnessed
from quota_enforcer.meter.watch.ports import LogTraffic
from quota_enforcer.meter.watch.watch import WatchResult
from stream_fakes import Place, call, delivery

QUARTER = timedelta(minutes=15)
GAP, HEALED, TOO_MUCH = (
    NoticeKind.METERING_GAP, NoticeKind.METERING_HEALED, NoticeKind.OVER_METERED,
)  # fmt: skip
PROMPT, ANSWER = 12, 25
"""Tokens of an ordinary record."""


class Hours:
    """A meter whose first look was in the hour before noon."""

    def __init__(self, zone: str = "UTC", start: datetime = NOON) -> None:
        self.place = Place(ZoneInfo(zone))
        self.number = 0
        self.place.watch.look(start - HOUR)

    def bedrock(self, hour: datetime, calls: int, model: str = HAIKU) -> None:
        volume = Volume(calls, calls * PROMPT, calls * ANSWER)
        self.place.witness.hours.setdefault(hour, {})[model] = Witnessed(volume, volume)

    def log(self, hour: datetime, calls: int, **but: Any) -> None:
        """Bedrock writes into its log, and nobody meters it."""
        first = self.number + 1
        self.number += calls
        said: dict[str, Any] = {
            "input": {"inputTokenCount": PROMPT},
            "output": {"outputTokenCount": ANSWER},
            "modelId": HAIKU,
            **but,
        }
        at = hour + timedelta(minutes=1)
        self.place.log.lines += [call(each, at, **said) for each in range(first, first + calls)]

    def meter(self, hour: datetime, calls: int, **but: Any) -> None:
        """They are in the log and metered."""
        before = len(self.place.log.lines)
        self.log(hour, calls, **but)
        lines = self.place.log.lines[before:]
        self.place.stream.deliver(delivery(lines), hour + timedelta(minutes=2), "r")

    def look(self, at: datetime) -> WatchResult:
        """The hourly run: the look, then the recounts that are due."""
        found = self.place.watch.look(at)
        for hour in self.place.recounter.due(at):
            self.place.recounter.settle(hour, at)
        return found

    @property
    def told(self) -> list[NoticeKind]:
        return [each.kind for each in self.place.ledger.posted]

    @property
    def reasons(self) -> str:
        return "\n".join(each.reason for each in self.place.ledger.posted)


def run(hours: Hours, moments: Iterable[datetime]) -> list[WatchResult]:
    return [hours.look(moment) for moment in moments]


@pytest.fixture
def hours() -> Hours:
    return Hours()


def after(hour: datetime) -> datetime:
    """The hourly run after an hour has ended."""
    return hour + HOUR + QUARTER


def test_nothing_is_said_while_all_is_metered(hours: Hours) -> None:
    for number in range(5):
        hours.meter(NOON + number * HOUR, 20)
        hours.bedrock(NOON + number * HOUR, 20)
    assert run(hours, [after(NOON + n * HOUR) for n in range(5)]) == [WatchResult()] * 5
    assert (hours.told, hours.place.ledger.asked) == ([], {})


def test_a_gap_is_told_set_from_the_log_and_told_to_be_healed(hours: Hours) -> None:
    hours.log(NOON, 30)
    hours.bedrock(NOON, 30)
    first, second, third = run(hours, [after(NOON) + n * HOUR for n in range(3)])
    assert (first.unmetered, first.hours) == (30, (NOON,))
    assert (second, third) == (WatchResult(), WatchResult())
    assert hours.told == [GAP, HEALED]
    assert sum(each.requests for each in hours.place.ledger.totals().values()) == 30
    gap = hours.place.ledger.posted[0]
    assert gap.since == NOON
    assert f"{HAIKU}: 30 of 30 calls with {30 * (PROMPT + ANSWER):,} tokens" in gap.reason
    assert "`quota-enforcer recount 2026-11-24T12:00Z`" in gap.reason


def test_only_the_hours_of_the_gap_are_recounted(hours: Hours) -> None:
    for number in range(6):
        hour = NOON + number * HOUR
        hours.bedrock(hour, 30)
        (hours.log if number in {2, 3} else hours.meter)(hour, 30)
    found = hours.look(after(NOON + 5 * HOUR))
    assert found.hours == (NOON + 2 * HOUR, NOON + 3 * HOUR)
    assert set(hours.place.ledger.started) == set(found.hours)
    assert "recount 2026-11-24T14:00Z..2026-11-24T15:00Z" in hours.reasons


@pytest.mark.parametrize(
    ("traffic", "cause"),
    [
        (LogTraffic(0, 0), "got no record in that time"),
        (LogTraffic(30, 0), "handed none on: the meter's subscription is gone"),
        (
            LogTraffic(30, 0, 30),
            "none on to the meter, only to others: the meter's subscription is",
        ),
        (LogTraffic(30, 12, 30), "handed on only 12 to the meter"),
        (LogTraffic(30, 30), "the meter did not take them"),
    ],
)
def test_the_cause_is_what_the_log_delivery_metrics_say(
    hours: Hours, traffic: LogTraffic, cause: str
) -> None:
    hours.place.witness.traffic = traffic
    hours.bedrock(NOON, 30)
    hours.look(after(NOON))
    assert cause in hours.reasons


def test_even_one_call_is_a_gap_where_nothing_at_all_was_metered(hours: Hours) -> None:
    hours.bedrock(NOON, 1)
    assert hours.look(after(NOON)).unmetered == 1


@pytest.mark.parametrize(("metered", "gap"), [(95, 0), (89, 11), (94, 0)])
def test_a_gap_up_to_the_threshold_is_none(hours: Hours, metered: int, gap: int) -> None:
    hours.meter(NOON, metered)
    hours.bedrock(NOON, 100)
    assert hours.look(after(NOON)).unmetered == gap


def test_one_model_of_several_is_found(hours: Hours) -> None:
    hours.meter(NOON, 1000)
    hours.bedrock(NOON, 1000)
    hours.bedrock(NOON, 20, "amazon.nova-pro-v1:0")
    hours.look(after(NOON))
    assert "amazon.nova-pro-v1:0: 20 of 20 calls" in hours.reasons
    assert HAIKU not in hours.reasons


def test_calls_that_the_two_sides_date_into_neighbouring_hours_are_no_gap(hours: Hours) -> None:
    """The log has when a call began, the metrics perhaps when it ended."""
    hours.meter(NOON, 100)
    hours.meter(NOON + HOUR, 50)
    hours.bedrock(NOON, 50)
    hours.bedrock(NOON + HOUR, 100)
    assert run(hours, [after(NOON + n * HOUR) for n in (1, 2, 3)]) == [WatchResult()] * 3


def test_what_the_log_does_not_have_is_told_to_stay_unmetered(hours: Hours) -> None:
    """Logging was off, or they were batch jobs: once a day in words, each hour by the alarm."""
    for number in range(4):
        hours.bedrock(NOON + number * HOUR, 50)
    found = run(hours, [after(NOON + n * HOUR) for n in range(4)])
    assert hours.told == [GAP, GAP, GAP], "two new gaps, and that the first stays"
    assert "does not have" in hours.place.ledger.posted[2].reason
    assert all(each.unmetered for each in found)


def test_a_recount_that_never_comes_is_told_after_three_hours(hours: Hours) -> None:
    hours.bedrock(NOON, 50)
    for number in range(4):
        hours.place.watch.look(after(NOON) + number * HOUR)
    assert hours.told == [GAP, GAP]


def test_an_hour_is_asked_for_once(hours: Hours) -> None:
    hours.bedrock(NOON, 50)
    hours.place.log.kept = NOON + HOUR
    first = after(NOON)
    hours.place.watch.look(first)
    hours.place.ledger.drop_recount(NOON)
    hours.place.watch.look(first + HOUR)
    assert hours.place.ledger.asked == {}


def test_hours_before_the_first_look_are_none_of_its(hours: Hours) -> None:
    """The deployment is new, or was updated: nothing is tallied of them."""
    hours.bedrock(NOON - HOUR, 500)
    hours.bedrock(NOON - 2 * HOUR, 500)
    assert hours.look(after(NOON)) == WatchResult()


def test_looks_that_were_missed_for_days_are_made_up_for(hours: Hours) -> None:
    hours.log(NOON, 30)
    hours.bedrock(NOON, 30)
    assert hours.look(NOON + timedelta(days=9)).hours == (NOON,)


def test_more_than_bedrock_counted_is_told_once_its_metrics_are_whole(hours: Hours) -> None:
    hours.meter(NOON, 100)
    hours.bedrock(NOON, 60)
    first, second, third = run(hours, [after(NOON) + n * HOUR for n in range(3)])
    assert (first, second.overmetered, third) == (WatchResult(), 40, WatchResult())
    assert hours.told == [TOO_MUCH]
    assert f"{HAIKU}: 40 more than the 60 calls that Bedrock counted" in hours.reasons


def test_forged_tokens_in_few_records_are_found(hours: Hours) -> None:
    hours.meter(NOON, 100)
    hours.meter(NOON, 1, input={"inputTokenCount": 9_000_000})
    hours.bedrock(NOON, 100)
    assert hours.look(after(NOON + HOUR)).overmetered == 1
    assert "tokens more" in hours.reasons


def test_tokens_that_no_log_has_are_no_gap_of_the_meter(hours: Hours) -> None:
    """A broken-off stream is metered without them, and has an alarm of its own."""
    hours.meter(NOON, 20, output={})
    volume = Volume(20, 20 * PROMPT, 9_000_000)
    hours.place.witness.hours[NOON] = {HAIKU: Witnessed(volume, volume)}
    assert hours.look(after(NOON)) == WatchResult()


def test_a_profile_that_only_one_side_names_by_its_arn_is_no_difference(hours: Hours) -> None:
    hours.meter(NOON, 100)
    hours.bedrock(NOON, 100, "application-inference-profile/abc123")
    assert run(hours, [after(NOON), after(NOON + HOUR)]) == [WatchResult()] * 2


def test_an_hour_of_a_half_hour_zone_is_compared_with_its_own_calls() -> None:
    start = NOON.replace(minute=30)
    hours = Hours("Asia/Kolkata", start)
    hours.log(start, 30)
    hours.bedrock(start, 30)
    assert hours.look(after(start)).hours == (start,)
    assert "recount 2026-11-24T12:30Z`" in hours.reasons


def test_what_cannot_be_asked_is_looked_at_again(hours: Hours) -> None:
    hours.log(NOON, 30)
    hours.bedrock(NOON, 30)
    hours.place.witness.fails = TimeoutError("no")
    with pytest.raises(TimeoutError):
        hours.look(after(NOON))
    hours.place.witness.fails = None
    assert hours.look(after(NOON) + HOUR).unmetered == 30


def test_calls_whose_tally_was_lost_look_like_a_gap_and_the_recount_changes_no_usage(
    hours: Hours,
) -> None:
    hours.meter(NOON, 30)
    hours.bedrock(NOON, 30)
    hours.place.ledger.tallied.clear()
    before = hours.place.ledger.totals()
    run(hours, [after(NOON), after(NOON) + HOUR])
    assert hours.told == [GAP, HEALED]
    assert hours.place.ledger.totals() == before


def test_a_subscription_that_was_gone_for_a_part_of_the_hour_is_named(hours: Hours) -> None:
    hours.place.witness.traffic = LogTraffic(50, 20)
    hours.meter(NOON, 20)
    hours.log(NOON, 30)
    hours.bedrock(NOON, 50)
    hours.look(after(NOON))
    assert "got 50 records and handed on only 20 to the meter: its subscription" in hours.reasons
