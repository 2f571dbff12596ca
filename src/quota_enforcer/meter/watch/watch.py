"""The hourly look: what was not metered is told and set from the log; what was never used is told.

A gap is told when it is found, and its hours are asked for at once. The next look says whether the
log has closed it, or that the log does not have those calls.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.usage.window import hour_start, next_hour
from quota_enforcer.meter.watch import words
from quota_enforcer.meter.watch.compare import (
    Differences,
    HourSeen,
    ModelTally,
    overmetered,
    unmetered,
)
from quota_enforcer.meter.watch.ports import HourTally, WatchLedger, WatchMemory, Witness

LOOKED_AT_AFTER: Final = timedelta(minutes=10)
"""After its end an hour is looked at: the log and the metrics of its last call are there."""
SURE_AFTER: Final = timedelta(minutes=70)
"""After its end Bedrock's metrics of an hour are taken for whole, so that more is too much."""
LOOKS_BACK: Final = timedelta(days=2)
LONGEST: Final = timedelta(days=14)
"""How far a look reaches back after none was made for long: metrics of minutes go after 15 days.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""
PATIENCE: Final = timedelta(hours=3)
"""How long a recount that was asked for may take before the gap is told to stay."""
AGAIN: Final = timedelta(days=1)
"""How often what nothing can be done about is told at most."""


@dataclass(frozen=True, slots=True)
class WatchResult:
    """What a look found, as it is measured: nothing if all is well."""

    unmetered: int = 0
    """Calls, or hours if only tokens are missing."""
    overmetered: int = 0
    hours: tuple[datetime, ...] = ()
    """Those with either."""


class MeterWatch:
    """Watches over one deployment's meter."""

    def __init__(
        self, ledger: WatchLedger, witness: Witness, zone: ZoneInfo, *, subscribed: bool
    ) -> None:
        """`subscribed`: whether the meter lives on a subscription of the log group."""
        self._ledger = ledger
        self._witness = witness
        self._zone = zone
        self._subscribed = subscribed

    def look(self, now: datetime) -> WatchResult:
        """Compare; tell and ask for recounts. Raises what the adapters raise, and may be repeated.

        The first look only notes from which hour on there are tallies.
        """
        memory = self._ledger.watch_memory()
        if memory is None:
            since = next_hour(hour_start(now, self._zone), self._zone)
            self._ledger.keep_watch_memory(WatchMemory(since, now))
            return WatchResult()
        hours = list(self._hours(memory, now))
        if not hours:
            return WatchResult()
        tallies = self._ledger.tallies(hours[0], hours[-1])
        counted = self._witness.counted(hours)
        seen = {
            hour: HourSeen(counted.get(hour, {}), _metered(tallies.get(hour))) for hour in hours
        }
        gaps = unmetered(seen)
        sure = {hour for hour in hours if self._end(hour) + SURE_AFTER <= now}
        excess = {hour: many for hour, many in overmetered(seen).items() if hour in sure}
        after, notices = self._judged(memory, gaps, excess, tallies, now)
        self._ledger.ask_recounts(after.asked.keys() - memory.asked.keys(), now)
        self._ledger.post(notices)
        self._ledger.keep_watch_memory(after)
        told = {hour: each for hour, each in gaps.items() if hour not in memory.lost}
        new = {hour: each for hour, each in excess.items() if hour not in memory.excess}
        return WatchResult(_calls(told), _calls(new), tuple(sorted({*told, *new})))

    def _hours(self, memory: WatchMemory, now: datetime) -> Iterator[datetime]:
        back = max(now - LONGEST, min(now - LOOKS_BACK, memory.seen_to - LOOKS_BACK))
        hour = hour_start(max(memory.since, back), self._zone)
        while self._end(hour) + LOOKED_AT_AFTER <= now:
            yield hour
            hour = self._end(hour)

    def _end(self, hour: datetime) -> datetime:
        return next_hour(hour, self._zone)

    def _judged(
        self,
        memory: WatchMemory,
        gaps: Differences,
        excess: Differences,
        tallies: Mapping[datetime, HourTally],
        now: datetime,
    ) -> tuple[WatchMemory, list[Notice]]:
        asked = {hour: at for hour, at in memory.asked.items() if hour in gaps}
        healed = memory.asked.keys() - gaps.keys()
        stay = {
            hour
            for hour, at in asked.items()
            if now - at >= PATIENCE or (at < now and tallies.get(hour, HourTally()).from_log)
        }
        new = gaps.keys() - asked.keys() - memory.lost
        told_of_loss = memory.lost_told is not None and now - memory.lost_told < AGAIN
        told_of_excess = memory.excess_told is not None and now - memory.excess_told < AGAIN
        fresh = excess.keys() - memory.excess
        notices = []
        if healed:
            notices.append(words.healed(sorted(healed), now))
        if new and not told_of_loss:
            found = {hour: gaps[hour] for hour in new}
            traffic = self._witness.log_traffic(min(new), self._end(max(new)))
            subscribed = self._subscribed
            notices.append(words.gap(found, traffic, now, subscribed=subscribed))
        if stay and not told_of_loss:
            notices.append(words.lost({hour: gaps[hour] for hour in stay}, now))
        if fresh and not told_of_excess:
            notices.append(words.excess({hour: excess[hour] for hour in fresh}, now))
        kept = {hour: asked.get(hour, now) for hour in {*asked, *new} - stay}
        after = replace(
            memory,
            seen_to=now,
            asked=kept,
            lost=_recent((memory.lost & gaps.keys()) | stay, now),
            excess=_recent(memory.excess | fresh, now),
            lost_told=now if stay and not told_of_loss else memory.lost_told,
            excess_told=now if fresh and not told_of_excess else memory.excess_told,
        )
        return after, notices


def _metered(tally: HourTally | None) -> Mapping[str, ModelTally]:
    models = {} if tally is None else tally.models
    return {name: ModelTally.of(counts) for name, counts in models.items()}


def _recent(hours: Collection[datetime], now: datetime) -> frozenset[datetime]:
    return frozenset(hour for hour in hours if now - hour <= LONGEST + LOOKS_BACK)


def _calls(differences: Differences) -> int:
    """How many calls they come to; an hour that differs in tokens alone counts as one."""
    return sum(
        max(sum(each.volume.requests for each in several), 1) for several in differences.values()
    )
