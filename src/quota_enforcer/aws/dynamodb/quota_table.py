"""The quota table in DynamoDB: admins write it, in the console or with the command line."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from quota_enforcer import clock
from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.table import WholeTable, put_item, scan
from quota_enforcer.aws.dynamodb.text import instant
from quota_enforcer.aws.dynamodb.wire import keep_wire_format
from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.pricing.item import ATTRIBUTES as PRICE_ATTRIBUTES
from quota_enforcer.core.pricing.item import is_price
from quota_enforcer.core.quotas.diff import AUTHOR, EDITED_AT
from quota_enforcer.core.quotas.item import ATTRIBUTES, Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

QUOTA_SCHEMA: Mapping[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": "principal", "AttributeType": "S"},
        {"AttributeName": "quota", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "principal", "KeyType": "HASH"},
        {"AttributeName": "quota", "KeyType": "RANGE"},
    ],
}
"""As CreateTable takes it and as the template declares it."""


class DynamoQuotaReads:
    """The `Quotas` for a function that may only scan."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._name = table

    def items(self) -> list[Item]:
        return list(scan(self._client, self._name))


class DynamoTeams:
    """For the teams function, which scans, and puts items of teams alone: IAM checks their keys."""

    def __init__(
        self, client: "DynamoDBClient", table: str, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._client = client
        self._name = table
        self._now = now
        keep_wire_format(client)

    def items(self) -> list[Item]:
        return list(scan(self._client, self._name))

    def put(self, item: Item, expected: Item | None) -> None:
        """As `DynamoQuotas.put`; raises Conflict if somebody has changed it since."""
        dated, unchanged = _dated(item, self._now()), _unchanged(expected)
        if not put_item(self._client, self._name, dated, unchanged):
            raise _conflict(item)


class DynamoQuotas:
    """The `Quotas`, and their editing for the command line; numbers are Decimals, never floats."""

    def __init__(
        self, client: "DynamoDBClient", table: str, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._table = WholeTable(client, table)
        self._now = now

    def items(self) -> list[Item]:
        return list(self._table.scan())

    def get(self, subject: str, name: str) -> Item | None:
        return self._table.get(_key(subject, name))

    def put(self, item: Item, expected: Item | None) -> None:
        """Write an item over the one that was read before, `expected`, or over none.

        An item that names its author also gets the time, so that their next edit is not taken for
        one made in the console. Raises Conflict if somebody has changed it since.
        """
        if not self._table.put(_dated(item, self._now()), _unchanged(expected)):
            raise _conflict(item)

    def remove(self, subject: str, name: str, expected: Item | None = None) -> Item | None:
        """Remove an item; the one that was there, if any.

        Raises Conflict if `expected` is given and another item is there.
        """
        if expected is None:
            return self._table.delete(_key(subject, name))
        if not self._table.delete_if(_key(subject, name), _unchanged(expected)):
            raise _conflict(expected)
        return expected


def _dated(item: Item, now: datetime) -> Item:
    return {**item, EDITED_AT: instant(now)} if AUTHOR in item else item


def _conflict(item: Item) -> Conflict:
    return Conflict(
        f"quota {item['quota']} of {item['principal']} was changed by somebody else "
        "since it was read: look at it again, then repeat the change",
    )


def _key(subject: str, name: str) -> Item:
    return {"principal": subject, "quota": name}


def _unchanged(expected: Item | None) -> Expression:
    """Holds if each attribute is as expected, and no other of a quota or a price has come."""
    if expected is None:
        return Expression("attribute_not_exists(#principal)")
    same = {f"a{place}": attribute for place, attribute in enumerate(expected)}
    known = PRICE_ATTRIBUTES if is_price(expected) else ATTRIBUTES
    absent = [attribute for attribute in known if attribute not in expected]
    parts = [f"#{short} = :{short}" for short in same]
    parts += [f"attribute_not_exists(#{attribute})" for attribute in absent]
    values = {short: expected[attribute] for short, attribute in same.items()}
    return Expression(" AND ".join(parts), values, same)
