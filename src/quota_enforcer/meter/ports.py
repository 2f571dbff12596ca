"""What the stream meter and the recount need from outside: the adapters in `aws` and the fakes fit.

Every write may be repeated. Nothing here knows AWS.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import NO_MONEY, Counts
from quota_enforcer.core.usage.looks.headroom import Ground, Headroom
from quota_enforcer.core.usage.model import NamedModel, named
from quota_enforcer.core.usage.reads import Woken
from quota_enforcer.core.usage.stored import Bucket, MeterRules, Source, SourceReads

EARLY = timedelta(minutes=5)
"""How far a record may be dated after the moment it is metered at: clocks differ."""
OLDEST = timedelta(days=3)
"""How far a record may be dated before that moment: CloudWatch Logs repeats a delivery for a day.

For so long the ledger knows which calls it has; older ones could be written into the log again.
"""


class LogEvent(NamedTuple):
    """One event of the invocation log: its id, its time (milliseconds, Unix), and its line."""

    id: str
    timestamp: int
    message: str


class EventPointer(NamedTuple):
    """Where a record that could not be metered can be found again, and why; never what it says."""

    event_id: str
    timestamp: int
    reason: str


@dataclass(frozen=True, slots=True)
class UsageEntry:
    """One call to be added to the ledger exactly once."""

    key: str
    """The same however often the call is delivered, and another than every other call's."""
    at: datetime
    """The moment of the call."""
    hour: datetime
    """The start in UTC of its local clock hour."""
    buckets: tuple[Bucket, ...]
    """Whose usage it is, its principal's first."""
    counts: Counts
    source: Source | None = None
    """How its caller stands in the log, if only a gate could deny them."""
    by_the_minute: tuple[Bucket, ...] = ()
    """Those of its buckets whose principals have a window of minutes."""
    unpriced: bool = False
    """Whether a price of its model is unknown, which admins are told."""


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of some entries."""

    added: int = 0
    """Calls."""
    duplicates: int = 0
    """Calls that the ledger had already."""
    late: frozenset[datetime] = frozenset()
    """Hours whose recount has begun: their calls were left out, and a recount is asked for."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Keys of calls that may be unwritten, each with the reason."""
    cost_usd: Decimal = NO_MONEY
    """What the added calls cost."""


@dataclass(frozen=True, slots=True)
class RoomRead:
    """What tells who has room."""

    ground: Ground
    headrooms: Mapping[Principal, Headroom]
    used: Mapping[Bucket, Counts]
    """What each bucket comes to that they know."""


@dataclass(frozen=True, slots=True)
class Recount:
    """An hour that is to be set from the log."""

    hour: datetime
    """Its start in UTC."""
    asked: datetime
    started: datetime | None = None
    finished: datetime | None = None


class MeterLedger(Protocol):
    """The ledger, as far as the stream meter and the recount touch it."""

    def meter_rules(self) -> MeterRules: ...

    def add(self, additions: Sequence[UsageEntry], now: datetime) -> AddResult:
        """Add each call that was never added; duplicates are confirmed and dropped."""

    def mark_unseen(self, principals: Collection[Principal], mark: str) -> None:
        """Note that the enforcer has not looked at what these use or have used."""

    def room(
        self, principals: Collection[Principal], day: date, guessed: Collection[Bucket]
    ) -> RoomRead:
        """The headrooms of these, and what the buckets of a day that they know come to.

        Consistently read; `guessed` are buckets that are likely to be among them.
        """

    def remember_sources(self, sources: Sequence[Source]) -> None:
        """Remember how callers stand in the log; what a meter of metrics knows of them stays.

        So does one that was seen later already: a recount looks back, a delivery may be late.
        """

    def day(self, day: date) -> Mapping[Bucket, Mapping[datetime, Counts]]:
        """The stored hours of everybody's buckets of one local date, those without any too.

        Consistently read, in one pass.
        """

    def set_hours(self, bucket: Bucket, hours: Mapping[datetime, Counts], meter: str = ...) -> None:
        """Set whole hours of one bucket; other hours stay. `meter` says who filled them."""

    def set_minutes(
        self, bucket: Bucket, hour: datetime, end: datetime, minutes: Mapping[datetime, Counts]
    ) -> None:
        """Set a bucket's minutes from `hour` to `end`; those that are not named become zero."""

    def ask_recounts(self, hours: Iterable[datetime], now: datetime) -> None:
        """Ask that these hours be set from the log once they are closed."""

    def recounts(self) -> list[Recount]:
        """The hours asked for and not finished since."""

    def start_recount(self, hour: datetime, now: datetime) -> None:
        """From now on calls of this hour are not added but ask for another recount."""

    def finish_recount(self, hour: datetime, now: datetime) -> None:
        """The hour is set; one asked for or begun again since `start_recount` stays to be done.

        `now` is the moment that the start was given.
        """

    def post(self, notices: Iterable[Notice]) -> None:
        """Put notices into outbox and history; the next sweep sends them."""

    def left_out(self, hour: datetime) -> frozenset[str]:
        """The ids of log events that an admin has said are no usage of this hour."""

    def leave_out(self, hour: datetime, events: Collection[str]) -> None:
        """From now on these, and only these, are left out of an hour."""

    def set_tally(self, hour: datetime, models: Mapping[str, Counts]) -> None:
        """What was metered of each model in an hour, whoever used it, is this, from the log."""

    def drop_recount(self, hour: datetime) -> None:
        """The hour cannot be set from the log: it is asked for no more, as if never begun with."""


class InvocationLog(Protocol):
    """The log group, as far as Bedrock wrote it."""

    def events(self, start: datetime, end: datetime) -> Iterator[LogEvent]:
        """The events of Bedrock's stream with a time in [start, end)."""

    def kept_since(self) -> datetime:
        """Before this moment the log group may have lost events, or did not exist."""

    def stream_since(self) -> datetime | None:
        """Since when Bedrock's stream is there, which holds nothing older; None without one."""


class Wake(Protocol):
    """The enforcer, told whose usage has changed; nobody waits for it."""

    def wake(self, principals: Collection[Principal], woken: Woken) -> None:
        """Have it look at these, and only these, with what is said of their usage."""


class DeadLetters(Protocol):
    """Where pointers to records go that could not be metered."""

    def send(self, pointers: Sequence[EventPointer]) -> None:
        """Leave them for an admin; an alarm tells of them."""


class Series(NamedTuple):
    """One metric series: a counter (a field of Counts) for one raw identity ARN and model id."""

    counter: str
    arn: str
    model_id: str


class Models(Protocol):
    """Which model an id means, if only AWS can say it."""

    def named(self, model_id: str) -> NamedModel:
        """The model; one that cannot be found out keeps the name that its id has."""


class NamedByThemselves:
    """The models as far as their ids say which they are, without asking AWS."""

    def named(self, model_id: str) -> NamedModel:
        """The model; an opaque ARN keeps its own name."""
        return named(model_id)


class MeteredHours(SourceReads, Protocol):
    """Whole hours of usage, and the metric series that they come from."""

    def hours(self, buckets: Iterable[Bucket]) -> Mapping[Bucket, Mapping[datetime, Counts]]:
        """The stored hours (by start in UTC) of these buckets; absent ones are left out."""

    def set_hours(
        self, bucket: Bucket, hours: Mapping[datetime, Counts], meter: str = Metering.CLOUDWATCH
    ) -> None:
        """Set whole hours of one bucket; other hours stay. `meter` says who filled them."""

    def ask_recounts(self, hours: Iterable[datetime], now: datetime) -> None:
        """Ask that these hours be set from the log once they are closed."""

    def remember_source(self, source: Source) -> None:
        """Remember one, for some days."""


class Metrics(Protocol):
    """The per-principal series that metric filters derive from the invocation log."""

    def series(self, *, recent: bool) -> list[Series]:
        """Every listed series; with `recent` only those with data in about the last three hours."""

    def read(
        self, series: Iterable[Series], start: datetime, end: datetime, period: int
    ) -> dict[Series, Mapping[datetime, int] | None]:
        """Sums by period start (period in seconds); None if the answer was not complete."""
