"""What the meter reads: which series make up whose buckets, from when on, and what stays unread."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from math import gcd
from typing import NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.core.principal import Kind, Principal, identify
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.counts import OBSERVED
from quota_enforcer.core.usage.stored import Source
from quota_enforcer.core.usage.window import HOUR, hour_start
from quota_enforcer.meter.ports import Metrics, Series

REREAD = timedelta(hours=3)
"""How far every run reads again, for data and series that come late."""

_SHOWN = 3
"""Series named in a failure."""

Points = Mapping[datetime, int]

Charged = Mapping[str, tuple[Principal, ...]]


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and for whom a run meters."""

    now: datetime
    zone: ZoneInfo
    """The deployment's clock."""
    account: str
    new_sessions: bool = False
    """Sessions are read as far back as the metrics go: they may be watched only from now on."""
    begins: datetime | None = None
    """No hour before it is read or set: the stream has filled those."""


class LoggedCaller(NamedTuple):
    """A caller and a model, as the invocation log spells them."""

    arn: str
    model_id: str


class SeriesGroup(NamedTuple):
    """All series that fill the same buckets, of one principal and model."""

    principal: Principal
    model: str
    missing: datetime
    """Since when usage is missing."""
    start: datetime
    """From when on it is read."""
    series: tuple[Series, ...]


class SeriesReading(NamedTuple):
    """What CloudWatch answered for a group; if anything is unknown, nothing is written."""

    group: SeriesGroup
    points: Mapping[Series, Points]
    unknown: tuple[Series, ...]

    @property
    def failure(self) -> str:
        """What is unknown, in words."""
        unknown = [f"{each.counter} of {each.arn} ({each.model_id})" for each in self.unknown]
        return (
            f"usage of {self.group.model} by {self.group.principal} is unknown since "
            f"{self.group.missing:%Y-%m-%d %H:%M %Z}: CloudWatch gave no complete answer for "
            f"{listed(unknown, _SHOWN, 'series')}; what the ledger has "
            "stays, and the next sweep reads it again"
        )


def attribute(
    raws: Iterable[LoggedCaller], book: QuotaBook, account: str
) -> tuple[Charged, tuple[str, ...]]:
    """To whom each identity ARN counts; and a sentence for each caller that nothing can limit."""
    charged: dict[str, tuple[Principal, ...]] = {}
    unattributed: list[str] = []
    for arn in dict.fromkeys(raw.arn for raw in raws):
        try:
            identity = identify(arn, account)
            charged[arn] = book.charged(identity)
            if identity.principal.kind is Kind.OTHER:
                unattributed.append(f"no quota can limit the usage of {identity.principal}")
        except UnknownIdentity as unknown:
            charged[arn] = ()
            unattributed.append(f"usage in the metrics is counted to nobody: {unknown}")
    return charged, tuple(unattributed)


def plan(
    charged: Charged,
    listed: Mapping[LoggedCaller, Sequence[str]],
    sources: Mapping[LoggedCaller, Source],
    since: Callable[[Principal], datetime],
    occasion: Occasion,
    name_of: Callable[[str], str],
) -> Iterator[SeriesGroup]:
    """What to read: every listed series, and all of remembered sources that it could leave out.

    A bucket is the sum of its series, so one that was active in the hours to set must be read even
    where the list of recent series has dropped it: without it the bucket would shrink.
    """
    members: defaultdict[tuple[Principal, str], list[LoggedCaller]] = defaultdict(list)
    for raw in {**listed, **sources}:
        for principal in charged[raw.arn]:
            members[principal, name_of(raw.model_id)].append(raw)
    for (principal, model), raws in members.items():
        known = {raw: sources[raw] for raw in raws if raw in sources}
        missing = min(
            [since(principal), *(source.behind for source in known.values() if source.behind)]
        )
        start = hour_start(missing - REREAD, occasion.zone)
        start = max(start, occasion.begins or start)
        series = tuple(
            Series(counter, *raw)
            for raw in raws
            for counter in _ordered({*listed.get(raw, ()), *_unlisted(known.get(raw), start)})
        )
        if series:
            yield SeriesGroup(principal, model, missing, start, series)


def _unlisted(source: Source | None, start: datetime) -> Iterable[str]:
    """The counters to read even if the list leaves them out."""
    if source is not None and (source.behind or source.active_to >= start):
        return source.counters
    return ()


def _ordered(counters: Collection[str]) -> tuple[str, ...]:
    return tuple(counter for counter in OBSERVED if counter in counters)


def read(
    groups: Iterable[SeriesGroup], metrics: Metrics, occasion: Occasion
) -> Iterator[SeriesReading]:
    """Read groups with the same start together, so that N series take N / 500 calls."""
    together: defaultdict[datetime, list[SeriesGroup]] = defaultdict(list)
    for group in groups:
        together[group.start].append(group)
    for start, several in together.items():
        wanted = list(dict.fromkeys(series for group in several for series in group.series))
        answer = metrics.read(wanted, start, occasion.now, _period(start, occasion))
        for group in several:
            points = {series: answer.get(series) for series in group.series}
            yield SeriesReading(
                group,
                {series: each for series, each in points.items() if each is not None},
                tuple(series for series, each in points.items() if each is None),
            )


def _period(start: datetime, occasion: Occasion) -> int:
    """The longest period (seconds) whose points never straddle two local hours."""
    period = int(HOUR.total_seconds())
    for moment in (start, occasion.now):
        offset = moment.astimezone(occasion.zone).utcoffset() or timedelta()
        period = gcd(period, int(offset.total_seconds()))
    return period


def remember(
    readings: Iterable[SeriesReading], sources: Mapping[LoggedCaller, Source], occasion: Occasion
) -> tuple[list[Source], list[Source]]:
    """The sources to remember, if they changed: the active, and those no longer behind."""
    hour_of = cache(partial(hour_start, zone=occasion.zone))
    active_to: dict[LoggedCaller, datetime] = {
        raw: source.active_to for raw, source in sources.items()
    }
    behind: dict[LoggedCaller, datetime] = {}
    answered: defaultdict[LoggedCaller, set[str]] = defaultdict(set)
    for reading in readings:
        for series, points in reading.points.items():
            raw = LoggedCaller(series.arn, series.model_id)
            answered[raw].add(series.counter)
            if points:
                last = hour_of(max(points))
                active_to[raw] = max(last, active_to.get(raw, last))
        for series in reading.unknown:
            raw = LoggedCaller(series.arn, series.model_id)
            answered[raw].add(series.counter)
            # It stands in for its whole group, which is not written.
            behind[raw] = min(reading.group.missing, behind.get(raw, reading.group.missing))
            active_to[raw] = hour_of(occasion.now)
    active: list[Source] = []
    healed: list[Source] = []
    for raw, counters in answered.items():
        if raw not in active_to:
            continue
        before = sources.get(raw)
        had = () if before is None else before.counters
        after = Source(*raw, active_to[raw], behind.get(raw), _ordered({*had, *counters}))
        if before is not None and before.behind and after.behind is None:
            healed.append(after)
        elif after != before:
            active.append(after)
    return active, healed
