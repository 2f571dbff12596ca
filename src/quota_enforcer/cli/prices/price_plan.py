"""What a newer price table changes: computed first, so that an admin sees it before it is written.

Prices that an admin wrote by hand stay; those of an earlier update are the update's to change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from quota_enforcer.cli.prices.price_store import OwnPrice
from quota_enforcer.cli.prices.show import as_texts
from quota_enforcer.core.pricing.cost import overlaid
from quota_enforcer.core.pricing.item import NAME, PREFIX, price_attributes
from quota_enforcer.core.pricing.rate import PRICES, Rate
from quota_enforcer.core.quotas.item import Item

MARK = "prices update: "
"""How the note of an item begins that an update wrote."""


class Kind(StrEnum):
    """What an update does to one price."""

    ADDED = "added"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Step:
    """One price of a plan: what it is now, what it will be, and the items behind.

    `withdrawn`: an earlier update's item goes, since the product's own price is the new one again.
    `kept`: an admin's own price differs and stays.
    """

    kind: Kind
    key: str
    before: Rate | None
    after: Rate
    stored: Item | None
    item: Item | None

    def to_json(self) -> dict[str, Any]:
        """Prices by the attributes of price items, as decimal texts."""
        return {
            "model": self.key,
            "kind": self.kind,
            "before": self.before and as_texts(price_attributes(self.before)),
            "after": as_texts(price_attributes(self.after)),
        }


def plan(
    newer: Mapping[str, Rate], shipped: Mapping[str, Rate], own: list[OwnPrice], note: str
) -> list[Step]:
    """The steps from the prices in force to those of a newer table; none where they agree."""
    items = {each.key: each for each in own}
    steps = (
        _step(key, rate, shipped.get(key), items.get(key), note)
        for key, rate in sorted(newer.items())
    )
    return [step for step in steps if step is not None]


def _step(
    key: str, rate: Rate, shipped: Rate | None, own: OwnPrice | None, note: str
) -> Step | None:
    stored = None if own is None else own.item
    in_force = _over(own.rate, shipped) if own is not None and own.rate is not None else shipped
    after = _over(rate, shipped)
    by_hand = stored is not None and not str(stored.get("note", "")).startswith(MARK)
    if in_force is not None and _same(after, in_force):
        if by_hand or stored is None or shipped is None or not _same(after, shipped):
            return None
        return Step(Kind.WITHDRAWN, key, in_force, after, stored, None)
    if by_hand:
        return Step(Kind.KEPT, key, in_force, after, stored, None)
    if stored is not None and shipped is not None and _same(after, shipped):
        return Step(Kind.WITHDRAWN, key, in_force, after, stored, None)
    item = {
        "principal": f"{PREFIX}{key}", "quota": NAME, **price_attributes(rate),
        "note": f"{MARK}{note}",
    }  # fmt: skip
    kind = Kind.ADDED if in_force is None else Kind.CHANGED
    return Step(kind, key, in_force, after, stored, item)


def _over(rate: Rate, shipped: Rate | None) -> Rate:
    return rate if shipped is None else overlaid(rate, shipped)


def _same(one: Rate, other: Rate) -> bool:
    """Whether two rates have the same prices, wherever they come from."""
    if any(getattr(one, name) != getattr(other, name) for name in PRICES):
        return False
    if one.long is None or other.long is None:
        return one.long is other.long
    return one.long_over == other.long_over and _same(one.long, other.long)
