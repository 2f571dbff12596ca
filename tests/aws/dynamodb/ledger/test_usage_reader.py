"""The usage of many: a query for each, or one pass over the table, and always the same usage."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto.core.models import MockAWS

from builders import HAIKU, HOUR, LEDGER_TABLE, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.schema import LEDGER_SCHEMA
from quota_enforcer.aws.dynamodb.ledger.usage import scan as usage_reader
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.items import counters, usage_key
from quota_enforcer.aws.dynamodb.ledger.usage.scan import UsageReader
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start, local_date

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TODAY = NOON.date()
DAY = timedelta(days=1)
NOVA = "amazon.nova-lite-v1:0"
THERE = "444455556666/eu-west-1"
MEMBER = Principal(Kind.ROLE, "u7", "444455556666")
EVERYBODY = [MEMBER, *(Principal(Kind.USER, f"u{number}") for number in range(1, 8))]


@pytest.fixture(scope="module")
def ledger(moto: MockAWS, dynamodb_client: "DynamoDBClient") -> DynamoLedger:  # noqa: ARG001
    """Usage of everybody but u7, on some days, among records and history; the tests only read."""
    dynamodb_client.create_table(
        TableName=LEDGER_TABLE, BillingMode="PAY_PER_REQUEST", **LEDGER_SCHEMA
    )
    ledger = DynamoLedger(dynamodb_client, LEDGER_TABLE, UTC_ZONE, now=lambda: NOON)
    table = Table(dynamodb_client, LEDGER_TABLE)
    for number, principal in enumerate(EVERYBODY[:7]):
        ledger.put(Record(principal, version=1))
        ledger.post([Notice(NoticeKind.BLOCKED, NOON, str(principal), "daily", "why")])
        for days in (0, number, 40):
            for model, place in ((HAIKU, ""), (NOVA, ""), (NOVA, THERE)):
                at = NOON - days * DAY
                counts = Counts(1, 10 * number, 3, cost_usd=Decimal("0.000001") * number)
                hours = {hour_start(at - n * HOUR, UTC_ZONE): counts for n in range(3)}
                bucket = Bucket(principal, model, local_date(at, UTC_ZONE), place)
                numbers, _ = counters(bucket, hours, UTC_ZONE)
                table.put({**usage_key(bucket), **numbers})
    return ledger


@pytest.fixture
def reader(
    ledger: DynamoLedger, dynamodb_client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> UsageReader:
    """With just two who are read by a query in any case."""
    monkeypatch.setattr(usage_reader, "ALONE", 2)
    monkeypatch.setattr(usage_reader.SizedTable, "size", lambda _: 0)
    return UsageReader(dynamodb_client, LEDGER_TABLE, UTC_ZONE, ledger.usage)


def by_day(usage: Usage, first: date) -> dict[str, dict[date, Counts]]:
    """Without days that nobody asked for."""
    return {
        model: {day: counts for day, counts in each.days.items() if day >= first}
        for model, each in usage.models.items()
    }


@pytest.mark.parametrize("hours_from", [None, TODAY, TODAY - 3 * DAY])
def test_a_pass_finds_what_queries_find(
    reader: UsageReader, ledger: DynamoLedger, hours_from: date | None
) -> None:
    firsts = {each: TODAY - place * DAY for place, each in enumerate(EVERYBODY)}
    found = reader.usages(firsts, hours_from)
    assert found.keys() == firsts.keys()
    for principal, first in firsts.items():
        alone = ledger.usage(principal, first)
        assert by_day(found[principal], first) == by_day(alone, first)
        for place, there in alone.by_place.items():
            assert by_day(found[principal].by_place[place], first) == by_day(there, first)
        for model, usage in alone.models.items():
            hours = found[principal].models[model].hours
            for hour, counts in usage.hours.items():
                if hours_from is not None and hour.date() >= hours_from:
                    assert hours[hour] == counts


def test_whose_usage_goes_back_longest_is_read_alone(
    reader: UsageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So one quota over a year makes nobody read everybody's year."""
    alone: list[Principal] = []

    def read(principal: Principal, _: date) -> Usage:
        alone.append(principal)
        return Usage({HAIKU: ModelUsage()})

    monkeypatch.setattr(reader, "_read", read)
    firsts = dict.fromkeys(EVERYBODY, TODAY) | {EVERYBODY[3]: TODAY - 365 * DAY}
    found = reader.usages(firsts, None)
    assert alone == [EVERYBODY[3]]
    assert found[EVERYBODY[3]] == Usage({HAIKU: ModelUsage()})


@pytest.mark.parametrize(
    ("days_back", "alone"),
    [
        ([0] * 8, 0),
        ([9] * 8, 0),
        ([0] * 7 + [1], 1),
        ([0] * 6 + [2, 9], 2),
        ([0] * 5 + [9] * 3, 0),  # one more of them than may be read alone
        ([0] * 5 + [3, 5, 9], 2),
        ([0, 9], 2),
    ],
)
def test_nobody_is_read_alone_where_the_pass_gets_no_shorter_by_it(
    reader: UsageReader, monkeypatch: pytest.MonkeyPatch, days_back: list[int], alone: int
) -> None:
    queried: list[Principal] = []

    def read(principal: Principal, _: date) -> Usage:
        queried.append(principal)
        return Usage()

    monkeypatch.setattr(reader, "_read", read)
    firsts = {who: TODAY - days * DAY for who, days in zip(EVERYBODY, days_back, strict=False)}
    assert reader.usages(firsts, None).keys() == firsts.keys()
    assert len(queried) == alone


@pytest.mark.parametrize(
    ("megabytes", "passed"), [(0, True), (0.8, True), (0.9, False), (4000, False)]
)
def test_a_table_with_very_much_else_is_not_passed_over(
    reader: UsageReader,
    monkeypatch: pytest.MonkeyPatch,
    megabytes: float,
    passed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Eight principals are eight queries, which take as long as 0.8 MB of the table."""
    alone: list[Principal] = []

    def read(principal: Principal, _: date) -> Usage:
        alone.append(principal)
        return Usage()

    monkeypatch.setattr(
        usage_reader.SizedTable,
        "size",
        lambda _: int(megabytes * 1_000_000),
    )
    monkeypatch.setattr(reader, "_read", read)
    reader.usages(dict.fromkeys(EVERYBODY, TODAY), None)
    assert len(alone) == (0 if passed else 8)


@pytest.mark.parametrize(
    ("megabytes", "looked_at"),
    [
        (0, 8),  # one pass finds everybody
        (0.8, 8),
        (0.9, 3),  # queries are quicker, and three of them tell enough
        (4000, 3),
    ],
)
def test_of_very_many_a_sample_is_read(
    reader: UsageReader, monkeypatch: pytest.MonkeyPatch, megabytes: float, looked_at: int
) -> None:
    monkeypatch.setattr(usage_reader, "SAMPLE", 3)
    monkeypatch.setattr(usage_reader.SizedTable, "size", lambda _: int(megabytes * 1_000_000))
    found = reader.sample(EVERYBODY, TODAY)
    assert len(found) == looked_at
    assert found.keys() <= set(EVERYBODY)
    for who, usage in found.items():
        assert bool(usage.models) is (who != EVERYBODY[7])


def test_few_are_no_sample(reader: UsageReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_reader.SizedTable, "size", lambda _: 4_000_000_000)
    assert reader.sample(EVERYBODY, TODAY).keys() == set(EVERYBODY)


@pytest.mark.parametrize("megabytes", [99, 101])
def test_a_pass_that_takes_long_is_none_for_a_sample(
    reader: UsageReader, monkeypatch: pytest.MonkeyPatch, megabytes: int
) -> None:
    """However many there are: the doctor does not read gigabytes."""
    several = [Principal(Kind.USER, f"x{number}") for number in range(2_000)]
    monkeypatch.setattr(usage_reader.SizedTable, "size", lambda _: megabytes * 1_000_000)
    monkeypatch.setattr(reader, "_read", lambda *_: Usage())
    assert len(reader.sample(several, TODAY)) == (2_000 if megabytes < 100 else 100)


def test_it_tells_how_far_it_is(reader: UsageReader) -> None:
    told: list[float] = []
    reader.usages(dict.fromkeys(EVERYBODY, TODAY), None, told.append)
    assert told
    assert told == sorted(told)
    assert told[-1] == 1


def test_nobody_is_read_without_asking_for_anything(
    stub: Callable[[str], tuple[Any, Stubber]],
) -> None:
    client, _ = stub("dynamodb")
    assert UsageReader(client, "ledger", UTC_ZONE, lambda *_: Usage()).usages({}, None) == {}


def test_the_size_is_what_dynamodb_says(stub: Callable[[str], tuple[Any, Stubber]]) -> None:
    client, answers = stub("dynamodb")
    answers.add_response(
        "describe_table", {"Table": {"TableSizeBytes": 50_000_000}}, {"TableName": "ledger"}
    )
    reader = UsageReader(client, "ledger", UTC_ZONE, lambda *_: Usage())
    several = [Principal(Kind.USER, f"u{number}") for number in range(101)]
    assert reader.usages(dict.fromkeys(several, TODAY), None).keys() == set(several)


@pytest.mark.parametrize("refused", ["describe_table", "scan"])
def test_who_may_not_pass_over_the_table_reads_each_by_a_query(
    stub: Callable[[str], tuple[Any, Stubber]], monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    monkeypatch.setattr(usage_reader, "SEGMENTS", 1)
    client, answers = stub("dynamodb")
    if refused == "scan":
        answers.add_response("describe_table", {"Table": {}})
    answers.add_client_error(refused, "AccessDeniedException", "no")
    used = Usage({HAIKU: ModelUsage()})
    reader = UsageReader(client, "ledger", UTC_ZONE, lambda *_: used)
    several = dict.fromkeys((Principal(Kind.USER, f"u{number}") for number in range(101)), TODAY)
    assert reader.usages(several, None) == dict.fromkeys(several, used)


def test_who_may_not_ask_for_the_size_reads_a_sample(
    stub: Callable[[str], tuple[Any, Stubber]],
) -> None:
    client, answers = stub("dynamodb")
    answers.add_client_error("describe_table", "AccessDeniedException", "no")
    reader = UsageReader(client, "ledger", UTC_ZONE, lambda *_: Usage())
    several = [Principal(Kind.USER, f"u{number}") for number in range(250)]
    assert len(reader.sample(several, TODAY)) == 84


def test_any_other_refusal_is_raised(stub: Callable[[str], tuple[Any, Stubber]]) -> None:
    client, answers = stub("dynamodb")
    answers.add_client_error("describe_table", "ResourceNotFoundException", "gone")
    reader = UsageReader(client, "ledger", UTC_ZONE, lambda *_: Usage())
    several = dict.fromkeys((Principal(Kind.USER, f"u{number}") for number in range(101)), TODAY)
    with pytest.raises(ClientError, match="gone"):
        reader.usages(several, None)
