"""Explanations: every rule of every quota name, what came of it, and what its sum is made of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Record, Standing
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Candidate, Selection, covers
from quota_enforcer.core.quotas.quota import Exemption
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Counts, Number
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope
from quota_enforcer.core.usage.place import Place, place_words
from quota_enforcer.core.usage.window import Unit, day_start, local_date
from quota_enforcer.decide.judgement import Judgement
from quota_enforcer.decide.verdict import Verdict
from quota_enforcer.insight.quotas.items import ItemState
from quota_enforcer.insight.status import StatusRow, urgency


class BucketAmount(NamedTuple):
    """What one bucket adds: an hour or a day, by its start in UTC."""

    start: datetime
    number: Number


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The parts of a sum, by bucket (oldest first) and by model; each adds up to it.

    `bucket` says what the buckets are; those of a single day are hours, which it is the sum of.
    `elsewhere` are models used in the window that the quota does not count. `places` are by account
    and Region, and `other_places` what was used, of any model, where the quota does not count.
    """

    bucket: Unit
    buckets: tuple[BucketAmount, ...]
    models: Mapping[str, Number]
    elsewhere: Mapping[str, Number]
    places: Mapping[str, Number] = field(default_factory=dict)
    other_places: Mapping[str, Number] = field(default_factory=dict)


def breakdown(verdict: Verdict, whole: Usage, context: Context) -> Breakdown:
    """What the sum is made of; what adds nothing is left out.

    `whole` is also what was used in places that the quota does not count.
    """
    zone, home = context.zone, context.home
    usage = whole.at(verdict.quota.places, home)
    counted: dict[str, Number] = {}
    elsewhere: dict[str, Number] = {}
    for model, of_model in sorted(usage.models.items()):
        number = verdict.quota.number(Counts.total(of_model.within(verdict.span)))
        covered = any(scope.covers(model) for scope in verdict.quota.models)
        if number:
            (counted if covered else elsewhere)[model] = number
    bucket, buckets = _buckets(verdict, usage, zone)
    return Breakdown(
        bucket,
        tuple(part for part in buckets if part.number),
        counted,
        elsewhere,
        _by_place(verdict, usage.by_place, verdict.quota.models, home),
        _by_place(
            verdict,
            {each: of for each, of in whole.by_place.items() if each not in usage.by_place},
            [EVERY_MODEL],
            home,
        ),
    )


def _by_place(
    verdict: Verdict,
    places: Mapping[str, Usage],
    scopes: Iterable[ModelScope],
    home: Place | None,
) -> dict[str, Number]:
    several = list(scopes)
    numbers = {
        place_words(place, home): verdict.quota.number(usage.within(verdict.span, several))
        for place, usage in sorted(places.items())
    }
    return {place: number for place, number in numbers.items() if number}


def _buckets(verdict: Verdict, usage: Usage, zone: ZoneInfo) -> tuple[Unit, list[BucketAmount]]:
    quota, span = verdict.quota, verdict.span
    if len(span.days) == 1:
        hours = _hours_of_the_day(verdict, usage, zone)
        if sum(part.number for part in hours) == verdict.used:
            return Unit.HOUR, hours
    summed = usage.by_bucket(span, quota.models).items()
    unit = Unit.MINUTE if span.minutes else Unit.HOUR if span.hours else Unit.DAY
    return unit, [
        BucketAmount(
            bucket if isinstance(bucket, datetime) else day_start(bucket, zone),
            quota.number(counts),
        )
        for bucket, counts in summed
    ]


def _hours_of_the_day(verdict: Verdict, usage: Usage, zone: ZoneInfo) -> list[BucketAmount]:
    """The hours of the one day; if usage is known by the day only, they do not add up to it."""
    quota, (day,) = verdict.quota, verdict.span.days
    rows: dict[datetime, list[Counts]] = {}
    for model, of_model in usage.models.items():
        if any(scope.covers(model) for scope in quota.models):
            for hour, counts in of_model.hours.items():
                if local_date(hour, zone) == day:
                    rows.setdefault(hour, []).append(counts)
    return [BucketAmount(hour, quota.number(Counts.total(rows[hour]))) for hour in sorted(rows)]


@dataclass(frozen=True, slots=True)
class Summed:
    """A judgement, its row of the status table, and its sum in parts; of a pool by member.

    Of what closes in stages the judgement is that of the whole limit.
    """

    judgement: Judgement
    row: StatusRow
    parts: Breakdown
    members: Mapping[str, Number]
    acts: Judgement
    """That of the stage that closes something; the whole one's if none does."""
    early: tuple[Judgement, ...] = ()
    """Those of the early stages."""

    @property
    def verdict(self) -> Verdict:
        """Its quota held against the usage."""
        return self.judgement.verdict


@dataclass(frozen=True, slots=True)
class Name:
    """All that there is of one quota name: what applies, and every rule that covers the principal.

    `items` are those that are disabled or not valid; of one that was valid once, that version is
    among the candidates.
    """

    name: str
    sums: tuple[Summed, ...]
    candidates: tuple[Candidate, ...]
    items: tuple[ItemState, ...]

    def fated(self, fate: Selection) -> list[Candidate]:
        """The rules with this selection."""
        return [each for each in self.candidates if each.fate is fate]

    @property
    def exempt(self) -> bool:
        """Whether an exemption won, so that there is no limit of this name."""
        return any(isinstance(each.rule, Exemption) for each in self.fated(Selection.APPLIES))

    def invalid(self, subject: str) -> ItemState | None:
        """The item of this subject if it is not valid."""
        return next(
            (each for each in self.items if each.subject == subject and each.problems), None
        )


@dataclass(frozen=True, slots=True)
class Explained:
    """One principal, why it is where it is; `unreadable` are invalid items that name nobody."""

    record: Record
    names: tuple[Name, ...]
    unreadable: int

    @property
    def standing(self) -> Standing:
        """Where the last sweep left it."""
        return self.record.standing


def by_name(
    sums: Iterable[Summed], candidates: Iterable[Candidate], items: Iterable[ItemState]
) -> tuple[Name, ...]:
    """Every quota name with its sums, rules and items."""
    summed, rules, states = list(sums), list(candidates), list(items)
    found = {each.rule.name for each in rules} | {state.name for state in states}
    several = [
        Name(
            name,
            tuple(each for each in summed if each.verdict.quota.name == name),
            tuple(each for each in rules if each.rule.name == name),
            tuple(state for state in states if state.name == name),
        )
        for name in sorted(found)
    ]
    return tuple(sorted(several, key=_place))


def _place(name: Name) -> tuple[bool, tuple[int, int, str], bool]:
    """What matters most first, then what does not apply."""
    worst = min((urgency(each.row) for each in name.sums), default=(0, 0, name.name))
    return not name.sums, worst, not name.exempt


def meant_for(principal: Principal, states: Iterable[ItemState]) -> Iterator[ItemState]:
    """The items without a rule that would cover this principal."""
    for state in states:
        aside = state.problems or (state.rule is None and not state.in_force)
        if aside and covers(state.subject, _members(state.item.get("members")), principal):
            yield state


def _members(value: Any) -> list[str]:
    """The members as far as they can be read: an item may hold anything."""
    if isinstance(value, str):
        return [value]
    return [str(each) for each in value] if isinstance(value, (list, set, frozenset)) else []
