"""Stages: what a quota closes before its limit is reached, from which part of it on."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from quota_enforcer.core.usage.model import ModelScope

AT_LIMIT: Final = 100
"""Percent of a limit at which a quota is used up, and its last stage closes."""


@dataclass(frozen=True, slots=True)
class Stage:
    """From this part of the limit on these models are closed, and no others."""

    percent: int
    closes: tuple[ModelScope, ...]

    def __str__(self) -> str:
        return f"{closed_words(self.closes)} at {self.percent} %"


def part_of(limit: Decimal, percent: int) -> Decimal:
    """This part of a limit, exact for every limit that an item may have; infinite of no limit."""
    return limit * percent / AT_LIMIT


def whole_of(part: Decimal, percent: int) -> Decimal:
    """The limit of which this is a part."""
    return part * AT_LIMIT / percent


def closed_words(scopes: Sequence[ModelScope]) -> str:
    """`everything`, or the scopes."""
    several = list(map(str, scopes))
    return "everything" if "*" in several else ", ".join(several)


def opened_again(stages: Sequence[Stage]) -> tuple[Stage, Stage, ModelScope] | None:
    """A stage, one before it, and what that closed and this one leaves open; None if none does."""
    for place, later in enumerate(stages):
        for earlier in stages[:place]:
            for scope in earlier.closes:
                if not any(each.includes(scope) for each in later.closes):
                    return later, earlier, scope
    return None
