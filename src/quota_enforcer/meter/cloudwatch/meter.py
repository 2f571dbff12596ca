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

from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.pricing.dated import DatedPrices
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.model import canonical_model
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import DAY, hour_start, local_date
from quota_enforcer.meter.cloudwatch.series import (
    LoggedCaller,
    Occasion,
    Points,
    SeriesReading,
    attribute,
    plan,
    read,
    remember,
)
from quota_enforcer.meter.ports import MeteredHours, Metrics, Models, Series

__all__ = ["MeterRun", "Occasion", "Pricing", "meter"]

FIRST_LOOK = timedelta(days=32)
"""How far the very first run looks back: the longest month, and a day for time zones."""
RECENT = timedelta(minutes=90)
"""Up to which gap the list of recent series is enough.

That list may reach back only 2 h 10 min, and a new series may be listed 15 minutes late:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
"""

_POSITION = {counter: position for position, counter in enumerate(OBSERVED)}
_NONE = (0,) * len(OBSERVED)

Observed = tuple[int, ...]
"""The counters of OBSERVED."""


@dataclass(frozen=True, slots=True)
class Pricing:
    """Which model an id of the metrics means, and what its usage costs in a Region."""

    models: Models
    prices: DatedPrices
    region: str = ""

    def priced(self, by_id: Mapping[str, Observed], day: date) -> Counts:
        """The sum over model ids, with what all that cost on a local day."""
        return Counts.total(
            self._costed(model_id, Counts.observed(counters), day)
            for model_id, counters in by_id.items()
        )

    def _costed(self, model_id: str, counts: Counts, day: date) -> Counts:
        priced_as = self.models.named(model_id).priced_as
        cost = self.prices.on(day).cost(priced_as, self.region, counts)
        return cost.charged_to(counts)


@dataclass(frozen=True, slots=True)
class MeterRun:
    """What a run did."""

    touched: frozenset[Principal] = frozenset()
    """Whose usage changed."""
    seen: frozenset[Principal] = frozenset()
    """Who may have used anything in the last days, for a run after one whose touched are lost."""
    failures: tuple[str, ...] = ()
    """Sentences about usage that is unknown for now."""
    unattributed: tuple[str, ...] = ()
    """Sentences about usage that is nobody's."""
    fresh: bool = False
    """Whether any bucket changed."""
    series: int = 0
    """How many were read."""


def meter(
    metrics: Metrics,
    ledger: MeteredHours,
    book: QuotaBook,
    state: SweepState,
    occasion: Occasion,
    pricing: Pricing,
) -> MeterRun:
    """Bring the ledger's buckets up to `occasion.now`.

    Afterwards the caller advances the watermark, `state.metered_to`, to `now`, past failures too:
    what could not be read is remembered with its source. An error of the listing or of the ledger
    rises, and then the watermark must stay. A state without watermark reads everything again.
    """
    first = occasion.now - FIRST_LOOK
    since = state.metered_to or first

    def since_when(principal: Principal) -> datetime:
        """Only sessions go back: others' old hours may have left the metrics, not the ledger."""
        return first if occasion.new_sessions and principal.kind is Kind.SESSION else since

    sources = {LoggedCaller(source.arn, source.model_id): source for source in ledger.sources()}
    listed: defaultdict[LoggedCaller, list[str]] = defaultdict(list)
    recent = occasion.now - since <= RECENT and not occasion.new_sessions
    for counter, arn, model_id in metrics.series(recent=recent):
        listed[LoggedCaller(arn, model_id)].append(counter)
    charged, unattributed = attribute([*listed, *sources], book, occasion.account)
    name_of = cache(lambda model_id: pricing.models.named(model_id).name)
    groups = list(plan(charged, listed, sources, since_when, occasion, name_of))
    readings = list(read(groups, metrics, occasion))

    # What is missing is remembered before, and forgotten after, the buckets are written: a crash
    # in between loses nothing.
    active, healed = remember(readings, sources, occasion)
    for source in active:
        ledger.remember_source(source)
    changes = _changes(readings, ledger, occasion, pricing)
    for bucket, hours in changes.items():
        ledger.set_hours(bucket, hours, Metering.CLOUDWATCH)
    for source in healed:
        ledger.remember_source(source)

    return MeterRun(
        touched=frozenset(bucket.principal for bucket in changes),
        seen=frozenset(principal for several in charged.values() for principal in several),
        failures=tuple(reading.failure for reading in readings if reading.unknown),
        unattributed=unattributed,
        fresh=bool(changes),
        series=len({series for each in groups for series in each.series}),
    )


def _changes(
    readings: Iterable[SeriesReading], ledger: MeteredHours, occasion: Occasion, pricing: Pricing
) -> dict[Bucket, dict[datetime, Counts]]:
    """The hours that were used otherwise than the ledger says, by bucket.

    They are priced as a whole. All others keep what they cost when they were written: an edited
    price does not reach back.
    """
    date_of = cache(partial(local_date, zone=occasion.zone))
    hour_of = cache(partial(hour_start, zone=occasion.zone))
    own_name = cache(canonical_model)
    counted: dict[Bucket, dict[datetime, dict[str, Observed]]] = {}
    starts: dict[Bucket, datetime] = {}
    moved: dict[Bucket, datetime] = {}
    for (principal, model, _, start, series), points, unknown in readings:
        if unknown:
            continue
        formerly = {own_name(each.model_id) for each in series} - {model}
        for day in _days(date_of(start), date_of(occasion.now)):
            bucket = Bucket(principal, model, day)
            counted[bucket], starts[bucket] = {}, start
            moved.update((Bucket(principal, name, day), start) for name in formerly)
        for hour, by_id in _sums(points, hour_of).items():
            counted[Bucket(principal, model, date_of(hour))][hour] = by_id
    # What could not be resolved before was counted under its own name, and may not count twice.
    for bucket in moved.keys() - counted.keys():
        counted[bucket], starts[bucket] = {}, moved[bucket]
    stored = ledger.hours(counted) if counted else {}
    changes: dict[Bucket, dict[datetime, Counts]] = {}
    for bucket, after in counted.items():
        before = {
            hour: tuple(counts[: len(OBSERVED)])
            for hour, counts in stored.get(bucket, {}).items()
            if starts[bucket] <= hour <= occasion.now
        }
        changed = {
            hour: pricing.priced(after.get(hour, {}), bucket.day)
            for hour in sorted(before.keys() | after.keys())
            if _total(after.get(hour, {})) != before.get(hour, _NONE)
        }
        if changed:
            changes[bucket] = changed
    return changes


def _total(by_id: Mapping[str, Observed]) -> Observed:
    return tuple(map(sum, zip(*by_id.values(), strict=True))) if by_id else _NONE


def _sums(
    points: Mapping[Series, Points], hour_of: Callable[[datetime], datetime]
) -> dict[datetime, dict[str, Observed]]:
    """The counters of each hour and model id; hours without data are left out."""
    sums: defaultdict[datetime, defaultdict[str, list[int]]]
    sums = defaultdict(lambda: defaultdict(lambda: [0] * len(OBSERVED)))
    for series, values in points.items():
        position = _POSITION[series.counter]
        for moment, value in values.items():
            sums[hour_of(moment)][series.model_id][position] += value
    return {
        hour: {model_id: tuple(counters) for model_id, counters in by_id.items()}
        for hour, by_id in sums.items()
    }


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + DAY * number
