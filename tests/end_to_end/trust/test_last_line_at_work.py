"""What AWS Budgets does with its role on the day, by IAM's own decisions; no budget is embedded."""

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from deployed_stack import ALLOW, call, is_refused
from embedded_account import a_role_session, a_user
from quota_enforcer.local.embedded import EmbeddedAws
from role_attempts import ADMINISTRATOR, attaching, done
from role_scene import ANYTHING
from template_values import Deployed

if TYPE_CHECKING:
    from role_attempts import Attempts


@pytest.fixture
def budget(aws: EmbeddedAws) -> tuple[Any, str]:
    """The session of AWS Budgets, for which root stands in, and its policy."""
    given = Deployed(
        {"AWS::AccountId": aws.account_id}, BudgetDollars="5", BudgetUsers="alice", BudgetRoles="ci"
    )
    iam, deny, role = (
        aws.client("iam"),
        given.properties("BudgetDenyPolicy"),
        given.properties("BudgetRole"),
    )
    policy: str = iam.create_policy(
        Path=deny["Path"],
        PolicyName=deny["ManagedPolicyName"],
        PolicyDocument=json.dumps(deny["PolicyDocument"]),
    )["Policy"]["Arn"]
    made = iam.create_role(
        RoleName="budget",
        Path=role["Path"],
        AssumeRolePolicyDocument=json.dumps(role["AssumeRolePolicyDocument"]),
    )["Role"]["Arn"]
    for each in role["Policies"]:
        document = json.dumps(each["PolicyDocument"])
        iam.put_role_policy(
            RoleName="budget", PolicyName=each["PolicyName"], PolicyDocument=document
        )
    key = aws.client("sts").assume_role(RoleArn=made, RoleSessionName="budgets")["Credentials"]
    taken = aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    return taken.client("iam"), policy


def test_it_closes_bedrock_to_users_groups_and_roles_and_opens_it_again(
    aws: EmbeddedAws, budget: tuple[Any, str]
) -> None:
    acting, policy = budget
    alice, bob = a_user(aws, "alice", ALLOW), a_user(aws, "bob", ALLOW)
    job = a_role_session(aws, "ci", "job", ALLOW)
    root = aws.client("iam")
    root.create_group(GroupName="developers")
    root.add_user_to_group(GroupName="developers", UserName="bob")
    everybody = (alice, bob, job)
    for each in everybody:
        call(each)
    acting.attach_user_policy(UserName="alice", PolicyArn=policy)
    acting.attach_group_policy(GroupName="developers", PolicyArn=policy)
    acting.attach_role_policy(RoleName="ci", PolicyArn=policy)
    for each in everybody:
        assert is_refused(partial(call, each))
    acting.detach_user_policy(UserName="alice", PolicyArn=policy)
    acting.detach_group_policy(GroupName="developers", PolicyArn=policy)
    acting.detach_role_policy(RoleName="ci", PolicyArn=policy)
    for each in everybody:
        call(each)


def test_it_attaches_nothing_else_and_changes_nothing_else(
    aws: EmbeddedAws, budget: tuple[Any, str]
) -> None:
    acting, policy = budget
    a_user(aws, "alice", ALLOW)
    a_role_session(aws, "ci", "job", ALLOW)
    aws.client("iam").create_group(GroupName="developers")
    other = aws.client("iam").create_policy(PolicyName="other", PolicyDocument=ANYTHING)
    attempts: Attempts = {
        "administrator on the group": partial(
            acting.attach_group_policy, GroupName="developers", PolicyArn=ADMINISTRATOR
        ),
        "another version": partial(
            acting.create_policy_version, PolicyArn=policy, PolicyDocument=ANYTHING
        ),
        "a policy": partial(acting.create_policy, PolicyName="new", PolicyDocument=ANYTHING),
        "an inline policy": partial(
            acting.put_user_policy, UserName="alice", PolicyName="x", PolicyDocument=ANYTHING
        ),
        "a key": partial(acting.create_access_key, UserName="alice"),
    }
    for arn in (ADMINISTRATOR, other["Policy"]["Arn"]):
        attempts |= attaching(acting, f"{arn} on", arn, users=["alice"], roles=["ci", "budget"])
    assert done(attempts) == []
