"""What the pages show, read as `status`, `report` and `doctor` read it, and read once for a while.

A page is made again only if something has happened: a mark tells, which costs two small reads.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Final

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.insight.report import source
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.insight.report.gather import Gathering
from quota_enforcer.insight.report.model import ReportSource, UsageReport

DAYS: Final = 60
_READERS: Final = 16
_FRESH: Final = 20.0
"""Seconds after which it is read again although nothing has happened: the clock goes on."""
_MARK_FRESH: Final = 0.8
"""Seconds for which one look at the mark serves all open pages."""


@dataclass(slots=True)
class _Kept:
    """Something that was read, and when."""

    mark: str = ""
    at: float = float("-inf")
    report: UsageReport | None = None


@dataclass(slots=True)
class Look:
    """One deployment, looked at by one admin."""

    deployment: Deployment
    _report: _Kept = field(default_factory=_Kept)
    _mark: _Kept = field(default_factory=_Kept)
    _source: ReportSource | None = None
    _reads: Lock = field(default_factory=Lock)
    _marks: Lock = field(default_factory=Lock)

    @property
    def now(self) -> datetime:
        return clock.now()

    @property
    def context(self) -> Context:
        return self.deployment.settings.context(self.now)

    def mark(self) -> str:
        """Another one whenever somebody was blocked or released, something used or edited."""
        with self._marks:
            if monotonic() - self._mark.at > _MARK_FRESH:
                state = self.deployment.ledger.state()
                last = self.deployment.ledger.whole_history(None, 1)
                newest = [(each.at, each.principal, each.kind, each.quota) for each in last]
                seen = (state.fresh_at, state.breaker_since, state.paused_until, tuple(newest))
                self._mark = _Kept(f"{hash(seen) & (1 << 64) - 1:x}", monotonic())
            return self._mark.mark

    def report(self) -> UsageReport:
        """Everybody's usage, quotas and blocks, decided as the enforcer would now."""
        mark = self.mark()
        with self._reads:
            kept = self._report
            if kept.report and kept.mark == mark and monotonic() - kept.at < _FRESH:
                return kept.report
            report = self._read()
            self._report = _Kept(mark, monotonic(), report)
            return report

    def forget(self) -> None:
        """Read again: something was written."""
        self._report, self._mark = _Kept(), _Kept()

    def history(self, most: int) -> list[Notice]:
        """The newest entries, the newest first."""
        return self.deployment.ledger.whole_history(None, most)[::-1]

    def _read(self) -> UsageReport:
        deployment, context = self.deployment, self.context
        rules = deployment.load(context.now).rules
        gathering = Gathering(deployment.ledger, rules, context, DAYS)
        with ThreadPoolExecutor(_READERS) as pool:
            people = list(pool.map(gathering.person, gathering.everybody()))
        self._source = self._source or source(deployment)
        return gathering.report(self._source, people)
