"""The community-kept price table of litellm, read into rates.

Its keys are litellm's names of models: a Bedrock id, geography prefix and all, after `bedrock/` and
`bedrock/REGION/`. What the invocation log never holds is left out: reserved capacity, batch, the
Claude platform, bedrock-mantle, speech.
https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.pricing.tier import Tier

_PROVIDERS = {"bedrock", "bedrock_converse"}
_TOKENS = {"chat", "embedding", "rerank"}
_IMAGES = {"image_generation", "image_edit"}
_KEY = re.compile(
    r"(?:bedrock/)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)/)?(?P<id>[a-z0-9-]+(?:\.[\w.:-]+)+)",
    re.ASCII,
)
_IMAGE_KEY = re.compile(r"[\w-]+/[\w-]+-steps/(?:bedrock/)?(?P<id>[\w.:-]+)", re.ASCII)
_FIELDS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
}
_UNITS = tuple(
    f"input_cost_per_{unit}" for unit in ("image", "video_per_second", "audio_per_second", "query")
)
"""What embeddings and models of video are priced by, besides their tokens."""
_WRITES_FREE = re.compile(r"amazon\.nova-(?!.*embed)")
"""Models whose cache writes cost nothing: AWS lists reads only, and so does the table.

https://aws.amazon.com/bedrock/pricing/
"""
_LONG = r"input_cost_per_token_above_(?P<thousands>\d+)k_tokens"
_TIERS = {Tier.FLEX: "_flex", Tier.PRIORITY: "_priority", Tier.ULTRAFAST: "_ultrafast"}
"""How the names of a tier's fields end."""


class UnreadableTable(ValueError):
    """A price table that is not what it should be; names the entry and what is wrong."""


def read_table(entries: Mapping[str, Any], source: str) -> dict[str, Rate]:
    """The rates of all entries that the invocation log's calls can be priced with, by our keys.

    `entries` is the table, numbers as Decimal or int. Keys are `ID` and `REGION/ID`. Raises
    UnreadableTable if an entry has a price that is none.
    """
    found: dict[str, Rate] = {}
    for name, entry in entries.items():
        if not isinstance(entry, dict) or entry.get("litellm_provider") not in _PROVIDERS:
            continue
        key = _KEY.fullmatch(name)
        if not key or not (rate := _rate(name, entry, source)):
            continue
        ours = f"{key['region']}/{key['id']}" if key["region"] else key["id"]
        if not name.startswith(f"bedrock/{key['id']}") or ours not in entries:
            found[ours] = rate
            for tier, end in _TIERS.items():
                if tiered := _rate(name, entry, source, end):
                    found[f"{ours}{tier.suffix}"] = tiered
    for model, rate in _by_size(entries, source):
        known = found.get(model)
        if model not in entries and (known is None or (known.image or 0) < (rate.image or 0)):
            found[model] = rate
    return found


def _rate(name: str, entry: Mapping[str, Any], source: str, end: str = "") -> Rate | None:
    """The rate of one entry; None if it has no price that could be used.

    `end` is how the fields of its tier end.
    """
    if entry.get("mode") in _IMAGES:
        if end:
            return None
        image = _price(name, entry, "output_cost_per_image")
        return None if image is None else Rate(image=image, source=source)
    if entry.get("mode") not in _TOKENS:
        return None
    prices: dict[str, Any] = {
        ours: _price(name, entry, f"{field}{end}") for ours, field in _FIELDS.items()
    }
    if _WRITES_FREE.search(name) and prices["input"] is not None:
        prices["cache_write"] = prices["cache_write"] or Decimal(0)
    units = {field: None if end else _price(name, entry, field) for field in _UNITS}
    if entry.get("mode") == "rerank":
        prices["request"] = units["input_cost_per_query"]
    else:  # no record tells which of them a call was, nor how many
        prices["image"] = max(filter(None, units.values()), default=None)
    if not any(price is not None for price in prices.values()):
        return None
    long = re.compile(_LONG + end)
    over = {int(found["thousands"]) for field in entry if (found := long.fullmatch(field))}
    if not over:
        return Rate(**prices, source=source)
    longer: dict[str, Any] = {
        ours: _dearest(name, entry, [f"{field}_above_{each}k_tokens{end}" for each in over])
        for ours, field in _FIELDS.items()
    }
    return Rate(**prices, long_over=min(over) * 1000, long=Rate(**longer), source=source)


def _dearest(name: str, entry: Mapping[str, Any], fields: Iterable[str]) -> Decimal | None:
    """Of several thresholds, a rate has the lowest one at the dearest prices."""
    prices = [_price(name, entry, field) for field in fields]
    return max((price for price in prices if price is not None), default=None)


def _by_size(entries: Mapping[str, Any], source: str) -> Iterator[tuple[str, Rate]]:
    """Models that are listed by image size and steps, which no record tells."""
    for name, entry in entries.items():
        if (key := _IMAGE_KEY.fullmatch(name)) and (rate := _rate(name, entry, source)):
            yield key["id"], rate


def _price(name: str, entry: Mapping[str, Any], field: str) -> Decimal | None:
    value = entry.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 <= value < 1000:  # noqa: PLR2004
        raise UnreadableTable(
            f"{field} of {name!r} is {str(value)[:80]!r}; allowed: dollars from 0 to 1000"
        )
    return Decimal(value)
