"""Price items: what admins write into the quota table about prices, validated into rates.

Tokens are in dollars for a million of them, requests and images in dollars for one. The `quota` of
an item is `price` or `discount`, with the day that it holds from: `price from 2026-12-01`.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from quota_enforcer.core.errors import InvalidQuota, did_you_mean
from quota_enforcer.core.pricing.codec import known_prices
from quota_enforcer.core.pricing.dated import DatedKey
from quota_enforcer.core.pricing.key import split_key
from quota_enforcer.core.pricing.rate import ADMIN, PRICES, RENEWAL, TOKEN_PRICES, Rate
from quota_enforcer.core.quotas.form import values
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.usage.model import bare_model

PREFIX = "price/"
"""What the `principal` of a price item begins with; the model follows."""
NAME = "price"
"""The `quota` of a price item that holds for all days, until others do."""
DISCOUNT = "discount"
"""The `quota` of a discount."""
PERCENT = "percent"
UNTIL = "until"
MILLION = 1_000_000

LONG_OVER = "long_over"
LONG_PRICES = tuple(f"long_{name}" for name in TOKEN_PRICES)
PRICE_ATTRIBUTES = (*PRICES, LONG_OVER, *LONG_PRICES)
"""The attributes of a price item that are numbers."""
_KEYS = ("principal", "quota")
_NOTES = ("note", "edited_by", "edited_at", "schema")
ATTRIBUTES = (*_KEYS, *PRICE_ATTRIBUTES, PERCENT, UNTIL, *_NOTES)
"""Those of prices and of discounts."""

_KEY = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,255}")
_MOST_DOLLARS = Decimal(1_000_000)
_MOST_PLACES = 9  # with the largest count of a call still exact in 28 digits
_DOLLARS = "dollars, a number from 0 to 1000000 with at most 9 decimals"
_MODEL = (
    "price/MODEL, with a model id as the invocation log has it, or price/REGION/MODEL; with @flex, "
    "@priority, @ultrafast, @latency-optimized or @reserved after it for that service tier"
)
_NAMES = f"{NAME}, {DISCOUNT}, or one of them with a day, such as '{NAME} from 2026-12-01'"
_NAME = re.compile(rf"(?P<kind>{NAME}|{DISCOUNT})(?: from (?P<since>\d{{4}}-\d\d-\d\d))?", re.ASCII)
_PERCENT = "a percentage from 0 to 100 with at most 4 decimals"
_PERCENT_PLACES = 4
_DAY = "a day such as 2026-12-31, the first without the discount"
_SHOWN_NOTE = 80
_THRESHOLD = "a whole number of tokens, 1 or more"


def is_price(item: Item) -> bool:
    subject = item.get("principal")
    return isinstance(subject, str) and subject.startswith(PREFIX)


def price_key(model: str) -> str:
    """The key under which a model's price stands: an ARN as the id that it names."""
    return bare_model(model)


def item_name(*, discount: bool = False, since: date | None = None) -> str:
    """The `quota` of a price or of a discount that holds from a day on."""
    kind = DISCOUNT if discount else NAME
    return kind if since is None else f"{kind} from {since}"


def name_parts(name: object) -> tuple[bool, date | None] | None:
    """Whether the `quota` of an item is that of a discount, and from when; None if of neither."""
    found = _NAME.fullmatch(name) if isinstance(name, str) else None
    if found is None:
        return None
    try:
        since = date.fromisoformat(found["since"]) if found["since"] else None
    except ValueError:  # a day that no calendar has
        return None
    return found["kind"] == DISCOUNT, since


def read_price(item: Item) -> tuple[str, Rate]:
    """The key (see `DatedKey`) and the rate that a price item means, in dollars for one token.

    Raises InvalidQuota with everything that is wrong.
    """
    problems: list[str] = []
    subject, name = item.get("principal"), item.get("quota")
    parts = name_parts(name)
    is_discount = parts is not None and parts[0]
    allowed = (*_KEYS, *((PERCENT, UNTIL) if is_discount else PRICE_ATTRIBUTES), *_NOTES)
    for unknown in sorted(map(str, set(item) - set(allowed))):
        meant = did_you_mean(unknown, allowed) or f"allowed: {', '.join(allowed)}"
        problems.append(f"attribute {unknown!r} is unknown; {meant}")
    key = price_key(subject.removeprefix(PREFIX)) if isinstance(subject, str) else ""
    if not is_price(item) or not _is_key(key):
        problems.append(f"principal is {values.shown(subject)[:200]}; allowed: {_MODEL}")
    if parts is None:
        problems.append(f"quota is {values.shown(name)[:200]}; allowed: {_NAMES}")
    try:
        values.schema(item.get("schema", values.SCHEMA))
    except values.WRONG:
        form = values.shown(item["schema"])[:200]
        problems.append(f"schema is {form}; allowed: {values.SCHEMAS}")
    source = _source(item.get("note"))
    if is_discount:
        rate = _discount(item, source, problems)
    else:
        given = _numbers(item, problems)
        if not problems and not given:
            problems.append(f"it has no price; give one or more of: {', '.join(PRICES)}")
        rate = _rate(given, source) if not problems else Rate()
    if problems or parts is None:
        raise InvalidQuota(str(subject), str(name), problems)
    return str(DatedKey(key, *parts)), rate


def _is_key(key: str) -> bool:
    try:
        split_key(key)
    except ValueError:  # a tier that there is not
        return False
    return _KEY.fullmatch(key) is not None


def _discount(item: Item, source: str, problems: list[str]) -> Rate:
    percent, until = None, None
    try:
        percent = _percent(item[PERCENT])
    except values.WRONG:
        problems.append(
            f"{PERCENT} is {values.shown(item.get(PERCENT))[:200]}; allowed: {_PERCENT}"
        )
    if UNTIL in item:
        try:
            until = date.fromisoformat(values.text(item[UNTIL]))
        except values.WRONG:
            problems.append(f"{UNTIL} is {values.shown(item[UNTIL])[:200]}; allowed: {_DAY}")
    return Rate(percent_off=percent, until=until, source=source)


def _percent(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise TypeError
    number = Decimal(value)
    if not number.is_finite() or not 0 <= number <= 100:  # noqa: PLR2004 - per cent
        raise ValueError
    places = number.normalize().as_tuple().exponent
    if not isinstance(places, int) or -places > _PERCENT_PLACES:
        raise ValueError
    return abs(number)


def renewed_on(item: Item) -> date:
    """The day on which a renewal of the list prices wrote an item; the first of all if none did."""
    noted, edited = str(item.get("note", "")), str(item.get("edited_at", ""))
    if not is_price(item) or not noted.startswith(RENEWAL):
        return date.min
    try:
        return date.fromisoformat(edited[:10])
    except ValueError:
        return date.min


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
    return f"{ADMIN}: {note[:_SHOWN_NOTE]}" if note and isinstance(note, str) else ADMIN


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
