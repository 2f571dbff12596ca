"""What stands in the quota table for a while only: raises, exemptions and blocks made by hand."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.core.pricing.item import is_price
from quota_enforcer.core.quotas.diff import changes
from quota_enforcer.core.quotas.form import values
from quota_enforcer.core.quotas.item import Item

BLOCK = "blocked-by-hand"
"""The name of the quota that blocks somebody by hand."""
RAISE = ("raise_to", "raise_until")
"""The attributes that raise a limit for a while."""
_COUNTING = {"measure", "weights", "window", "resets_on", "models", "regions", "accounts"}
"""What a raise is of: with another of these its number means something else."""


def is_by_hand(item: Item, now: datetime, zone: ZoneInfo) -> bool:
    """Whether it ends by itself and has not ended yet, or is a block by hand; a price never is."""
    if is_price(item):
        return False
    return item.get("quota") == BLOCK or _ahead(item.get("until"), now, zone)


def permanent(items: Iterable[Item]) -> list[Item]:
    """What holds for good: without raises, without blocks by hand, and without what has an end."""
    return [
        {name: value for name, value in item.items() if name not in RAISE}
        for item in items
        if is_price(item) or ("until" not in item and item.get("quota") != BLOCK)
    ]


def with_raise(wanted: Item, stored: Item | None, now: datetime, zone: ZoneInfo) -> Item:
    """The item with the raise that stands in the table for it, unless it says one itself.

    The raise goes if the item is counted otherwise now, or if its limit has come up to it.
    """
    if stored is None or "limit" not in wanted or "until" in wanted or wanted.get("exempt"):
        return wanted
    if _ahead(wanted.get("raise_until"), now, zone):
        return wanted
    to, until = _raise_of(stored, now, zone)
    if until is None or (to != "unlimited" and _otherwise(stored, wanted)):
        return wanted
    if to == "unlimited" or _above(to, wanted["limit"]):
        return {**wanted, "raise_to": to, "raise_until": until}
    return wanted


def _raise_of(stored: Item, now: datetime, zone: ZoneInfo) -> tuple[Any, Any]:
    """To what and until when an item raises: by its attributes, or as a whole."""
    if _ahead(stored.get("raise_until"), now, zone):
        return stored.get("raise_to"), stored["raise_until"]
    if _ahead(stored.get("until"), now, zone):
        to = "unlimited" if stored.get("exempt") else stored.get("limit")
        return to, stored["until"]
    return None, None


def _otherwise(stored: Item, wanted: Item) -> bool:
    return any(each.attribute in _COUNTING for each in changes(stored, wanted))


def _above(to: Any, limit: Any) -> bool:
    try:
        return Decimal(str(to)) > Decimal(str(limit))
    except values.WRONG:
        return False


def _ahead(until: Any, now: datetime, zone: ZoneInfo) -> bool:
    """Whether it is a moment yet to come."""
    if until is None:
        return False
    try:
        return values.moment(until, zone) > now
    except values.WRONG:
        return False
