"""Usage in the ledger: one item for each principal, model and local date, its hours as numbers.

An hour's counter is a top-level attribute, `13.in`, so that a later meter can ADD to it atomically
and an admin can read it in the console. The second 02:00 of the night in which the clocks go back
is `02b`. Counters of zero are left out; days are never stored, only summed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.aws.dynamodb.ledger.schema import principal_of
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.names import (
    WHOLE,
    counters_of_hour,
    hour_and_counter,
    older_names,
    summed,
)
from quota_enforcer.aws.dynamodb.wire import Plain
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import HOME, is_place
from quota_enforcer.core.usage.stored import USAGE_KEPT, Bucket
from quota_enforcer.core.usage.window import hour_start, local_date

AFTER_USAGE = "usage$"
"""Comes after every range key that starts with `usage#`, since `$` follows `#`."""


def usage_key(bucket: Bucket) -> Plain:
    """Where a bucket is stored; the meter takes no model with a `#` in its id."""
    place = f"#{bucket.place}" if bucket.place else ""
    return {"pk": str(bucket.principal), "sk": f"usage#{bucket.day}#{bucket.model}{place}"}


def bucket_of(item: Plain) -> Bucket:
    """Which bucket a usage item is."""
    day, model, place = day_model_and_place(item["sk"])
    return Bucket(principal_of(item["pk"]), model, day, place)


@lru_cache(maxsize=4096)
def day_model_and_place(key: str) -> tuple[date, str, str]:
    """What a range key says of the bucket; remembered, since many have the same."""
    _, day, rest = key.split("#", 2)
    return date.fromisoformat(day), *model_and_place(rest)


def model_and_place(text: str) -> tuple[str, str]:
    """As range keys end."""
    before, mark, after = text.rpartition("#")
    return (before, after) if mark and is_place(after) else (text, HOME)


def counters(
    bucket: Bucket, hours: Mapping[datetime, Counts], zone: ZoneInfo
) -> tuple[dict[str, int | Decimal], list[str]]:
    """The attributes to set and to remove so that these hours hold exactly these counts.

    Those that only an older version wrote are removed, since they would be added.

    Raises ValueError for a moment that starts no local hour of the bucket's day: nobody would
    ever read it.
    """
    numbers: dict[str, int | Decimal] = {}
    for start, counts in hours.items():
        if hour_start(start, zone) != start or local_date(start, zone) != bucket.day:
            raise ValueError(f"{start.isoformat()} starts no hour of {bucket.day} in {zone}")
        numbers |= counters_of_hour(start, counts, zone)
    older = [name for start in hours for name in older_names(start, zone)]
    return (
        {name: number for name, number in numbers.items() if number},
        [name for name, number in numbers.items() if not number] + older,
    )


def hours_of(item: Plain, zone: ZoneInfo) -> dict[datetime, Counts]:
    """The hours of a usage item by their start in UTC; other attributes are none."""
    day = bucket_of(item).day
    found: defaultdict[datetime, list[tuple[str, Any]]] = defaultdict(list)
    for attribute, number in item.items():
        known = hour_and_counter(attribute)
        if known is not None:
            at, counter = known
            found[datetime.combine(day, at, zone).astimezone(UTC)].append((counter, number))
    return {start: summed(found[start]) for start in sorted(found)}


def day_of(item: Mapping[str, Any]) -> Counts:
    """The sums of the hours of a usage item as it came from DynamoDB: what its day comes to."""
    sums: dict[str, Any] = {}
    for attribute, value in item.items():
        known = hour_and_counter(attribute)
        if known is not None:
            counter = known[1]
            number = int(value["N"]) if counter in WHOLE else Decimal(value["N"])
            sums[counter] = sums[counter] + number if counter in sums else number
    return Counts(**sums)


def day_in(item: Plain) -> Counts:
    """The same of an item in plain Python."""
    named = ((hour_and_counter(name), number) for name, number in item.items())
    return summed((known[1], number) for known, number in named if known is not None)


def usage_expires(day: date) -> int:
    """When a bucket may go, in seconds of Unix time; the same for every write to it."""
    return int(datetime.combine(day + USAGE_KEPT, time.min, UTC).timestamp())


def usage_of(items: Iterable[Plain], zone: ZoneInfo) -> Usage:
    """What several items of one principal come to."""
    places: dict[str, dict[str, dict[datetime, Counts]]] = {}
    for item in items:
        hours = hours_of(item, zone)
        if hours:
            bucket = bucket_of(item)
            places.setdefault(bucket.place, {}).setdefault(bucket.model, {}).update(hours)
    return Usage.of_places(
        {
            place: {name: ModelUsage.of_hours(hours, zone) for name, hours in models.items()}
            for place, models in places.items()
        }
    )
