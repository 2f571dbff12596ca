"""The one table of observed counters."""

from dataclasses import fields

from quota_enforcer.core.pricing.rate import COUNTED_BY, TOKEN_PRICES, Rate
from quota_enforcer.core.usage.counts import (
    METRIC_NAMES,
    OBSERVED,
    PROMPT,
    TOKEN_COUNTS,
    Counts,
    Measure,
)


def test_the_table_has_every_observed_counter_in_the_order_of_counts() -> None:
    observed = ("requests", *TOKEN_COUNTS, "incomplete_requests")
    assert observed == OBSERVED == tuple(METRIC_NAMES)
    assert Counts._fields[: len(OBSERVED)] == OBSERVED


def test_each_has_a_measure_a_metric_and_prices_that_a_rate_has() -> None:
    assert set(OBSERVED) <= set(Measure)
    assert len(set(METRIC_NAMES.values())) == len(OBSERVED)
    assert METRIC_NAMES["cache_read_tokens"] == "CacheReadInputTokenCount"
    assert set(TOKEN_PRICES) <= {each.name for each in fields(Rate)}
    assert all(each.prices for each in TOKEN_COUNTS.values())
    assert COUNTED_BY["cache_write_1h"] == COUNTED_BY["cache_write"] == "cache_write_tokens"


def test_a_prompt_is_all_that_goes_in() -> None:
    assert PROMPT == ("input_tokens", "cache_read_tokens", "cache_write_tokens")
