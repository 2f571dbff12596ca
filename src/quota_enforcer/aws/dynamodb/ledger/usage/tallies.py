"""What was metered of each model in each hour, whoever used it: one item for a model and an hour.

It is what home's own totals are held against, so calls of other places are not in it.
It is added to after the calls themselves and not with them, since all deliveries would meet at it.
So a crash in between leaves it too low, which looks like a gap; the recount of the hour sets it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.notices import post_notices
from quota_enforcer.aws.dynamodb.ledger.schema import DEPLOYMENT, EXPIRES
from quota_enforcer.aws.dynamodb.text import fitting_key, instant, known, moment
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.place import HOME
from quota_enforcer.meter.watch.ports import HourTally, WatchMemory

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Table
    from quota_enforcer.aws.dynamodb.wire import Plain
    from quota_enforcer.core.notices.notice import Notice
    from quota_enforcer.meter.ports import UsageEntry

TALLIES: Final = "tallies"
"""The partition; the range key is the hour, and a model after it."""
FROM_LOG: Final = "from_log"
_KEPT: Final = timedelta(days=20)
_AFTER: Final = "$"
"""Follows `#`, so that a range ends after the last hour's models."""
_WATCH: Final = {"pk": DEPLOYMENT, "sk": "watch"}


class DynamoTallies:
    """The tallies, what the watch over the meter remembers, and its notices."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def add(self, calls: Iterable["UsageEntry"]) -> None:
        """Add calls that the ledger has taken."""
        sums: defaultdict[tuple[datetime, str], list[Counts]] = defaultdict(list)
        for call in calls:
            _, model, _, place = call.buckets[0]
            if place == HOME:
                sums[call.hour, model].append(call.counts)
        for (hour, model), rows in sums.items():
            total = Counts.total(rows)
            numbers = {name: getattr(total, name) for name in OBSERVED if getattr(total, name)}
            values = {"model": model, EXPIRES: _expires(hour)}
            self._table.add(_key(hour, model), numbers, values)

    def set_tally(self, hour: datetime, models: Mapping[str, Counts]) -> None:
        """Set an hour as a recount has found it; models that are not in it have none."""
        stored = self.tallies(hour, hour).get(hour, HourTally()).models
        for model in sorted({*stored, *models}):
            counts = models.get(model, Counts())
            numbers = {name: getattr(counts, name) for name in OBSERVED}
            self._table.update(
                _key(hour, model), {**numbers, "model": model, EXPIRES: _expires(hour)}
            )
        self._table.update(
            {"pk": TALLIES, "sk": instant(hour)}, {FROM_LOG: True, EXPIRES: _expires(hour)}
        )

    def tallies(self, start: datetime, end: datetime) -> Mapping[datetime, HourTally]:
        keys = {"pk": TALLIES, "first": instant(start), "after": instant(end) + _AFTER}
        where = Expression("#pk = :pk AND #sk BETWEEN :first AND :after", keys)
        models: defaultdict[datetime, dict[str, Counts]] = defaultdict(dict)
        from_log: set[datetime] = set()
        for item in self._table.query(where):
            hour = datetime.fromisoformat(item["sk"].partition("#")[0])
            if FROM_LOG in item:
                from_log.add(hour)
            else:
                numbers = (int(item.get(name, 0)) for name in OBSERVED)
                models[hour][item["model"]] = Counts.observed(numbers)
        return {
            hour: HourTally(models.get(hour, {}), hour in from_log) for hour in {*models, *from_log}
        }

    def watch_memory(self) -> WatchMemory | None:
        item = self._table.get(_WATCH)
        return None if item is None else _memory_of(item)

    def keep_watch_memory(self, memory: WatchMemory) -> None:
        self._table.put(_memory_item(memory))

    def post(self, notices: Iterable["Notice"]) -> None:
        """Put notices into outbox and history; the next sweep sends them."""
        post_notices(self._table, notices)


def _key(hour: datetime, model: str) -> "Plain":
    return {"pk": TALLIES, "sk": fitting_key(f"{instant(hour)}#{model}")}


def _expires(hour: datetime) -> int:
    return int((hour + _KEPT).timestamp())


def _memory_item(memory: WatchMemory) -> "Plain":
    return {
        **_WATCH,
        "asked": {instant(hour): instant(at) for hour, at in sorted(memory.asked.items())},
        "lost": list(map(instant, sorted(memory.lost))),
        "excess": list(map(instant, sorted(memory.excess))),
        **known(
            since=memory.since,
            seen_to=memory.seen_to,
            lost_told=memory.lost_told,
            excess_told=memory.excess_told,
        ),
    }


def _memory_of(item: Mapping[str, Any]) -> WatchMemory:
    at = datetime.fromisoformat
    return WatchMemory(
        at(item["since"]),
        at(item["seen_to"]),
        {at(hour): at(asked) for hour, asked in item["asked"].items()},
        frozenset(map(at, item["lost"])),
        frozenset(map(at, item["excess"])),
        moment(item, "lost_told"),
        moment(item, "excess_told"),
    )
