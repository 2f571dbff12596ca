"""Everybody's usage at once: a query for each principal, or one pass over the table if quicker.

A query takes its time however little it finds, so the pass is much quicker for thousands of
principals, unless the ledger holds very much else. In a large ledger the pass also costs more:
1 GB takes 122,000 read units, which is about two cents.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.items import (
    AFTER_USAGE,
    bucket_of,
    day_model_and_place,
    day_of,
    hours_of,
)
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.aws.dynamodb.wire import plain
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.reads import no_progress
from quota_enforcer.core.usage.stored import Bucket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

READERS = 10
"""Principals read side by side, one for each connection that boto3 keeps."""
SEGMENTS = 4
"""Parts of the table that are passed over side by side; more would leave little for the meter."""
ALONE = 100
"""So many principals at most are left out of a pass: those whose usage goes back longest."""
PAGE = 1_000_000
"""Bytes that DynamoDB passes over for one answer."""
QUERIES_PER_PAGE = 10
"""How many queries take about as long as one page."""
SAMPLE = 100
"""So many principals at most are a sample."""
SHORT = 100
"""Pages of a pass that takes about three seconds, and a fifth of a cent."""


class PassedOver(Table):
    """A table that can be read as a whole; of the stack's functions only the meter may do that."""

    def segment(
        self, number: int, where: Expression, *, consistently: bool = False
    ) -> Iterator[Sequence[dict[str, Any]]]:
        """The items that `where` selects in one of the segments, page by page, as they came.

        All others are paid for too, and twice as much if they are read consistently.
        """
        request = where.request("FilterExpression") | {"ConsistentRead": consistently}
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._name, Segment=number, TotalSegments=SEGMENTS, **request
        )
        for page in pages:
            yield page["Items"]


class SizedTable(PassedOver):
    """One of which it can be asked whether that is worth it."""

    def size(self) -> int:
        """About how many bytes it has; DynamoDB counts every six hours."""
        return self._client.describe_table(TableName=self._name)["Table"].get("TableSizeBytes", 0)


class UsageOfDay:
    """Everybody's usage of one day, in one pass: a recount may concern whoever was there.

    A query for each of 100,000 principals would take longer than a function may run.
    """

    def __init__(self, client: "DynamoDBClient", table: str, zone: ZoneInfo) -> None:
        self._table = PassedOver(client, table)
        self._zone = zone

    def day(self, day: date) -> dict[Bucket, dict[datetime, Counts]]:
        where = Expression("begins_with(#sk, :day)", {"day": f"usage#{day}#"})

        def segment(number: int) -> dict[Bucket, dict[datetime, Counts]]:
            pages = self._table.segment(number, where, consistently=True)
            items = (plain(item) for page in pages for item in page)
            return {bucket_of(item): hours_of(item, self._zone) for item in items}

        found: dict[Bucket, dict[datetime, Counts]] = {}
        with ThreadPoolExecutor(SEGMENTS) as threads:
            for several in threads.map(segment, range(SEGMENTS)):
                found |= several
        return found


class _Progress:
    """How many steps of how many are done, whichever thread did them."""

    def __init__(self, steps: float, told: Callable[[float], None]) -> None:
        self._steps = max(steps, 1)
        self._told = told
        self._done = 0
        self._lock = Lock()

    def step(self) -> None:
        """One more is done; there may be more of them than was thought."""
        with self._lock:
            self._done += 1
            self._told(min(self._done / self._steps, 1))


class UsageReader:
    """Reads the usage of many principals; `read` is how that of one is read."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        zone: ZoneInfo,
        read: Callable[[Principal, date], Usage],
    ) -> None:
        self._table = SizedTable(client, table)
        self._zone = zone
        self._read = read

    def usages(
        self,
        firsts: Mapping[Principal, date],
        hours_from: date | None,
        told: Callable[[float], None] = no_progress,
    ) -> dict[Principal, Usage]:
        """What each one used from a local date on; hours from theirs on, or none of them.

        Where it may not pass over the table, there is a query for each.
        """
        alone, together = _divided(firsts)
        try:
            pages = self._pages() if together else 0.0
            if together and _is_quicker(pages, len(together)):
                steps = _Progress(len(alone) / QUERIES_PER_PAGE + pages, told)
                found = self._pass_over(together, hours_from, steps)
                return found | self._one_by_one(alone, steps)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
        return self._one_by_one(firsts, _Progress(len(firsts) / QUERIES_PER_PAGE, told))

    def sample(self, principals: Collection[Principal], first: date) -> dict[Principal, Usage]:
        """By the day; everybody's if there are few or one short pass finds it, else of some."""
        several = sorted(principals)
        if len(several) > SAMPLE and not self._is_short(len(several)):
            several = several[:: ceil(len(several) / SAMPLE)]
        return self.usages(dict.fromkeys(several, first), None)

    def _is_short(self, principals: int) -> bool:
        try:
            pages = self._pages()
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            return False
        return pages <= SHORT and _is_quicker(pages, principals)

    def _pages(self) -> float:
        return self._table.size() / PAGE

    def _one_by_one(
        self, firsts: Mapping[Principal, date], progress: _Progress
    ) -> dict[Principal, Usage]:
        found: dict[Principal, Usage] = {}
        with ThreadPoolExecutor(READERS) as threads:
            usages = threads.map(lambda each: self._read(each, firsts[each]), firsts)
            for place, (principal, usage) in enumerate(zip(firsts, usages, strict=True)):
                found[principal] = usage
                if place % QUERIES_PER_PAGE == 0:
                    progress.step()
        return found

    def _pass_over(
        self, firsts: Mapping[Principal, date], hours_from: date | None, progress: _Progress
    ) -> dict[Principal, Usage]:
        """In segments side by side, each with whom it happens to hold."""
        keys = {"first": f"usage#{min(firsts.values())}", "after": AFTER_USAGE}
        where = Expression("#sk BETWEEN :first AND :after", keys)
        by_key = {str(each): each for each in firsts}

        def segment(number: int) -> dict[Principal, Usage]:
            gathered: defaultdict[Principal, _Buckets] = defaultdict(_Buckets)
            for page in self._table.segment(number, where):
                for item in page:
                    if (who := by_key.get(item["pk"]["S"])) is not None:
                        gathered[who].add(item, self._zone, hours_from)
                progress.step()
            return {principal: buckets.usage() for principal, buckets in gathered.items()}

        found = {each: Usage() for each in firsts}
        with ThreadPoolExecutor(SEGMENTS) as threads:
            for several in threads.map(segment, range(SEGMENTS)):
                found |= several
        return found


def _divided(
    firsts: Mapping[Principal, date],
) -> tuple[dict[Principal, date], dict[Principal, date]]:
    """Whom to query one by one, and whom to read in a pass over the table.

    The few whose usage goes back longest are queried if the pass then need not go back so far.
    """
    by_first = sorted(firsts, key=firsts.__getitem__)
    begins = firsts[by_first[ALONE]] if len(by_first) > ALONE else date.max
    return (
        {each: firsts[each] for each in by_first if firsts[each] < begins},
        {each: firsts[each] for each in by_first if firsts[each] >= begins},
    )


def _is_quicker(pages: float, principals: int) -> bool:
    """Whether a pass over so much is quicker than a query for each."""
    return principals >= QUERIES_PER_PAGE * pages


@dataclass(slots=True)
class _Buckets:
    """One principal's buckets, by place and model."""

    hours: defaultdict[tuple[str, str], dict[datetime, Counts]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    days: defaultdict[str, defaultdict[str, dict[date, Counts]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )

    def add(self, item: Mapping[str, Any], zone: ZoneInfo, hours_from: date | None) -> None:
        """Only what counts is decoded of an item as it came."""
        day, model, place = day_model_and_place(item["sk"]["S"])
        counts = day_of(item)
        if any(counts):
            self.days[place][model][day] = counts
            if hours_from is not None and day >= hours_from:
                self.hours[place, model].update(hours_of(plain(item), zone))

    def usage(self) -> Usage:
        return Usage.of_places(
            {
                place: {
                    model: ModelUsage(self.hours[place, model], days)
                    for model, days in models.items()
                }
                for place, models in self.days.items()
            }
        )
