"""How fast somebody calls at present, and how long it takes until a deny holds."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Self

SLOT: Final = timedelta(seconds=10)
"""Calls are counted in slots of this length."""
LATELY: Final = timedelta(minutes=5)
"""What counts as the present."""
BURST: Final = timedelta(minutes=1)
"""A burst counts as the pace as soon as it has lasted so long, if it is faster."""
_FEW: Final = 3
"""Fewer calls are no burst."""
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = Decimal(1)
_LONGEST: Final = Decimal(60)
"""Seconds: what takes longer was an outage, and says nothing of the next call."""
_WEIGHT: Final = 8
"""One part in so many of a new measurement counts."""
_FORGET: Final = 64
"""One part in so many of what IAM took longer than usual is forgotten with each measurement."""


@dataclass(frozen=True, slots=True)
class DenyLag:
    """From a call to a deny that holds, in seconds."""

    seen: Decimal = Decimal(13)
    """Until the enforcer looks at a call: the log's delivery and the functions' own time.

    Without a measurement: between the median of 10 s and the 90th percentile of 13 s that a real
    export shows, and a second for the functions.
    """
    holds: Decimal = Decimal(4)
    """Until IAM refuses after that; measured by others, since AWS names no figure."""

    @property
    def total(self) -> Decimal:
        return self.seen + self.holds

    def measured(self, seen: Decimal | None, passed: Decimal | None) -> Self:
        """With one more measurement of each; None where there is none.

        `passed` is how long after its deny somebody still got a call through: IAM took at least
        that long. It counts at once and is forgotten slowly, and never counts for less than usual.
        """
        fresh = self.seen
        if seen is not None:
            fresh += (min(max(seen, _SECOND), _LONGEST) - self.seen) / _WEIGHT
        holds = USUAL_LAG.holds + (self.holds - USUAL_LAG.holds) * (_FORGET - 1) / _FORGET
        if passed is not None:
            holds = max(holds, min(passed, _LONGEST))
        tenth = Decimal("0.1")
        return type(self)(fresh.quantize(tenth), holds.quantize(tenth))


USUAL_LAG: Final = DenyLag()
"""Before the first measurement."""


@dataclass(frozen=True, slots=True)
class CallPace:
    """How many calls somebody made lately, by the start of their slots."""

    calls: Mapping[datetime, int] = field(default_factory=dict)

    @classmethod
    def together(cls, several: Iterable[Self]) -> Self:
        """The pace of all who share something."""
        sums: Counter[datetime] = Counter()
        for each in several:
            sums.update(each.calls)
        return cls(sums)

    def per_second(self, now: datetime, lag: DenyLag) -> Fraction:
        """Calls a second, as far as they are seen: over the last minutes, or of a burst."""
        seen_to = now - timedelta(seconds=float(lag.seen))
        lately, _ = self._pace(seen_to, now, LATELY)
        burst, number = self._pace(seen_to, now, BURST)
        return max(lately, burst) if number >= _FEW else lately

    def _pace(self, seen_to: datetime, now: datetime, span: timedelta) -> tuple[Fraction, int]:
        """What is seen early counts too, and is divided by the same time: rather too much."""
        slot = start = slot_of(seen_to) - span
        number = 0
        while slot <= now:
            number += self.calls.get(slot, 0)
            slot += SLOT
        return Fraction(number * 1_000_000, (seen_to - start) // _MICROSECOND), number


NO_PACE: Final = CallPace()


def slot_of(moment: datetime) -> datetime:
    """The start of the slot in which a call is counted, in UTC."""
    seconds, length = int(moment.timestamp()), int(SLOT.total_seconds())
    return datetime.fromtimestamp(seconds - seconds % length, UTC)


def counted_from(now: datetime, lag: DenyLag) -> datetime:
    """From which slot on the pace needs the calls."""
    return slot_of(now - timedelta(seconds=float(lag.seen))) - LATELY
