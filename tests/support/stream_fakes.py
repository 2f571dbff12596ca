"""The stream meter's surroundings in memory, which may die at every write.

`Crashes` counts the moments before and after each write; at the one it is told it raises Died, as
a function that is killed there would end.
"""

import gzip
import json
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo

from builders import UTC_ZONE
from log_records import ACCOUNT, a_record
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.pricing.rate import CacheWrites, Cost
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import NO_MONEY, Counts
from quota_enforcer.core.usage.looks.headroom import Ground, Headroom
from quota_enforcer.core.usage.looks.unseen import token_of
from quota_enforcer.core.usage.model import NamedModel, named
from quota_enforcer.core.usage.reads import Called, Woken
from quota_enforcer.core.usage.stored import Bucket, MeterRules, Source
from quota_enforcer.core.usage.window import local_date, minute_start, next_hour
from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
from quota_enforcer.meter.ports import (
    AddResult,
    EventPointer,
    LogEvent,
    Recount,
    RoomRead,
    UsageEntry,
)
from quota_enforcer.meter.recount.recounter import Recounter
from quota_enforcer.meter.stream import BEDROCK_STREAM, Stream
from quota_enforcer.meter.watch.compare import Witnessed
from quota_enforcer.meter.watch.ports import HourTally, LogTraffic, WatchMemory
from quota_enforcer.meter.watch.watch import MeterWatch

GROUP = "/bedrock-quota/bedrock-quota/invocations"


class Died(BaseException):
    """The function was killed here; not an Exception, so no code of ours goes on after it."""


@dataclass
class Crashes:
    """Dies at the `at`-th moment from when it was set; never while it is None."""

    at: int | None = None
    moments: int = 0

    def here(self) -> None:
        """One of the moments before or after a write."""
        self.moments += 1
        if self.at is not None:
            self.at -= 1
            if self.at < 0:
                self.at = None
                raise Died

    @contextmanager
    def around(self) -> Iterator[None]:
        """A write; it happens whole or not at all."""
        self.here()
        yield
        self.here()


@dataclass
class FakeMeterLedger:
    """A `MeterLedger`: calls are added `at_once` to a transaction. `away` makes it fail."""

    zone: ZoneInfo = UTC_ZONE
    crashes: Crashes = field(default_factory=Crashes)
    at_once: int = 3
    the_brief: MeterRules = field(default_factory=MeterRules)
    away: Exception | None = None
    refused: set[str] = field(default_factory=set)
    """Principals whose usage is never taken."""
    usage: defaultdict[Bucket, dict[datetime, Counts]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    filled_by: dict[tuple[Bucket, datetime], str] = field(default_factory=dict)
    minutes: defaultdict[Bucket, dict[datetime, Counts]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    markers: set[str] = field(default_factory=set)
    marks: dict[str, frozenset[Principal]] = field(default_factory=dict)
    """Whose usage nobody has looked at."""
    asked: dict[datetime, datetime] = field(default_factory=dict)
    started: dict[datetime, datetime] = field(default_factory=dict)
    seen: set[datetime] = field(default_factory=set)
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    tallied: dict[datetime, HourTally] = field(default_factory=dict)
    without: dict[datetime, frozenset[str]] = field(default_factory=dict)
    watched: WatchMemory | None = None
    posted: list[Notice] = field(default_factory=list)
    told: int = 0
    """How often sources were remembered."""
    ground: Ground = field(default_factory=Ground)
    """What headrooms stand on."""
    headrooms: dict[Principal, Headroom] = field(default_factory=dict)
    """Those that the enforcer has kept."""
    rooms_read: list[set[Principal]] = field(default_factory=list)
    """Of whom it was asked whether they have room."""

    def meter_rules(self) -> MeterRules:
        self._answer()
        return self.the_brief

    def add(self, additions: Sequence[UsageEntry], now: datetime) -> AddResult:
        calls = list({each.key: each for each in additions}.values())
        added, duplicates, cost = 0, len(additions) - len(calls), NO_MONEY
        late: set[datetime] = set()
        failed: dict[str, str] = {}
        for first in range(0, len(calls), self.at_once):
            for each in calls[first : first + self.at_once]:
                if self.away or str(each.buckets[0].principal) in self.refused:
                    failed[each.key] = "the ledger is away"
            with self.crashes.around():
                for each in calls[first : first + self.at_once]:
                    closed = next_hour(each.hour, self.zone) + timedelta(minutes=5) <= now
                    if each.key in failed:
                        continue
                    if each.key in self.markers:
                        duplicates += 1
                    elif closed and each.hour in self.started:
                        late.add(each.hour)
                    else:
                        added += 1
                        cost += each.counts.cost_usd
                        self._put(each)
            if late:
                self.ask_recounts(late, now)
        return AddResult(added, duplicates, frozenset(late), failed, cost)

    def room(
        self, principals: Collection[Principal], day: date, guessed: Collection[Bucket]
    ) -> RoomRead:
        self._answer()
        self.rooms_read.append(set(principals))
        found = {each: self.headrooms[each] for each in principals if each in self.headrooms}
        known = {
            Bucket(who, model, day, place)
            for who, headroom in found.items()
            for model, place in headroom.buckets
        }
        used = {
            each: Counts.total(self.usage.get(each, {}).values()) for each in {*known, *guessed}
        }
        return RoomRead(self.ground, found, used)

    def remember_sources(self, sources: Sequence[Source]) -> None:
        self._answer()
        with self.crashes.around():
            self.told += 1
            for each in sources:
                known = self.sources.get((each.arn, each.model_id), each)
                newest = max(known, each, key=lambda source: source.active_to)
                self.sources[each.arn, each.model_id] = newest

    def mark_unseen(self, principals: Collection[Principal], mark: str) -> None:
        self._answer()
        with self.crashes.around():
            self.marks[token_of(mark, 0)] = frozenset(principals)

    def day(self, day: date) -> Mapping[Bucket, Mapping[datetime, Counts]]:
        return {
            bucket: {hour: counts for hour, counts in hours.items() if any(counts)}
            for bucket, hours in self.usage.items()
            if bucket.day == day
        }

    def set_hours(
        self, bucket: Bucket, hours: Mapping[datetime, Counts], meter: str = "cloudwatch"
    ) -> None:
        with self.crashes.around():
            self.usage[bucket] |= hours
            self.filled_by |= {(bucket, hour): meter for hour in hours}

    def set_minutes(
        self, bucket: Bucket, hour: datetime, end: datetime, minutes: Mapping[datetime, Counts]
    ) -> None:
        with self.crashes.around():
            others = {at: of for at, of in self.minutes[bucket].items() if not hour <= at < end}
            self.minutes[bucket] = {**others, **minutes}

    def ask_recounts(self, hours: Iterable[datetime], now: datetime) -> None:
        self._answer()
        for hour in hours:
            with self.crashes.around():
                self.asked[hour] = now
                self.seen.discard(hour)

    def recounts(self) -> list[Recount]:
        return [Recount(hour, now, self.started.get(hour)) for hour, now in self.asked.items()]

    def start_recount(self, hour: datetime, now: datetime) -> None:
        with self.crashes.around():
            self.started[hour] = now
            self.seen.add(hour)

    def finish_recount(self, hour: datetime, now: datetime) -> None:
        with self.crashes.around():
            if hour in self.seen and self.started.get(hour) == now:
                self.asked.pop(hour, None)
            else:
                self.asked[hour] = now

    def left_out(self, hour: datetime) -> frozenset[str]:
        return self.without.get(hour, frozenset())

    def leave_out(self, hour: datetime, events: Collection[str]) -> None:
        with self.crashes.around():
            self.without[hour] = frozenset(events)

    def set_tally(self, hour: datetime, models: Mapping[str, Counts]) -> None:
        with self.crashes.around():
            self.tallied[hour] = HourTally(dict(models), from_log=True)

    def tallies(self, start: datetime, end: datetime) -> Mapping[datetime, HourTally]:
        return {hour: each for hour, each in self.tallied.items() if start <= hour <= end}

    def watch_memory(self) -> WatchMemory | None:
        return self.watched

    def keep_watch_memory(self, memory: WatchMemory) -> None:
        with self.crashes.around():
            self.watched = memory

    def post(self, notices: Iterable[Notice]) -> None:
        with self.crashes.around():
            self.posted += notices

    def drop_recount(self, hour: datetime) -> None:
        with self.crashes.around():
            self.asked.pop(hour, None)
            self.started.pop(hour, None)
            self.seen.discard(hour)

    def totals(self) -> dict[tuple[str, str, datetime], Counts]:
        """All usage by principal, model and hour; hours without any are left out."""
        return {
            (str(bucket.principal), bucket.model, hour): counts
            for bucket, hours in self.usage.items()
            for hour, counts in hours.items()
            if any(counts)
        }

    def _answer(self) -> None:
        if self.away is not None:
            raise self.away

    def _put(self, call: UsageEntry) -> None:
        self.markers.add(call.key)
        if not call.buckets[0].place:
            tally = self.tallied.get(call.hour, HourTally())
            model = call.buckets[0].model
            counts = Counts.total((tally.models.get(model, Counts()), call.counts))
            self.tallied[call.hour] = replace(tally, models={**tally.models, model: counts})
        for bucket in call.buckets:
            assert bucket.day == local_date(call.hour, self.zone)
            before = self.usage[bucket].get(call.hour, Counts())
            self.usage[bucket][call.hour] = Counts.total((before, call.counts))
            self.filled_by[bucket, call.hour] = "stream"
        for bucket in call.by_the_minute:
            of, at = self.minutes[bucket], minute_start(call.at)
            of[at] = Counts.total((of.get(at, Counts()), call.counts))


@dataclass
class FakeLog:
    """An `InvocationLog`: what Bedrock has written."""

    lines: list[LogEvent] = field(default_factory=list)
    kept: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    made: datetime | None = datetime(2026, 1, 1, tzinfo=UTC)
    """When Bedrock's stream was made."""

    def events(self, start: datetime, end: datetime) -> Iterator[LogEvent]:
        for line in self.lines:
            if start <= datetime.fromtimestamp(line.timestamp / 1000, UTC) < end:
                yield line

    def kept_since(self) -> datetime:
        return self.kept

    def stream_since(self) -> datetime | None:
        return self.made


@dataclass
class FakeWake:
    """A `Wake`: who was woken, one set for each call."""

    crashes: Crashes = field(default_factory=Crashes)
    woken: list[set[str]] = field(default_factory=list)
    fails: Exception | None = None

    called: list[Called] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    """The mark that each was told of."""

    def wake(self, principals: Collection[Principal], woken: Woken) -> None:
        if self.fails is not None:
            raise self.fails
        with self.crashes.around():
            self.called.append(woken.called)
            self.marks.append(woken.mark)
            self.woken.append({str(each) for each in principals})


@dataclass
class FakeLetters:
    """A `DeadLetters`: the pointers left."""

    left: list[EventPointer] = field(default_factory=list)
    fails: Exception | None = None

    def send(self, pointers: Sequence[EventPointer]) -> None:
        if self.fails is not None:
            raise self.fails
        self.left += pointers


class FakeModels:
    """`Models` whose ids all name themselves; those in `broken` raise."""

    def __init__(self) -> None:
        self.broken: set[str] = set()

    def named(self, model_id: str) -> NamedModel:
        if model_id in self.broken:
            raise ConnectionError(model_id)
        return named(model_id)


class FlatPrices:
    """A millionth of a dollar for every token; half of the cost of `mystery` models is assumed."""

    def on(self, day: date) -> Self:
        del day
        return self

    def dearer_for_an_hour(self, plain: str) -> Decimal:
        del plain
        return NO_MONEY

    def cost(
        self,
        model_id: str,
        region: str | None,
        counts: Counts,
        written: CacheWrites | None = None,
        tier: Tier = Tier.STANDARD,
    ) -> Cost:
        del region, written, tier
        usd = counts.tokens * Decimal("0.000001")
        return Cost(usd, usd / 2 if "mystery" in model_id else Decimal(0), model_id)


@dataclass
class FakeWitness:
    """A `Witness`: what Bedrock counted, and what the log group got and handed on."""

    hours: dict[datetime, dict[str, Witnessed]] = field(default_factory=dict)
    traffic: LogTraffic = field(default_factory=lambda: LogTraffic(1, 1))
    fails: Exception | None = None
    asked: int = 0

    def counted(self, hours: Sequence[datetime]) -> Mapping[datetime, Mapping[str, Witnessed]]:
        self.asked += 1
        if self.fails is not None:
            raise self.fails
        return {hour: self.hours[hour] for hour in hours if hour in self.hours}

    def log_traffic(self, start: datetime, end: datetime) -> LogTraffic:
        assert start < end
        return self.traffic


class Place:
    """One deployment's meter on fakes, with both of its halves."""

    def __init__(self, zone: ZoneInfo = UTC_ZONE) -> None:
        self.crashes = Crashes()
        self.ledger = FakeMeterLedger(zone, self.crashes)
        self.log = FakeLog()
        self.wake = FakeWake(self.crashes)
        self.letters = FakeLetters()
        self.models = FakeModels()
        self.adapters = MeterAdapters(
            self.ledger, self.models, self.log, self.wake, self.letters, lambda _: FlatPrices()
        )
        self.log_group = MeteredLogGroup(ACCOUNT, GROUP, zone)
        self.stream = Stream(self.adapters, self.log_group)
        self.recounter = Recounter(self.adapters, self.log_group)
        self.witness = FakeWitness()
        self.gone: list[str] = []
        """The wires between the log and the meter that are gone."""
        self.watch = MeterWatch(self.ledger, self.witness, zone, subscribed=True)

    def another_process(self) -> None:
        """What the meter knew is gone."""
        self.stream = Stream(self.adapters, self.log_group)


def event(number: int, record: Mapping[str, Any] | str, at: datetime | None = None) -> LogEvent:
    """A log event with this line; its time is the record's own unless told."""
    if at is None:
        assert not isinstance(record, str)
        at = datetime.fromisoformat(record["timestamp"])
    line = record if isinstance(record, str) else json.dumps(record)
    return LogEvent(f"{number:056d}", int(at.timestamp() * 1000), line)


def call(number: int, at: datetime, who: str = "alice", **changes: Any) -> LogEvent:
    """A call of a user of its own request id, as Bedrock logs it."""
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    who = who if who.startswith("arn:") else f"arn:aws:iam::{ACCOUNT}:user/{who}"
    identity = {"arn": who}
    changes = {"requestId": f"r-{number}", "timestamp": stamp, "identity": identity, **changes}
    return event(number, a_record(**changes))


def delivery(events: Iterable[LogEvent | Mapping[str, Any]], **changes: Any) -> str:
    """What CloudWatch Logs puts into `awslogs.data`."""
    listed = [each._asdict() if isinstance(each, LogEvent) else each for each in events]
    body = {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": GROUP,
        "logStream": BEDROCK_STREAM,
        "subscriptionFilters": ["meter"],
        "logEvents": listed,
        **changes,
    }
    return packed(json.dumps(body).encode())


def packed(body: bytes) -> str:
    """Bytes as a gzip in base64."""
    return b64encode(gzip.compress(body, compresslevel=1)).decode()


def truth(events: Iterable[LogEvent], place: Place) -> dict[tuple[str, str, datetime], Counts]:
    """What the ledger has to hold when each call was counted exactly once."""
    calls = place.adapters.calls(place.ledger.the_brief, place.log_group)
    sums: dict[tuple[str, str, datetime], Counts] = {}
    for each in {one.id: one for one in events}.values():
        read = calls.read(each, datetime.fromtimestamp(each.timestamp / 1000, UTC))
        if isinstance(read, UsageEntry):
            for bucket in read.buckets:
                key = str(bucket.principal), bucket.model, read.hour
                sums[key] = Counts.total((sums.get(key, Counts()), read.counts))
    return sums


def times(pointers: Iterable[EventPointer]) -> Counter[str]:
    """How often each event is pointed to."""
    return Counter(pointer.event_id for pointer in pointers)
