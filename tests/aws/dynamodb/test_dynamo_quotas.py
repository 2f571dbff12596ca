"""The quota table: read whole, and edited without undoing what somebody else did meanwhile."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from builders import QUOTA_TABLE, an_item
from quota_enforcer.aws.dynamodb.quota_table import DynamoQuotas, DynamoTeams
from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.quotas.diff import author

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from quota_enforcer.core.quotas.item import Quotas

ITEM = an_item(warn_at={Decimal(50), Decimal(80)}, models=["*"], enabled=True, note="")
KEY = ("user/alice", "daily")


def test_the_adapter_reads_quotas(quotas: DynamoQuotas) -> None:
    port: Quotas = quotas
    assert port.items() == []


def test_an_item_is_read_as_it_was_written(quotas: DynamoQuotas) -> None:
    quotas.put(ITEM, expected=None)
    assert quotas.items() == [ITEM]
    assert quotas.get(*KEY) == ITEM


def test_every_page_of_the_table_is_read(quotas: DynamoQuotas) -> None:
    for number in range(30):
        quotas.put(an_item(quota=f"q{number}", note="x" * 50_000), expected=None)
    assert len(quotas.items()) == 30


def test_an_item_is_replaced_whole(quotas: DynamoQuotas) -> None:
    quotas.put(ITEM, expected=None)
    changed = an_item(limit=2000)
    quotas.put(changed, expected=ITEM)
    assert quotas.get(*KEY) == changed


def test_a_new_item_never_overwrites_one_that_is_there(quotas: DynamoQuotas) -> None:
    quotas.put(ITEM, expected=None)
    with pytest.raises(Conflict, match="quota daily of user/alice was changed"):
        quotas.put(an_item(limit=1), expected=None)
    assert quotas.get(*KEY) == ITEM


@pytest.mark.parametrize(
    "meanwhile",
    [
        {**ITEM, "limit": 5},
        {**ITEM, "warn_at": {Decimal(50)}},
        {**ITEM, "raise_to": 9},
        {name: value for name, value in ITEM.items() if name != "models"},
    ],
    ids=["a value", "a set", "an attribute more", "an attribute less"],
)
def test_a_change_by_somebody_else_is_not_undone(
    quotas: DynamoQuotas, meanwhile: dict[str, Any]
) -> None:
    quotas.put(ITEM, expected=None)
    read = quotas.get(*KEY)
    quotas.put(meanwhile, expected=read)
    with pytest.raises(Conflict, match="look at it again"):
        quotas.put(an_item(limit=7), expected=read)
    assert quotas.get(*KEY) == meanwhile


def test_a_removal_by_somebody_else_is_not_undone(quotas: DynamoQuotas) -> None:
    quotas.put(ITEM, expected=None)
    quotas.remove(*KEY)
    with pytest.raises(Conflict):
        quotas.put(an_item(limit=7), expected=ITEM)


def test_an_item_with_a_mistyped_attribute_can_be_edited(quotas: DynamoQuotas) -> None:
    mistyped = an_item(**{"warn at": 50, "limit.": 1})
    quotas.put(mistyped, expected=None)
    quotas.put(ITEM, expected=mistyped)
    assert quotas.get(*KEY) == ITEM


def test_removing_gives_back_what_was_there(quotas: DynamoQuotas) -> None:
    quotas.put(ITEM, expected=None)
    assert quotas.remove(*KEY) == ITEM
    assert quotas.remove(*KEY) is None
    assert quotas.get(*KEY) is None


def test_what_is_expected_is_removed(quotas: DynamoQuotas) -> None:
    quotas.put(ITEM, expected=None)
    assert quotas.remove(*KEY, ITEM) == ITEM
    assert quotas.get(*KEY) is None


@pytest.mark.parametrize("meanwhile", [None, {**ITEM, "limit": 5}, {**ITEM, "raise_to": 9}])
def test_what_somebody_else_has_changed_is_not_removed(
    quotas: DynamoQuotas, meanwhile: dict[str, Any] | None
) -> None:
    if meanwhile is not None:
        quotas.put(meanwhile, expected=None)
    with pytest.raises(Conflict, match="quota daily of user/alice was changed"):
        quotas.remove(*KEY, ITEM)
    assert quotas.get(*KEY) == meanwhile


def test_a_float_is_refused_before_it_loses_a_digit(quotas: DynamoQuotas) -> None:
    with pytest.raises(TypeError, match="Float"):
        quotas.put(an_item(limit=0.1), expected=None)


def test_an_item_of_the_console_is_read_in_plain_types(
    quotas: DynamoQuotas, dynamodb: "DynamoDBClient"
) -> None:
    dynamodb.put_item(
        TableName="quotas",
        Item={
            "principal": {"S": "default"},
            "quota": {"S": "daily"},
            "limit": {"N": "1000"},
            "warn_at": {"NS": ["50", "80"]},
            "models": {"L": [{"S": "*"}]},
            "exempt": {"BOOL": False},
        },
    )
    assert quotas.items() == [
        {
            "principal": "default",
            "quota": "daily",
            "limit": Decimal(1000),
            "warn_at": {Decimal(50), Decimal(80)},
            "models": ["*"],
            "exempt": False,
        }
    ]


def test_an_item_that_says_who_edited_it_says_when(quotas: DynamoQuotas) -> None:
    """So that two edits by one admin differ in more than what they change."""
    quotas.put({**ITEM, "edited_by": "me"}, expected=None)
    first = quotas.get(*KEY)
    assert first is not None
    assert datetime.fromisoformat(first["edited_at"]) <= datetime.now(UTC)
    quotas.put({**ITEM, "limit": Decimal(2), "edited_by": "me"}, expected=first)
    second = quotas.get(*KEY)
    assert second is not None
    assert (author(first, second), author(None, first)) == ("me", "me")


TEAM = {"principal": "team/x", "quota": "members", "members": ["user/a"], "kept_in": "iam:team"}


def test_the_teams_function_writes_over_what_it_read_and_over_nothing_else(
    quotas: DynamoQuotas, dynamodb: "DynamoDBClient"
) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    teams = DynamoTeams(dynamodb, QUOTA_TABLE, lambda: now)
    teams.put({**TEAM, "edited_by": "the schedule"}, None)
    quotas.put(ITEM, expected=None)
    [stored] = [each for each in teams.items() if each["principal"] == "team/x"]
    assert stored == {
        **TEAM,
        "edited_by": "the schedule",
        "edited_at": "2026-11-24T12:00:00.000000Z",
    }
    assert ITEM in teams.items()
    teams.put({**stored, "members": ["user/b"]}, stored)
    with pytest.raises(Conflict, match="look at it again"):
        teams.put({**stored, "members": ["user/c"]}, stored)
    with pytest.raises(Conflict):
        teams.put(TEAM, None)
    assert (quotas.get("team/x", "members") or {})["members"] == ["user/b"]
