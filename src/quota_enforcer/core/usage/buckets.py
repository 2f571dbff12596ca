"""Usage: one principal's counters in hour and day buckets of local time; windows are their sums.

For whom a window of minutes asks for it there are buckets of a minute too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from quota_enforcer.core.usage.counts import NO_MONEY, Counts
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope, made_by_people
from quota_enforcer.core.usage.pace import NO_PACE, CallPace
from quota_enforcer.core.usage.place import EVERYWHERE, HOME, NOWHERE_KNOWN, Place, PlaceScope
from quota_enforcer.core.usage.window import Span, local_date

MinuteCounts = Mapping[str, Mapping[str, Mapping[datetime, Counts]]]
"""Buckets of a minute by place, as buckets have it, by model, and by their start in UTC."""


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """One model's buckets: hours by their start in UTC, days by their local date."""

    hours: Mapping[datetime, Counts] = field(default_factory=dict)
    days: Mapping[date, Counts] = field(default_factory=dict)
    minutes: Mapping[datetime, Counts] = field(default_factory=dict)
    """By their start in UTC, if they were read."""

    @classmethod
    def of_hours(cls, hours: Mapping[datetime, Counts], zone: ZoneInfo) -> "ModelUsage":
        """Day buckets are the sums of their hours, so the two can never disagree."""
        by_day: defaultdict[date, list[Counts]] = defaultdict(list)
        for start, counts in hours.items():
            by_day[local_date(start, zone)].append(counts)
        return cls(hours, {day: Counts.total(rows) for day, rows in by_day.items()})

    @property
    def certain(self) -> "ModelUsage":
        """These buckets as if no price were assumed."""
        return ModelUsage(
            {hour: counts._replace(assumed_usd=NO_MONEY) for hour, counts in self.hours.items()},
            {day: counts._replace(assumed_usd=NO_MONEY) for day, counts in self.days.items()},
            {at: counts._replace(assumed_usd=NO_MONEY) for at, counts in self.minutes.items()},
        )

    def within(self, span: Span) -> list[Counts]:
        """The buckets of a window that were used at all."""
        if span.minutes:
            return [self.minutes[at] for at in span.minutes if at in self.minutes]
        if span.hours:
            return [self.hours[hour] for hour in span.hours if hour in self.hours]
        return [self.days[day] for day in span.days if day in self.days]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one principal used, by canonical model, wherever it was."""

    models: Mapping[str, ModelUsage] = field(default_factory=dict)
    places: "Mapping[str, Usage]" = field(default_factory=dict)
    """This usage by place, as buckets have it; empty if all of it was at home."""
    pace: CallPace = NO_PACE
    """Of the last minutes, if it was read."""

    @classmethod
    def of_places(cls, places: Mapping[str, Mapping[str, ModelUsage]]) -> "Usage":
        """What was used in each place; the same hour in several adds up."""
        if places.keys() <= {HOME}:
            return cls(places.get(HOME, {}))
        return pooled(cls(models, {place: cls(models)}) for place, models in places.items())

    def with_minutes(self, places: "MinuteCounts") -> "Usage":
        """This usage with these buckets of a minute instead of those that it had."""
        known = {place: usage.models for place, usage in self.by_place.items()}
        joined = {
            place: {
                model: replace(of.get(model, ModelUsage()), minutes=minutes.get(model, {}))
                for model in {**of, **minutes}
            }
            for place in {**known, **places}
            for of, minutes in [(known.get(place, {}), places.get(place, {}))]
        }
        return replace(Usage.of_places(joined), pace=self.pace)

    @property
    def by_place(self) -> "Mapping[str, Usage]":
        """By place, home's too."""
        return self.places or ({HOME: self} if self.models else {})

    def at(self, scope: PlaceScope, home: Place | None) -> "Usage":
        """What of it was used in the places of a scope; all of it counts if that is all places."""
        if scope == EVERYWHERE:
            return self
        home = home or NOWHERE_KNOWN
        kept = {
            place: usage
            for place, usage in self.by_place.items()
            if scope.covers(Place.of(place, home))
        }
        if kept.keys() == self.by_place.keys():
            return self
        return Usage(_summed(kept.values()), kept)

    def within(self, span: Span, scopes: Collection[ModelScope]) -> Counts:
        """The sum over a window of every model that one of the scopes covers."""
        rows: list[Counts] = []
        for usage in self._covered(scopes).values():
            rows += usage.within(span)
        return Counts.total(rows)

    def on(self, day: date) -> Counts:
        """The sum over every model on a local date."""
        return Counts.total(each.days[day] for each in self.models.values() if day in each.days)

    def by_bucket(self, span: Span, scopes: Collection[ModelScope]) -> dict[date, Counts]:
        """The sum of `within` bucket by bucket, oldest first; unused buckets are zero."""
        covered = self._covered(scopes).values()
        if span.minutes:
            return {
                at: Counts.total(usage.minutes[at] for usage in covered if at in usage.minutes)
                for at in reversed(span.minutes)
            }
        if span.hours:
            return {
                hour: Counts.total(usage.hours[hour] for usage in covered if hour in usage.hours)
                for hour in reversed(span.hours)
            }
        return {
            day: Counts.total(usage.days[day] for usage in covered if day in usage.days)
            for day in reversed(span.days)
        }

    def by_day(self) -> dict[date, Counts]:
        """All models together."""
        rows: defaultdict[date, list[Counts]] = defaultdict(list)
        for usage in self.models.values():
            for day, counts in usage.days.items():
                rows[day].append(counts)
        return {day: Counts.total(several) for day, several in sorted(rows.items())}

    @property
    def denying(self) -> "Usage":
        """This usage as it may deny: nothing is assumed of models that people make themselves.

        Else a dollar quota would not deny whoever keeps the price of their calls unknown.
        """
        made = {model: usage for model, usage in self.models.items() if made_by_people(model)}
        return Usage(
            {**self.models, **{model: each.certain for model, each in made.items()}},
            {place: usage.denying for place, usage in self.places.items()},
        )

    def unpriced(self, span: Span, scopes: Collection[ModelScope]) -> tuple[str, ...]:
        """The covered models whose cost in a window is assumed, in part at least."""
        return tuple(
            model
            for model, usage in sorted(self._covered(scopes).items())
            if any(counts.assumed_usd for counts in usage.within(span))
        )

    def _covered(self, scopes: Collection[ModelScope]) -> Mapping[str, ModelUsage]:
        if EVERY_MODEL in scopes:
            return self.models
        return {
            model: usage
            for model, usage in self.models.items()
            if any(scope.covers(model) for scope in scopes)
        }


def pooled(members: Iterable[Usage]) -> Usage:
    """The usage of several principals together, as a pool's quota sees it."""
    several = list(members)
    places: dict[str, list[Usage]] = {}
    if any(member.places for member in several):
        for member in several:
            for place, usage in member.by_place.items():
                places.setdefault(place, []).append(usage)
    return Usage(
        _summed(several),
        {each: Usage(_summed(of)) for each, of in places.items()},
        CallPace.together(member.pace for member in several),
    )


def _summed(members: Iterable[Usage]) -> dict[str, ModelUsage]:
    hours: defaultdict[str, defaultdict[datetime, list[Counts]]]
    days: defaultdict[str, defaultdict[date, list[Counts]]]
    minutes: defaultdict[str, defaultdict[datetime, list[Counts]]]
    hours = defaultdict(lambda: defaultdict(list))
    days = defaultdict(lambda: defaultdict(list))
    minutes = defaultdict(lambda: defaultdict(list))
    for member in members:
        for model, usage in member.models.items():
            for hour, counts in usage.hours.items():
                hours[model][hour].append(counts)
            for day, counts in usage.days.items():
                days[model][day].append(counts)
            for at, counts in usage.minutes.items():
                minutes[model][at].append(counts)
    return {
        model: ModelUsage(
            {hour: Counts.total(rows) for hour, rows in hours[model].items()},
            {day: Counts.total(rows) for day, rows in days[model].items()},
            {at: Counts.total(rows) for at, rows in minutes[model].items()},
        )
        for model in {**days, **minutes}
    }
