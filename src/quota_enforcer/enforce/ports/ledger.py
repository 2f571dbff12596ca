"""The ledger as enforcing uses it, role by role, and all of its roles together."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

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
)
from quota_enforcer.core.notices.notice import HistoryReads, Notice
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.request import RaiseRequest, RequestState
from quota_enforcer.core.usage.reads import PaceReads, UsageReads
from quota_enforcer.core.usage.stored import MeterRules
from quota_enforcer.enforce.ports.sweep_memory import Headrooms, SweepMemory, Unseen
from quota_enforcer.meter.ports import MeteredHours


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
