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
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES, principal_of
from quota_enforcer.aws.dynamodb.text import instant
from quota_enforcer.aws.dynamodb.wire import Plain
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.buckets import MinuteCounts, ModelUsage, Usage
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.place import HOME, is_place
from quota_enforcer.core.usage.stored import USAGE_KEPT, Bucket
from quota_enforcer.core.usage.window import hour_start, local_date

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Table

AFTER_USAGE = "usage$"
"""Comes after every range key that starts with `usage#`, since `$` follows `#`."""

AFTER_MINUTES = "minutes$"
"""The same of buckets of a minute."""

MINUTES_STAY = timedelta(hours=3)
"""Longer than a window of minutes, and than a recount sets them."""

METER = "meter"
"""An attribute beside an hour's counters, `13.meter`: who filled the hour."""

_HOURS_AT_ONCE = 12
"""An expression of 25 hours would come near the 4 KB that DynamoDB reads of one."""

_NOTHING = Counts()

_WHOLE = frozenset(OBSERVED)

_COUNTER = re.compile(r"(?P<hour>[01]\d|2[0-3])(?P<again>b?)\.(?P<counter>[a-z_]+)")


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
        numbers, zeros = counters(bucket, hours, self._zone)
        meters = {counter_name(start, METER, self._zone): meter for start in hours}
        values = {**numbers, **meters, EXPIRES: usage_expires(bucket.day)}
        self._table.update(usage_key(bucket), values, zeros)

    def set_minutes(
        self, bucket: Bucket, hour: datetime, end: datetime, minutes: Mapping[datetime, Counts]
    ) -> None:
        """Without a right to delete: what is not there any more becomes zero."""
        items = self._table.query(minutes_between(bucket.principal, hour, end))
        stored = {
            at: counts
            for of, at, counts in map(_minute_of, items)
            if (of.model, of.place) == (bucket.model, bucket.place)
        }
        for at in sorted({**stored, **minutes}):
            counts = minutes.get(at, _NOTHING)
            if counts != stored.get(at):
                self._table.put({**minute_key(bucket, at), **minute_values(at, counts)})


def minute_key(bucket: Bucket, at: datetime) -> Plain:
    """Where the minute that begins at `at` is stored; of its bucket it has all but the day."""
    place = f"#{bucket.place}" if bucket.place else ""
    return {"pk": str(bucket.principal), "sk": f"minutes#{instant(at)}#{bucket.model}{place}"}


def minute_values(at: datetime, counts: Counts = _NOTHING) -> Plain:
    """Its counters, and when it may go."""
    used = {counter: number for counter, number in counts._asdict().items() if number}
    return {**used, EXPIRES: int((at + MINUTES_STAY).timestamp())}


def minutes_between(
    principal: Principal, first: datetime, end: datetime | None = None
) -> Expression:
    """The buckets of a minute from `first` on, and before `end`."""
    after = AFTER_MINUTES if end is None else f"minutes#{instant(end)}"
    keys = {"pk": str(principal), "first": f"minutes#{instant(first)}", "after": after}
    return Expression("#pk = :pk AND #sk BETWEEN :first AND :after", keys)


def minutes_of(items: Iterable[Plain]) -> MinuteCounts:
    """What several items of one principal hold."""
    found: dict[str, dict[str, dict[datetime, Counts]]] = {}
    for item in items:
        bucket, at, counts = _minute_of(item)
        found.setdefault(bucket.place, {}).setdefault(bucket.model, {})[at] = counts
    return found


def _minute_of(item: Plain) -> tuple[Bucket, datetime, Counts]:
    _, at, rest = item["sk"].split("#", 2)
    model, place = _model_and_place(rest)
    used: dict[str, Any] = {
        counter: int(item[counter]) if counter in OBSERVED else item[counter]
        for counter in item.keys() & set(Counts._fields)
    }
    start = datetime.fromisoformat(at)
    return Bucket(principal_of(item["pk"]), model, start.date(), place), start, Counts(**used)


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
    return date.fromisoformat(day), *_model_and_place(rest)


def _model_and_place(text: str) -> tuple[str, str]:
    """As range keys end."""
    before, mark, after = text.rpartition("#")
    return (before, after) if mark and is_place(after) else (text, HOME)


def counter_name(start: datetime, counter: str, zone: ZoneInfo) -> str:
    """The attribute of one counter in the hour that starts at `start`."""
    return f"{_hour_name(start, zone)}.{counter}"


def _hour_name(start: datetime, zone: ZoneInfo) -> str:
    """Two digits, and a `b` at the second of two hours that clocks call the same."""
    local = start.astimezone(zone)
    return f"{local:%H}{'b' * local.fold}"


def counters(
    bucket: Bucket, hours: Mapping[datetime, Counts], zone: ZoneInfo
) -> tuple[dict[str, int | Decimal], list[str]]:
    """The attributes to set and to remove so that these hours hold exactly these counts.

    Raises ValueError for a moment that starts no local hour of the bucket's day: nobody would
    ever read it.
    """
    numbers: dict[str, int | Decimal] = {}
    for start, counts in hours.items():
        if hour_start(start, zone) != start or local_date(start, zone) != bucket.day:
            raise ValueError(f"{start.isoformat()} starts no hour of {bucket.day} in {zone}")
        hour = _hour_name(start, zone)
        for counter, number in counts._asdict().items():
            numbers[f"{hour}.{counter}"] = number
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


def day_of(item: Mapping[str, Any]) -> Counts:
    """The sums of the hours of a usage item as it came from DynamoDB: what its day comes to."""
    sums: dict[str, Any] = {}
    for attribute, value in item.items():
        place = _place(attribute)
        if place is not None:
            counter = place[1]
            number = int(value["N"]) if counter in _WHOLE else Decimal(value["N"])
            sums[counter] = sums[counter] + number if counter in sums else number
    return Counts(**sums)


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


@lru_cache(maxsize=1024)
def _place(attribute: str) -> tuple[time, str] | None:
    """The local hour and the counter that an attribute is of."""
    match = _COUNTER.fullmatch(attribute)
    if match is None or match["counter"] not in Counts._fields:
        return None
    return time(int(match["hour"]), fold=int(bool(match["again"]))), match["counter"]
