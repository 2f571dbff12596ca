"""Breakdown: what a verdict's sum is made of, bucket by bucket and model by model."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Counts, Number
from quota_enforcer.core.usage.window import day_start, local_date
from quota_enforcer.decide.verdict import Verdict


class Part(NamedTuple):
    """What one bucket adds: an hour or a day, by its start in UTC."""

    start: datetime
    number: Number


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The parts of a sum, oldest first; each of the two adds up to it.

    `hourly` says whether the buckets are hours: so are those of a single day, which is their sum.
    `elsewhere` are models used in the window that the quota does not count.
    """

    hourly: bool
    buckets: tuple[Part, ...]
    models: Mapping[str, Number]
    elsewhere: Mapping[str, Number]


def breakdown(verdict: Verdict, usage: Usage, zone: ZoneInfo) -> Breakdown:
    """What the sum is made of; buckets and models that add nothing are left out."""
    counted: dict[str, Number] = {}
    elsewhere: dict[str, Number] = {}
    for model, of_model in sorted(usage.models.items()):
        number = verdict.quota.number(Counts.total(of_model.within(verdict.span)))
        covered = any(scope.covers(model) for scope in verdict.quota.models)
        if number:
            (counted if covered else elsewhere)[model] = number
    hourly, buckets = _buckets(verdict, usage, zone)
    return Breakdown(hourly, tuple(part for part in buckets if part.number), counted, elsewhere)


def _buckets(verdict: Verdict, usage: Usage, zone: ZoneInfo) -> tuple[bool, list[Part]]:
    quota, span = verdict.quota, verdict.span
    if len(span.days) == 1:
        hours = _hours_of_the_day(verdict, usage, zone)
        if sum(part.number for part in hours) == verdict.used:
            return True, hours
    summed = usage.by_bucket(span, quota.models).items()
    return bool(span.hours), [
        Part(
            bucket if isinstance(bucket, datetime) else day_start(bucket, zone),
            quota.number(counts),
        )
        for bucket, counts in summed
    ]


def _hours_of_the_day(verdict: Verdict, usage: Usage, zone: ZoneInfo) -> list[Part]:
    """Where usage is known by the day only, they do not add up to it."""
    quota, (day,) = verdict.quota, verdict.span.days
    rows: dict[datetime, list[Counts]] = {}
    for model, of_model in usage.models.items():
        if any(scope.covers(model) for scope in quota.models):
            for hour, counts in of_model.hours.items():
                if local_date(hour, zone) == day:
                    rows.setdefault(hour, []).append(counts)
    return [Part(hour, quota.number(Counts.total(rows[hour]))) for hour in sorted(rows)]
