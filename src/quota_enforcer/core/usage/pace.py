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
"""A burst counts as the pace as soon as it has lasted so long, if it is faster.

That is if it has more calls than a random minute of the last ones would: one standard deviation
more. Else whoever is steady would have the faster of two paces each time.
"""
_FEW: Final = 3
"""Fewer calls are no burst."""
_LEAST_VARIANCE: Final = Fraction(1, 4)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = Decimal(1)
_HUNDREDTH: Final = Decimal("0.01")
_LONGEST: Final = Decimal(60)
"""Seconds: what takes longer was an outage, and says nothing of the next call."""
_LATER: Final = 8
_SOONER: Final = 32
"""One part in so many of a new measurement counts, if it is longer than usual, or shorter.

So it settles where calls that are late weigh as much as the many that are not: at 12.8 s for a log
that takes 10 s as a rule and 15 s at most. Who keeps back for the mean is late half of the time.
"""
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
            change = min(max(seen, _SECOND), _LONGEST) - self.seen
            fresh += change / (_LATER if change > 0 else _SOONER)
        holds = USUAL_LAG.holds + (self.holds - USUAL_LAG.holds) * (_FORGET - 1) / _FORGET
        if passed is not None:
            holds = max(holds, min(passed, _LONGEST))
        return type(self)(fresh.quantize(_HUNDREDTH), holds.quantize(_HUNDREDTH))


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
        number, seconds = self._calls(seen_to, now, LATELY)
        lately = number / seconds
        number, seconds = self._calls(seen_to, now, BURST)
        usual = lately * seconds
        more = number - usual
        is_burst = number >= _FEW and more > 0 and more**2 > max(usual, _LEAST_VARIANCE)
        return number / seconds if is_burst else lately

    def _calls(self, seen_to: datetime, now: datetime, span: timedelta) -> tuple[int, Fraction]:
        """Calls, and in how many seconds.

        What is seen early counts too, in the same time: rather too much.
        """
        slot = start = slot_of(seen_to) - span
        number = 0
        while slot <= now:
            number += self.calls.get(slot, 0)
            slot += SLOT
        return number, Fraction((seen_to - start) // _MICROSECOND, 1_000_000)


NO_PACE: Final = CallPace()


def slot_of(moment: datetime) -> datetime:
    """The start of the slot in which a call is counted, in UTC."""
    seconds, length = int(moment.timestamp()), int(SLOT.total_seconds())
    return datetime.fromtimestamp(seconds - seconds % length, UTC)


def counted_from(now: datetime, lag: DenyLag) -> datetime:
    """From which slot on the pace needs the calls."""
    return slot_of(now - timedelta(seconds=float(lag.seen))) - LATELY
