"""Satellites over fakes: the registry in memory, and what reaches each place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from builders import NOON
from log_records import ACCOUNT
from quota_enforcer.core.usage.place import Place as Where
from quota_enforcer.lambdas.meter.places import PlaceAdapters, SatellitePlaces
from quota_enforcer.satellites.intake import HomeStack
from quota_enforcer.satellites.registry import Satellite
from stream_fakes import FakeLog, Place

MEMBER = "444455556666"
ORGANIZATION = "o-exampleorgid"
STACK_ID = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/quotas/51af3dc0-da77"
HOME = HomeStack("quotas", STACK_ID, Where(ACCOUNT, "us-east-1"), ORGANIZATION)
IRELAND, OREGON = Where(MEMBER, "eu-west-1"), Where(ACCOUNT, "us-west-2")


def a_satellite(place: Where = IRELAND, **changes: Any) -> Satellite:
    own = f"arn:aws:cloudformation:{place.region}:{place.account}:stack/StackSet-x/9a8b"
    return replace(Satellite(place, 1, "/bedrock/there", own, NOON), **changes)


@dataclass
class FakeRegistry:
    """A `SatelliteRegistry`."""

    known: dict[Where, Satellite] = field(default_factory=dict)
    noted: list[tuple[Where, datetime | None]] = field(default_factory=list)
    fails: Exception | None = None

    def satellites(self) -> tuple[Satellite, ...]:
        return tuple(self.known[place] for place in sorted(self.known))

    def announce(self, satellite: Satellite) -> None:
        self.known[satellite.place] = satellite

    def leave(self, place: Where, stack_id: str) -> bool:
        there = place in self.known and self.known[place].stack_id == stack_id
        if there:
            del self.known[place]
        return there

    def delivered(self, place: Where, newest: datetime | None, now: datetime) -> None:
        del now
        if self.fails is not None:
            raise self.fails
        self.noted.append((place, newest))


@dataclass
class FakeUndelivered:
    """An `Undelivered`."""

    waiting: dict[str, Sequence[datetime]] = field(default_factory=dict)
    fails: Exception | None = None

    def hours(self) -> Mapping[str, Sequence[datetime]]:
        if self.fails is not None:
            raise self.fails
        return dict(self.waiting)

    def taken(self, messages: Iterable[str]) -> None:
        for each in messages:
            del self.waiting[each]


class Satellites:
    """Home's meter and its satellites, each with its own log; all of one ledger's usage."""

    def __init__(self, home: Place, *places: Where) -> None:
        self.home = home
        self.registry = FakeRegistry({place: a_satellite(place) for place in places})
        self.logs: dict[Where, FakeLog] = {place: FakeLog() for place in places}
        self.queues: dict[Where, FakeUndelivered] = {place: FakeUndelivered() for place in places}
        self.meters: dict[Where, Place] = {}
        self.places = SatellitePlaces(HOME, self.registry, home.log_group, self.adapters_of)

    def adapters_of(self, place: Where, group: str) -> PlaceAdapters:
        del group
        meter = self.meter(place)
        queue = self.queues.setdefault(place, FakeUndelivered())
        return PlaceAdapters(meter.adapters, queue)

    def meter(self, place: Where) -> Place:
        """What the meter has of a place: the hours to recount are its own, all usage is shared."""
        if place not in self.meters:
            there = Place(self.home.log_group.zone)
            there.ledger.usage = self.home.ledger.usage
            there.ledger.markers = self.home.ledger.markers
            there.ledger.the_brief = self.home.ledger.the_brief
            there.adapters = replace(
                there.adapters,
                log=self.logs.setdefault(place, FakeLog()),
                wake=self.home.wake,
                letters=self.home.letters,
            )
            self.meters[place] = there
        return self.meters[place]
