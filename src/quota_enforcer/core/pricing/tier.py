"""Service tiers: the caller chooses one for each request, and each has a price of its own.

The invocation log's own fields name none, but the bodies of requests and answers do, where they are
logged; without them the tier is taken to be the standard one.
https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html
https://docs.aws.amazon.com/bedrock/latest/userguide/latency-optimized-inference.html
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final


class Tier(StrEnum):
    """How a request was served; the key of its price ends with `@` and this."""

    STANDARD = "standard"
    FLEX = "flex"
    PRIORITY = "priority"
    ULTRAFAST = "ultrafast"
    OPTIMIZED = "latency-optimized"
    RESERVED = "reserved"
    """Paid by the month; what is more than reserved is served as standard."""
    OTHER = "other"
    """One that this version does not know."""

    @property
    def times_standard(self) -> Decimal:
        """How many times the standard price a call costs at most, where no price is listed."""
        return _TIMES[self]

    @property
    def suffix(self) -> str:
        """How the key of its price ends."""
        return "" if self is Tier.STANDARD else f"{MARK}{self}"


MARK: Final = "@"
LISTED: Final = (Tier.FLEX, Tier.PRIORITY, Tier.ULTRAFAST, Tier.OPTIMIZED, Tier.RESERVED)
"""Those that can have a price."""
_TIMES: Final[Mapping[Tier, Decimal]] = {
    Tier.STANDARD: Decimal(1),
    Tier.FLEX: Decimal(1),
    Tier.PRIORITY: Decimal("1.75"),
    Tier.ULTRAFAST: Decimal(6),
    Tier.OPTIMIZED: Decimal("1.25"),
    Tier.RESERVED: Decimal(1),
    Tier.OTHER: Decimal(6),
}
SAID: Final[Mapping[str, Tier]] = {
    "default": Tier.STANDARD,
    "standard": Tier.STANDARD,
    "batch": Tier.STANDARD,
    "scale": Tier.RESERVED,
    **{each.value: each for each in LISTED},
}
"""By what records call them; batches are not in this log, so that word says nothing there."""
_UNDECIDED: Final = {"", "auto"}
"""What only a request can ask for."""
_TIER: Final = ("serviceTier", "service_tier", "resolvedServiceTier")
_LATENCY: Final = "performanceConfig"
_SAY_SO: Final = frozenset({*_TIER, _LATENCY})

Json = Mapping[str, Any]
_NONE: Final[Json] = {}


def tier_of(record: Json) -> Tier:
    """The tier that a record of the invocation log names; standard if it names none.

    What the answer says was served counts. What only the request asks for counts if it is dearer
    than standard: AWS may serve another tier, and asking must not make a call cheaper.
    """
    answer = _body(record, "output", "outputBodyJson")
    request = _body(record, "input", "inputBodyJson")
    if not answer and not request and _SAY_SO.isdisjoint(record):
        return Tier.STANDARD
    answers = list(_items(answer))
    served = [*_tiers(answers), *_tiers([record])]
    if served:
        return _fast(answers, record) if served[-1] is Tier.STANDARD else served[-1]
    requests = list(_items(request))
    asked = [each for each in _tiers(requests) if each is not Tier.OTHER]
    if asked and asked[-1].times_standard > 1:
        return asked[-1]
    return _fast([*requests, *answers], record)


def _body(record: Json, section: str, name: str) -> object:
    return _mapping(record.get(section)).get(name)


def _items(body: object) -> Iterator[Json]:
    """The objects in which an answer or an event of its stream tells how it was made."""
    for item in body if isinstance(body, list) else [body]:
        if not isinstance(item, dict):  # as where bodies are not logged
            continue
        yield item
        for part in ("message", "metadata", "response"):
            inner = item.get(part)
            if isinstance(inner, dict):
                yield inner
                yield _mapping(inner.get("usage"))
        yield _mapping(item.get("usage"))


def _tiers(items: Iterable[Json]) -> Iterator[Tier]:
    for item in items:
        for name in _TIER:
            said = item.get(name)
            word = said.get("type") if isinstance(said, dict) else said
            if isinstance(word, str) and word.lower() not in _UNDECIDED:
                yield SAID.get(word.lower(), Tier.OTHER)


def _fast(items: Iterable[Json], record: Json) -> Tier:
    """Latency-optimised or standard: the last to say so is right."""
    latency = "standard"
    for item in (record, *items):
        said = _mapping(item.get(_LATENCY)).get("latency")
        latency = said if isinstance(said, str) else latency
    return Tier.OPTIMIZED if latency == "optimized" else Tier.STANDARD


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else _NONE
