"""Admins' own prices: the items of the quota table that are about prices."""

from collections.abc import Iterable
from dataclasses import dataclass

from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.item import NAME, PREFIX, is_price, price_key, read_price
from quota_enforcer.core.pricing.key import split_key
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.quotas.item import Item


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """A price item of the table; it has no rate if it is not valid."""

    item: Item
    key: str
    rate: Rate | None = None
    problems: tuple[str, ...] = ()


def own_prices(deployment: Deployment) -> list[OwnPrice]:
    found = [_own(item) for item in deployment.quotas.items() if is_price(item)]
    return sorted(found, key=lambda each: (each.key, str(each.item.get("principal"))))


def applying(own: Iterable[OwnPrice], *keys: str) -> list[tuple[str, Rate]]:
    """The prices of these keys, completed as the meters do, each with the key that applies.

    A key is left out if no price is known for its calls.
    """
    rates = {each.key: each.rate for each in own if each.rate is not None}
    table = PriceTable(shipped_rates(), rates)
    found = (table.rate(*split_key(key)) for key in keys)
    return [each for each in found if each is not None]


def stored_price(deployment: Deployment, model: str) -> tuple[str, Item | None]:
    """The key of a model's item, as the table spells it, and the item."""
    for key in dict.fromkeys((model, price_key(model))):
        item = deployment.quotas.get(f"{PREFIX}{key}", NAME)
        if item is not None:
            return key, item
    return price_key(model), None


def _own(item: Item) -> OwnPrice:
    try:
        key, rate = read_price(item)
    except InvalidQuota as error:
        key = str(item["principal"]).removeprefix(PREFIX)
        return OwnPrice(item, key, problems=error.problems)
    return OwnPrice(item, key, rate)
