"""AWS's own published prices: the offer files of its price list, read into rates.

Three offers hold Bedrock's prices: AmazonBedrock, AmazonBedrockService and
AmazonBedrockFoundationModels. None has model ids, only names, so a name is found among the models
that are known; what cannot be told for certain is named and left out. They change often; what is
read here is the usage type, the unit and the name, as they are in 2026.
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api.html
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from quota_enforcer.core.pricing.catalog.usage_type import (
    NamedModels,
    Use,
    in_words,
    said_names,
    token_use,
    tokens_in,
)
from quota_enforcer.core.pricing.key import plain_model, regional_keys
from quota_enforcer.core.pricing.rate import Rate

_LEFT_OUT = re.compile(
    r"batch|custom|mantle|provision|reserved|tpm|image|video|audio|speech|second|ground|search|"
    r"guardrail|train|storage|model_unit|request|rerank|document"
)


class NoOffer(ValueError):
    """A file that is no offer of AWS's price list."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The prices of one offer file."""

    rates: Mapping[str, Rate]
    """By our keys, all of one Region each."""
    unmatched: tuple[str, ...]
    """Names with prices of tokens that are not certain to be one of the models known."""


def read_offer(document: Any, known: Mapping[str, Rate]) -> Offered:
    """The prices of an offer file, for the models among the keys of `known`.

    Raises NoOffer for another document.
    """
    if not isinstance(document, dict) or not isinstance(document.get("products"), dict):
        raise NoOffer("it has no products: give an index.json of AWS's price list")
    code = str(document.get("offerCode", ""))
    if "bedrock" not in code.lower():
        raise NoOffer(f"its offerCode is {code[:80]!r}: give one of AmazonBedrock")
    source = f"AWS {code} {str(document.get('publicationDate', ''))[:10]}".strip()
    models = _Models(known)
    prices: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    longs: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    unmatched: set[str] = set()
    for names, region, use, price in _priced(document):
        found = models.named(names)
        if not found:
            unmatched.add(names[0])
        for key in (key for model in found for key in models.keys(model, region, use)):
            held = (longs if use.is_long else prices)[key]
            held[use.price] = max(price, held.get(use.price, price))
    rates = {
        key: _rate(each, longs.get(key), models.long_over(key), source)
        for key, each in prices.items()
    }
    return Offered(rates, tuple(sorted(unmatched)))


def _rate(
    prices: Mapping[str, Decimal], long: Mapping[str, Decimal] | None, over: int, source: str
) -> Rate:
    """AWS does not list from how many tokens on a prompt is a long one: as it is known."""
    given: dict[str, Any] = dict(prices)
    if not long or not over:
        return Rate(**given, source=source)
    longer: dict[str, Any] = dict(long)
    return Rate(**given, long_over=over, long=Rate(**longer), source=source)


class _Models:
    """The models that are known, by the words of their names."""

    def __init__(self, known: Mapping[str, Rate]) -> None:
        self._known = known
        self.named = NamedModels(known).named

    def keys(self, model: str, region: str, use: Use) -> Iterator[str]:
        """The keys whose calls cost this: what is not `global.` holds in and near the Region."""
        if use.is_global:
            near = [f"global.{model}"]
        else:
            near = [model, *(key for key in regional_keys(model, region) if key in self._known)]
        yield from (f"{region}/{each}{use.tier.suffix}" for each in near)

    def long_over(self, key: str) -> int:
        """From how many tokens on a prompt is long; 0 if nobody knows."""
        model = plain_model(key)
        over = (rate.long_over for each, rate in self._known.items() if plain_model(each) == model)
        return max(over, default=0)


def _priced(document: Mapping[str, Any]) -> Iterator[tuple[list[str], str, Use, Decimal]]:
    """Each price of tokens: by which names, in which Region, for what, in dollars for one."""
    terms = document.get("terms", {}).get("OnDemand", {})
    for sku, product in document["products"].items():
        attributes = product.get("attributes", {})
        usage, region = attributes.get("usagetype", ""), attributes.get("regionCode", "")
        words = in_words(usage)
        use = None if _LEFT_OUT.search(words) else token_use(words)
        if use is None or not region:
            continue
        for price in _prices(terms.get(sku, {})):
            yield _names(attributes, usage), region, use, price


def _names(attributes: Mapping[str, str], usage: str) -> list[str]:
    named = attributes.get("model") or attributes.get("titanModel") or ""
    return said_names(named, attributes.get("servicename", ""), usage)


def _prices(terms: Mapping[str, Any]) -> Iterator[Decimal]:
    """Dollars for one token, of the first units used: there are no others of tokens so far."""
    for term in terms.values():
        for dimension in term.get("priceDimensions", {}).values():
            tokens = tokens_in(str(dimension.get("unit", "")))
            dollars = dimension.get("pricePerUnit", {}).get("USD")
            if tokens is None or dollars is None or str(dimension.get("beginRange", "0")) != "0":
                continue
            try:
                yield Decimal(dollars) / tokens
            except InvalidOperation as error:
                raise NoOffer(f"a price of it is {str(dollars)[:80]!r}") from error
