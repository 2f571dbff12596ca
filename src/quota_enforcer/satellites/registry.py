"""Which satellites there are, as home knows it: by what each announced, and what came from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from quota_enforcer.core.usage.place import Place


@dataclass(frozen=True, slots=True)
class Satellite:
    """One satellite."""

    place: Place
    version: int
    log_group: str
    """The name of the log group that Bedrock writes there."""
    stack_id: str
    """Its own stack's ARN."""
    announced: datetime
    """When its set-up ran last."""
    parameters: str = ""
    """The digest of the parameters that home decides, as the satellite has them."""
    newest_record: datetime | None = None
    """The newest call that it handed over."""
    last_delivery: datetime | None = None
    """When it handed over something, to the minute."""


class SatelliteReads(Protocol):
    """Which satellites there are."""

    def satellites(self) -> tuple[Satellite, ...]:
        """By place; consistently read."""


class SatelliteRegistry(SatelliteReads, Protocol):
    """The registry, as far as home's meter writes it. Every write may be repeated."""

    def announce(self, satellite: Satellite) -> None:
        """Note a satellite, in the place of one that stood there; what came from it stays noted."""

    def leave(self, place: Place, stack_id: str) -> bool:
        """Forget a satellite; False if another stack stands there by now, or none."""

    def delivered(self, place: Place, newest: datetime | None, now: datetime) -> None:
        """Something came from there; of a place that never announced itself nothing is noted."""


def member_accounts(satellites: Iterable[Satellite], home_account: str) -> frozenset[str]:
    """The accounts other than home's in which a satellite stands."""
    return frozenset({each.place.account for each in satellites} - {home_account})
