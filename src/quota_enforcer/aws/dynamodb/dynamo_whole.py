"""A DynamoDB table whose items can also be scanned and deleted, for functions that may do that."""

from collections.abc import Iterator
from typing import Any

from tenacity import retry_if_exception

from quota_enforcer.aws.dynamodb.dynamo_read import Expression, Plain, plain, wire
from quota_enforcer.aws.dynamodb.dynamo_scan import scan
from quota_enforcer.aws.dynamodb.retry import is_transient, retrying
from quota_enforcer.aws.dynamodb.table import Delete, Table, Write, conditional, held


class WholeTable(Table):
    """One table, with all that can be done to it."""

    def scan(self) -> Iterator[dict[str, Any]]:
        """Every item."""
        return scan(self._client, self._name)

    def delete(self, key: Plain) -> dict[str, Any] | None:
        """Delete an item; the one that was there, if any."""
        answer = retrying(retry=retry_if_exception(is_transient))(
            self._client.delete_item, TableName=self._name, Key=wire(key), ReturnValues="ALL_OLD"
        )
        return plain(answer["Attributes"]) if "Attributes" in answer else None

    def delete_if(self, key: Plain, condition: Expression) -> bool:
        """Delete an item; False where the condition does not hold."""
        request = {"TableName": self._name, **conditional({"Key": wire(key)}, condition)}
        return held(lambda: self._client.delete_item(**request))

    def part(self, write: Write) -> Any:
        """A write as a part of a transaction."""
        if isinstance(write, Delete):
            part = conditional({"Key": wire(write.key)}, write.condition)
            return {"Delete": {"TableName": self._name, **part}}
        return super().part(write)
