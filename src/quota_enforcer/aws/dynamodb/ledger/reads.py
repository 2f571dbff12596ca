"""What of the ledger it takes to decide about somebody; nothing here writes."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.items import (
    BLOCKED,
    NEVER,
    OPEN,
    QUOTAS,
    quota_memory_of,
    record_key,
    record_of,
    state_of,
)
from quota_enforcer.aws.dynamodb.ledger.schema import BY_DUE, STATE
from quota_enforcer.aws.dynamodb.ledger.usage.addition_items import ADDED, AFTER_CALLS
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.items import AFTER_USAGE, usage_of
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.minutes import minutes_between, minutes_of
from quota_enforcer.aws.dynamodb.text import instant
from quota_enforcer.core.ledger import QuotaMemory, Record, SweepState
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.pace import CallPace

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from quota_enforcer.aws.dynamodb.table import ReadTable
    from quota_enforcer.core.usage.buckets import MinuteCounts, Usage


class DynamoReads:
    """The `LedgerReads`; `zone` says which local hours the buckets are."""

    def __init__(self, table: "ReadTable", zone: "ZoneInfo") -> None:
        self._table = table
        self._zone = zone

    def state(self) -> SweepState:
        """What the last sweep left."""
        return state_of(self._table.get(STATE) or {})

    def records(self, principals: Iterable[Principal]) -> dict[Principal, Record]:
        """Their records, consistently read; a new one for whom the ledger does not know."""
        records = {principal: Record(principal) for principal in principals}
        for item in self._table.batch_get(map(record_key, records)):
            record = record_of(item)
            records[record.principal] = record
        return records

    def usage(self, principal: Principal, first: date) -> "Usage":
        items = self._table.query(
            Expression(
                "#pk = :pk AND #sk BETWEEN :first AND :after",
                {
                    "pk": str(principal),
                    "first": f"usage#{first}",
                    "after": AFTER_USAGE,
                },
            )
        )
        return usage_of(items, self._zone)

    def minutes(self, principal: Principal, since: datetime) -> "MinuteCounts":
        return minutes_of(self._table.query(minutes_between(principal, since)))

    def pace(self, principal: Principal, since: datetime) -> CallPace:
        """By the markers of its calls, which the stream meter writes with them.

        A call has its marker at the first of whom it counts to, so a session has none of its own.
        """
        keys = {"pk": str(principal), "first": f"calls#{instant(since)}", "after": AFTER_CALLS}
        items = self._table.query(Expression("#pk = :pk AND #sk BETWEEN :first AND :after", keys))
        slots = {item["sk"].partition("#")[2]: len(item[ADDED]) for item in items}
        return CallPace({datetime.fromisoformat(slot): calls for slot, calls in slots.items()})

    def everybody(self) -> list[Record]:
        """Every record, eventually consistent."""
        return listed(self._table)

    def quota_memories(self) -> list[QuotaMemory]:
        """What is remembered of every quota item."""
        return [quota_memory_of(item) for item in self._table.partition(QUOTAS)]


def listed(
    table: "ReadTable", until: str = NEVER, listings: Iterable[str] = (OPEN, BLOCKED)
) -> list[Record]:
    """The records due until then; one that moves to the other listing just now comes once."""
    records: dict[Principal, Record] = {}
    for listing in listings:
        where = Expression(
            "#listing = :listing AND #due <= :until", {"listing": listing, "until": until}
        )
        for item in table.query(where, index=BY_DUE):
            record = record_of(item)
            known = records.setdefault(record.principal, record)
            if known.version < record.version:
                records[record.principal] = record
    return list(records.values())
