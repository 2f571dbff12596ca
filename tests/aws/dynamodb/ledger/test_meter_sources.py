"""How callers stand in the log, as the stream meter leaves it in the ledger for the enforcer."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from builders import HAIKU, HOUR, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.usage import sources
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.core.usage.stored import Source

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEDGER_TABLE = "ledger"
GRACE = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Developer_0123456789abcdef/Grace"


@pytest.fixture
def meters(dynamodb: "DynamoDBClient") -> DynamoMeterLedger:
    return DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE, now=lambda: NOON)


@pytest.fixture
def enforcers(dynamodb: "DynamoDBClient") -> DynamoLedger:
    return DynamoLedger(dynamodb, LEDGER_TABLE, UTC_ZONE, now=lambda: NOON)


def test_the_enforcer_reads_what_the_meter_tells(
    meters: DynamoMeterLedger, enforcers: DynamoLedger
) -> None:
    source = Source(GRACE, HAIKU, NOON)
    meters.remember_sources([source])
    assert enforcers.sources() == [source]


def test_a_later_call_is_told_in_its_place(
    meters: DynamoMeterLedger, enforcers: DynamoLedger
) -> None:
    for hour in (NOON, NOON + HOUR):
        meters.remember_sources([Source(GRACE, HAIKU, hour)])
    assert enforcers.sources() == [Source(GRACE, HAIKU, NOON + HOUR)]


def test_that_a_read_of_its_metrics_is_missing_stays(
    meters: DynamoMeterLedger, enforcers: DynamoLedger
) -> None:
    """A change from metrics to the stream settles it from the log."""
    behind = NOON - 3 * HOUR
    enforcers.remember_source(Source(GRACE, HAIKU, NOON - timedelta(days=1), behind))
    meters.remember_sources([Source(GRACE, HAIKU, NOON)])
    assert enforcers.sources() == [Source(GRACE, HAIKU, NOON, behind)]


def test_more_than_fit_a_transaction_are_all_told(
    meters: DynamoMeterLedger, enforcers: DynamoLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "BATCH", 10)
    meters.remember_sources([Source(f"{GRACE}.{number}", HAIKU, NOON) for number in range(25)])
    assert len(enforcers.sources()) == 25
