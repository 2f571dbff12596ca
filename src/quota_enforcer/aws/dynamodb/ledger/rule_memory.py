"""The rules as sweeps left them: quotas and prices seen last, and what the meters are told of them.

What the meters are told is one item, its prices texts: exact, and readable in the console.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.notices import notice_writes
from quota_enforcer.aws.dynamodb.ledger.schema import DEPLOYMENT
from quota_enforcer.aws.dynamodb.ledger.sweep_memory import STATE, still
from quota_enforcer.aws.dynamodb.table import ConditionCheck, Delete, Put
from quota_enforcer.aws.dynamodb.text import fitting_key, instant, joined_key, known
from quota_enforcer.aws.errors import action_refused
from quota_enforcer.core.ledger import MeterRules, PriceMemory, QuotaMemory
from quota_enforcer.core.pricing.codec import as_mapping, rate_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quota_enforcer.aws.dynamodb.table import Table, WholeTable
    from quota_enforcer.aws.dynamodb.wire import Plain
    from quota_enforcer.core.notices.notice import Notice

QUOTAS = "quotas"
UNPRICED = "unpriced"
METER_RULES: "Plain" = {"pk": DEPLOYMENT, "sk": "brief"}


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
        delete = Delete(_quota_key(before), _as_remembered(before))
        return not self._table.write([delete, *notice_writes(notices)])

    def announce_removal(self, subject: str, name: str, by: str) -> None:
        # With another stamp nobody forgets the item who has not read this.
        signed = {"removed_by": by, "stamp": uuid4().hex}
        key = _quota_key(QuotaMemory(subject, name))
        try:
            self._table.update(key, signed, condition=Expression("attribute_exists(#pk)"))
        except ClientError as error:
            if action_refused(error) is None:
                raise


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


def quota_item(memory: QuotaMemory) -> "Plain":
    """The memory of a quota item, the item itself as it was."""
    return {
        **_quota_key(memory),
        "whom": memory.subject,
        "name": memory.name,
        **known(reported=memory.reported, stamp=memory.stamp, removed_by=memory.removed_by),
        **({} if memory.item is None else {"item": memory.item}),
    }


def quota_memory_of(item: "Plain") -> QuotaMemory:
    return QuotaMemory(
        item["whom"],
        item["name"],
        item.get("item"),
        item.get("reported", ""),
        item.get("stamp", ""),
        item.get("removed_by", ""),
    )


def meter_rules_item(meter_rules: MeterRules) -> dict[str, Any]:
    return {
        **METER_RULES,
        "sessions": sorted(meter_rules.sessions),
        "prices": {
            model: as_mapping(rate, str) for model, rate in sorted(meter_rules.prices.items())
        },
    }


def meter_rules_of(item: "Plain | None") -> MeterRules:
    """The rules that an item holds; nothing to tell before the first sweep."""
    if item is None:
        return MeterRules()
    return MeterRules(
        frozenset(item["sessions"]),
        {model: rate_of(rate) for model, rate in item["prices"].items()},
    )


def _quota_key(memory: QuotaMemory) -> "Plain":
    return {"pk": QUOTAS, "sk": joined_key(memory.subject, memory.name)}


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
