"""How a satellite is, by what home knows of it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from quota_enforcer.satellites.names import VERSION
from quota_enforcer.satellites.registry import Satellite

SILENT_AFTER: Final = timedelta(hours=24)
"""Without anything from it: either nobody calls Bedrock there, or its log does not arrive."""


class SatelliteState(StrEnum):
    """What is otherwise than it should be; the words stand in the list."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    VERSION_DIFFERS = "version differs"
    PARAMETERS_DIFFER = "parameters differ"
    SILENT = "silent"


def states(
    satellite: Satellite, followed: str, unreachable: Collection[str], now: datetime
) -> tuple[SatelliteState, ...]:
    """All that hold, the worst first; OK alone if there is none.

    `followed` is the digest of what home decides, and `unreachable` are the member accounts in
    which home could not deny lately.
    """
    heard = max(satellite.last_delivery or satellite.announced, satellite.announced)
    found = {
        SatelliteState.UNREACHABLE: satellite.place.account in unreachable,
        SatelliteState.VERSION_DIFFERS: satellite.version != VERSION,
        SatelliteState.PARAMETERS_DIFFER: satellite.parameters != followed,
        SatelliteState.SILENT: now - heard > SILENT_AFTER,
    }
    return tuple(state for state, holds in found.items() if holds) or (SatelliteState.OK,)


def lag(satellite: Satellite) -> timedelta | None:
    """From the newest call to its arrival at home, at the last delivery; to the minute."""
    if satellite.newest_record is None or satellite.last_delivery is None:
        return None
    return max(satellite.last_delivery - satellite.newest_record, timedelta(0))
