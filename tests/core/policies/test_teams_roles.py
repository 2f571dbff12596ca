"""What IAM decides on the role of the teams function and on the role by which it reads."""

import pytest

from iam_decisions import ACCOUNT, ANYTHING, Caller
from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.functions.teams import READS, reader, teams

DEPLOYED = Deployed.named("bedrock-quota", ACCOUNT, "aws", "us-east-1")
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/bedrock-quota"
QUOTAS, LEDGER = f"{TABLE}-QuotaTable-X", f"{TABLE}-LedgerTable-X"
OWN = f"arn:aws:iam::{ACCOUNT}:role/bedrock-quota/bedrock-quota/bedrock-quota"
READER = f"{OWN}-TeamsReaderRole-X"
GROUP = "arn:aws:identitystore:::group/1"
ACTIONS = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate")
KEYS = ("user/alice", "default", "role/*", "lead/x", "pause", "teams", "price/x")


@pytest.mark.parametrize("policies", [[teams(DEPLOYED)], [ANYTHING, teams(DEPLOYED)]])
def test_it_writes_items_of_teams_and_nothing_else_even_as_an_administrator(
    policies: list[dict[str, object]],
) -> None:
    caller = Caller(policies)
    assert caller.may("dynamodb:PutItem", QUOTAS, dynamodb__LeadingKeys=["team/research"])
    for action in ACTIONS:
        for keys in [[each] for each in KEYS] + [["team/x", "user/alice"]]:
            assert not caller.may(f"dynamodb:{action}", QUOTAS, dynamodb__LeadingKeys=keys)
        for keys in (["team/x"], ["requests"], ["deployment"]):
            assert not caller.may(f"dynamodb:{action}", LEDGER, dynamodb__LeadingKeys=keys)
    for action in ACTIONS[1:]:
        assert not caller.may(f"dynamodb:{action}", QUOTAS, dynamodb__LeadingKeys=["team/x"])
    assert caller.may("sts:AssumeRole", READER)
    elsewhere = READER.replace(ACCOUNT, "444455556666")
    for role in (f"{OWN}-EnforcerRole-X", f"arn:aws:iam::{ACCOUNT}:role/admin", elsewhere):
        assert not caller.may("sts:AssumeRole", role)
    for action in ("iam:GetAccountAuthorizationDetails", "iam:AttachUserPolicy",
                   "lambda:InvokeFunction", "sns:Publish"):  # fmt: skip
        assert not caller.may(action)


@pytest.mark.parametrize("source", ["iam:team", "identity-center:bedrock-*", "s3://teams/all.csv"])
def test_what_reads_changes_nothing_even_as_an_administrator(source: str) -> None:
    caller = Caller([ANYTHING, reader(DEPLOYED, source)])
    for action in ("iam:CreateUser", "iam:TagUser", "identitystore:CreateGroupMembership",
                   "s3:PutObject", "dynamodb:PutItem", "sts:AssumeRole", "sso:CreateInstance",
                   "iam:GetUser", "s3:ListBucket"):  # fmt: skip
        assert not caller.may(action)


@pytest.mark.parametrize(
    ("source", "may"),
    [("iam:team", {"iam:GetAccountAuthorizationDetails"}),
     ("identity-center:A,B", {"sso:ListInstances", "identitystore:ListGroups",
                              "identitystore:ListGroupMemberships", "identitystore:ListUsers"}),
     ("s3://teams/all.csv", {"s3:GetObject"})],
)  # fmt: skip
def test_it_reads_its_own_source_alone(source: str, may: set[str]) -> None:
    caller = Caller([reader(DEPLOYED, source)])
    resources = {"s3:GetObject": "arn:aws:s3:::teams/all.csv", "sso:ListInstances": "*",
                 "iam:GetAccountAuthorizationDetails": "*"}  # fmt: skip
    assert {each for each in READS if caller.may(each, resources.get(each, GROUP))} == may
    assert not caller.may("s3:GetObject", "arn:aws:s3:::teams/other.csv")
