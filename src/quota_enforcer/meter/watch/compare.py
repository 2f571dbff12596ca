"""What was metered, held against Bedrock's own totals: hour by hour and model by model.

The log dates a call by its beginning and the metrics perhaps by its end, so what one hour has too
little and its neighbour too much is no difference. Bedrock may or may not count calls that failed
later; hence it says at least how much there was, and at most.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, Self

from quota_enforcer.core.usage.counts import PROMPT, Counts

PERCENT: Final = 5
"""A difference up to this much is none."""
FEWEST: Final = (10, 50_000, 50_000)
"""Nor is one of no more requests, tokens of prompts, and tokens of answers."""
ALL: Final = "all models"
"""In place of models' names where one of them is known by an ARN on one side only."""


class Volume(NamedTuple):
    """How much was used."""

    requests: int = 0
    prompt: int = 0
    """Tokens, cached ones among them."""
    output: int = 0

    def plus(self, other: "Volume") -> "Volume":
        return Volume._make(map(sum, zip(self, other, strict=True)))

    def beyond(self, other: "Volume") -> "Volume":
        """What is more than the other; never below zero."""
        return Volume._make(max(mine - its, 0) for mine, its in zip(self, other, strict=True))

    def is_much_of(self, whole: "Volume") -> bool:
        """Whether any of it is beyond the threshold."""
        return any(
            part > fewest and part * 100 > PERCENT * of
            for part, fewest, of in zip(self, FEWEST, whole, strict=True)
        )


class Witnessed(NamedTuple):
    """What Bedrock's metrics say of one model in one hour."""

    least: Volume = Volume()
    """Without calls that failed."""
    most: Volume = Volume()
    """With them, and with cached tokens counted apart."""


class ModelTally(NamedTuple):
    """What was metered of one model in one hour."""

    volume: Volume = Volume()
    incomplete: int = 0
    """Requests of which the log lacks a count of tokens, so that tokens say less."""

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """The tally of counted usage."""
        prompt = sum(getattr(counts, counter) for counter in PROMPT)
        volume = Volume(counts.requests, prompt, counts.output_tokens)
        return cls(volume, counts.incomplete_requests)


@dataclass(frozen=True, slots=True)
class HourSeen:
    """One hour from both sides, by canonical model."""

    witnessed: Mapping[str, Witnessed] = field(default_factory=dict)
    metered: Mapping[str, ModelTally] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(map(_is_opaque, {*self.witnessed} ^ {*self.metered})):
            object.__setattr__(self, "witnessed", {ALL: _all_witnessed(self.witnessed.values())})
            object.__setattr__(self, "metered", {ALL: _all_metered(self.metered.values())})

    @property
    def models(self) -> frozenset[str]:
        return frozenset(self.witnessed) | frozenset(self.metered)


class Difference(NamedTuple):
    """What one side has of a model and the other lacks, and what AWS counted in all."""

    model: str
    volume: Volume
    counted: Volume


Differences = Mapping[datetime, tuple[Difference, ...]]
"""By hour; those without any are left out."""
_Found = Callable[[HourSeen, HourSeen, HourSeen], Iterator[Difference]]
"""The differences of the hour in the middle."""


def unmetered(hours: Mapping[datetime, HourSeen]) -> Differences:
    """What Bedrock counted and nobody metered, where that is much or an hour's all."""

    def found(before: HourSeen, hour: HourSeen, after: HourSeen) -> Iterator[Difference]:
        nothing = not any(each.volume.requests for each in hour.metered.values())
        for model in sorted(hour.models):
            least = hour.witnessed.get(model, Witnessed()).least
            tally = hour.metered.get(model, ModelTally())
            missing = least.beyond(tally.volume)
            for near in (before, after):
                there = near.metered.get(model, ModelTally()).volume
                missing = missing.beyond(there.beyond(near.witnessed.get(model, Witnessed()).least))
            if tally.incomplete:
                missing = Volume(missing.requests)
            if missing.is_much_of(least) or (nothing and missing.requests):
                yield Difference(model, missing, least)

    return _each(hours, found)


def overmetered(hours: Mapping[datetime, HourSeen]) -> Differences:
    """What was metered though Bedrock never counted it, where that is much."""

    def found(before: HourSeen, hour: HourSeen, after: HourSeen) -> Iterator[Difference]:
        for model in sorted(hour.models):
            most = hour.witnessed.get(model, Witnessed()).most
            more = hour.metered.get(model, ModelTally()).volume.beyond(most)
            for near in (before, after):
                there = near.witnessed.get(model, Witnessed()).most
                more = more.beyond(there.beyond(near.metered.get(model, ModelTally()).volume))
            if more.is_much_of(most):
                yield Difference(model, more, most)

    return _each(hours, found)


def _each(hours: Mapping[datetime, HourSeen], found: _Found) -> Differences:
    none = HourSeen()
    moments = sorted(hours)
    around = [none, *(hours[each] for each in moments), none]
    several = {
        moment: tuple(found(*around[place : place + 3])) for place, moment in enumerate(moments)
    }
    return {moment: differences for moment, differences in several.items() if differences}


def _is_opaque(model: str) -> bool:
    """Whether a name is none of a foundation model, all of which say whose they are."""
    return "/" in model or "." not in model


def _all_witnessed(several: Iterable[Witnessed]) -> Witnessed:
    least = most = Volume()
    for each in several:
        least, most = least.plus(each.least), most.plus(each.most)
    return Witnessed(least, most)


def _all_metered(several: Iterable[ModelTally]) -> ModelTally:
    volume, incomplete = Volume(), 0
    for each in several:
        volume, incomplete = volume.plus(each.volume), incomplete + each.incomplete
    return ModelTally(volume, incomplete)
