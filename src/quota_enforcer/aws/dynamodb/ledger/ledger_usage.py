"""The metered half of the ledger in DynamoDB: usage buckets, and the series they come from."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from quota_enforcer import clock
from quota_enforcer.aws.dynamodb.ledger import items as ledger_items
from quota_enforcer.aws.dynamodb.ledger import usage_items
from quota_enforcer.aws.dynamodb.ledger.ledger_reads import DynamoReads
from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.core.ledger import Bucket, Source
from quota_enforcer.core.usage.counts import Counts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


METER = "meter"
"""Stands where an hour's counters stand, `13.meter`, and says who filled the hour."""
CLOUDWATCH = "cloudwatch"
STREAM = "stream"

_HOURS_AT_ONCE = 12
"""An expression of 25 hours would come near the 4 KB that DynamoDB reads of one."""


class DynamoUsage(DynamoReads):
    """Usage in the ledger's table; `zone` says which local hours its buckets are.

    `now` is asked only for what has expired, since DynamoDB deletes that days late.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        zone: ZoneInfo,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        super().__init__(client, table, zone)
        self._table: Table = Table(client, table)
        self._now = now

    def hours(self, buckets: Iterable[Bucket]) -> dict[Bucket, dict[datetime, Counts]]:
        """The stored hours (by start in UTC) of these buckets; absent ones are left out.

        So are hours in which every counter is zero.
        """
        keys = [usage_items.usage_key(bucket) for bucket in dict.fromkeys(buckets)]
        stored = {
            usage_items.bucket_of(item): usage_items.hours_of(item, self._zone)
            for item in self._table.batch_get(keys)
        }
        return {bucket: hours for bucket, hours in stored.items() if hours}

    def set_hours(
        self, bucket: Bucket, hours: Mapping[datetime, Counts], meter: str = CLOUDWATCH
    ) -> None:
        """Set whole hours of one bucket; other hours stay. `meter` says who filled them."""
        several = sorted(hours.items())
        for first in range(0, len(several), _HOURS_AT_ONCE):
            self._set_hours(bucket, dict(several[first : first + _HOURS_AT_ONCE]), meter)

    def _set_hours(self, bucket: Bucket, hours: Mapping[datetime, Counts], meter: str) -> None:
        numbers, zeros = usage_items.counters(bucket, hours, self._zone)
        meters = {usage_items.counter_name(start, METER, self._zone): meter for start in hours}
        values = {**numbers, **meters, EXPIRES: usage_items.usage_expires(bucket.day)}
        self._table.update(usage_items.usage_key(bucket), values, zeros)

    def sources(self) -> list[Source]:
        """The metric sources remembered."""
        now = self._now()
        items = self._partition(ledger_items.SOURCES)
        return [ledger_items.source_of(i) for i in items if not ledger_items.expired(i, now)]

    def remember_source(self, source: Source) -> None:
        """Remember one for a week after its last data, or as long as it is behind."""
        self._table.put(ledger_items.source_item(source))
