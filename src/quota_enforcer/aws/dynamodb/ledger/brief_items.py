"""What the enforcer tells the meters, as one item of the ledger.

Prices are texts, exact to the last digit, so that an admin can read them in the console.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from quota_enforcer.aws.dynamodb.dynamo_read import Plain
from quota_enforcer.core.ledger import MeterRules
from quota_enforcer.core.pricing.rate import PRICES, Rate

BRIEF: Plain = {"pk": "deployment", "sk": "brief"}
"""Where it is stored."""


def brief_item(meter_rules: MeterRules) -> dict[str, Any]:
    """The whole item of a brief."""
    return {
        **BRIEF,
        "sessions": sorted(meter_rules.sessions),
        "prices": {model: _attributes(rate) for model, rate in sorted(meter_rules.prices.items())},
    }


def brief_of(item: Plain | None) -> MeterRules:
    """The brief that an item holds; nothing to tell where there is none yet."""
    if item is None:
        return MeterRules()
    return MeterRules(
        frozenset(item["sessions"]),
        {model: _rate(attributes) for model, attributes in item["prices"].items()},
    )


def _attributes(rate: Rate) -> dict[str, Any]:
    """Only what is known; a price of 0 is known."""
    known: dict[str, Any] = {
        name: str(price) for name in PRICES if (price := getattr(rate, name)) is not None
    }
    if rate.long_over:
        known["long_over"] = rate.long_over
    if rate.long is not None:
        known["long"] = _attributes(rate.long)
    if rate.source:
        known["source"] = rate.source
    return known


def _rate(attributes: Mapping[str, Any]) -> Rate:
    long = attributes.get("long")
    return Rate(
        **{name: Decimal(attributes[name]) for name in PRICES if name in attributes},
        long_over=int(attributes.get("long_over", 0)),
        long=None if long is None else _rate(long),
        source=attributes.get("source", ""),
    )
