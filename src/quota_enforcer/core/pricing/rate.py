"""Prices: what a call costs, in exact dollars, and how sure that is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from quota_enforcer.core.usage.counts import NO_MONEY, TOKEN_COUNTS, Counts

ADMIN = "admin"
"""The source of what admins wrote, before their note."""
RENEWAL = "prices update: "
"""How the note of every item begins that a renewal of the list prices wrote."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one model costs, in dollars for a token, request or image; None if nobody knows it."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    """Of tokens that stay for five minutes."""
    cache_write_1h: Decimal | None = None
    """Of tokens that stay for an hour."""
    request: Decimal | None = None
    long_over: int = 0
    """A request with more input tokens than this, cached ones included, costs `long` instead."""
    long: "Rate | None" = None
    """What it leaves out costs the same as in short requests."""
    source: str = ""
    """Where the price comes from."""
    image: Decimal | None = None
    """Or a second of video or sound. Records do not tell how many, so one a request is assumed.

    Of models that only embed, in a request without tokens: with tokens it was text.
    """
    percent_off: Decimal | None = None
    """Of a discount, which has no prices."""
    until: date | None = None
    """The first local day after a discount."""

    @property
    def is_renewed(self) -> bool:
        """Whether it is a newer list price, and no price of an admin's own."""
        return self.source.startswith(f"{ADMIN}: {RENEWAL}")


COUNTED_BY: Mapping[str, str] = {
    price: counter for counter, each in TOKEN_COUNTS.items() for price in each.prices
}
"""The counter of Counts that each price for one token is for."""
TOKEN_PRICES = tuple(COUNTED_BY)
"""The prices of a Rate that are for one token."""
PRICES = (*TOKEN_PRICES, "request", "image")
"""All prices of a Rate."""


@dataclass(frozen=True, slots=True)
class CacheWrites:
    """Tokens written to the prompt cache by how long they stay; the two have different prices."""

    five_minutes: int
    one_hour: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost in dollars."""

    usd: Decimal
    assumed: Decimal
    """The part of `usd` that is assumed: all of it, or what the dearest price that could apply is
    more than a known one."""
    priced_as: str
    """The key of the price, or in words which one stood in."""
    saved: Decimal = NO_MONEY
    """What the tokens read from the prompt cache would have cost more as input."""

    def charged_to(self, counts: Counts) -> Counts:
        """The same counts with this cost."""
        return counts._replace(cost_usd=self.usd, assumed_usd=self.assumed, saved_usd=self.saved)


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
    long = _dearest(map(prices_of_long, several), TOKEN_PRICES)
    return Rate(**short, long_over=min(overs), long=Rate(**long))


def overlaid(rate: Rate, under: Rate) -> Rate:
    """The rate, with what it does not say taken from another one."""
    missing = {name: getattr(under, name) for name in TOKEN_PRICES if getattr(rate, name) is None}
    if rate.request is None and rate.image is None:
        missing |= {"request": under.request, "image": under.image}
    if rate.long is None:
        missing |= {"long_over": under.long_over, "long": under.long}
    return replace(rate, **missing)


def prices_of_long(rate: Rate) -> Rate:
    """What long prompts cost; the same as others if the rate has no prices for them."""
    return rate if rate.long is None else overlaid(rate.long, rate)


def _dearest(rates: Iterable[Rate], names: Iterable[str]) -> dict[str, Any]:
    several = list(rates)
    return {
        name: max((p for rate in several if (p := getattr(rate, name)) is not None), default=None)
        for name in names
    }


def is_embedding(rate: Rate) -> bool:
    """Whether a model reads for a price and writes nothing.

    Without tokens it read an image, sound or video.
    """
    reads, writes = bool(rate.input), rate.output is None or bool(rate.output)
    return reads and not writes and rate.request is None
