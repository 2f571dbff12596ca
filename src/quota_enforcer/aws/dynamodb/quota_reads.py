"""The quota table in DynamoDB for functions that only read it."""

from typing import TYPE_CHECKING

from quota_enforcer.aws.dynamodb.dynamo_scan import scan

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from quota_enforcer.core.quotas.item import Item


class DynamoQuotaReads:
    """The `Quotas`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._name = table

    def items(self) -> "list[Item]":
        """Every item, consistently read."""
        return list(scan(self._client, self._name))
