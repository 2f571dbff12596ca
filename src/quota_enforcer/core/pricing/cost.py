"""What a model's tokens and requests cost, each known or assumed, and the sum for a call.

What is assumed is the dearest price that could apply, and is kept apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter
from typing import Any

from quota_enforcer.core.pricing.cache_writes import CacheWrites
from quota_enforcer.core.pricing.rate import COUNTED_BY, PRICES, TOKEN_PRICES, Cost, Rate
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.usage.counts import NO_MONEY, PROMPT, Counts

StandIns = Sequence[tuple[str, Rate]]
"""What may stand in for missing prices: the dearest of that model, of its vendor, of all."""

_SUMMED = (*TOKEN_PRICES, "request")

_FIVE_MINUTES, _HOUR = map(_SUMMED.index, ("cache_write", "cache_write_1h"))

_counted = attrgetter(*COUNTED_BY.values(), "requests")
"""How much of each of _SUMMED there is, where all cache writes count for both of their prices."""

_prompt = attrgetter(*PROMPT)


@dataclass(frozen=True, slots=True)
class Prices:
    """A price for each counter, in the order of a Rate's first six."""

    each: tuple[Decimal, ...]
    assumed: tuple[tuple[int, str], ...] = ()
    """Places without a known price, each with what was taken instead, unless the whole says it."""


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """The prices of one model, those of long prompts apart."""

    words: str
    """The key of its price, or what stands in if the price is not `known`."""
    known: bool
    short: Prices
    long_over: int = 0
    long: Prices | None = None
    empty: Decimal = NO_MONEY
    """The price of a request that used no tokens, and so may have made an image."""
    source: str = ""

    def cost(self, counts: Counts, written: CacheWrites | None = None) -> Cost:
        """What calls with these counts cost in all; a long prompt is one that is long on average.

        Without `written` all cache writes cost the price for five minutes.
        """
        prices = self._of(counts)
        used = _used(counts, written)
        usd = sum(map(Decimal.__mul__, prices.each, map(Decimal, used)), NO_MONEY)
        if not prices.assumed:
            return Cost(usd, NO_MONEY, self.words)
        if self.empty and not counts.tokens:
            return Cost(extra := self.empty * counts.requests, extra, self.words)
        assumed, words = NO_MONEY, [self.words]
        for place, instead in prices.assumed:
            if used[place]:
                assumed += prices.each[place] * used[place]
                if instead:
                    words.append(instead)
        return Cost(usd, assumed, "; ".join(words))

    def missing(self, counts: Counts) -> list[str]:
        """Which prices of a Rate would have to be known for calls with these counts.

        Of a model by tokens that is not known at all, input and output in any case.
        """
        if self.empty and not counts.tokens:
            return ["request"]
        prices, used = self._of(counts), _used(counts, None)
        several = [_SUMMED[at] for at, _ in prices.assumed if used[at] and prices.each[at]]
        if self.known or "request" in several:
            return several
        return [name for name in _SUMMED if name in {"input", "output", *several}]

    def _of(self, counts: Counts) -> Prices:
        if self.long is None:
            return self.short
        is_long = sum(_prompt(counts)) > self.long_over * (counts.requests or 1)
        return self.long if is_long else self.short


def _used(counts: Counts, written: CacheWrites | None) -> tuple[int, ...]:
    """How often each of the prices applies."""
    used = list(_counted(counts))
    used[_HOUR] = written.one_hour if written is not None else 0
    used[_FIVE_MINUTES] -= used[_HOUR]
    return tuple(used)


def known_terms(key: str, rate: Rate, stand_ins: StandIns) -> ModelPrices:
    """The terms of a rate that is known; only its missing prices are assumed."""
    short = _filled(rate, stand_ins)
    if rate.long is None:
        return ModelPrices(key, known=True, short=short, source=rate.source)
    long = _filled(overlaid(rate.long, rate), [(name, _long(each)) for name, each in stand_ins])
    return ModelPrices(key, True, short, rate.long_over, long, source=rate.source)


def unknown_terms(plain: str, stand_ins: StandIns) -> ModelPrices:
    """The terms of a model without a price: those of the nearest that may stand in, all assumed."""
    if not stand_ins:
        return ModelPrices("no price at all", known=False, short=Prices((NO_MONEY,) * len(_SUMMED)))
    name, rate = stand_ins[0]
    empty = NO_MONEY
    if name != plain:  # a vendor's models are priced by tokens or by request, hardly by both
        empty = max(rate.request or NO_MONEY, rate.image or NO_MONEY)
        rate = replace(rate, request=None, image=None)
    terms = known_terms(f"dearest of {name}", rate, stand_ins)
    return replace(
        terms,
        known=False,
        short=_doubted(terms.short),
        long=terms.long and _doubted(terms.long),
        empty=empty,
    )


def tier_terms(
    tier: Tier,
    own: tuple[str, Rate] | None,
    standard: tuple[str, Rate] | None,
    plain: str,
    stand_ins: StandIns,
) -> ModelPrices:
    """The terms of a service tier other than the standard one.

    What is not listed for the tier is assumed: as many times the standard price as its listed
    prices are, or as the tier costs at most.
    """
    if own is None or standard is None:
        found, times = own or standard, tier.times_standard if own is None else Decimal(1)
        several = [(name, multiplied(each, times)) for name, each in stand_ins]
        if found is None:
            return replace(unknown_terms(plain, several), words=_as(tier, f"dearest of {plain}"))
        if own is not None:
            return known_terms(*own, several)
        key, rate = found
        terms = known_terms(_as(tier, key), multiplied(rate, times), several)
        return replace(
            terms,
            known=False,
            short=_doubted(terms.short),
            long=terms.long and _doubted(terms.long),
        )
    (key, rate), (of, usual) = own, standard
    scaled = multiplied(usual, _times(rate, usual, tier))
    several = [(f"{of} in proportion", scaled), *stand_ins]
    terms = known_terms(key, rate, several)
    if rate.long is None and scaled.long is not None:
        long = _doubted(_filled(overlaid(scaled.long, scaled), several))
        terms = replace(terms, long_over=scaled.long_over, long=long)
    return terms


def _as(tier: Tier, key: str) -> str:
    return f"{key} as {tier}, at most {tier.times_standard} times standard"


def _times(rate: Rate, standard: Rate, tier: Tier) -> Decimal:
    """How many times the standard price the listed prices of a tier are, at most."""
    pairs = [(getattr(rate, name), getattr(standard, name)) for name in ("input", "output")]
    listed = [price / usual for price, usual in pairs if price is not None and usual]
    return max(listed, default=tier.times_standard)


def multiplied(rate: Rate, times: Decimal) -> Rate:
    """All prices of a rate, so many times."""
    prices = {name: price * times for name in PRICES if (price := getattr(rate, name)) is not None}
    return replace(rate, **prices, long=rate.long and multiplied(rate.long, times))


def dearest(rates: Iterable[Rate]) -> Rate:
    """The dearest of several, price by price; long prompts from the lowest threshold on."""
    several = list(rates)
    short = _dearest(several, PRICES)
    overs = [rate.long_over for rate in several if rate.long is not None]
    if not overs:
        return Rate(**short)
    long = _dearest(map(_long, several), TOKEN_PRICES)
    return Rate(**short, long_over=min(overs), long=Rate(**long))


def overlaid(rate: Rate, under: Rate) -> Rate:
    """A rate, and what it leaves out from another one."""
    missing = {name: getattr(under, name) for name in TOKEN_PRICES if getattr(rate, name) is None}
    if rate.request is None and rate.image is None:
        missing |= {"request": under.request, "image": under.image}
    if rate.long is None:
        missing |= {"long_over": under.long_over, "long": under.long}
    return replace(rate, **missing)


def _long(rate: Rate) -> Rate:
    """What long prompts cost; the same as others if the rate has no prices for them."""
    return rate if rate.long is None else overlaid(rate.long, rate)


def _dearest(rates: Iterable[Rate], names: Iterable[str]) -> dict[str, Any]:
    several = list(rates)
    return {
        name: max((p for rate in several if (p := getattr(rate, name)) is not None), default=None)
        for name in names
    }


def _doubted(prices: Prices) -> Prices:
    """The same with nothing known."""
    said = dict(prices.assumed)
    return replace(
        prices, assumed=tuple((place, said.get(place, "")) for place in range(len(prices.each)))
    )


def _filled(rate: Rate, stand_ins: StandIns) -> Prices:
    """A price for each counter; what is listed by request or image has no others than listed."""
    each: list[Decimal] = []
    assumed: list[tuple[int, str]] = []
    by_request = rate.request is not None or rate.image is not None
    for place, name in enumerate(TOKEN_PRICES):
        price = getattr(rate, name)
        if price is None and by_request:
            price = NO_MONEY
        if price is None:
            price, instead = _instead(rate, name, stand_ins)
            assumed.append((place, f"{name} as {instead}"))
        each.append(price)
    if rate.image is not None:
        assumed.append((len(each), "one image a request"))
    each.append(rate.request or rate.image or NO_MONEY)
    return Prices(tuple(each), tuple(assumed))


def _instead(rate: Rate, name: str, stand_ins: StandIns) -> tuple[Decimal, str]:
    """The price that stands in for a missing one, and what it is in words."""
    *near, everything = stand_ins or [("nothing", Rate())]
    for whose, other in near:
        if price := getattr(other, name):
            return price, f"dearest of {whose}"
    # None of the vendor has such a price: a cached token will hardly cost more than any other.
    if price := max(rate.input or NO_MONEY, rate.output or NO_MONEY):
        return price, "its dearest token"
    return getattr(everything[1], name) or NO_MONEY, f"dearest of {everything[0]}"
