"""The prices that come with the product: `table.json`, dollars for one token, request or image."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from quota_enforcer.core.pricing.codec import as_mapping, rate_of
from quota_enforcer.core.pricing.dated import DatedPrices
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.pricing.table import NO_RATES

TABLE = "table.json"
AS_OF = "as of"
"""The key of the date on which the newest of its tables was published."""
UNTIL = " (until "
"""In the headings of prices that a newer table has changed, before the day of that table."""


@cache
def shipped_rates() -> Mapping[str, Rate]:
    """The rates by `ID` and `REGION/ID`, each with its source; read once in a process."""
    return MappingProxyType({
        key: rate_of(prices, source)
        for source, rates in _listed().items()
        if source != AS_OF and UNTIL not in source
        for key, prices in rates.items()
    })  # fmt: skip


def shipped_prices(own: Mapping[str, Rate] = NO_RATES) -> DatedPrices:
    """What models cost on each day: these rates, those before them, and `own` over them."""
    before = [
        (key, rate_of(prices, source))
        for source, rates in _listed().items()
        if UNTIL in source
        for key, prices in rates.items()
    ]
    return DatedPrices(shipped_rates(), own, before)


def shipped_on() -> date:
    """When the newest of the tables that ours is made of was published."""
    return date.fromisoformat(_listed()[AS_OF])


@cache
def _listed() -> dict[str, Any]:
    text = files(__package__).joinpath(TABLE).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return found


def as_listed(rate: Rate) -> dict[str, Any]:
    """What the table holds of a rate; its source is the heading that the rate stands under."""
    return as_mapping(replace(rate, source=""))
