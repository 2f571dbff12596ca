"""A DynamoDB table whose items can also be scanned and deleted, for functions that may do that."""

from collections.abc import Iterator
from typing import Any

from tenacity import retry_if_exception

from quota_enforcer.aws.dynamo import Delete, Plain, Table, Write, conditional, plain, wire
from quota_enforcer.aws.patience import passes, patiently


class WholeTable(Table):
    """One table, with all that can be done to it."""

    def scan(self) -> Iterator[dict[str, Any]]:
        """Every item."""
        pages = self._client.get_paginator("scan")
        for page in pages.paginate(TableName=self._name, ConsistentRead=True):
            yield from map(plain, page["Items"])

    def delete(self, key: Plain) -> dict[str, Any] | None:
        """Delete an item; the one that was there, if any."""
        answer = patiently(retry=retry_if_exception(passes))(
            self._client.delete_item, TableName=self._name, Key=wire(key), ReturnValues="ALL_OLD"
        )
        return plain(answer["Attributes"]) if "Attributes" in answer else None

    def part(self, write: Write) -> Any:
        """A write as a part of a transaction."""
        if isinstance(write, Delete):
            part = conditional({"Key": wire(write.key)}, write.condition)
            return {"Delete": {"TableName": self._name, **part}}
        return super().part(write)
