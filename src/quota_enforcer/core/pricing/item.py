"""Price items: what admins write into the quota table about prices, validated into rates.

Tokens are in dollars for a million of them, requests and images in dollars for one.
"""

import re
from decimal import Decimal
from typing import Any

from quota_enforcer.core.errors import InvalidQuota, did_you_mean
from quota_enforcer.core.pricing.codec import known_prices
from quota_enforcer.core.pricing.rate import PRICES, TOKEN_PRICES, Rate
from quota_enforcer.core.quotas import values
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.usage.model import bare_model

PREFIX = "price/"
"""What the `principal` of a price item begins with; the model follows."""
NAME = "price"
"""The `quota` of every price item."""
MILLION = 1_000_000

LONG_OVER = "long_over"
LONG_PRICES = tuple(f"long_{name}" for name in TOKEN_PRICES)
PRICE_ATTRIBUTES = (*PRICES, LONG_OVER, *LONG_PRICES)
"""The attributes of a price item that are numbers."""
ATTRIBUTES = ("principal", "quota", *PRICE_ATTRIBUTES, "note", "edited_by", "edited_at")

_KEY = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,255}")
_MOST_DOLLARS = Decimal(1_000_000)
_MOST_PLACES = 9  # with the largest count of a call still exact in 28 digits
_DOLLARS = "dollars, a number from 0 to 1000000 with at most 9 decimals"
_MODEL = "price/MODEL, with a model id as the invocation log has it, or price/REGION/MODEL"
_SHOWN_NOTE = 80
_THRESHOLD = "a whole number of tokens, 1 or more"


def is_price(item: Item) -> bool:
    subject = item.get("principal")
    return isinstance(subject, str) and subject.startswith(PREFIX)


def price_key(model: str) -> str:
    """The key under which a model's price stands: an ARN as the id that it names."""
    return bare_model(model)


def read_price(item: Item) -> tuple[str, Rate]:
    """The key and the rate that a price item means, in dollars for one token.

    Raises InvalidQuota with everything that is wrong.
    """
    problems: list[str] = []
    for unknown in sorted(map(str, set(item) - set(ATTRIBUTES))):
        meant = did_you_mean(unknown, ATTRIBUTES) or f"allowed: {', '.join(ATTRIBUTES)}"
        problems.append(f"attribute {unknown!r} is unknown; {meant}")
    subject, name = item.get("principal"), item.get("quota")
    key = price_key(subject.removeprefix(PREFIX)) if isinstance(subject, str) else ""
    if not is_price(item) or not _KEY.fullmatch(key):
        problems.append(f"principal is {values.shown(subject)[:200]}; allowed: {_MODEL}")
    if name != NAME:
        problems.append(f"quota is {values.shown(name)[:200]}; allowed: {NAME}")
    given = _numbers(item, problems)
    if not problems and not given:
        problems.append(f"it has no price; give one or more of: {', '.join(PRICES)}")
    if problems:
        raise InvalidQuota(str(subject), str(name), problems)
    return key, _rate(given, _source(item.get("note")))


def price_attributes(rate: Rate) -> dict[str, Decimal]:
    found = _for_item(rate)
    if rate.long is not None:
        found[LONG_OVER] = Decimal(rate.long_over)
        found |= {f"long_{name}": price for name, price in _for_item(rate.long).items()}
    return found


def _numbers(item: Item, problems: list[str]) -> dict[str, Decimal]:
    """The numbers of an item, in dollars as they stand; what is wrong goes to `problems`."""
    given = {}
    for name in PRICE_ATTRIBUTES:
        if name in item:
            try:
                given[name] = (_tokens if name == LONG_OVER else _dollars)(item[name])
            except values.WRONG:
                allowed = _THRESHOLD if name == LONG_OVER else _DOLLARS
                problems.append(f"{name} is {values.shown(item[name])[:200]}; allowed: {allowed}")
    long = [name for name in LONG_PRICES if name in item]
    if (LONG_OVER in item) != bool(long):
        problems.append(f"{LONG_OVER} and prices such as long_input go together: set both or none")
    if "request" in item and "image" in item:
        problems.append("request and image are two ways to price the same call: set one of them")
    return given


def _dollars(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise TypeError
    number = Decimal(value)
    if not number.is_finite() or not 0 <= number <= _MOST_DOLLARS:
        raise ValueError
    places = number.normalize().as_tuple().exponent
    if not isinstance(places, int) or -places > _MOST_PLACES:
        raise ValueError
    return abs(number)  # -0 reads as 0


def _tokens(value: Any) -> Decimal:
    if not (number := values.limit(value)):
        raise ValueError
    return number


def _source(note: Any) -> str:
    """Where an admin's own price comes from, as far as its note says."""
    return f"admin: {note[:_SHOWN_NOTE]}" if note and isinstance(note, str) else "admin"


def _rate(given: dict[str, Decimal], source: str) -> Rate:
    prices: dict[str, Any] = {name: _for_one(name, given[name]) for name in PRICES if name in given}
    if LONG_OVER not in given:
        return Rate(**prices, source=source)
    long: dict[str, Any] = {
        name: _for_one(name, given[f"long_{name}"])
        for name in TOKEN_PRICES
        if f"long_{name}" in given
    }
    return Rate(**prices, long_over=int(given[LONG_OVER]), long=Rate(**long), source=source)


def _for_one(name: str, price: Decimal) -> Decimal:
    return price / MILLION if name in TOKEN_PRICES else price


def _for_item(rate: Rate) -> dict[str, Decimal]:
    return {
        name: price * MILLION if name in TOKEN_PRICES else price
        for name, price in known_prices(rate).items()
    }
