"""What a month costs with each of the two meters, item by item, from the AWS calls really made.

AWS gives no figure for how long CloudWatch Logs gathers records, so their rhythm is assumed.
Notices and starts of processes are left out: some cents.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quota_enforcer.core.usage.counts import OBSERVED
from quota_enforcer.local.template import parsed
from quota_enforcer.meter.ports import Series

if TYPE_CHECKING:
    from bench.parts import month, prices
    from bench.parts.deployment import EVENT_BYTES, Deployment, deployment
    from bench.parts.figures import Figure, report
    from bench.parts.records import ACCOUNT, MODELS, callers, delivery, record
else:  # a script finds what lies beside it
    from parts import month, prices
    from parts.deployment import EVENT_BYTES, Deployment, deployment
    from parts.figures import Figure, report
    from parts.records import ACCOUNT, MODELS, callers, delivery, record

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
EVERY = 5
"""Seconds between two deliveries."""
SWEEPS = 12
"""In an hour."""
FEW, MANY = 20, 40
"""Principals whose costs are measured; those of more or fewer are in proportion."""
DELIVERIES = 60 // EVERY
"""Measured in an hour: a minute, in which the meter wakes the enforcer once whoever has room."""
SIZES = (20, 100, 1_000)
MEASURED = range(month.OPENS + 1, month.CLOSES, 2)
"""Local hours that stand for all in which calls are made."""
SETTLES = 5
"""Hours without calls until every sweep finds the same as the one before."""
OPEN = month.CLOSES - month.OPENS
SHARE = month.DAYS * OPEN / prices.HOURS
"""Of a month in which calls are made."""
PEOPLE, CALLS_A_DAY, MOST_DOLLARS = 100, 50_000, 8
"""What a small deployment may cost a month, with everything."""
PACKED = 0.15
"""What is left of a stored log event, as CloudWatch Logs compresses it."""
LEDGER_GB = 0.1
"""400 days of usage of a hundred principals, with backups."""
EVERY_HOUR = frozenset({"Duration", "Unseen", "DataAge"})
"""Own metrics that have data whatever is used."""
CEILING = 1_000
"""Different names and values an hour at which AWS may switch a metric filter off.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
"""

Part = tuple[prices.Bill, float]
"""A bill, and how many times it comes in a month."""


def main() -> None:
    """Print both meters side by side."""
    print(
        f"costs: {month.CALLS:,} calls of each principal on each of {month.DAYS} working days, "
        f"evenly in {OPEN} hours and with {len(MODELS)} models,\n"
        f"costs: a delivery of records every {EVERY} s, a sweep every {60 // SWEEPS} minutes,\n"
        "costs: one quota, for the month; us-east-1, no free tier;\n"
        f"costs: measured with {FEW} and {MANY} principals, and in proportion for others\n"
    )
    bills: dict[str, prices.Bill] = {}
    for meter in (stream, cloudwatch):
        few, many = meter(FEW), meter(MANY)
        for size in SIZES:
            share = (size - FEW) / (MANY - FEW)
            bills[f"{meter.__name__} {size:,}"] = prices.total([(few, 1 - share), (many, share)])
    print(f"| dollars a month | {' | '.join(bills)} |")
    print("|---|" + "---:|" * len(bills))
    for item in dict.fromkeys(item for bill in bills.values() for item in bill):
        print(f"| {item} |", *(f"{bill.get(item, 0):,.2f} |" for bill in bills.values()))
    print("| **together** |", *(f"**{sum(bill.values()):,.2f}** |" for bill in bills.values()))
    values = SIZES[-1] + len(MODELS)
    small = stream(PEOPLE, CALLS_A_DAY // PEOPLE)
    print(f"\ncosts: {PEOPLE} principals, {CALLS_A_DAY:,} calls on each working day, by the stream")
    print("\n| dollars a month | |\n|---|---:|")
    for item, dollars in small.items():
        print(f"| {item} | {dollars:,.2f} |")
    print(
        f"\ncosts: cloudwatch bears no {SIZES[-1]:,} principals: they are {values:,} different "
        f"names and values an hour,\ncosts: and from {CEILING:,} on AWS may switch a filter off"
    )
    who = f"a month of {PEOPLE} principals with {CALLS_A_DAY:,} calls a day"
    report([Figure(who, sum(small.values()), "$", MOST_DOLLARS)])


def stream(principals: int, calls: int = month.CALLS) -> prices.Bill:
    """A month of the meter that the log's records are delivered to; so many calls of each a day."""
    mean = principals * calls * EVERY / 3600 / OPEN
    sizes = [round(n * mean + mean) - round(n * mean) for n in range(DELIVERIES)]
    several = [callers(n, size, principals) for n, size in enumerate(sizes)]
    users = sorted({user for each in several for user in each})
    numbers = iter(range(0, 10**9, 1_000))
    with deployment("stream", month.moment(month.OPENS)) as found:
        found.store(month.used_so_far(users, month.OPENS))
        for model in (*MODELS, *MODELS):  # the first call makes a record, each of a model is a look
            for who in several:
                found.deliver(delivery(next(numbers), who, month.moment(month.OPENS), model=model))
        found.fresh()
        found.metrics.clear()
        for hour in MEASURED:
            found.store(month.used_so_far(users, hour, today=True))
            with found.uncounted():  # the process has met everybody
                for before in (30, 10):
                    now = month.moment(hour + 0.5 - before / 3600)
                    found.at(now)
                    found.deliver(delivery(next(numbers), 2 * users, now))
            for n, who in enumerate(several):
                now = month.moment(hour + 0.5 + n * EVERY / 3600)
                found.at(now)
                found.deliver(delivery(next(numbers), who, now))
        times = principals * calls * month.DAYS / (sum(sizes) * len(MEASURED))
        parts = [(bill, times) for bill in (prices.of(found.meter), prices.of(found.enforcer))]
        parts.append((swept(found), prices.HOURS))  # the first of an hour looks for more
        found.at(month.moment(month.CLOSES))
        parts.append((swept(found), (SWEEPS - 1) * prices.HOURS))
        parts += in_any_case(found, principals * calls, streams=True)
    return prices.total(parts)


def cloudwatch(principals: int) -> prices.Bill:
    """A month of the meter that reads the metrics."""
    users = [f"u{number}" for number in range(principals)]
    parts: list[Part] = []
    with deployment("cloudwatch", month.moment(month.OPENS - 1)) as found:
        found.store(month.used_so_far(users, month.OPENS))
        observe(found, users, month.OPENS, 1)
        found.at(month.moment(month.OPENS + 1 / SWEEPS))
        found.sweep()  # who calls for the first time gets a record
        for hour in MEASURED:
            found.store(month.used_so_far(users, hour, today=True))
            for tick, times in ((1, 1), (2, SWEEPS - 1)):
                observe(found, users, hour, tick)
                found.at(month.moment(hour + tick / SWEEPS))
                parts.append((swept(found), times * month.DAYS * OPEN / len(MEASURED)))
        for hour in range(month.CLOSES, month.CLOSES + SETTLES):
            found.at(month.moment(hour + 1 / SWEEPS))
            parts.append((swept(found), SWEEPS * month.DAYS))
        parts.append((parts[-1][0], SWEEPS * month.DAYS * (24 - OPEN - SETTLES)))
        parts.append((parts[-1][0], SWEEPS * (prices.HOURS - 24 * month.DAYS)))  # weekends
        custom = len(found.cloudwatch.used) * SHARE * prices.METRIC_MONTH
        calls = principals * month.CALLS
        parts += [
            ({"metrics of principals": custom}, 1),
            *in_any_case(found, calls, streams=False),
        ]
    return prices.total(parts)


def observe(found: Deployment, users: list[str], hour: int, tick: int) -> None:
    """What the metrics say of today, so many twelfths of this local hour included."""
    whole = [month.moment(each) for each in range(month.OPENS, hour)]
    found.cloudwatch.used = {
        Series(counter, f"arn:aws:iam::{ACCOUNT}:user/{user}", model): {
            **dict.fromkeys(whole, used),
            month.moment(hour): used * tick // SWEEPS,
        }
        for user in users
        for model in MODELS
        for counter, used in zip(OBSERVED, map(int, month.HOUR[: len(OBSERVED)]), strict=True)
    }


def swept(found: Deployment) -> prices.Bill:
    """One sweep."""
    found.fresh()
    found.sweep()
    return prices.total([(prices.of(found.enforcer), 1), (prices.scheduled(1), 1)])


def in_any_case(found: Deployment, calls: int, *, streams: bool) -> Iterator[Part]:
    """What costs the same whatever is used, and the log that both meters live on."""
    found.fresh()
    found.recount()
    yield prices.of(found.meter), prices.HOURS
    yield prices.scheduled(1), prices.HOURS
    own = sum(1 if name in EVERY_HOUR else SHARE for _, name in found.metrics)
    yield {"own metrics": prices.METRIC_MONTH}, own
    yield {"alarms": prices.ALARM_MONTH}, alarm_metrics(streams=streams)
    line = json.dumps(record(1, "u1", month.moment(month.OPENS)))
    log = (len(line) + EVENT_BYTES) * prices.LOGGED_BYTE
    yield {"invocation log": log}, calls * month.DAYS
    stored = calls * month.DAYS * (len(line) + EVENT_BYTES) * PACKED / 1e9
    yield {"storage": stored * prices.LOG_GB_MONTH + LEDGER_GB * prices.TABLE_GB_MONTH}, 1


def alarm_metrics(*, streams: bool) -> int:
    """What AWS charges the alarms of a deployment without satellites by: the metrics they ask for.

    A query asks for those of each model.
    https://aws.amazon.com/cloudwatch/pricing/
    """
    template = parsed(TEMPLATE.read_text(encoding="utf-8"))
    alarms = [
        each["Properties"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm" and "Condition" not in each
    ]
    return sum(max(sum(map(_metrics, _there(each, streams=streams))), 1) for each in alarms)


def _there(alarm: dict[str, Any], *, streams: bool) -> Iterator[dict[str, Any]]:
    for each in alarm.get("Metrics", ()):
        if "Fn::If" in each:
            _, with_stream, with_metrics = each["Fn::If"]
            yield with_stream if streams else with_metrics
        else:
            yield each


def _metrics(part: dict[str, Any]) -> int:
    if "ModelId" in str(part.get("Expression")):
        return len(MODELS)
    return int("MetricStat" in part)


if __name__ == "__main__":
    main()
