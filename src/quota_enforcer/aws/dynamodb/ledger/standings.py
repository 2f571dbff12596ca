"""Where each principal stands: records, each written with its notices and what its gate denies."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.items import (
    BLOCKED,
    record_item,
    record_key,
)
from quota_enforcer.aws.dynamodb.ledger.memory.gates import (
    GATES,
    intent_item,
    intent_key,
    intent_of,
)
from quota_enforcer.aws.dynamodb.ledger.notices import notice_writes
from quota_enforcer.aws.dynamodb.ledger.reads import listed
from quota_enforcer.aws.dynamodb.ledger.schema import STATE
from quota_enforcer.aws.dynamodb.table import BATCH, ConditionCheck, Delete, Put
from quota_enforcer.aws.dynamodb.text import instant
from quota_enforcer.core.errors import Conflict, DeploymentClosed
from quota_enforcer.core.ledger import ANY_PREMISE, GateIntent, Premise, Record
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.principal import Principal

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import WholeTable

_NOTICES_AT_ONCE = (BATCH - 3) // 2


class DynamoStandings:
    """The `Standings` and the gate intents; `DynamoReads` reads single records."""

    def __init__(self, table: "WholeTable") -> None:
        self._table = table

    def due(self, now: datetime) -> set[Principal]:
        return {record.principal for record in listed(self._table, instant(now))}

    def blocked(self) -> list[Record]:
        return listed(self._table, listings=[BLOCKED])

    def gate_intents(self) -> list[GateIntent]:
        """What the gates shall deny, consistently read."""
        return [intent_of(item) for item in self._table.partition(GATES)]

    def put(
        self,
        record: Record,
        notices: Iterable[Notice] = (),
        gate: GateIntent | None = None,
        premise: Premise = ANY_PREMISE,
    ) -> None:
        """As the protocol says; ValueError for more than 48 notices.

        All of it is one transaction, which holds 100 items at most.
        """
        writes: list[Put | Delete | ConditionCheck] = [Put(record_item(record), _follows(record))]
        check = _state_allows(record, premise)
        if check is not None:
            writes.append(check)
        if gate is not None:
            writes.append(_gate_write(gate))
        told = notice_writes(notices)
        if len(told) > 2 * _NOTICES_AT_ONCE:
            raise ValueError(
                f"{record.principal} has {len(told) // 2} notices at once; allowed with one "
                f"record: {_NOTICES_AT_ONCE}. Merge some of its quotas",
            )
        writes += told
        failed = self._table.write(writes)
        if any(writes[place] is check for place in failed) and (
            premise == ANY_PREMISE or self._closed()
        ):
            raise DeploymentClosed(
                f"the stack is being deleted, so {record.principal} cannot be blocked"
            )
        if failed:
            raise Conflict(
                f"the record of {record.principal} is no longer at version {record.version - 1}, "
                "or the quotas have been edited, or the breaker was turned",
            )

    def forget(self, record: Record) -> None:
        unchanged = Expression("#version = :version", {"version": record.version})
        if not self._table.delete_if(record_key(record.principal), unchanged):
            raise Conflict(f"the record of {record.principal} is no longer at {record.version}")

    def _closed(self) -> bool:
        return bool((self._table.get(STATE) or {}).get("closed", False))


def _follows(record: Record) -> Expression:
    """Holds if the ledger has the version before this one."""
    if record.version == 1:
        return Expression("attribute_not_exists(#pk)")
    return Expression("#version = :previous", {"previous": record.version - 1})


def _state_allows(record: Record, premise: Premise) -> ConditionCheck | None:
    """What the state must say so that a record may be written; None if anything will do."""
    parts: list[str] = []
    values: dict[str, object] = {}
    if record.intended:
        parts.append("(attribute_not_exists(#closed) OR #closed = :no)")
        values["no"] = False
    for name, value in premise._asdict().items():
        if value == "":
            parts.append(f"attribute_not_exists(#{name})")
        elif value is not None:
            parts.append(f"#{name} = :{name}")
            values[name] = value
    return ConditionCheck(STATE, Expression(" AND ".join(parts), values)) if parts else None


def _gate_write(gate: GateIntent) -> Put | Delete:
    if gate.scopes:
        return Put(intent_item(gate))
    return Delete(intent_key(gate.principal))
