"""How usage is read: of one principal, or of many at once."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import NamedTuple, Protocol

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.buckets import MinuteCounts, Usage
from quota_enforcer.core.usage.pace import NO_PACE, CallPace
from quota_enforcer.core.usage.place import HOME

Called = Mapping[Principal, Mapping[str, datetime]]
"""When somebody called each canonical model last."""
NO_CALLS: Called = {}


class Woken(NamedTuple):
    """What a meter says of usage that it has just added."""

    called: Called = NO_CALLS
    mark: str = ""
    """The mark of this usage as unseen, or the token of its one item; empty if it must stay."""
    since: datetime | None = None
    """When the oldest of the calls was; None if `called` does not name all their models."""
    place: str = HOME
    """Where they were made, as buckets have it."""


NOTHING_SAID = Woken()


class UsageReads(Protocol):
    """Where usage is read."""

    def usage(self, principal: Principal, first: date) -> Usage:
        """One principal's usage from a local date on."""

    def minutes(self, principal: Principal, since: datetime) -> MinuteCounts:
        """The buckets of a minute from that one on: there are some only for whom a quota asks."""


class PaceReads(Protocol):
    """Where it is read how fast somebody calls."""

    def pace(self, principal: Principal, since: datetime) -> CallPace:
        """The calls from a slot on."""


class NoPaces:
    """For whoever decides about many at once: who is closed early already stays so."""

    def pace(self, principal: Principal, since: datetime) -> CallPace:  # noqa: ARG002
        return NO_PACE


NO_PACES: PaceReads = NoPaces()


def no_progress(_: float) -> None:
    """Progress that nobody asked for."""


class ReadMany(Protocol):
    """Reads the usage of many at once."""

    def __call__(
        self,
        firsts: Mapping[Principal, date],
        hours_from: date | None,
        told: Callable[[float], None] = no_progress,
    ) -> Mapping[Principal, Usage]:
        """Each one's usage from a local date on; perhaps a second old.

        By the hour only from `hours_from` on; if that is None, perhaps by the day only.
        `told` hears the progress, from 0 to 1.
        """


class ReadSample(Protocol):
    """Reads the usage of many, or of some of them where that would take long."""

    def __call__(self, principals: Collection[Principal], first: date) -> Mapping[Principal, Usage]:
        """By the day from a local date on, perhaps a second old."""
