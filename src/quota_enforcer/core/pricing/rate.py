"""Prices: what a call costs, in exact dollars, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from quota_enforcer.core.usage.counts import TOKEN_COUNTS

ADMIN = "admin"
"""The source of what admins wrote, before their note."""
RENEWAL = "prices update: "
"""How the note of every item begins that a renewal of the list prices wrote."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one model costs, in dollars for a token, request or image; None if nobody knows it."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    """Of tokens that stay for five minutes."""
    cache_write_1h: Decimal | None = None
    """Of tokens that stay for an hour."""
    request: Decimal | None = None
    long_over: int = 0
    """A request with more input tokens than this, cached ones included, costs `long` instead."""
    long: "Rate | None" = None
    """What it leaves out costs the same as in short requests."""
    source: str = ""
    """Where the price comes from."""
    image: Decimal | None = None
    """Or a second of video or sound. Records do not tell how many, so one a request is assumed.

    Of models that only embed, in a request without tokens: with tokens it was text.
    """
    percent_off: Decimal | None = None
    """Of a discount, which has no prices."""
    until: date | None = None
    """The first local day after a discount."""

    @property
    def is_renewed(self) -> bool:
        """Whether it is a newer list price, and no price of an admin's own."""
        return self.source.startswith(f"{ADMIN}: {RENEWAL}")


COUNTED_BY: Mapping[str, str] = {
    price: counter for counter, each in TOKEN_COUNTS.items() for price in each.prices
}
"""The counter of Counts that each price for one token is for."""
TOKEN_PRICES = tuple(COUNTED_BY)
"""The prices of a Rate that are for one token."""
PRICES = (*TOKEN_PRICES, "request", "image")
"""All prices of a Rate."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost in dollars."""

    usd: Decimal
    assumed: Decimal
    """The part of `usd` without a known price: taken at the dearest that could apply."""
    priced_as: str
    """The key of the price, or in words which one stood in."""
