"""Admins' own prices and discounts: the items of the quota table that are about prices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.prices.show import Listed
from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.pricing.catalog.shipped import shipped_prices
from quota_enforcer.core.pricing.dated import DatedKey, dated_key
from quota_enforcer.core.pricing.item import (
    ATTRIBUTES,
    PREFIX,
    PRICE_ATTRIBUTES,
    is_price,
    item_name,
    name_parts,
    price_key,
    read_price,
)
from quota_enforcer.core.pricing.key import split_key
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.quotas.item import Item


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """A price item of the table, or a discount; it has no rate if it is not valid."""

    item: Item
    dated: DatedKey
    rate: Rate | None = None
    problems: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What it is the price of."""
        return self.dated.key

    @property
    def since(self) -> date | None:
        """The first day it holds for; None if it holds for all."""
        return self.dated.since


def own_prices(deployment: Deployment) -> list[OwnPrice]:
    """All of them, discounts too."""
    found = [_own(item) for item in deployment.quotas.items() if is_price(item)]
    return sorted(
        found,
        key=lambda each: (each.key, each.since or date.min, str(each.item.get("principal"))),
    )


def table_of(own: Iterable[OwnPrice], day: date) -> PriceTable:
    """The prices of a day."""
    rates = {str(each.dated): each.rate for each in own if each.rate is not None}
    return shipped_prices(rates).on(day)


def applying(own: Iterable[OwnPrice], day: date, *keys: str) -> list[Listed]:
    """The prices of these keys on a day, completed as the meters do, with the key that applies.

    A key is left out if no price is known for its calls.
    """
    several = list(own)
    table = table_of(several, day)
    since = {
        each.key: each.since
        for each in several
        if not each.dated.is_discount and (each.since is None or each.since <= day)
    }
    found = []
    for key in keys:
        parts = split_key(key)
        rate = table.rate(*parts)
        if rate is not None:
            off = table.discount(parts.model, parts.region)
            found.append(Listed(*rate, discount=off, since=since.get(rate[0])))
    return found


def stored_price(
    deployment: Deployment, model: str, since: date | None = None, *, discount: bool = False
) -> tuple[str, Item | None]:
    """The key of a model's item, as the table spells it, and the item."""
    name = item_name(discount=discount, since=since)
    for key in dict.fromkeys((model, price_key(model))):
        item = deployment.quotas.get(f"{PREFIX}{key}", name)
        if item is not None:
            return key, item
    return price_key(model), None


def held_before(deployment: Deployment, key: str, day: date) -> Item:
    """The prices of a key that hold until a day, as the item that begins then starts with them."""
    held = [
        each
        for each in own_prices(deployment)
        if each.key == price_key(key)
        and not each.dated.is_discount
        and (each.since is None or each.since < day)
    ]
    last = held[-1].item if held else {}
    return {name: last[name] for name in (*ATTRIBUTES[:2], *PRICE_ATTRIBUTES) if name in last}


def _own(item: Item) -> OwnPrice:
    try:
        key, rate = read_price(item)
    except InvalidQuota as error:
        key = str(item["principal"]).removeprefix(PREFIX)
        parts = name_parts(item.get("quota")) or (False, None)
        return OwnPrice(item, DatedKey(key, *parts), problems=error.problems)
    return OwnPrice(item, dated_key(key), rate)
