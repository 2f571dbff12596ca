"""The ledger in DynamoDB: one table, everything of one principal in one partition."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from quota_enforcer.aws.dynamodb.dynamo_read import BATCH, Expression
from quota_enforcer.aws.dynamodb.ledger import gate_memory as gate_intents
from quota_enforcer.aws.dynamodb.ledger import items as ledger_items
from quota_enforcer.aws.dynamodb.ledger import notice_items
from quota_enforcer.aws.dynamodb.ledger.ledger_memory import DynamoSweepMemory
from quota_enforcer.aws.dynamodb.ledger.schema import BY_DUE
from quota_enforcer.aws.dynamodb.table import Check, Delete, Put
from quota_enforcer.aws.dynamodb.text import instant
from quota_enforcer.core.errors import Closed, Conflict
from quota_enforcer.core.ledger import GateIntent, PriceMemory, QuotaMemory, Record
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice
from quota_enforcer.core.principal import Principal

_NOTICES_AT_ONCE = (BATCH - 3) // 2


class DynamoLedger(DynamoSweepMemory):
    """The whole `Ledger`: records and notices, over what sweeps remember and what meters fill."""

    # Records

    def due(self, now: datetime) -> set[Principal]:
        """Whose record is due."""
        return {record.principal for record in self._listed(instant(now))}

    def blocked(self) -> list[Record]:
        """Every record that denies something, or was about to; eventually consistent."""
        return self._listed(listings=[ledger_items.BLOCKED])

    def everybody(self) -> list[Record]:
        """Every record, eventually consistent."""
        return self._listed()

    def gate_intents(self) -> list[GateIntent]:
        """What the gates shall deny, consistently read."""
        return [gate_intents.intent_of(item) for item in self._partition(gate_intents.GATES)]

    def put(
        self,
        record: Record,
        notices: Iterable[Notice] = (),
        gate: GateIntent | None = None,
        quotas_seen: str | None = None,
    ) -> None:
        """Write a record over its previous version, with its notices into outbox and history.

        With `gate` also what a gate shall deny; one without scopes takes it out. All or nothing.
        Raises Conflict where the version is not the next one, or where somebody has seen an edit
        since the state had `quotas_seen`; and Closed where `record.intended` would deny something
        after `close`. A transaction holds 100 items, hence ValueError for more than 48 notices.
        """
        writes: list[Put | Delete | Check] = [
            Put(ledger_items.record_item(record), _follows(record))
        ]
        check = _state_allows(record, quotas_seen)
        if check is not None:
            writes.append(check)
        if gate is not None:
            writes.append(_gate_write(gate))
        told = _notice_writes(notices)
        if len(told) > 2 * _NOTICES_AT_ONCE:
            raise ValueError(
                f"{record.principal} has {len(told) // 2} notices at once; allowed with one "
                f"record: {_NOTICES_AT_ONCE}. Merge some of its quotas",
            )
        writes += told
        failed = self._table.write(writes)
        if any(writes[place] is check for place in failed) and (
            quotas_seen is None or self.state().closed
        ):
            raise Closed(f"the stack is being deleted, so {record.principal} cannot be blocked")
        if failed:
            raise Conflict(
                f"the record of {record.principal} is no longer at version {record.version - 1}, "
                "or the quotas have been edited",
            )

    # Notices

    def post(self, notices: Iterable[Notice]) -> None:
        """Put notices that belong to no record into outbox and history."""
        writes = _notice_writes(notices)
        for first in range(0, len(writes), BATCH):
            self._table.write(writes[first : first + BATCH])

    def outbox(self, until: datetime) -> list[Notice]:
        """Notices posted before `until` and not sent yet."""
        waiting = map(notice_items.notice_of, self._partition(notice_items.OUTBOX))
        return [notice for notice in waiting if notice.at < until]

    def sent(self, notice: Notice) -> None:
        """Take a notice out of the outbox."""
        self._table.delete(notice_items.outbox_key(notice))

    def history(
        self, principal: Principal | None = None, since: datetime | None = None
    ) -> list[Notice]:
        """Past notices, oldest first: one principal's, or those of the deployment."""
        keys = {"first": notice_items.history_from(since), "after": notice_items.AFTER_HISTORY}
        partition = ledger_items.DEPLOYMENT if principal is None else str(principal)
        items = self._table.query(
            Expression("#pk = :pk AND #sk BETWEEN :first AND :after", {"pk": partition, **keys})
        )
        return _by_time(map(notice_items.notice_of, items), since)

    def whole_history(
        self, since: datetime | None = None, limit: int | None = None
    ) -> list[Notice]:
        """Everybody's and the deployment's past notices, oldest first, of these the newest."""
        first = "0" if since is None else instant(since)
        where = Expression(
            "#listing = :listing AND #due >= :first",
            {"listing": notice_items.LISTED, "first": first},
        )
        items = self._table.query(where, index=BY_DUE, newest_first=True)
        return _by_time(map(notice_items.notice_of, islice(items, limit)), since)

    def remember_price(
        self, memory: PriceMemory, before: PriceMemory | None, notices: Iterable[Notice] = ()
    ) -> bool:
        """Remember it over `before`, with its notices into outbox and history.

        False, and nothing written, where somebody else was first.
        """
        condition = Expression("attribute_not_exists(#pk)")
        if before is not None:
            same = {"hour": instant(before.hour), "priced": before.priced}
            condition = Expression("#hour = :hour AND #priced = :priced", same)
        put = Put(ledger_items.price_memory_item(memory), condition)
        return not self._table.write([put, *_notice_writes(notices)])

    def remember_quota(
        self, memory: QuotaMemory, before: QuotaMemory, notices: Iterable[Notice] = ()
    ) -> bool:
        """Remember a quota item's last valid version over `before`, with its notices.

        They go into the history, and into the outbox but for those that are only noted. False, and
        nothing written, where somebody else was first.
        """
        put = Put(ledger_items.memory_item(memory), _as_remembered(before))
        return not self._table.write([put, *_notice_writes(notices)])

    def forget_quota(self, before: QuotaMemory, notices: Iterable[Notice] = ()) -> bool:
        """Forget a quota item that is gone; else likewise."""
        delete = Delete(ledger_items.memory_key(before), _as_remembered(before))
        return not self._table.write([delete, *_notice_writes(notices)])

    def _listed(
        self,
        until: str = ledger_items.NEVER,
        listings: Iterable[str] = (ledger_items.OPEN, ledger_items.BLOCKED),
    ) -> list[Record]:
        """The records due until then; one that moves to the other listing just now comes once."""
        records: dict[Principal, Record] = {}
        for listing in listings:
            where = Expression(
                "#listing = :listing AND #due <= :until", {"listing": listing, "until": until}
            )
            for item in self._table.query(where, index=BY_DUE):
                record = ledger_items.record_of(item)
                known = records.setdefault(record.principal, record)
                if known.version < record.version:
                    records[record.principal] = record
        return list(records.values())


def _by_time(notices: Iterable[Notice], since: datetime | None) -> list[Notice]:
    """Oldest first; keys have whole seconds only."""
    later = (each for each in notices if since is None or each.at >= since)
    return sorted(later, key=lambda notice: notice.at)


def _follows(record: Record) -> Expression:
    """Holds where the ledger has the version before this one."""
    if record.version == 1:
        return Expression("attribute_not_exists(#pk)")
    return Expression("#version = :previous", {"previous": record.version - 1})


def _as_remembered(before: QuotaMemory) -> Expression:
    """Holds where nobody has remembered anything else of a quota item."""
    if before.stamp:
        return Expression("#stamp = :stamp", {"stamp": before.stamp})
    return Expression("attribute_not_exists(#stamp)")


def _state_allows(record: Record, quotas_seen: str | None) -> Check | None:
    """What the state must be for a record to be written, if that matters."""
    parts: list[str] = []
    values: dict[str, object] = {}
    if record.intended:
        parts.append("(attribute_not_exists(#closed) OR #closed = :no)")
        values["no"] = False
    if quotas_seen == "":
        parts.append("attribute_not_exists(#quotas_seen)")
    elif quotas_seen is not None:
        parts.append("#quotas_seen = :seen")
        values["seen"] = quotas_seen
    return Check(ledger_items.STATE, Expression(" AND ".join(parts), values)) if parts else None


def _gate_write(gate: GateIntent) -> Put | Delete:
    if gate.scopes:
        return Put(gate_intents.intent_item(gate))
    return Delete(gate_intents.intent_key(gate.principal))


def _notice_writes(notices: Iterable[Notice]) -> list[Put]:
    """Outbox and history of each notice; the same one twice is one."""
    several = {notice.id: notice for notice in notices}.values()
    told = (notice for notice in several if notice.kind not in HISTORY_ONLY)
    return [
        *(Put(notice_items.outbox_item(notice)) for notice in told),
        *(Put(notice_items.history_item(notice)) for notice in several),
    ]
