"""What else is outside: quotas, metrics, models, IAM, the author and the topic."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from quota_enforcer.core.ledger import (
    Brief,
    Bucket,
    GateIntent,
    PriceMemory,
    QuotaMemory,
    Record,
    Source,
    SweepState,
)
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.notices.wording import Message
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import NamedModel, named

if TYPE_CHECKING:
    from quota_enforcer.gates.result import Rendered


class Usages(Protocol):
    """Where usage is read."""

    def usage(self, principal: Principal, first: date) -> Usage:
        """One principal's usage from a local date on."""


def unheard(_: float) -> None:
    """Nobody wants to know how far it is."""


class ReadMany(Protocol):
    """Reads the usage of many at once."""

    def __call__(
        self,
        firsts: Mapping[Principal, date],
        hours_from: date | None,
        told: Callable[[float], None] = unheard,
    ) -> Mapping[Principal, Usage]:
        """Each one's usage from a local date on; perhaps a second old.

        By the hour only from `hours_from` on, and where that is None perhaps by the day only.
        `told` hears how far it is, from 0 to 1.
        """


class LedgerReads(Usages, Protocol):
    """What it takes to decide about somebody."""

    def state(self) -> SweepState:
        """What the last sweep left."""

    def records(self, principals: Iterable[Principal]) -> dict[Principal, Record]:
        """Their records, consistently read; a new one for whom the ledger does not know."""

    def quota_memories(self) -> list[QuotaMemory]:
        """What is remembered of every quota item."""


class Ledger(LedgerReads, Protocol):
    """Usage, records, notices under way and the sweep's own memory."""

    def begin(self, now: datetime) -> None:
        """Note that a sweep started."""

    def finish(self, state: SweepState) -> None:
        """Note what a sweep leaves, unless a later one already did.

        That is all of `state` but `closed`, `quotas_seen` and `unsettled`.
        """

    def see_quotas(self, token: str, before: SweepState) -> bool:
        """Note by its token that somebody has seen edits and begins to act, unsettled until then.

        False, and nothing written, where somebody else did so since `before`.
        """

    def settle_quotas(self, token: str) -> None:
        """Nothing is unsettled any more, unless it is by another token."""

    def unsettle_quotas(self, token: str) -> None:
        """What somebody has done may rest on quotas that were edited meanwhile."""

    def note(
        self,
        *,
        fresh_at: datetime | None = None,
        breaker_since: datetime | None = None,
        gates_told: str = "",
    ) -> None:
        """Note this much of the state between two sweeps; what is not given stays."""

    def close(self) -> None:
        """From now on no intent to block can be written."""

    def hours(self, buckets: Iterable[Bucket]) -> Mapping[Bucket, Mapping[datetime, Counts]]:
        """The stored hours (by start in UTC) of these buckets; absent ones are left out."""

    def set_hours(
        self, bucket: Bucket, hours: Mapping[datetime, Counts], meter: str = "cloudwatch"
    ) -> None:
        """Set whole hours of one bucket; other hours stay. `meter` says who filled them."""

    def ask_recounts(self, hours: Iterable[datetime], now: datetime) -> None:
        """Ask that these hours be set from the log once they are closed."""

    def sources(self) -> list[Source]:
        """The metric sources remembered."""

    def remember_source(self, source: Source) -> None:
        """Remember one, for some days."""

    def due(self, now: datetime) -> set[Principal]:
        """Whose record is due."""

    def blocked(self) -> list[Record]:
        """Every record that denies something, or was about to; eventually consistent."""

    def everybody(self) -> list[Record]:
        """Every record, eventually consistent."""

    def put(
        self,
        record: Record,
        notices: Iterable[Notice] = (),
        gate: GateIntent | None = None,
        quotas_seen: str | None = None,
    ) -> None:
        """Write a record over its previous version, with its notices into outbox and history.

        With `gate` also what a gate shall deny; one without scopes takes it out. All or nothing.
        Raises Conflict where the version is not the next one, or where somebody has seen an edit
        since the state had `quotas_seen`; and Closed where `record.intended` would deny something
        after `close`.
        """

    def gate_intents(self) -> list[GateIntent]:
        """What the gates shall deny, consistently read."""

    def post(self, notices: Iterable[Notice]) -> None:
        """Put notices that belong to no record into outbox and history."""

    def outbox(self, until: datetime) -> list[Notice]:
        """Notices posted before `until` and not sent yet."""

    def sent(self, notice: Notice) -> None:
        """Take a notice out of the outbox."""

    def history(
        self, principal: Principal | None = None, since: datetime | None = None
    ) -> list[Notice]:
        """Past notices, oldest first: one principal's, or those of the deployment."""

    def whole_history(
        self, since: datetime | None = None, limit: int | None = None
    ) -> list[Notice]:
        """Everybody's and the deployment's past notices, oldest first, of these the newest.

        Eventually consistent.
        """

    def remember_quota(
        self, memory: QuotaMemory, before: QuotaMemory, notices: Iterable[Notice] = ()
    ) -> bool:
        """Remember a quota item's last valid version over `before`, with its notices.

        They go into the history, and into the outbox but for those that are only noted. False, and
        nothing written, where somebody else was first.
        """

    def forget_quota(self, before: QuotaMemory, notices: Iterable[Notice] = ()) -> bool:
        """Forget a quota item that is gone; else likewise."""

    def brief(self) -> Brief:
        """What the meters were told last."""

    def put_brief(self, brief: Brief, quotas_seen: str) -> bool:
        """Tell the meters.

        False, and nothing written, where somebody has seen an edit since the state had
        `quotas_seen`: they tell something newer.
        """

    def price_memories(self) -> list[PriceMemory]:
        """Of which models admins were ever told that they have no price."""

    def remember_price(
        self, memory: PriceMemory, before: PriceMemory | None, notices: Iterable[Notice] = ()
    ) -> bool:
        """Remember it over `before`, with its notices into outbox and history.

        False, and nothing written, where somebody else was first.
        """


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
