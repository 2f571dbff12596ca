"""How long it takes from a call in a satellite to the denies of two accounts in IAM.

Both real templates run on the embedded AWS: home, and a satellite in another account and Region. A
team of two, one in each account, shares one quota; a call in the member account uses it up. The
clock stops when IAM of both accounts has the deny attached. As in latency.py, what AWS adds - the
log's lag, hand-overs, IAM's propagation - is not in it, and the functions are warm.
"""

import json
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from quota_enforcer.core.usage.place import Place
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.satellites.following import followed
from quota_enforcer.satellites.plan import HomeOfPlan, dictated

if TYPE_CHECKING:
    from bench.parts.figures import Figure, report
else:  # a script finds what lies beside it
    from parts.figures import Figure, report


ROOT = Path(__file__).parents[1]
STACK = "bedrock-quota"
MEMBER, REGION = "444455556666", "eu-west-1"
MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"
SAMPLES = 25
WARM_UP = 2
MOST = 3.0
"""Seconds, for 95 in 100."""
PATIENCE = 60.0
LIMIT = 1_000
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}],
}


def main() -> None:
    """Take the samples and print them."""
    with EmbeddedAws(datetime.now(UTC)) as aws:
        table = deployed(aws)
        took = [denied(aws, table, f"u{number}") for number in range(WARM_UP + SAMPLES)][WARM_UP:]
    cuts = statistics.quantiles(took, n=20, method="inclusive")
    print(
        "satellites: from the call in a satellite to the denies in IAM of two accounts: "
        f"p50 {statistics.median(took):.2f} s, p95 {cuts[18]:.2f} s, max {max(took):.2f} s "
        f"({SAMPLES} samples)"
    )
    report([Figure("from a satellite's call to two denies, p95", cuts[18], "s", MOST)])


def deployed(aws: EmbeddedAws) -> str:
    """Home and its satellite; returns the quota table's name."""
    organizations = aws.client("organizations")
    organizations.invite_account_to_organization(Target={"Id": MEMBER, "Type": "ACCOUNT"})
    organization = organizations.describe_organization()["Organization"]["Id"]
    # Each team is a recent edit, which the breaker would doubt.
    said = {"Mode": "enforce", "Satellites": organization, "BreakerNumber": "1000"}
    outputs = aws.deploy(ROOT / "template.yaml", STACK, said)
    cloudformation, iam = aws.client("cloudformation"), aws.client("iam")

    def role(name: str) -> str:
        part = cloudformation.describe_stack_resource(StackName=STACK, LogicalResourceId=name)
        named = part["StackResourceDetail"]["PhysicalResourceId"]
        return str(iam.get_role(RoleName=named)["Role"]["Arn"])

    [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    home = HomeOfPlan(
        STACK,
        stack["StackId"],
        Place(aws.account_id, aws.region),
        organization,
        followed(said, outputs["SatelliteUrl"], role),
    )
    aws.deploy(
        ROOT / "satellite.yaml",
        "satellite",
        {**dictated(home), "AccountRegion": REGION},
        session=aws.session(MEMBER, REGION),
    )
    aws.fire_schedule(STACK, "EnforcerSchedule")
    return outputs["QuotaTable"]


def caller(aws: EmbeddedAws, account: str, name: str) -> boto3.Session:
    """An IAM user who may call models."""
    iam = aws.session(account).client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="allow", PolicyDocument=json.dumps(ALLOW))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], region=REGION)


def denied(aws: EmbeddedAws, table: str, name: str) -> float:
    """Seconds from before the call until IAM of both accounts has the deny."""
    caller(aws, aws.account_id, name)
    theirs = caller(aws, MEMBER, name)
    aws.client("dynamodb").put_item(
        TableName=table,
        Item={
            "principal": {"S": f"team/{name}"},
            "quota": {"S": "daily"},
            "members": {"L": [{"S": f"user/{name}"}, {"S": f"{MEMBER}/user/{name}"}]},
            "share": {"S": "pool"},
            "measure": {"S": "total_tokens"},
            "limit": {"N": str(LIMIT)},
            "window": {"S": "day"},
        },
    )
    settle(aws)
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": "x"}],
        "simulate": {"input_tokens": LIMIT, "output_tokens": 1},
    }
    aws.set_time(datetime.now(UTC))
    begin = time.perf_counter()
    theirs.client("bedrock-runtime").invoke_model(modelId=MODEL, body=json.dumps(body))
    waiting = [aws.session(account).client("iam") for account in (aws.account_id, MEMBER)]
    while waiting := [iam for iam in waiting if not attached(iam, name)]:
        if time.perf_counter() - begin > PATIENCE:
            raise SystemExit(f"satellites: {name} is not denied after {PATIENCE:.0f} s")
        time.sleep(0.01)  # each look takes AWS's time, too
    took = time.perf_counter() - begin
    settle(aws)
    return took


def attached(iam: Any, name: str) -> bool:
    found = iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
    return any("over-bedrock-quota" in each["PolicyName"] for each in found)


def settle(aws: EmbeddedAws) -> None:
    """Wait for all that is under way; fail where any of it did."""
    for each in aws.settle():
        if each.error:
            raise SystemExit(f"satellites: {each.function} failed: {each.error}")


if __name__ == "__main__":
    main()
