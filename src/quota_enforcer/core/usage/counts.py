"""What is counted: the counters of a bucket and the measures that quotas put limits on."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Self, cast

NO_MONEY = Decimal(0)

Number = int | Decimal
"""What a measure comes to: whole for counts, exact decimals for weights and costs."""


class Counts(NamedTuple):
    """The counters of one bucket; tokens as Bedrock reports them, cached ones apart."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    incomplete_requests: int = 0
    """Those of which the log lacks a count of tokens, as where a stream broke off."""
    cost_usd: Decimal = NO_MONEY
    """Exact dollars."""
    assumed_usd: Decimal = NO_MONEY
    """The part of them that is assumed: what the dearest price that could apply is more than a
    known one, or all of it."""
    saved_usd: Decimal = NO_MONEY
    """What reads of the prompt cache saved: the dollars that the same tokens cost more as input.

    Only at known prices. What was metered before there was such a counter has none."""

    @classmethod
    def total(cls, rows: Iterable[Self]) -> Self:
        """The sum, counter by counter; zero for no rows."""
        several = list(rows)
        if not several:
            return cls()
        if len(several) == 1:  # so it is of most windows
            return several[0]
        # Most counters are zero in all rows, which is quicker to see than to add.
        columns = zip(*several, strict=True)
        return cls._make([sum(each) if each[0] or any(each) else each[0] for each in columns])

    @classmethod
    def observed(cls, numbers: Iterable[int]) -> Self:
        """Counts as AWS gives them, in the order of OBSERVED; what they cost is not known yet."""
        return cls._make((*numbers, NO_MONEY, NO_MONEY, NO_MONEY))

    @property
    def tokens(self) -> int:
        """The sum of all token counts."""
        return sum(cast("tuple[int, ...]", self[1:COUNTED]))


_OBSERVED = Counts._fields.index("cost_usd")
OBSERVED = Counts._fields[:_OBSERVED]
"""The counters that AWS observes; what they cost is computed."""


class TokenCount(NamedTuple):
    """A count of tokens: its field in an invocation-log record, and the prices it is charged at.

    https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
    """

    short: str
    """As the ledger names it, with each hour of each bucket."""
    section: str
    field: str
    prices: tuple[str, ...]
    spellings: tuple[str, ...] = ()
    """How answers of Bedrock and some exports of the log name the same count."""
    instead_of: str = ""
    """The price that these tokens would cost if nothing had been saved."""

    @property
    def metric(self) -> str:
        """As the template's metric filters name it: `InputTokenCount`."""
        return f"{self.field[0].upper()}{self.field[1:]}"


TOKEN_COUNTS: Mapping[str, TokenCount] = {
    "input_tokens": TokenCount("in", "input", "inputTokenCount", ("input",)),
    "output_tokens": TokenCount("out", "output", "outputTokenCount", ("output",)),
    "cache_read_tokens": TokenCount(
        "read",
        "input",
        "cacheReadInputTokenCount",
        ("cache_read",),
        ("cacheReadInputTokens", "cacheReadInputTokensCount", "cache_read_input_tokens"),
        instead_of="input",
    ),
    "cache_write_tokens": TokenCount(
        "write",
        "input",
        "cacheWriteInputTokenCount",
        ("cache_write", "cache_write_1h"),
        ("cacheWriteInputTokens", "cacheWriteInputTokensCount", "cache_creation_input_tokens"),
    ),
}
"""All observed counters of tokens, in the order of Counts."""
COUNTED = 1 + len(TOKEN_COUNTS)
"""So many counters say what a call was: the request and its tokens."""
METRIC_NAMES: Mapping[str, str] = {
    "requests": "Invocations",
    **{counter: each.metric for counter, each in TOKEN_COUNTS.items()},
    "incomplete_requests": "IncompleteInvocations",
}
"""The metric of each observed counter."""
SHORT_NAMES: Mapping[str, str] = {
    "requests": "n",
    **{counter: each.short for counter, each in TOKEN_COUNTS.items()},
    "incomplete_requests": "incomplete",
    "cost_usd": "usd",
    "assumed_usd": "est",
    "saved_usd": "saved",
}
"""Each counter as the ledger names it: a write there costs by the size of what is written to."""
PROMPT = tuple(counter for counter, each in TOKEN_COUNTS.items() if each.section == "input")
"""The counters whose sum is the length of a prompt."""


class Measure(StrEnum):
    """What a quota's limit is a number of."""

    REQUESTS = "requests"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    CACHE_READ_TOKENS = "cache_read_tokens"
    CACHE_WRITE_TOKENS = "cache_write_tokens"
    INCOMPLETE_REQUESTS = "incomplete_requests"
    TOTAL_TOKENS = "total_tokens"
    WEIGHTED_TOKENS = "weighted_tokens"
    COST_USD = "cost_usd"

    def of(self, counts: Counts, weights: Sequence[Decimal] = ()) -> Number:
        """This measure's number in a bucket's counters; `weights` are those of OBSERVED."""
        if self is Measure.TOTAL_TOKENS:
            return counts.tokens
        if self is Measure.WEIGHTED_TOKENS:
            weighed = zip(weights, counts[: len(OBSERVED)], strict=True)
            return sum((weight * count for weight, count in weighed), NO_MONEY)
        return counts[_POSITION[self]]

    @property
    def fractional(self) -> bool:
        """Whether its numbers and limits may have decimal places."""
        return self in _FRACTIONAL

    @property
    def words(self) -> str:
        """As people read it: `total tokens`."""
        return "US dollars" if self is Measure.COST_USD else self.value.replace("_", " ")


_FRACTIONAL = {Measure.WEIGHTED_TOKENS, Measure.COST_USD}
_POSITION = {
    Measure(field): position
    for position, field in enumerate(Counts._fields)
    if field in set(Measure)
}
