"""Everybody's usage at once: a query for each, or one pass over the table where that is quicker.

A query takes its time however little it finds, so for thousands of principals the pass is quicker
by far, unless the ledger holds very much else. It is the dearer of the two where it is chosen for a
large ledger: 1 GB takes 122,000 read units, which is about two cents.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from quota_enforcer.aws import usage_items
from quota_enforcer.aws.dynamo import Expression, Table, plain
from quota_enforcer.core.measure import Counts
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage import ModelUsage, Usage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

READERS = 16
"""Principals read side by side: reading waits for the network, not for the processor."""
SEGMENTS = 4
"""Parts of the table that are passed over side by side; more would leave little for the meter."""
ALONE = 100
"""So many principals are read by a query each in any case: those whose usage goes back longest."""
PAGE = 1_000_000
"""Bytes that DynamoDB passes over for one answer."""
QUERIES_PER_PAGE = 10
"""How many queries take about as long as one page."""


class _PassedOver(Table):
    """A table that can be read as a whole; no function of the stack may do that."""

    def size(self) -> int:
        """About how many bytes it has; DynamoDB counts every six hours."""
        return self._client.describe_table(TableName=self._name)["Table"].get("TableSizeBytes", 0)

    def segment(self, number: int, where: Expression) -> Iterator[dict[str, Any]]:
        """The items that `where` selects in one of the segments; all others are paid for too."""
        request = where.request("FilterExpression")
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._name, Segment=number, TotalSegments=SEGMENTS, **request
        )
        for page in pages:
            yield from map(plain, page["Items"])


class UsageReader:
    """Reads the usage of many principals; `read` is how that of one is read."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        zone: ZoneInfo,
        read: Callable[[Principal, date], Usage],
    ) -> None:
        self._table = _PassedOver(client, table)
        self._zone = zone
        self._read = read

    def usages(
        self, firsts: Mapping[Principal, date], hours_from: date | None
    ) -> dict[Principal, Usage]:
        """What each one used from a local date on; hours from theirs on, or none of them."""
        by_first = sorted(firsts, key=firsts.__getitem__)
        alone, together = by_first[:ALONE], by_first[ALONE:]
        if together and len(together) < QUERIES_PER_PAGE * self._table.size() / PAGE:
            alone, together = by_first, []
        since = {each: firsts[each] for each in together}
        found = self._pass_over(since, hours_from) if together else {}
        with ThreadPoolExecutor(READERS) as threads:
            read = threads.map(lambda each: self._read(each, firsts[each]), alone)
            return found | dict(zip(alone, read, strict=True))

    def _pass_over(
        self, firsts: Mapping[Principal, date], hours_from: date | None
    ) -> dict[Principal, Usage]:
        """In segments side by side, each with whom it happens to hold."""
        keys = {"first": f"usage#{min(firsts.values())}", "after": usage_items.AFTER_USAGE}
        where = Expression("#sk BETWEEN :first AND :after", keys)
        by_key = {str(each): each for each in firsts}

        def segment(number: int) -> dict[Principal, Usage]:
            gathered: defaultdict[Principal, _Buckets] = defaultdict(_Buckets)
            for item in self._table.segment(number, where):
                if item["pk"] in by_key:
                    gathered[by_key[item["pk"]]].add(item, self._zone, hours_from)
            return {principal: buckets.usage() for principal, buckets in gathered.items()}

        found = {each: Usage() for each in firsts}
        with ThreadPoolExecutor(SEGMENTS) as threads:
            for several in threads.map(segment, range(SEGMENTS)):
                found |= several
        return found


@dataclass(slots=True)
class _Buckets:
    """One principal's buckets, model by model."""

    hours: defaultdict[str, dict[datetime, Counts]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    days: defaultdict[str, dict[date, Counts]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, item: Mapping[str, object], zone: ZoneInfo, hours_from: date | None) -> None:
        _, model, day = usage_items.bucket_of(item)
        counts = usage_items.day_of(item)
        if any(counts):
            self.days[model][day] = counts
            if hours_from is not None and day >= hours_from:
                self.hours[model].update(usage_items.hours_of(item, zone))

    def usage(self) -> Usage:
        return Usage(
            {model: ModelUsage(self.hours[model], days) for model, days in self.days.items()}
        )
