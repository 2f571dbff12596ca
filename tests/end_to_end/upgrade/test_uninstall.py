"""The stack is deleted while more are denied than IAM lists at once, and one cannot be released."""

import pytest

from deployed_stack import ALLOW, DeployedStack, call, is_refused
from embedded_account import Caller
from quota_enforcer.local.deploy import StackError

MANY = 120
"""IAM lists a hundred holders of a policy at once."""


def test_all_are_released_one_at_the_second_try_and_one_who_is_gone_stops_nobody(
    stack: DeployedStack, user: Caller
) -> None:
    iam = stack.aws.client("iam")
    alice = user("alice", ALLOW)
    gone = user("gone", ALLOW)
    stack.quota()
    call(alice, 1200)
    call(gone, 1200)
    stack.sweep()
    assert stack.denied() == {"alice", "gone"}
    deny = stack.outputs["DenyAllPolicy"]
    for number in range(MANY):
        path = "/break-glass/" if number == 60 else "/"
        iam.create_user(UserName=f"u{number:03}", Path=path)
        iam.attach_user_policy(UserName=f"u{number:03}", PolicyArn=deny)
    iam.detach_user_policy(UserName="gone", PolicyArn=deny)
    for policy in iam.list_user_policies(UserName="gone")["PolicyNames"]:
        iam.delete_user_policy(UserName="gone", PolicyName=policy)
    for key in iam.list_access_keys(UserName="gone")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="gone", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="gone")
    with pytest.raises(StackError, match="u060"):
        stack.aws.delete(stack.name)
    left = iam.list_entities_for_policy(PolicyArn=deny)["PolicyUsers"]
    assert [each["UserName"] for each in left] == ["u060"]
    call(alice)
    iam.detach_user_policy(UserName="u060", PolicyArn=deny)
    stack.aws.delete(stack.name)
    assert is_refused(lambda: call(alice)) is False
    assert iam.list_policies(Scope="Local")["Policies"] == []
