"""The prices that come with the product: `table.json`, dollars for one token, request or image."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from quota_enforcer.core.pricing.codec import as_mapping, rate_of
from quota_enforcer.core.pricing.rate import Rate

TABLE = "table.json"


@cache
def shipped_rates() -> Mapping[str, Rate]:
    """The rates by `ID` and `REGION/ID`, each with its source; read once in a process."""
    text = files(__package__).joinpath(TABLE).read_text(encoding="utf-8")
    listed = json.loads(text, parse_float=Decimal)
    return MappingProxyType({
        key: rate_of(prices, source)
        for source, rates in listed.items()
        for key, prices in rates.items()
    })  # fmt: skip


def as_listed(rate: Rate) -> dict[str, Any]:
    """What the table holds of a rate; its source is the heading that the rate stands under."""
    return as_mapping(replace(rate, source=""))
