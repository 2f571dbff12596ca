"""From rates to the prices of one model: which of them are known, and what stands in for others."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from quota_enforcer.core.pricing.cost import (
    EITHER,
    FIVE_MINUTES,
    HOUR,
    ONE_UNIT,
    SUMMED,
    Assumed,
    ModelTerms,
    Prices,
    doubted,
)
from quota_enforcer.core.pricing.key import family
from quota_enforcer.core.pricing.rate import (
    TOKEN_PRICES,
    Rate,
    is_embedding,
    multiplied,
    overlaid,
    prices_of_long,
)
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.usage.counts import NO_MONEY

StandIns = Sequence[tuple[str, Rate]]
"""What may stand in for missing prices: the dearest of that model, of its vendor, of all."""

_ELSEWHERE = "as the dearest of other Regions"


def known_terms(
    key: str, rate: Rate, stand_ins: StandIns, dearest_elsewhere: Rate | None = None
) -> ModelTerms:
    """The terms of a rate that is known; only its missing prices are assumed.

    `dearest_elsewhere` is of Regions that may cost as much; what that is more is assumed as well.
    """
    short = _filled(rate, stand_ins, dearest_elsewhere)
    terms = ModelTerms(key, known=True, short=short, empty=_unit(rate), source=rate.source)
    if rate.long is None:
        return terms
    long = _filled(
        overlaid(rate.long, rate),
        [(name, prices_of_long(each)) for name, each in stand_ins],
        dearest_elsewhere and prices_of_long(dearest_elsewhere),
    )
    return replace(terms, long_over=rate.long_over, long=long)


def unknown_terms(plain: str, stand_ins: StandIns) -> ModelTerms:
    """The terms of a model without a price: those of the nearest that may stand in, all assumed."""
    if not stand_ins:
        return ModelTerms("no price at all", known=False, short=Prices((NO_MONEY,) * len(SUMMED)))
    name, rate = stand_ins[0]
    empty = _unit(rate)
    if name not in family(plain):  # its models are priced by tokens or by request, hardly by both
        empty = next(filter(None, (_by_request(each) for _, each in stand_ins)), NO_MONEY)
        rate = replace(rate, request=None, image=None)
    terms = known_terms(f"dearest of {name}", rate, stand_ins)
    return replace(
        terms,
        known=False,
        short=doubted(terms.short),
        long=terms.long and doubted(terms.long),
        empty=empty,
    )


def tier_terms(
    tier: Tier,
    own: tuple[str, Rate] | None,
    standard: tuple[str, Rate] | None,
    plain: str,
    stand_ins: StandIns,
) -> ModelTerms:
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
            short=doubted(terms.short),
            long=terms.long and doubted(terms.long),
        )
    (key, rate), (of, usual) = own, standard
    scaled = multiplied(usual, _times(rate, usual, tier))
    several = [(f"{of} in proportion", scaled), *stand_ins]
    terms = known_terms(key, rate, several)
    if rate.long is None and scaled.long is not None:
        long = doubted(_filled(overlaid(scaled.long, scaled), several))
        terms = replace(terms, long_over=scaled.long_over, long=long)
    return terms


def _as(tier: Tier, key: str) -> str:
    return f"{key} as {tier}, at most {tier.times_standard} times standard"


def _times(rate: Rate, standard: Rate, tier: Tier) -> Decimal:
    """How many times the standard price the listed prices of a tier are, at most."""
    pairs = [(getattr(rate, name), getattr(standard, name)) for name in ("input", "output")]
    listed = [price / usual for price, usual in pairs if price is not None and usual]
    return max(listed, default=tier.times_standard)


def _unit(rate: Rate) -> Decimal:
    """What a call without tokens costs, of a model that only then has read something else."""
    return (rate.image or NO_MONEY) if is_embedding(rate) else NO_MONEY


def _by_request(rate: Rate) -> Decimal:
    return max(rate.request or NO_MONEY, rate.image or NO_MONEY)


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
        assumed.append(Assumed(EITHER, part, instead))
    each.append(rate.request or (NO_MONEY if is_embedding(rate) else rate.image) or NO_MONEY)
    if rate.image is not None and each[-1] == rate.image:
        assumed.append(Assumed(len(each) - 1, rate.image, ONE_UNIT))
    return Prices(tuple(each), tuple(assumed))


def _of_either_lifetime(
    each: Sequence[Decimal], assumed: Iterable[Assumed], *, has_hour: bool
) -> tuple[Decimal, Decimal, str]:
    """The price of cache writes of an unknown lifetime, the assumed part of it, and why.

    A model whose writes for an hour nobody lists has none.
    """
    short, hour = each[FIVE_MINUTES], each[HOUR]
    of_short = next((one for one in assumed if one.place == FIVE_MINUTES), None)
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
