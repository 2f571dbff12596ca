"""The registry of satellites in the ledger."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from builders import LEDGER_TABLE, NOON
from quota_enforcer.aws.dynamodb.ledger.usage.recounts import DynamoRecounts, recounts_everywhere
from quota_enforcer.aws.dynamodb.satellites import DynamoSatellites
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.core.usage.place import Place
from quota_enforcer.satellites.registry import Satellite, SatelliteRegistry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
IRELAND = Place("444455556666", "eu-west-1")
OREGON = Place("111122223333", "us-west-2")
STACK = "arn:aws:cloudformation:eu-west-1:444455556666:stack/StackSet-x/9a8b"
SATELLITE = Satellite(IRELAND, 1, "/bedrock/log", STACK, NOON, "abc")


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> Table:
    return Table(dynamodb, LEDGER_TABLE)


@pytest.fixture
def registry(table: Table) -> SatelliteRegistry:
    return DynamoSatellites(table)


def test_satellites_are_told_as_they_announced_themselves_by_place(
    registry: SatelliteRegistry,
) -> None:
    assert registry.satellites() == ()
    registry.announce(SATELLITE)
    registry.announce(replace(SATELLITE, place=OREGON, parameters=""))
    assert registry.satellites() == (replace(SATELLITE, place=OREGON, parameters=""), SATELLITE)


def test_one_that_is_built_again_takes_the_place_and_what_came_from_there_stays_noted(
    registry: SatelliteRegistry,
) -> None:
    registry.announce(SATELLITE)
    registry.delivered(IRELAND, NOON, NOON + SECOND)
    again = replace(SATELLITE, stack_id=f"{STACK}-2", announced=NOON + MINUTE, version=2)
    registry.announce(again)
    registry.announce(again)
    assert registry.satellites() == (
        replace(again, newest_record=NOON, last_delivery=NOON + SECOND),
    )


def test_it_leaves_by_its_own_stack_only(registry: SatelliteRegistry) -> None:
    """The end of an old stack comes late: a new one stands there already."""
    registry.announce(SATELLITE)
    assert not registry.leave(IRELAND, f"{STACK}-2")
    assert not registry.leave(OREGON, STACK)
    assert registry.satellites() == (SATELLITE,)
    assert registry.leave(IRELAND, STACK)
    assert not registry.leave(IRELAND, STACK)
    assert registry.satellites() == ()
    registry.announce(SATELLITE)
    assert registry.satellites() == (SATELLITE,)


@pytest.mark.parametrize("one_process", [True, False])
def test_what_came_is_noted_once_a_minute_by_all_processes_together(
    table: Table, *, one_process: bool
) -> None:
    first = DynamoSatellites(table)
    second = first if one_process else DynamoSatellites(table)
    first.announce(SATELLITE)
    noted = []
    for registry, after in ((first, 0), (second, 20), (first, 59), (second, 81), (first, 82)):
        at = NOON + after * SECOND
        registry.delivered(IRELAND, at - SECOND, at)
        noted.append(registry.satellites()[0].last_delivery)
    assert noted == [NOON, NOON, NOON, NOON + 81 * SECOND, NOON + 81 * SECOND]


def test_the_newest_record_never_goes_back_and_a_batch_without_calls_has_none(
    registry: SatelliteRegistry,
) -> None:
    registry.announce(SATELLITE)
    registry.delivered(IRELAND, None, NOON)
    assert registry.satellites()[0].newest_record is None
    registry.delivered(IRELAND, NOON, NOON + SECOND)
    registry.delivered(IRELAND, NOON - MINUTE, NOON + 2 * MINUTE)
    assert registry.satellites()[0].newest_record == NOON


def test_of_a_place_that_never_announced_itself_nothing_is_noted(
    registry: SatelliteRegistry, table: Table
) -> None:
    registry.delivered(IRELAND, NOON, NOON)
    assert registry.satellites() == ()
    assert list(table.partition("satellites")) == []


def test_doctor_sees_the_hours_that_wait_at_home_and_in_each_satellite(
    registry: SatelliteRegistry, table: Table
) -> None:
    for place in (IRELAND, OREGON):
        registry.announce(replace(SATELLITE, place=place))
    hour, before = NOON, NOON - timedelta(hours=1)
    DynamoRecounts(table).ask_recounts([hour], NOON + 2 * MINUTE)
    DynamoRecounts(table, str(IRELAND)).ask_recounts([hour], NOON + MINUTE)
    DynamoRecounts(table, str(OREGON)).ask_recounts([before], NOON)
    DynamoRecounts(table, "777788889999/eu-west-1").ask_recounts([before], NOON - MINUTE)
    assert [(each.hour, each.asked) for each in recounts_everywhere(table)] == [
        (before, NOON), (hour, NOON + MINUTE),
    ]  # fmt: skip
