"""Headroom: how much somebody may still use before anything that is decided about them changes.

A look at somebody reads all that their windows hold. What it leaves behind says by how much each
quota is away from its next threshold; until usage has grown by as much, nobody need look again, and
what a day's usage is now takes one read for many.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Self

from quota_enforcer.core.usage.counts import Counts, Measure

if TYPE_CHECKING:
    from quota_enforcer.core.quotas.quota import Quota


class WindowSum(NamedTuple):
    """What was used in a window by the time of a look, and when that window ends."""

    used: Decimal
    end: datetime | None
    """None of a rolling one: what it loses by time is taken to stay."""


class Measured(NamedTuple):
    """What a quota counts, as far as a day's number needs it."""

    measure: Measure
    weights: tuple[Decimal, ...] = ()

    @classmethod
    def by(cls, quota: "Quota") -> Self:
        return cls(quota.measure, tuple(quota.weights))

    def of(self, counts: Counts) -> Decimal:
        return Decimal(self.measure.of(counts, self.weights))


class Ground(NamedTuple):
    """What everybody's headroom stands on, as the sweep's state says it at a moment."""

    settings: str = ""
    premise: str = ""


def premise_of(quotas_seen: str, breaker: str) -> str:
    """Another one when somebody begins to act on an edit, or turns the breaker; never empty."""
    return f"{quotas_seen}/{breaker}"


@dataclass(frozen=True, slots=True)
class Headroom:
    """What a look found; it holds for these quotas and settings, and within one local day.

    Usage of earlier days must not have changed since: whoever adds to it drops the headroom first,
    and so does whoever changes what is recorded of somebody.
    """

    quotas: str
    """Which quotas it is about, by `fingerprint`."""
    settings: str
    """Under which settings it was found."""
    until: datetime
    """The end of the local day, or of a window, or when the clock alone changes something."""
    used: Counts
    """What the day came to at that look."""
    buckets: frozenset[tuple[str, str]]
    """The models and places, as buckets have them, that were used within the windows."""
    left: Mapping[str, Decimal]
    """By quota id, what may be added before its next threshold is reached; always above 0."""
    day: date | None = None
    """Which local day that is; None in one of an earlier version."""
    sums: Mapping[str, WindowSum] = field(default_factory=dict)
    """By what is counted, as `counting` tells; empty unless all are below their first threshold.

    With these it can be told on the next day, and of other limits too, that there is room.
    """
    measured: Mapping[str, Measured] = field(default_factory=dict)
    """What is counted, by the same ids as `left`; empty in one of an earlier version."""
    premise: str = ""
    """While the state says so, who knows no quotas may go by it; empty if they may not."""

    def after(self, before: Self | None) -> Self:
        """The same with the models that one of before knew within the day.

        Whoever went by that one while this was found may have added to them since.
        """
        if before is None or before.day != self.day:
            return self
        return replace(self, buckets=self.buckets | before.buckets)

    def knows(self, called: Collection[tuple[str, str]]) -> bool:
        """Whether it can tell of calls of these models and places; of all where nothing limits."""
        return not self.left or self.buckets.issuperset(called)

    def stands_on(self, ground: Ground) -> bool:
        """Whether nothing that concerns everybody has changed since it was found."""
        return bool(self.premise) and ground == (self.settings, self.premise)

    def covers(self, day: Counts, measured: Mapping[str, Measured] | None = None) -> bool:
        """Whether nothing changes with what the day comes to now.

        It is all held against each quota, also what the quota does not count: that errs towards a
        look. `measured` stands in where it does not say itself what is counted.
        """
        by = self.measured or measured or {}
        return all(
            id_ in by and by[id_].of(day) - by[id_].of(self.used) < left
            for id_, left in self.left.items()
        )


class KeptHeadroom(NamedTuple):
    """A headroom as it is kept; None once it was dropped."""

    headroom: Headroom | None
    token: str
    """Another one each time that it is written."""


NONE_KEPT = KeptHeadroom(None, "")


def fingerprint(quotas: Iterable["Quota"]) -> str:
    """The same only for quotas that say the same; for others by chance once in 2**128.

    Who else is in a team does not matter: of whoever shares a quota no headroom is kept.
    """
    said = (repr(replace(quota, members=())) for quota in quotas)
    return sha256("\n".join(said).encode()).hexdigest()[:32]


def counting(quota: "Quota") -> str:
    """The same for quotas that count the same, whatever their limits."""
    counted = (quota.measure, quota.weights, quota.window, quota.models, quota.places)
    return sha256(repr(counted).encode()).hexdigest()[:16]
