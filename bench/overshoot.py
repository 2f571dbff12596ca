"""How far principals get past a limit: real traces through each meter, on the product's own replay.

What is measured elsewhere and put in here: the log's lag (3.5 / 10.3 / 13.3 / 15.0 s, min / p50 /
p90 / max of a real export), the stream meter with its sweep, and IAM's propagation. What AWS gives
no figure for is assumed as the README says: CloudWatch has a point 1 to 5 minutes after the minute
ends, and lists a new series up to 15 minutes after its first point.
Generated: who called in two of the traces, and the third's single calls (data/NOTICE.md).
"""

import csv
import gzip
import random
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.principal import Identity, Kind, Principal
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.insight.simulate import Delays, simulate
from quota_enforcer.meter.log.record import Counted

DATA = Path(__file__).parent / "data"
START = datetime(2026, 11, 2, tzinfo=UTC)
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PEOPLE = 20
"""Over how many principals the calls of a trace without names are spread."""
LAG = ((0.0, 3.5), (0.5, 10.3), (0.9, 13.3), (1.0, 15.0))
STREAM = timedelta(seconds=1)
"""The meter's and the enforcer's work, and Lambda's hand-over between them."""
IAM = timedelta(seconds=4)
POINT = 60, 300
LISTED = 900
"""Seconds until a new series is listed, at most."""
MINUTE = timedelta(minutes=1)
EARLIEST, LATEST = 0.1, 0.6
"""At which part of a principal's usage its limit lies."""
SEED = 5

Trace = dict[Principal, list[Counted]]


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of one of the extracts."""
    with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="ascii", newline="") as text:
        yield from csv.DictReader(text)


def a_call(who: Principal, seconds: float, counts: Counts) -> Counted:
    """A call so many seconds after the start."""
    at = START + timedelta(seconds=seconds)
    return Counted(at, str(who), Identity(who), MODEL, "us-east-1", counts, None, None)


def spread(name: str) -> Trace:
    """One hour of a service: its conversations, or its calls, spread over principals."""
    dice = random.Random(SEED)  # noqa: S311 - numbers for a benchmark
    people = [Principal(Kind.USER, f"{name}-{number}") for number in range(PEOPLE)]
    of: defaultdict[str, Principal] = defaultdict(lambda: dice.choice(people))
    trace: Trace = defaultdict(list)
    for number, row in enumerate(rows(name)):
        who = of[row.get("d_conv", str(number))]
        cached = int(row.get("d_prefix_hit_tokens", 0))
        fresh = int(row["input_tokens"]) - cached
        counts = Counts(1, fresh, int(row["output_tokens"]), cached)
        trace[who].append(a_call(who, int(row["t_ms"]) / 1000, counts))
    return trace


def drawn() -> Trace:
    """One day of 23 clients: calls drawn from their windows and quantiles of lengths."""
    dice = random.Random(SEED)  # noqa: S311 - numbers for a benchmark
    lengths: dict[tuple[str, int, str], list[tuple[float, float]]] = {
        (row["client"], int(row["t_s"]), row["field"]): [
            (int(name[1:]) / 100, float(value)) for name, value in row.items() if name[1:].isdigit()
        ]
        for row in rows("servegen_lengths")
    }
    trace: Trace = defaultdict(list)
    for row in rows("servegen_windows"):
        who, start = Principal(Kind.USER, f"servegen-{row['client']}"), int(row["t_s"])
        for _ in range(int(float(row["requests"]))):
            read, written = (
                round(between(lengths[row["client"], start // 21600 * 21600, field], dice.random()))
                for field in ("input_tokens", "output_tokens")
            )
            trace[who].append(a_call(who, start + dice.random() * 600, Counts(1, read, written)))
    return {who: sorted(calls, key=lambda call: call.at) for who, calls in trace.items()}


def between(quantiles: Sequence[tuple[float, float]], at: float) -> float:
    """A value of a distribution, interpolated between its quantiles."""
    for (low, start), (high, end) in pairwise(quantiles):
        if at <= high:
            return start + (end - start) * (at - low) / (high - low)
    return quantiles[-1][1]


def grid(minutes: int) -> Callable[[datetime], datetime]:
    """The next sweep of a schedule, with the sweep's own time."""
    step = minutes * MINUTE
    return lambda moment: moment + (START - moment) % step + STREAM


def meters() -> Iterator[tuple[str, Delays]]:
    """Each way to meter, with its delays drawn anew."""
    dice = random.Random(SEED)  # noqa: S311 - numbers for a benchmark

    def logged(call: Counted) -> datetime:
        return call.at + timedelta(seconds=between(LAG, dice.random()))

    yield "none: denied at once", Delays()
    yield "stream", Delays(logged, lambda moment: moment + STREAM, IAM)
    for minutes in (1, 5):
        listed: dict[str, datetime] = {}

        def point(call: Counted, listed: dict[str, datetime] = listed) -> datetime:
            minute = logged(call).replace(second=0, microsecond=0) + MINUTE
            known = minute + timedelta(seconds=dice.uniform(*POINT))
            new = known + timedelta(seconds=dice.uniform(0, LISTED))
            return max(known, listed.setdefault(call.arn, new))

        yield f"cloudwatch, sweep every {minutes} min", Delays(point, grid(minutes), IAM)
    yield "scan of the log every 15 min", Delays(logged, grid(15), IAM)


@dataclass(frozen=True, slots=True)
class Past:
    """How far one principal got past a limit; seconds from the call that reached it to the deny."""

    amount: Decimal
    seconds: float | None


def limits(
    trace: Trace, measure: Measure, price: Callable[[Counted], Cost]
) -> tuple[list[Quota], dict[Principal, datetime]]:
    """A monthly limit for each principal that lies mid-trace, and when it is reached."""
    dice = random.Random(SEED)  # noqa: S311 - numbers for a benchmark
    quotas: list[Quota] = []
    crossed: dict[Principal, datetime] = {}
    for who, calls in trace.items():
        used = [amount(call, measure, price) for call in calls]
        limit = sum(used, Decimal(0)) * Decimal(str(round(dice.uniform(EARLIEST, LATEST), 3)))
        quotas.append(
            Quota(
                Subject(str(who)), "limit", measure=measure, limit=limit, window=Window(Unit.MONTH),
                warn_at=(),
            )
        )  # fmt: skip
        total = Decimal(0)
        for call, each in zip(calls, used, strict=True):
            total += each
            if total >= limit:
                crossed[who] = call.at
                break
    return quotas, crossed


def amount(call: Counted, measure: Measure, price: Callable[[Counted], Cost]) -> Decimal:
    """What a call adds to a measure."""
    return price(call).usd if measure is Measure.COST_USD else Decimal(call.counts.tokens)


def overshoot(
    trace: Trace, measure: Measure, delays: Delays, price: Callable[[Counted], Cost]
) -> list[Past]:
    """Replay a trace and see how far everybody got."""
    quotas, crossed = limits(trace, measure, price)
    calls = [call for several in trace.values() for call in several]
    outcomes = simulate(calls, quotas, price, ZoneInfo("UTC"), delays)
    found = []
    for quota in quotas:
        who = Principal.parse(quota.subject)
        used = outcomes[who].used
        total = used.cost_usd if measure is Measure.COST_USD else Decimal(used.tokens)
        denied = [each.at + delays.in_force for each in outcomes[who].events]
        took = (denied[0] - crossed[who]).total_seconds() if denied else None
        found.append(Past(total - quota.limit, took))
    return found


def spans(values: list[Any], form: str) -> str:
    """p50 / p95 / max."""
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return " / ".join(
        format(each, form) for each in (statistics.median(values), cuts[18], max(values))
    )


def main() -> None:
    """Print the table, over all principals and trace by trace."""
    table = PriceTable(shipped_rates(), {})
    prices: dict[int, Cost] = {}

    def price(call: Counted) -> Cost:
        if id(call) not in prices:
            prices[id(call)] = table.cost(call.model_id, call.region, call.counts)
        return prices[id(call)]

    traces = {
        "Mooncake, 1 h of chat, 20 principals": spread("mooncake"),
        "Azure 2023, 1 h of conversations, 20 principals": spread("azure"),
        "ServeGen, 1 day of 23 clients (drawn)": drawn(),
    }
    results: dict[tuple[str, str, Measure], list[Past]] = {}
    for measure in (Measure.TOTAL_TOKENS, Measure.COST_USD):
        for name, trace in traces.items():
            for meter, delays in meters():
                results[name, meter, measure] = overshoot(trace, measure, delays, price)
    print(f"overshoot, p50 / p95 / max; dollars at the price of {MODEL}")
    for title, names in [("all traces", list(traces)), *((name, [name]) for name in traces)]:
        people = sum(len(traces[name]) for name in names)
        print(f"\n{title}: {people} principals\n")
        print("| meter | seconds until denied | tokens past the limit | dollars past the limit |")
        print("|---|---|---|---|")
        for meter, _ in meters():
            tokens, dollars = (
                [past for name in names for past in results[name, meter, measure]]
                for measure in (Measure.TOTAL_TOKENS, Measure.COST_USD)
            )
            seconds = [past.seconds for past in tokens if past.seconds is not None]
            print(
                f"| {meter} | {spans(seconds, ',.0f')} | "
                f"{spans([past.amount for past in tokens], ',.0f')} | "
                f"{spans([past.amount for past in dollars], ',.2f')} |"
            )
            if len(seconds) < people:
                print(f"  {people - len(seconds)} were never denied: their trace ended first")


if __name__ == "__main__":
    main()
