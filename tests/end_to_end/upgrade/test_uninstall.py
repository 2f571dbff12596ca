"""The stack is deleted while more are denied than IAM lists at once.

What a second deletion does is told in tests/enforce/test_uninstall.py: the embedded AWS, unlike
CloudFormation, deletes the set-up function although Setup could not be deleted.
"""

import pytest

from deployed_stack import ALLOW, DeployedStack, call
from embedded_account import Caller
from quota_enforcer.local.deploy import StackError

MANY = 120
"""IAM lists a hundred holders of a policy at once."""


def denied_by_hand(
    stack: DeployedStack, user: Caller, many: int, *, untouchable: int | None = None
) -> None:
    """By the enforcer and, so that it does not take minutes, by hand; one of them goes then."""
    iam, deny = stack.aws.client("iam"), stack.outputs["DenyAllPolicy"]
    callers = [user(name, ALLOW) for name in ("alice", "gone")]
    stack.quota()
    for each in callers:
        call(each, 1200)
    stack.sweep()
    assert stack.denied() == {"alice", "gone"}
    for number in range(many):
        path = "/break-glass/" if number == untouchable else "/"
        iam.create_user(UserName=f"u{number:03}", Path=path)
        iam.attach_user_policy(UserName=f"u{number:03}", PolicyArn=deny)
    iam.detach_user_policy(UserName="gone", PolicyArn=deny)
    for policy in iam.list_user_policies(UserName="gone")["PolicyNames"]:
        iam.delete_user_policy(UserName="gone", PolicyName=policy)
    for key in iam.list_access_keys(UserName="gone")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="gone", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="gone")


def test_all_are_released_and_one_who_is_gone_stops_nobody(
    stack: DeployedStack, user: Caller
) -> None:
    denied_by_hand(stack, user, 3)
    stack.aws.delete(stack.name)
    iam = stack.aws.client("iam")
    assert iam.list_policies(Scope="Local")["Policies"] == []
    for name in ("alice", "u000", "u002"):
        assert iam.list_attached_user_policies(UserName=name)["AttachedPolicies"] == []


def test_one_whom_iam_does_not_release_is_named_after_all_others_are_free(
    stack: DeployedStack, user: Caller
) -> None:
    denied_by_hand(stack, user, MANY, untouchable=60)
    deny = stack.outputs["DenyAllPolicy"]
    with pytest.raises(StackError, match=r"user/u060.* detach .* by hand"):
        stack.aws.delete(stack.name)
    left = stack.aws.client("iam").list_entities_for_policy(PolicyArn=deny)["PolicyUsers"]
    assert [each["UserName"] for each in left] == ["u060"]
