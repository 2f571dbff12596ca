"""What is counted: the counters of a bucket and the measures that quotas put limits on."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Self


class Counts(NamedTuple):
    """The counters of one bucket; tokens as Bedrock reports them, cached ones apart."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @classmethod
    def total(cls, rows: Iterable[Self]) -> Self:
        """The sum, counter by counter; zero for no rows."""
        return cls(*map(sum, zip(*rows, strict=True)))


class Measure(StrEnum):
    """What a quota's limit is a number of."""

    REQUESTS = "requests"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    CACHE_READ_TOKENS = "cache_read_tokens"
    CACHE_WRITE_TOKENS = "cache_write_tokens"
    TOTAL_TOKENS = "total_tokens"

    def of(self, counts: Counts) -> int:
        """This measure's number in a bucket's counters."""
        if self is Measure.TOTAL_TOKENS:
            return sum(counts[1:])
        return counts[_POSITION[self]]

    @property
    def words(self) -> str:
        """As people read it: `total tokens`."""
        return self.value.replace("_", " ")


_POSITION = {Measure(field): position for position, field in enumerate(Counts._fields)}
