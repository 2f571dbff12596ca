"""What admins do by hand for a while, as quota items: raise, pardon and block. Pure.

There is no second store: a block is a quota with limit 0, a raise or a pardon is another limit, and
each has an end at which it is over by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.cli.terminal.until import as_text
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.write import quota_attributes

BLOCK = "blocked-by-hand"
"""The name of the quota that blocks somebody by hand."""
NO_LIMIT = "unlimited"
_RAISE = ("raise_to", "raise_until")


@dataclass(frozen=True, slots=True)
class Raise:
    """Another limit until then; `note` is for an item that is made for it."""

    to: Decimal | str
    until: datetime
    note: str


def raised(
    subject: str, quota: Quota, own: Item | None, by: Raise, zone: ZoneInfo
) -> dict[str, Any]:
    """The item of `subject` with which `quota`, which limits them now, is raised.

    `own` is their item of this name, if there is one. Where that is the quota itself and lasts
    longer, it is raised, and all it says holds again afterwards. Else the item ends with the raise,
    and what is next in precedence holds again.
    """
    ends, kept = as_text(by.until, zone), dict(own or {})
    itself = own is not None and quota.subject == subject
    if itself and (quota.until is None or by.until <= quota.until):
        return {**kept, "raise_to": by.to, "raise_until": ends}
    key = {"principal": kept.get("principal", subject), "quota": quota.name}
    if by.to == NO_LIMIT:
        kept.pop("enabled", None)
        return {**kept, **key, "exempt": True, "until": ends, "note": by.note}
    if itself:
        lasting = {name: value for name, value in kept.items() if name not in _RAISE}
        return {**lasting, "limit": by.to, "until": ends}
    rule = quota_attributes(quota) | {"limit": by.to}
    return {**key, **rule, "until": ends, "note": by.note}


def block(
    subject: str,
    *,
    members: Iterable[str] = (),
    models: list[str] | None = None,
    until: str | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """The item that blocks somebody: no use at all, of these models or of all."""
    said = {"models": models, "members": sorted(members), "until": until, "note": note}
    return {
        "principal": subject,
        "quota": BLOCK,
        "measure": "requests",
        "limit": Decimal(0),
        "window": "day",
        **{name: value for name, value in said.items() if value},
    }
