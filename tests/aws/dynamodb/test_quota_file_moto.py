"""An export of the real table imports as no change, and several write side by side."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import Binary
from botocore.exceptions import ClientError

from builders import an_item
from quota_enforcer.aws.dynamodb.quota_table import DynamoQuotas
from quota_enforcer.cli.files import json as item_json
from quota_enforcer.cli.files import yaml as item_yaml
from quota_enforcer.cli.files.import_plan import WantedItem, Written, plan_import, write
from quota_enforcer.core.quotas.form.values import plain
from quota_enforcer.core.quotas.item import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ADMIN = "arn:aws:iam::111122223333:user/admin"
CONSOLE: dict[str, Any] = {
    "principal": {"S": "team/研究"},
    "quota": {"S": "daily"},
    "limit": {"N": "12.500000000001"},
    "raise_to": {"N": "1E+40"},
    "warn_at": {"NS": ["50", "90", "100"]},
    "members": {"SS": ["user/b", "user/a"]},
    "models": {"L": [{"S": "*"}, {"NULL": True}]},
    "weights": {"M": {"input_tokens": {"N": "0.000001"}, "a b": {"BOOL": False}}},
    "note": {"S": "für alle\r\n\t# 😀: '\"\\"},
}
"""As an admin may leave it in the console, valid or not."""


def wanted(several: list[Item]) -> list[WantedItem]:
    return [WantedItem(each) for each in several]


def as_yaml(items: list[Item]) -> list[Item]:
    text = "".join(item_yaml.written((plain(item), ()) for item in items))
    return [entry for entry, *_ in item_yaml.entries(text)]


def as_json(items: list[Item]) -> list[Item]:
    text = item_json.written(plain(item) for item in items)
    return [entry for entry, *_ in item_json.entries(text)]


@pytest.mark.parametrize("through", [as_yaml, as_json])
def test_whatever_the_console_holds_comes_back_as_no_change(
    through: Any, quotas: DynamoQuotas, dynamodb: "DynamoDBClient"
) -> None:
    dynamodb.put_item(TableName="quotas", Item=CONSOLE)
    quotas.put(an_item(limit=Decimal("12.50")), expected=None)
    stored = quotas.items()
    made = plan_import(wanted(through(stored)), stored, prune=True)
    assert made.summary == "0 added, 0 changed, 0 removed, 2 unchanged"


def test_bytes_come_back_in_yaml(quotas: DynamoQuotas) -> None:
    quotas.put(an_item(note=Binary(b"\x00\xff"), typo={b"a", b"b"}), expected=None)
    stored = quotas.items()
    assert plan_import(wanted(as_yaml(stored)), stored, prune=True).steps == ()


def test_what_is_imported_into_an_empty_table_is_the_same(
    quotas: DynamoQuotas, dynamodb: "DynamoDBClient"
) -> None:
    dynamodb.put_item(TableName="quotas", Item=CONSOLE)
    exported = as_yaml(quotas.items())
    dynamodb.delete_item(
        TableName="quotas", Key={name: CONSOLE[name] for name in ("principal", "quota")}
    )
    write(quotas, plan_import(wanted(exported), [], prune=True).steps, ADMIN, Written())
    assert plan_import(wanted(exported), quotas.items(), prune=True).steps == ()


def test_many_are_written_each_once_and_signed(quotas: DynamoQuotas) -> None:
    items: list[Item] = [an_item(principal=f"user/u{n}", limit=n) for n in range(40)]
    written = Written()
    write(quotas, plan_import(wanted(items), [], prune=False).steps, ADMIN, written)
    assert (len(written.done), written.overtaken) == (40, [])
    assert {item["principal"]: item["limit"] for item in quotas.items()} == {
        f"user/u{n}": n for n in range(40)
    }
    assert {item["edited_by"] for item in quotas.items()} == {ADMIN}


def test_what_somebody_else_has_changed_stays_and_is_named(quotas: DynamoQuotas) -> None:
    quotas.put(an_item(), expected=None)
    quotas.put(an_item(principal="user/bob"), expected=None)
    steps = plan_import(wanted([an_item(limit=5)]), quotas.items(), prune=True).steps
    for name in ("alice", "bob"):
        quotas.put(an_item(principal=f"user/{name}", limit=7), an_item(principal=f"user/{name}"))
    written = Written()
    write(quotas, steps, ADMIN, written)
    assert written.done == []
    assert [step.key[0] for step in written.overtaken] == ["user/alice", "user/bob"]
    assert {item["limit"] for item in quotas.items()} == {7}


def test_a_write_whose_answer_got_lost_is_no_conflict(
    quotas: DynamoQuotas, dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is repeated then, and the second meets what the first has written."""
    put = dynamodb.put_item

    def twice(**request: Any) -> Any:
        put(**request)
        return put(**request)

    monkeypatch.setattr(dynamodb, "put_item", twice)
    written = Written()
    write(quotas, plan_import(wanted([an_item()]), [], prune=False).steps, ADMIN, written)
    assert (len(written.done), written.overtaken) == (1, [])


def test_a_refusal_of_aws_stops_it_and_what_is_written_is_known(
    quotas: DynamoQuotas, dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    put, made = dynamodb.put_item, []

    def until_expired(**request: Any) -> Any:
        made.append(request)
        if len(made) > 30:
            raise ClientError({"Error": {"Code": "ExpiredTokenException"}}, "PutItem")
        return put(**request)

    monkeypatch.setattr(dynamodb, "put_item", until_expired)
    items: list[Item] = [an_item(principal=f"user/u{n:03}") for n in range(300)]
    written = Written()
    with pytest.raises(ClientError, match="ExpiredToken"):
        write(quotas, plan_import(wanted(items), [], prune=False).steps, ADMIN, written)
    assert len(written.done) == len(quotas.items()) == 30
    assert len(made) < 300
