"""An update of a stack that has people denied: everything goes on.

The ledger is the one that the version of 2026-11-25 left on the embedded AWS, item for item as its
own code stored it: alice over and denied, bob warned, carol with next to nothing. Neither its
template nor its functions are here, so what is proved is that its ledger is understood and that an
update changes nobody's standing; the template is today's, before and after.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deployed_stack import ALLOW, TEMPLATE, DeployedStack, call, is_refused
from embedded_account import START, Caller
from quota_enforcer.aws.dynamodb.ledger.schema import VERSION
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.schedules import FunctionError

NAME = "bedrock-quota"
KEPT: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("ledger_of_an_earlier_version.json").read_text(encoding="utf-8")
)
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def deployed(aws: EmbeddedAws, **parameters: str) -> DeployedStack:
    given = {"Mode": "enforce", **parameters}
    return DeployedStack(aws, NAME, aws.deploy(TEMPLATE, NAME, given))


def as_left_by_an_earlier_version(stack: DeployedStack) -> None:
    """Its quotas, its ledger, and its deny in IAM."""
    stack.quota()
    stack.quota(quota="monthly", window="month", limit=5000)
    stack.metered()
    aws, table = stack.aws, stack.outputs["LedgerTable"]
    dynamodb = aws.client("dynamodb")
    for item in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
    for item in KEPT:
        dynamodb.put_item(TableName=table, Item=item)
    aws.client("iam").attach_user_policy(UserName="alice", PolicyArn=stack.outputs["DenyAllPolicy"])


def test_a_ledger_of_an_earlier_version_goes_on_through_an_update(
    aws: EmbeddedAws, user: Caller
) -> None:
    """With everything that an organisation may demand added by the update."""
    alice, bob, carol = (user(name, ALLOW) for name in ("alice", "bob", "carol"))
    stack = deployed(aws)
    as_left_by_an_earlier_version(stack)
    limits = aws.client("iam").create_policy(
        PolicyName="limits", PolicyDocument=json.dumps(EVERYTHING)
    )
    stack = deployed(
        aws,
        PermissionsBoundary=limits["Policy"]["Arn"],
        RolePath="/platform/",
        KmsKeyArn=f"arn:aws:kms:us-east-1:{aws.account_id}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        GateTags="team=platform",
        Gates="1",
    )
    assert is_refused(lambda: call(alice))
    assert stack.told() == []
    assert stack.denied() == {"alice"}
    call(carol)
    call(bob, 200)
    assert stack.told() == [("user/bob", "blocked")]
    assert is_refused(lambda: call(bob))
    roles = aws.client("iam").list_roles(PathPrefix="/platform/bedrock-quota/")["Roles"]
    assert len(roles) == 8
    (gate,) = (
        each
        for each in aws.client("iam").list_policies(Scope="Local")["Policies"]
        if each["PolicyName"].endswith("BOUNDARY-ONLY")
    )
    tags = aws.client("iam").list_policy_tags(PolicyArn=gate["Arn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "platform"}]
    aws.set_time(START + timedelta(hours=12, minutes=5))
    assert sorted(stack.told()) == [("user/alice", "restored"), ("user/bob", "restored")]
    call(alice)


def test_what_a_newer_version_left_is_refused_and_nobody_is_released_or_blocked(
    aws: EmbeddedAws, user: Caller
) -> None:
    """As after a deployment of an older version over a newer one."""
    alice = user("alice", ALLOW)
    stack = deployed(aws)
    as_left_by_an_earlier_version(stack)
    dynamodb, table = aws.client("dynamodb"), stack.outputs["LedgerTable"]
    state = {"pk": {"S": "deployment"}, "sk": {"S": "state"}}
    change: dict[str, Any] = {"schema": {"Value": {"N": str(VERSION + 1)}, "Action": "PUT"}}
    dynamodb.update_item(TableName=table, Key=state, AttributeUpdates=change)
    aws.set_time(START + timedelta(hours=13))
    with pytest.raises(FunctionError, match="deploy the newer version"):
        stack.sweep()
    assert is_refused(lambda: call(alice))
    said = stack.command("status")
    assert said.exit_code != 0
    assert "deploy the newer version" in said.output
