"""Every item of a DynamoDB table: apart, since few functions may scan."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from quota_enforcer.aws.dynamodb.dynamo_read import plain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def scan(client: "DynamoDBClient", table: str) -> Iterator[dict[str, Any]]:
    """Every item, consistently read."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for page in pages:
        yield from map(plain, page["Items"])
