"""Additions as the parts of one transaction: markers, buckets and the hours that must be open.

A marker is an item in its principal's partition that holds the keys of calls that were added; a
bucket gets the sum of the transaction's calls. All of it is written, or nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.items import (
    counters,
    usage_expires,
    usage_key,
)
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.minutes import minute_key, minute_values
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.names import filler_names, short_named
from quota_enforcer.aws.dynamodb.ledger.usage.packs import Marker, marker_of, minutes_of
from quota_enforcer.aws.dynamodb.ledger.usage.recounts import recount_key
from quota_enforcer.aws.dynamodb.table import ConditionCheck, Update
from quota_enforcer.aws.dynamodb.text import instant
from quota_enforcer.aws.dynamodb.wire import Plain
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.meter.ports import EARLY, OLDEST, UsageEntry

if TYPE_CHECKING:
    from decimal import Decimal

    from quota_enforcer.aws.dynamodb.ledger.usage.packs import Minute

KEPT = OLDEST + 2 * EARLY
"""How long a marker stays: until its call would be refused as too old.

CloudWatch Logs repeats a delivery for a day, Lambda for hours.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""
ADDED = "added"
"""The attribute of a marker with the keys of its calls."""
AFTER_CALLS = "calls$"
"""Comes after every range key of a marker, since `$` follows `#`."""


def marker_key(marker: Marker) -> Plain:
    """Where a marker is stored."""
    return {"pk": str(marker.principal), "sk": f"calls#{instant(marker.slot)}"}


def marker_updates(calls: Iterable[UsageEntry], now: datetime) -> dict[Marker, Update]:
    """Writes that note these calls as added; each fails if one of its calls was added before."""
    keys: defaultdict[Marker, list[str]] = defaultdict(list)
    for call in calls:
        keys[marker_of(call)].append(call.key)
    expires = int((now + KEPT).timestamp())
    return {
        marker: Update(
            marker_key(marker), {ADDED: set(several)}, {EXPIRES: expires}, _none_added(several)
        )
        for marker, several in keys.items()
    }


def bucket_updates(calls: Iterable[UsageEntry], zone: ZoneInfo) -> list[Update]:
    """One write for each bucket, of all that its calls add to it."""
    sums: defaultdict[Bucket, defaultdict[datetime, list[Counts]]]
    sums = defaultdict(lambda: defaultdict(list))
    for call in calls:
        for bucket in call.buckets:
            sums[bucket][call.hour].append(call.counts)
    return [
        _bucket_update(bucket, {hour: Counts.total(rows) for hour, rows in hours.items()}, zone)
        for bucket, hours in sums.items()
    ]


def minute_updates(calls: Iterable[UsageEntry]) -> list[Update]:
    """One write for each minute of a bucket, for whoever has a window of minutes."""
    sums: defaultdict[Minute, list[Counts]] = defaultdict(list)
    for call in calls:
        for minute in minutes_of(call):
            sums[minute].append(call.counts)
    return [
        Update(
            minute_key(minute.bucket, minute.start),
            short_named(Counts.total(rows)),
            minute_values(minute.start),
        )
        for minute, rows in sums.items()
    ]


def open_checks(hours: Collection[datetime], place: str) -> dict[datetime, ConditionCheck]:
    """Parts that fail for an hour of a place that a recount has begun with."""
    never = Expression("attribute_not_exists(#started)")
    return {hour: ConditionCheck(recount_key(hour, place), never) for hour in sorted(hours)}


def _bucket_update(bucket: Bucket, hours: Mapping[datetime, Counts], zone: ZoneInfo) -> Update:
    numbers: dict[str, int | Decimal]
    numbers, _ = counters(bucket, hours, zone)
    expires = {EXPIRES: usage_expires(bucket.day)}
    set_by = [name for hour in hours for name in filler_names(hour, zone)]
    return Update(usage_key(bucket), numbers, expires, remove=set_by)


def _none_added(keys: list[str]) -> Expression:
    """Holds if the marker has none of these keys, or does not exist yet."""
    names = {f"k{number}": key for number, key in enumerate(keys)}
    text = " AND ".join(f"NOT contains(#{ADDED}, :{name})" for name in names)
    return Expression(text, names)
