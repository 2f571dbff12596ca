"""Headrooms in DynamoDB: kept only over what was read, and dropped whatever is under way."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from builders import HOUR, LEDGER_TABLE, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb import headrooms
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.items import counters, usage_key
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import UNLIMITED
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.looks.headroom import Ground, Headroom, Measured, premise_of
from quota_enforcer.core.usage.stored import Bucket

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
    day=NOON.date(),
    measured={
        "user/alice#daily": Measured(Measure.TOTAL_TOKENS),
        "default#monthly": Measured(Measure.WEIGHTED_TOKENS, (Decimal("0.5"), Decimal(2))),
    },
    premise="edits/breaker",
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


def test_one_that_was_dropped_costs_no_other_its_own(
    ledger: DynamoLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though they are written together; also beyond what one transaction holds."""
    monkeypatch.setattr(headrooms, "BATCH", 20)
    several = [Principal.parse(f"user/u{number}") for number in range(26)]
    ledger.drop_headrooms(several[1:20:6], NOON)
    ledger.keep_headrooms(dict.fromkeys(several, HEADROOM), dict.fromkeys(several, ""))
    kept = {each for each, found in ledger.headrooms(several).items() if found.headroom}
    assert kept == set(several) - set(several[1:20:6])


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


# The meter's read

TODAY = NOON.date()
ROOMY = replace(HEADROOM, buckets=frozenset({("m", ""), ("n", "")}))


@pytest.fixture
def asked(ledger: DynamoLedger, dynamodb: "DynamoDBClient") -> Iterator[Counter[str]]:
    """The calls made from now on; a sweep has noted its settings, and alice has room."""
    ledger.begin(NOON)
    ledger.finish(SweepState(NOON, NOON, terms="enforce UTC"))
    ledger.claim_edits("edits", ledger.state())
    ledger.keep_headrooms({ALICE: ROOMY}, {ALICE: ""})
    table = Table(dynamodb, LEDGER_TABLE)
    for model, tokens in (("m", 10), ("n", 7), ("other", 99)):
        bucket = Bucket(ALICE, model, TODAY)
        hours = {NOON: Counts(1, tokens), NOON - HOUR: Counts(1, tokens)}
        table.put({**usage_key(bucket), **counters(bucket, hours, UTC_ZONE)[0]})
    counted: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        counted[model.name] += 1

    dynamodb.meta.events.register("before-call.dynamodb.*", count)
    yield counted
    dynamodb.meta.events.unregister("before-call.dynamodb.*", count)


def meters(dynamodb: "DynamoDBClient") -> DynamoMeterLedger:
    return DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE)


def test_one_read_tells_who_has_room(dynamodb: "DynamoDBClient", asked: Counter[str]) -> None:
    guessed = {Bucket(ALICE, model, TODAY) for model in ("m", "n")}
    read = meters(dynamodb).room([ALICE, BOB], TODAY, guessed)
    assert read.ground == Ground("enforce UTC", premise_of("edits", ""))
    assert read.headrooms == {ALICE: ROOMY}
    assert {each.model: counts.input_tokens for each, counts in read.used.items()} == {
        "m": 20, "n": 14
    }  # fmt: skip
    assert asked == {"BatchGetItem": 1}


def test_what_was_not_guessed_is_read_too(dynamodb: "DynamoDBClient", asked: Counter[str]) -> None:
    """Also what nobody has used today; and what was guessed in vain is nothing."""
    guessed = {Bucket(ALICE, "m", TODAY), Bucket(BOB, "m", TODAY)}
    read = meters(dynamodb).room([ALICE, BOB], TODAY, guessed)
    assert read.used[Bucket(ALICE, "n", TODAY)].input_tokens == 14
    assert read.used[Bucket(BOB, "m", TODAY)] == Counts()
    assert Bucket(ALICE, "other", TODAY) not in read.used
    assert asked == {"BatchGetItem": 2}


def test_it_is_read_consistently(dynamodb: "DynamoDBClient", asked: Counter[str]) -> None:
    consistent = []

    def look(params: Any, **_: Any) -> None:
        body = json.loads(params["body"])
        consistent.append(body["RequestItems"][LEDGER_TABLE]["ConsistentRead"])

    dynamodb.meta.events.register("before-call.dynamodb.BatchGetItem", look)
    meters(dynamodb).room([ALICE], TODAY, set())
    dynamodb.meta.events.unregister("before-call.dynamodb.BatchGetItem", look)
    assert (consistent, asked["BatchGetItem"]) == ([True, True], 2)


def test_a_dropped_headroom_and_a_new_ledger_tell_nothing(
    dynamodb: "DynamoDBClient", ledger: DynamoLedger
) -> None:
    ledger.keep_headrooms({ALICE: ROOMY}, {ALICE: ""})
    ledger.drop_headrooms([ALICE], NOON)
    read = meters(dynamodb).room([ALICE], TODAY, set())
    assert (read.ground, read.headrooms) == (Ground(), {})


def test_what_an_earlier_version_kept_is_read_and_stands_on_nothing(
    ledger: DynamoLedger, dynamodb: "DynamoDBClient"
) -> None:
    ledger.keep_headrooms({ALICE: ROOMY}, {ALICE: ""})
    key = {"pk": {"S": str(ALICE)}, "sk": {"S": "headroom"}}
    dynamodb.update_item(
        TableName=LEDGER_TABLE, Key=key, UpdateExpression="REMOVE measured, premise"
    )
    found = ledger.headrooms([ALICE])[ALICE].headroom
    assert found == replace(ROOMY, measured={}, premise="")
    assert not found.stands_on(Ground(ROOMY.settings, ""))
