"""What of the ledger in DynamoDB it takes to decide about somebody; nothing here writes."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from quota_enforcer.aws.dynamodb.dynamo_read import Expression, ReadTable
from quota_enforcer.aws.dynamodb.ledger import items as ledger_items
from quota_enforcer.aws.dynamodb.ledger import usage_items
from quota_enforcer.core.ledger import QuotaMemory, Record, SweepState
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.buckets import ModelUsage, Usage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoReads:
    """The ledger, as a look reads it; `zone` says which local hours its buckets are."""

    def __init__(self, client: "DynamoDBClient", table: str, zone: ZoneInfo) -> None:
        self._table = ReadTable(client, table)
        self._zone = zone

    def state(self) -> SweepState:
        """What the last sweep left."""
        return ledger_items.state_of(self._table.get(ledger_items.STATE) or {})

    def records(self, principals: Iterable[Principal]) -> dict[Principal, Record]:
        """Their records, consistently read; a new one for whom the ledger does not know."""
        records = {principal: Record(principal) for principal in principals}
        for item in self._table.batch_get(map(ledger_items.record_key, records)):
            record = ledger_items.record_of(item)
            records[record.principal] = record
        return records

    def usage(self, principal: Principal, first: date) -> Usage:
        """One principal's usage from a local date on."""
        items = self._table.query(
            Expression(
                "#pk = :pk AND #sk BETWEEN :first AND :after",
                {
                    "pk": str(principal),
                    "first": f"usage#{first}",
                    "after": usage_items.AFTER_USAGE,
                },
            )
        )
        return Usage(
            {
                model: ModelUsage.of_hours(hours, self._zone)
                for model, hours in usage_items.by_model(items, self._zone).items()
            }
        )

    def quota_memories(self) -> list[QuotaMemory]:
        """What is remembered of every quota item."""
        return [ledger_items.memory_of(item) for item in self._partition(ledger_items.QUOTAS)]

    def _partition(self, pk: str) -> Iterable[dict[str, Any]]:
        return self._table.query(Expression("#pk = :pk", {"pk": pk}))
