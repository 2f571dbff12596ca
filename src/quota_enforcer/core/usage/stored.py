"""How usage is stored, and what the meters keep beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import OBSERVED

USAGE_KEPT: Final = timedelta(days=400)
"""Usage and history stay for about 13 months: this month can be held against last year's."""


class Bucket(NamedTuple):
    """The key of one stored usage item: a principal's usage of a model on a local date."""

    principal: Principal
    model: str
    day: date
    place: str = ""
    """The account and Region where it was used, as a Place is written; empty for home's."""


@dataclass(frozen=True, slots=True)
class Source:
    """A caller and a model as the log or the metrics spell them."""

    arn: str
    model_id: str
    active_to: datetime
    """The start of the last hour with data."""
    behind: datetime | None = None
    """From when on a read is missing."""
    counters: tuple[str, ...] = OBSERVED
    """Those that have a metric series."""


@dataclass(frozen=True, slots=True)
class MeterRules:
    """What the enforcer tells the meters."""

    sessions: frozenset[str] = frozenset()
    """The sessions that quotas watch: `session/ROLE/NAME` and `session/ROLE/*`."""
    prices: Mapping[str, Rate] = field(default_factory=dict)
    """Admins' own prices, by model as they wrote it."""
    minutes: frozenset[str] = frozenset()
    """Whose usage is counted by the minute too: subjects, and members of teams."""


TOLD_WITHIN: Final = timedelta(minutes=2)
"""How long after an edit every meter goes by it: a meter keeps its rules for a minute."""


class SourceReads(Protocol):
    """How callers stand in the log or in the metrics."""

    def sources(self) -> list[Source]: ...
