"""Whose partitions a DynamoDB request is about: `dynamodb:LeadingKeys`, which the emulator lacks.

And a transaction asks IAM once for each action and table, not again for each of a hundred items,
whose keys are all asked about at once.

A role that is limited to some partitions could do nothing, or everything, without it.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from ministack.core import iam_actions
from ministack.services import dynamodb

_EQUALS: Final = re.compile(r"(?P<name>[#\w]+)\s*=\s*(?P<value>:\w+)")
_PARTS: Final = ("ConditionCheck", "Delete", "Get", "Put", "Update")


def install() -> None:
    """Fill the key, and ask no question twice, for every request from now on."""
    plain = iam_actions.dynamodb_service_context

    def context(body: bytes) -> dict[str, Any]:
        keys: dict[str, Any] = dict(plain(body))
        try:
            named = sorted(set(_partitions(json.loads(body))))
        except (ValueError, KeyError, TypeError, AttributeError):
            named = []  # the service will say what is wrong with it
        return keys | {"dynamodb:LeadingKeys": named} if named else keys

    plain_checks = iam_actions.dynamodb_transaction_checks

    def checks(*request: Any) -> list[tuple[str, str]]:
        return list(dict.fromkeys(plain_checks(*request)))

    iam_actions.dynamodb_service_context = context
    iam_actions.dynamodb_transaction_checks = checks


def _partitions(request: dict[str, Any]) -> Iterator[str]:
    for each in request.get("TransactItems", ()):
        for part in _PARTS:
            if part in each:
                yield from _partitions(each[part])
    for table, wanted in request.get("RequestItems", {}).items():
        for item in _batched(wanted):
            yield _text(item[_hash_key(table)])
    if "TableName" not in request:
        return
    for item in filter(None, (request.get("Key"), request.get("Item"))):
        yield _text(item[_hash_key(request["TableName"])])
    if "KeyConditionExpression" in request:
        yield from _queried(request)


def _batched(wanted: Any) -> Iterator[dict[str, Any]]:
    """The keys of BatchGetItem, and the keys and items of BatchWriteItem."""
    if isinstance(wanted, dict):
        yield from wanted["Keys"]
        return
    for write in wanted:
        for request in write.values():
            yield request["Item"] if "Item" in request else request["Key"]


def _queried(request: dict[str, Any]) -> Iterator[str]:
    names = request.get("ExpressionAttributeNames", {})
    for found in _EQUALS.finditer(request["KeyConditionExpression"]):
        name = names.get(found["name"], found["name"])
        if name == _hash_key(request["TableName"], request.get("IndexName")):
            yield _text(request["ExpressionAttributeValues"][found["value"]])


def _hash_key(table: str, index: str | None = None) -> str:
    """The name of a table's partition key, or of its index's."""
    known = dynamodb._tables[table.rpartition("/")[2]]  # noqa: SLF001 - no public hook; pinned
    if index is None:
        return str(known["pk_name"])
    (schema,) = (
        each["KeySchema"] for each in known["GlobalSecondaryIndexes"] if each["IndexName"] == index
    )
    return next(str(each["AttributeName"]) for each in schema if each["KeyType"] == "HASH")


def _text(value: dict[str, Any]) -> str:
    return str(next(iter(value.values())))
