"""What a replay went through, call by call: how far each quota was used, and when it was closed."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import UNLIMITED, Quota
from quota_enforcer.core.usage.counts import NO_MONEY, Counts, Number
from quota_enforcer.core.usage.model import canonical_model
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.window import (
    DAY,
    day_start,
    hour_start,
    local_date,
)
from quota_enforcer.insight.simulate.growing import GrowingUsage
from quota_enforcer.meter.log.record import Counted

GRID = 300
"""Moments at which a curve is looked at, besides those at which a window ends."""
MOST_POINTS = 900
"""More would be finer than a screen."""
_INSTANT = timedelta(microseconds=1)


class TracedCall(NamedTuple):
    """A call as the replay took it."""

    at: datetime
    model: str
    place: Place
    principals: Sequence[Principal]
    counts: Counts
    refused: bool


class Point(NamedTuple):
    """What was used of a quota's window at a moment, with the limits in force and without them."""

    at: datetime
    through: Number
    tried: Number
    limit: Decimal
    """Not finite where there was none."""


class Stretch(NamedTuple):
    """From when to when IAM refuses somebody some models or all."""

    begin: datetime
    end: datetime


class DayOfCourse(NamedTuple):
    """A local day of a course."""

    day: date
    through: Number
    tried: Number
    refused: int
    closed: timedelta


@dataclass(frozen=True, slots=True)
class Course:
    """One principal's way through one quota."""

    principal: Principal
    quota: Quota
    points: Sequence[Point]
    closed: Sequence[Stretch]
    days: Sequence[DayOfCourse]

    @property
    def fullest(self) -> Decimal:
        """The largest share of the limit that would have been used without limits."""
        return max(
            (
                Decimal(each.tried) / each.limit if each.limit else Decimal(bool(each.tried))
                for each in self.points
                if each.limit.is_finite()
            ),
            default=NO_MONEY,
        )

    @property
    def limited(self) -> bool:
        """Whether there is a limit at any time."""
        return any(each.limit.is_finite() for each in self.points)

    @property
    def refused(self) -> int:
        """Calls."""
        return sum(each.refused for each in self.days)


@dataclass(slots=True)
class Trace:
    """Observes a replay, and tells afterwards."""

    zone: ZoneInfo
    arrivals: list[TracedCall] = field(default_factory=list)
    _limits: dict[tuple[Principal, str], list[tuple[datetime, Decimal]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _quotas: dict[tuple[Principal, str], Quota] = field(default_factory=dict)
    _closed: dict[Principal, list[tuple[datetime, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def arrived(
        self, call: Counted, counts: Counts, principals: Sequence[Principal], *, refused: bool
    ) -> None:
        model = canonical_model(call.model_id)
        self.arrivals.append(TracedCall(call.at, model, call.place, principals, counts, refused))

    def looked(self, principal: Principal, quotas: Sequence[Quota], now: datetime) -> None:
        for quota in quotas:
            if not quota.is_early:
                told = self._limits[principal, quota.item_id]
                limit = quota.limit_at(now)
                if not told or told[-1][1] != limit:
                    told.append((now, limit))
                self._quotas[principal, quota.item_id] = quota

    def closed(self, principal: Principal, scopes: Collection[str], now: datetime) -> None:
        told = self._closed[principal]
        if not told or told[-1][1] != bool(scopes):
            told.append((now, bool(scopes)))

    @property
    def first(self) -> datetime:
        return self.arrivals[0].at

    @property
    def last(self) -> datetime:
        return self.arrivals[-1].at

    def courses(self, principal: Principal) -> list[Course]:
        """Through each quota that the principal was held against, the fullest first.

        A pool's is its team's, and not once more each member's.
        """
        own = [
            quota
            for (who, _), quota in self._quotas.items()
            if who == principal and (not quota.pooled or str(quota.subject) == str(principal))
        ]
        theirs = [each for each in self.arrivals if principal in each.principals]
        found = [self._course(principal, quota, theirs) for quota in own]
        return sorted(found, key=lambda course: (-course.fullest, course.quota.name))

    def stretches(self, principal: Principal) -> list[Stretch]:
        """When something was closed for somebody, until the last call at the latest."""
        found, since = [], None
        for at, closed in [*self._closed.get(principal, ()), (self.last, False)]:
            if closed and since is None:
                since = at
            elif not closed and since is not None:
                found.append(Stretch(since, at))
                since = None
        return [each for each in found if each.end > each.begin]

    def days(self) -> list[date]:
        """All local days from the first call to the last."""
        first, last = (local_date(at, self.zone) for at in (self.first, self.last))
        return [first + DAY * number for number in range((last - first).days + 1)]

    def grid(self) -> list[datetime]:
        """From the first call to the last, evenly."""
        step = max((self.last - self.first) / GRID, _INSTANT)
        return [self.first + step * number for number in range(GRID)] + [self.last]

    def _course(self, principal: Principal, quota: Quota, theirs: list[TracedCall]) -> Course:
        counted = [
            each
            for each in theirs
            if quota.places.covers(each.place)
            and any(scope.covers(each.model) for scope in quota.models)
        ]
        closed = self.stretches(principal)
        points = self._points(quota, counted, closed, self._limits[principal, quota.item_id])
        return Course(principal, quota, points, closed, self._by_day(quota, counted, closed))

    def _points(
        self,
        quota: Quota,
        counted: Iterable[TracedCall],
        closed: Iterable[Stretch],
        limits: Sequence[tuple[datetime, Decimal]],
    ) -> list[Point]:
        since = [at for at, _ in limits]
        through, tried = GrowingUsage(by_the_minute=True), GrowingUsage(by_the_minute=True)
        waiting = iter(counted)
        call = next(waiting, None)
        points = []
        edges = (at for each in closed for at in each)
        for at in sorted({*self.grid(), *edges, *self._ends(quota)}):
            while call is not None and call.at <= at:
                self._add(call, tried)
                if not call.refused:
                    self._add(call, through)
                call = next(waiting, None)
            place = bisect_right(since, at) - 1
            limit = limits[place][1] if place >= 0 else UNLIMITED
            span = quota.window.span(at, self.zone)
            through_now, tried_now = (
                quota.number(each.usage.within(span, quota.models)) for each in (through, tried)
            )
            points.append(Point(at, through_now, tried_now, limit))
        return list(_thinned(points))

    def _add(self, call: TracedCall, to: GrowingUsage) -> None:
        hour, day = hour_start(call.at, self.zone), local_date(call.at, self.zone)
        to.add(call.model, call.at, hour, day, call.counts)

    def _ends(self, quota: Quota) -> Iterator[datetime]:
        """The moments just before a fixed window ends, and those at which it does."""
        if quota.window.rolling:
            return
        end = quota.window.span(self.first, self.zone).end
        while end <= self.last:
            yield end - _INSTANT
            yield end
            end = quota.window.span(end, self.zone).end

    def _by_day(
        self, quota: Quota, counted: Iterable[TracedCall], closed: Sequence[Stretch]
    ) -> list[DayOfCourse]:
        by_day: defaultdict[date, list[TracedCall]] = defaultdict(list)
        for each in counted:
            by_day[local_date(each.at, self.zone)].append(each)
        return [self._day(quota, day, by_day[day], closed) for day in self.days()]

    def _day(
        self, quota: Quota, day: date, arrived: list[TracedCall], closed: Iterable[Stretch]
    ) -> DayOfCourse:
        begin, end = day_start(day, self.zone), day_start(day + DAY, self.zone)
        lasted = (min(each.end, end) - max(each.begin, begin) for each in closed)
        through = Counts.total(each.counts for each in arrived if not each.refused)
        tried = Counts.total(each.counts for each in arrived)
        return DayOfCourse(
            day,
            quota.number(through),
            quota.number(tried),
            sum(each.refused for each in arrived),
            sum((each for each in lasted if each > timedelta(0)), timedelta(0)),
        )


def _thinned(points: Sequence[Point]) -> Iterator[Point]:
    """The highest of some neighbours, where there are more points than a screen shows."""
    every = -(-len(points) // MOST_POINTS)
    for place in range(0, len(points), every):
        yield max(points[place : place + every], key=lambda point: point.tried)
