"""The ledger in DynamoDB as the stream meter and the recount touch it, and no more of it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from quota_enforcer import clock
from quota_enforcer.aws.dynamodb.dynamo_read import BATCH, Expression, Plain
from quota_enforcer.aws.dynamodb.ledger import items as ledger_items
from quota_enforcer.aws.dynamodb.ledger import usage_items
from quota_enforcer.aws.dynamodb.ledger.additions import DynamoAdditions
from quota_enforcer.aws.dynamodb.ledger.brief_items import BRIEF, brief_of
from quota_enforcer.aws.dynamodb.ledger.ledger_usage import DynamoUsage
from quota_enforcer.aws.dynamodb.ledger.recounts import DynamoRecounts
from quota_enforcer.aws.dynamodb.ledger.schema import BY_DUE
from quota_enforcer.aws.dynamodb.table import Update
from quota_enforcer.core.ledger import Bucket, MeterRules, Source
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.meter.ports import AddResult, Recount, UsageEntry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoMeterLedger(DynamoUsage):
    """The `MeterLedger`; `zone` says which local hours its buckets are."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        zone: ZoneInfo,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        super().__init__(client, table, zone, now)
        self._recounts = DynamoRecounts(self._table)
        self._additions = DynamoAdditions(self._table, self._recounts, zone, now)

    def meter_rules(self) -> MeterRules:
        """What the enforcer tells the meters."""
        return brief_of(self._table.get(BRIEF))

    def add(self, additions: Sequence[UsageEntry], now: datetime) -> AddResult:
        """Add each call that was never added; duplicates are confirmed and dropped."""
        return self._additions.add(additions, now)

    def remember_sources(self, sources: Sequence[Source]) -> None:
        """Remember how callers stand in the log; what a meter of metrics knows of them stays.

        So does one that was seen later already: a recount looks back, a delivery may be late.
        """
        by_activity = sorted(sources, key=lambda source: source.active_to)
        newest = {(source.arn, source.model_id): source for source in by_activity}
        writes = [_keeping(ledger_items.source_item(source)) for source in newest.values()]
        for first in range(0, len(writes), BATCH):
            left = writes[first : first + BATCH]
            while left and (seen_later := self._table.write(left)):
                left = [each for place, each in enumerate(left) if place not in seen_later]

    def principals(self) -> set[Principal]:
        """Everybody who has a record, eventually consistent."""
        return {
            usage_items.principal_of(item["pk"])
            for listing in (ledger_items.OPEN, ledger_items.BLOCKED)
            for item in self._table.query(
                Expression("#listing = :listing", {"listing": listing}), index=BY_DUE
            )
        }

    def day(self, principal: Principal, day: date) -> dict[Bucket, dict[datetime, Counts]]:
        """The stored hours of one principal's buckets of one local date, those without any too."""
        items = self._table.query(
            Expression(
                "#pk = :pk AND begins_with(#sk, :day)",
                {"pk": str(principal), "day": f"usage#{day}#"},
            )
        )
        return {
            usage_items.bucket_of(item): usage_items.hours_of(item, self._zone) for item in items
        }

    def ask_recounts(self, hours: Iterable[datetime], now: datetime) -> None:
        """Ask that these hours be set from the log once they are closed."""
        self._recounts.ask_recounts(hours, now)

    def recounts(self) -> list[Recount]:
        """The hours asked for and not finished since, oldest first."""
        return self._recounts.recounts()

    def start_recount(self, hour: datetime, now: datetime) -> None:
        """From now on calls of this hour are not added but ask for another recount."""
        self._recounts.start_recount(hour, now)

    def finish_recount(self, hour: datetime, now: datetime) -> None:
        """The hour is set; one asked for or begun again since stays to be done."""
        self._recounts.finish_recount(hour, now)

    def drop_recount(self, hour: datetime) -> None:
        """The hour cannot be set from the log: it is asked for no more, as if never begun with."""
        self._recounts.drop_recount(hour)


def _keeping(item: Plain) -> Update:
    """Writes what an item says, unless a later one is stored, and leaves what else is there."""
    key = {name: item[name] for name in ("pk", "sk")}
    values = {name: item[name] for name in item.keys() - key.keys()}
    not_later = "attribute_not_exists(#active_to) OR #active_to <= :active_to"
    return Update(key, {}, values, Expression(not_later, {"active_to": item["active_to"]}))
