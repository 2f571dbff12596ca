"""One DynamoDB table in plain Python: pages, batches, transactions and passing refusals.

There are four classes of it, since a function's role grants what its table can do: `ReadTable`
reads by key, `PutTable` also puts, `Table` also writes, `WholeTable` also scans and deletes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from tenacity import RetryCallState, retry_if_exception, retry_if_result

from quota_enforcer.aws.dynamodb.expression import Expression, change, conditional
from quota_enforcer.aws.dynamodb.retry import (
    FAILED,
    TRIES,
    cancellation_reasons,
    is_transient,
    retrying,
)
from quota_enforcer.aws.dynamodb.wire import Plain, keep_wire_format, plain, wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH = 100
"""Keys in one BatchGetItem, and items in one TransactWriteItems, at most.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""


@dataclass(frozen=True, slots=True)
class Put:
    """One write of a transaction: the whole item."""

    item: Plain
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """One write of a transaction: numbers or sets to add to, values to set and to remove."""

    key: Plain
    add: Plain = field(default_factory=dict)
    values: Plain = field(default_factory=dict)
    condition: Expression | None = None
    remove: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """One write of a transaction of a `WholeTable`: the item goes, if it is there."""

    key: Plain
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class ConditionCheck:
    """One part of a transaction that writes nothing but must hold."""

    key: Plain
    condition: Expression


Write = Put | Update | Delete | ConditionCheck
"""What a transaction is made of."""


class ReadTable:
    """Reads are consistent except through an index. Safe to share between threads."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name
        keep_wire_format(client)

    def get(self, key: Plain) -> dict[str, Any] | None:
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

    def partition(self, pk: str) -> Iterator[dict[str, Any]]:
        """Every item whose `pk` is this."""
        return self.query(Expression("#pk = :pk", {"pk": pk}))

    def batch_get(self, keys: Iterable[Plain]) -> Iterator[dict[str, Any]]:
        """The items that exist, in no order; no key may come twice.

        Raises TimeoutError if DynamoDB keeps leaving some unread.
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


def put_item(
    client: "DynamoDBClient", name: str, item: Plain, condition: Expression | None = None
) -> bool:
    """Write a whole item; False if the condition does not hold."""
    request = {"TableName": name, **conditional({"Item": wire(item)}, condition)}
    return _held(lambda: client.put_item(**request))


class PutTable(ReadTable):
    """Also puts whole items, which is all that self-service may."""

    def put(self, item: Plain, condition: Expression | None = None) -> bool:
        """Write a whole item; False if the condition does not hold."""
        return put_item(self._client, self._name, item, condition)


class Table(PutTable):
    """Also writes, but never deletes an item."""

    def update(
        self,
        key: Plain,
        values: Plain,
        remove: Iterable[str] = (),
        condition: Expression | None = None,
    ) -> bool:
        """Set and remove some attributes; False if the condition does not hold."""
        changed = conditional(change(values, remove=remove), condition)
        request = {"TableName": self._name, "Key": wire(key), **changed}
        return _held(lambda: self._client.update_item(**request))

    def add(self, key: Plain, numbers: Plain, values: Plain) -> None:
        """Add to numbers of one item and set others; added twice if an answer gets lost."""
        changed = change(values, add=numbers)
        self._client.update_item(TableName=self._name, Key=wire(key), **changed)

    def write(self, writes: Sequence[Write]) -> list[int]:
        """Write all or nothing: the positions of the conditions that do not hold, none if written.

        At most 100, each for another item. One alone is no transaction and costs half.
        """
        match writes:
            case [Put(item, condition)]:
                return [] if self.put(item, condition) else [0]
            case _:
                return self._transact([self._part(write) for write in writes])

    def _transact(self, parts: list[Any]) -> list[int]:
        # botocore gives each call its own ClientRequestToken, so its retries count only once.
        try:
            retrying(retry=retry_if_exception(is_transient))(
                self._client.transact_write_items, TransactItems=parts
            )
        except ClientError as error:
            reasons = cancellation_reasons(error)
            if FAILED not in reasons:
                raise
            return [place for place, reason in enumerate(reasons) if reason == FAILED]
        return []

    def _part(self, write: Write) -> Any:
        match write:
            case Put(item, condition):
                part = conditional({"Item": wire(item)}, condition)
                return {"Put": {"TableName": self._name, **part}}
            case Update(key, add, values, condition, remove):
                changed = change(values, remove=remove, add=add)
                part = {"Key": wire(key), **conditional(changed, condition)}
                return {"Update": {"TableName": self._name, **part}}
            case ConditionCheck(key, condition):
                part = {"Key": wire(key), **condition.request()}
                return {"ConditionCheck": {"TableName": self._name, **part}}
            case Delete():
                raise TypeError(f"{write} deletes: only a WholeTable takes that")


class WholeTable(Table):
    """Also scans and deletes."""

    def scan(self) -> Iterator[dict[str, Any]]:
        return scan(self._client, self._name)

    def delete(self, key: Plain) -> dict[str, Any] | None:
        """Delete an item; the one that was there, if any."""
        answer = retrying(retry=retry_if_exception(is_transient))(
            self._client.delete_item, TableName=self._name, Key=wire(key), ReturnValues="ALL_OLD"
        )
        return plain(answer["Attributes"]) if "Attributes" in answer else None

    def delete_if(self, key: Plain, condition: Expression) -> bool:
        """Delete an item; False if the condition does not hold."""
        request = {"TableName": self._name, **conditional({"Key": wire(key)}, condition)}
        return _held(lambda: self._client.delete_item(**request))

    def _part(self, write: Write) -> Any:
        if isinstance(write, Delete):
            part = conditional({"Key": wire(write.key)}, write.condition)
            return {"Delete": {"TableName": self._name, **part}}
        return super()._part(write)


def scan(client: "DynamoDBClient", table: str) -> Iterator[dict[str, Any]]:
    """Every item of a table, consistently read: for functions that may scan and nothing else."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for page in pages:
        yield from map(plain, page["Items"])


def _held(write: Callable[[], object]) -> bool:
    """Make a conditional write; False if its condition does not hold."""
    try:
        retrying(retry=retry_if_exception(is_transient))(write)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
