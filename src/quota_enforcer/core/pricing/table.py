"""The price of every call: its own if one is known, else the dearest that could apply.

Prices are found by exact keys, `REGION/ID` before `ID`, the geography prefix included: what is
dearer where follows no rule. For each key an admin's own price comes before the shipped one. An
admin's price of a model by its plain name holds for its prefixes too, if they have none. A call of
a bare id costs what the profile of its Region's geography does, since only `global.` is cheaper.

Another tier than the standard one has keys of its own. Its price counts only if it stands as near
as the standard one: of a Region whose tier has no price, the Region's standard price tells more
than another's tier.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import reduce
from types import MappingProxyType
from typing import NamedTuple

from quota_enforcer.core.pricing.cost import ModelTerms, discounted
from quota_enforcer.core.pricing.key import (
    NO_VENDOR,
    family,
    is_bare,
    is_standard,
    plain_model,
    price_keys,
    regional_keys,
    vendor_of,
)
from quota_enforcer.core.pricing.rate import (
    PRICES,
    CacheWrites,
    Cost,
    Rate,
    dearest,
    is_embedding,
    overlaid,
)
from quota_enforcer.core.pricing.terms import StandIns, known_terms, tier_terms, unknown_terms
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.usage.counts import NO_MONEY, Counts

NO_RATES: Mapping[str, Rate] = MappingProxyType({})
EVERYTHING = "all"
_GOVERNMENT = "us-gov"
"""What is in the keys of GovCloud's prices, which no call from elsewhere costs."""
_MOST_REMEMBERED = 10_000
"""Model ids come from whoever calls; so many are more than any account has."""


class Discount(NamedTuple):
    """What is off every price of a model, of a vendor's models, or of `all`."""

    percent: Decimal
    of: str
    until: date | None = None
    """The first day after it."""


NO_DISCOUNTS: Mapping[str, Discount] = MappingProxyType({})


class PriceTable:
    """What models cost on one day: the shipped rates, and those that admins wrote over them."""

    def __init__(
        self,
        shipped: Mapping[str, Rate],
        own: Mapping[str, Rate] = NO_RATES,
        discounts: Mapping[str, Discount] = NO_DISCOUNTS,
    ) -> None:
        self.listed = shipped
        """The product's rates by key, with renewed ones in their place."""
        self.own = own
        """Admins' own rates of the day, by key."""
        self._discounts = discounts
        self._found: dict[tuple[str, str | None, Tier], ModelTerms] = {}
        self._dearest: dict[str, Rate] = {}
        self._groups: dict[str, list[tuple[str, Rate]]] = {}

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
        Without `written` the lifetime of cache writes is not known: see ModelPrices.cost.
        """
        return self.terms(model_id, region, tier).cost(counts, written)

    def terms(self, model_id: str, region: str | None, tier: Tier = Tier.STANDARD) -> ModelTerms:
        """The prices of a model in a Region, with what had to be assumed."""
        asked = model_id, region, tier
        terms = self._found.get(asked)
        if terms is None:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            terms = self._find(*asked)
            if (off := self.discount(model_id, region)) is not None:
                terms = discounted(terms, off.percent)
            self._found[asked] = terms
        return terms

    def holds(self, key: str, rate: Rate | None) -> bool:
        """Whether this very rate is the one of its key on this day."""
        return rate is not None and (self.own.get(key) is rate or self.listed.get(key) is rate)

    def discount(self, model_id: str, region: str | None) -> Discount | None:
        """The nearest discount: of the key, of the model, of its vendor, of all; never several."""
        if not self._discounts:
            return None
        plain = plain_model(model_id)
        for name in (*price_keys(model_id, region), plain, vendor_of(plain), EVERYTHING):
            if name in self._discounts:
                return self._discounts[name]
        return None

    def _find(self, model_id: str, region: str | None, tier: Tier) -> ModelTerms:
        found = self.rate(model_id, region)
        plain = plain_model(model_id)
        stand_ins = self._stand_ins(plain)
        elsewhere = self._elsewhere(found[0], region) if found else None
        if tier is not Tier.STANDARD:
            priced = self.rate(model_id, region, tier)
            terms = tier_terms(tier, priced, found, plain, stand_ins)
        elif found is None:
            terms = unknown_terms(plain, stand_ins)
        else:
            terms = known_terms(*found, stand_ins, elsewhere)
        rate = found[1] if found else next((near for _, near in stand_ins), Rate())
        if is_embedding(rate) and not terms.empty:
            terms = replace(terms, empty=self._embedded_unit())
        return terms

    def rate(
        self, model_id: str, region: str | None, tier: Tier = Tier.STANDARD
    ) -> tuple[str, Rate] | None:
        """The price that is known of a model in a Region, and its key; None if none is.

        What an own price leaves out is as it would be without it.
        """
        layers: list[tuple[str, Rate]] = []
        near = next((key for key in regional_keys(model_id, region) if key in self.listed), "")
        for standard in price_keys(model_id, region):
            key = f"{standard}{tier.suffix}"
            layers += self._listed(self.own, key)
            if key in self.listed or standard in self.listed:
                nearest = f"{near}{tier.suffix}" if near and is_bare(standard) else key
                layers += self._listed(self.listed, nearest)
                break
        else:
            layers += self._listed(self.listed, f"{near}{tier.suffix}")
            layers += self._listed(self.own, f"{plain_model(model_id)}{tier.suffix}")
        if not layers:
            return None
        return layers[0][0], reduce(overlaid, (rate for _, rate in layers))

    @staticmethod
    def _listed(rates: Mapping[str, Rate], key: str) -> list[tuple[str, Rate]]:
        return [(key, rates[key])] if key in rates else []

    def _elsewhere(self, key: str, region: str | None) -> Rate | None:
        """The dearest of a model's prices, if its plain one may not be that of the Region.

        Plain names have the price of the United States, or that of `global.`; an own price holds
        wherever it is written for.
        """
        if key in self.own or not is_bare(key) or (region or "").startswith("us-"):
            return None
        variants = self._groups_of(plain_model(key))
        return dearest(rate for each, rate in variants if _GOVERNMENT not in each)

    def dearer_for_an_hour(self, plain: str) -> Decimal:
        """How much more a cache write of this model may cost if it stays for an hour, at most.

        That is after the discount, as what a call cost is.
        """
        rates = [(rate, self._left(key)) for key, rate in self._groups_of(plain)]
        long = [(rate.long, left) for rate, left in rates if rate.long]
        return max(_difference(rates), _difference(long))

    def _left(self, key: str) -> Decimal:
        """The part of a key's price that its discount leaves."""
        region, _, model_id = key.rpartition("/")
        off = self.discount(model_id, region or None)
        return Decimal(1) if off is None else 1 - off.percent / 100

    def _embedded_unit(self) -> Decimal:
        """The dearest image, or second of sound or video, of all models that embed them."""
        return max(
            (
                rate.image
                for key, rate in self._groups_of(EVERYTHING)
                if rate.image and is_embedding(rate) and _GOVERNMENT not in key
            ),
            default=NO_MONEY,
        )

    def _stand_ins(self, plain: str) -> StandIns:
        """What may stand in for a model's missing prices, nearest first; always `all` at last."""
        found = []
        for name in (*family(plain), vendor_of(plain), EVERYTHING):
            rate = self._dearest.get(name)
            if rate is None and (variants := self._groups_of(name)):
                rate = self._dearest[name] = dearest(rate for _, rate in variants)
            # What costs nothing can stand in for nothing: unknown usage is never free.
            if rate is not None and any(getattr(rate, price) for price in PRICES):
                found.append((name, rate))
        return found

    def _groups_of(self, name: str) -> list[tuple[str, Rate]]:
        """The rates of a plain model, of a vendor, or all of them."""
        if not self._groups:
            self._groups = self._grouped()
        return self._groups.get(name, [])

    def _grouped(self) -> dict[str, list[tuple[str, Rate]]]:
        """All rates with their keys by plain model, by vendor, and together."""
        groups: defaultdict[str, list[tuple[str, Rate]]] = defaultdict(list)
        for key, rate in (*self.listed.items(), *self.own.items()):
            if not is_standard(key):
                continue
            plain = plain_model(key)
            for name in {plain, vendor_of(plain), EVERYTHING} - {NO_VENDOR}:
                groups[name].append((key, rate))
        return dict(groups)


def _difference(rates: Iterable[tuple[Rate, Decimal]]) -> Decimal:
    several = list(rates)
    hours = [rate.cache_write_1h * left for rate, left in several
             if rate.cache_write_1h is not None]  # fmt: skip
    short = [rate.cache_write * left for rate, left in several if rate.cache_write is not None]
    return max(max(hours) - min(short), NO_MONEY) if hours and short else NO_MONEY
