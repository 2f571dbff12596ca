"""Teams read on a schedule and raised by a lead: the real template, functions and IAM's decisions.

One deployment for all of it, in the order in which it happens.
"""

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from deployed_stack import ALLOW, TEMPLATE, DeployedStack, call, is_refused
from embedded_account import Caller
from quota_enforcer.core.policies.callers.admins import team_lead
from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.schedules import FunctionError

if TYPE_CHECKING:
    from collections.abc import Callable

QUOTA = {"principal": "team/research", "leads_raise_to": 5_000}


@pytest.fixture
def stack(aws: EmbeddedAws) -> DeployedStack:
    """Who is in a team is kept in the tag `team` of users and roles."""
    parameters = {"Mode": "enforce", "TeamsFrom": "iam", "TeamsName": "team"}
    return DeployedStack(aws, "bedrock-quota", aws.deploy(TEMPLATE, "bedrock-quota", parameters))


def tag(stack: DeployedStack, user: str, *team: str) -> None:
    iam = stack.aws.client("iam")
    if team:
        iam.tag_user(UserName=user, Tags=[{"Key": "team", "Value": each} for each in team])
    else:
        iam.untag_user(UserName=user, TagKeys=["team"])


def read(stack: DeployedStack) -> Any:
    return stack.aws.fire_schedule(stack.name, "TeamsSchedule")


def members(stack: DeployedStack) -> list[str]:
    key = {"principal": {"S": "team/research"}, "quota": {"S": "members"}}
    table = stack.outputs["QuotaTable"]
    found = stack.aws.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    return sorted(each["S"] for each in found["members"]["L"])


def put(stack: DeployedStack, caller: boto3.Session, principal: str, quota: str, to: str) -> None:
    """As with the AWS CLI, whatever our own would say."""
    item = {"principal": principal, "quota": quota, "until": "2026-12-01"}
    caller.client("dynamodb").put_item(
        TableName=stack.outputs["QuotaTable"],
        Item={**{name: {"S": each} for name, each in item.items()}, "raise_to": {"N": to}},
    )


def test_a_tag_puts_somebody_into_a_team_whose_lead_raises_within_the_bound(
    stack: DeployedStack, user: Caller
) -> None:
    alice, _ = user("alice", ALLOW), user("bob", ALLOW)
    tag(stack, "alice", "research")
    tag(stack, "bob", "research")
    assert read(stack)["written"] == ["team/research"]
    assert members(stack) == ["user/alice", "user/bob"]
    stack.quota(**QUOTA)
    call(alice, 1_200)
    assert stack.told_by_the_stream() == [("user/alice", "blocked")]
    assert is_refused(lambda: call(alice))

    of = Deployed.named(stack.name, stack.aws.account_id, "aws", stack.aws.region)
    lead = user("lea", *team_lead(of, stack.name, "team/research")["Statement"])
    raised = stack.command(
        "quota", "raise", "user/alice", "daily", "3000", "--until", "1d", caller=lead
    )
    assert raised.exit_code == 0, raised.output
    assert stack.told_by_the_stream() == [("user/alice", "restored")]
    call(alice)

    writes: list[Callable[[], None]] = [
        lambda principal=principal: put(stack, lead, principal, "daily", "1")  # type: ignore[misc]
        for principal in ("team/research", "user/alice", "lead/ops", "default")
    ]
    assert all(map(is_refused, writes))
    put(stack, lead, "lead/research", "daily:user/alice", "1000000000")
    call(alice, 5_000)
    assert ("user/alice", "blocked") in stack.told_by_the_stream()
    assert is_refused(lambda: call(alice))

    tag(stack, "alice")
    tag(stack, "bob")
    with pytest.raises(FunctionError, match="nobody would be in it"):
        read(stack)
    assert members(stack) == ["user/alice", "user/bob"]
    history = stack.command("history", "--since", "7d").output
    assert "the schedule of the stack, from iam:team" in " ".join(history.split())
