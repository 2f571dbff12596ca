"""The stream meter over fakes: what is added, what is not and why, and what a crash leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import ALICE, HOUR, NOON
from log_records import ACCOUNT, NOISE, PUBLISHED, REMOVED, a_record
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import MeterRules
from quota_enforcer.meter.log.record import Quarantined
from quota_enforcer.meter.ports import LogEvent
from quota_enforcer.meter.stream import Stream
from stream_fakes import Died, FlatPrices, Place, call, delivery, event, packed, times, truth


class DoublePrices(FlatPrices):
    """Everything costs twice as much."""

    def cost(self, *args: Any) -> Cost:
        cost = super().cost(*args)
        return replace(cost, usd=2 * cost.usd)


MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
MINUTE = timedelta(minutes=1)
NOW = NOON + 2 * MINUTE


@pytest.fixture
def place() -> Place:
    return Place()


def some(count: int, at: datetime = NOON) -> list[LogEvent]:
    """Calls of several users, one a second."""
    return [call(n, at + timedelta(seconds=n), f"u{n % 5}") for n in range(count)]


def test_a_call_is_added_to_its_bucket_with_its_cost(place: Place) -> None:
    metered = place.stream.deliver(delivery([call(1, NOON)]), NOW, "id")
    assert place.ledger.totals() == {
        ("user/alice", MODEL, NOON): Counts(1, 100, 20, cost_usd=Decimal("0.00012"))
    }
    assert (metered.counted, metered.lag, place.wake.woken) == (1, 120.0, [{"user/alice"}])


def test_the_part_of_the_cost_that_is_assumed_is_kept_apart(place: Place) -> None:
    place.stream.deliver(delivery([call(1, NOON, modelId="mystery.one-v1")]), NOW, "id")
    (counts,) = place.ledger.totals().values()
    assert (counts.cost_usd, counts.assumed_usd) == (Decimal("0.00012"), Decimal("0.00006"))


def test_hours_and_days_are_those_of_the_deployments_clock() -> None:
    place = Place(ZoneInfo("Asia/Kolkata"))
    place.stream.deliver(delivery([call(1, NOON)]), NOW, "id")
    ((bucket, hours),) = place.ledger.usage.items()
    assert (bucket.day, list(hours)) == (NOON.date(), [NOON - 30 * MINUTE])


def test_the_enforcer_hears_when_whom_called_which_model_last(place: Place) -> None:
    seconds = timedelta(seconds=1)
    events = [call(1, NOON + seconds), call(2, NOON + 3 * seconds), call(3, NOON + 2 * seconds)]
    place.stream.deliver(delivery(events), NOW, "id")
    assert place.wake.called == [{ALICE: {MODEL: NOON + 3 * seconds}}]


ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/reporting/ci-42"


@pytest.mark.parametrize("watched", ["session/reporting/ci-42", "session/reporting/*"])
def test_a_watched_session_counts_to_itself_and_its_role(place: Place, watched: str) -> None:
    place.ledger.the_brief = MeterRules(sessions=frozenset({watched}))
    place.stream.deliver(delivery([call(1, NOON, ROLE)]), NOW, "id")
    assert {who for who, _, _ in place.ledger.totals()} == {
        "role/reporting",
        "session/reporting/ci-42",
    }
    assert place.wake.woken == [{"role/reporting", "session/reporting/ci-42"}]


def test_other_sessions_count_to_their_role_alone(place: Place) -> None:
    place.stream.deliver(delivery([call(1, NOON, ROLE)]), NOW, "id")
    assert [who for who, _, _ in place.ledger.totals()] == ["role/reporting"]


def test_whom_nothing_can_limit_is_counted_and_told(place: Place) -> None:
    root = call(1, NOON, f"arn:aws:iam::{ACCOUNT}:root")
    metered = place.stream.deliver(delivery([root]), NOW, "id")
    assert (metered.counted, metered.unattributed) == (1, 1)


def test_the_brief_is_read_once_a_minute(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[MeterRules] = []

    def meter_rules() -> MeterRules:
        read.append(MeterRules())
        return MeterRules()

    monkeypatch.setattr(place.ledger, "meter_rules", meter_rules)
    for seconds, briefs in ((0, 1), (59, 1), (60, 2)):
        place.stream.deliver(delivery([call(1, NOON)]), NOW + timedelta(seconds=seconds), "id")
        assert len(read) == briefs


def test_an_old_brief_serves_where_no_new_one_can_be_had(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ledger.the_brief = MeterRules(sessions=frozenset({"session/reporting/*"}))
    place.stream.deliver(delivery([call(1, NOON)]), NOW, "id")

    def away() -> MeterRules:
        raise ConnectionError

    monkeypatch.setattr(place.ledger, "meter_rules", away)
    metered = place.stream.deliver(delivery([call(2, NOON, ROLE)]), NOW + 9 * MINUTE, "id")
    assert (metered.counted, list(metered.failed)) == (1, [])
    assert ("session/reporting/ci-42", MODEL, NOON) in place.ledger.totals()


# Bad input


def broken(data: str) -> list[str]:
    """Ways in which a delivery can be damaged as a whole."""
    return [
        "",
        "no base64!",
        data[: len(data) // 8 * 4],
        packed(b"{"),
        packed(b"\xff\xfe"),
        packed(b"[]"),
        packed(b'{"messageType": "DATA_MESSAGE", "logEvents": []}'),
        packed(b'{"messageType": "SOMETHING"}'),
        packed(b"[" * 100_000),
    ]


@pytest.mark.parametrize("way", range(len(broken(""))))
def test_a_damaged_delivery_leaves_a_pointer_and_has_its_hours_recounted(
    place: Place, way: int
) -> None:
    """Half a gzip among them; its calls are in the log, where the recount finds them."""
    place.log.lines = some(20)
    metered = place.stream.deliver(broken(delivery(some(20)))[way], NOW, "the-invocation")
    assert times(metered.failed) == times(place.letters.left) == {"the-invocation": 1}
    assert place.ledger.totals() == {}
    assert set(place.ledger.asked) == {NOON - HOUR, NOON}
    for hour in place.recounter.due(NOON + 2 * HOUR):
        place.recounter.settle(hour, NOON + 2 * HOUR)
    assert place.ledger.totals() == truth(some(20), place)


def test_a_control_message_is_answered_and_nothing_else(place: Place) -> None:
    metered = place.stream.deliver(delivery([], messageType="CONTROL_MESSAGE"), NOW, "id")
    assert metered.control
    assert (place.ledger.totals(), place.wake.woken, place.letters.left) == ({}, [], [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"logStream": "a-forgers-stream"}, "a log stream that is not Bedrock's"),
        ({"logStream": "aws/bedrock/modelinvocations/x"}, "a log stream that is not Bedrock's"),
        ({"logGroup": "/another"}, "another log group"),
        ({"owner": "999988887777"}, "the log of another account"),
    ],
)
def test_another_stream_group_or_account_is_skipped_and_never_metered(
    place: Place, changes: dict[str, Any], reason: str
) -> None:
    metered = place.stream.deliver(delivery(some(3), **changes), NOW, "id")
    assert (metered.counted, metered.skipped) == (0, {reason: 3})
    assert (place.ledger.totals(), place.wake.woken) == ({}, [])


def test_a_record_of_a_megabyte_is_counted(place: Place) -> None:
    body = {"messages": [{"role": "user", "content": "x" * 1_000_000}]}
    large = call(1, NOON, input__inputBodyJson=body)
    assert place.stream.deliver(delivery([large]), NOW, "id").counted == 1


def test_one_bad_record_of_a_thousand_costs_no_other(place: Place) -> None:
    events = [call(n, NOON + timedelta(seconds=n % 60), f"u{n % 50}") for n in range(1_000)]
    events[500] = event(500, '{"timestamp": "2026-11-24T12:00:00Z", "inp', NOON)
    place.ledger.at_once = 100
    metered = place.stream.deliver(delivery(events), NOW, "id")
    assert metered.counted == 999
    assert [pointer.event_id for pointer in metered.quarantined] == [f"{500:056d}"]
    assert place.ledger.totals() == truth(events, place)
    assert place.letters.left == []


def test_an_event_without_a_message_costs_no_other(place: Place) -> None:
    events = [{"id": "1", "timestamp": 1}, call(1, NOON), 17]
    metered = place.stream.deliver(delivery(events), NOW, "id")  # type: ignore[arg-type]
    assert (metered.counted, times(metered.quarantined)) == (1, {"id": 2})


def test_a_record_of_an_hour_ago_is_counted_in_its_own_hour(place: Place) -> None:
    late = call(1, NOON - HOUR)._replace(timestamp=int(NOON.timestamp() * 1000))
    place.stream.deliver(delivery([late]), NOW, "id")
    assert [hour for _, _, hour in place.ledger.totals()] == [NOON - HOUR]


@pytest.mark.parametrize(
    ("ahead", "counted"),
    [(5 * MINUTE, 1), (5 * MINUTE + timedelta(seconds=1), 0), (HOUR, 0), (365 * 24 * HOUR, 0)],
    ids=["a little", "a little more", "an hour", "next year"],
)
def test_a_record_from_the_future_is_quarantined(
    place: Place, ahead: timedelta, counted: int
) -> None:
    metered = place.stream.deliver(delivery([call(1, NOW + ahead)]), NOW, "id")
    assert (metered.counted, len(metered.quarantined)) == (counted, 1 - counted)
    assert len(place.ledger.totals()) == counted


@pytest.mark.parametrize(
    ("ago", "counted"),
    [(3 * 24 * HOUR, 1), (3 * 24 * HOUR + timedelta(seconds=1), 0), (365 * 24 * HOUR, 0)],
    ids=["three days", "a little more", "last year"],
)
def test_a_record_older_than_what_is_remembered_of_calls_is_quarantined(
    place: Place, ago: timedelta, counted: int
) -> None:
    """Nobody could say any more whether it has counted: it may be a copy of an old one."""
    event = call(1, NOW - ago)._replace(timestamp=int(NOW.timestamp() * 1000))
    metered = place.stream.deliver(delivery([event]), NOW, "id")
    assert (metered.counted, len(metered.quarantined)) == (counted, 1 - counted)
    if metered.quarantined:
        assert "more than 3 days before its delivery" in metered.quarantined[0].reason
        assert "recount its hour" in metered.quarantined[0].reason


def test_duplicates_in_one_batch_and_across_batches_count_once(place: Place) -> None:
    events = some(10)
    first = place.stream.deliver(delivery([*events, *events[:4]]), NOW, "id")
    second = place.stream.deliver(delivery([*events[5:], call(99, NOON)]), NOW, "id")
    assert (first.counted, first.duplicates) == (10, 4)
    assert (second.counted, second.duplicates) == (1, 5)
    assert place.ledger.totals() == truth([*events, call(99, NOON)], place)


def test_one_call_logged_twice_is_one(place: Place) -> None:
    once, again = call(1, NOON), call(1, NOON)._replace(id="another-event")
    assert place.stream.deliver(delivery([once, again]), NOW, "id").duplicates == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": "2026-11-24T12:00:01Z"},
        {"identity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/bob"}},
        {"modelId": "amazon.nova-lite-v1:0"},
        {"input__inputTokenCount": 101},
        {"requestId": "r-2"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_request_id_with_other_contents_is_another_call(
    place: Place, changes: dict[str, Any]
) -> None:
    events = [call(1, NOON), call(1, NOON, **changes)]
    assert place.stream.deliver(delivery(events), NOW, "id").counted == 2


def test_calls_without_a_request_id_are_told_by_their_event(place: Place) -> None:
    events = [call(n, NOON, requestId=REMOVED) for n in (1, 2, 2)]
    metered = place.stream.deliver(delivery(events), NOW, "id")
    assert (metered.counted, metered.duplicates) == (2, 1)


def test_a_price_that_changes_makes_no_other_call(place: Place) -> None:
    """The cost is no part of a call's key, or a redelivery after an edit would count again."""
    place.stream.deliver(delivery([call(1, NOON)]), NOW, "id")
    dearer = replace(place.adapters, prices=lambda _: DoublePrices())
    again = Stream(dearer, place.log_group).deliver(delivery([call(1, NOON)]), NOW, "id")
    assert (again.counted, again.duplicates) == (0, 1)


def test_every_published_record_is_counted_or_accounted_for(place: Place) -> None:
    today = {"timestamp": f"{NOON:%Y-%m-%dT%H:%M:%SZ}"}
    records = [record | (today if "timestamp" in record else {}) for record in PUBLISHED.values()]
    events = [event(number, record, NOON) for number, record in enumerate(records)] + [
        event(900 + n, line, NOON) for n, line in enumerate(NOISE.splitlines())
    ]
    metered = place.stream.deliver(delivery(events), NOW, "id")
    assert sum(metered.skipped.values()) == 24
    # Two of Panther's are one call, request id and all, with another text in it.
    assert (metered.counted, metered.duplicates, len(metered.quarantined)) == (8, 1, 0)
    assert len(events) == 24 + 8 + 1


PROMPT = "my secret diagnosis"


@pytest.mark.parametrize(
    "changes",
    [
        {"input": PROMPT},
        {"output": PROMPT},
        {"input__inputTokenCount": PROMPT},
        {"output__outputTokenCount": PROMPT},
        {"input__cacheReadInputTokenCount": [PROMPT]},
        {"input": [PROMPT]},
    ],
)
def test_no_reason_repeats_what_somebody_typed(place: Place, changes: dict[str, Any]) -> None:
    metered = place.stream.deliver(delivery([event(1, a_record(**changes), NOON)]), NOW, "id")
    (pointer,) = metered.quarantined
    assert "secret" not in pointer.reason


def test_a_broken_line_is_not_repeated(place: Place) -> None:
    line = '{"input": {"inputBodyJson": {"prompt": "' + PROMPT
    metered = place.stream.deliver(delivery([event(1, line, NOON)]), NOW, "id")
    assert "secret" not in metered.quarantined[0].reason


# What cannot be written


def test_what_cannot_be_written_leaves_pointers_and_the_rest_is_written(place: Place) -> None:
    place.ledger.refused = {"user/u1"}
    events = some(10)
    metered = place.stream.deliver(delivery(events), NOW, "id")
    assert (metered.counted, len(metered.failed)) == (8, 2)
    assert place.letters.left == list(metered.failed)
    assert times(place.letters.left) == {events[1].id: 1, events[6].id: 1}
    assert set(place.ledger.asked) == {NOON}


def test_a_ledger_that_is_away_costs_no_call(place: Place) -> None:
    place.ledger.away = ConnectionError("no route")
    events = some(10)
    metered = place.stream.deliver(delivery(events), NOW, "id")
    assert metered.counted == 0
    assert times(place.letters.left) == {each.id: 1 for each in events}


def test_a_model_that_cannot_be_looked_up_costs_no_other(place: Place) -> None:
    place.models.broken = {"odd"}
    events = [call(1, NOON), call(2, NOON, modelId="odd")]
    metered = place.stream.deliver(delivery(events), NOW, "id")
    assert (metered.counted, times(place.letters.left)) == (1, {events[1].id: 1})
    assert set(place.ledger.asked) == {NOON}


def test_where_no_pointer_can_be_left_the_delivery_has_to_come_again(place: Place) -> None:
    place.ledger.refused = {"user/u1"}
    place.letters.fails = ConnectionError("the queue is away")
    with pytest.raises(ConnectionError, match="queue"):
        place.stream.deliver(delivery(some(10)), NOW, "id")
    place.letters.fails, place.ledger.refused = None, set()
    place.stream.deliver(delivery(some(10)), NOW, "id")
    assert place.ledger.totals() == truth(some(10), place)


def test_where_the_enforcer_cannot_be_woken_the_delivery_has_to_come_again(place: Place) -> None:
    place.ledger.refused = {"user/u1"}
    place.wake.fails = ConnectionError("Lambda is away")
    with pytest.raises(ConnectionError, match="Lambda"):
        place.stream.deliver(delivery(some(10)), NOW, "id")
    assert len(place.letters.left) == 2, "the pointers are left all the same"
    place.wake.fails = None
    metered = place.stream.deliver(delivery(some(10)), NOW, "id")
    assert metered.duplicates == 8
    assert place.wake.woken == [{f"user/u{n}" for n in range(5)}]


def test_a_redelivery_after_a_crash_anywhere_adds_the_rest_once_and_wakes(place: Place) -> None:
    events = some(10)
    place.stream.deliver(delivery(events), NOW, "id")
    for at in range(place.crashes.moments):
        fresh = Place()
        fresh.crashes.at = at
        with pytest.raises(Died):
            fresh.stream.deliver(delivery(events), NOW, "id")
        fresh.stream.deliver(delivery(events), NOW, "id")
        assert fresh.ledger.totals() == truth(events, fresh)
        assert fresh.wake.woken[-1] == {f"user/u{n}" for n in range(5)}


# Late calls


def test_a_call_of_an_hour_that_is_recounted_is_left_to_another_recount(place: Place) -> None:
    now = NOON + 2 * HOUR
    place.log.lines = some(3)
    place.recounter.recount(NOON, now)
    late = call(9, NOON + MINUTE)
    place.log.lines = [*some(3), late]
    metered = place.stream.deliver(delivery([late, *some(3)]), now + MINUTE, "id")
    assert (metered.counted, metered.late) == (0, 4)
    assert place.recounter.due(now + 2 * MINUTE) == [NOON]
    place.recounter.settle(NOON, now + 2 * MINUTE)
    assert place.ledger.totals() == truth(place.log.lines, place)


def test_a_call_that_a_recount_would_not_find_any_more_is_not_lost_without_a_word(
    place: Place,
) -> None:
    """Its hour is set as a whole by now, and it came to the log hours after it was made."""
    now = NOON + 4 * HOUR
    place.log.lines = some(3)
    place.recounter.recount(NOON, now)
    found, lost = call(8, NOON + MINUTE), call(9, NOON + MINUTE, "bob")
    lost = lost._replace(timestamp=int((NOON + 3 * HOUR).timestamp() * 1000))
    place.log.lines += [found, lost]
    metered = place.stream.deliver(delivery([found, lost]), now, "id")
    assert (metered.counted, metered.late, times(metered.failed)) == (0, 2, {lost.id: 1})
    assert times(place.letters.left) == {lost.id: 1}
    place.recounter.settle(NOON, now + MINUTE)
    assert place.ledger.totals() == truth([*some(3), found], place)


def test_the_time_of_a_future_record_is_named_with_that_of_its_delivery(place: Place) -> None:
    calls = place.adapters.calls(MeterRules(), place.log_group)
    read = calls.read(call(1, datetime(2027, 11, 24, 12, tzinfo=UTC)), NOON)
    assert read == Quarantined(
        "timestamp is 2027-11-24T12:00:00Z, which is more than 0:05:00 after its delivery at "
        "2026-11-24T12:00:00Z: one of the clocks is wrong"
    )


def test_a_redelivery_is_no_second_usage_of_its_minute(place: Place) -> None:
    place.ledger.the_brief = MeterRules(minutes=frozenset({"user/*"}))
    for _ in range(2):
        place.stream.deliver(delivery([call(1, NOON), call(2, NOON)]), NOW, "id")
    [minutes] = place.ledger.minutes.values()
    assert {at: counts.requests for at, counts in minutes.items()} == {NOON: 2}
