"""Usage in the ledger: one item for each principal, model and local date, its hours as numbers.

An hour's counter is a top-level attribute, `13.input_tokens`, so that a later meter can ADD to it
atomically and an admin can read it in the console. The second 02:00 of the night in which the
clocks go back is `02b`. Counters of zero are left out; days are never stored, only summed.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.aws.dynamodb.dynamo_read import Plain
from quota_enforcer.core.ledger import Bucket
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.window import hour_start, local_date

KEPT = timedelta(days=400)
"""Usage and history stay for about 13 months: this month can be held against last year's."""
AFTER_USAGE = "usage$"
"""Comes after every range key that starts with `usage#`, since `$` follows `#`."""

_COUNTER = re.compile(r"(?P<hour>[01]\d|2[0-3])(?P<again>b?)\.(?P<counter>[a-z_]+)")


def principal_of(pk: Any) -> Principal:
    """The principal whose partition this is; what was written once is read back as it was."""
    kind, _, name = str(pk).partition("/")
    return Principal(Kind(kind), name)


def usage_key(bucket: Bucket) -> Plain:
    """Where a bucket is stored."""
    return {"pk": str(bucket.principal), "sk": f"usage#{bucket.day}#{bucket.model}"}


def bucket_of(item: Plain) -> Bucket:
    """Which bucket a usage item is."""
    _, day, model = item["sk"].split("#", 2)
    return Bucket(principal_of(item["pk"]), model, date.fromisoformat(day))


def counter_name(start: datetime, counter: str, zone: ZoneInfo) -> str:
    """The attribute of one counter in the hour that starts at `start`."""
    local = start.astimezone(zone)
    return f"{local:%H}{'b' * local.fold}.{counter}"


def counters(
    bucket: Bucket, hours: Mapping[datetime, Counts], zone: ZoneInfo
) -> tuple[dict[str, int | Decimal], list[str]]:
    """The attributes to set and to remove so that these hours hold exactly these counts.

    Raises ValueError for a moment that starts no local hour of the bucket's day: it would be
    stored where nobody looks for it.
    """
    numbers: dict[str, int | Decimal] = {}
    for start, counts in hours.items():
        if hour_start(start, zone) != start or local_date(start, zone) != bucket.day:
            raise ValueError(f"{start.isoformat()} starts no hour of {bucket.day} in {zone}")
        for counter, number in counts._asdict().items():
            numbers[counter_name(start, counter, zone)] = number
    return (
        {name: number for name, number in numbers.items() if number},
        [name for name, number in numbers.items() if not number],
    )


def hours_of(item: Plain, zone: ZoneInfo) -> dict[datetime, Counts]:
    """The hours of a usage item by their start in UTC; other attributes are none."""
    day = bucket_of(item).day
    found: dict[datetime, dict[str, Any]] = {}
    for attribute, number in item.items():
        place = _place(attribute)
        if place is not None:
            at, counter = place
            start = datetime.combine(day, at, zone).astimezone(UTC)
            found.setdefault(start, {})[counter] = int(number) if counter in OBSERVED else number
    return {start: Counts(**found[start]) for start in sorted(found)}


def day_of(item: Plain) -> Counts:
    """The sums of a usage item's hours: what its day comes to."""
    sums: dict[str, Any] = {}
    for attribute, number in item.items():
        place = _place(attribute)
        if place is not None:
            counter = place[1]
            sums[counter] = sums[counter] + number if counter in sums else number
    for counter in sums.keys() & set(OBSERVED):
        sums[counter] = int(sums[counter])
    return Counts(**sums)


def usage_expires(day: date) -> int:
    """When a bucket may go, in seconds of Unix time; the same for every write to it."""
    return int(datetime.combine(day + KEPT, time.min, UTC).timestamp())


def by_model(items: Iterable[Plain], zone: ZoneInfo) -> dict[str, dict[datetime, Counts]]:
    """The hours of several days' items, model by model."""
    models: dict[str, dict[datetime, Counts]] = {}
    for item in items:
        hours = hours_of(item, zone)
        if hours:
            models.setdefault(bucket_of(item).model, {}).update(hours)
    return models


@lru_cache(maxsize=1024)
def _place(attribute: str) -> tuple[time, str] | None:
    """The local hour and the counter that an attribute is of."""
    match = _COUNTER.fullmatch(attribute)
    if match is None or match["counter"] not in Counts._fields:
        return None
    return time(int(match["hour"]), fold=int(bool(match["again"]))), match["counter"]
