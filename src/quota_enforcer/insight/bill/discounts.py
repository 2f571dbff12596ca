"""Which discounts would make the ledger agree with the bill, where a constant ratio explains it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from quota_enforcer.core.pricing.key import vendor_of
from quota_enforcer.core.pricing.table import EVERYTHING, Discount
from quota_enforcer.core.usage.counts import NO_MONEY
from quota_enforcer.insight.bill.cells import CellKey, Sums
from quota_enforcer.insight.bill.models import members

_ENOUGH: Final = Decimal("0.01")
"""Dollars; of less than a cent no ratio can be told."""
_NEAR: Final = Decimal("0.002")
"""How far from the ratio a day may be, as a part of it."""
_ROUNDING: Final = Decimal("0.000001")
"""Dollars by which a day may be off in any case."""
_SAME: Final = Decimal("0.05")
"""Percentage points; a discount so near to the present one is the present one."""
_PLACES: Final = (Decimal(1), Decimal("0.1"), Decimal("0.01"), Decimal("0.001"), Decimal("0.0001"))
"""Of a percentage, the simplest first."""
_FIT: Final = Decimal("0.0005")
_WHOLE: Final = Decimal(100)

CurrentDiscount = Callable[[str], Discount | None]
"""The discount that holds for a model."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A discount that explains what the bill of some models differs in."""

    of: str
    """What `prices discount` takes: a model, a vendor, or all."""
    percent: Decimal
    models: tuple[str, ...]
    now: Decimal
    """The difference of these models as it is: how much more is billed."""
    then: Decimal
    """The difference that the discount would leave."""


@dataclass(frozen=True, slots=True)
class Dearer:
    """A model that costs more on the bill than in the ledger, always as many times."""

    model: str
    times: Decimal


@dataclass(frozen=True, slots=True)
class _Model:
    """What one model costs on both sides, if the ratio is the same every day."""

    name: str
    metered: Decimal
    billed: Decimal
    discount: Discount | None

    @property
    def ratio(self) -> Decimal:
        return self.billed / self.metered

    @property
    def kept(self) -> Decimal:
        """The part of the price that its present discount leaves."""
        return NO_MONEY if self.discount is None else self.discount.percent / _WHOLE

    @property
    def percent(self) -> Decimal:
        """What would have to be off, exactly."""
        return _WHOLE * (1 - (1 - self.kept) * self.ratio)

    def fits(self, percent: Decimal, near: Decimal) -> bool:
        """Whether a discount would make both sides nearly equal."""
        return abs(self.then(percent)) <= near * self.billed + _ROUNDING

    def then(self, percent: Decimal) -> Decimal:
        """The difference that a discount would leave."""
        return self.billed - self.metered * (1 - percent / _WHOLE) / (1 - self.kept)


def proposals(
    cells: Mapping[CellKey, Sums], lines: Mapping[str, Decimal], current: CurrentDiscount
) -> tuple[list[Proposal], list[Dearer]]:
    """The fewest discounts that explain the differences; `lines` are the bill's own discounts.

    Only models count whose ratio is the same on all days: for others a price or the usage differs,
    and a discount would only hide that.
    """
    steady = list(_steady(cells, lines, current))
    dearer = [Dearer(each.name, each.ratio) for each in steady if each.percent < -_SAME]
    cheaper = [each for each in steady if each.percent >= -_SAME]
    return list(_fewest(cheaper)), dearer


def _steady(
    cells: Mapping[CellKey, Sums], lines: Mapping[str, Decimal], current: CurrentDiscount
) -> Iterator[_Model]:
    days: defaultdict[str, list[Sums]] = defaultdict(list)
    for key, sums in sorted(cells.items()):
        if sums.metered and sums.billed and not sums.pending:
            days[key.model].append(sums)
    for model, several in days.items():
        metered = sum((each.metered for each in several), NO_MONEY)
        listed = sum((each.billed for each in several), NO_MONEY)
        names = members(model)
        if metered < _ENOUGH or len(names) != 1 or not vendor_of(model):
            continue
        ratio = listed / metered
        if all(_near(each, ratio) for each in several):
            found = current(model)
            if found is None or found.percent < _WHOLE:
                yield _Model(model, metered, listed + lines.get(model, NO_MONEY), found)


def _near(sums: Sums, ratio: Decimal) -> bool:
    return abs(sums.billed - ratio * sums.metered) <= _NEAR * sums.billed + _ROUNDING


def _fewest(models: list[_Model]) -> Iterator[Proposal]:
    """One for all if it fits all, else one for each vendor, else one for each model."""
    if len({vendor_of(each.name) for each in models}) > 1 and (one := _one(EVERYTHING, models)):
        yield from _if_new(one, models)
        return
    vendors: defaultdict[str, list[_Model]] = defaultdict(list)
    for each in models:
        vendors[vendor_of(each.name)].append(each)
    for vendor, several in sorted(vendors.items()):
        together = _one(vendor, several) if len(several) > 1 else None
        if together is not None:
            yield from _if_new(together, several)
            continue
        for each in several:
            if (alone := _one(each.name, [each])) is not None:
                yield from _if_new(alone, [each])


def _one(of: str, models: list[_Model]) -> Proposal | None:
    """A discount of this that fits all of them; None if there is none, or if a nearer one holds."""
    wider = {of, EVERYTHING}
    if any(each.discount and each.discount.of not in wider for each in models) and len(models) > 1:
        return None
    metered = sum((each.metered / (1 - each.kept) for each in models), NO_MONEY)
    billed = sum((each.billed for each in models), NO_MONEY)
    exact = _WHOLE * (1 - billed / metered)
    for place in _PLACES:
        percent = max(exact.quantize(place), NO_MONEY)
        close = abs(percent - exact) <= _FIT * max(_WHOLE - exact, _FIT)
        if close and all(each.fits(percent, 2 * _NEAR) for each in models):
            names = tuple(each.name for each in models)
            now = sum((each.billed - each.metered for each in models), NO_MONEY)
            then = sum((each.then(percent) for each in models), NO_MONEY)
            return Proposal(of, percent, names, now, then)
    return None


def _if_new(proposal: Proposal, models: Iterable[_Model]) -> Iterator[Proposal]:
    if any(abs(each.kept * _WHOLE - proposal.percent) > _SAME for each in models):
        yield proposal
