"""What a sweep did: the outcomes of its parts, and their sum as it is shown."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from quota_enforcer.core.errors import AccountUnreachable
from quota_enforcer.core.notices.amounts import exact
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal


class Outcome(NamedTuple):
    """What one part of a sweep, wake or edit did."""

    notices: tuple[Notice, ...] = ()
    failures: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    """Whom the breaker kept from being blocked."""
    unattributed: tuple[str, ...] = ()
    """Usage that no quota can limit."""
    series: int = 0
    """How many series of metrics were read."""
    looked_at: int = 0
    edits: int = 0
    """Items of the quota table that differ from what was last acted on."""
    unfinished: frozenset[Principal] = frozenset()
    """Whom the next sweep must look at again."""
    incomplete: bool = False
    """Whether somebody was not looked at, or was not brought to what was decided."""
    closed: bool = False
    """Whether the stack began to go, so that nobody is blocked any more."""
    unreachable: Mapping[str, str] = MappingProxyType({})
    """The member accounts that could not be reached, and why."""

    @classmethod
    def of_failure(cls, principal: Principal, error: Exception) -> Self:
        """One that fails does not stop the others."""
        failures = (failure(principal, error),)
        return cls(failures=failures, unfinished=frozenset({principal}), incomplete=True)

    @classmethod
    def of_unreachable(cls, principal: Principal, error: AccountUnreachable) -> Self:
        """It is tried again, and told once of the account, not of each that is in it."""
        return cls(unfinished=frozenset({principal}), unreachable={error.account: error.why})

    @staticmethod
    def total(parts: Iterable["Outcome"]) -> "Outcome":
        """All of them in their order."""
        several = [each for each in parts if each != NOTHING]
        if len(several) < 2:  # noqa: PLR2004 - so it is of most sweeps
            return several[0] if several else NOTHING
        return Outcome(
            notices=tuple(notice for each in several for notice in each.notices),
            failures=tuple(words for each in several for words in each.failures),
            drift=tuple(words for each in several for words in each.drift),
            held=tuple(words for each in several for words in each.held),
            unattributed=tuple(words for each in several for words in each.unattributed),
            series=sum(each.series for each in several),
            looked_at=sum(each.looked_at for each in several),
            edits=sum(each.edits for each in several),
            unfinished=frozenset().union(*(each.unfinished for each in several)),
            incomplete=any(each.incomplete for each in several),
            closed=any(each.closed for each in several),
            unreachable=dict(pair for each in several for pair in each.unreachable.items()),
        )


NOTHING = Outcome()
"""What most parts of most sweeps do."""


def failure(subject: object, error: Exception) -> str:
    return f"{subject}: {type(error).__name__}: {error}"


@dataclass(frozen=True, slots=True)
class Report:
    """One sweep, wake or edit as the log, the metrics and the command line show it."""

    now: datetime
    mode: str
    dry_run: bool = False
    closed: bool = False
    """The stack is going, and nothing ran."""
    series: int = 0
    looked_at: int = 0
    notices: list[Notice] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    unattributed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    data_age_seconds: int | None = None
    metering: str = ""
    """Who fills the ledger: no metrics are read if it is the stream."""
    edits: int = 0
    """The items of the quota table that were other than was last acted on."""
    unreachable: list[str] = field(default_factory=list)
    """The member accounts that cannot be reached, as far as it is known."""

    @property
    def says_something(self) -> bool:
        """Whether anything but looking was done, or is amiss."""
        said = (self.notices, self.held, self.drift, self.unattributed, self.failures)
        return self.closed or any(map(bool, (*said, self.edits, self.unreachable)))

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
            "unreachable": self.unreachable,
            "data_age_seconds": self.data_age_seconds,
        }


def event(notice: Notice) -> dict[str, Any]:
    """One notice as data: moments in UTC; an unlimited limit is None, and so is what it lacks.

    Money and weighted tokens are text, exact to the last place, and so is their limit.
    """
    return {
        "at": _utc(notice.at),
        "kind": str(notice.kind),
        "principal": notice.principal,
        "quota": notice.quota,
        "used": _used(notice),
        "limit": _limit(notice),
        "until": _utc(notice.until) if notice.until else None,
        "reason": notice.reason,
    }


def _used(notice: Notice) -> int | str | None:
    if not notice.measure:
        return None
    return exact(notice.used) if isinstance(notice.used, Decimal) else notice.used


def _limit(notice: Notice) -> int | str | None:
    if not notice.measure or not notice.limit.is_finite():
        return None
    return exact(notice.limit) if isinstance(notice.used, Decimal) else int(notice.limit)


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
