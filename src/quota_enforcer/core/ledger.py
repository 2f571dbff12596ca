"""What the ledger holds, as data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol, Self

from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.usage.counts import OBSERVED
from quota_enforcer.core.usage.reads import UsageReads


class Level(StrEnum):
    """How far a principal is with the fullest of its quotas."""

    OK = "ok"
    WARNED = "warned"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Warned:
    """The highest threshold (percent) already warned of, for one limit, until the window ends."""

    threshold: int
    limit: Decimal
    until: datetime


@dataclass(frozen=True, slots=True)
class UsedUp:
    """A quota that denies: its limit, the start of its window, and when it frees by the clock."""

    limit: Decimal
    window_start: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class WouldDeny:
    """A quota that only observe mode keeps from denying, and since when."""

    since: datetime
    used_up: UsedUp


@dataclass(frozen=True, slots=True)
class Standing:
    """Level, what is denied since when and until when and why, and what was said already.

    `denied` are model scopes. `used_up`, `would_deny` and `warned` are by quota id. `due` is the
    next moment at which the decision can change without new usage.
    """

    level: Level = Level.OK
    denied: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""
    used_up: Mapping[str, UsedUp] = field(default_factory=dict)
    warned: Mapping[str, Warned] = field(default_factory=dict)
    due: datetime | None = None
    would_deny: Mapping[str, WouldDeny] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger holds of one principal.

    `standing` is the last outcome. `intended` are the model scopes that an unfinished apply was
    about to deny (None: finished). `trouble` is why IAM did not let the deny be attached. `due` is
    when the sweep must look again without new usage. `version` guards every write; 0 is unwritten.
    """

    principal: Principal
    standing: Standing = field(default_factory=Standing)
    intended: frozenset[str] | None = None
    trouble: str = ""
    due: datetime | None = None
    version: int = 0

    def next(self, **changes: object) -> Self:
        """The record as it will be written over this one."""
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class GateIntent:
    """Who a gate shall deny which model scopes: a person of Identity Center, or a session.

    `names` are the session's names in every spelling seen, `roles` the names of the roles it was
    seen in: of permission sets (`AWSReservedSSO_...`), or the one shared role.
    """

    principal: Principal
    scopes: frozenset[str]
    names: frozenset[str]
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class SweepState:
    """What one sweep leaves for the next, and for the wakes in between.

    `started` and `finished` are sweeps' `now`; where they differ the last one did not get through.
    `metered_to` is the metrics' watermark, `fresh_at` when a bucket last changed, `terms` names the
    settings that concern everybody, `breaker_since` when the breaker tripped, `confirmed_at` when
    an admin last said that blocks are meant, `gates_told` what admins were told last of others'
    changes to the gates. `quotas_seen` is another whenever somebody has seen an edit and begins to
    act on it, and `unsettled` stays set where that may not have come to its end: the next sweep
    looks at everybody then. `metering` is who fills the ledger (empty before there was a choice),
    and `metering_from` the hour before which the metrics set nothing, since the stream did.
    """

    started: datetime | None = None
    finished: datetime | None = None
    metered_to: datetime | None = None
    fresh_at: datetime | None = None
    terms: str = ""
    breaker_since: datetime | None = None
    gates_told: str = ""
    closed: bool = False
    confirmed_at: datetime | None = None
    quotas_seen: str = ""
    unsettled: str = ""
    metering: str = ""
    metering_from: datetime | None = None

    @property
    def watermark(self) -> datetime | None:
        """The last sweep's `now`, finished or not: time never runs backwards from here."""
        return max((m for m in (self.started, self.finished) if m), default=None)

    @property
    def interrupted(self) -> bool:
        """Whether the last sweep started but did not finish, so its touched are not all seen."""
        return self.started != self.finished


@dataclass(frozen=True, slots=True)
class QuotaMemory:
    """The last valid version of a quota item, and the problems that admins were told of last.

    `stamp` is another whenever it is written, so that each edit is told of once, whoever sees it;
    empty where nothing is written yet.
    """

    subject: str
    name: str
    item: Item | None = None
    reported: str = ""
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class PriceMemory:
    """Whether a model had a price in its newest hour of usage that was acted on.

    Admins were told of it where it has none.
    """

    model: str
    hour: datetime
    priced: bool


class Bucket(NamedTuple):
    """The key of one stored usage item: a principal's usage of a model on a local date."""

    principal: Principal
    model: str
    day: date


@dataclass(frozen=True, slots=True)
class Source:
    """A raw (identity ARN, model id) that was seen in the metrics, and the counters it has.

    `active_to` is the start of the last hour with data; `behind` from when on a read is missing.
    """

    arn: str
    model_id: str
    active_to: datetime
    behind: datetime | None = None
    counters: tuple[str, ...] = OBSERVED


@dataclass(frozen=True, slots=True)
class MeterRules:
    """What the enforcer tells the meters: the sessions that quotas watch, and admins' own prices.

    `sessions` are `session/ROLE/NAME` and `session/ROLE/*`, `prices` by model as admins wrote it.
    """

    sessions: frozenset[str] = frozenset()
    prices: Mapping[str, Rate] = field(default_factory=dict)


class SweepStateReads(Protocol):
    """What the last sweep left."""

    def state(self) -> SweepState:
        """As it was left; consistently read."""


class StandingReads(Protocol):
    """Where principals are."""

    def records(self, principals: Iterable[Principal]) -> dict[Principal, Record]:
        """Their records, consistently read; a new one for whom the ledger does not know."""


class EverybodyReads(Protocol):
    """Everybody that the ledger knows."""

    def everybody(self) -> list[Record]:
        """Every record, eventually consistent."""


class QuotaMemoryReads(Protocol):
    """The last valid version of each quota item."""

    def quota_memories(self) -> list[QuotaMemory]:
        """What is remembered of every quota item."""


class SourceReads(Protocol):
    """How callers stand in the log or in the metrics."""

    def sources(self) -> list[Source]:
        """The sources remembered."""


class GateIntentReads(Protocol):
    """What the gates shall deny."""

    def gate_intents(self) -> list[GateIntent]:
        """Every intent, consistently read."""


class LedgerReads(UsageReads, StandingReads, SweepStateReads, QuotaMemoryReads, Protocol):
    """What it takes to decide about somebody."""
