"""Which AWS calls a sweep makes, by name, for 100 and 1,000 principals.

The real adapters and the real sweep run, with both tables in memory and IAM on the embedded AWS;
CloudWatch is a stand-in, so that usage need not be called up first. 10,000 principals are beyond
what a metric filter bears in AWS (1,000 different values an hour) and shown for the shape of the
growth only.
"""

import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from quota_enforcer.aws.cloudwatch.metrics import CloudWatchMetrics
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.policies.deny import deny_all
from quota_enforcer.core.usage.window import hour_start
from quota_enforcer.enforce.report import Report
from quota_enforcer.enforce.sweep import Sweep
from quota_enforcer.lambdas.enforcer import wiring
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.meter.ports import Series

if TYPE_CHECKING:
    from bench.parts.answers import at_once
    from bench.parts.figures import Figure, report
    from bench.parts.metrics import CloudWatch
    from bench.parts.tables import Tables
else:  # a script finds what lies beside it
    from parts.answers import at_once
    from parts.figures import Figure, report
    from parts.metrics import CloudWatch
    from parts.tables import Tables

ACCOUNT = "123456789012"
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
START = datetime(2026, 11, 24, 12, tzinfo=UTC)
TICK = timedelta(minutes=5)
OVER = 5
MOST = (
    lambda principals: 4.2 * principals + 60,
    lambda principals: principals // 5 + 100,
    lambda principals: principals // 100 + 30,
)
"""AWS calls of each of the three sweeps."""
"""How many principals go over their quota in the second sweep."""


@contextmanager
def deployment(principals: int) -> Iterator[tuple[Sweep, CloudWatch, Counter[str]]]:
    """A deployment with this many users, and the count of its calls."""
    calls: Counter[str] = Counter()
    with EmbeddedAws(START) as aws:
        session = aws.session()
        events: Any = session.events
        events.register("before-send.dynamodb", partial(at_once, Tables("ledger", "quotas")))
        iam = session.client("iam")
        document = json.dumps(deny_all())
        policy = iam.create_policy(PolicyName="deny", PolicyDocument=document)["Policy"]["Arn"]
        for number in range(OVER):
            iam.create_user(UserName=f"u{number}")
        topic = session.client("sns").create_topic(Name="notices")["TopicArn"]
        settings = Settings.from_environment(
            {
                "STACK_NAME": "bench",
                "ACCOUNT_ID": ACCOUNT,
                "QUOTA_TABLE": "quotas",
                "LEDGER_TABLE": "ledger",
                "NOTICE_TOPIC": topic,
                "METRIC_NAMESPACE": "BedrockQuota/bench",
                "DENY_POLICIES": f'{{"*": "{policy}"}}',
                "MODE": "enforce",
                "TIME_ZONE": "Europe/Berlin",
                "CONTACT": "nobody",
                "BREAKER_NUMBER": "10",
                "BREAKER_PERCENT": "20",
                "METERING": "cloudwatch",
            }
        )
        quotas = wiring.quotas(settings, session)
        item = {"principal": "default", "quota": "daily", "measure": "total_tokens"}
        quotas.put(item | {"limit": Decimal(1_000_000), "window": "day"}, None)
        session.events.register(
            "before-call", lambda model, **_: calls.update([model.name]), unique_id="count"
        )
        cloudwatch = CloudWatch(calls)
        hour = hour_start(START, settings.zone)
        cloudwatch.used = {
            Series(counter, f"arn:aws:iam::{ACCOUNT}:user/u{number}", MODEL): {hour: used}
            for number in range(principals)
            for counter, used in (("requests", 1), ("input_tokens", 1_000))
        }
        metrics = CloudWatchMetrics(cast("Any", cloudwatch), settings.metric_namespace)
        adapters = replace(wiring.adapters(settings, session), metrics=metrics)
        adapters.ledger.begin(START)
        adapters.ledger.finish(SweepState(started=START, finished=START, metered_to=START))
        yield Sweep(settings, adapters), cloudwatch, calls


def swept(sweep: Sweep, calls: Counter[str], at: datetime) -> tuple[Report, Counter[str]]:
    """One sweep and the calls it made."""
    calls.clear()
    report = sweep.run(at)
    if report.failures:
        raise SystemExit("; ".join(report.failures))
    return report, Counter(calls)


def main() -> None:
    """Three sweeps for each size: the first ever, one with some news, one with none."""
    figures: list[Figure] = []
    for principals in map(int, sys.argv[1:] or (100, 1_000)):
        with deployment(principals) as (sweep, cloudwatch, calls):
            print(f"\n{principals:,} principals, {2 * principals:,} series")
            stories = ["everybody is new", "news: a tenth called, 5 went over", "no news"]
            for number, story in enumerate(stories):
                if number == 1:
                    tokens = [s for s in cloudwatch.used if s.counter == "input_tokens"]
                    for n, series in enumerate(tokens):
                        extra = 2_000_000 if n < OVER else 500 if n % 10 == 0 else 0
                        for hour in cloudwatch.used[series]:
                            cloudwatch.used[series][hour] += extra
                looked, made = swept(sweep, calls, START + (number + 1) * TICK)
                expected = math.ceil(looked.series / 500)
                if made["GetMetricData"] != expected or made["ListEntitiesForPolicy"] != 1:
                    raise SystemExit(f"expected {expected} GetMetricData and 1 policy read: {made}")
                most = MOST[number](principals)
                figures.append(Figure(f"{story}, {principals:,}", made.total(), "calls", most))
                names = ", ".join(f"{name} {count:,}" for name, count in sorted(made.items()))
                print(f"  {story}: looked at {looked.looked_at:,}; {names}")
    report(figures)


if __name__ == "__main__":
    main()
