"""The calls of the invocation log without what was said in them: only the fields that count.

Neither prompts nor answers leave CloudWatch. Of a record with very long bodies Logs Insights knows
the first 200 fields only, so its counts of tokens may be missing: then it has none here either.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from quota_enforcer.aws.cloudwatch.logs.query import MOST_ROWS, InsightsQueries, QueryUnread
from quota_enforcer.core.usage.counts import TOKEN_COUNTS
from quota_enforcer.core.usage.reads import no_progress
from quota_enforcer.meter.stream import BEDROCK_STREAM

_SPLIT: Final = "output.outputBodyJson.usage.cache_creation"
_LIFETIMES: Final = tuple(f"{_SPLIT}.ephemeral_{each}_input_tokens" for each in ("5m", "1h"))
FIELDS: Final = (
    *("schemaType", "timestamp", "accountId", "region", "requestId", "operation", "modelId"),
    *("errorCode", "identity.arn"),
    *(f"{each.section}.{each.field}" for each in TOKEN_COUNTS.values()),
    *("serviceTier", "serviceTier.type"),
    *("output.outputBodyJson.serviceTier.type", "output.outputBodyJson.usage.service_tier"),
    *_LIFETIMES,
)
"""None of them holds a word of a prompt or an answer."""
QUERY: Final = "\n".join(
    (
        f"fields {', '.join(FIELDS)}",
        f"| filter @logStream = '{BEDROCK_STREAM}'",
        f"| limit {MOST_ROWS}",
    )
)
_STRETCH: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_POINTER: Final = "@ptr"
"""Every row has it, and no two events have the same."""


def calls_without_bodies(
    queries: InsightsQueries,
    start: datetime,
    end: datetime,
    told: Callable[[float], None] = no_progress,
) -> Iterator[dict[str, Any]]:
    """The records from `start` to `end`, in no order, as Bedrock writes them but for the bodies.

    Raises QueryUnread, and what boto3 raises. `told` hears the progress, from 0 to 1.
    """
    seen: set[str] = set()
    at = start.replace(microsecond=0)
    while at < end:
        until = min(at + _STRETCH, end)
        for row in _rows(queries, at, until):
            pointer = row.get(_POINTER, "")
            if pointer and pointer in seen:  # of the second in which two stretches meet
                continue
            seen.add(pointer)
            yield _record(row)
        at = until
        told((until - start) / (end - start))


def _rows(queries: InsightsQueries, start: datetime, end: datetime) -> Iterator[Mapping[str, str]]:
    """Of the whole stretch, or of its halves if that is more than a query returns."""
    rows = queries.ask(QUERY, start, int(end.timestamp()))
    if len(rows) < MOST_ROWS:
        yield from rows
        return
    if end - start <= 2 * _SECOND:
        raise QueryUnread(
            f"{queries.group} has {MOST_ROWS:,} records or more within two seconds, at {start}, "
            "which no query returns: simulate a file of it with --log"
        )
    middle = (start + (end - start) / 2).replace(microsecond=0)
    yield from _rows(queries, start, middle)
    yield from _rows(queries, middle, end)


def _record(row: Mapping[str, str]) -> dict[str, Any]:
    """Its sections, from names with dots."""
    record: dict[str, Any] = {}
    for name in FIELDS:
        value = row.get(name)
        if not value:
            continue
        *sections, last = name.split(".")
        place = record
        for section in sections:
            inner = place.setdefault(section, {})
            place = inner if isinstance(inner, dict) else {}
        place[last] = int(value) if name in _LIFETIMES and value.isdecimal() else value
    return record
