"""What sweeps remember in the ledger: their state, the quotas and prices seen, and the brief."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from quota_enforcer import clock
from quota_enforcer.aws.dynamodb.dynamo_read import Expression
from quota_enforcer.aws.dynamodb.dynamo_whole import WholeTable
from quota_enforcer.aws.dynamodb.ledger import brief_items
from quota_enforcer.aws.dynamodb.ledger import items as ledger_items
from quota_enforcer.aws.dynamodb.ledger.ledger_usage import DynamoUsage
from quota_enforcer.aws.dynamodb.ledger.recounts import DynamoRecounts
from quota_enforcer.aws.dynamodb.table import Check, Put
from quota_enforcer.aws.dynamodb.text import instant, known
from quota_enforcer.core.ledger import MeterRules, PriceMemory, SweepState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoSweepMemory(DynamoUsage):
    """The sweeps' own memory, over the half of the ledger that meters fill."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        zone: ZoneInfo,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        super().__init__(client, table, zone, now)
        self._table: WholeTable = WholeTable(client, table)

    def begin(self, now: datetime) -> None:
        """Note that a sweep started; that never moves backwards."""
        started = {"started": instant(now)}
        self._table.update(ledger_items.STATE, started, condition=_not_later(started=now))

    def claim_edits(self, token: str, before: SweepState) -> bool:
        """Note by its token that somebody has seen edits and begins to act, unsettled until then.

        False, and nothing written, where somebody else did so since `before`.
        """
        seen = {"quotas_seen": token, "unsettled": token}
        same = _still(quotas_seen=before.quotas_seen, unsettled=before.unsettled)
        return self._table.update(ledger_items.STATE, seen, condition=same)

    def complete_edits(self, token: str) -> None:
        """Nothing is unsettled any more, unless it is by another token."""
        self._table.update(ledger_items.STATE, {}, ["unsettled"], _still(unsettled=token))

    def reopen_edits(self, token: str) -> None:
        """What somebody has done may rest on quotas that were edited meanwhile."""
        self._table.update(ledger_items.STATE, {"unsettled": token})

    def finish(self, state: SweepState) -> None:
        """Note what a sweep leaves, unless a later one already did.

        That is all of `state` but `closed`, `quotas_seen` and `unsettled`. A later sweep that has
        only begun keeps its `started`, so that its crash will be seen.
        """
        if state.finished is None or state.started is None:
            raise ValueError(f"a sweep that finishes has started and finished, not {state}")
        noted = ledger_items.state_attributes(state)
        gone = sorted(ledger_items.STATE_ATTRIBUTES - noted.keys())
        alone = _not_later(finished=state.finished)
        latest = _not_later(finished=state.finished, started=state.started)
        started = {"started": instant(state.started)}
        if not self._table.update(ledger_items.STATE, noted | started, gone, latest):
            self._table.update(ledger_items.STATE, noted, gone, alone)

    def note(
        self,
        *,
        fresh_at: datetime | None = None,
        breaker_since: datetime | None = None,
        gates_told: str = "",
    ) -> None:
        """Note this much of the state between two sweeps; what is not given stays."""
        noted = known(fresh_at=fresh_at, breaker_since=breaker_since, gates_told=gates_told)
        self._table.update(ledger_items.STATE, noted)

    def close(self) -> None:
        """From now on no intent to block can be written."""
        self._table.update(ledger_items.STATE, {"closed": True})

    # Quotas

    # Prices and the meters

    def meter_rules(self) -> MeterRules:
        """What the meters were told last."""
        return brief_items.brief_of(self._table.get(brief_items.BRIEF))

    def put_meter_rules(self, meter_rules: MeterRules, quotas_seen: str) -> bool:
        """Tell the meters.

        False, and nothing written, where somebody has seen an edit since the state had
        `quotas_seen`: they tell something newer.
        """
        still = Check(ledger_items.STATE, _still(quotas_seen=quotas_seen))
        return not self._table.write([Put(brief_items.brief_item(meter_rules)), still])

    def ask_recounts(self, hours: Iterable[datetime], now: datetime) -> None:
        """Ask that these hours be set from the log once they are closed."""
        DynamoRecounts(self._table).ask_recounts(hours, now)

    def price_memories(self) -> list[PriceMemory]:
        """Of which models admins were ever told that they have no price."""
        return [
            ledger_items.price_memory_of(item) for item in self._partition(ledger_items.UNPRICED)
        ]


def _still(**values: str) -> Expression:
    """Holds where the state says just this; an empty text stands for what is not there."""
    parts = (
        f"#{name} = :{name}" if value else f"attribute_not_exists(#{name})"
        for name, value in values.items()
    )
    return Expression(" AND ".join(parts), known(**values))


def _not_later(**moments: datetime) -> Expression:
    """Holds where the state has no later moments than these."""
    parts = (f"(attribute_not_exists(#{name}) OR #{name} <= :{name})" for name in moments)
    return Expression(
        " AND ".join(parts), {name: instant(moment) for name, moment in moments.items()}
    )
