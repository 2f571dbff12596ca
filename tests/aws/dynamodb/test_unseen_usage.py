"""Marks of usage that nobody has looked at: written before it, taken out by the look."""

from typing import TYPE_CHECKING

import pytest

from builders import LEDGER_TABLE, UTC_ZONE
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.core.principal import Principal

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


def users(ledger: DynamoLedger, mark: str = "") -> list[set[Principal]]:
    return [set(each) for each in ledger.unseen(mark).values()]


def test_all_of_a_delivery_are_under_its_mark(
    meter: DynamoMeterLedger, enforcer: DynamoLedger
) -> None:
    meter.mark_unseen([BOB, CI, RUN], "one")
    assert enforcer.unseen() == {"one#0": {BOB, CI, RUN}}
    assert users(enforcer, "one") == users(enforcer)
    assert users(enforcer, "another") == []


def test_a_look_takes_out_what_it_has_read_and_no_more(
    meter: DynamoMeterLedger, enforcer: DynamoLedger
) -> None:
    meter.mark_unseen([BOB], "one")
    read = enforcer.unseen("one")
    meter.mark_unseen([BOB], "two")
    enforcer.looked_at(dict.fromkeys(read, frozenset()))
    assert users(enforcer) == [{BOB}]


def test_whom_a_look_could_not_come_to_stays_marked_alone(
    meter: DynamoMeterLedger, enforcer: DynamoLedger
) -> None:
    meter.mark_unseen([BOB, CI, RUN], "one")
    enforcer.looked_at(dict.fromkeys(enforcer.unseen(), frozenset({CI})))
    assert users(enforcer, "one") == [{CI}]


def test_a_mark_that_somebody_else_took_out_does_not_come_back(
    meter: DynamoMeterLedger, enforcer: DynamoLedger
) -> None:
    meter.mark_unseen([BOB], "one")
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
