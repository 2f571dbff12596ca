"""What the meter and the sweep need from outside: the adapters in `aws` and the tests' fakes fit.

Every write may be repeated. Nothing here knows AWS.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple, Protocol, Self

from quota_enforcer.authoring.rendered import Rendered
from quota_enforcer.core.measure import OBSERVED, Counts
from quota_enforcer.core.model import NamedModel
from quota_enforcer.core.notice import Notice
from quota_enforcer.core.price import Rate
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quota_item import Item
from quota_enforcer.core.standing import Standing
from quota_enforcer.core.usage import Usage
from quota_enforcer.core.wording import Message


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
    """What one sweep leaves for the next.

    `started` and `finished` are sweeps' `now`; where they differ the last one did not get through.
    `metered_to` is the meter's watermark, `fresh_at` when a bucket last changed, `terms` names the
    settings that concern everybody, `breaker_since` when the breaker tripped,
    `gates_told` what admins were told last of others' changes to the gates.
    """

    started: datetime | None = None
    finished: datetime | None = None
    metered_to: datetime | None = None
    fresh_at: datetime | None = None
    terms: str = ""
    breaker_since: datetime | None = None
    gates_told: str = ""
    closed: bool = False

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
    """The last valid version of a quota item, and the problems that admins were told of last."""

    whom: str
    name: str
    item: Item | None = None
    reported: str = ""


class Bucket(NamedTuple):
    """The key of one stored usage item: a principal's usage of a model on a local date."""

    principal: Principal
    model: str
    day: date


class Series(NamedTuple):
    """One metric series: a counter (a field of Counts) for one raw identity ARN and model id."""

    counter: str
    arn: str
    model_id: str


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
class Brief:
    """What the enforcer tells the meters: the sessions that quotas watch, and admins' own prices.

    `sessions` are `session/ROLE/NAME` and `session/ROLE/*`, `prices` by model as admins wrote it.
    """

    sessions: frozenset[str] = frozenset()
    prices: Mapping[str, Rate] = field(default_factory=dict)


class Models(Protocol):
    """Which model an id means, where only AWS can say it."""

    def named(self, model_id: str) -> NamedModel:
        """The model; one that cannot be found out keeps the name that its id has."""


class Ledger(Protocol):
    """Usage, records, notices under way and the sweep's own memory."""

    def state(self) -> SweepState:
        """What the last sweep left."""

    def begin(self, now: datetime) -> None:
        """Note that a sweep started."""

    def finish(self, state: SweepState) -> None:
        """Note all of `state` but `closed`, unless a later sweep already did."""

    def close(self) -> None:
        """From now on no intent to block can be written."""

    def usage(self, principal: Principal, first: date) -> Usage:
        """One principal's usage from a local date on."""

    def hours(self, buckets: Iterable[Bucket]) -> Mapping[Bucket, Mapping[datetime, Counts]]:
        """The stored hours (by start in UTC) of these buckets; absent ones are left out."""

    def set_hours(self, bucket: Bucket, hours: Mapping[datetime, Counts]) -> None:
        """Set whole hours of one bucket; other hours stay."""

    def sources(self) -> list[Source]:
        """The metric sources remembered."""

    def remember_source(self, source: Source) -> None:
        """Remember one, for some days."""

    def due(self, now: datetime) -> set[Principal]:
        """Whose record is due."""

    def records(self, principals: Iterable[Principal]) -> dict[Principal, Record]:
        """Their records, consistently read; a new one for whom the ledger does not know."""

    def blocked(self) -> list[Record]:
        """Every record that denies something, or was about to; eventually consistent."""

    def everybody(self) -> list[Record]:
        """Every record, eventually consistent."""

    def put(
        self, record: Record, notices: Iterable[Notice] = (), gate: GateIntent | None = None
    ) -> None:
        """Write a record over its previous version, with its notices into outbox and history.

        With `gate` also what a gate shall deny; one without scopes takes it out. All or nothing.
        Raises Conflict where the version is not the next one, and Closed where
        `record.intended` would deny something after `close`.
        """

    def gate_intents(self) -> list[GateIntent]:
        """What the gates shall deny, consistently read."""

    def post(self, notices: Iterable[Notice]) -> None:
        """Put notices that belong to no record into outbox and history."""

    def outbox(self, until: datetime) -> list[Notice]:
        """Notices posted before `until` and not sent yet."""

    def sent(self, notice: Notice) -> None:
        """Take a notice out of the outbox."""

    def history(self, principal: Principal | None = None) -> list[Notice]:
        """Past notices, oldest first: one principal's, or those of the deployment."""

    def quota_memories(self) -> list[QuotaMemory]:
        """What is remembered of every quota item."""

    def remember_quota(self, memory: QuotaMemory) -> None:
        """Remember a quota item's last valid version."""

    def forget_quota(self, memory: QuotaMemory) -> None:
        """Forget a quota item that is gone."""


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

    def render(self) -> Rendered:
        """Have the gates deny what the ledger's gate intents say; what they deny now."""

    def empty(self) -> Rendered:
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
