"""The comparison: whose calls CloudTrail has and the ledger has not, and the other way round.

The two do not stamp a call at the same instant, so what is missing in one hour may be what is too
much in the next: only what no neighbouring hour explains is a difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.principal import Principal, identify
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import Place
from quota_enforcer.doctor.witness.trail import LOGGED, UNLOGGED, TrailRow

_NEIGHBOUR = timedelta(hours=1, minutes=30)
"""Two clock hours next to each other begin no further apart, on Lord Howe Island too."""


class Caller(NamedTuple):
    """Who called, and where."""

    principal: Principal
    place: Place

    def words(self, home: Place) -> str:
        """`user/alice`, with the place if it is not home."""
        return str(self.principal) + ("" if self.place == home else f" in {self.place}")


@dataclass(frozen=True, slots=True)
class CallsApart:
    """One caller whose calls differ: how many, of how many that CloudTrail has, and when."""

    caller: Caller
    calls: int
    of: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class LackingTokens:
    """One caller whose calls are all there, with fewer tokens than CloudTrail counted."""

    caller: Caller
    ledger: int
    trail: int


@dataclass(frozen=True, slots=True)
class Unlogged:
    """What somebody used that no invocation log has; `caller` is empty for a service of AWS."""

    event: str
    caller: Caller | None
    calls: int


@dataclass(frozen=True, slots=True)
class TrailCalls:
    """A trail's calls by caller and hour, of the operations that are logged, and the other ones."""

    calls: Mapping[Caller, Mapping[datetime, Counts]]
    """As counts: requests, and the tokens of the hours whose calls all tell them."""
    told: Mapping[Caller, frozenset[datetime]]
    """Those hours."""
    unlogged: tuple[Unlogged, ...]
    nameless: int
    """Logged calls of callers without an ARN."""

    @property
    def total(self) -> int:
        return sum(each.requests for hours in self.calls.values() for each in hours.values())


def trail_calls(rows: Iterable[TrailRow], home: Place) -> TrailCalls:
    """The rows by whom they are of."""
    calls: defaultdict[Caller, defaultdict[datetime, list[TrailRow]]]
    calls = defaultdict(lambda: defaultdict(list))
    unlogged: defaultdict[tuple[str, Caller | None], int] = defaultdict(int)
    nameless = 0
    for row in rows:
        caller = _caller(row, home)
        if row.event in UNLOGGED:
            unlogged[row.event, caller] += row.calls
        elif row.event in LOGGED and caller is not None:
            calls[caller][row.hour].append(row)
        elif row.event in LOGGED:
            nameless += row.calls
    return TrailCalls(
        {caller: {hour: _sum(of) for hour, of in hours.items()} for caller, hours in calls.items()},
        {
            caller: frozenset(
                hour
                for hour, of in hours.items()
                if all(each.with_tokens == each.calls for each in of)
            )
            for caller, hours in calls.items()
        },
        tuple(
            Unlogged(event, caller, number)
            for (event, caller), number in sorted(
                unlogged.items(), key=lambda each: (each[0][0], -each[1], str(each[0][1]))
            )
        ),
        nameless,
    )


def _caller(row: TrailRow, home: Place) -> Caller | None:
    try:
        identity = identify(row.arn, row.account, home.account)
    except UnknownIdentity:
        return None
    return Caller(identity.principal, Place(row.account, row.region))


def _sum(rows: Iterable[TrailRow]) -> Counts:
    return Counts.total(Counts(each.calls, each.input_tokens, each.output_tokens) for each in rows)


@dataclass(frozen=True, slots=True)
class WitnessCompared:
    """Both together: what the ledger lacks, what it has alone, and whose tokens are fewer."""

    missing: tuple[CallsApart, ...]
    surplus: tuple[CallsApart, ...]
    tokens: tuple[LackingTokens, ...]


def compare(
    said: TrailCalls,
    usages: Mapping[Principal, Usage],
    home: Place,
    span: tuple[datetime, datetime],
) -> WitnessCompared:
    """Hold what a trail says of the hours of a span against the usage of whom it names.

    The usage may have hours before and after it: those explain calls at its edges, and are no
    surplus themselves.
    """
    missing: list[CallsApart] = []
    surplus: list[CallsApart] = []
    tokens: list[LackingTokens] = []
    for caller, trail in said.calls.items():
        ledger = _hours(usages.get(caller.principal, Usage()), caller.place, home)
        left = _unexplained(
            {
                hour: trail.get(hour, Counts()).requests - ledger.get(hour, Counts()).requests
                for hour in sorted(trail.keys() | ledger.keys())
            }
        )
        inside = {hour: number for hour, number in left.items() if span[0] <= hour < span[1]}
        total = sum(each.requests for each in trail.values())
        missing += _difference(caller, {h: n for h, n in inside.items() if n > 0}, total)
        surplus += _difference(caller, {h: -n for h, n in inside.items() if n < 0}, total)
        if not any(inside.values()):
            tokens += _fewer_tokens(caller, said, ledger)
    return WitnessCompared(_ranked(missing), _ranked(surplus), tuple(tokens))


def _hours(usage: Usage, place: Place, home: Place) -> dict[datetime, Counts]:
    """What the ledger has of all models there."""
    there = usage.by_place.get(place.stored(home), Usage())
    rows: defaultdict[datetime, list[Counts]] = defaultdict(list)
    for model in there.models.values():
        for hour, counts in model.hours.items():
            rows[hour].append(counts)
    return {hour: Counts.total(several) for hour, several in rows.items()}


def _unexplained(differences: dict[datetime, int]) -> dict[datetime, int]:
    """What is left of each hour once neighbours have made up for each other."""
    left = dict(differences)
    hours = sorted(left)
    for earlier, later in pairwise(hours):
        if later - earlier <= _NEIGHBOUR and left[earlier] * left[later] < 0:
            moved = min(abs(left[earlier]), abs(left[later]))
            sign = 1 if left[earlier] > 0 else -1
            left[earlier] -= sign * moved
            left[later] += sign * moved
    return left


def _difference(caller: Caller, hours: Mapping[datetime, int], total: int) -> list[CallsApart]:
    if not hours:
        return []
    return [CallsApart(caller, sum(hours.values()), total, min(hours), max(hours))]


def _fewer_tokens(
    caller: Caller, said: TrailCalls, ledger: Mapping[datetime, Counts]
) -> list[LackingTokens]:
    """Of the hours whose every call tells its tokens, and of which both have as many calls."""
    trail = said.calls[caller]
    hours = [
        hour
        for hour in said.told.get(caller, frozenset())
        if hour in ledger and trail[hour].requests == ledger[hour].requests
    ]
    of_trail = sum(trail[hour].input_tokens + trail[hour].output_tokens for hour in hours)
    of_ledger = sum(ledger[hour].tokens for hour in hours)
    return [LackingTokens(caller, of_ledger, of_trail)] if of_ledger < of_trail else []


def _ranked(several: list[CallsApart]) -> tuple[CallsApart, ...]:
    return tuple(sorted(several, key=lambda each: (-each.calls, each.caller)))
