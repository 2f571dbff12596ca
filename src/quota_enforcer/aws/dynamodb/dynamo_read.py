"""The reading half of a DynamoDB table in plain Python; `dynamo` adds what writes.

They are apart since a function's role grants what its imports can call.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import DYNAMODB_CONTEXT, TypeDeserializer, TypeSerializer
from tenacity import RetryCallState, retry_if_result

from quota_enforcer.aws.dynamodb.decode import decoded, keep_wire_format
from quota_enforcer.aws.dynamodb.retry import TRIES, retrying

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Plain = Mapping[str, Any]
"""An item, or some attributes of one, in the types that boto3's serializer knows; no floats."""

BATCH = 100
"""Keys in one BatchGetItem, and items in one TransactWriteItems, at most.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

_PLACEHOLDER = re.compile(r"#(\w+)")
_TO_WIRE = TypeSerializer()
_FROM_WIRE = TypeDeserializer()


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition in DynamoDB's words: `#name` is an attribute and `:name` one of `values`.

    `names` says which attribute a placeholder means where that is not the word itself.
    """

    text: str
    values: Plain = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def request(self, parameter: str = "ConditionExpression") -> dict[str, Any]:
        """As parameters of a request."""
        words = _PLACEHOLDER.findall(self.text)
        request: dict[str, Any] = {parameter: self.text}
        if words:
            names = {f"#{word}": self.names.get(word, word) for word in words}
            request["ExpressionAttributeNames"] = names
        if self.values:
            values = {f":{name}": value for name, value in self.values.items()}
            request["ExpressionAttributeValues"] = wire(values)
        return request


class ReadTable:
    """One table; reads are consistent except through an index. Safe to share between threads."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name
        keep_wire_format(client)

    def get(self, key: Plain) -> dict[str, Any] | None:
        """The item with this key, if any."""
        answer = self._client.get_item(TableName=self._name, Key=wire(key), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def query(
        self, where: Expression, *, index: str = "", newest_first: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Every item of one partition that `where` selects, in the order of the range key.

        Pages are read as they are asked for; with `newest_first` from the last item on.
        """
        request = where.request("KeyConditionExpression")
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        request |= {"ScanIndexForward": False} if newest_first else {}
        pages = self._client.get_paginator("query").paginate(TableName=self._name, **request)
        for page in pages:
            yield from map(plain, page["Items"])

    def batch_get(self, keys: Iterable[Plain]) -> Iterator[dict[str, Any]]:
        """The items that exist, in no order; no key may come twice.

        Raises TimeoutError where DynamoDB keeps leaving some unread.
        """
        wanted = [wire(key) for key in keys]
        for first in range(0, len(wanted), BATCH):
            yield from map(plain, self._batch(wanted[first : first + BATCH]))

    def _batch(self, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        pending: dict[str, Any] = {self._name: {"Keys": keys, "ConsistentRead": True}}

        def attempt() -> int:
            nonlocal pending
            answer = self._client.batch_get_item(RequestItems=pending)
            found.extend(answer["Responses"].get(self._name, []))
            pending = dict(answer.get("UnprocessedKeys", {}))
            return len(pending[self._name]["Keys"]) if pending else 0

        def give_up(state: RetryCallState) -> None:
            left = state.outcome.result() if state.outcome else len(keys)
            raise TimeoutError(
                f"DynamoDB left {left} of {len(keys)} items of table {self._name} unread "
                f"{TRIES} times: it is throttled. Wait, or raise the table's read capacity",
            )

        retrying(retry=retry_if_result(bool), retry_error_callback=give_up)(attempt)
        return found


def wire(attributes: Plain) -> dict[str, Any]:
    """Attributes as the client takes them."""
    return {name: _TO_WIRE.serialize(value) for name, value in attributes.items()}


def plain(attributes: Plain) -> dict[str, Any]:
    """Attributes as the client gives them, in plain Python."""
    return {name: _plain(value) for name, value in attributes.items()}


def _plain(value: Any) -> Any:
    """Numbers and texts are nearly all there is, and boto3 takes three times as long for them."""
    if "N" in value:
        return DYNAMODB_CONTEXT.create_decimal(value["N"])
    if "S" in value:
        return value["S"]
    if "M" in value:
        return plain(value["M"])
    if "L" in value:
        return [_plain(each) for each in value["L"]]
    return _FROM_WIRE.deserialize(decoded(value))
