"""Which additions go into one transaction together, and which transactions follow each other.

A transaction holds 100 items at most: the buckets that its calls add to, and the markers that say
which calls were added. Everything of one principal stays together as far as it fits, so a bucket
costs one write for all of its calls and transactions at the same time never meet.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from quota_enforcer.aws.dynamodb.table import BATCH
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.pace import slot_of
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import minute_start
from quota_enforcer.meter.ports import UsageEntry

MOST_CALLS = 60
"""Under one marker in one transaction: its condition names each, and 4 KB are read of one."""

Pack = list[UsageEntry]


class Marker(NamedTuple):
    """The item that remembers which calls were added: a principal's calls of one slot.

    It follows from the call alone, so a repeated delivery finds the same one. A slot has ten
    seconds: few enough calls that the item stays small, since a write is paid by the item's size.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """

    principal: Principal
    slot: datetime
    """Its start, in UTC."""


def marker_of(addition: UsageEntry) -> Marker:
    """The marker of the first principal that a call counts to."""
    return Marker(addition.buckets[0].principal, slot_of(addition.at))


class Minute(NamedTuple):
    """A bucket's minute, which an item of its own holds."""

    bucket: Bucket
    start: datetime


def minutes_of(addition: UsageEntry) -> set[Minute]:
    """What a call adds to by the minute; nothing, as a rule."""
    start = minute_start(addition.at)
    return {Minute(bucket, start) for bucket in addition.by_the_minute}


def lanes(additions: Iterable[UsageEntry], closing: Collection[datetime] = ()) -> list[list[Pack]]:
    """Packs for one transaction each; those of one lane touch the same buckets, so one by one.

    Each of the hours `closing` takes an item in the transaction too: the check that it is open.
    """
    families: defaultdict[Principal, Pack] = defaultdict(list)
    for addition in additions:
        families[addition.buckets[0].principal].append(addition)
    whole: list[_Filling] = []
    split: list[list[Pack]] = []
    for family in families.values():
        packs = list(_packs(sorted(family, key=_nearness), closing))
        if len(packs) > 1:
            split.append([pack.calls for pack in packs])
        else:
            whole += packs
    return [*split, *([pack.calls] for pack in _joined(whole))]


def _nearness(addition: UsageEntry) -> tuple[Sequence[Bucket], datetime]:
    return addition.buckets, addition.at


class _Filling:
    """A pack that is being filled, and how many items its transaction takes."""

    def __init__(self, closing: Collection[datetime]) -> None:
        self._closing = closing
        self.calls: Pack = []
        self.buckets: set[Bucket] = set()
        self.minutes: set[Minute] = set()
        self.hours: set[datetime] = set()
        self.marked: defaultdict[Marker, int] = defaultdict(int)

    @property
    def size(self) -> int:
        """Items of its transaction."""
        buckets = len(self.buckets) + len(self.minutes)
        return buckets + len(self.hours) + len(self.marked)

    def take(self, addition: UsageEntry) -> bool:
        """Whether it fits; then it is in."""
        marker = marker_of(addition)
        minutes = minutes_of(addition)
        more = len(set(addition.buckets) - self.buckets) + len(minutes - self.minutes)
        hours = ({addition.hour} & set(self._closing)) - self.hours
        more += len(hours) + (marker not in self.marked)
        if self.size + more > BATCH or self.marked.get(marker, 0) == MOST_CALLS:
            return False
        self.calls.append(addition)
        self.buckets.update(addition.buckets)
        self.minutes |= minutes
        self.hours |= hours
        self.marked[marker] += 1
        return True

    def join(self, other: "_Filling") -> bool:
        """Whether all of another principal's calls fit; then they are in."""
        both = len(self.hours | other.hours)
        items = self.size - len(self.hours) + other.size - len(other.hours) + both
        if items > BATCH:
            return False
        self.calls += other.calls
        self.buckets |= other.buckets
        self.minutes |= other.minutes
        self.hours |= other.hours
        self.marked.update(other.marked)
        return True


def _packs(calls: Iterable[UsageEntry], closing: Collection[datetime]) -> Iterator[_Filling]:
    """One principal's calls, in as many packs as it takes."""
    pack = _Filling(closing)
    for call in calls:
        if not pack.take(call):
            yield pack
            pack = _Filling(closing)
            pack.take(call)
    yield pack


def _joined(packs: Iterable[_Filling]) -> list[_Filling]:
    """Several principals to a pack, the largest first into the first pack with room."""
    filled: list[_Filling] = []
    for pack in sorted(packs, key=lambda each: each.size, reverse=True):
        if not any(other.join(pack) for other in filled):
            filled.append(pack)
    return filled
