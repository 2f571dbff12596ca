"""Whom the gates shall deny, as items of the ledger; and what the author keeps beside them.

The enforcer writes the intents with the records they belong to. The author reads that one partition
consistently, and may write nothing but its own items: the lease, a digest for each gate, and what
others did to gates, which the enforcer takes out as it tells admins.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from quota_enforcer.aws.dynamodb.ledger.schema import DEPLOYMENT, SATELLITES, finding_key
from quota_enforcer.aws.dynamodb.text import instant
from quota_enforcer.core.ledger import GateIntent
from quota_enforcer.core.principal import Principal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

GATES = "gates"
"""The partition of the intents; the range key is the principal."""

_GATE = "gate#"
_STATE = {"pk": {"S": DEPLOYMENT}, "sk": {"S": "state"}}
_LEASE = {"pk": {"S": DEPLOYMENT}, "sk": {"S": "lease#author"}}
_TO_WIRE = TypeSerializer()
_FROM_WIRE = TypeDeserializer()


def intent_key(principal: Principal) -> dict[str, Any]:
    """Where a principal's gate intent is stored."""
    return {"pk": GATES, "sk": str(principal)}


def intent_item(intent: GateIntent) -> dict[str, Any]:
    """The whole item of an intent."""
    return {
        **intent_key(intent.principal),
        "scopes": sorted(intent.scopes),
        "names": sorted(intent.names),
        "roles": sorted(intent.roles),
    }


def intent_of(item: Mapping[str, Any]) -> GateIntent:
    """The intent that an item holds."""
    return GateIntent(
        Principal.parse(item["sk"]),
        frozenset(item["scopes"]),
        frozenset(item["names"]),
        frozenset(item["roles"]),
    )


class DynamoGateMemory:
    """The author's `Memory`: plain calls, so that its role needs no more than these four.

    `home` is the home account if there may be satellites in others.
    """

    def __init__(self, client: "DynamoDBClient", table: str, home: str = "") -> None:
        self._client = client
        self._table = table
        self._home = home

    def take_lease(self, holder: str, now: datetime, until: datetime) -> bool:
        """Take the lease if it is free, run out, or ours; False while somebody else has it."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={**_LEASE, "holder": {"S": holder}, "until": {"S": instant(until)}},
                ConditionExpression=(
                    "attribute_not_exists(pk) OR holder = :holder OR #until <= :now"
                ),
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":holder": {"S": holder}, ":now": {"S": instant(now)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def leave_lease(self, holder: str) -> None:
        """Give the lease back; does nothing if it ran out and somebody else has it."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.delete_item(
                TableName=self._table,
                Key=_LEASE,
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues={":holder": {"S": holder}},
            )

    def closed(self) -> bool:
        """Whether the ledger was closed."""
        return bool(self._get(_STATE).get("closed", False))

    def intents(self) -> list[GateIntent]:
        """Whom the gates shall deny, by principal."""
        items = self._query(
            KeyConditionExpression="pk = :gates",
            ExpressionAttributeValues={":gates": {"S": GATES}},
        )
        return [intent_of(item) for item in items]

    def digests(self, gate: str) -> frozenset[str]:
        """The digests kept of a gate."""
        return frozenset(self._get(_digest_key(gate)).get("digests", ()))

    def all_digests(self) -> Mapping[str, frozenset[str]]:
        """The digests kept of every gate."""
        items = self._query(
            KeyConditionExpression="pk = :deployment AND begins_with(sk, :gate)",
            ExpressionAttributeValues={":deployment": {"S": DEPLOYMENT}, ":gate": {"S": _GATE}},
        )
        return {item["sk"].removeprefix(_GATE): frozenset(item["digests"]) for item in items}

    def accounts(self) -> list[str]:
        """The member accounts with a satellite that stands; nothing is read where none may be."""
        if not self._home:
            return []
        items = self._query(
            KeyConditionExpression="pk = :satellites",
            ExpressionAttributeValues={":satellites": {"S": SATELLITES}},
        )
        found = {item["sk"].partition("/")[0] for item in items if "announced" in item}
        return sorted(found - {self._home})

    def remember(self, gate: str, digests: Iterable[str], found: str = "") -> None:
        kept = {**_digest_key(gate), "digests": _TO_WIRE.serialize(sorted(digests))}
        if not found:
            self._client.put_item(TableName=self._table, Item=kept)
            return
        finding = {**finding_key(found), "words": found}
        items = [kept, {name: _TO_WIRE.serialize(value) for name, value in finding.items()}]
        self._client.transact_write_items(
            TransactItems=[{"Put": {"TableName": self._table, "Item": item}} for item in items]
        )

    def _query(self, **asked: Any) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table, ConsistentRead=True, **asked
        )
        return (_plain(item) for page in pages for item in page["Items"])

    def _get(self, key: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return _plain(answer.get("Item", {}))


def _digest_key(gate: str) -> dict[str, Any]:
    return {"pk": {"S": DEPLOYMENT}, "sk": {"S": f"{_GATE}{gate}"}}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _FROM_WIRE.deserialize(value) for name, value in item.items()}
