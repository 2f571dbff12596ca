"""The keys of prices: `ID`, with its geography prefix, and `REGION/ID`; of a tier `ID@TIER`."""

import re
from functools import lru_cache
from typing import NamedTuple

from quota_enforcer.core.pricing.tier import MARK, Tier
from quota_enforcer.core.usage.model import bare_model, canonical_model, prefixes_near

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d/")
_VARIANT = re.compile(r"(?<=.):(?:\d+k|mm|\d{3,})$|(?<=:\d):[a-z0-9]+$")
"""The same model for prompts of a given length or kind, as in `ID:200k` and `ID:0:mm`."""
_REVISION = re.compile(r"(?<=.):\d{1,2}$")
"""Ids of some models have it in the log and not in price tables, as in `ID:2`."""
NO_VENDOR = ""
"""Of what is named by an account: custom models, application profiles and the like."""
REMEMBERED = 4_096
"""Keys whose model is kept: each table with own prices asks it of all 800 that are shipped."""


def price_keys(model_id: str, region: str | None) -> list[str]:
    """Under which keys the price of a call may stand, the most exact first.

    `model_id` is as logged: an id, or an ARN.
    """
    ids = _ids(bare_model(model_id))
    return [f"{region}/{each}" for each in ids if region] + ids


def regional_keys(model_id: str, region: str | None) -> list[str]:
    """What a call of a bare id costs in its Region, if the Region itself is not listed.

    It costs the same as by a profile that stays near: only `global.` is cheaper. None of an id
    that has a prefix of its own.
    https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
    """
    logged = bare_model(model_id)
    if region is None or not is_bare(logged):
        return []
    return [f"{prefix}.{each}" for prefix in prefixes_near(region) for each in _ids(logged)]


def is_bare(model_id: str) -> bool:
    """Whether this is a model's plain id, which is called in one Region."""
    return "/" not in model_id and canonical_model(model_id) == model_id


@lru_cache(maxsize=REMEMBERED)
def plain_model(key: str) -> str:
    """The model that a key or a logged id is about, whatever its Region, prefix and context."""
    bare = bare_model(key).partition(MARK)[0]
    return _VARIANT.sub("", canonical_model(_REGION.sub("", bare)))


def family(plain: str) -> list[str]:
    """The names of a plain model in price tables, the most exact first."""
    return _ids(plain)


def _ids(model_id: str) -> list[str]:
    """An id, then without its variant, then without its revision."""
    without = _VARIANT.sub("", model_id)
    return list(dict.fromkeys((model_id, without, _REVISION.sub("", without))))


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
