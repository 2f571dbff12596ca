"""The ledger's table: its keys and index, the partitions, and when items expire."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from quota_enforcer.core.principal import Kind, Principal

BY_DUE = "by-due"
LEDGER_SCHEMA: Mapping[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "listing", "AttributeType": "S"},
        {"AttributeName": "due", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": BY_DUE,
            "KeySchema": [
                {"AttributeName": "listing", "KeyType": "HASH"},
                {"AttributeName": "due", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
    ],
}
"""As CreateTable takes it, and as the template declares it."""
DEPLOYMENT = "deployment"
"""The partition of what belongs to no principal."""
EXPIRES = "expires"
"""The attribute that the table's time to live goes by."""
KEPT = timedelta(days=400)
"""Usage and history stay for about 13 months: this month can be held against last year's."""


def principal_of(pk: Any) -> Principal:
    """The principal whose partition this is; what was written once is read back as it was."""
    kind, _, name = str(pk).partition("/")
    return Principal(Kind(kind), name)
