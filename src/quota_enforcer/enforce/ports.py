"""What else is outside: quotas, metrics, models, IAM, the author and the topic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.notices.wording import Message
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.usage.model import NamedModel, named
from quota_enforcer.enforce.ledger import Ledger

if TYPE_CHECKING:
    from quota_enforcer.gates.result import Rendered


class Series(NamedTuple):
    """One metric series: a counter (a field of Counts) for one raw identity ARN and model id."""

    counter: str
    arn: str
    model_id: str


class Models(Protocol):
    """Which model an id means, where only AWS can say it."""

    def named(self, model_id: str) -> NamedModel:
        """The model; one that cannot be found out keeps the name that its id has."""


class NamedByThemselves:
    """The models as far as their ids say which they are, without asking AWS."""

    def named(self, model_id: str) -> NamedModel:
        """The model; an opaque ARN keeps its own name."""
        return named(model_id)


class Quotas(Protocol):
    """The quota table, as far as the enforcer reads it."""

    def items(self) -> list[Item]:
        """Every item, consistently read."""


class Metrics(Protocol):
    """The per-principal series that metric filters derive from the invocation log."""

    def series(self, *, recent: bool) -> list[Series]:
        """Every listed series; with `recent` only those with data in about the last three hours."""

    def read(
        self, series: Iterable[Series], start: datetime, end: datetime, period: int
    ) -> dict[Series, Mapping[datetime, int] | None]:
        """Sums by period start (period in seconds); None where the answer was not complete."""


class Denies(Protocol):
    """The static deny policies of this stack, one for each installed model scope."""

    @property
    def scopes(self) -> frozenset[str]:
        """The installed model scopes."""

    def denied(self) -> dict[Principal, frozenset[str]]:
        """Who really has which scopes' policies attached."""

    @property
    def strays(self) -> list[str]:
        """What the last `denied` found that only an admin can undo, in words."""

    def attach(self, principal: Principal, scope: str) -> None:
        """Deny a scope. Raises CannotDeny or PrincipalGone."""

    def detach(self, principal: Principal, scope: str) -> None:
        """Lift a deny; no error where there is none."""


class GateAuthor(Protocol):
    """The author function: the only one that writes gates."""

    def render(self) -> "Rendered":
        """Have the gates deny what the ledger's gate intents say; what they deny now."""

    def empty(self) -> "Rendered":
        """Have the gates deny nobody."""


class Topic(Protocol):
    """Where notices go."""

    def publish(self, notice: Notice, message: Message) -> None:
        """Send one notice."""


@dataclass(frozen=True, slots=True)
class Outside:
    """All that a sweep works with: the adapters, or the fakes."""

    ledger: Ledger
    quotas: Quotas
    metrics: Metrics
    denies: Denies
    topic: Topic
    author: GateAuthor | None = None
    models: Models = field(default_factory=NamedByThemselves)
