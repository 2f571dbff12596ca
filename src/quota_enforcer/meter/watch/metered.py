"""The tallies where the metrics meter: sums of all callers' series, and what recounts have set."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.window import hour_start, next_hour
from quota_enforcer.meter.ports import Metrics, Models
from quota_enforcer.meter.watch.ports import HourTally, WatchLedger

_PERIOD: Final = 900
"""Seconds: hours begin at the quarter in some zones."""
_POSITION: Final = {counter: position for position, counter in enumerate(OBSERVED)}


class MetricTallies:
    """A `WatchLedger` over another one, whose tallies are those of recounts alone."""

    def __init__(
        self, ledger: WatchLedger, metrics: Metrics, models: Models, zone: ZoneInfo
    ) -> None:
        self._ledger = ledger
        self._metrics = metrics
        self._models = models
        self._zone = zone

        self.watch_memory = ledger.watch_memory
        self.keep_watch_memory = ledger.keep_watch_memory
        self.ask_recounts = ledger.ask_recounts
        self.post = ledger.post

    def tallies(self, start: datetime, end: datetime) -> Mapping[datetime, HourTally]:
        """Raises TimeoutError if CloudWatch's answer is not complete."""
        last = next_hour(end, self._zone) - timedelta(seconds=1)
        read = self._metrics.read(self._metrics.series(recent=False), start, last, _PERIOD)
        sums: defaultdict[datetime, defaultdict[str, list[int]]]
        sums = defaultdict(lambda: defaultdict(lambda: [0] * len(OBSERVED)))
        for series, points in read.items():
            if points is None:
                raise TimeoutError("CloudWatch did not say all of what was metered")
            model = self._models.named(series.model_id).name
            for moment, value in points.items():
                known = sums[hour_start(moment, self._zone)][model]
                known[_POSITION[series.counter]] += value
        found = {
            hour: HourTally({model: Counts.observed(each) for model, each in several.items()})
            for hour, several in sums.items()
        }
        set_since = self._ledger.tallies(start, end)
        return found | {hour: tally for hour, tally in set_since.items() if tally.from_log}
