"""The bill laid beside the ledger, cell by cell: each dollar of both is in exactly one place.

What the bill names no caller of is laid beside those callers of the ledger whom the bill of that
day and model does not name.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.usage.counts import NO_MONEY, Counts
from quota_enforcer.insight.bill.cells import CellKey, Sums, total
from quota_enforcer.insight.bill.line import BillLine, LineKind, kind_of
from quota_enforcer.insight.bill.models import NO_MODEL, ModelNames
from quota_enforcer.insight.bill.reasons import Meaning, Reason, meaning, region_of
from quota_enforcer.insight.bill.who import NOT_TOLD, billed_principal

LATE = timedelta(days=2)
"""The newest days of a bill are not whole: rows come up to a day late, the Marketplace's later.

https://docs.aws.amazon.com/bedrock/latest/userguide/cost-mgmt-iam-principal-tracking.html
"""

Metered = Mapping[CellKey, Counts]


@dataclass(frozen=True, slots=True)
class BillScope:
    """What is compared: days of UTC, both included, and what the ledger can have of them."""

    first: date
    last: date
    home: str
    """The deployment's account."""
    region: str
    """Its Region."""
    metered: frozenset[tuple[str, str]]
    """The accounts and Regions that it meters."""
    since: date | None
    """The first day with usage in the ledger; None if there is none."""
    newest: date | None = None
    """The newest day of the bill."""
    account: str | None = None
    only_region: str | None = None
    """If given, others are left out on both sides."""

    @property
    def late_from(self) -> date:
        """The first day of which AWS may still bill something."""
        return date.min if self.newest is None else self.newest - LATE + timedelta(days=1)

    def wants(self, day: date, account: str, region: str) -> bool:
        return (
            self.first <= day <= self.last
            and self.account in {None, account}
            and self.only_region in {None, region}
        )


@dataclass(slots=True)
class Reconciled:
    """Both sides of everything that was asked for."""

    cells: dict[CellKey, Sums] = field(default_factory=dict)
    beside: dict[LineKind, Decimal] = field(default_factory=dict)
    """Lines that are no usage: taxes, credits and the like, and discounts of their own."""
    discounts: dict[str, Decimal] = field(default_factory=dict)
    """Lines of discounts, by model."""
    left_out: Decimal = NO_MONEY
    """What the bill has of other days, accounts or Regions than those asked for."""

    @property
    def sums(self) -> Sums:
        """Of all cells."""
        return total(self.cells.values())


@dataclass(slots=True)
class _Billed:
    """What the bill has of one cell that the ledger can have too."""

    usd: Decimal = NO_MONEY
    other_tier: Decimal = NO_MONEY
    tokens: Decimal = NO_MONEY
    counted: bool = True

    def add(self, line: BillLine, meant: Meaning) -> None:
        tokens = meant.tokens(line.amount)
        self.usd += line.cost
        self.other_tier += line.cost if meant.tier is not Tier.STANDARD else NO_MONEY
        self.tokens += tokens or NO_MONEY
        self.counted &= tokens is not None


def reconcile(
    lines: Iterable[BillLine], metered: Metered, names: ModelNames, scope: BillScope
) -> Reconciled:
    """Read the lines once, however many they are, and lay them beside the ledger."""
    found = Reconciled()
    billed: defaultdict[CellKey, _Billed] = defaultdict(_Billed)
    never: defaultdict[CellKey, defaultdict[Reason, Decimal]]
    never = defaultdict(lambda: defaultdict(lambda: NO_MONEY))
    for line in lines:
        region = line.region or region_of(line.charged.usage_type)
        region = region or (scope.region if line.account == scope.home else "")
        if not scope.wants(line.day, line.account, region):
            found.left_out += line.cost
            continue
        meant = meaning(line.charged)
        model = names.billed(meant.names)
        kind = kind_of(line.charged.kind)
        if kind is not LineKind.USAGE:
            found.beside[kind] = found.beside.get(kind, NO_MONEY) + line.cost
            if kind is LineKind.DISCOUNT and meant.reason is None and model:
                found.discounts[model] = found.discounts.get(model, NO_MONEY) + line.cost
            continue
        who = billed_principal(line.principal, scope.home)
        shown = model or (meant.names[0] if meant.names else line.charged.usage_type)
        key = CellKey(line.day, line.account, region, who, shown)
        if reason := _never(meant, model, key, scope):
            never[key][reason] += line.cost
        else:
            billed[key].add(line, meant)
    for key, sums in _cells(billed, _asked(metered, names, scope), scope):
        found.cells[key] = sums
    for key, several in never.items():
        beside = found.cells.get(key, Sums())
        found.cells[key] = total((beside, Sums(never=dict(several))))
    return found


def _never(meant: Meaning, model: str, key: CellKey, scope: BillScope) -> Reason | None:
    """Why the ledger cannot have a line; None if it can."""
    if meant.reason is not None:
        return meant.reason
    if key.account not in {account for account, _ in scope.metered}:
        return Reason.ACCOUNT
    if (key.account, key.region) not in scope.metered:
        return Reason.REGION
    if scope.since is not None and key.day < scope.since:
        return Reason.BEFORE
    return Reason.UNKNOWN if model == NO_MODEL else None


def _asked(metered: Metered, names: ModelNames, scope: BillScope) -> dict[CellKey, Counts]:
    """The ledger's side, by the models' names of the bill."""
    rows: defaultdict[CellKey, list[Counts]] = defaultdict(list)
    for key, counts in metered.items():
        if scope.wants(key.day, key.account, key.region):
            rows[key._replace(model=names.metered(key.model))].append(counts)
    return {key: Counts.total(several) for key, several in rows.items()}


def _cells(
    billed: Mapping[CellKey, _Billed], metered: Mapping[CellKey, Counts], scope: BillScope
) -> Iterator[tuple[CellKey, Sums]]:
    beside = _beside(billed, metered)
    for key in sorted({*billed, *beside}):
        late = key.day >= scope.late_from
        yield key, _compared(billed.get(key), beside.get(key), late=late)


def _beside(
    billed: Mapping[CellKey, _Billed], metered: Mapping[CellKey, Counts]
) -> dict[CellKey, Counts]:
    """The ledger's cells by the keys of the bill that they are to be laid beside."""
    rows: defaultdict[CellKey, list[Counts]] = defaultdict(list)
    for key, counts in metered.items():
        untold = key._replace(principal=NOT_TOLD)
        rows[untold if key not in billed and untold in billed else key].append(counts)
    return {key: Counts.total(several) for key, several in rows.items()}


def _compared(billed: _Billed | None, counts: Counts | None, *, late: bool) -> Sums:
    cost = NO_MONEY if counts is None else counts.cost_usd
    assumed = NO_MONEY if counts is None else counts.assumed_usd
    if billed is None:
        if late:
            return Sums(pending=cost, assumed=assumed)
        return Sums(unbilled=cost, assumed=assumed)
    if counts is None:
        return Sums(never={Reason.TIER if _other_tier(billed) else Reason.UNSEEN: billed.usd})
    pending = max(cost - billed.usd, NO_MONEY) if late else NO_MONEY
    return Sums(
        metered=cost - pending,
        billed=billed.usd,
        pending=pending,
        assumed=assumed,
        other_tier=billed.other_tier,
        metered_tokens=Decimal(counts.tokens),
        billed_tokens=billed.tokens,
        counted=billed.counted and not late,
    )


def _other_tier(billed: _Billed) -> bool:
    return bool(billed.usd) and billed.other_tier == billed.usd
