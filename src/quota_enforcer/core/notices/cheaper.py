"""A cheaper model to use instead of one that is closed, by the price table."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from quota_enforcer.core.pricing.cost import INPUT, OUTPUT
from quota_enforcer.core.pricing.key import NO_VENDOR, is_standard, plain_model, vendor_of
from quota_enforcer.core.usage.counts import NO_MONEY, Counts
from quota_enforcer.core.usage.model import ModelScope

if TYPE_CHECKING:
    from quota_enforcer.core.pricing.table import PriceTable

KEPT: Final = 5
"""Cheaper models that are kept at most: another quota may have closed the first of them."""
MUCH_CHEAPER: Final = 2
"""How many times cheaper a model must be that its principal has never called."""


@dataclass(frozen=True, slots=True)
class Cheaper:
    """What the calls of the closed models came to, and would have come to with another one."""

    model: str
    cost: Decimal
    instead_of: Decimal


def cheaper_models(
    used: Mapping[str, Counts],
    closed: Iterable[ModelScope],
    prices: "PriceTable",
    region: str | None,
) -> tuple[Cheaper, ...]:
    """The models to use instead, best first; none if nothing was used of what is closed.

    `used` is what a window has by model. What its principal calls already comes first, and it can
    call that for sure; then what the same makers have. Of each the nearest by its price, and the
    newest of those that cost the same, as far as their names tell.
    """
    scopes = list(closed)
    dear = {model: counts for model, counts in used.items() if _closed(model, scopes)}
    cost = _cost(dear.values(), [*dear], prices, region)
    if not cost:
        return ()
    makers = {vendor_of(plain_model(model)) for model in dear} - {NO_VENDOR}
    known = {model for model in used if not _closed(model, scopes)}
    listed = {model for model in _listed(prices) if vendor_of(model) in makers} - known
    found: list[Cheaper] = []
    for names, most in ((known, cost), (listed, cost / MUCH_CHEAPER)):
        several = (
            Cheaper(model, _cost(dear.values(), [model] * len(dear), prices, region), cost)
            for model in sorted(names, reverse=True)
            if not _closed(model, scopes) and _writes(model, prices, region)
        )
        fitting = [each for each in several if NO_MONEY < each.cost <= most and each.cost < cost]
        found += sorted(fitting, key=lambda each: each.cost, reverse=True)
    return tuple(found[:KEPT])


def _closed(model: str, scopes: Iterable[ModelScope]) -> bool:
    return any(scope.covers(model) for scope in scopes)


def _cost(
    several: Iterable[Counts], models: Iterable[str], prices: "PriceTable", region: str | None
) -> Decimal:
    """What these come to by the price table, each as calls of its model."""
    costs = (
        prices.cost(model, region, counts).usd
        for counts, model in zip(several, models, strict=True)
    )
    return sum(costs, NO_MONEY)


def _listed(prices: "PriceTable") -> Iterator[str]:
    for key in prices.listed:
        if is_standard(key):
            yield plain_model(key)


def _writes(model: str, prices: "PriceTable", region: str | None) -> bool:
    """Whether its prices are known, and it writes for tokens: no model of images or embeddings."""
    terms = prices.terms(model, region)
    return terms.known and bool(terms.short.amounts[INPUT]) and bool(terms.short.amounts[OUTPUT])
