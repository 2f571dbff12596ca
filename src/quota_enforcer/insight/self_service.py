"""Self-service: a caller's standing, decided as a sweep would; nothing here writes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from quota_enforcer.core.deployment import Context, SelfServiceSettings
from quota_enforcer.core.ledger import LedgerReads, Record, SweepState
from quota_enforcer.core.principal import Identity, Kind, Principal
from quota_enforcer.core.quotas.item import Item, Quotas
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.request import RaiseRequest, RequestState
from quota_enforcer.core.quotas.stage import Stage
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.evaluate import decide_for_one
from quota_enforcer.decide.rules.loader import QuotaLoader
from quota_enforcer.decide.rules.requests import answer
from quota_enforcer.insight.status import StatusRow, rows, unlimited

_SINGLE: Final = {Kind.USER, Kind.ROLE, Kind.SSO, Kind.SESSION, "price"}
"""The kinds before the slash of an item for one principal, or for a price."""


@dataclass(frozen=True, slots=True)
class OwnQuota:
    """One quota of somebody's: the row that admins see too, its models, and a raise in force.

    `limit_after` is the limit that comes back at `raised_until`; both are None without a raise.
    """

    row: StatusRow
    models: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    """What is closed at which part of the limit, if that is not what is counted, at the limit."""
    raised_until: datetime | None = None
    limit_after: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MyStanding:
    """Where one principal is: what IAM denies it now, and each of its quotas.

    `until` is None if only an admin's change ends the deny. `changing` says that a deny is being
    attached or lifted just now, and `trouble` why one could not be attached.
    """

    principal: Principal
    denied: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    changing: bool
    trouble: str
    quotas: tuple[OwnQuota, ...]


@dataclass(frozen=True, slots=True)
class MyStatus:
    """All that a caller is told."""

    context: Context
    state: SweepState
    standings: tuple[MyStanding, ...]
    request: RaiseRequest | None = None
    """What the caller asked for last, and its answer."""
    answer: RequestState | None = None


AskedOf = Callable[[Principal], RaiseRequest | None]
"""What a principal asked for last."""


class SelfService:
    """Looks at callers: at nobody but the principal that IAM says is asking."""

    def __init__(
        self, settings: SelfServiceSettings, ledger: LedgerReads, quotas: Quotas, asked: AskedOf
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._quotas = quotas
        self._asked = asked
        self._loader = QuotaLoader(settings.zone, settings.scopes, settings.account)

    def of(self, identity: Identity, now: datetime) -> MyStatus:
        """The caller, its session if a quota watches it, and the pools that it draws on."""
        settings, ledger = self._settings, self._ledger
        state = ledger.state()
        now = max(now, state.watermark or now)
        home = Place(settings.account, settings.region)
        context = Context(now, settings.zone, settings.mode, gated=settings.gated, home=home)
        items = [item for item in self._quotas.items() if _can_concern(item, identity)]
        loaded = self._loader.load(items, ledger.quota_memories(), now)
        book, charged = loaded.book, loaded.book.charged(identity)
        pools = {team for each in charged for team in book.pools_of(each)}
        if not book.open_pools.isdisjoint(pools):
            everybody = {record.principal for record in ledger.everybody()}
            book = loaded.knowing(everybody.union(charged)).book
        standings = [self._standing(each, book, context, state) for each in charged]
        known = {quota.row.whom for each in standings for quota in each.quotas}
        standings += [
            self._standing(team, book, context, state)
            for team in sorted(pools)
            if str(team) not in known
        ]
        request = self._asked(identity.principal)
        became = None if request is None else answer(request, book, now)
        return MyStatus(context, state, tuple(standings), request, became)

    def _standing(
        self, principal: Principal, book: QuotaBook, context: Context, state: SweepState
    ) -> MyStanding:
        record = self._ledger.records([principal])[principal]
        decision = decide_for_one(record, book, self._ledger, context)
        quotas = list(_quotas(record, decision, state))
        if not quotas:
            usage = self._ledger.usage(principal, local_date(context.now, context.zone))
            quotas = [OwnQuota(unlimited(principal, usage, context))]
        in_force = record.standing.denied if not record.trouble else frozenset[str]()
        lasting = decision.standing if decision.standing.denied else record.standing
        return MyStanding(
            principal,
            tuple(sorted(in_force)),
            record.standing.blocked_since if in_force else None,
            lasting.until if in_force else None,
            record.intended is not None,
            record.trouble,
            tuple(quotas),
        )


def _can_concern(item: Item, identity: Identity) -> bool:
    """Whether it can be a quota of the caller: to read those of thousands of others takes long."""
    subject = Subject(str(item.get("principal")).lower())
    own = {str(each).lower() for each in (identity.principal, identity.session) if each}
    return subject in own or subject.is_group or subject.kind not in _SINGLE


def _quotas(record: Record, decision: Decision, state: SweepState) -> Iterator[OwnQuota]:
    applying: dict[tuple[str, str], Quota] = {
        (verdict.quota.subject, verdict.quota.name): verdict.quota for verdict in decision.verdicts
    }
    for row in rows(record, decision, state):
        quota = applying.get((row.whom, row.quota))
        yield OwnQuota(row) if quota is None else _own(row, quota, decision.context.now)


def _own(row: StatusRow, quota: Quota, now: datetime) -> OwnQuota:
    raised = quota.raise_until if quota.limit_at(now) != quota.limit else None
    return OwnQuota(
        row,
        tuple(map(str, quota.models)),
        quota.all_stages if quota.stages or quota.closes else (),
        raised,
        quota.limit if raised is not None else None,
    )
