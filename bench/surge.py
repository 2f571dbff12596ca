"""2,000 calls a second for ten seconds through the stream meter: nothing lost, nothing twice.

Deliveries of 1,000 records, every tenth of them once more, as CloudWatch Logs may do, are metered
one after the other by the real handler; from the processor time of each follows how far the ledger
would lag with so many functions at once, each with its share of a processor. The ledger is in
memory and answers at once: DynamoDB's own time, and conflicts of functions that write the same
usage at once, come on top.
"""

import os
import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

from botocore.client import BaseClient

from quota_enforcer.aws.dynamodb.ledger.usage.buckets.items import day_of

if TYPE_CHECKING:
    from bench.parts.deployment import ENVIRONMENT, context
    from bench.parts.figures import Figure, report
    from bench.parts.records import callers, delivery, record
    from bench.parts.tables import Tables
else:  # a script finds what lies beside it
    from parts.deployment import ENVIRONMENT, context
    from parts.figures import Figure, report
    from parts.records import callers, delivery, record
    from parts.tables import Tables

PER_SECOND = 2_000
SECONDS = 10
RECORDS = 1_000
MOST_CALLS = 30
"""In one delivery."""
AGAIN = 10
"""Every so many deliveries one comes twice."""
PRINCIPALS = 1_000
SHARE = 512 / 1_769
"""Of a processor that Lambda gives to a function with 512 MB.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""
KEYS = {
    "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1",
    "METERING": "stream", "POWERTOOLS_SERVICE_NAME": "meter",
}  # fmt: skip


def expected(deliveries: int) -> Counter[str]:
    """What the ledger must hold in the end, to the token."""
    sums: Counter[str] = Counter(requests=deliveries * RECORDS)
    for number in range(deliveries * RECORDS):
        made = record(number, "u0", datetime.now(UTC))
        sums["input_tokens"] += made["input"]["inputTokenCount"]
        sums["output_tokens"] += made["output"]["outputTokenCount"]
    return sums


def main() -> None:
    """Send them, and hold the ledger against what was sent."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    deliveries = seconds * PER_SECOND // RECORDS
    os.environ |= ENVIRONMENT | KEYS
    tables, calls = Tables("ledger", "quotas"), Counter[str]()

    def call(client: Any, operation: str, request: dict[str, Any]) -> Any:
        calls[operation] += 1
        if client.meta.service_model.service_name == "dynamodb":
            return tables.answer(operation, request)
        return {"StatusCode": 202}

    boto: Any = BaseClient
    boto._make_api_call = call  # noqa: SLF001
    log = StringIO()
    with redirect_stdout(log):  # which its logger keeps
        from quota_enforcer.lambdas.meter import (  # noqa: PLC0415 - after the stand-in
            handler as meter,
        )

        meter.meter()
    newest = datetime.now(UTC)
    answers, took = Counter[str](), []
    for number in range(deliveries):
        who = callers(number, RECORDS, PRINCIPALS)
        event = delivery(number * RECORDS, who, newest)
        began = time.process_time()
        for _ in range(1 + (number % AGAIN == 0)):
            with redirect_stdout(log):
                answer = meter.handler(event, context())
            answers.update({k: v for k, v in answer.items() if isinstance(v, int)})
        took.append(time.process_time() - began)
    usage: Counter[str] = Counter()
    for item in tables.tables["ledger"].everything():
        if item["sk"]["S"].startswith("usage#"):
            usage.update({k: int(v) for k, v in day_of(item)._asdict().items() if v})
    wanted, peak = expected(deliveries), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent = deliveries * RECORDS
    print(
        f"surge: {sent:,} calls of {PRINCIPALS:,} principals in {seconds} s, and "
        f"{answers['duplicates']:,} that came again: {answers['counted']:,} counted in "
        f"{sum(took):.0f} s of processor time; {calls.total():,} AWS calls ({dict(calls)}); "
        f"{peak / 1024:.0f} MB with the tables"
    )
    for functions in (1, 2, 4, 8):
        lags = lagging([each / SHARE for each in took], functions)
        print(
            f"surge: with {functions} at once a delivery is in the ledger "
            f"{statistics.median(lags):.1f} s after its last record (median), {max(lags):.1f} s "
            f"at most, {lags[-1]:.1f} s at the end"
        )
    off = sum(abs(usage[name] - count) for name, count in wanted.items())
    calls_made = 1_000 * calls.total() / (sent + answers["duplicates"])
    report(
        [
            Figure("a surge's calls and tokens lost or twice", off, "", 0),
            Figure("AWS calls for 1,000 records of a surge", calls_made, "calls", MOST_CALLS),
        ]
    )


def lagging(took: Sequence[float], functions: int) -> list[float]:
    """From a delivery's arrival to its end, where the function that is free first takes it."""
    free, lags = [0.0] * functions, []
    for number, seconds in enumerate(took):
        arrives = (number + 1) * RECORDS / PER_SECOND
        first = free.index(min(free))
        free[first] = max(free[first], arrives) + seconds
        lags.append(free[first] - arrives)
    return lags


if __name__ == "__main__":
    main()
