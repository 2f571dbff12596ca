"""How long it takes from a call in the log to the deny in IAM, among 1,000 principals, by parts.

The real template runs on the embedded AWS with the stream meter: the call's record reaches the log
by PutLogEvents, the functions are warm and have a whole processor. IAM itself is asked for the
deny, again and again; then the next call must be refused. What AWS adds - the log's lag, the
hand-over between its services, IAM's propagation - is not in it.
The embedded AWS notes what it was asked and which functions ran, so that its own time is told from
the functions': theirs is what is left of their run between two answers.
"""

import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from quota_enforcer.local.embedded import EmbeddedAws, Happened

if TYPE_CHECKING:
    from bench.parts.figures import Figure, report
    from bench.parts.records import STREAM, record
else:  # a script finds what lies beside it
    from parts.figures import Figure, report
    from parts.records import STREAM, record

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
STACK = "bedrock-quota"
PRINCIPALS = 1_000
BATCH = 100
SAMPLES = 25
MOST = 0.8
"""Seconds, for 95 in 100."""
PATIENCE = 60.0
LIMIT = 10_000_000
MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}],
}
METER, ENFORCER = "MeterFunction", "EnforcerFunction"
ATTACH = "iam:AttachUserPolicy"


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds from before PutLogEvents until IAM has the deny, and by parts."""

    total: float
    parts: dict[str, float]
    calls: list[tuple[str, float]]
    """Those that the functions made, with what the embedded AWS took for each."""


def main() -> None:
    """Take the samples and print them."""
    with EmbeddedAws(datetime.now(UTC)) as aws:
        outputs = aws.deploy(TEMPLATE, STACK, {"Mode": "enforce"})
        aws.client("dynamodb").put_item(
            TableName=outputs["QuotaTable"],
            Item={
                "principal": {"S": "default"},
                "quota": {"S": "daily"},
                "measure": {"S": "total_tokens"},
                "limit": {"N": str(LIMIT)},
                "window": {"S": "day"},
            },
        )
        aws.fire_schedule(STACK, "EnforcerSchedule")
        use(aws, outputs["InvocationLogGroup"])
        names = [f"u{number * 37}" for number in range(SAMPLES)]
        callers = [caller(aws, name) for name in names]
        samples = [
            denied(aws, session, name, outputs)
            for session, name in zip(callers, names, strict=True)
        ]
    show(samples)
    cuts = statistics.quantiles([each.total for each in samples], n=20, method="inclusive")
    name = f"from PutLogEvents to the deny in IAM, one of {PRINCIPALS:,} principals, p95"
    report([Figure(name, round(cuts[18], 2), "s", MOST)])


def use(aws: EmbeddedAws, group: str) -> None:
    """A record of everybody, by way of the log."""
    for first in range(0, PRINCIPALS, BATCH):
        now = datetime.now(UTC)
        aws.set_time(now)
        put(aws, group, [record(n, f"u{n}", now) for n in range(first, first + BATCH)], now)
        settle(aws)


def put(aws: EmbeddedAws, group: str, records: Iterable[dict[str, Any]], now: datetime) -> None:
    """Records into the log, as Bedrock does it."""
    at = int(now.timestamp() * 1000)
    aws.client("logs").put_log_events(
        logGroupName=group,
        logStreamName=STREAM,
        logEvents=[{"timestamp": at, "message": json.dumps(each)} for each in records],
    )


def caller(aws: EmbeddedAws, name: str) -> boto3.Session:
    """An IAM user who may call models."""
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="allow", PolicyDocument=json.dumps(ALLOW))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return aws.session_for(key["AccessKeyId"], key["SecretAccessKey"])


def call(aws: EmbeddedAws, session: boto3.Session) -> None:
    """One more call."""
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "x"}]}
    aws.client("bedrock-runtime", session).invoke_model(modelId=MODEL, body=json.dumps(body))


def denied(aws: EmbeddedAws, session: boto3.Session, name: str, outputs: dict[str, str]) -> Sample:
    """One call that uses up the quota, until the next one is refused."""
    iam, now = aws.client("iam"), datetime.now(UTC)
    aws.set_time(now)
    last = record(PRINCIPALS + int(name[1:]), name, now)
    last["input"]["inputTokenCount"] = LIMIT
    aws.journal()
    begin = time.monotonic()
    put(aws, outputs["InvocationLogGroup"], [last], now)
    while True:
        attached = iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        took = time.monotonic() - begin
        if any(each["PolicyArn"] == outputs["DenyAllPolicy"] for each in attached):
            break
        if took > PATIENCE:
            raise SystemExit(f"latency: {name} is not denied after {PATIENCE:.0f} s")
        time.sleep(0.05)  # each look takes the embedded AWS's time, too
    settle(aws)
    happened = aws.journal()
    try:
        call(aws, session)
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return sample(took, begin, happened, outputs)
        raise
    raise SystemExit(f"latency: the next call of {name} went through")


def sample(
    took: float, begin: float, happened: Sequence[Happened], outputs: dict[str, str]
) -> Sample:
    """Where the time went: each part begins where the one before it ends."""
    meter, enforcer = (
        next(each for each in happened if each.what == f"run:{outputs[name]}")
        for name in (METER, ENFORCER)
    )
    of_meter, of_enforcer = (
        [each for each in happened if each.who.endswith(f"/{outputs[name]}")]
        for name in (METER, ENFORCER)
    )
    wake = next(each for each in of_meter if each.what.startswith("lambda:"))
    attach = next(each for each in of_enforcer if each.what == ATTACH)
    metering = [each for each in of_meter if each.began < wake.began]
    enforcing = [each for each in of_enforcer if each.began <= attach.began]
    parts = {
        "log to meter": meter.began - begin,
        "meter: its calls": busy(metering),
        "meter: its own time": wake.began - meter.began - busy(metering),
        "meter to enforcer": enforcer.began - wake.began,
        "enforcer: its calls": busy(enforcing),
        "enforcer: its own time": attach.ended - enforcer.began - busy(enforcing),
        "until it is seen in IAM": begin + took - attach.ended,
    }
    calls = [(each.what, each.ended - each.began) for each in (*metering, *enforcing)]
    return Sample(took, parts, calls)


def busy(calls: Iterable[Happened]) -> float:
    """Seconds in which the embedded AWS was at work on any of these."""
    total, until = 0.0, 0.0
    for each in sorted(calls, key=lambda each: each.began):
        total += max(each.ended - max(each.began, until), 0.0)
        until = max(until, each.ended)
    return total


def show(samples: Sequence[Sample]) -> None:
    """The parts, and the calls by name."""
    print(f"latency: {SAMPLES} samples, milliseconds\n\n| part | p50 | p95 |\n|---|---:|---:|")
    rows = [(part, [each.parts[part] for each in samples]) for part in samples[0].parts]
    for part, values in [*rows, ("together", [each.total for each in samples])]:
        cut = statistics.quantiles(values, n=20, method="inclusive")[18]
        print(f"| {part} | {statistics.median(values) * 1000:.0f} | {cut * 1000:.0f} |")
    took: defaultdict[str, list[float]] = defaultdict(list)
    for each in samples:
        for what, seconds in each.calls:
            took[what].append(seconds)
    print("\n| call | for each deny | p50 | most | together |\n|---|---:|---:|---:|---:|")
    for what, values in took.items():
        told = (statistics.median(values), max(values), sum(values) / SAMPLES)
        shown = " | ".join(f"{seconds * 1000:.0f}" for seconds in told)
        print(f"| {what} | {len(values) / SAMPLES:.1f} | {shown} |")


def settle(aws: EmbeddedAws) -> None:
    """Wait for all that is under way; fail where any of it did."""
    for each in aws.settle():
        if each.error:
            raise SystemExit(f"latency: {each.function} failed: {each.error}")


if __name__ == "__main__":
    main()
