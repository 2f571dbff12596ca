"""Buckets of a minute, for whoever has a window of minutes: an item for each, gone after hours."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES, principal_of
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.items import model_and_place
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.names import counts_named, short_named
from quota_enforcer.aws.dynamodb.text import instant
from quota_enforcer.aws.dynamodb.wire import Plain
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.buckets import MinuteCounts
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket

AFTER_MINUTES = "minutes$"
"""Comes after every range key that starts with `minutes#`, since `$` follows `#`."""

MINUTES_STAY = timedelta(hours=3)
"""Longer than a window of minutes, and than a recount sets them."""

NOTHING = Counts()


def minute_key(bucket: Bucket, at: datetime) -> Plain:
    """Where the minute that begins at `at` is stored; of its bucket it has all but the day."""
    place = f"#{bucket.place}" if bucket.place else ""
    return {"pk": str(bucket.principal), "sk": f"minutes#{instant(at)}#{bucket.model}{place}"}


def minute_values(at: datetime, counts: Counts = NOTHING) -> Plain:
    """Its counters, and when it may go."""
    return {**short_named(counts), EXPIRES: int((at + MINUTES_STAY).timestamp())}


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
        bucket, at, counts = minute_of(item)
        found.setdefault(bucket.place, {}).setdefault(bucket.model, {})[at] = counts
    return found


def minute_of(item: Plain) -> tuple[Bucket, datetime, Counts]:
    """The bucket whose minute an item is, when it begins, and what it comes to."""
    _, at, rest = item["sk"].split("#", 2)
    model, place = model_and_place(rest)
    start = datetime.fromisoformat(at)
    return Bucket(principal_of(item["pk"]), model, start.date(), place), start, counts_named(item)
