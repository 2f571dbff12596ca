"""The prices that come with the product: `table.json`, dollars for one token, request or image."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from quota_enforcer.core.pricing.rate import PRICES, Rate

TABLE = "table.json"


@cache
def shipped_rates() -> Mapping[str, Rate]:
    """The rates by `ID` and `REGION/ID`, each with its source; read once in a process."""
    text = files(__package__).joinpath(TABLE).read_text(encoding="utf-8")
    listed = json.loads(text, parse_float=Decimal)
    return MappingProxyType({
        key: _rate(prices, source)
        for source, rates in listed.items()
        for key, prices in rates.items()
    })  # fmt: skip


def as_listed(rate: Rate) -> dict[str, Any]:
    """What the table holds of a rate: the prices that are known."""
    prices: dict[str, Any] = {
        name: price for name in PRICES if (price := getattr(rate, name)) is not None
    }
    if rate.long is not None:
        prices |= {"long_over": rate.long_over, "long": as_listed(rate.long)}
    return prices


def _rate(prices: Mapping[str, Any], source: str = "") -> Rate:
    long = prices.get("long")
    return Rate(
        **{name: Decimal(prices[name]) for name in PRICES if name in prices},
        long_over=prices.get("long_over", 0),
        long=None if long is None else _rate(long),
        source=source,
    )
