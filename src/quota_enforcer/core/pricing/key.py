"""The keys of prices: `ID`, with its geography prefix, and `REGION/ID`; of a tier `ID@TIER`."""

import re
from typing import NamedTuple

from quota_enforcer.core.pricing.tier import MARK, Tier
from quota_enforcer.core.usage.model import bare_model, canonical_model

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d/")
_CONTEXT = re.compile(r"(?<=.):\d+k$")
"""The variant of a model for prompts of a given length, as in `ID:200k`: the same model."""
NO_VENDOR = ""
"""Of what is named by an account: custom models, application profiles and the like."""


def price_keys(model_id: str, region: str | None) -> list[str]:
    """Under which keys the price of a call may stand, the most exact first.

    `model_id` is as logged: an id, or an ARN.
    """
    logged = bare_model(model_id)
    ids = dict.fromkeys((logged, _CONTEXT.sub("", logged)))
    return [f"{region}/{each}" for each in ids if region] + list(ids)


def plain_model(key: str) -> str:
    """The model that a key or a logged id is about, whatever its Region, prefix and context."""
    bare = bare_model(key).partition(MARK)[0]
    return _CONTEXT.sub("", canonical_model(_REGION.sub("", bare)))


def vendor_of(plain: str) -> str:
    """Who makes a model; NO_VENDOR if an account names it."""
    return plain.partition(".")[0] if "/" not in plain and "." in plain else NO_VENDOR


class PriceKey(NamedTuple):
    """What a key says."""

    model: str
    region: str | None = None
    tier: Tier = Tier.STANDARD


def split_key(key: str) -> PriceKey:
    """The parts of a key; raises ValueError if it names a tier that there is not."""
    region = _REGION.match(key)
    rest = key if region is None else key[region.end() :]
    model, _, tier = rest.partition(MARK)
    named = Tier(tier) if tier else Tier.STANDARD
    return PriceKey(model, None if region is None else region[0].rstrip("/"), named)


def is_standard(key: str) -> bool:
    """Whether a key is about the standard tier."""
    return MARK not in key
