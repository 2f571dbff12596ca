"""What the ledger holds, as data, and the protocols that read it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.pace import USUAL_LAG, DenyLag
from quota_enforcer.core.usage.reads import UsageReads

if TYPE_CHECKING:  # reading items is more than most need who know the ledger
    from quota_enforcer.core.quotas.item import Item


QUOTA_MEMORIES: Final = "quotas"
"""The partition of the last valid versions of quota items."""
REQUESTS: Final = "requests"
"""The partition of what people ask for, by principal: all that self-service may write."""


class Level(StrEnum):
    """How far a principal is with the fullest of its quotas."""

    OK = "ok"
    WARNED = "warned"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning that was sent, so that it is sent once for a limit and a window."""

    threshold: int
    """The highest percentage of the limit that was warned of."""
    limit: Decimal
    until: datetime
    """The end of the window."""


@dataclass(frozen=True, slots=True)
class UsedUp:
    """A quota that denies."""

    limit: Decimal
    window_start: datetime
    until: datetime | None
    """When the clock alone ends the block; None if only an edit can."""
    percent: int = 0
    """How much of the limit was used when it first denied; 0 in records of earlier versions."""
    early_since: datetime | None = None
    """When it closed before its limit was reached; None if it was reached."""


@dataclass(frozen=True, slots=True)
class WouldDeny:
    """A quota that only observe mode keeps from denying, and since when."""

    since: datetime
    used_up: UsedUp


@dataclass(frozen=True, slots=True)
class Standing:
    """What was decided about a principal last, and what people were told of it."""

    level: Level = Level.OK
    denied: frozenset[str] = frozenset()
    """Model scopes."""
    since: datetime | None = None
    """When the level, the scopes or the quotas behind them changed last."""
    until: datetime | None = None
    reason: str = ""
    used_up: Mapping[str, UsedUp] = field(default_factory=dict)
    """By quota id, as `warned` and `would_deny` are."""
    warned: Mapping[str, Warned] = field(default_factory=dict)
    due: datetime | None = None
    """The next moment at which the decision can change without new usage."""
    would_deny: Mapping[str, WouldDeny] = field(default_factory=dict)
    blocked_since: datetime | None = None
    """From when on something is denied without a break, whatever the reason; None if nothing is."""
    in_force_at: datetime | None = None
    """When IAM was last asked by a wake whether it denies this, and did then; None: never."""
    held: Mapping[str, int] = field(default_factory=dict)
    """The quotas that would deny if the breaker did not hold them, and how many percent of the
    limit was used then."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing is denied, warned of, held or expected."""
        said = (self.denied, self.used_up, self.warned, self.would_deny, self.held)
        dates = (self.due, self.until, self.blocked_since)
        return self.level is Level.OK and not any(said) and dates == (None, None, None)

    def denying(self, quota: str) -> UsedUp | None:
        """How a quota, by its id, denies so far, or would in enforce mode; None if it does not."""
        if quota in self.used_up:
            return self.used_up[quota]
        return self.would_deny[quota].used_up if quota in self.would_deny else None

    @property
    def noted_since(self) -> datetime | None:
        """Since when, as people are told: the begin of the block, or else of the standing."""
        return self.blocked_since or self.since


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger holds of one principal."""

    principal: Principal
    standing: Standing = field(default_factory=Standing)
    intended: frozenset[str] | None = None
    """The model scopes that an unfinished apply was about to deny; None once it is finished."""
    trouble: str = ""
    """Why IAM refused to attach the deny."""
    due: datetime | None = None
    """When the sweep must look again even without new usage."""
    version: int = 0
    """Guards every write; 0 is unwritten."""

    @property
    def is_plain(self) -> bool:
        """Whether it says nothing but that somebody is known, and nothing is to be done."""
        unfinished = self.intended is not None or self.trouble or self.due is not None
        return self.version > 0 and not unfinished and self.standing.is_plain

    def is_settled_on(self, denied: frozenset[str]) -> bool:
        """Whether these scopes are denied, and nothing was left half done."""
        return self.intended is None and self.standing.denied == denied

    def next(self, **changes: object) -> Self:
        """The record as it will be written over this one."""
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class GateIntent:
    """Who a gate shall deny which model scopes: a person of Identity Center, or a session."""

    principal: Principal
    scopes: frozenset[str]
    names: frozenset[str]
    """The session's names in every spelling seen."""
    roles: frozenset[str]
    """The roles it was seen in: of permission sets (`AWSReservedSSO_...`), or the shared role."""


@dataclass(frozen=True, slots=True)
class SweepState:
    """What one sweep leaves for the next, and for the wakes in between."""

    started: datetime | None = None
    """The `now` of the last sweep that began."""
    finished: datetime | None = None
    """The `now` of the last sweep that came to its end."""
    metered_to: datetime | None = None
    """Up to when the metrics are read."""
    fresh_at: datetime | None = None
    """When a bucket last changed."""
    terms: str = ""
    """The settings that concern everybody; if they change, everybody is looked at."""
    breaker_since: datetime | None = None
    """When the breaker tripped."""
    paused_until: datetime | None = None
    """The end of a pause that admins were told of; None if they know that there is none."""
    gates_notified: str = ""
    """What admins were told last about changes that others made to the gates."""
    accounts_notified: str = ""
    """Of which member accounts admins were told that they cannot be reached, commas between."""
    tiers_seen_at: datetime | None = None
    """When service tiers were looked for last."""
    tiers_notified: str = ""
    """Of which other tiers admins were told, with commas between."""
    digest_week: str = ""
    """The Monday, as ISO has it, on which the last digest was due that admins were told; empty
    before the first sweep that knew of digests."""
    digest_tried_at: datetime | None = None
    """When a digest was last begun."""
    closed: bool = False
    """The stack is being deleted."""
    confirmed_at: datetime | None = None
    """When an admin last said that the blocks are meant."""
    quotas_seen: str = ""
    """A token; each run that begins to act on edits writes a new one."""
    unsettled: str = ""
    """Set while acting on an edit may be unfinished: then the next sweep looks at everybody."""
    metering: str = ""
    """Who fills the ledger; empty in ledgers from before there was a choice."""
    metering_from: datetime | None = None
    """The metrics set only hours from here on; the stream has filled those before."""
    breaker: str = ""
    """A token; a new one whenever the breaker trips, lets go or is overruled; empty before that."""
    breaker_far: int = 0
    """Percent of a limit from which on a tripped breaker holds nobody; 0 if that is not known."""
    lag: DenyLag = USUAL_LAG
    """How long it takes from a call to a deny that holds, as wakes measured it."""

    @property
    def watermark(self) -> datetime | None:
        """The last sweep's `now`, finished or not: time never runs backwards from here."""
        return max((m for m in (self.started, self.finished) if m), default=None)

    @property
    def interrupted(self) -> bool:
        """Whether the last sweep started and did not finish, so it may not have looked at all."""
        return self.started != self.finished


class Premise(NamedTuple):
    """What the state must still say for a decision to be written; None where anything will do."""

    quotas_seen: str | None = None
    breaker: str | None = None


ANY_PREMISE = Premise()


@dataclass(frozen=True, slots=True)
class QuotaMemory:
    """The last valid version of a quota item, and the problems that admins were told of last."""

    subject: str
    name: str
    item: "Item | None" = None
    reported: str = ""
    stamp: str = ""
    """A token; a new one with each write, so that an edit is told once; empty before the first."""
    changed_at: datetime | None = None
    """When what it says of a limit or a price changed last; None in ledgers from before."""
    removed_by: str = ""
    """Who has announced that they remove the item; a removed item cannot say so itself."""


@dataclass(frozen=True, slots=True)
class PriceMemory:
    """Whether a model had a price in its newest hour of usage; if not, admins were told."""

    model: str
    hour: datetime
    priced: bool


class SweepStateReads(Protocol):
    """What the last sweep left."""

    def state(self) -> SweepState:
        """Consistently read."""


class StandingReads(Protocol):
    """The records of principals."""

    def records(self, principals: Iterable[Principal]) -> dict[Principal, Record]:
        """Consistently read; of a principal that the ledger does not know, a new one."""


class EverybodyReads(Protocol):
    """The records of everybody that the ledger knows."""

    def everybody(self) -> list[Record]:
        """Eventually consistent."""


class QuotaMemoryReads(Protocol):
    """What is remembered of every quota item."""

    def quota_memories(self) -> list[QuotaMemory]: ...


class GateIntentReads(Protocol):
    """What the gates shall deny."""

    def gate_intents(self) -> list[GateIntent]:
        """Consistently read."""


class LedgerReads(
    UsageReads, StandingReads, EverybodyReads, SweepStateReads, QuotaMemoryReads, Protocol
):
    """What it takes to decide about a principal."""
