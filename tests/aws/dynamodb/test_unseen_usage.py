"""Marks of usage that nobody has looked at: written with the usage, taken out by the look."""

from typing import TYPE_CHECKING

import pytest

from builders import LEDGER_TABLE, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.meter.ports import UsageEntry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BOB = Principal.parse("user/bob")
CI = Principal.parse("role/ci")
RUN = Principal.parse("session/ci/42")


@pytest.fixture
def meter(dynamodb: "DynamoDBClient") -> DynamoMeterLedger:
    return DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE)


@pytest.fixture
def enforcer(dynamodb: "DynamoDBClient") -> DynamoLedger:
    return DynamoLedger(dynamodb, LEDGER_TABLE, UTC_ZONE)


def a_call(key: str, *users: Principal) -> UsageEntry:
    buckets = tuple(Bucket(user, "m", NOON.date()) for user in users)
    return UsageEntry(key, NOON, NOON, buckets, Counts(1))


def users(ledger: DynamoLedger, mark: str = "") -> list[set[Principal]]:
    return [set(each) for each in ledger.unseen(mark).values()]


def test_who_used_something_is_marked_in_its_transaction(
    meter: DynamoMeterLedger, enforcer: DynamoLedger
) -> None:
    meter.add([a_call("a", BOB), a_call("b", CI, RUN)], NOON, "one")
    assert users(enforcer) == [{BOB, CI, RUN}]
    assert users(enforcer, "one") == users(enforcer)
    assert users(enforcer, "another") == []


def test_a_call_that_was_added_before_marks_nobody(
    meter: DynamoMeterLedger, enforcer: DynamoLedger
) -> None:
    meter.add([a_call("a", BOB)], NOON, "one")
    enforcer.looked_at(dict.fromkeys(enforcer.unseen(), frozenset()))
    meter.add([a_call("a", BOB)], NOON, "two")
    assert users(enforcer) == []


def test_a_look_takes_out_what_it_has_read_and_no_more(
    meter: DynamoMeterLedger, enforcer: DynamoLedger
) -> None:
    meter.add([a_call("a", BOB)], NOON, "one")
    read = enforcer.unseen("one")
    meter.add([a_call("b", BOB)], NOON, "one")
    enforcer.looked_at(dict.fromkeys(read, frozenset()))
    assert users(enforcer) == [{BOB}]


def test_whom_a_look_could_not_come_to_stays_marked_alone(
    meter: DynamoMeterLedger, enforcer: DynamoLedger
) -> None:
    meter.add([a_call("a", BOB), a_call("b", CI, RUN)], NOON, "one")
    enforcer.looked_at(dict.fromkeys(enforcer.unseen(), frozenset({CI})))
    assert users(enforcer, "one") == [{CI}]


def test_a_mark_that_somebody_else_took_out_does_not_come_back(
    meter: DynamoMeterLedger, enforcer: DynamoLedger
) -> None:
    meter.add([a_call("a", BOB)], NOON, "one")
    read = enforcer.unseen()
    enforcer.looked_at(dict.fromkeys(read, frozenset()))
    enforcer.looked_at(dict.fromkeys(read, frozenset({BOB})))
    assert users(enforcer) == []


def test_thousands_whose_usage_was_set_are_marked_in_parts(
    meter: DynamoMeterLedger, enforcer: DynamoLedger
) -> None:
    several = {Principal.parse(f"user/{'x' * 900}{number}") for number in range(450)}
    meter.mark_unseen(several, "recount")
    assert len(users(enforcer)) == 3
    assert set().union(*users(enforcer)) == several
