"""Usage types, as AWS's price list and its bills have them: which model, and what for.

`USE1-NovaPro-input-tokens-flex`, `USE1-MP:USE1_CacheReadInputTokenCount_Global-Units` and
`USE1-openai.gpt-oss-120b-mantle-output-tokens-standard` are three generations of one idea. None has
a model id, only a name, so a name is found among the models that are known.
https://docs.aws.amazon.com/bedrock/latest/userguide/cost-mgmt-understanding-cur-data.html
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from quota_enforcer.core.pricing.key import plain_model
from quota_enforcer.core.pricing.tier import Tier

_EDITION = re.compile(r"\s*\(Amazon Bedrock Edition\)\s*$")
_PLACE = re.compile(r"^(?:[A-Z]{2,4}\d?-)?(?:MP:[A-Z]{2,4}\d?_)?")
"""How usage types begin: `USE1-` and `USE1-MP:USE1_`."""
_HUMP = re.compile(r"(?<=[a-z\d])(?=[A-Z])")
_DIRECTION = re.compile(r"(?:^|_)(?:cache_(?:read|write)|input|output)")
_SERVED = re.compile(r"-(?:mantle|latency-optimized)$")
"""How a model was served, after its name."""
_LONG = re.compile(r"long_?c(?:on)?te?xt|_lctx")
_UNITS = {
    "1k tokens": 1_000,
    "1m tokens": 1_000_000,
    "million tokens": 1_000_000,
    "units": 1_000_000,
    "tokens": 1,
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


class Use(NamedTuple):
    """What a usage type is the price of."""

    price: str
    """A field of Rate."""
    tier: Tier
    is_global: bool
    is_long: bool


def in_words(usage_type: str) -> str:
    """A usage type without its place, in words with `_`."""
    return _HUMP.sub("_", _PLACE.sub("", usage_type)).replace("-", "_").lower()


def token_use(words: str) -> Use | None:
    """What a usage type `in_words` is the price of; None if it is not that of tokens."""
    if "token" not in words or not _DIRECTION.search(words):
        return None
    if "cache_read" in words:
        price = "cache_read"
    elif "cache_write" in words:
        price = "cache_write_1h" if "1h" in words else "cache_write"
    else:
        price = "output" if re.search(r"(?:^|_)output_", words) else "input"
    return Use(price, tier_in(words), "global" in words, bool(_LONG.search(words)))


def tier_in(words: str) -> Tier:
    """The service tier that a usage type `in_words` names; standard if it names none."""
    tiers = (tier for pattern, tier in _TIERS.items() if re.search(pattern, words))
    return next(tiers, Tier.STANDARD)


def tokens_in(unit: str) -> int | None:
    """How many tokens one unit has; None if it is not one of tokens."""
    return _UNITS.get(unit.lower())


def said_names(model: str, product: str, usage_type: str) -> list[str]:
    """By which names a model may be called: its own, its product's, and the usage type's."""
    named = model or (_EDITION.sub("", product) if _EDITION.search(product) else "")
    body = _PLACE.sub("", usage_type)
    slug = _SERVED.sub("", re.split(r"-(?:text-)?(?:cache-|input|output)", body, maxsplit=1)[0])
    return list(dict.fromkeys(filter(None, (named, slug, _HUMP.sub(" ", slug)))))


class NamedModels:
    """Plain models, by the words of their names."""

    def __init__(self, models: Iterable[str]) -> None:
        self._by_words: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        for plain in {plain_model(key) for key in models}:
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


def _words(name: str) -> tuple[str, ...]:
    """The words and numbers of a name, whatever their order: `Claude 3.5 Haiku`, `haiku-3-5`."""
    plain = re.sub(r"(\d)\.0\b", r"\1", name.lower())
    return tuple(sorted(word for word in _WORDS.findall(plain) if word not in _SAID_BY_NONE))
