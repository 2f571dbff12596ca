"""How far a replay has come."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.insight.simulate.replay import Observer
from quota_enforcer.meter.log.record import Counted

_EVERY = 500
"""Calls."""


@dataclass(slots=True)
class Telling:
    """Hands on what it observes, and tells how much of all calls has come, from 0 to 1."""

    observer: Observer
    calls: int
    told: Callable[[float], None]
    _come: int = 0

    def arrived(
        self, call: Counted, counts: Counts, principals: Sequence[Principal], *, refused: bool
    ) -> None:
        self.observer.arrived(call, counts, principals, refused=refused)
        self._come += 1
        if not self._come % _EVERY:
            self.told(self._come / self.calls)

    def looked(self, principal: Principal, quotas: Sequence[Quota], now: datetime) -> None:
        self.observer.looked(principal, quotas, now)

    def closed(self, principal: Principal, scopes: Collection[str], now: datetime) -> None:
        self.observer.closed(principal, scopes, now)
