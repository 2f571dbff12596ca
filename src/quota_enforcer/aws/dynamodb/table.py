"""One DynamoDB table in plain Python: wire types, pages, batches and passing refusals stay here.

What only reads is in `dynamo_read`, to scan and to delete in `dynamo_whole`: a function's role
grants what its imports can call.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from tenacity import retry_if_exception

from quota_enforcer.aws.dynamodb.dynamo_read import Expression, Plain, ReadTable, wire
from quota_enforcer.aws.dynamodb.retry import FAILED, cancellation_reasons, is_transient, retrying


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


class Table(ReadTable):
    """One table, read and written."""

    def put(self, item: Plain, condition: Expression | None = None) -> bool:
        """Write a whole item; False where the condition does not hold."""
        request = {"TableName": self._name, **conditional({"Item": wire(item)}, condition)}
        return held(lambda: self._client.put_item(**request))

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
        return held(lambda: self._client.update_item(**request))

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
            retrying(retry=retry_if_exception(is_transient))(
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


def conditional(request: dict[str, Any], condition: Expression | None) -> dict[str, Any]:
    """The request with a condition; the placeholders of both go into the same two parameters."""
    for parameter, value in (condition.request() if condition else {}).items():
        known = request.get(parameter)
        request[parameter] = value if known is None else known | value
    return request


def held(write: Callable[[], object]) -> bool:
    """Make a conditional write; False where its condition does not hold."""
    try:
        retrying(retry=retry_if_exception(is_transient))(write)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
