"""The gates of a member account in its IAM, and home's in home's."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from gate_fakes import GATE
from quota_enforcer.aws.iam.assumed_roles import AssumedRoles
from quota_enforcer.aws.iam.gates import IamGates
from quota_enforcer.aws.iam.member_gates import RoutedGates
from quota_enforcer.core.errors import AccountUnreachable
from quota_enforcer.core.policies.boundary import gate
from quota_enforcer.core.policies.names import in_account

if TYPE_CHECKING:
    from quota_enforcer.gates.ports import Gates

HOME, THERE = "123456789012", "444455556666"
GATE_THERE = in_account(GATE, THERE)


@pytest.fixture
def roles() -> Iterator[AssumedRoles]:
    with mock_aws():
        session = boto3.Session("key", "secret", region_name="us-east-1")
        yield AssumedRoles(session, lambda account: f"arn:aws:iam::{account}:role/a/author", "id")


@pytest.fixture
def gates(roles: AssumedRoles) -> RoutedGates:
    home = IamGates(boto3.Session("key", "secret", region_name="us-east-1").client("iam"))
    port: Gates = RoutedGates(home, HOME, roles, [("team", "platform")])
    assert isinstance(port, RoutedGates)
    return port


def test_each_account_has_its_own_gate_by_the_same_name(
    gates: RoutedGates, roles: AssumedRoles
) -> None:
    full = gate({"*:ann@example.com": ["*"]})
    gates.create(GATE_THERE, full)
    assert gates.document(GATE) is None
    assert gates.document(GATE_THERE) == full
    gates.create(GATE, gate({}))
    gates.replace(GATE_THERE, gate({}))
    assert gates.document(GATE) == gates.document(GATE_THERE) == gate({})
    tags = roles.client(THERE).list_policy_tags(PolicyArn=GATE_THERE)["Tags"]
    assert tags == [{"Key": "team", "Value": "platform"}]


def test_a_role_is_looked_up_in_its_account(gates: RoutedGates, roles: AssumedRoles) -> None:
    roles.client(THERE).create_role(RoleName="ci", AssumeRolePolicyDocument=json.dumps({}))
    assert gates.role("ci") is None
    assert gates.role(f"{THERE}/ci") is not None
    roles.client(THERE).create_policy(PolicyName="x", PolicyDocument=json.dumps(gate({})))
    attached = f"arn:aws:iam::{THERE}:policy/x"
    roles.client(THERE).attach_role_policy(RoleName="ci", PolicyArn=attached)
    assert gates.attached_to(attached) == ["role/ci"]


def test_credentials_that_are_no_more_make_the_account_unreachable(
    gates: RoutedGates, roles: AssumedRoles
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "late"}}, "GetRole")

    client = roles.client(THERE)
    client.meta.events.register("before-call.iam.GetRole", refuse)
    with pytest.raises(AccountUnreachable, match="ExpiredToken"):
        gates.role(f"{THERE}/ci")
    assert roles.client(THERE) is not client
