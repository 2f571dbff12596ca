"""Headrooms in DynamoDB: kept only over what was read, and dropped whatever is under way."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from builders import LEDGER_TABLE, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import UNLIMITED
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.looks.headroom import Headroom

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ALICE, BOB = Principal.parse("user/alice"), Principal.parse("user/bob")
HEADROOM = Headroom(
    quotas="a fingerprint",
    settings="enforce UTC",
    until=NOON + timedelta(hours=12),
    used=Counts(3, 100, 20, cost_usd=Decimal("0.000123"), assumed_usd=Decimal("0.0001")),
    buckets=frozenset({("m", ""), ("m", "444455556666/eu-west-1")}),
    left={"user/alice#daily": Decimal("0.5"), "default#monthly": UNLIMITED},
)


@pytest.fixture
def ledger(dynamodb: "DynamoDBClient") -> DynamoLedger:
    return DynamoLedger(dynamodb, LEDGER_TABLE, UTC_ZONE)


def token(ledger: DynamoLedger, principal: Principal = ALICE) -> str:
    return ledger.headrooms([principal])[principal].token


def test_what_is_kept_is_read_back_as_it_was(ledger: DynamoLedger) -> None:
    ledger.keep_headrooms({ALICE: HEADROOM}, {ALICE: ""})
    kept = ledger.headrooms([ALICE, BOB])
    assert {each: found.headroom for each, found in kept.items()} == {ALICE: HEADROOM}


def test_nothing_is_kept_over_what_somebody_wrote_since(ledger: DynamoLedger) -> None:
    ledger.keep_headrooms({ALICE: HEADROOM}, {ALICE: ""})
    first = token(ledger)
    ledger.keep_headrooms({ALICE: HEADROOM}, {ALICE: ""})
    assert token(ledger) == first
    ledger.keep_headrooms({ALICE: HEADROOM}, {ALICE: first})
    assert token(ledger) != first


def test_dropping_stops_a_look_that_began_before(ledger: DynamoLedger) -> None:
    """Also one that had found nothing kept."""
    ledger.drop_headrooms([ALICE, BOB], NOON)
    ledger.keep_headrooms({ALICE: HEADROOM}, {ALICE: ""})
    assert ledger.headrooms([ALICE])[ALICE].headroom is None


def test_after_dropping_the_next_look_keeps_its_own(ledger: DynamoLedger) -> None:
    ledger.keep_headrooms({ALICE: HEADROOM}, {ALICE: ""})
    ledger.drop_headrooms([ALICE], NOON)
    ledger.keep_headrooms({ALICE: HEADROOM}, {ALICE: token(ledger)})
    assert ledger.headrooms([ALICE])[ALICE].headroom == HEADROOM


def test_one_that_was_dropped_costs_no_other_its_own(ledger: DynamoLedger) -> None:
    """Though they are written together; also beyond what one transaction holds."""
    several = [Principal.parse(f"user/u{number}") for number in range(130)]
    ledger.drop_headrooms(several[7:100:31], NOON)
    ledger.keep_headrooms(dict.fromkeys(several, HEADROOM), dict.fromkeys(several, ""))
    kept = {each for each, found in ledger.headrooms(several).items() if found.headroom}
    assert kept == set(several) - set(several[7:100:31])


def test_more_than_a_transaction_holds_are_dropped(ledger: DynamoLedger) -> None:
    several = [Principal.parse(f"user/u{number}") for number in range(101)]
    ledger.drop_headrooms(several, NOON)
    assert len(ledger.headrooms(several)) == len(several)


def test_it_goes_by_itself_days_after_its_day(
    ledger: DynamoLedger, dynamodb: "DynamoDBClient"
) -> None:
    ledger.keep_headrooms({ALICE: HEADROOM}, {ALICE: ""})
    key = {"pk": {"S": str(ALICE)}, "sk": {"S": "headroom"}}
    item = dynamodb.get_item(TableName=LEDGER_TABLE, Key=key)["Item"]
    assert int(item["expires"]["N"]) == int((HEADROOM.until + timedelta(days=2)).timestamp())
