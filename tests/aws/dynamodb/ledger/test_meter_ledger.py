"""What every ledger of the stream meter does: the adapter, and the fake of the meter's tests."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from builders import ALICE, HAIKU, HOUR, LEDGER_TABLE, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.usage import additions as ledger_additions
from quota_enforcer.aws.dynamodb.ledger.usage import packs
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket, MeterRules, Source
from quota_enforcer.meter.ports import AddResult, MeterLedger, UsageEntry
from quota_enforcer.meter.watch.ports import HourTally, WatchMemory
from stream_fakes import FakeMeterLedger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BOB = Principal.parse("user/bob")
ROLE = Principal.parse("role/reporting")
SESSION = Principal.parse("session/reporting/ci")
TODAY = NOON.date()
NOW = NOON + timedelta(minutes=2)
LATER = NOON + 2 * HOUR


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> MeterLedger:
    if request.param == "fake":
        return FakeMeterLedger()
    # moto copies a table while it takes a transaction, which two threads must not do at once.
    request.getfixturevalue("monkeypatch").setattr(ledger_additions, "LANES", 1)
    client: DynamoDBClient = request.getfixturevalue("dynamodb")
    return DynamoMeterLedger(client, LEDGER_TABLE, UTC_ZONE, now=lambda: NOON)


def an_addition(key: str, *whose: Principal, **but: object) -> UsageEntry:
    ordinary = {
        "at": NOON,
        "hour": NOON,
        "buckets": tuple(Bucket(who, HAIKU, TODAY) for who in whose or (ALICE,)),
        "counts": Counts(1, 10, 5, 3, 2, cost_usd=but.pop("cost", Counts().cost_usd)),  # type: ignore[arg-type]
    }
    return UsageEntry(key, **{**ordinary, **but})  # type: ignore[arg-type]


def tally(ledger: MeterLedger) -> HourTally:
    assert isinstance(ledger, FakeMeterLedger | DynamoMeterLedger)
    return ledger.tallies(NOON, NOON).get(NOON, HourTally())


def test_an_hours_tally_has_each_call_once_whoever_used_it(ledger: MeterLedger) -> None:
    """A session's call is in its own bucket and in its role's."""
    calls = [
        an_addition("a"),
        an_addition("b", ALICE, Principal.parse("session/ci/42")),
        an_addition("a"),
    ]
    ledger.add(calls, NOW)
    ledger.add(calls, NOW)
    ledger.add([an_addition("c", hour=NOON - HOUR, at=NOON - HOUR)], NOW)
    expected = Counts(2, 20, 10, 6, 4)
    assert tally(ledger) == HourTally({HAIKU: expected})


def test_the_tally_is_of_homes_log_alone(ledger: MeterLedger) -> None:
    """It is held against what CloudWatch says of home's account and Region."""
    there = Bucket(ALICE, HAIKU, TODAY, "444455556666/eu-west-1")
    ledger.add([an_addition("a"), an_addition("b", buckets=(there,))], NOW)
    assert tally(ledger).models[HAIKU].requests == 1


def test_calls_of_several_places_are_added_each_to_its_own(ledger: MeterLedger) -> None:
    """One that comes by another way too is the same call."""
    there = Bucket(ALICE, HAIKU, TODAY, "444455556666/eu-west-1")
    assert ledger.add([an_addition("a"), an_addition("b", buckets=(there,))], NOW).added == 2
    again = ledger.add([an_addition("a", buckets=(there,))], NOW)
    assert (again.added, again.duplicates) == (0, 1)
    day = ledger.day(TODAY)
    assert {bucket.place: hours[NOON].requests for bucket, hours in day.items()} == {
        "": 1,
        there.place: 1,
    }


def test_a_recount_sets_an_hours_tally_and_takes_out_what_it_did_not_find(
    ledger: MeterLedger,
) -> None:
    ledger.add([an_addition("a")], NOW)
    ledger.set_tally(NOON, {"amazon.nova-pro-v1:0": Counts(3, 30)})
    found = tally(ledger)
    assert found.from_log
    used_by_it = {model: counts for model, counts in found.models.items() if any(counts)}
    assert used_by_it == {"amazon.nova-pro-v1:0": Counts(3, 30)}


def test_tallies_are_those_of_the_hours_asked_for(ledger: MeterLedger) -> None:
    assert isinstance(ledger, FakeMeterLedger | DynamoMeterLedger)
    for number in range(5):
        ledger.set_tally(NOON + number * HOUR, {HAIKU: Counts(number)})
    assert ledger.tallies(NOON + HOUR, NOON + 3 * HOUR).keys() == {
        NOON + number * HOUR for number in (1, 2, 3)
    }


def test_what_the_watch_remembers_is_read_back_as_it_was(ledger: MeterLedger) -> None:
    assert isinstance(ledger, FakeMeterLedger | DynamoMeterLedger)
    assert ledger.watch_memory() is None
    hours = [NOON + number * HOUR for number in range(5)]
    for memory in (
        WatchMemory(NOON, LATER),
        WatchMemory(NOON, LATER, {hours[0]: LATER, hours[1]: LATER}, frozenset(hours[2:4]),
                    frozenset(hours[4:]), LATER, NOON),
    ):  # fmt: skip
        ledger.keep_watch_memory(memory)
        assert ledger.watch_memory() == memory


def used(ledger: MeterLedger, who: Principal = ALICE) -> Counts:
    """What was used at noon."""
    return ledger.day(TODAY).get(Bucket(who, HAIKU, TODAY), {}).get(NOON, Counts())


def test_a_new_ledger_has_a_brief_of_nothing(ledger: MeterLedger) -> None:
    assert ledger.meter_rules() == MeterRules()


def test_what_the_added_calls_cost_is_told_and_nothing_for_duplicates(ledger: MeterLedger) -> None:
    calls = [an_addition(key, cost=Decimal("0.25")) for key in ("a", "b")]
    assert ledger.add(calls[:1], NOW).cost_usd == Decimal("0.25")
    assert ledger.add([*calls, calls[1]], NOW) == AddResult(1, 2, cost_usd=Decimal("0.25"))


def test_calls_of_one_bucket_add_up(ledger: MeterLedger) -> None:
    added = ledger.add([an_addition("a"), an_addition("b")], NOW)
    assert (added, used(ledger)) == (AddResult(2), Counts(2, 20, 10, 6, 4))


def test_a_call_counts_to_all_its_buckets(ledger: MeterLedger) -> None:
    ledger.add([an_addition("a", ROLE, SESSION), an_addition("b", ROLE)], NOW)
    assert (used(ledger, ROLE).requests, used(ledger, SESSION).requests) == (2, 1)


def test_a_call_that_was_added_is_confirmed_and_dropped(ledger: MeterLedger) -> None:
    ledger.add([an_addition("a"), an_addition("b", BOB)], NOW)
    again = [an_addition("b", BOB), an_addition("c"), an_addition("a")]
    assert ledger.add(again, NOW) == AddResult(1, 2)
    assert (used(ledger).requests, used(ledger, BOB).requests) == (2, 1)


def test_a_call_that_comes_twice_at_once_is_one(ledger: MeterLedger) -> None:
    assert ledger.add([an_addition("a"), an_addition("a")], NOW) == AddResult(1, 1)
    assert used(ledger).requests == 1


def test_nothing_to_add_is_no_trouble(ledger: MeterLedger) -> None:
    assert ledger.add([], NOW) == AddResult()


def test_a_backlog_of_more_than_a_transaction_is_added_once(
    ledger: MeterLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "BATCH", 20)
    backlog = [
        an_addition(
            f"k{n}", Principal.parse(f"user/u{n % 12}"), at=NOON + timedelta(seconds=5 * (n % 18))
        )
        for n in range(46)
    ]
    assert ledger.add(backlog, NOW) == AddResult(46)
    assert ledger.add(backlog[20:], NOW) == AddResult(0, 26)
    day = ledger.day(TODAY)
    buckets = [Bucket(Principal.parse(f"user/u{n}"), HAIKU, TODAY) for n in range(12)]
    assert [day[bucket][NOON].requests for bucket in buckets] == [4] * 10 + [3] * 2


def test_more_calls_of_one_moment_than_one_condition_holds_are_added_once(
    ledger: MeterLedger,
) -> None:
    many = packs.MOST_CALLS + 5
    burst = [an_addition(f"{n:024x}") for n in range(many)]
    assert ledger.add(burst, NOW) == AddResult(many)
    assert ledger.add(burst, NOW) == AddResult(0, many)
    assert used(ledger).requests == many


def test_hours_of_one_day_are_added_together(ledger: MeterLedger) -> None:
    earlier = an_addition("b", hour=NOON - HOUR, at=NOON - HOUR)
    ledger.add([an_addition("a"), earlier], NOW)
    (hours,) = ledger.day(TODAY).values()
    assert {hour: counts.requests for hour, counts in hours.items()} == {NOON: 1, NOON - HOUR: 1}


def test_added_usage_and_set_usage_are_the_same_usage(ledger: MeterLedger) -> None:
    bucket = Bucket(ALICE, HAIKU, TODAY)
    ledger.set_hours(bucket, {NOON: Counts(5, 50)})
    ledger.add([an_addition("a")], NOW)
    assert used(ledger) == Counts(6, 60, 5, 3, 2)
    ledger.set_hours(bucket, {NOON: Counts()}, "recount")
    assert used(ledger) == Counts()
    assert list(ledger.day(TODAY)) == [bucket], "it is known of, though it is empty"


def test_a_day_has_everybodys_buckets_and_those_of_no_other_day(ledger: MeterLedger) -> None:
    ledger.add([an_addition("a"), an_addition("b", BOB)], NOW)
    yesterday = Bucket(ALICE, HAIKU, TODAY - timedelta(days=1))
    ledger.set_hours(yesterday, {NOON - 24 * HOUR: Counts(1)})
    assert set(ledger.day(TODAY)) == {Bucket(who, HAIKU, TODAY) for who in (ALICE, BOB)}


# Sources

GRACE = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/Grace"


def sources(ledger: MeterLedger) -> list[Source]:
    if isinstance(ledger, FakeMeterLedger):
        return list(ledger.sources.values())
    assert isinstance(ledger, DynamoMeterLedger)
    return ledger.sources()


def test_a_caller_who_is_told_twice_at_once_was_last_seen_at_the_later_hour(
    ledger: MeterLedger,
) -> None:
    """One delivery may hold calls from before and after midnight."""
    told = [Source(GRACE, HAIKU, NOON + hours * HOUR) for hours in (-1, 0, -2)]
    ledger.remember_sources(told)
    assert sources(ledger) == [Source(GRACE, HAIKU, NOON)]


def test_a_caller_who_was_seen_later_already_is_not_forgotten_for_an_old_call(
    ledger: MeterLedger,
) -> None:
    """A recount tells of hours long gone; whom the gates can list is known by the newest."""
    other, another = (Source(f"{GRACE}.{name}", HAIKU, NOON) for name in ("one", "two"))
    ledger.remember_sources([Source(GRACE, HAIKU, NOON), another])
    old = NOON - 24 * 10 * HOUR
    ledger.remember_sources([Source(GRACE, HAIKU, old), other, Source(another.arn, HAIKU, old)])
    found = {each.arn: each.active_to for each in sources(ledger)}
    assert found == {GRACE: NOON, other.arn: NOON, another.arn: NOON}


# Recounts


def test_a_recount_is_open_until_it_is_finished(ledger: MeterLedger) -> None:
    assert ledger.recounts() == []
    ledger.ask_recounts([NOON, NOON - HOUR, NOON], NOW)
    assert {each.hour for each in ledger.recounts()} == {NOON, NOON - HOUR}
    ledger.start_recount(NOON, LATER)
    assert {each.hour for each in ledger.recounts()} == {NOON, NOON - HOUR}
    ledger.finish_recount(NOON, LATER)
    assert [each.hour for each in ledger.recounts()] == [NOON - HOUR]


def test_one_asked_for_again_while_it_runs_stays_open(ledger: MeterLedger) -> None:
    """Also by somebody whose clock, or whose delivery, is older than the start."""
    ledger.ask_recounts([NOON], NOW)
    ledger.start_recount(NOON, LATER)
    ledger.ask_recounts([NOON], NOW)
    ledger.finish_recount(NOON, LATER)
    assert [each.hour for each in ledger.recounts()] == [NOON]
    ledger.start_recount(NOON, LATER + HOUR)
    ledger.finish_recount(NOON, LATER + HOUR)
    assert ledger.recounts() == []


def test_of_two_at_once_the_overtaken_one_has_it_done_again(ledger: MeterLedger) -> None:
    ledger.ask_recounts([NOON], NOW)
    ledger.start_recount(NOON, LATER)
    ledger.start_recount(NOON, LATER + HOUR)
    ledger.finish_recount(NOON, LATER + HOUR)
    ledger.finish_recount(NOON, LATER)
    assert [each.hour for each in ledger.recounts()] == [NOON]


def test_one_that_is_dropped_is_as_if_never_asked_for(ledger: MeterLedger) -> None:
    ledger.ask_recounts([NOON], NOW)
    ledger.start_recount(NOON, LATER)
    ledger.drop_recount(NOON)
    assert ledger.recounts() == []
    assert ledger.add([an_addition("a")], LATER) == AddResult(1)


def test_a_call_of_a_recounted_hour_is_not_added_but_recounted(ledger: MeterLedger) -> None:
    ledger.start_recount(NOON, LATER)
    ledger.finish_recount(NOON, LATER)
    late = [an_addition("a"), an_addition("b", hour=NOON + HOUR, at=NOON + HOUR)]
    assert ledger.add(late, LATER) == AddResult(1, late=frozenset({NOON}))
    assert used(ledger) == Counts()
    assert [each.hour for each in ledger.recounts()] == [NOON]


def test_a_duplicate_of_a_recounted_hour_is_a_duplicate(ledger: MeterLedger) -> None:
    ledger.add([an_addition("a")], NOW)
    ledger.start_recount(NOON, LATER)
    ledger.finish_recount(NOON, LATER)
    assert ledger.add([an_addition("a")], LATER) == AddResult(0, 1)
    assert ledger.recounts() == []


def test_a_late_call_is_added_where_no_recount_has_begun(ledger: MeterLedger) -> None:
    ledger.ask_recounts([NOON], NOW)
    assert ledger.add([an_addition("a")], LATER) == AddResult(1)


def test_an_hour_takes_calls_until_five_minutes_after_its_end(ledger: MeterLedger) -> None:
    """A recount begins five minutes later still, so none can have begun."""
    ledger.start_recount(NOON, LATER)
    minute = timedelta(minutes=1)
    assert ledger.add([an_addition("a")], NOON + 64 * minute).added == 1
    assert ledger.add([an_addition("b")], NOON + 65 * minute).added == 0


def test_a_day_is_everybodys_and_no_other_days(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one pass, however many they are, with a record or without."""
    ledger = DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE)
    DynamoLedger(dynamodb, LEDGER_TABLE, UTC_ZONE).put(Record(BOB, version=1))
    several = [Bucket(Principal(Kind.SESSION, f"ci/{number}"), HAIKU, TODAY) for number in range(9)]
    for bucket in [*several, Bucket(ALICE, HAIKU, TODAY - timedelta(days=1))]:
        ledger.set_hours(bucket, {NOON - (TODAY - bucket.day): Counts(1, 10)})
    monkeypatch.setattr(dynamodb, "query", lambda **_: pytest.fail("it queried somebody"))
    assert ledger.day(TODAY) == {bucket: {NOON: Counts(1, 10)} for bucket in several}


def test_another_places_hours_are_asked_for_begun_and_left_out_by_themselves(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Home's recount keeps no call of a satellite out, and the other way round."""
    monkeypatch.setattr(ledger_additions, "LANES", 1)
    place = "444455556666/eu-west-1"

    def now() -> datetime:
        return NOON

    home = DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE, now)
    there = DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE, now, place)
    home.ask_recounts([NOON], NOW)
    assert there.recounts() == []
    there.start_recount(NOON, LATER)
    there.leave_out(NOON, {"forged"})
    assert home.left_out(NOON) == frozenset()
    assert [each.started for each in home.recounts()] == [None]
    late = NOON + 3 * HOUR
    call = an_addition("a", buckets=(Bucket(ALICE, HAIKU, TODAY, place),))
    assert home.add([an_addition("b")], late).added == 1
    assert there.add([call], late).late == {NOON}
    assert [each.hour for each in there.recounts()] == [NOON]


def test_everybodys_day_is_read_in_one_pass_and_nobody_by_a_query(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever makes up names for sessions would else make each recount longer."""
    monkeypatch.setattr(ledger_additions, "LANES", 1)
    ledger = DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE, now=lambda: NOON)
    several = [Principal.parse(f"session/reporting/made-up-{number}") for number in range(30)]
    ledger.add([an_addition(str(each), each) for each in several], NOW)
    asked: list[str] = []
    dynamodb.meta.events.register(
        "before-call.dynamodb", lambda model, **_: asked.append(model.name)
    )
    assert len(ledger.day(TODAY)) == 30
    assert set(asked) == {"Scan"}
    assert len(asked) <= 4
