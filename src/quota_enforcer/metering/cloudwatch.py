"""The meter: CloudWatch series become usage buckets in the ledger, set whole hour by whole hour.

Buckets are set and never added to, from three hours before the watermark on. So a re-read changes
nothing, late data and late listed series correct themselves, and an outage heals on the next run.
An answer that is complete and empty is zero usage; one that is incomplete is unknown.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial

from quota_enforcer.core.measure import OBSERVED, Counts
from quota_enforcer.core.precedence import QuotaBook
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.window import DAY, hour_start, local_date
from quota_enforcer.metering.reading import (
    Occasion,
    Points,
    Raw,
    Reading,
    attribute,
    plan,
    read,
    remember,
)
from quota_enforcer.ports import Bucket, Ledger, Metrics, Series, SweepState

__all__ = ["Metering", "Occasion", "meter"]

FIRST_LOOK = timedelta(days=32)
"""How far the very first run looks back: the longest month, and a day for time zones."""
RECENT = timedelta(minutes=90)
"""Up to which gap the list of recent series is enough.

That list may reach back only 2 h 10 min, and a new series may be listed 15 minutes late:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
"""

_POSITION = {counter: position for position, counter in enumerate(OBSERVED)}
_ZERO = Counts()


@dataclass(frozen=True, slots=True)
class Metering:
    """What a run did.

    `touched` are those whose usage changed, `seen` all who may have used anything in the last days:
    whom to look at where an earlier run's touched were lost. `failures` and `unattributed` are
    sentences: usage that is unknown for now, and usage that is nobody's. `fresh` is whether any
    bucket changed, `series` how many were read.
    """

    touched: frozenset[Principal] = frozenset()
    seen: frozenset[Principal] = frozenset()
    failures: tuple[str, ...] = ()
    unattributed: tuple[str, ...] = ()
    fresh: bool = False
    series: int = 0


def meter(
    metrics: Metrics, ledger: Ledger, book: QuotaBook, state: SweepState, occasion: Occasion
) -> Metering:
    """Bring the ledger's buckets up to `occasion.now`.

    Afterwards the caller advances the watermark, `state.metered_to`, to `now`, past failures too:
    what could not be read is remembered with its source. An error of the listing or of the ledger
    rises, and then the watermark must stay. A state without watermark reads everything anew.
    """
    first = occasion.now - FIRST_LOOK
    since = state.metered_to or first

    def since_when(principal: Principal) -> datetime:
        """Only sessions go back: others' old hours may have left the metrics, not the ledger."""
        return first if occasion.new_sessions and principal.kind is Kind.SESSION else since

    sources = {Raw(source.arn, source.model_id): source for source in ledger.sources()}
    listed: defaultdict[Raw, list[str]] = defaultdict(list)
    recent = occasion.now - since <= RECENT and not occasion.new_sessions
    for counter, arn, model_id in metrics.series(recent=recent):
        listed[Raw(arn, model_id)].append(counter)
    charged, unattributed = attribute([*listed, *sources], book, occasion.account)
    groups = list(plan(charged, listed, sources, since_when, occasion.zone))
    readings = list(read(groups, metrics, occasion))

    # What is missing is remembered before, and forgotten after, the buckets are written: a crash
    # in between loses nothing.
    active, healed = remember(readings, sources, occasion)
    for source in active:
        ledger.remember_source(source)
    changes = _changes(readings, ledger, occasion)
    for bucket, hours in changes.items():
        ledger.set_hours(bucket, hours)
    for source in healed:
        ledger.remember_source(source)

    return Metering(
        touched=frozenset(bucket.principal for bucket in changes),
        seen=frozenset(principal for several in charged.values() for principal in several),
        failures=tuple(reading.failure for reading in readings if reading.unknown),
        unattributed=unattributed,
        fresh=bool(changes),
        series=len({series for each in groups for series in each.series}),
    )


def _changes(
    readings: Iterable[Reading], ledger: Ledger, occasion: Occasion
) -> dict[Bucket, dict[datetime, Counts]]:
    """The hours whose counts differ from the ledger's, by bucket."""
    date_of = cache(partial(local_date, zone=occasion.zone))
    hour_of = cache(partial(hour_start, zone=occasion.zone))
    counted: dict[Bucket, dict[datetime, Counts]] = {}
    starts: dict[Bucket, datetime] = {}
    for (principal, model, _, start, _), points, unknown in readings:
        if unknown:
            continue
        for day in _days(date_of(start), date_of(occasion.now)):
            bucket = Bucket(principal, model, day)
            counted[bucket], starts[bucket] = {}, start
        for hour, counts in _sums(points, hour_of).items():
            counted[Bucket(principal, model, date_of(hour))][hour] = counts
    stored = ledger.hours(counted) if counted else {}
    changes: dict[Bucket, dict[datetime, Counts]] = {}
    for bucket, after in counted.items():
        before = {
            hour: counts
            for hour, counts in stored.get(bucket, {}).items()
            if starts[bucket] <= hour <= occasion.now
        }
        changed = {
            hour: after.get(hour, _ZERO)
            for hour in sorted(before.keys() | after.keys())
            if after.get(hour, _ZERO) != before.get(hour, _ZERO)
        }
        if changed:
            changes[bucket] = changed
    return changes


def _sums(
    points: Mapping[Series, Points], hour_of: Callable[[datetime], datetime]
) -> dict[datetime, Counts]:
    """The counts of each hour over all series of a group; hours without data are left out."""
    sums: defaultdict[datetime, list[int]] = defaultdict(lambda: [0] * len(OBSERVED))
    for series, values in points.items():
        position = _POSITION[series.counter]
        for moment, value in values.items():
            sums[hour_of(moment)][position] += value
    return {hour: Counts.observed(counts) for hour, counts in sums.items()}


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + DAY * number
