"""What a satellite posts to home's meter, signed in a second account, by the real template.

The satellite's roles, log and queue are made here by hand, by the names that home gives them.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from deployed_stack import TEMPLATE, DeployedStack, credentials
from embedded_account import START
from log_records import a_record
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.meter.ports import LogEvent
from quota_enforcer.meter.stream import BEDROCK_STREAM
from quota_enforcer.satellites.names import (
    READING,
    VERSION,
    Part,
    external_id,
    queue_name,
    role_name,
)
from stream_fakes import delivery

STACK = "bedrock-quota"
MEMBER, REGION = "444455556666", "eu-west-1"
PLACE = f"{MEMBER}/{REGION}"
GROUP = "/bedrock/there"
BOB = f"{MEMBER}/user/bob"


@dataclass(frozen=True)
class Scene:
    """Home and a second account."""

    home: DeployedStack
    stack_id: str

    @property
    def aws(self) -> EmbeddedAws:
        return self.home.aws

    @property
    def there(self) -> boto3.Session:
        """The member account's root, in the satellite's Region."""
        return self.aws.session(MEMBER, REGION)

    def role(self, part: Part, trust: dict[str, Any], *allowed: str, suffix: str = "") -> str:
        iam = self.there.client("iam")
        name = role_name(STACK, part, REGION) + suffix
        role: str = iam.create_role(
            RoleName=name,
            Path=f"/bedrock-quota/{STACK}/",
            AssumeRolePolicyDocument=policy(
                {"Effect": "Allow", "Action": "sts:AssumeRole", **trust}
            ),
        )["Role"]["Arn"]
        may = policy({"Effect": "Allow", "Action": list(allowed), "Resource": "*"})
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=may)
        return role

    def caller(self, part: Part = Part.FORWARDER, suffix: str = "") -> boto3.Session:
        """A session of a role of the satellite that may invoke functions by their URLs."""
        trust = {"Principal": {"AWS": f"arn:aws:iam::{MEMBER}:root"}}
        role = self.role(
            part, trust, "lambda:InvokeFunctionUrl", "lambda:InvokeFunction", suffix=suffix
        )
        keys = self.there.client("sts").assume_role(RoleArn=role, RoleSessionName="forwarder")
        found = keys["Credentials"]
        return self.aws.session_for(
            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], region=REGION
        )

    def post(self, caller: boto3.Session, **asked: Any) -> tuple[int, dict[str, Any]]:
        body = json.dumps({"home": self.stack_id, "version": VERSION, **asked})
        url = self.home.outputs["SatelliteUrl"]
        request = AWSRequest("POST", url, data=body, headers={"content-type": "application/json"})
        SigV4Auth(credentials(caller), "lambda", self.aws.session().region_name).add_auth(request)
        answer = URLLib3Session().send(request.prepare())
        return answer.status_code, json.loads(answer.text)

    def used(self, principal: str) -> int:
        """Calls of somebody, as the command line tells them."""
        said = self.home.command("usage", principal, "--json")
        assert said.exit_code == 0, said.output
        return sum(each["requests"] for each in json.loads(said.stdout)["rows"])


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="module")
def scene(shared_aws: EmbeddedAws) -> Scene:
    organizations = shared_aws.client("organizations")
    organization = organizations.describe_organization()["Organization"]["Id"]
    organizations.invite_account_to_organization(Target={"Id": MEMBER, "Type": "ACCOUNT"})
    parameters = {"Mode": "enforce", "Satellites": organization}
    outputs = shared_aws.deploy(TEMPLATE, STACK, parameters)
    [stack] = shared_aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    logs = shared_aws.session(MEMBER, REGION).client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=BEDROCK_STREAM)
    return Scene(DeployedStack(shared_aws, STACK, outputs), stack["StackId"])


@pytest.fixture(scope="module")
def forwarder(scene: Scene) -> boto3.Session:
    return scene.caller()


def record(number: int, **changes: Any) -> dict[str, Any]:
    """A call of bob's a minute after the satellite's log group was made."""
    stamp = f"{START + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    return a_record(
        requestId=f"r-{number}", timestamp=stamp, accountId=MEMBER, region=REGION,
        identity={"arn": f"arn:aws:iam::{MEMBER}:user/bob"}, **changes,
    )  # fmt: skip


def batch(*records: dict[str, Any], owner: str = MEMBER) -> dict[str, Any]:
    at = int((START + timedelta(minutes=1)).timestamp() * 1000)
    events = [LogEvent(f"{n:056d}", at, json.dumps(each)) for n, each in enumerate(records)]
    return {"data": delivery(events, owner=owner, logGroup=GROUP)}


def test_a_signed_batch_of_a_second_account_is_metered_once_and_only_a_forwarders(
    scene: Scene, forwarder: boto3.Session
) -> None:
    """IAM decides who may post, and the meter what it takes from whom."""
    status, told = scene.post(forwarder, awslogs=batch(record(1), record(2)))
    assert (status, told.get("counted")) == (200, 2), told
    status, told = scene.post(forwarder, awslogs=batch(record(1), record(2)))
    assert (status, told.get("duplicates")) == (200, 2), told
    assert scene.used(BOB) == 2
    somebody = scene.caller(suffix="-mine")
    status, told = scene.post(somebody, awslogs=batch(record(3)))
    assert (status, "is not the role that may ask" in told["error"]) == (403, True)
    status, told = scene.post(forwarder, awslogs=batch(record(3), owner=scene.aws.account_id))
    assert (status, "the log of another account" in told["error"]) == (403, True)
    organizations = scene.aws.client("organizations")
    organizations.remove_account_from_organization(AccountId=MEMBER)
    assert scene.post(forwarder, awslogs=batch(record(3)))[0] == 403
    organizations.invite_account_to_organization(Target={"Id": MEMBER, "Type": "ACCOUNT"})
    assert scene.used(BOB) == 2


def test_what_could_not_be_handed_over_is_set_from_the_satellites_log_by_its_reader_role(
    scene: Scene,
) -> None:
    setup = scene.caller(Part.SETUP)
    own = f"arn:aws:cloudformation:{REGION}:{MEMBER}:stack/StackSet-x/9a8b"
    said = {"stack_id": own, "log_group": GROUP, "parameters": "abc"}
    assert scene.post(setup, announce=said) == (200, {"announced": PLACE})
    scene.there.client("logs").put_log_events(
        logGroupName=GROUP,
        logStreamName=BEDROCK_STREAM,
        logEvents=[
            {
                "timestamp": int((START + timedelta(minutes=1)).timestamp() * 1000),
                "message": json.dumps(record(number)),
            }
            for number in (1, 2, 3)
        ],
    )
    sqs = scene.there.client("sqs")
    queue = sqs.create_queue(QueueName=queue_name(STACK))["QueueUrl"]
    left = {"hours": [f"{START:%Y-%m-%dT%H:00:00Z}"], "reason": "home did not answer"}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(left))
    scene.aws.set_time(START + timedelta(hours=2, minutes=15))
    answered = scene.aws.fire_schedule(STACK, "MeterSchedule")
    assert "places" not in answered, "nobody may read there yet, so it waits"
    scene.role(
        Part.READER,
        {
            "Principal": {"AWS": f"arn:aws:iam::{scene.aws.account_id}:root"},
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": scene.home.outputs["MeterRole"]},
                "StringEquals": {"sts:ExternalId": external_id(scene.stack_id)},
            },
        },
        *READING,
    )
    answered = scene.aws.fire_schedule(STACK, "MeterSchedule")
    hours = {each["hour"]: each.get("records") for each in answered["places"][PLACE]}
    assert hours[f"{START:%Y-%m-%dT%H:00:00Z}"] == 3
    assert scene.used(BOB) == 3
    attributes: Any = ["ApproximateNumberOfMessages"]
    waiting = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=attributes)["Attributes"]
    assert waiting["ApproximateNumberOfMessages"] == "0"
