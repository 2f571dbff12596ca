"""The price of every call: its own if one is known, else the dearest that could apply.

Prices are found by exact keys, `REGION/ID` before `ID`, the geography prefix included: what is
dearer where follows no rule. For each key an admin's own price comes before the shipped one. An
admin's price of a model by its plain name holds for its prefixes too, if they have none.

Another tier than the standard one has keys of its own. Its price counts only if it stands as near
as the standard one: of a Region whose tier has no price, the Region's standard price tells more
than another's tier.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import reduce
from types import MappingProxyType

from quota_enforcer.core.pricing.cache_writes import CacheWrites
from quota_enforcer.core.pricing.cost import (
    ModelPrices,
    StandIns,
    dearest,
    known_terms,
    overlaid,
    tier_terms,
    unknown_terms,
)
from quota_enforcer.core.pricing.key import (
    NO_VENDOR,
    is_standard,
    plain_model,
    price_keys,
    vendor_of,
)
from quota_enforcer.core.pricing.rate import PRICES, Cost, Rate
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.usage.counts import Counts

NO_RATES: Mapping[str, Rate] = MappingProxyType({})
EVERYTHING = "all"
_MOST_REMEMBERED = 10_000
"""Model ids come from whoever calls; so many are more than any account has."""


class PriceTable:
    """What models cost: the shipped rates, and those that admins wrote over them."""

    def __init__(self, shipped: Mapping[str, Rate], own: Mapping[str, Rate] = NO_RATES) -> None:
        self._shipped = shipped
        self._own = own
        self._found: dict[tuple[str, str | None, Tier], ModelPrices] = {}
        self._dearest: dict[str, Rate] = {}
        self._groups: dict[str, list[Rate]] = {}

    def cost(
        self,
        model_id: str,
        region: str | None,
        counts: Counts,
        written: CacheWrites | None = None,
        tier: Tier = Tier.STANDARD,
    ) -> Cost:
        """What a call cost, or several like it: a long prompt is one that is long on average.

        `model_id` is as logged, or the name that a look-up found; `region` is where it was called.
        Without `written` all cache writes cost the price for five minutes.
        """
        return self.terms(model_id, region, tier).cost(counts, written)

    def terms(self, model_id: str, region: str | None, tier: Tier = Tier.STANDARD) -> ModelPrices:
        """The prices of a model in a Region, with what had to be assumed."""
        asked = model_id, region, tier
        terms = self._found.get(asked)
        if terms is None:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            terms = self._found[asked] = self._find(*asked)
        return terms

    def _find(self, model_id: str, region: str | None, tier: Tier) -> ModelPrices:
        found = self.rate(model_id, region)
        plain = plain_model(model_id)
        stand_ins = self._stand_ins(plain)
        if tier is Tier.STANDARD:
            if found is None:
                return unknown_terms(plain, stand_ins)
            return known_terms(*found, stand_ins)
        priced = self.rate(model_id, region, tier)
        return tier_terms(tier, priced, found, plain, stand_ins)

    def rate(
        self, model_id: str, region: str | None, tier: Tier = Tier.STANDARD
    ) -> tuple[str, Rate] | None:
        """The price that is known of a model in a Region, and its key; None if none is.

        What an own price leaves out is as it would be without it.
        """
        layers: list[tuple[str, Rate]] = []
        for standard in price_keys(model_id, region):
            key = f"{standard}{tier.suffix}"
            layers += [(key, rates[key]) for rates in (self._own, self._shipped) if key in rates]
            if key in self._shipped or standard in self._shipped:
                break
        else:
            plain = f"{plain_model(model_id)}{tier.suffix}"
            layers += [(plain, self._own[plain])] if plain in self._own else []
        if not layers:
            return None
        return layers[0][0], reduce(overlaid, (rate for _, rate in layers))

    def _stand_ins(self, plain: str) -> StandIns:
        """What may stand in for a model's missing prices, nearest first; always `all` at last."""
        if not self._groups:
            self._groups = self._grouped()
        found = []
        for name in (plain, vendor_of(plain), EVERYTHING):
            rate = self._dearest.get(name)
            if rate is None and name in self._groups:
                rate = self._dearest[name] = dearest(self._groups[name])
            # What costs nothing can stand in for nothing: unknown usage is never free.
            if rate is not None and any(getattr(rate, price) for price in PRICES):
                found.append((name, rate))
        return found

    def _grouped(self) -> dict[str, list[Rate]]:
        """All rates by plain model, by vendor, and together."""
        groups: defaultdict[str, list[Rate]] = defaultdict(list)
        for key, rate in (*self._shipped.items(), *self._own.items()):
            if not is_standard(key):
                continue
            plain = plain_model(key)
            for name in {plain, vendor_of(plain), EVERYTHING} - {NO_VENDOR}:
                groups[name].append(rate)
        return dict(groups)
