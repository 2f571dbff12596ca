"""How the ledger lies in its table: partitions, attributes, and what is left to expire."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from botocore.stub import Stubber

from builders import ALICE, HAIKU, HOUR, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.aws.dynamodb.table import WholeTable
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket, Source

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from quota_enforcer.enforce.ports.ledger import Ledger

MakeStub = Callable[[str], tuple[Any, Stubber]]
TODAY = NOON.date()
BUCKET = Bucket(ALICE, HAIKU, TODAY)
ALL = frozenset({"*"})
NOTICE = Notice(NoticeKind.BLOCKED, NOON, "user/alice", "daily", "1,000 of 1,000 used")


def items(client: "DynamoDBClient") -> dict[tuple[str, str], dict[str, Any]]:
    """The whole table by its keys."""
    return {(item["pk"], item["sk"]): item for item in WholeTable(client, "ledger").scan()}


def test_the_adapter_is_a_ledger(ledger: DynamoLedger) -> None:
    port: Ledger = ledger
    assert port.state() is not None


# The layout


def test_everything_of_a_principal_is_in_its_partition(
    ledger: DynamoLedger, dynamodb: "DynamoDBClient"
) -> None:
    ledger.set_hours(BUCKET, {NOON: Counts(1, 26)})
    ledger.put(Record(ALICE, version=1), [NOTICE])
    own = [sk for pk, sk in sorted(items(dynamodb)) if pk == "user/alice"]
    assert own == [f"history#{NOTICE.id}", "standing", f"usage#2026-11-24#{HAIKU}"]


def test_an_hour_can_be_added_to_by_its_attribute(
    ledger: DynamoLedger, dynamodb: "DynamoDBClient"
) -> None:
    ledger.set_hours(BUCKET, {NOON: Counts(1, 26)})
    dynamodb.update_item(
        TableName="ledger",
        Key={"pk": {"S": "user/alice"}, "sk": {"S": f"usage#2026-11-24#{HAIKU}"}},
        UpdateExpression="ADD #counter :more",
        ExpressionAttributeNames={"#counter": "12.in"},
        ExpressionAttributeValues={":more": {"N": "4"}},
    )
    assert ledger.hours([BUCKET])[BUCKET] == {NOON: Counts(1, 30)}


def test_counters_of_zero_take_no_room(ledger: DynamoLedger, dynamodb: "DynamoDBClient") -> None:
    ledger.set_hours(BUCKET, {NOON: Counts(1, 26)})
    ledger.set_hours(BUCKET, {NOON: Counts(1)})
    (item,) = items(dynamodb).values()
    assert set(item) == {"pk", "sk", "expires", "12.by", "12.n"}
    ledger.set_hours(BUCKET, {NOON: Counts()})
    assert ledger.hours([BUCKET]) == {}
    assert not ledger.usage(ALICE, TODAY).models


def test_setting_no_hours_writes_nothing(ledger: DynamoLedger, dynamodb: "DynamoDBClient") -> None:
    ledger.set_hours(BUCKET, {})
    assert items(dynamodb) == {}


def test_all_hours_of_the_longest_day_are_set_together(
    make_ledger: Callable[[ZoneInfo], DynamoLedger],
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = NOON.replace(month=10, day=24, hour=22)
    hours = {first + timedelta(hours=n): Counts(n + 1, 2, 3, 4, 5) for n in range(25)}
    bucket = Bucket(ALICE, HAIKU, TODAY.replace(month=10, day=25))
    ledger = make_ledger(zone)
    ledger.set_hours(bucket, hours)
    assert ledger.hours([bucket])[bucket] == hours


# What expires


def test_a_source_whose_time_is_over_is_no_longer_read(ledger: DynamoLedger) -> None:
    old = NOON - timedelta(days=8)
    ledger.remember_source(Source("arn:old", HAIKU, old))
    ledger.remember_source(Source("arn:behind", HAIKU, old, behind=old))
    assert [source.arn for source in ledger.sources()] == ["arn:behind"]


def test_a_source_that_caught_up_may_go(ledger: DynamoLedger, dynamodb: "DynamoDBClient") -> None:
    ledger.remember_source(Source("arn", HAIKU, NOON, behind=NOON))
    ledger.remember_source(Source("arn", HAIKU, NOON))
    assert "expires" in items(dynamodb)["sources", f"arn#{HAIKU}"]


def test_usage_and_history_expire_but_no_record_does(
    ledger: DynamoLedger, dynamodb: "DynamoDBClient"
) -> None:
    ledger.set_hours(BUCKET, {NOON: Counts(1)})
    ledger.put(Record(ALICE, version=1), [NOTICE])
    ledger.begin(NOON)
    expiring = {
        sk.partition("#")[0] for (_, sk), item in items(dynamodb).items() if "expires" in item
    }
    assert expiring == {"usage", "history"}


def test_what_is_left_out_of_an_hour_is_left_out_for_good(dynamodb: "DynamoDBClient") -> None:
    """The log may be kept for years, and recounted; that an hour was recounted is forgotten."""
    meter = DynamoMeterLedger(dynamodb, "ledger", UTC_ZONE)
    meter.start_recount(NOON, NOON + HOUR)
    meter.leave_out(NOON, {"forged"})
    meter.finish_recount(NOON, NOON + HOUR)
    assert meter.left_out(NOON) == {"forged"}
    kept = [pk for (pk, _), item in items(dynamodb).items() if "expires" not in item]
    assert kept == ["left_out"]
    meter.leave_out(NOON, set())
    assert meter.left_out(NOON) == frozenset()
