"""How long it takes from a call that goes over to the deny in IAM, among 1,000 principals.

The real template runs on the embedded AWS with the stream meter: the call's record reaches the log
at once, the functions are warm and have a whole processor. What AWS adds - the log's lag, the
hand-over between its services, IAM's propagation - is not in it. IAM itself is asked for the deny,
again and again; then the next call must be refused.
"""

import json
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from quota_enforcer.local.embedded import EmbeddedAws

if TYPE_CHECKING:
    from bench.parts.records import STREAM, record
else:  # a script finds what lies beside it
    from parts.records import STREAM, record

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
STACK = "bedrock-quota"
PRINCIPALS = 1_000
BATCH = 100
SAMPLES = 25
MOST = 2.0
"""Seconds, for 95 in 100."""
PATIENCE = 60.0
LIMIT = 10_000_000
MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}],
}


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
        callers = [caller(aws, f"u{number * 37}") for number in range(SAMPLES)]
        took = [
            denied(aws, each, f"u{number * 37}", outputs["DenyAllPolicy"])
            for number, each in enumerate(callers)
        ]
    cuts = statistics.quantiles(took, n=20, method="inclusive")
    print(
        f"latency: from the call to the deny in IAM, one of {PRINCIPALS:,} principals: "
        f"p50 {statistics.median(took):.2f} s, p95 {cuts[18]:.2f} s, max {max(took):.2f} s "
        f"({SAMPLES} samples)"
    )
    if cuts[18] >= MOST:
        raise SystemExit(f"latency: p95 is not under {MOST:.0f} s")


def use(aws: EmbeddedAws, group: str) -> None:
    """A record of everybody, by way of the log."""
    for first in range(0, PRINCIPALS, BATCH):
        now = datetime.now(UTC)
        aws.set_time(now)
        lines = [json.dumps(record(n, f"u{n}", now)) for n in range(first, first + BATCH)]
        at = int(now.timestamp() * 1000)
        aws.client("logs").put_log_events(
            logGroupName=group,
            logStreamName=STREAM,
            logEvents=[{"timestamp": at, "message": line} for line in lines],
        )
        settle(aws)


def caller(aws: EmbeddedAws, name: str) -> boto3.Session:
    """An IAM user who may call models."""
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="allow", PolicyDocument=json.dumps(ALLOW))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return aws.session_for(key["AccessKeyId"], key["SecretAccessKey"])


def call(aws: EmbeddedAws, session: boto3.Session) -> None:
    """One call that uses up the quota."""
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": "x"}],
        "simulate": {"input_tokens": LIMIT, "output_tokens": 1},
    }
    aws.client("bedrock-runtime", session).invoke_model(modelId=MODEL, body=json.dumps(body))


def denied(aws: EmbeddedAws, session: boto3.Session, name: str, policy: str) -> float:
    """Seconds from before the call until IAM has the deny."""
    iam = aws.client("iam")
    aws.set_time(datetime.now(UTC))
    begin = time.perf_counter()
    call(aws, session)
    while True:
        attached = iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        took = time.perf_counter() - begin
        if any(each["PolicyArn"] == policy for each in attached):
            break
        if took > PATIENCE:
            raise SystemExit(f"latency: {name} is not denied after {PATIENCE:.0f} s")
        time.sleep(0.01)  # each look takes AWS's time, too
    settle(aws)
    try:
        call(aws, session)
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return took
        raise
    raise SystemExit(f"latency: the next call of {name} went through")


def settle(aws: EmbeddedAws) -> None:
    """Wait for all that is under way; fail where any of it did."""
    for each in aws.settle():
        if each.error:
            raise SystemExit(f"latency: {each.function} failed: {each.error}")


if __name__ == "__main__":
    main()
