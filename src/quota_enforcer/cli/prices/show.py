"""Prices for people and for machines: tokens by the million, the rest one by one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.notices.amounts import exact, number
from quota_enforcer.core.pricing.item import price_attributes
from quota_enforcer.core.pricing.key import plain_model
from quota_enforcer.core.pricing.rate import TOKEN_PRICES, Rate, multiplied
from quota_enforcer.core.pricing.table import Discount

_WORDS = {"cache_write_1h": "1 h write"}
_TOKENS = [_WORDS.get(name, name.replace("_", " ").capitalize()) for name in TOKEN_PRICES]
HEAD = ("Model", *_TOKENS, "Request", "Source")
UNIT = "US dollars for a million tokens, or for one request; a cache write lasts 5 minutes or 1 h."
FROM_WHEN = (
    "It counts within a minute. After that `quota-enforcer recount` prices past hours again."
)
"""Of a price that holds for all days."""
HELD_BEFORE = "It counts within a minute. A recount of hours before that day keeps what held then."
"""Of a price that holds from a day on."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A price under its key as it is paid, less its discount.

    Not `in_force` if an own price replaces it, or if it holds on other days only.
    """

    key: str
    rate: Rate
    in_force: bool = True
    discount: Discount | None = None
    since: date | None = None

    def matches(self, pattern: str) -> bool:
        """Whether a pattern with `*`, or any part of a name, matches this price."""
        asked = pattern if "*" in pattern else f"*{pattern}*"
        return any(fnmatchcase(name, asked) for name in (self.key, plain_model(self.key)))

    @property
    def paid(self) -> Rate:
        """What it costs, exactly."""
        off = self.discount
        return self.rate if off is None else multiplied(self.rate, 1 - off.percent / 100)

    @property
    def source(self) -> str:
        """Where the price comes from, what is off, and when it holds."""
        parts = [self.rate.source]
        if self.discount is not None:
            parts.append(off_words(self.discount))
        if self.since is not None:
            parts.append(f"from {self.since}")
        return ", ".join(parts if self.in_force else [*parts, "not in force"])

    def to_json(self) -> dict[str, Any]:
        off = self.discount
        return {
            "model": self.key,
            **as_texts(price_attributes(self.paid)),
            "source": self.rate.source,
            "in_force": self.in_force,
            "from": self.since and str(self.since),
            "discount": off and {
                "percent": exact(off.percent), "of": off.of, "until": off.until and str(off.until),
            },
        }  # fmt: skip


def off_words(off: Discount, since: date | None = None) -> str:
    """`12 % off anthropic from 2026-12-01 until 2027-12-01`."""
    start = "" if since is None else f" from {since}"
    words = f"{number(off.percent)} % off {off.of}{start}"
    return words if off.until is None else f"{words} until {off.until}"


def as_texts(prices: Mapping[str, Decimal]) -> dict[str, Any]:
    """Prices as decimal texts, a threshold as a whole number."""
    return {
        name: int(price) if name == "long_over" else exact(price) for name, price in prices.items()
    }


def say_prices(listed: Iterable[Listed]) -> None:
    """A table of prices; the prices of long prompts have their own line."""
    say_table(HEAD, [row for each in listed for row in _rows(each)], numbers=HEAD[1:-1])


def request_words(rate: Rate) -> str:
    """The price of a request or of an image, if there is one."""
    if rate.request is not None:
        return number(rate.request)
    return "" if rate.image is None else f"{number(rate.image)} an image"


def _rows(listed: Listed) -> Iterator[tuple[str, ...]]:
    rate = listed.paid
    yield (listed.key, *_tokens(price_attributes(rate)), request_words(rate), listed.source)
    if rate.long is not None:
        words = f"  prompts over {rate.long_over:,} tokens"
        yield (words, *_tokens(price_attributes(rate), "long_"), "", "")


def _tokens(prices: Mapping[str, Decimal], prefix: str = "") -> list[str]:
    named = [prices.get(f"{prefix}{name}") for name in TOKEN_PRICES]
    return ["" if price is None else number(price) for price in named]
