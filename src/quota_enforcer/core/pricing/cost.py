"""What a model's tokens and requests cost, each known or assumed, and the sum for a call.

What is assumed is the dearest price that could apply, and is kept apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from quota_enforcer.core.pricing.cache_writes import CacheWrites
from quota_enforcer.core.pricing.key import family
from quota_enforcer.core.pricing.rate import (
    COUNTED_BY,
    TOKEN_PRICES,
    Cost,
    Rate,
    is_embedding,
    multiplied,
    overlaid,
    prices_of_long,
)
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.usage.counts import NO_MONEY, PROMPT, Counts

StandIns = Sequence[tuple[str, Rate]]
"""What may stand in for missing prices: the dearest of that model, of its vendor, of all."""

_UNSPLIT = "cache_write of either lifetime"
_SUMMED = (*TOKEN_PRICES, _UNSPLIT, "request")
_FIVE_MINUTES, _HOUR, _EITHER = map(_SUMMED.index, ("cache_write", "cache_write_1h", _UNSPLIT))
_counted = attrgetter(*COUNTED_BY.values(), "cache_write_tokens", "requests")
"""How much of each of _SUMMED there is, where all cache writes count for each of their prices."""

_prompt = attrgetter(*PROMPT)

_ONE_UNIT = "one image or second a request"
_ELSEWHERE = "as the dearest of other Regions"


class Assumed(NamedTuple):
    """What is not known of one price."""

    place: int
    """Of the price in Prices."""
    part: Decimal
    """How much of it is assumed: all of it, or what it may be dearer than a known one."""
    instead: str = ""
    """What was taken, unless the whole says it."""


@dataclass(frozen=True, slots=True)
class Prices:
    """A price for each counter, in the order of _SUMMED, the dearest that could apply."""

    each: tuple[Decimal, ...]
    assumed: tuple[Assumed, ...] = ()


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
    """The price of a request that would be free by its tokens: of an image, or what else no record
    counts."""
    source: str = ""

    def cost(self, counts: Counts, written: CacheWrites | None = None) -> Cost:
        """What calls with these counts cost in all; a long prompt is one that is long on average.

        Without `written` all cache writes cost the price for an hour, where the model has one: what
        that is more than the price for five minutes is assumed.
        """
        prices = self._of(counts)
        used = _used(counts, written)
        usd = _summed(prices, used)
        if self.empty and not usd:
            extra = self.empty * counts.requests
            return Cost(extra, extra, f"{self.words}; {_ONE_UNIT}" if self.known else self.words)
        assumed, words = NO_MONEY, [self.words]
        for place, part, instead in prices.assumed:
            if used[place]:
                assumed += part * used[place]
                if instead:
                    words.append(instead)
        return Cost(usd, assumed, "; ".join(dict.fromkeys(words)))

    def missing(self, counts: Counts) -> list[str]:
        """Which prices of a Rate would have to be known for calls with these counts.

        Of a model by tokens that is not known at all, input and output in any case.
        """
        prices, used = self._of(counts), _used(counts, None)
        if self.empty and not _summed(prices, used):
            return ["request"]
        several = {_SUMMED[each.place] for each in prices.assumed
                   if used[each.place] and each.part == prices.each[each.place] != 0}  # fmt: skip
        if _UNSPLIT in several:
            several.add("cache_write")
        if not self.known and "request" not in several:
            several |= {"input", "output"}
        return [name for name in _SUMMED if name in several - {_UNSPLIT}]

    def _of(self, counts: Counts) -> Prices:
        if self.long is None:
            return self.short
        is_long = sum(_prompt(counts)) > self.long_over * (counts.requests or 1)
        return self.long if is_long else self.short


def _summed(prices: Prices, used: Iterable[int]) -> Decimal:
    return sum(map(Decimal.__mul__, prices.each, map(Decimal, used)), NO_MONEY)


def _used(counts: Counts, written: CacheWrites | None) -> tuple[int, ...]:
    """How often each of the prices applies."""
    used = list(_counted(counts))
    if written is None:
        used[_FIVE_MINUTES] = used[_HOUR] = 0
    else:
        used[_HOUR] = written.one_hour
        used[_FIVE_MINUTES] -= written.one_hour
        used[_EITHER] = 0
    return tuple(used)


def known_terms(
    key: str, rate: Rate, stand_ins: StandIns, dearest_elsewhere: Rate | None = None
) -> ModelPrices:
    """The terms of a rate that is known; only its missing prices are assumed.

    `dearest_elsewhere` is of Regions that may cost as much; what that is more is assumed as well.
    """
    short = _filled(rate, stand_ins, dearest_elsewhere)
    terms = ModelPrices(key, known=True, short=short, empty=_unit(rate), source=rate.source)
    if rate.long is None:
        return terms
    long = _filled(
        overlaid(rate.long, rate),
        [(name, prices_of_long(each)) for name, each in stand_ins],
        dearest_elsewhere and prices_of_long(dearest_elsewhere),
    )
    return replace(terms, long_over=rate.long_over, long=long)


def unknown_terms(plain: str, stand_ins: StandIns) -> ModelPrices:
    """The terms of a model without a price: those of the nearest that may stand in, all assumed."""
    if not stand_ins:
        return ModelPrices("no price at all", known=False, short=Prices((NO_MONEY,) * len(_SUMMED)))
    name, rate = stand_ins[0]
    empty = _unit(rate)
    if name not in family(plain):  # its models are priced by tokens or by request, hardly by both
        empty = next(filter(None, (_by_request(each) for _, each in stand_ins)), NO_MONEY)
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


def discounted(terms: ModelPrices, percent: Decimal) -> ModelPrices:
    """The same terms with so many per cent off every price, assumed ones too; exact."""
    left = 1 - percent / 100

    def less(prices: Prices) -> Prices:
        return Prices(
            tuple(price * left for price in prices.each),
            tuple(each._replace(part=each.part * left) for each in prices.assumed),
        )

    return replace(
        terms,
        words=f"{terms.words}, {percent.normalize():f} % off",
        short=less(terms.short),
        long=terms.long and less(terms.long),
        empty=terms.empty * left,
    )


def _unit(rate: Rate) -> Decimal:
    """What a call without tokens costs, of a model that only then has read something else."""
    return (rate.image or NO_MONEY) if is_embedding(rate) else NO_MONEY


def _by_request(rate: Rate) -> Decimal:
    return max(rate.request or NO_MONEY, rate.image or NO_MONEY)


def _doubted(prices: Prices) -> Prices:
    """The same with nothing known."""
    said = {each.place: each.instead for each in prices.assumed if each.part}
    return replace(
        prices,
        assumed=tuple(
            Assumed(place, price, said.get(place, "")) for place, price in enumerate(prices.each)
        ),
    )


def _filled(rate: Rate, stand_ins: StandIns, dearest_elsewhere: Rate | None = None) -> Prices:
    """A price for each counter; what is listed by request or image has no others than listed."""
    each: list[Decimal] = []
    assumed: list[Assumed] = []
    by_request = rate.request is not None or (rate.image is not None and not is_embedding(rate))
    for place, name in enumerate(TOKEN_PRICES):
        price, part, instead = getattr(rate, name), NO_MONEY, ""
        if price is None and by_request:
            price = NO_MONEY
        elif price is None:
            price, instead = _instead(rate, name, stand_ins)
            part, instead = price, f"{name} as {instead}"
        elif dearest_elsewhere and (other := getattr(dearest_elsewhere, name) or price) > price:
            price, part, instead = other, other - price, _ELSEWHERE
        each.append(price)
        if instead:
            assumed.append(Assumed(place, part, instead))
    listed = [near.cache_write_1h for near in (rate, *(near for _, near in stand_ins[:1]))]
    has_hour = any(price is not None for price in listed)
    price, part, instead = _of_either_lifetime(each, assumed, has_hour=has_hour)
    each.append(price)
    if part:
        assumed.append(Assumed(_EITHER, part, instead))
    each.append(rate.request or (NO_MONEY if is_embedding(rate) else rate.image) or NO_MONEY)
    if rate.image is not None and each[-1] == rate.image:
        assumed.append(Assumed(len(each) - 1, rate.image, _ONE_UNIT))
    return Prices(tuple(each), tuple(assumed))


def _of_either_lifetime(
    each: Sequence[Decimal], assumed: Iterable[Assumed], *, has_hour: bool
) -> tuple[Decimal, Decimal, str]:
    """The price of cache writes of an unknown lifetime, the assumed part of it, and why.

    A model whose writes for an hour nobody lists has none.
    """
    short, hour = each[_FIVE_MINUTES], each[_HOUR]
    of_short = next((one for one in assumed if one.place == _FIVE_MINUTES), None)
    part, instead = (of_short.part, of_short.instead) if of_short else (NO_MONEY, "")
    if has_hour and hour > short:
        known = "cache writes as for an hour"
        return hour, hour - (short - part), known if part < short else instead
    return short, part, instead


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
