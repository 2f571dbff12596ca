"""AWS's own published prices: the offer files of its price list, read into rates.

Three offers hold Bedrock's prices: AmazonBedrock, AmazonBedrockService and
AmazonBedrockFoundationModels. None has model ids, only names, so a name is found among the models
that are known; what cannot be told for certain is named and left out. They change often; what is
read here is the usage type, the unit and the name, as they are in 2026.
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api.html
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from quota_enforcer.core.pricing.key import plain_model, regional_keys
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.pricing.tier import Tier

_EDITION = re.compile(r"\s*\(Amazon Bedrock Edition\)\s*$")
_PLACE = re.compile(r"^(?:[A-Z]{2,4}\d?-)?(?:MP:[A-Z]{2,4}\d?_)?")
"""How usage types begin: `USE1-` and `USE1-MP:USE1_`."""
_HUMP = re.compile(r"(?<=[a-z\d])(?=[A-Z])")
_DIRECTION = re.compile(r"(?:^|_)(?:cache_(?:read|write)|input|output)")
_LEFT_OUT = re.compile(
    r"batch|custom|mantle|provision|reserved|tpm|image|video|audio|speech|second|ground|search|"
    r"guardrail|train|storage|model_unit|request|rerank|document"
)
_LONG = re.compile(r"long_?c(?:on)?te?xt|_lctx")
_UNITS = {
    "1k tokens": 1_000,
    "1m tokens": 1_000_000,
    "million tokens": 1_000_000,
    "units": 1_000_000,
}
"""Tokens in one unit, by its name; the marketplace's `Units` are millions."""
_TIERS = {
    "flex": Tier.FLEX,
    "priority": Tier.PRIORITY,
    "ultrafast": Tier.ULTRAFAST,
    "latency_?optimized": Tier.OPTIMIZED,
}
_VERSION = re.compile(r"-\d{8}|-v1(?=$|:)|-1(?=:)|:\d+$")
"""What ids have and names have not."""
_WORDS = re.compile(r"\d+b\b|\d+|[a-z]+")
_SAID_BY_NONE = {"amazon", "instruct", "it", "chat", "text"}


class NoOffer(ValueError):
    """A file that is no offer of AWS's price list."""


class Use(NamedTuple):
    """What a usage type is the price of."""

    price: str
    """A field of Rate."""
    tier: Tier
    is_global: bool
    is_long: bool


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
        self._by_words: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        for plain in {plain_model(key) for key in known}:
            vendor, _, name = plain.partition(".")
            bare = _VERSION.sub("", _VERSION.sub("", name))
            for text in (bare, f"{vendor} {bare}"):
                self._by_words[_words(text)].add(plain)

    def named(self, names: Iterable[str]) -> list[str]:
        """The models of the first name that is known; several only if they are spelt alike."""
        for name in names:
            if found := self._by_words.get(_words(name)):
                return sorted(found)
        return []

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


def _words(name: str) -> tuple[str, ...]:
    """The words and numbers of a name, whatever their order: `Claude 3.5 Haiku`, `haiku-3-5`."""
    plain = re.sub(r"(\d)\.0\b", r"\1", name.lower())
    return tuple(sorted(word for word in _WORDS.findall(plain) if word not in _SAID_BY_NONE))


def _priced(document: Mapping[str, Any]) -> Iterator[tuple[list[str], str, Use, Decimal]]:
    """Each price of tokens: by which names, in which Region, for what, in dollars for one."""
    terms = document.get("terms", {}).get("OnDemand", {})
    for sku, product in document["products"].items():
        attributes = product.get("attributes", {})
        usage, region = attributes.get("usagetype", ""), attributes.get("regionCode", "")
        words = _HUMP.sub("_", _PLACE.sub("", usage)).replace("-", "_").lower()
        use = _use(words)
        if use is None or not region:
            continue
        for price in _prices(terms.get(sku, {})):
            yield _names(attributes, usage), region, use, price


def _names(attributes: Mapping[str, str], usage: str) -> list[str]:
    named = attributes.get("model") or attributes.get("titanModel") or ""
    edition = attributes.get("servicename", "")
    if not named and _EDITION.search(edition):
        named = _EDITION.sub("", edition)
    body = _PLACE.sub("", usage)
    slug = re.split(r"-(?:text-)?(?:cache-|input|output)", body, maxsplit=1)[0]
    return list(dict.fromkeys(filter(None, (named, slug))))


def _use(words: str) -> Use | None:
    """What a usage type, in words with `_`, is the price of; None if of no tokens of one call."""
    if "token" not in words or _LEFT_OUT.search(words) or not _DIRECTION.search(words):
        return None
    if "cache_read" in words:
        price = "cache_read"
    elif "cache_write" in words:
        price = "cache_write_1h" if "1h" in words else "cache_write"
    else:
        price = "output" if re.search(r"(?:^|_)output_", words) else "input"
    tiers = [tier for pattern, tier in _TIERS.items() if re.search(pattern, words)]
    tier = tiers[0] if tiers else Tier.STANDARD
    return Use(price, tier, "global" in words, bool(_LONG.search(words)))


def _prices(terms: Mapping[str, Any]) -> Iterator[Decimal]:
    """Dollars for one token, of the first units used: there are no others of tokens so far."""
    for term in terms.values():
        for dimension in term.get("priceDimensions", {}).values():
            tokens = _UNITS.get(str(dimension.get("unit", "")).lower())
            dollars = dimension.get("pricePerUnit", {}).get("USD")
            if tokens is None or dollars is None or str(dimension.get("beginRange", "0")) != "0":
                continue
            try:
                yield Decimal(dollars) / tokens
            except InvalidOperation as error:
                raise NoOffer(f"a price of it is {str(dollars)[:80]!r}") from error
