"""A pool end to end: the real template, meter, enforcer and author, judged by IAM."""

import boto3
import pytest

from beginnings import Beginnings
from deployed_stack import ALLOW, TEMPLATE, DeployedStack, call, is_refused
from embedded_account import Caller, document
from quota_enforcer.core.policies.names import gate_name
from quota_enforcer.local.embedded import EmbeddedAws

DEVELOPER = "AWSReservedSSO_Developer_0123456789abcdef"
TEAM = {
    "principal": "team/research",
    "members": ["user/alice", "user/bob", "sso/ann@example.com"],
    "share": "pool",
}


@pytest.fixture
def gated(beginnings: Beginnings) -> DeployedStack:
    return beginnings.of(with_a_gate)


def with_a_gate(aws: EmbeddedAws) -> DeployedStack:
    """Metering by the stream, with a gate that the first sweep has made."""
    parameters = {"Mode": "enforce", "Gates": "1"}
    stack = DeployedStack(aws, "bedrock-quota", aws.deploy(TEMPLATE, "bedrock-quota", parameters))
    stack.sweep()
    return stack


def behind_the_gate(stack: DeployedStack, session: str) -> boto3.Session:
    """Somebody of Identity Center, whose permission set names the gate."""
    iam, account, name = stack.aws.client("iam"), stack.aws.account_id, stack.name
    gate = f"policy/bedrock-quota/{name}/{gate_name(name, 1)}"
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=DEVELOPER,
        Path="/aws-reserved/sso.amazonaws.com/",
        AssumeRolePolicyDocument=document(trust),
        PermissionsBoundary=f"arn:aws:iam::{account}:{gate}",
    )["Role"]
    iam.put_role_policy(RoleName=DEVELOPER, PolicyName="x", PolicyDocument=document(ALLOW))
    taken = stack.aws.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName=session)
    key = taken["Credentials"]
    return stack.aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])


def is_blocked(caller: boto3.Session) -> bool:
    return is_refused(lambda: call(caller))


def test_a_spent_pool_blocks_its_members_behind_a_gate_or_not_and_a_raise_frees_them(
    gated: DeployedStack, user: Caller
) -> None:
    alice, bob, dave = (user(name, ALLOW) for name in ("alice", "bob", "dave"))
    ann = behind_the_gate(gated, "ann@example.com")
    gated.quota(**TEAM)
    call(ann, 600)
    call(alice, 399)
    assert gated.told_by_the_stream() == [("team/research", "warning")]
    call(alice, 1)
    assert sorted(gated.told_by_the_stream()) == [
        ("sso/ann@example.com", "blocked"),
        ("team/research", "blocked"),
        ("user/alice", "blocked"),
        ("user/bob", "blocked"),
    ]
    for member in (alice, bob, ann):
        assert is_blocked(member)
    call(dave)
    gated.quota(**TEAM, limit=5000)
    assert sorted(gated.told()) == [
        ("sso/ann@example.com", "restored"),
        ("team/research", "restored"),
        ("user/alice", "restored"),
        ("user/bob", "restored"),
    ]
    for member in (alice, bob, ann):
        call(member)
