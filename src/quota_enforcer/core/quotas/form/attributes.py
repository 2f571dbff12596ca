"""What a quota item says of a quota: the inverse of reading one, for rules that are restated."""

import calendar
from typing import Any

from quota_enforcer.core.quotas.form.stages import stated
from quota_enforcer.core.quotas.form.values import digits
from quota_enforcer.core.quotas.quota import (
    DEFAULT_WARNING,
    Action,
    Overshoot,
    Quota,
    UnknownPrices,
)
from quota_enforcer.core.usage.counts import OBSERVED
from quota_enforcer.core.usage.model import EVERY_MODEL
from quota_enforcer.core.usage.place import PlaceScope
from quota_enforcer.core.usage.window import Unit, Window


def quota_attributes(quota: Quota) -> dict[str, Any]:
    """The rule without its subject, name, raise and end; defaults are left out."""
    return {
        "measure": quota.measure.value,
        **_weights(quota),
        "limit": quota.limit,
        **_window(quota.window),
        **({} if quota.models == (EVERY_MODEL,) else {"models": list(map(str, quota.models))}),
        **stated(quota),
        **_places(quota.places),
        **_warnings(quota),
        **({} if quota.overshoot is Overshoot.ALLOW else {"overshoot": quota.overshoot.value}),
        **_unknown_prices(quota.unknown_prices),
    }


def _warnings(quota: Quota) -> dict[str, Any]:
    """With `unusual` it only warns, and only at the limit, unless the item says otherwise."""
    warns: tuple[int, ...] = (DEFAULT_WARNING,)
    acts = Action.DENY
    said: dict[str, Any] = {}
    if quota.unusual is not None:
        warns, acts = (), Action.NOTIFY
        said["unusual"] = f"{digits(quota.unusual)}x"
    said |= {} if quota.warn_at == warns else {"warn_at": list(quota.warn_at)}
    return said | ({} if quota.action is acts else {"action": quota.action.value})


def _weights(quota: Quota) -> dict[str, Any]:
    weighs = zip(OBSERVED, quota.weights, strict=False)
    return {"weights": weights} if (weights := {c: w for c, w in weighs if w}) else {}


def _window(window: Window) -> dict[str, Any]:
    if window.rolling:
        return {"window": f"rolling {window.rolling} {window.unit}s"}
    if window.resets_on == 1:
        return {"window": window.unit.value}
    first: str | int = window.resets_on
    if window.unit is Unit.WEEK:
        first = calendar.day_name[window.resets_on - 1].lower()
    return {"window": window.unit.value, "resets_on": first}


def _places(places: PlaceScope) -> dict[str, Any]:
    said = {"regions": list(places.regions), "accounts": list(places.accounts)}
    return {attribute: several for attribute, several in said.items() if several}


def _unknown_prices(unknown: UnknownPrices) -> dict[str, Any]:
    return {} if unknown is UnknownPrices.WARN else {"unknown_prices": unknown.value}
