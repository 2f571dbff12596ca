"""A change of meter: which hours the log must settle, and from when on the new one counts.

Around the change an hour may have been counted by both meters, by one, or in part by neither; so it
is set from the invocation log once it is over. The metrics set whole hours, and would overwrite
what the stream has added: they begin with the next full hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.usage.window import HOUR, hour_start, next_hour

LATE = HOUR
"""How far behind the old meter may have been when it was last seen at work."""
LONGEST = timedelta(days=32)
"""How far back an outage before the change is settled: the longest window, as at a first look."""


@dataclass(frozen=True, slots=True)
class Handover:
    """The state that the new meter begins with, and the hours (by start in UTC) to recount."""

    state: SweepState
    hours: tuple[datetime, ...] = ()


def hand_over(
    state: SweepState, metering: Metering, now: datetime, zone: ZoneInfo, behind: datetime | None
) -> Handover:
    """What changes if the deployment meters otherwise than its last sweep did.

    `behind` is from when on metrics could not be read yet. A ledger that does not say who filled
    it was filled from the metrics, if any sweep got through at all.
    """
    before = state.metering or (Metering.CLOUDWATCH if state.finished else metering)
    if before == metering:
        return Handover(replace(state, metering=metering))
    if metering is Metering.STREAM:
        last = min(each for each in (state.metered_to, behind, now) if each)
        taken = replace(state, metering=metering, metering_from=None)
        return Handover(taken, tuple(_around(last, now, zone)))
    begins = next_hour(hour_start(now, zone), zone)
    taken = replace(state, metering=metering, metering_from=begins, metered_to=begins)
    return Handover(taken, tuple(_around(state.finished or now, now, zone)))


def _around(last: datetime, now: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The hours from before the old meter was last seen at work up to the present one."""
    hour = hour_start(max(last - LATE, now - LONGEST), zone)
    while hour <= now:
        yield hour
        hour = next_hour(hour, zone)
