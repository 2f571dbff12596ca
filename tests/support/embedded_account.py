"""What the tests of the embedded AWS put into its account, and read from it."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    import boto3

    from quota_enforcer.local.embedded import EmbeddedAws

START: Final = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
"""The simulated time at which each test begins."""
LOG_GROUP: Final = "/bedrock/invocations"
LOG_ROLE: Final = "bedrock-log"


class Caller(Protocol):
    """Makes an IAM user with these policy statements, and a session with its credentials."""

    def __call__(self, name: str, *statements: dict[str, Any]) -> "boto3.Session": ...


class Sessions(Protocol):
    """Makes a role with these policy statements, and a session of it under a name."""

    def __call__(self, role: str, session: str, *statements: dict[str, Any]) -> "boto3.Session": ...


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def a_user(aws: "EmbeddedAws", name: str, *statements: dict[str, Any]) -> "boto3.Session":
    """An IAM user with these policy statements; returns a session with its credentials."""
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return aws.session_for(key["AccessKeyId"], key["SecretAccessKey"])


def a_role_session(
    aws: "EmbeddedAws", role: str, session: str, *statements: dict[str, Any]
) -> "boto3.Session":
    """A session of a role, which is made where it is not there, with these policy statements."""
    iam = aws.client("iam")
    if role not in {found["RoleName"] for found in iam.list_roles()["Roles"]}:
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=role, Path="/team/", AssumeRolePolicyDocument=document(trust))
    if statements:
        iam.put_role_policy(RoleName=role, PolicyName="test", PolicyDocument=document(*statements))
    key = aws.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{aws.account_id}:role/team/{role}", RoleSessionName=session
    )["Credentials"]
    return aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])


def make_log_role(aws: "EmbeddedAws", actions: list[str]) -> None:
    iam = aws.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": aws.account_id}},
    }
    iam.create_role(RoleName=LOG_ROLE, AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(
        RoleName=LOG_ROLE,
        PolicyName="write",
        PolicyDocument=document(
            {
                "Effect": "Allow",
                "Action": actions,
                "Resource": f"arn:aws:logs:*:*:log-group:{LOG_GROUP}:log-stream:*",
            }
        ),
    )


def logging_to_group(aws: "EmbeddedAws") -> dict[str, Any]:
    return {
        "cloudWatchConfig": {
            "logGroupName": LOG_GROUP,
            "roleArn": f"arn:aws:iam::{aws.account_id}:role/{LOG_ROLE}",
        },
        "textDataDeliveryEnabled": True,
    }


def log_invocations(aws: "EmbeddedAws") -> None:
    """Switch invocation logging on, bodies included."""
    make_log_role(aws, ["logs:CreateLogStream", "logs:PutLogEvents"])
    aws.client("logs").create_log_group(logGroupName=LOG_GROUP)
    aws.client("bedrock").put_model_invocation_logging_configuration(
        loggingConfig=logging_to_group(aws)
    )


def records(aws: "EmbeddedAws") -> list[dict[str, Any]]:
    """The invocation log's records, without the line that is none."""
    events = aws.client("logs").filter_log_events(
        logGroupName=LOG_GROUP, filterPattern='{ $.schemaType = "ModelInvocationLog" }'
    )["events"]
    return [json.loads(event["message"]) for event in events]


def series(
    aws: "EmbeddedAws", namespace: str, name: str, **dimensions: str
) -> dict[datetime, float]:
    """A metric's sums by the minute, an hour to either side of the simulated time."""
    answer = aws.client("cloudwatch").get_metric_data(
        StartTime=aws.time - timedelta(hours=1),
        EndTime=aws.time + timedelta(hours=1),
        MetricDataQueries=[
            {
                "Id": "q",
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": name,
                        "Dimensions": [
                            {"Name": key, "Value": value} for key, value in dimensions.items()
                        ],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
        ],
    )["MetricDataResults"][0]
    return dict(zip(answer["Timestamps"], answer["Values"], strict=True))
