"""Tokens written to the prompt cache: how long they stay, as the answer of a call tells it."""

from collections.abc import Iterator, Mapping
from typing import Any

from quota_enforcer.core.pricing.rate import CacheWrites


def cache_writes(body: object, total: int) -> CacheWrites | None:
    """How a call's written cache tokens split by lifetime; None if its answer does not tell.

    `body` is the record's `output.outputBodyJson`, the only place where it stands:
    `usage.cache_creation` of Anthropic's messages and streams, `usage.cacheDetails` of Converse.
    What does not add up to `total` tells nothing.
    """
    if not total or not body:
        return None
    for usage in _usages(body):
        split = _anthropic(usage.get("cache_creation")) or _converse(usage.get("cacheDetails"))
        if split and split.five_minutes + split.one_hour == total:
            return split
    return None


def _usages(body: object) -> Iterator[Mapping[str, Any]]:
    """Where an answer tells its usage: at its top, or in the items of a stream."""
    for item in body if isinstance(body, list) else [body]:
        if isinstance(item, dict):
            message = item.get("message")
            for place in (item, message if isinstance(message, dict) else {}):
                usage = place.get("usage")
                if isinstance(usage, dict):
                    yield usage


def _anthropic(creation: object) -> CacheWrites | None:
    if not isinstance(creation, dict):
        return None
    return _split(
        creation.get("ephemeral_5m_input_tokens", 0), creation.get("ephemeral_1h_input_tokens", 0)
    )


def _converse(details: object) -> CacheWrites | None:
    if not isinstance(details, list):
        return None
    sums = {"5m": 0, "1h": 0}
    for detail in details:
        if not isinstance(detail, dict) or not isinstance(detail.get("ttl"), str):
            return None
        lifetime, tokens = detail["ttl"], detail.get("inputTokens")
        if lifetime not in sums or type(tokens) is not int or tokens < 0:
            return None
        sums[lifetime] += tokens
    return CacheWrites(sums["5m"], sums["1h"])


def _split(five_minutes: object, one_hour: object) -> CacheWrites | None:
    if type(five_minutes) is not int or type(one_hour) is not int:
        return None
    return CacheWrites(five_minutes, one_hour) if min(five_minutes, one_hour) >= 0 else None
