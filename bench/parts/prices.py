"""What AWS asks for in us-east-1, in dollars, by public lists of 2026 and before every free tier.

The functions have 512 MB, hence 512 / 1,769 of a processor.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .deployment import Made

WRITE_UNIT = 0.625e-6
READ_UNIT = 0.125e-6
REQUEST = 0.20e-6
GB_SECOND = 0.0000133334
"""On arm64, where the functions run."""
LOGGED_BYTE = 0.50e-9
METRIC_READ = 0.01e-3
"""Of GetMetricData for a metric, and of ListMetrics for a call."""
METRIC_MONTH = 0.30
"""Of a custom metric, by the hour in which it has data."""
ALARM_MONTH = 0.10
LOG_GB_MONTH = 0.03
TABLE_GB_MONTH = 0.25 + 0.20
"""Of a table, and of its point-in-time recovery."""
TICK = 1e-6
HOURS = 730
"""In a month."""
MEMORY_GB = 0.5
SHARE = 512 / 1769
WAIT = 0.010
"""Seconds until AWS answers a call, assumed."""
SENT = 0.001
"""Seconds of a processor to send a request and read its answer, which is not done here: as against
the embedded AWS on a quiet machine."""
AT_ONCE = 4
"""Calls that are made side by side, at least, where the functions make several so."""

Bill = dict[str, float]
"""Dollars by what they are for."""


def of(made: "Made") -> Bill:
    """What a function's runs cost, without their traces.

    All are taken to be as quick as the quickest: what else this machine does is none of theirs.
    """
    waits = made.calls.total() - made.at_once * (1 - 1 / AT_ONCE)
    worked = made.runs * min(made.cpu) + made.calls.total() * SENT if made.runs else 0
    seconds = worked / SHARE + waits * WAIT
    return {
        "DynamoDB writes": made.units.written * WRITE_UNIT,
        "DynamoDB reads": made.units.read * READ_UNIT,
        "Lambda requests": made.runs * REQUEST,
        "Lambda GB-s": seconds * MEMORY_GB * GB_SECOND,
        "own logs": made.log_bytes * LOGGED_BYTE,
        "metrics read": (made.metrics_read + made.calls["ListMetrics"]) * METRIC_READ,
    }


def scheduled(runs: int) -> Bill:
    """For runs that the schedule set off, beside what they make."""
    return {"schedules": runs * TICK}


def total(bills: Iterable[tuple[Bill, float]]) -> Bill:
    """The sum of several, each so many times."""
    found: Bill = {}
    for bill, times in bills:
        for item, dollars in bill.items():
            found[item] = found.get(item, 0.0) + dollars * times
    return found


def itemised(bill: Bill, times: float) -> str:
    """So many times the bill, in words."""
    return ", ".join(f"{item} {dollars * times:.2f}" for item, dollars in bill.items() if dollars)
