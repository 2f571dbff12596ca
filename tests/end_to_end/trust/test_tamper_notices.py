"""Who else touched our policies is told at once, by the deployed rule."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deployed_stack import DeployedStack
from embedded_account import document
from quota_enforcer.local.embedded import EmbeddedAws

SAMPLE = Path(__file__).parents[3] / "events" / "cloudtrail-detach.json"
ACCOUNT = "123456789012"
PATH = f"arn:aws:iam::{ACCOUNT}:policy/bedrock-quota/bedrock-quota/"
OURS = f"{PATH}bedrock-quota-over-bedrock-quota-see-your-notice"
GATE = f"{PATH}bedrock-quota-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY"
OTHERS = [
    f"arn:aws:iam::{ACCOUNT}:policy/bedrock-quota/bedrock-quota-2/bedrock-quota-over",
    f"arn:aws:iam::{ACCOUNT}:policy/bedrock-quota-over-bedrock-quota-see-your-notice",
    f"arn:aws:iam::{ACCOUNT}:policy/x/bedrock-quota/bedrock-quota/over",
    "arn:aws:iam::aws:policy/AdministratorAccess",
]
Event = dict[str, Any]


def event(name: str = "DetachUserPolicy", who: Event | None = None, **parameters: str) -> Event:
    """The sample, of another call or by somebody else."""
    sample: Event = json.loads(SAMPLE.read_text(encoding="utf-8"))
    sample["detail"]["eventName"] = name
    if parameters:
        sample["detail"]["requestParameters"] = parameters
    if who:
        sample["detail"]["userIdentity"] = who
    return sample


def in_role(arn: str) -> Event:
    """The identity of a role's session, as CloudTrail writes it."""
    name = arn.rpartition("/")[2]
    return {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLE:session",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/session",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn, "userName": name}},
    }


class Rule:
    """The deployed rule."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.events = aws.client("events")
        (self.found,) = (
            each for each in self.events.list_rules()["Rules"] if "PoliciesTouched" in each["Name"]
        )

    def matches(self, happened: Event) -> bool:
        answer = self.events.test_event_pattern(
            EventPattern=self.found["EventPattern"], Event=json.dumps(happened)
        )
        return bool(answer["Result"])

    def deliver(self, happened: Event) -> None:
        """Let it happen: PutEvents takes no `aws.` source, so the rule listens to another too."""
        pattern = json.loads(self.found["EventPattern"]) | {"source": ["test"]}
        self.events.put_rule(Name=self.found["Name"], EventPattern=json.dumps(pattern))
        entry = {
            "Source": "test",
            "DetailType": happened["detail-type"],
            "Detail": json.dumps(happened["detail"]),
        }
        assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0


@pytest.fixture(scope="module")
def gated(shared_aws: EmbeddedAws) -> DeployedStack:
    """For all tests, since nothing happens in it but what is told."""
    return DeployedStack.of(shared_aws, Gates="1")


@pytest.fixture(scope="module")
def rule(gated: DeployedStack) -> Rule:
    return Rule(gated.aws)


@pytest.mark.parametrize(
    "happened",
    [
        event(),
        event(who={"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}),
        event(who=in_role(f"arn:aws:iam::{ACCOUNT}:role/Admin")),
        event(who=in_role(f"arn:aws:iam::{ACCOUNT}:role/bedrock-quota/bedrock-quota/x")),
        event(who={"type": "AWSService", "invokedBy": "sso.amazonaws.com"}),
        event("AttachRolePolicy", roleName="ci", policyArn=GATE),
        event("AttachGroupPolicy", groupName="devs", policyArn=GATE),
        event("CreatePolicyVersion", policyArn=OURS, policyDocument="{}", setAsDefault="true"),
        event("SetDefaultPolicyVersion", policyArn=GATE, versionId="v1"),
        event("DeletePolicyVersion", policyArn=GATE, versionId="v1"),
        event("DeletePolicy", policyArn=GATE),
        event("PutRolePermissionsBoundary", roleName="ci", permissionsBoundary=GATE),
        event("CreatePolicy", policyName="x", path="/bedrock-quota/bedrock-quota/"),
    ],
    ids=lambda each: each["detail"]["eventName"],
)
def test_what_others_do_to_our_policies_is_told(rule: Rule, happened: Event) -> None:
    assert rule.matches(happened)


def test_what_our_own_functions_do_is_not(gated: DeployedStack, rule: Rule) -> None:
    resources = gated.aws.client("cloudformation").describe_stack_resource
    for name in ("EnforcerRole", "AuthorRole"):
        detail = resources(StackName=gated.name, LogicalResourceId=name)["StackResourceDetail"]
        role = gated.aws.client("iam").get_role(RoleName=detail["PhysicalResourceId"])["Role"]
        assert not rule.matches(event(who=in_role(role["Arn"])))


@pytest.mark.parametrize("policy", OTHERS)
def test_what_is_done_to_other_policies_is_not(rule: Rule, policy: str) -> None:
    assert not rule.matches(event(userName="alice", policyArn=policy))
    assert not rule.matches(
        event("PutUserPermissionsBoundary", userName="a", permissionsBoundary=policy)
    )


def test_reading_and_what_was_refused_are_not(rule: Rule) -> None:
    assert not rule.matches(event("GetPolicy", policyArn=OURS))
    refused = event()
    refused["detail"]["errorCode"] = "AccessDenied"
    assert not rule.matches(refused)


@pytest.mark.parametrize(
    ("happened", "sentence"),
    [
        (
            event(),
            f"{ACCOUNT}:user/mallory (from 203.0.113.7) called DetachUserPolicy alice with {OURS}.",
        ),
        (
            event("CreatePolicyVersion", policyArn=GATE, policyDocument='{"a": "b"}'),
            f"called CreatePolicyVersion  with {GATE}.",
        ),
        (
            event("CreatePolicy", policyName="x", path="/bedrock-quota/bedrock-quota/"),
            "called CreatePolicy  with /bedrock-quota/bedrock-quota/x.",
        ),
    ],
)
def test_subscribers_read_who_did_what_to_which_policy(
    gated: DeployedStack, rule: Rule, happened: Event, sentence: str
) -> None:
    inbox = subscribed(gated)
    rule.deliver(happened)
    (told,) = gated.aws.client("sqs").receive_message(QueueUrl=inbox)["Messages"]
    text = json.loads(json.loads(told["Body"])["Message"])
    assert text.startswith("Somebody else touched the policies of Bedrock quota stack bedrock-")
    assert sentence in text


def subscribed(stack: DeployedStack) -> str:
    """A new queue that gets what the topic gets."""
    sqs = stack.aws.client("sqs")
    send = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    made = sqs.create_queue(QueueName=f"inbox-{uuid4()}", Attributes={"Policy": document(send)})
    url: str = made["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    stack.aws.client("sns").subscribe(
        TopicArn=stack.outputs["NoticeTopic"], Protocol="sqs", Endpoint=arn["QueueArn"]
    )
    return url
