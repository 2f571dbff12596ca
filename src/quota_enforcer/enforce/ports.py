"""What enforcing needs of the ledger, IAM, the author and the topic, one protocol for each role."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import (
    ANY_PREMISE,
    EverybodyReads,
    GateIntent,
    GateIntentReads,
    Premise,
    PriceMemory,
    QuotaMemory,
    QuotaMemoryReads,
    Record,
    StandingReads,
    SweepState,
    SweepStateReads,
)
from quota_enforcer.core.notices.message import Message
from quota_enforcer.core.notices.notice import Facts, HistoryReads, Notice
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Quotas
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.quotas.request import RaiseRequest, RequestState
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.looks.headroom import Headroom, KeptHeadroom
from quota_enforcer.core.usage.pace import DenyLag
from quota_enforcer.core.usage.reads import PaceReads, UsageReads
from quota_enforcer.core.usage.stored import Bucket, MeterRules
from quota_enforcer.meter.ports import MeteredHours, Metrics, Models, NamedByThemselves
from quota_enforcer.satellites.registry import Satellite, SatelliteReads

if TYPE_CHECKING:
    from quota_enforcer.gates.result import GateResult


class Standings(StandingReads, EverybodyReads, Protocol):
    """Where each principal is; every write names the version that it replaces."""

    def due(self, now: datetime) -> set[Principal]:
        """Whose record is due."""

    def blocked(self) -> list[Record]:
        """Every record that denies something, or was about to; eventually consistent."""

    def put(
        self,
        record: Record,
        notices: Iterable[Notice] = (),
        gate: GateIntent | None = None,
        premise: Premise = ANY_PREMISE,
    ) -> None:
        """Write a record over its previous version, with its notices into outbox and history.

        With `gate` also what a gate shall deny; one without scopes takes it out. All or nothing.
        Raises Conflict if the version is not the next one, or if the state says something else by
        now than `premise`; and DeploymentClosed if `record.intended` would deny something after
        `close`.
        """

    def forget(self, record: Record) -> None:
        """Take a record out; raises Conflict if it has another version by now."""


class Outbox(Protocol):
    """Notices on their way; each stays until it is sent."""

    def post(self, notices: Iterable[Notice]) -> None:
        """Put notices that belong to no record into outbox and history."""

    def gate_findings(self) -> list[str]:
        """What others did to gates, as the author found it, and nobody has told."""

    def tell_findings(self, findings: Iterable[str], notice: Notice) -> bool:
        """Post the notice and take out the findings it tells; False if another run told one."""

    def outbox(self, until: datetime) -> list[Notice]:
        """Notices posted before `until` and not sent yet."""

    def sent(self, notice: Notice) -> None:
        """Take a notice out of the outbox."""


class SweepMemory(SweepStateReads, Protocol):
    """What sweeps and wakes leave for one another."""

    def begin(self, now: datetime, *, forget_terms: bool = False) -> None:
        """Note that a sweep started, and on demand that no terms hold until one has finished."""

    def finish(self, state: SweepState) -> None:
        """Note what a sweep leaves, unless a later one already did.

        That is all of `state` but `closed`, `quotas_seen`, `unsettled` and what `turn_breaker`,
        `note_pause`, `note_tiers`, `note_gates`, `note_accounts` and `note_digest` write.
        """

    def turn_breaker(
        self,
        since: datetime | None,
        before: SweepState,
        token: str,
        notices: Iterable[Notice] = (),
        confirmed_at: datetime | None = None,
        far: int = 0,
    ) -> bool:
        """Note that the breaker tripped, or with None that it lets go, with its notices.

        From then on nobody blocks by what was decided before. `confirmed_at` is when an admin
        overruled it, and `far` is percent of a limit from which on it holds nobody. False, and
        nothing written, if somebody else turned it since `before`.
        """

    def claim_edits(self, token: str, before: SweepState) -> bool:
        """Note by its token that somebody has seen edits and begins to act, unsettled until then.

        False, and nothing written, if somebody else did so since `before`.
        """

    def complete_edits(self, token: str) -> None:
        """Nothing is unsettled any more, unless it is by another token."""

    def reopen_edits(self, token: str) -> None:
        """What somebody has done may rest on quotas that were edited meanwhile."""

    def note(self, *, fresh_at: datetime, lag: DenyLag) -> None:
        """Note between two sweeps when a bucket last changed, and how long a deny takes."""

    def note_pause(
        self, until: datetime | None, before: SweepState, notices: Iterable[Notice]
    ) -> bool:
        """Note with its notices that admins know of a pause until then, or that there is none.

        False, and nothing written, if somebody else told of another since `before`.
        """

    def note_tiers(
        self, seen_at: datetime, notified: str, before: SweepState, notices: Iterable[Notice]
    ) -> bool:
        """Note with its notices of which service tiers admins know, and when they were looked for.

        False, and nothing written, if somebody else has looked since `before`.
        """

    def note_accounts(self, notified: str, before: SweepState, notices: Iterable[Notice]) -> bool:
        """Note with its notices which member accounts admins know to be out of reach.

        False, and nothing written, if somebody else told of others since `before`.
        """

    def note_gates(self, notified: str, before: SweepState, notices: Iterable[Notice]) -> bool:
        """Note with its notices what admins know of others' changes to the gates.

        False, and nothing written, if somebody else told of others since `before`.
        """

    def note_digest(
        self, week: str, tried_at: datetime, before: SweepState, notices: Iterable[Notice]
    ) -> bool:
        """Note with its notices which Monday's digest admins have, and when one was begun.

        False, and nothing written, if somebody else began or told one since `before`.
        """

    def close(self) -> None:
        """From now on no intent to block can be written."""

    def reopen(self) -> None:
        """Take that back; the next sweep looks at everybody, as after a change of settings."""


class Unseen(Protocol):
    """Who used something that nobody has looked at yet."""

    def unseen(self, mark: str = ...) -> Mapping[str, frozenset[Principal]]:
        """By mark, consistently read: all, or those of one delivery."""

    def looked_at(self, seen: Mapping[str, frozenset[Principal]]) -> None:
        """Take out these marks; whom one is mapped to stays marked by it."""


class Headrooms(Protocol):
    """Who need not be looked at until they have used so much more."""

    def headrooms(self, principals: Iterable[Principal]) -> Mapping[Principal, KeptHeadroom]:
        """What is kept of these, consistently read."""

    def keep_headrooms(
        self, headrooms: Mapping[Principal, Headroom], over: Mapping[Principal, str]
    ) -> None:
        """Keep what looks found that began after these tokens were read, empty if none was.

        Nothing is written of somebody who has another token by now: usage that the look did not see
        may have dropped it.
        """

    def drop_headrooms(self, principals: Collection[Principal], now: datetime) -> None:
        """From now on nothing that a look found which is under way already is kept of these."""

    def hours(self, buckets: Iterable[Bucket]) -> Mapping[Bucket, Mapping[datetime, Counts]]:
        """The stored hours (by start in UTC) of these buckets; absent ones are left out."""


class QuotaMemories(QuotaMemoryReads, Protocol):
    """The last valid version of each quota item."""

    def remember_quota(
        self, memory: QuotaMemory, before: QuotaMemory, notices: Iterable[Notice] = ()
    ) -> bool:
        """Remember a quota item's last valid version over `before`, with its notices.

        They go into the history, and into the outbox but for those that are only noted. False, and
        nothing written, if somebody else was first.
        """

    def forget_quota(self, before: QuotaMemory, notices: Iterable[Notice] = ()) -> bool:
        """Forget a quota item that is gone; otherwise as `remember_quota`."""

    def announce_removal(self, subject: str, name: str, by: str) -> None:
        """Note in the memory of a quota item who is about to remove it.

        Nothing is noted of an item that nobody remembers.
        """


class PriceMemories(Protocol):
    """Of which models admins were ever told that they have no price."""

    def price_memories(self) -> list[PriceMemory]: ...

    def remember_price(
        self, memory: PriceMemory, before: PriceMemory | None, notices: Iterable[Notice] = ()
    ) -> bool:
        """Remember it over `before`, with its notices into outbox and history.

        False, and nothing written, if somebody else was first.
        """


class MeterRulesMemory(Protocol):
    """The rules that the meters go by, as the enforcer told them last."""

    def meter_rules(self) -> MeterRules: ...

    def put_meter_rules(self, meter_rules: MeterRules, quotas_seen: str) -> bool:
        """Tell the meters.

        False, and nothing written, if somebody has seen an edit since the state had
        `quotas_seen`: they tell something newer.
        """


class RequestMemory(Protocol):
    """What people ask for, and what was told of it."""

    def requests(self) -> list[RaiseRequest]:
        """All that are kept; what nobody could have asked is left out."""

    def note_request(
        self, request: RaiseRequest, told: RequestState, notices: Iterable[Notice]
    ) -> bool:
        """Note with its notices what was told of a request.

        False, and nothing written, if somebody else told of it, or another took its place.
        """


class Ledger(
    Standings,
    Outbox,
    RequestMemory,
    SweepMemory,
    Unseen,
    Headrooms,
    QuotaMemories,
    PriceMemories,
    GateIntentReads,
    MeterRulesMemory,
    MeteredHours,
    UsageReads,
    PaceReads,
    EverybodyReads,
    HistoryReads,
    Protocol,
):
    """Every role of the ledger that an enforcer plays."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What IAM denies in some accounts: home, which is `""`, and member accounts."""

    denied: Mapping[Principal, frozenset[str]]
    listed: frozenset[str] = frozenset({""})
    """The accounts that it is of."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """The accounts that could not be read, and why."""


class Denies(Protocol):
    """The static deny policies of this stack, one for each installed model scope.

    Each account has them under the same names.
    """

    @property
    def scopes(self) -> frozenset[str]:
        """The installed model scopes."""

    def denied(self) -> dict[Principal, frozenset[str]]:
        """Who really has which scopes' policies attached, at home."""

    def in_force(self, accounts: Iterable[str]) -> InForce:
        """Who has which deny, at home and in these accounts; one that cannot be read is named."""

    @property
    def unmanaged_attachments(self) -> list[str]:
        """What was found at the last look that only an admin can undo, in words."""

    def reach(self, account: str) -> None:
        """Raises AccountUnreachable if nothing can be done in a member account."""

    def attach(self, principal: Principal, scope: str) -> None:
        """Deny a scope. Raises CannotDeny, PrincipalGone or AccountUnreachable."""

    def detach(self, principal: Principal, scope: str) -> None:
        """Lift a deny; no error if there is none. Raises AccountUnreachable."""


class GateAuthor(Protocol):
    """The author function: the only one that writes gates."""

    def render(self, *, everywhere: bool = True) -> "GateResult":
        """Have the gates deny what the ledger's gate intents say; what they deny now.

        Without `everywhere` it trusts its memory of gates in member accounts.
        """

    def empty(self) -> "GateResult":
        """Have the gates deny nobody."""


class ServiceTiers(Protocol):
    """Which service tiers Bedrock says are in use."""

    def in_use(self) -> Mapping[str, frozenset[str]]:
        """The models by tier, of the last hours."""


class NoSatellites:
    """A deployment of one account."""

    def satellites(self) -> tuple[Satellite, ...]:
        return ()


class NoTiers:
    """Nothing but the standard tier is in use."""

    def in_use(self) -> Mapping[str, frozenset[str]]:
        return {}


class WeekReport(Protocol):
    """What the report says of a week."""

    def week(self, rules: Iterable[Rule], context: Context, monday: date) -> tuple[str, Facts]:
        """The week that ended before this Monday: what it cost in a few words, and all else."""


class Topic(Protocol):
    """Where notices go."""

    def publish(self, notice: Notice, message: Message) -> None:
        """Send one notice."""


@dataclass(frozen=True, slots=True)
class Adapters:
    """All that a sweep works with: the adapters, or the fakes."""

    ledger: Ledger
    quotas: Quotas
    metrics: Metrics
    denies: Denies
    topic: Topic
    author: GateAuthor | None = None
    models: Models = field(default_factory=NamedByThemselves)
    tiers: ServiceTiers = field(default_factory=NoTiers)
    satellites: SatelliteReads = field(default_factory=NoSatellites)
    weeks: WeekReport | None = None
    """None if admins get no digest."""
