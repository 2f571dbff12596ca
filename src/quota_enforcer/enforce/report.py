"""What a sweep did, as the log, the metrics and the command line show it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from quota_enforcer.core.notices.amounts import exact
from quota_enforcer.core.notices.notice import Notice, NoticeKind


@dataclass(slots=True)
class Report:
    """One sweep in numbers and sentences; `closed` says that the stack is going and nothing ran.

    `metering` says who fills the ledger: no metrics are read where it is the stream. `edits` are
    the items of the quota table that were other than was last acted on.
    """

    now: datetime
    mode: str
    dry_run: bool = False
    closed: bool = False
    series: int = 0
    looked_at: int = 0
    notices: list[Notice] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    unattributed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    data_age_seconds: int | None = None
    gates_told: str = ""
    metering: str = ""
    edits: int = 0

    def count(self, *kinds: NoticeKind) -> int:
        """How many notices of these kinds the sweep gave rise to."""
        counted = Counter(notice.kind for notice in self.notices)
        return sum(counted[kind] for kind in kinds)

    def to_json(self) -> dict[str, Any]:
        """For people's terminals and machines' pipes; notices with numbers, moments in UTC."""
        return {
            "now": _utc(self.now),
            "mode": self.mode,
            "dry_run": self.dry_run,
            "closed": self.closed,
            "metering": self.metering,
            "series": self.series,
            "looked_at": self.looked_at,
            "edits": self.edits,
            "events": [event(notice) for notice in self.notices],
            "held": self.held,
            "drift": self.drift,
            "unattributed": self.unattributed,
            "failures": self.failures,
            "data_age_seconds": self.data_age_seconds,
        }


def event(notice: Notice) -> dict[str, Any]:
    """One notice as data: moments in UTC, an unlimited limit as None.

    Money and weighted tokens are text, exact to the last place, and so is their limit.
    """
    return {
        "at": _utc(notice.at),
        "kind": str(notice.kind),
        "principal": notice.principal,
        "quota": notice.quota,
        "used": exact(notice.used) if isinstance(notice.used, Decimal) else notice.used,
        "limit": _limit(notice),
        "until": _utc(notice.until) if notice.until else None,
        "reason": notice.reason,
    }


def _limit(notice: Notice) -> int | str | None:
    if not notice.limit.is_finite():
        return None
    return exact(notice.limit) if isinstance(notice.used, Decimal) else int(notice.limit)


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
