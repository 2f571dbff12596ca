"""What DynamoDB does to additions: conflicts, crashes, trouble; and how many calls it takes."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import count
from threading import Barrier
from time import sleep
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from builders import HAIKU, HOUR, LEDGER_TABLE, NOON, UTC_ZONE
from empty_answers import count_requests
from log_records import ACCOUNT
from quota_enforcer.aws.dynamodb.ledger.memory.form import TableForm
from quota_enforcer.aws.dynamodb.ledger.reads import DynamoReads
from quota_enforcer.aws.dynamodb.ledger.usage import additions as ledger_additions
from quota_enforcer.aws.dynamodb.ledger.usage import packs
from quota_enforcer.aws.dynamodb.ledger.usage.additions import DynamoAdditions
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.aws.dynamodb.ledger.usage.recounts import DynamoRecounts
from quota_enforcer.aws.dynamodb.ledger.usage.tallies import DynamoTallies
from quota_enforcer.aws.dynamodb.table import ReadTable, WholeTable
from quota_enforcer.aws.functions.functions import EnforcerWake
from quota_enforcer.aws.messaging.queues import SqsDeadLetters
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.pace import SLOT
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
from quota_enforcer.meter.ports import AddResult, UsageEntry
from quota_enforcer.meter.stream import Stream
from stream_fakes import GROUP, FakeLog, FakeModels, FlatPrices, call, delivery

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from quota_enforcer.aws.dynamodb.table import Table

MakeStub = Callable[[str], tuple[Any, Stubber]]
TODAY = NOON.date()
NOW = NOON + timedelta(minutes=2)


@pytest.fixture(autouse=True)
def _one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pauses; moto and stubs take one request at a time. The form is noted already."""
    monkeypatch.setattr(ledger_additions, "LANES", 1)
    monkeypatch.setattr(TableForm, "note", lambda _self: None)
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)


@pytest.fixture
def small_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of twenty items, so that few calls are several transactions."""
    monkeypatch.setattr(packs, "BATCH", 20)


def an_addition(key: str, who: str = "user/alice", **but: Any) -> UsageEntry:
    bucket = Bucket(Principal.parse(who), HAIKU, TODAY)
    ordinary = {"at": NOON, "hour": NOON, "buckets": (bucket,), "counts": Counts(1, 10)}
    return UsageEntry(key, **{**ordinary, **but})


def a_ledger(client: Any) -> DynamoMeterLedger:
    return DynamoMeterLedger(client, LEDGER_TABLE, UTC_ZONE, now=lambda: NOW)


def requests(ledger: DynamoMeterLedger) -> Counter[str]:
    """Of today, by who made them."""
    found: Counter[str] = Counter()
    for bucket, hours in ledger.day(TODAY).items():
        found[str(bucket.principal)] += sum(counts.requests for counts in hours.values())
    return found


def test_a_call_is_a_marker_and_a_bucket(dynamodb: "DynamoDBClient") -> None:
    counts = Counts(1, 10, cost_usd=Decimal("0.0123456789"), assumed_usd=Decimal("0.01"))
    a_ledger(dynamodb).add([an_addition("k", counts=counts)], NOW)
    items = {item["sk"]: item for item in WholeTable(dynamodb, LEDGER_TABLE).scan()}
    marker = items.pop("calls#2026-11-24T12:00:00.000000Z")
    three_days = int((NOW + timedelta(days=3, minutes=10)).timestamp())
    assert marker == {
        "pk": "user/alice", "sk": marker["sk"], "added": {"k"}, "expires": three_days,
    }  # fmt: skip
    tally = items.pop(f"2026-11-24T12:00:00.000000Z#{HAIKU}")
    assert (tally["pk"], tally["requests"], tally["input_tokens"]) == ("tallies", 1, 10)
    (bucket,) = items.values()
    assert bucket == {
        "pk": "user/alice",
        "sk": f"usage#2026-11-24#{HAIKU}",
        "12.n": 1,
        "12.in": 10,
        "12.usd": Decimal("0.0123456789"),
        "12.est": Decimal("0.01"),
        "expires": bucket["expires"],
    }
    assert bucket["expires"] > three_days


# Refusals


def cancelled(answers: Stubber, *reasons: str) -> None:
    answers.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": reason} for reason in reasons]},
    )


def test_a_transaction_that_meets_another_is_repeated(stub: MakeStub) -> None:
    client, answers = stub("dynamodb")
    cancelled(answers, "None", "TransactionConflict")
    cancelled(answers, "ThrottlingError", "None")
    answers.add_client_error("transact_write_items", "TransactionInProgressException")
    answers.add_response("transact_write_items", {})
    assert a_ledger(client).add([an_addition("a")], NOW) == AddResult(1)


def a_slow_ledger(client: Any) -> DynamoMeterLedger:
    """Each look at its clock is ten seconds later."""
    seconds = count(step=10)
    clock = lambda: NOW + timedelta(seconds=next(seconds))  # noqa: E731 - a clock is a callable
    return DynamoMeterLedger(client, LEDGER_TABLE, UTC_ZONE, now=clock)


def test_a_transaction_that_keeps_meeting_others_is_repeated_as_long_as_a_delivery_may_take(
    stub: MakeStub,
) -> None:
    """After an outage a hundred deliveries may be there for one principal, and all get through."""
    client, answers = stub("dynamodb")
    for _ in range(8 * 2):
        cancelled(answers, "None", "TransactionConflict")
    answers.add_response("transact_write_items", {})
    assert a_slow_ledger(client).add([an_addition("a")], NOW) == AddResult(1)


def test_calls_whose_transaction_never_stops_meeting_others_are_failed(stub: MakeStub) -> None:
    client, answers = stub("dynamodb")
    for _ in range(8 * 3):
        cancelled(answers, "None", "TransactionConflict")
    added = a_slow_ledger(client).add([an_addition("a"), an_addition("b")], NOW)
    assert (added.added, set(added.failed)) == (0, {"a", "b"})
    assert "TransactionCanceledException" in added.failed["a"]


class Odd:
    """Before a transaction is sent: `refuse` says whether and how it fails."""

    def __init__(
        self, client: Any, refuse: Callable[[list[dict[str, Any]]], Exception | None]
    ) -> None:
        self.transactions: list[list[dict[str, Any]]] = []
        self._refuse = refuse
        self._client = client
        client.meta.events.register_first(EVENT, self.send)

    def send(self, params: dict[str, Any], **_: Any) -> None:
        self.transactions.append(params["TransactItems"])
        error = self._refuse(params["TransactItems"])
        if error is not None:
            raise error

    def close(self) -> None:
        self._client.meta.events.unregister(EVENT, self.send)


EVENT = "provide-client-params.dynamodb.TransactWriteItems"


@pytest.fixture
def refusing(dynamodb: "DynamoDBClient") -> Iterator[Callable[..., Odd]]:
    made: list[Odd] = []

    def make(refuse: Callable[[list[dict[str, Any]]], Exception | None]) -> Odd:
        made.append(Odd(dynamodb, refuse))
        return made[-1]

    yield make
    for each in made:
        each.close()


def refused(code: str) -> ClientError:
    said = {"Error": {"Code": code, "Message": "it says"}}
    return ClientError(cast("Any", said), "TransactWriteItems")


@pytest.mark.parametrize("code", ["ValidationException", "ItemCollectionSizeLimitExceeded"])
def test_an_odd_call_costs_no_other(
    dynamodb: "DynamoDBClient", refusing: Callable[..., Odd], code: str
) -> None:
    refusing(lambda parts: refused(code) if "odd-one" in str(parts) else None)
    calls = [an_addition(f"k{n}", f"user/u{n % 7}") for n in range(28)]
    calls[19] = an_addition("odd-one", "user/u5")
    ledger = a_ledger(dynamodb)
    added = ledger.add(calls, NOW)
    assert (added.added, set(added.failed)) == (27, {"odd-one"})
    assert requests(ledger).total() == 27


def test_a_number_that_no_item_holds_costs_no_other(dynamodb: "DynamoDBClient") -> None:
    huge = an_addition("huge", "user/bob", counts=Counts(1, 10**39 + 1))
    ledger = a_ledger(dynamodb)
    added = ledger.add([an_addition("a"), huge, an_addition("b")], NOW)
    assert (added.added, set(added.failed)) == (2, {"huge"})


def test_trouble_of_dynamodb_itself_is_not_taken_for_an_odd_call(
    dynamodb: "DynamoDBClient", refusing: Callable[..., Odd]
) -> None:
    seen = refusing(lambda _: EndpointConnectionError(endpoint_url="https://dynamodb"))
    calls = [an_addition(f"k{n}", f"user/u{n}") for n in range(80)]
    added = a_ledger(dynamodb).add(calls, NOW)
    assert (added.added, len(added.failed)) == (0, 80)
    assert len(seen.transactions) == 2, "nobody takes it apart call by call"


def test_what_one_transaction_loses_the_others_write(
    dynamodb: "DynamoDBClient", refusing: Callable[..., Odd], small_transactions: None
) -> None:
    del small_transactions
    refusing(lambda parts: refused("InternalServerError") if "user/u3" in str(parts) else None)
    calls = [an_addition(f"k{n}", f"user/u{n}") for n in range(24)]
    ledger = a_ledger(dynamodb)
    added = ledger.add(calls, NOW)
    assert added.added + len(added.failed) == 24
    assert len(added.failed) == 10
    assert ledger.add(calls[12:13], NOW).duplicates + (calls[12].key in added.failed) == 1


def test_a_delivery_gives_up_in_time(
    dynamodb: "DynamoDBClient", refusing: Callable[..., Odd], small_transactions: None
) -> None:
    del small_transactions
    clock = [NOW]

    def slow(_: object) -> None:
        clock[0] += timedelta(seconds=61)

    seen = refusing(slow)
    ledger = DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE, now=lambda: clock[0])
    added = ledger.add([an_addition(f"k{n}", f"user/u{n}") for n in range(24)], NOW)
    assert (len(seen.transactions), added.added) == (1, 10)
    assert len(added.failed) == 14


class Killed(BaseException):
    """The function ends here."""


@pytest.mark.parametrize("moment", ["provide-client-params", "after-call"])
@pytest.mark.parametrize("dies_at", [1, 2])
def test_a_crash_around_any_transaction_loses_and_doubles_nothing(
    dynamodb: "DynamoDBClient", small_transactions: None, moment: str, dies_at: int
) -> None:
    """Just before one is sent, or when it is written and nobody has heard of it yet."""
    del small_transactions
    calls = [an_addition(f"k{n}", f"user/u{n % 12}") for n in range(24)]
    sent = 0

    def die(**_: object) -> None:
        nonlocal sent
        sent += 1
        if sent == dies_at:
            raise Killed

    event = f"{moment}.dynamodb.TransactWriteItems"
    dynamodb.meta.events.register(event, die)
    ledger = a_ledger(dynamodb)
    with pytest.raises(Killed):
        ledger.add(calls, NOW)
    dynamodb.meta.events.unregister(event, die)
    regrouped = calls[::2] + calls[1::2]
    for first in range(0, 24, 8):
        ledger.add(regrouped[first : first + 8], NOW)
    assert requests(ledger) == {f"user/u{n}": 2 for n in range(12)}


def test_a_recount_that_begins_meanwhile_is_seen_by_the_clock_of_the_write(
    dynamodb: "DynamoDBClient",
) -> None:
    """The delivery began while the hour was open, and took its time."""
    ledger = DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE, now=lambda: NOON + 2 * HOUR)
    ledger.start_recount(NOON, NOON + 2 * HOUR)
    assert ledger.add([an_addition("a")], NOW).late == {NOON}


def test_lanes_that_share_the_check_of_an_hour_are_written_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the same time they would cancel each other."""
    monkeypatch.setattr(ledger_additions, "LANES", 4)
    under_way: list[object] = []

    class Watching:
        def write(self, writes: object) -> list[int]:
            under_way.append(writes)
            sleep(0.01)
            assert under_way.pop() is writes
            return []

        def add(self, *_: object) -> None:
            """The tally, after all of them."""

    table = cast("Table", Watching())
    late = NOON + 2 * HOUR
    additions = DynamoAdditions(
        table, TableForm(table), DynamoRecounts(table), DynamoTallies(table), UTC_ZONE, lambda: late
    )
    calls = [an_addition(f"k{n}", f"user/u{n}") for n in range(200)]
    assert additions.add(calls, late) == AddResult(200)


def test_lanes_are_written_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_additions, "LANES", 4)
    together = Barrier(2, timeout=10)

    class Waiting:
        def write(self, _: object) -> list[int]:
            together.wait()
            return []

        def add(self, *_: object) -> None:
            """The tally, after all of them."""

    table = cast("Table", Waiting())
    additions = DynamoAdditions(
        table, TableForm(table), DynamoRecounts(table), DynamoTallies(table), UTC_ZONE, lambda: NOW
    )
    calls = [an_addition(f"k{n}", f"user/u{n}") for n in range(80)]
    assert additions.add(calls, NOW) == AddResult(80)


# What it costs


@pytest.mark.parametrize(
    ("seconds_apart", "transactions"),
    [(0, 1), (0.05, 1), (1, 2), (30, 2)],
    ids=["burst", "busy", "stream", "backlog"],
)
def test_a_hundred_records_take_five_or_six_calls(
    session: boto3.Session, seconds_apart: float, transactions: int
) -> None:
    """Each batch of them from 50 principals; and one for the brief of each minute.

    One adds to the tally of the hour, one asks who has room and finds nobody, one marks who is not
    looked at yet, and one wakes.
    """
    batches = 3
    counted: Counter[str] = Counter()
    dynamodb, functions = session.client("dynamodb"), session.client("lambda")
    queues = session.client("sqs")
    for client in (dynamodb, functions, queues):
        count_requests(client, counted)
    adapters = MeterAdapters(
        a_ledger(dynamodb),
        FakeModels(),
        FakeLog(),
        EnforcerWake(functions, "enforcer"),
        SqsDeadLetters(queues, "https://queue", GROUP),
        lambda _: FlatPrices(),
    )
    stream = Stream(adapters, MeteredLogGroup(ACCOUNT, GROUP, UTC_ZONE))
    for batch in range(batches):
        events = [
            call(number, NOON + timedelta(seconds=number * seconds_apart % 3600), f"u{number % 50}")
            for number in range(100 * batch, 100 * batch + 100)
        ]
        now = NOON + timedelta(minutes=59, seconds=batch)
        assert stream.deliver(delivery(events), now, "id").counted == 100
    assert counted == {
        "GetItem": 1,
        "BatchGetItem": batches,
        "PutItem": batches,
        "TransactWriteItems": batches * transactions,
        "UpdateItem": batches,
        "Invoke": batches,
    }


def test_the_markers_tell_how_fast_somebody_calls(dynamodb: "DynamoDBClient") -> None:
    """One read for everything, as many items as there are slots; others' calls are not in it."""
    ledger = a_ledger(dynamodb)
    ledger.add(
        [
            an_addition("early", at=NOON - timedelta(minutes=6)),
            *(
                an_addition(f"a{number}", at=NOON + timedelta(seconds=number))
                for number in range(3)
            ),
            an_addition("b", at=NOON + timedelta(seconds=10)),
            an_addition("bob", "user/bob"),
        ],
        NOW,
    )
    ledger.add([an_addition("a1", at=NOON + timedelta(seconds=1))], NOW)
    reads = DynamoReads(ReadTable(dynamodb, LEDGER_TABLE), UTC_ZONE)
    pace = reads.pace(Principal.parse("user/alice"), NOON - timedelta(minutes=5))
    assert pace.calls == {NOON: 3, NOON + timedelta(seconds=10): 1}
    assert timedelta(seconds=10) == SLOT


ALICES = Bucket(Principal.parse("user/alice"), HAIKU, TODAY)
THERE = ALICES._replace(place="444455556666/eu-west-1")


def minutes(client: "DynamoDBClient", since: int = 0) -> Any:
    """Alice's minutes, counted from noon, by place and model."""
    reads = DynamoReads(ReadTable(client, LEDGER_TABLE), UTC_ZONE)
    found = reads.minutes(ALICES.principal, NOON + timedelta(minutes=since))
    return {
        place: {
            model: {(at - NOON) // timedelta(minutes=1): counts for at, counts in of.items()}
            for model, of in models.items()
        }
        for place, models in found.items()
    }


def test_a_call_is_counted_by_the_minute_exactly_once(dynamodb: "DynamoDBClient") -> None:
    """In the transaction of its marker and its bucket."""
    ledger = a_ledger(dynamodb)
    calls = [
        an_addition(f"k{second}", at=NOON + timedelta(seconds=second), by_the_minute=(ALICES,))
        for second in (0, 59, 60)
    ]
    calls.append(an_addition("there", buckets=(THERE,), by_the_minute=(THERE,)))
    for _ in range(2):
        ledger.add(calls, NOW)
    assert minutes(dynamodb) == {
        "": {HAIKU: {0: Counts(2, 20), 1: Counts(1, 10)}},
        THERE.place: {HAIKU: {0: Counts(1, 10)}},
    }
    assert minutes(dynamodb, since=1) == {"": {HAIKU: {1: Counts(1, 10)}}}


def test_a_minute_is_gone_after_some_hours(dynamodb: "DynamoDBClient") -> None:
    a_ledger(dynamodb).add([an_addition("k", by_the_minute=(ALICES,))], NOW)
    [item] = [
        item for item in WholeTable(dynamodb, LEDGER_TABLE).scan()
        if item["sk"].startswith("minutes#")
    ]  # fmt: skip
    assert item == {
        "pk": "user/alice",
        "sk": f"minutes#2026-11-24T12:00:00.000000Z#{HAIKU}",
        "n": 1,
        "in": 10,
        "expires": int((NOON + timedelta(hours=3)).timestamp()),
    }


def test_a_recount_sets_minutes_and_leaves_those_around_the_hour(
    dynamodb: "DynamoDBClient",
) -> None:
    ledger = a_ledger(dynamodb)
    for minute in (-1, 5, 6, 60):
        at = NOON + timedelta(minutes=minute)
        ledger.add([an_addition(f"k{minute}", at=at, by_the_minute=(ALICES,))], NOW)
    set_to = {NOON + timedelta(minutes=6): Counts(9), NOON + timedelta(minutes=7): Counts(1)}
    ledger.set_minutes(ALICES, NOON, NOON + HOUR, set_to)
    assert minutes(dynamodb, since=-1)[""][HAIKU] == {
        -1: Counts(1, 10), 5: Counts(), 6: Counts(9), 7: Counts(1), 60: Counts(1, 10),
    }  # fmt: skip


@pytest.mark.parametrize(("by_the_minute", "writes"), [((), 2), ((ALICES,), 3)])
def test_nobody_pays_for_minutes_but_who_has_a_window_of_them(
    session: boto3.Session, by_the_minute: tuple[Bucket, ...], writes: int
) -> None:
    """What a call's transaction holds: its marker, its bucket, and its minute; no request more."""
    client, counted = session.client("dynamodb"), Counter[str]()
    written: list[int] = []

    def note(params: dict[str, Any], **_: object) -> None:
        written.append(len(params["TransactItems"]))

    client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", note)
    count_requests(client, counted)
    a_ledger(client).add([an_addition("k", by_the_minute=by_the_minute)], NOW)
    assert written == [writes]
    assert counted == {"TransactWriteItems": 1, "UpdateItem": 1}
