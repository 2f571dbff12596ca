"""One DynamoDB table in plain Python: wire types, pages, batches and passing refusals stay here.

To scan and to delete is in `dynamo_whole`: a function's role grants what its imports can call.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from tenacity import RetryCallState, retry_if_exception, retry_if_result

from quota_enforcer.aws.patience import FAILED, TRIES, cancellation_reasons, passes, patiently

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


@dataclass(frozen=True, slots=True)
class Put:
    """One write of a transaction: the whole item."""

    item: Plain
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """One write of a transaction: numbers or sets to add to, and values to set."""

    key: Plain
    add: Plain = field(default_factory=dict)
    values: Plain = field(default_factory=dict)
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """One write of a transaction of a `WholeTable`: the item goes, if it is there."""

    key: Plain
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One part of a transaction that writes nothing but must hold."""

    key: Plain
    condition: Expression


Write = Put | Update | Delete | Check
"""What a transaction is made of."""


class Table:
    """One table; reads are consistent except through an index. Safe to share between threads."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Plain) -> dict[str, Any] | None:
        """The item with this key, if any."""
        answer = self._client.get_item(TableName=self._name, Key=wire(key), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def query(self, where: Expression, *, index: str = "") -> Iterator[dict[str, Any]]:
        """Every item of one partition that `where` selects, in the order of the range key."""
        request = where.request("KeyConditionExpression")
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
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

        patiently(retry=retry_if_result(bool), retry_error_callback=give_up)(attempt)
        return found

    def put(self, item: Plain, condition: Expression | None = None) -> bool:
        """Write a whole item; False where the condition does not hold."""
        request = {"TableName": self._name, **conditional({"Item": wire(item)}, condition)}
        return _held(lambda: self._client.put_item(**request))

    def update(
        self,
        key: Plain,
        values: Plain,
        remove: Iterable[str] = (),
        condition: Expression | None = None,
    ) -> bool:
        """Set and remove some attributes; False where the condition does not hold."""
        change = _change(values, remove=remove)
        request = {"TableName": self._name, "Key": wire(key), **conditional(change, condition)}
        return _held(lambda: self._client.update_item(**request))

    def write(self, writes: Sequence[Write]) -> list[int]:
        """Write all or nothing: the positions of the conditions that do not hold, none if written.

        At most 100, each for another item. One alone is no transaction and costs half.
        """
        match writes:
            case [Put(item, condition)]:
                return [] if self.put(item, condition) else [0]
            case _:
                return self._transact([self.part(write) for write in writes])

    def _transact(self, parts: list[Any]) -> list[int]:
        # botocore gives each call its own ClientRequestToken, so its retries count only once.
        try:
            patiently(retry=retry_if_exception(passes))(
                self._client.transact_write_items, TransactItems=parts
            )
        except ClientError as error:
            reasons = cancellation_reasons(error)
            if FAILED not in reasons:
                raise
            return [place for place, reason in enumerate(reasons) if reason == FAILED]
        return []

    def part(self, write: Write) -> Any:
        """A write as a part of a transaction."""
        match write:
            case Put(item, condition):
                part = conditional({"Item": wire(item)}, condition)
                return {"Put": {"TableName": self._name, **part}}
            case Update(key, add, values, condition):
                change = _change(values, add=add)
                part = {"Key": wire(key), **conditional(change, condition)}
                return {"Update": {"TableName": self._name, **part}}
            case Check(key, condition):
                part = {"Key": wire(key), **condition.request()}
                return {"ConditionCheck": {"TableName": self._name, **part}}
            case Delete():
                raise TypeError(f"{write} deletes: only a WholeTable takes that")


NOTHING: Plain = {}


def _change(values: Plain, remove: Iterable[str] = (), add: Plain = NOTHING) -> dict[str, Any]:
    """An update expression; each clause has its own placeholders."""
    setting = {f"s{n}": name for n, name in enumerate(values)}
    removing = {f"r{n}": name for n, name in enumerate(remove)}
    adding = {f"a{n}": name for n, name in enumerate(add)}
    parts = []
    if setting:
        parts.append("SET " + ", ".join(f"#{short} = :{short}" for short in setting))
    if removing:
        parts.append("REMOVE " + ", ".join(f"#{short}" for short in removing))
    if adding:
        parts.append("ADD " + ", ".join(f"#{short} :{short}" for short in adding))
    numbers = {short: add[name] for short, name in adding.items()}
    return Expression(
        " ".join(parts),
        {short: values[name] for short, name in setting.items()} | numbers,
        setting | removing | adding,
    ).request("UpdateExpression")


def wire(attributes: Plain) -> dict[str, Any]:
    """Attributes as the client takes them."""
    return {name: _TO_WIRE.serialize(value) for name, value in attributes.items()}


def plain(attributes: Plain) -> dict[str, Any]:
    """Attributes as the client gives them, in plain Python."""
    return {name: _FROM_WIRE.deserialize(value) for name, value in attributes.items()}


def conditional(request: dict[str, Any], condition: Expression | None) -> dict[str, Any]:
    """The request with a condition; the placeholders of both go into the same two parameters."""
    for parameter, value in (condition.request() if condition else {}).items():
        known = request.get(parameter)
        request[parameter] = value if known is None else known | value
    return request


def _held(write: Callable[[], object]) -> bool:
    try:
        patiently(retry=retry_if_exception(passes))(write)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
