"""A change of meter, as timelines: once the hours asked for are recounted, all is counted once.

The old meter may go before the new one comes, or after it, and sweeps may crash in between.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from builders import HAIKU, HOUR, NOON
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start, local_date, next_hour
from quota_enforcer.meter.handover import LONGEST, hand_over
from same_again import same_again
from world import World, principal

MINUTES = timedelta(minutes=1)
ALICE = principal("user/alice")
STREAM, CLOUDWATCH = Metering.STREAM, Metering.CLOUDWATCH
UTC_ZONE = ZoneInfo("UTC")


Step = tuple[datetime, Callable[[], object]]


class Account:
    """Alice calls Bedrock all the time; filters and subscription come and go."""

    def __init__(self, metering: Metering, zone: str = "UTC") -> None:
        self.world = World(zone=zone)
        self.world.metering(metering)
        self.filters = metering is CLOUDWATCH
        self.subscribed = metering is STREAM
        self.log: list[datetime] = []

    @classmethod
    def at_noon(cls, metering: Metering) -> "Account":
        """After two hours of calls that one meter counted."""
        return _at_noon(metering)()

    def run(self, start: datetime, end: datetime, *steps: Step) -> None:
        """A call every two minutes, a sweep every five, and some steps at their moments."""
        at = start
        while at < end:
            for moment, do in steps:
                if moment == at:
                    do()
            if at.minute % 5 == 0:
                self.world.sweep(at)
            if at.minute == 15:
                self.recount(at)
            if at.minute % 2 == 0:
                self.call(at + timedelta(seconds=30))
            at += MINUTES

    def call(self, at: datetime) -> None:
        self.log.append(at)
        if self.filters:
            self.world.call("alice", at, 10)
        if self.subscribed:
            self.world.stream("alice", at, 10)

    def update(self, metering: Metering) -> Callable[[], None]:
        """The functions are told."""
        return lambda: self.world.metering(metering)

    def switch(self, *, filters: bool, subscribed: bool) -> Callable[[], None]:
        """Filters and subscription change, at a moment of their own."""

        def now() -> None:
            self.filters, self.subscribed = filters, subscribed

        return now

    def recount(self, now: datetime) -> None:
        """Set the hours asked for that are closed from the log."""
        ledger, zone = self.world.ledger, self.world.settings.zone
        for hour in sorted(ledger.recounts_asked):
            if next_hour(hour, zone) + 10 * MINUTES <= now:
                counts = self.truth().get(hour, Counts())
                bucket = Bucket(ALICE, HAIKU, local_date(hour, zone))
                ledger.set_hours(bucket, {hour: counts}, "recount")
                ledger.recounts_asked.discard(hour)

    def truth(self) -> dict[datetime, Counts]:
        hours: dict[datetime, Counts] = {}
        for at in self.log:
            hour = hour_start(at, self.world.settings.zone)
            hours[hour] = Counts.total([hours.get(hour, Counts()), Counts(1, 10)])
        return hours

    def counted(self) -> dict[datetime, tuple[object, ...]]:
        usage = self.world.ledger.usage(ALICE, date.min).models
        return {
            hour: tuple(counts[: len(OBSERVED)])
            for hour, counts in usage[HAIKU].hours.items()
            if counts.requests
        }

    def settled(self) -> bool:
        """Whether the ledger says exactly what the log says."""
        truth = {hour: tuple(counts[: len(OBSERVED)]) for hour, counts in self.truth().items()}
        return self.counted() == truth


@cache
def _at_noon(metering: Metering) -> Callable[[], Account]:
    account = Account(metering)
    account.run(NOON - 2 * HOUR, NOON)
    return same_again(account)


MOMENTS = pytest.mark.parametrize("minute", [0, 3, 29, 31, 55, 58])
GAPS = pytest.mark.parametrize("gap", [-4, 0, 4])
"""In minutes: with a negative one both meters count for a while, else neither does."""


def change(account: Account, to: Metering, minute: int, gap: int) -> list[Step]:
    """An update of the stack begins at this minute after noon and takes ten minutes."""
    at = NOON + minute * MINUTES
    to_stream = to is STREAM
    return [
        (at, account.switch(filters=gap < 0, subscribed=gap < 0)),
        (at + abs(gap) * MINUTES, account.switch(filters=not to_stream, subscribed=to_stream)),
        (at + 2 * MINUTES, account.update(to)),
    ]


@MOMENTS
@GAPS
def test_the_stream_takes_over_without_loss(minute: int, gap: int) -> None:
    account = Account.at_noon(CLOUDWATCH)
    account.run(NOON, NOON + 3 * HOUR, *change(account, STREAM, minute, gap))
    assert account.settled()
    assert account.world.metrics.reads[-1].end <= NOON + (minute + 2) * MINUTES


@MOMENTS
@GAPS
def test_the_metrics_take_over_without_loss(minute: int, gap: int) -> None:
    account = Account.at_noon(STREAM)
    account.run(NOON, NOON + 3 * HOUR, *change(account, CLOUDWATCH, minute, gap))
    account.world.sweep(NOON + 3 * HOUR)
    assert account.settled()


def test_hours_are_those_of_the_local_clock() -> None:
    account = Account(STREAM, "Asia/Kolkata")
    account.run(NOON - 2 * HOUR, NOON + 4 * HOUR, *change(account, CLOUDWATCH, 20, 0))
    account.world.sweep(NOON + 4 * HOUR)
    assert account.settled()


def test_the_metrics_set_no_hour_that_the_stream_has_filled() -> None:
    """Not even where filters were there all the time, and a new session is watched."""
    account = Account(STREAM)
    account.filters = True
    account.run(
        NOON,
        NOON + 4 * HOUR,
        (NOON + 65 * MINUTES, account.update(CLOUDWATCH)),
        (NOON + 65 * MINUTES, account.switch(filters=True, subscribed=False)),
        (NOON + 150 * MINUTES, lambda: account.world.quota(principal="session/ci/*")),
    )
    meters = {hour: meter for (_, hour), meter in account.world.ledger.meters.items()}
    assert meters == {
        NOON: "recount",
        NOON + HOUR: "recount",
        NOON + 2 * HOUR: "cloudwatch",
        NOON + 3 * HOUR: "cloudwatch",
    }
    assert all(read.start >= NOON + 2 * HOUR for read in account.world.metrics.reads)


def test_there_and_back_within_an_hour_loses_nothing() -> None:
    account = Account(CLOUDWATCH)
    noon = NOON + 2 * HOUR
    account.run(
        NOON,
        NOON + 5 * HOUR,
        (noon, account.switch(filters=False, subscribed=True)),
        (noon + MINUTES, account.update(STREAM)),
        (noon + 21 * MINUTES, account.update(CLOUDWATCH)),
        (noon + 23 * MINUTES, account.switch(filters=True, subscribed=False)),
    )
    account.world.sweep(NOON + 5 * HOUR)
    assert account.settled()


def test_back_and_there_within_an_hour_loses_nothing() -> None:
    account = Account(STREAM)
    noon = NOON + 2 * HOUR
    account.run(
        NOON,
        NOON + 5 * HOUR,
        (noon, account.switch(filters=True, subscribed=False)),
        (noon + MINUTES, account.update(CLOUDWATCH)),
        (noon + 21 * MINUTES, account.update(STREAM)),
        (noon + 23 * MINUTES, account.switch(filters=False, subscribed=True)),
    )
    assert account.settled()


def test_a_crash_after_asking_asks_again() -> None:
    account = Account(STREAM)
    account.run(NOON, NOON + 58 * MINUTES)
    account.update(CLOUDWATCH)()
    account.filters, account.subscribed = True, False
    writes = account.world.ledger.writes
    writes.clear()
    account.world.ledger.fails_at = 2  # begin and ask_recounts get through
    with pytest.raises(ConnectionError):
        account.world.sweep(NOON + 58 * MINUTES)
    assert [method for method, _ in writes] == ["begin", "ask_recounts"]
    account.world.ledger.fails_at = None
    account.run(NOON + 58 * MINUTES, NOON + 4 * HOUR)
    account.world.sweep(NOON + 4 * HOUR)
    assert account.settled()


def test_a_change_that_cannot_be_settled_waits_and_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = Account(STREAM)
    account.run(NOON, NOON + 10 * MINUTES)
    account.update(CLOUDWATCH)()

    def failing(*_args: object) -> None:
        raise ConnectionError("DynamoDB is away")

    with monkeypatch.context() as patched:
        patched.setattr(account.world.ledger, "ask_recounts", failing)
        report = account.world.sweep(NOON + 10 * MINUTES)
    assert report.failures == ["could not change the meter: ConnectionError: DynamoDB is away"]
    assert account.world.ledger.state().metering == "stream"
    account.world.sweep(NOON + 15 * MINUTES)
    assert account.world.ledger.recounts_asked == {NOON - HOUR, NOON}


def test_a_dry_run_changes_no_meter() -> None:
    account = Account(STREAM)
    account.run(NOON, NOON + 10 * MINUTES)
    account.update(CLOUDWATCH)()
    account.world.sweep(NOON + 10 * MINUTES, dry_run=True)
    assert account.world.ledger.recounts_asked == set()
    assert account.world.ledger.state().metering == "stream"
    assert account.world.metrics.reads == []


# Whom the ledger was filled by, and since when


def changed(
    state: SweepState, metering: Metering, behind: datetime | None = None
) -> list[datetime]:
    at = NOON + 20 * MINUTES
    return list(hand_over(state, metering, at, UTC_ZONE, behind).hours)


def test_a_new_deployment_has_nothing_to_settle() -> None:
    for metering in Metering:
        taken = hand_over(SweepState(), metering, NOON, UTC_ZONE, None)
        assert (taken.hours, taken.state) == ((), SweepState(metering=metering))


def test_a_ledger_that_does_not_say_was_filled_from_the_metrics() -> None:
    state = SweepState(NOON, NOON, NOON + 5 * MINUTES)
    assert changed(state, CLOUDWATCH) == []
    assert changed(state, STREAM) == [NOON - HOUR, NOON]


def test_an_outage_before_the_change_is_settled_too() -> None:
    """From the last reading on, or from when on one series could not be read; a month at most."""
    state = SweepState(NOON, NOON, NOON, metering="cloudwatch")
    assert changed(state, STREAM, NOON - 3 * HOUR) == [NOON + n * HOUR for n in range(-4, 1)]
    assert changed(SweepState(NOON, NOON, NOON - 3 * HOUR), STREAM)[0] == NOON - 4 * HOUR
    ages = SweepState(NOON, NOON, NOON - 99 * LONGEST)
    assert changed(ages, STREAM)[0] == hour_start(NOON + 20 * MINUTES - LONGEST, UTC_ZONE)


def test_the_metrics_begin_with_the_next_full_hour_of_the_local_clock() -> None:
    """Also on Lord Howe Island, in the night that gives half an hour back."""
    zone = ZoneInfo("Australia/Lord_Howe")
    night = datetime(2027, 4, 3, 14, 50, tzinfo=UTC)  # 01:50 before the clocks go back to 01:30
    state = SweepState(night, night, metering="stream")
    taken = hand_over(state, CLOUDWATCH, night, zone, None)
    begins = taken.state.metering_from
    assert begins is not None
    assert begins > night
    assert hour_start(begins, zone) == begins
    assert (taken.state.metered_to, taken.hours[-1]) == (begins, hour_start(night, zone))
