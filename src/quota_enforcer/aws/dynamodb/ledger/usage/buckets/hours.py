"""Whole hours and minutes of usage, read and set in the ledger's table."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.items import (
    bucket_of,
    counters,
    hours_of,
    usage_expires,
    usage_key,
)
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.minutes import (
    NOTHING,
    minute_key,
    minute_of,
    minute_values,
    minutes_between,
)
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.names import filler_names
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Table

_HOURS_AT_ONCE = 6
"""An expression of 25 hours, in the names of both forms, would be longer than DynamoDB's 4 KB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""


class DynamoUsage:
    """Whole hours of usage; `zone` says which local hours the buckets are."""

    def __init__(self, table: "Table", zone: ZoneInfo) -> None:
        self._table = table
        self._zone = zone

    def hours(self, buckets: Iterable[Bucket]) -> dict[Bucket, dict[datetime, Counts]]:
        """The stored hours (by start in UTC) of these buckets; absent ones are left out.

        So are hours in which every counter is zero.
        """
        keys = [usage_key(bucket) for bucket in dict.fromkeys(buckets)]
        stored = {
            bucket_of(item): hours_of(item, self._zone) for item in self._table.batch_get(keys)
        }
        return {bucket: hours for bucket, hours in stored.items() if hours}

    def set_hours(
        self, bucket: Bucket, hours: Mapping[datetime, Counts], meter: str = Metering.CLOUDWATCH
    ) -> None:
        several = sorted(hours.items())
        for first in range(0, len(several), _HOURS_AT_ONCE):
            self._set_hours(bucket, dict(several[first : first + _HOURS_AT_ONCE]), meter)

    def _set_hours(self, bucket: Bucket, hours: Mapping[datetime, Counts], meter: str) -> None:
        numbers, gone = counters(bucket, hours, self._zone)
        fillers = {filler_names(start, self._zone)[0]: meter for start in hours}
        values = {**numbers, **fillers, EXPIRES: usage_expires(bucket.day)}
        self._table.update(usage_key(bucket), values, gone)

    def set_minutes(
        self, bucket: Bucket, hour: datetime, end: datetime, minutes: Mapping[datetime, Counts]
    ) -> None:
        """Without a right to delete: what is not there any more becomes zero."""
        items = self._table.query(minutes_between(bucket.principal, hour, end))
        stored = {
            at: counts
            for of, at, counts in map(minute_of, items)
            if (of.model, of.place) == (bucket.model, bucket.place)
        }
        for at in sorted({**stored, **minutes}):
            counts = minutes.get(at, NOTHING)
            if counts != stored.get(at):
                self._table.put({**minute_key(bucket, at), **minute_values(at, counts)})
