"""How far principals get past a limit: real traces through each meter, on the product's own replay.

With `overshoot: avoid` a quota closes before its limit: what that saves, what it leaves unused and
whom it refuses too early is told beside it, over three draws of the limits, since one call can be a
hundred times the usual one and the 95th percentile follows whoever makes it. Its rule was tuned on
two thirds of each trace's principals, with other limits; the third held back is told apart.
With `overshoot.py curve` it draws what more or less kept back would do.
What is measured elsewhere and put in here: the log's lag (3.5 / 10.3 / 13.3 / 15.0 s, min / p50 /
p90 / max of a real export), the stream meter with its sweep, and IAM's propagation. What AWS gives
no figure for is assumed as the README says: CloudWatch has a point 1 to 5 minutes after the minute
ends, and lists a new series up to 15 minutes after its first point.
Generated: who called in two of the traces, and the third's single calls (data/NOTICE.md).
"""

import csv
import gzip
import os
import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import accumulate, pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.principal import Identity, Kind, Principal
from quota_enforcer.core.quotas.quota import Overshoot, Quota
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.pace import USUAL_LAG
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.decide.pace import ahead
from quota_enforcer.insight.simulate.replay import Delays, Simulated, simulate
from quota_enforcer.meter.log.record import Counted

if TYPE_CHECKING:
    from bench.parts.curve import Point, drawn_curve
    from bench.parts.figures import Figure, report
else:  # a script finds what lies beside it
    from parts.curve import Point, drawn_curve
    from parts.figures import Figure, report

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
DRAWS = 3
"""Of the limits: the aims are judged by the first, which all tables have."""
CURVE = (("0", "0.05"), ("1", "0.05"), ("1.25", "0.05"), ("1.75", "0.05"), ("3", "0.05"))
"""Standard deviations kept back, and the part of the limit that bounds it."""
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "overshoot.svg"
NONE, STREAM_METER, AVOID = "none: denied at once", "stream", "stream, overshoot: avoid"
HELD_BACK = 3
"""One principal in so many of each trace was kept from tuning."""
MOST_PAST = 10
"""Percent of what `stream` lets through, at p95: the aims of `overshoot: avoid`."""
MOST_UNUSED = 5.0
"""Percent of the limit, at p95."""
MOST_EARLY = 200
"""One call in so many at most may be refused though it would have fitted."""

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

    def logged(call: Counted, dice: random.Random = dice) -> datetime:
        return call.at + timedelta(seconds=between(LAG, dice.random()))

    def alike(call: Counted, dice: random.Random = random.Random(SEED)) -> datetime:  # noqa: B008, S311
        return logged(call, dice)

    yield NONE, Delays()
    yield STREAM_METER, Delays(logged, lambda moment: moment + STREAM, IAM)
    yield AVOID, Delays(alike, lambda moment: moment + STREAM, IAM, USUAL_LAG)
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
    unused: float
    """Percent of the limit."""
    early: int
    """Calls refused that would have fitted, had none been refused."""
    fitting: int
    """Calls that would have."""
    calls: int
    largest: Decimal
    """Call, whoever let it through."""


def limits(
    trace: Trace, measure: Measure, price: Callable[[Counted], Cost], draw: int
) -> tuple[list[Quota], dict[Principal, datetime]]:
    """A monthly limit for each principal that lies mid-trace, and when it is reached."""
    dice = random.Random(SEED + draw)  # noqa: S311 - numbers for a benchmark
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
    trace: Trace,
    measure: Measure,
    delays: Delays,
    price: Callable[[Counted], Cost],
    kind: Overshoot = Overshoot.ALLOW,
    draw: int = 0,
) -> list[Past]:
    """Replay a trace and see how far everybody got."""
    quotas, crossed = limits(trace, measure, price, draw)
    quotas = [replace(each, overshoot=kind) for each in quotas]
    calls = [call for several in trace.values() for call in several]
    outcomes = simulate(calls, quotas, price, ZoneInfo("UTC"), delays)
    found = []
    for quota in quotas:
        who = Principal.parse(quota.subject)
        used = outcomes[who].used
        amounts = [amount(call, measure, price) for call in trace[who]]
        total = used.cost_usd if measure is Measure.COST_USD else Decimal(used.tokens)
        closed = closings(outcomes[who], delays)
        took = (closed[0][0] - crossed[who]).total_seconds() if closed else None
        sums = [*accumulate(amounts)]
        fitting = [
            call for call, so_far in zip(trace[who], sums, strict=True) if so_far <= quota.limit
        ]
        early = sum(any(start <= call.at < end for start, end in closed) for call in fitting)
        unused = float(max(quota.limit - total, Decimal(0)) * 100 / quota.limit)
        past = max(total - quota.limit, Decimal(0))
        found.append(Past(past, took, unused, early, len(fitting), len(sums), max(amounts)))
    return found


def closings(outcome: Simulated, delays: Delays) -> list[tuple[datetime, datetime]]:
    """From when until when IAM refused."""
    found, start = [], None
    for notice in outcome.events:
        if notice.kind is NoticeKind.BLOCKED:
            start = notice.at + delays.in_force
        elif notice.kind is NoticeKind.RESTORED and start is not None:
            found.append((start, notice.at + delays.in_force))
            start = None
    return found if start is None else [*found, (start, datetime.max.replace(tzinfo=UTC))]


def spans(values: Sequence[Any], form: str) -> str:
    """p50 / p95 / max."""
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return " / ".join(
        format(each, form) for each in (statistics.median(values), cuts[18], max(values))
    )


@cache
def traces() -> dict[str, Trace]:
    """By what they are called in the tables."""
    return {
        "Mooncake, 1 h of chat, 20 principals": spread("mooncake"),
        "Azure 2023, 1 h of conversations, 20 principals": spread("azure"),
        "ServeGen, 1 day of 23 clients (drawn)": drawn(),
    }


@cache
def table() -> PriceTable:
    """The shipped prices."""
    return PriceTable(shipped_rates(), {})


def pricing() -> Callable[[Counted], Cost]:
    """What each call cost, found once."""
    known: dict[int, Cost] = {}

    def price(call: Counted) -> Cost:
        if id(call) not in known:
            known[id(call)] = table().cost(call.model_id, call.region, call.counts)
        return known[id(call)]

    return price


class Setting(NamedTuple):
    """Standard deviations that are kept back, and the part of the limit that bounds them."""

    spread: str
    reserve: str


CHOSEN = Setting(str(ahead.SPREAD), str(ahead.RESERVE))
MEASURES = Measure.TOTAL_TOKENS, Measure.COST_USD
First = dict[tuple[str, Measure], dict[str, list[Past]]]
"""By trace and measure, then by meter, in the order of the principals."""
More = dict[tuple[str, Measure, int], dict[str, list[Past]]]
"""The same with the draw of the limits."""


def by_each_meter(name: str, measure: Measure) -> dict[str, list[Past]]:
    """One trace and one draw of limits, through all meters."""
    price = pricing()
    return {
        meter: overshoot(traces()[name], measure, delays, price, _kind(meter))
        for meter, delays in meters()
    }


def another_draw(name: str, measure: Measure, draw: int) -> dict[str, list[Past]]:
    """The same with other limits, through the two that are compared."""
    price, trace = pricing(), traces()[name]
    return {
        meter: overshoot(trace, measure, delays, price, _kind(meter), draw)
        for meter, delays in meters()
        if meter in {STREAM_METER, AVOID}
    }


def on_the_curve(name: str, setting: Setting) -> list[Past]:
    """All draws of limits, with another default; in tokens."""
    ahead.SPREAD, ahead.RESERVE = map(Decimal, setting)  # type: ignore[misc]
    price, trace = pricing(), traces()[name]
    delays = dict(meters())[AVOID]
    found = []
    for draw in range(DRAWS):
        found += overshoot(trace, MEASURES[0], delays, price, Overshoot.AVOID, draw)
    ahead.SPREAD, ahead.RESERVE = map(Decimal, CHOSEN)  # type: ignore[misc]
    return found


def _kind(meter: str) -> Overshoot:
    return Overshoot.AVOID if meter == AVOID else Overshoot.ALLOW


def main() -> None:
    """Print the tables, over all principals and trace by trace; fail where an aim is missed."""
    names = list(traces())
    others = [(name, measure, n) for measure in MEASURES for name in names for n in range(1, DRAWS)]
    asked = sys.argv[1:] == ["curve"]
    settings = [Setting(*each) for each in CURVE if asked and each != CHOSEN]
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        first = {
            (name, measure): processes.submit(by_each_meter, name, measure)
            for measure in MEASURES
            for name in names
        }
        more = {each: processes.submit(another_draw, *each) for each in others}
        curve = {
            setting: [processes.submit(on_the_curve, name, setting) for name in names]
            for setting in settings
        }
        tables = {key: found.result() for key, found in first.items()}
        drawn_again = {key: found.result() for key, found in more.items()}
        moved = {
            setting: [past for each in found for past in each.result()]
            for setting, found in curve.items()
        }
    print(f"overshoot, p50 / p95 / max; dollars at the price of {MODEL}")
    for title, several in [("all traces", names), *((name, [name]) for name in names)]:
        show(title, several, tables)
    figures = aims(names, tables, drawn_again)
    if asked:
        tokens = of_all_draws(names, tables, drawn_again, AVOID, MEASURES[0])
        show_curve({**moved, CHOSEN: [past for _, past in tokens]})
    report(figures)


def of_all_draws(
    names: Iterable[str],
    first: First,
    more: More,
    meter: str,
    measure: Measure,
    draws: int = DRAWS,
) -> list[tuple[int, Past]]:
    """Everybody with each of their limits, and the number of who it is."""
    return [
        each
        for name in names
        for draw in range(draws)
        for each in enumerate(
            more[name, measure, draw][meter] if draw else first[name, measure][meter]
        )
    ]


def show(title: str, names: Sequence[str], results: First) -> None:
    """The table of some traces."""
    people = sum(len(results[name, MEASURES[0]][NONE]) for name in names)
    print(f"\n{title}: {people} principals\n")
    print("| meter | seconds until denied | tokens past the limit | dollars past the limit |")
    print("|---|---|---|---|")
    for meter, _ in meters():
        tokens, dollars = (
            [past for name in names for past in results[name, measure][meter]]
            for measure in MEASURES
        )
        seconds = [past.seconds for past in tokens if past.seconds is not None]
        print(
            f"| {meter} | {spans(seconds, ',.0f')} | "
            f"{spans([past.amount for past in tokens], ',.0f')} | "
            f"{spans([past.amount for past in dollars], ',.2f')} |"
        )
        if len(seconds) < people:
            print(f"  {people - len(seconds)} were never denied: their trace ended first")


class Kept(NamedTuple):
    """What avoiding costs, and what is left of what went past."""

    past: Sequence[Decimal]
    part_of_stream: Decimal
    """The 95th percentile, of that of `stream`."""
    unused: Sequence[float]
    early: int
    calls: int
    fitting: int
    largest: Decimal
    beyond_own: int
    """Principals that passed by more than the largest call of their own."""

    @classmethod
    def of(cls, allow: Sequence[Past], avoid: Sequence[Past]) -> "Kept":
        early, calls, fitting = (
            sum(numbers)
            for numbers in zip(
                *((each.early, each.calls, each.fitting) for each in avoid), strict=True
            )
        )
        past = [each.amount for each in avoid]
        return cls(
            past,
            cut(past) / cut([each.amount for each in allow]),
            [each.unused for each in avoid],
            early,
            calls,
            fitting,
            max(each.largest for each in avoid),
            sum(each.amount > each.largest for each in avoid),
        )


def aims(
    names: Sequence[str],
    first: First,
    more: More,
) -> list[Figure]:
    """What avoiding costs; the tokens of everybody are held to the aims."""
    print(f"\n`overshoot: avoid`, the limits of all tables, and {DRAWS} draws of them\n")
    print("| | past the limit | p95, of stream's | unused, % of the limit |", end="")
    print(" refused too early, 1 in so many of all calls | of those that fit |", end="")
    print(" passed by more than a call of their own |\n|---|---|---|---|---|---|---|")
    judged = None
    for measure, draws in product(MEASURES, (1, DRAWS)):
        several = {
            meter: of_all_draws(names, first, more, meter, measure, draws)
            for meter in (STREAM_METER, AVOID)
        }
        for title, part in (("everybody", 1), ("held back", HELD_BACK)):
            kept = Kept.of(
                *(
                    [past for number, past in several[meter] if not number % part]
                    for meter in (STREAM_METER, AVOID)
                )
            )
            judged = judged or kept
            form = ",.2f" if measure is Measure.COST_USD else ",.0f"
            print(
                f"| {measure.words}, {title}, {len(kept.past)} limits | {spans(kept.past, form)} | "
                f"{kept.part_of_stream:.0%} | {spans(kept.unused, '.1f')} | "
                f"{kept.calls / max(kept.early, 1):.0f} | "
                f"{kept.fitting / max(kept.early, 1):.0f} | {kept.beyond_own} |"
            )
    if judged is None:
        raise AssertionError("no measure was judged")
    largest = float(max(judged.past) / judged.largest)
    per_200 = judged.early / judged.calls * MOST_EARLY
    return [
        Figure(
            "`overshoot: avoid`, tokens past the limit, p95, of stream's",
            round(float(judged.part_of_stream) * 100, 1),
            "%",
            MOST_PAST,
        ),
        Figure("max, of the largest single call", round(largest, 2), "", 1),
        Figure("left unused, p95", round(cut(judged.unused), 1), "% of the limit", MOST_UNUSED),
        Figure(f"refused too early of {MOST_EARLY} calls", round(per_200, 2), "", 1),
    ]


def cut(values: Sequence[Any]) -> Any:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[18]


def show_curve(moved: dict[Setting, list[Past]]) -> None:
    """What more or less kept back would do, in tokens; the default is marked."""
    print("\n| spread kept back | at most, of the limit | tokens past the limit |", end="")
    print(" unused, % of the limit | refused too early, 1 in | of those that fit |")
    print("|---|---|---|---|---|---|")
    points = []
    for setting in map(Setting._make, CURVE):
        several = moved[setting]
        early, calls, fitting = (
            sum(getattr(each, name) for each in several) for name in ("early", "calls", "fitting")
        )
        default = " (default)" if setting == CHOSEN else ""
        past = [each.amount for each in several]
        print(
            f"| {setting.spread}{default} | {Decimal(setting.reserve):.0%} | "
            f"{spans(past, ',.0f')} | {spans([each.unused for each in several], '.1f')} | "
            f"{calls / max(early, 1):.0f} | {fitting / max(early, 1):.0f} |"
        )
        name = f"{setting.spread} sd, at most {Decimal(setting.reserve):.0%}{default}"
        points.append(Point(float(cut(past)), 1000 * early / calls, name))
    PICTURE.write_text(drawn_curve(points), encoding="utf-8")


if __name__ == "__main__":
    main()
