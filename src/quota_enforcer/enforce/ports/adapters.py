"""All that a sweep works with beside the ledger: IAM, the author, the topic and others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.notices.message import Message
from quota_enforcer.core.notices.notice import Facts, Notice
from quota_enforcer.core.policies.in_force import InForce
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Quotas
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.enforce.ports.ledger import Ledger
from quota_enforcer.meter.ports import Metrics, Models, NamedByThemselves
from quota_enforcer.satellites.registry import Satellite, SatelliteReads

if TYPE_CHECKING:
    from quota_enforcer.gates.result import GateResult


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
