"""Prices: what a call costs, in exact dollars, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """What one model costs, in dollars for one token, request or image; None where not known.

    `cache_write` is for five minutes, `cache_write_1h` for an hour. A request with more than
    `long_over` input tokens, cached ones included, costs `long` instead; what `long` leaves out
    stays. `image` is for models that make images: records do not tell how many, so that one a
    request is assumed. `source` says where the price comes from.
    """

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    request: Decimal | None = None
    long_over: int = 0
    long: "Rate | None" = None
    source: str = ""
    image: Decimal | None = None


COUNTED_BY: Mapping[str, str] = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_1h": "cache_write_tokens",
}
"""The counter of Counts that each price for one token is for."""
TOKEN_PRICES = tuple(COUNTED_BY)
"""The prices of a Rate that are for one token."""
PRICES = (*TOKEN_PRICES, "request", "image")
"""All prices of a Rate."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost in dollars.

    `assumed` is the part of `usd` that was taken at the dearest price that could apply, since none
    is known. `priced_as` is the key of the price, or says in words which one stood in.
    """

    usd: Decimal
    assumed: Decimal
    priced_as: str
