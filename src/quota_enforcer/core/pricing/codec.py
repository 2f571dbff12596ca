"""A rate as a mapping, as the shipped table and the ledger hold it: only what is known.

A price of 0 is known.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from quota_enforcer.core.pricing.rate import PRICES, Rate


def known_prices(rate: Rate) -> dict[str, Decimal]:
    """The known prices of a rate by name, in the order of PRICES; not those of long requests."""
    return {name: price for name in PRICES if (price := getattr(rate, name)) is not None}


def as_mapping(rate: Rate, price: Callable[[Decimal], object] = Decimal) -> dict[str, Any]:
    """All that is known of a rate; `price` is how a price is written."""
    prices: dict[str, Any] = {name: price(each) for name, each in known_prices(rate).items()}
    if rate.long_over:
        prices["long_over"] = rate.long_over
    if rate.long is not None:
        prices["long"] = as_mapping(rate.long, price)
    if rate.percent_off is not None:
        prices["percent_off"] = price(rate.percent_off)
    if rate.until is not None:
        prices["until"] = rate.until.isoformat()
    if rate.source:
        prices["source"] = rate.source
    return prices


def rate_of(prices: Mapping[str, Any], source: str = "") -> Rate:
    """The rate that a mapping holds, its prices numbers or exact texts.

    `source` is for one that names none.
    """
    long, percent, until = (prices.get(name) for name in ("long", "percent_off", "until"))
    return Rate(
        **{name: Decimal(prices[name]) for name in PRICES if name in prices},
        long_over=int(prices.get("long_over", 0)),
        long=None if long is None else rate_of(long),
        source=prices.get("source", source),
        percent_off=None if percent is None else Decimal(percent),
        until=None if until is None else date.fromisoformat(until),
    )
