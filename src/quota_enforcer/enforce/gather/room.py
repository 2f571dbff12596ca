"""Whether somebody has room: told from the headroom of a look, and what was used since."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.looks.headroom import (
    Headroom,
    Measured,
    WindowSum,
    counting,
    fingerprint,
)
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import day_start, local_date
from quota_enforcer.decide.verdict import goals_of

LONGEST = timedelta(days=7)
"""So long after its day a headroom is of use: each day more is a bucket more to read."""


@dataclass(frozen=True)
class Kept:
    """Somebody's headroom, and the quotas that are in force now."""

    headroom: Headroom
    quotas: Sequence[Quota]
    now: datetime
    zone: ZoneInfo
    premise: str = ""
    """On what it stands that these are in force; empty if nobody else may go by that."""

    @property
    def today(self) -> date:
        return local_date(self.now, self.zone)

    @cached_property
    def same(self) -> bool:
        """Whether it is of just these quotas, and of a time that is not over."""
        in_time = self.now < self.headroom.until
        return in_time and self.headroom.quotas == fingerprint(self.quotas)

    @property
    def of_use(self) -> bool:
        """Whether it can tell anything at all."""
        day = self.headroom.day
        if self.same:
            return True
        if day is None or not self.headroom.sums:
            return False
        counted = {counting(each) for each in self.quotas}
        near = timedelta() <= self.today - day <= LONGEST
        return near and counted <= self.headroom.sums.keys() and not any(map(_turns, self.quotas))

    @property
    def days(self) -> list[date]:
        """Of which usage has to be known."""
        day = self.headroom.day
        if self.same or day is None:
            return [self.today]
        return [day + timedelta(days=each) for each in range((self.today - day).days + 1)]

    def renewed(self, usage: Usage) -> Headroom | None:
        """The headroom that is left with what these days come to; None if somebody must look."""
        headroom, today = self.headroom, usage.on(self.today)
        measured = {quota.id: Measured.by(quota) for quota in self.quotas}
        if self.same:
            if not headroom.covers(today, measured):
                return None
            if self.premise in {"", headroom.premise}:
                return headroom
            return replace(headroom, measured=measured, premise=self.premise)
        left, sums = {}, {}
        for quota in self.quotas:
            found = self._sum(quota, usage)
            if found is None:
                return None
            room = min(goals_of(quota, quota.limit_at(self.now))) - found.used
            if room <= 0:
                return None
            left[quota.id], sums[counting(quota)] = room, found
        ends = [day_start(self.today + timedelta(days=1), self.zone)]
        ends += [each.end for each in sums.values() if each.end is not None]
        return Headroom(
            fingerprint(self.quotas),
            headroom.settings,
            min(ends),
            today,
            headroom.buckets,
            left,
            self.today,
            sums,
            measured,
            self.premise,
        )

    def _sum(self, quota: Quota, usage: Usage) -> WindowSum | None:
        """At most so much was used in the window that is open now; None if it is not known."""
        was = self.headroom.sums[counting(quota)]
        since = sum((Decimal(quota.number(usage.on(each))) for each in self.days), Decimal())
        since -= Decimal(quota.number(self.headroom.used))
        if was.end is None or self.now < was.end:
            return WindowSum(was.used + since, was.end)
        span = quota.window.span(self.now, self.zone)
        if span.start < day_start(self.today, self.zone):
            return None
        return WindowSum(min(since, Decimal(quota.number(usage.on(self.today)))), span.end)


class Roomy(NamedTuple):
    """Who need not be looked at, with what they used since the day of their headroom."""

    used: Mapping[Principal, Usage]
    renewed: Mapping[Principal, Headroom]
    """The headrooms that can be kept instead of theirs."""

    def but_renewing(self, principals: Iterable[Principal]) -> "Roomy":
        """The same with the new headrooms of only these."""
        return self._replace(renewed={each: self.renewed[each] for each in principals})


NOBODY = Roomy({}, {})


def find_room(
    kept: Mapping[Principal, Kept],
    hours: Callable[[Iterable[Bucket]], Mapping[Bucket, Mapping[datetime, Counts]]],
    zone: ZoneInfo,
) -> Roomy:
    """For whom what was used since changes nothing, by one read for all of them."""
    buckets = [
        Bucket(principal, model, day, place)
        for principal, each in kept.items()
        for day in each.days
        for model, place in each.headroom.buckets
        if each.quotas
    ]
    found: defaultdict[Principal, defaultdict[tuple[str, str], dict[datetime, Counts]]]
    found = defaultdict(lambda: defaultdict(dict))
    for bucket, used in hours(buckets).items():
        found[bucket.principal][bucket.place, bucket.model].update(used)
    usages: dict[Principal, Usage] = {}
    renewed: dict[Principal, Headroom] = {}
    for principal, each in kept.items():
        usage = _usage(found[principal], zone)
        room = each.renewed(usage)
        if room is not None:
            usages[principal] = usage
            renewed |= {principal: room} if room is not each.headroom else {}
    return Roomy(usages, renewed)


def grows_old(headroom: Headroom | None, today: date) -> bool:
    """Whether it will soon be of no use, its day being so long over."""
    day = headroom.day if headroom is not None else None
    return day is not None and today - day > LONGEST / 2


def _usage(hours: Mapping[tuple[str, str], Mapping[datetime, Counts]], zone: ZoneInfo) -> Usage:
    places: defaultdict[str, dict[str, ModelUsage]] = defaultdict(dict)
    for (place, model), several in hours.items():
        places[place][model] = ModelUsage.of_hours(several, zone)
    return Usage.of_places(places)


def _turns(quota: Quota) -> bool:
    """Whether others or the clock have a say in it, beside its own usage."""
    clock = quota.turning_points() or quota.unusual is not None
    return quota.pooled or bool(clock)
