"""The rules as sweeps left them: quotas and prices seen last, and what the meters are told."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.items import quota_item, quota_key
from quota_enforcer.aws.dynamodb.ledger.memory.sweeps import still
from quota_enforcer.aws.dynamodb.ledger.notices import notice_writes
from quota_enforcer.aws.dynamodb.ledger.schema import STATE
from quota_enforcer.aws.dynamodb.ledger.usage.sources import (
    METER_RULES,
    meter_rules_item,
    meter_rules_of,
)
from quota_enforcer.aws.dynamodb.table import ConditionCheck, Delete, Put
from quota_enforcer.aws.dynamodb.text import fitting_key, instant
from quota_enforcer.core.ledger import PriceMemory, QuotaMemory
from quota_enforcer.core.usage.stored import MeterRules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quota_enforcer.aws.dynamodb.table import Table, WholeTable
    from quota_enforcer.aws.dynamodb.wire import Plain
    from quota_enforcer.core.notices.notice import Notice

UNPRICED = "unpriced"


class DynamoQuotaMemories:
    """Writes the `QuotaMemories`; `DynamoReads` reads them."""

    def __init__(self, table: "WholeTable") -> None:
        self._table = table

    def remember(
        self, memory: QuotaMemory, before: QuotaMemory, notices: "Iterable[Notice]" = ()
    ) -> bool:
        put = Put(quota_item(memory), _as_remembered(before))
        return not self._table.write([put, *notice_writes(notices)])

    def forget(self, before: QuotaMemory, notices: "Iterable[Notice]" = ()) -> bool:
        delete = Delete(quota_key(before), _as_remembered(before))
        return not self._table.write([delete, *notice_writes(notices)])

    def announce_removal(self, subject: str, name: str, by: str) -> None:
        # With another stamp nobody forgets the item who has not read this.
        signed = {"removed_by": by, "stamp": uuid4().hex}
        key = quota_key(QuotaMemory(subject, name))
        self._table.update(key, signed, condition=Expression("attribute_exists(#pk)"))


class DynamoPriceMemories:
    """The `PriceMemories`."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def all(self) -> list[PriceMemory]:
        return [
            PriceMemory(item["model"], datetime.fromisoformat(item["hour"]), bool(item["priced"]))
            for item in self._table.partition(UNPRICED)
        ]

    def remember(
        self, memory: PriceMemory, before: PriceMemory | None, notices: "Iterable[Notice]" = ()
    ) -> bool:
        condition = Expression("attribute_not_exists(#pk)")
        if before is not None:
            same = {"hour": instant(before.hour), "priced": before.priced}
            condition = Expression("#hour = :hour AND #priced = :priced", same)
        put = Put(_price_item(memory), condition)
        return not self._table.write([put, *notice_writes(notices)])


class DynamoMeterRules:
    """What the enforcer tells the meters."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def get(self) -> MeterRules:
        return meter_rules_of(self._table.get(METER_RULES))

    def put(self, meter_rules: MeterRules, quotas_seen: str) -> bool:
        unchanged = ConditionCheck(STATE, still(quotas_seen=quotas_seen))
        return not self._table.write([Put(meter_rules_item(meter_rules)), unchanged])


def _as_remembered(before: QuotaMemory) -> Expression:
    """Holds if nobody has remembered anything else of a quota item."""
    if before.stamp:
        return Expression("#stamp = :stamp", {"stamp": before.stamp})
    return Expression("attribute_not_exists(#stamp)")


def _price_item(memory: PriceMemory) -> "Plain":
    return {
        "pk": UNPRICED,
        "sk": fitting_key(memory.model),
        "model": memory.model,
        "hour": instant(memory.hour),
        "priced": memory.priced,
    }
