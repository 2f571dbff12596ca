"""What bill and ledger say of one day, caller and model, and the sums of several such."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from quota_enforcer.core.usage.counts import NO_MONEY
from quota_enforcer.insight.bill.reasons import Reason


class BillBy(StrEnum):
    """What tells the rows of a comparison apart."""

    DAY = "day"
    ACCOUNT = "account"
    REGION = "region"
    PRINCIPAL = "principal"
    MODEL = "model"


class CellKey(NamedTuple):
    """The finest that both sides tell; the day is UTC's."""

    day: date
    account: str
    region: str
    principal: str
    model: str


@dataclass(frozen=True, slots=True)
class Sums:
    """Dollars of both sides, each in one place, and the tokens of what both have."""

    metered: Decimal = NO_MONEY
    """Of what both have: in the ledger."""
    billed: Decimal = NO_MONEY
    """Of what both have: on the bill."""
    pending: Decimal = NO_MONEY
    """In the ledger, and so young that AWS may still bill it."""
    unbilled: Decimal = NO_MONEY
    """In the ledger, and old enough to be on the bill."""
    never: Mapping[Reason, Decimal] = field(default_factory=dict)
    """On the bill only, by the reason."""
    assumed: Decimal = NO_MONEY
    """The part of what the ledger has that is at assumed prices."""
    other_tier: Decimal = NO_MONEY
    """The part of `billed` that is in another service tier than the standard one."""
    metered_tokens: Decimal = NO_MONEY
    billed_tokens: Decimal = NO_MONEY
    counted: bool = True
    """Whether all that is billed is counted in tokens."""

    @property
    def difference(self) -> Decimal:
        """How much more is billed of what both have; negative if less."""
        return self.billed - self.metered

    @property
    def never_metered(self) -> Decimal:
        """All that is on the bill only."""
        return sum(self.never.values(), NO_MONEY)

    @property
    def in_ledger(self) -> Decimal:
        """All that the ledger has."""
        return self.metered + self.pending + self.unbilled

    @property
    def on_bill(self) -> Decimal:
        """All usage that is billed."""
        return self.billed + self.never_metered

    def against(self, excepted: Iterable[Reason] = ()) -> Decimal:
        """All in which the two disagree, less what is expected to be on the bill only."""
        expected = set(excepted)
        never = (abs(usd) for why, usd in self.never.items() if why.counts and why not in expected)
        return abs(self.difference) + self.unbilled + sum(never, NO_MONEY)


_AMOUNTS = (
    "metered", "billed", "pending", "unbilled", "assumed", "other_tier", "metered_tokens",
    "billed_tokens",
)  # fmt: skip


def total(several: Iterable[Sums]) -> Sums:
    """The sum; each dollar stays in its place."""
    rows = list(several)
    amounts = {name: sum(map(attrgetter(name), rows), NO_MONEY) for name in _AMOUNTS}
    never: defaultdict[Reason, Decimal] = defaultdict(lambda: NO_MONEY)
    for row in rows:
        for reason, usd in row.never.items():
            never[reason] += usd
    return Sums(**amounts, never=dict(never), counted=all(row.counted for row in rows))


def grouped(cells: Mapping[CellKey, Sums], by: Sequence[BillBy]) -> dict[tuple[str, ...], Sums]:
    """The sums of the cells that are told apart by these columns, sorted."""
    rows: defaultdict[tuple[str, ...], list[Sums]] = defaultdict(list)
    for key, sums in cells.items():
        rows[tuple(str(getattr(key, each)) for each in by)].append(sums)
    return {key: total(several) for key, several in sorted(rows.items())}
