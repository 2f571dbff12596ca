"""The meter's places: home's own log, and that of each satellite, each with its own adapters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import HOUR, hour_start
from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
from quota_enforcer.meter.recount.recounter import Recounter
from quota_enforcer.meter.stream import DeliveryResult, Stream
from quota_enforcer.satellites.intake import HomeStack
from quota_enforcer.satellites.registry import Satellite, SatelliteRegistry


class Undelivered(Protocol):
    """A satellite's queue of what it could not hand over: hours, and never a record."""

    def hours(self) -> Mapping[str, Sequence[datetime]]:
        """By message, the starts of UTC hours; what is no such message is left out and stays."""

    def taken(self, messages: Iterable[str]) -> None:
        """These are asked for: they may go."""


@dataclass(frozen=True, slots=True)
class PlaceAdapters:
    """The adapters of one satellite: of its log and its queue, and of home's ledger."""

    meter: MeterAdapters
    undelivered: Undelivered


Days = dict[Bucket, dict[datetime, Counts]]


class SharedDays:
    """Everybody's usage of a day, read once in a run, whichever places have hours set in it.

    What is added in between are calls that the logs have too, and each place is set from its log:
    what was read only says which buckets there are besides.
    """

    def __init__(self, read: Callable[[date], Days]) -> None:
        self._read = read
        self._known: dict[date, Days] = {}

    def begin(self) -> None:
        """Begin another run, which uses nothing that was read before."""
        self._known.clear()

    def day(self, day: date) -> Days:
        if day not in self._known:
            self._known[day] = self._read(day)
        return self._known[day]


@dataclass
class SatellitePlaces:
    """The satellites of one home, as its meter meets them."""

    home: HomeStack
    registry: SatelliteRegistry
    log_group: MeteredLogGroup
    """Home's."""
    adapters_of: Callable[[Place, str], PlaceAdapters]
    """By place and the name of its log group, which is empty where nothing is read from it."""
    days: SharedDays | None = None
    _streams: dict[Place, Stream] = field(default_factory=dict)

    def deliver(self, place: Place, data: str, now: datetime, request_id: str) -> DeliveryResult:
        """Meter what a satellite hands over, as `Stream.deliver` does with home's."""
        if place not in self._streams:
            adapters = self.adapters_of(place, "")
            self._streams[place] = Stream(adapters.meter, self._log_group(place, ""))
        return self._streams[place].deliver(data, now, request_id)

    def satellites(self) -> tuple[Satellite, ...]:
        """Those that have announced themselves, for one run."""
        if self.days is not None:
            self.days.begin()
        return self.registry.satellites()

    def recounter(self, satellite: Satellite) -> Recounter:
        """Sets hours of a satellite from the log there."""
        adapters = self.adapters_of(satellite.place, satellite.log_group)
        return Recounter(adapters.meter, self._log_group(satellite.place, satellite.log_group))

    def ask(self, satellite: Satellite, hours: Iterable[datetime], now: datetime) -> None:
        """Ask for a recount of hours of a satellite."""
        adapters = self.adapters_of(satellite.place, satellite.log_group)
        adapters.meter.ledger.ask_recounts(hours, now)

    def ask_undelivered(self, satellite: Satellite, now: datetime) -> int:
        """Ask for a recount of what waits in a satellite's queue; how many hours that are.

        Those are local hours, and the one before each: the log may have a call in the hour after.
        """
        adapters = self.adapters_of(satellite.place, satellite.log_group)
        found = adapters.undelivered.hours()
        hours = {
            hour_start(start + offset, self.log_group.zone)
            for starts in found.values()
            for start in starts
            for offset in (-HOUR, timedelta(0), HOUR - timedelta(seconds=1))
        }
        if found:
            adapters.meter.ledger.ask_recounts(hours, now)
            adapters.undelivered.taken(found)
        return len(hours)

    def _log_group(self, place: Place, group: str) -> MeteredLogGroup:
        return MeteredLogGroup(
            place.account, group, self.log_group.zone, str(place), self.home.place.account
        )
