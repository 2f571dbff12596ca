"""How an account is read before the first deployment."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
from moto import mock_aws

from account_fakes import ACCOUNT_TRUST, USE_MODELS, a_document
from quota_enforcer.aws.account.organization import accounts
from quota_enforcer.aws.account.survey import account_probe
from quota_enforcer.aws.cloudwatch.event_history import CALLS, newest_calls
from quota_enforcer.aws.cloudwatch.traffic import BedrockTraffic
from quota_enforcer.aws.iam.authorizations import authorizations
from quota_enforcer.core.principal import Principal
from quota_enforcer.doctor.before.facts import (
    CallSeen,
    GroupFound,
    OtherAccount,
    RegionFound,
    Whereabouts,
)
from quota_enforcer.doctor.before.grants import callers_by_policy
from stubbed import stubbed

SESSION = boto3.Session("t", "t", region_name="us-east-1")
SINCE = datetime(2026, 11, 10, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALICE = "arn:aws:iam::123456789012:user/alice"


@mock_aws
class TestAuthorizations:
    def test_users_roles_groups_with_the_documents_of_their_policies(self) -> None:
        iam = SESSION.client("iam")
        use = json.dumps(a_document(USE_MODELS))
        arn = iam.create_policy(PolicyName="use", PolicyDocument=use)["Policy"]["Arn"]
        other = json.dumps(a_document({**USE_MODELS, "Action": "bedrock-mantle:*"}))
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=other, SetAsDefault=True)
        iam.create_user(UserName="alice", Path="/staff/")
        iam.create_group(GroupName="ai")
        iam.put_group_policy(GroupName="ai", PolicyName="p", PolicyDocument=use)
        iam.add_user_to_group(UserName="alice", GroupName="ai")
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=ACCOUNT_TRUST)
        iam.attach_role_policy(RoleName="app", PolicyArn=arn)
        iam.put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=use)

        found = authorizations(iam)

        alice, app = found.identities
        assert (alice.principal, alice.path) == (Principal.parse("user/alice"), "/staff/")
        assert (alice.groups, alice.trust) == (("ai",), "")
        assert (app.principal, app.managed) == (Principal.parse("role/app"), (arn,))
        assert json.loads(app.trust) == json.loads(ACCOUNT_TRUST)
        assert app.inline == (a_document(USE_MODELS),)
        assert found.groups == {"ai": GroupFound((a_document(USE_MODELS),))}
        assert found.policies[arn]["Statement"][0]["Action"] == "bedrock-mantle:*"
        ways = {str(each.identity.principal): each.ways for each in callers_by_policy(found)}
        assert ways == {"user/alice": ("models",), "role/app": ("models", "mantle")}

    def test_when_a_role_was_used_last_and_its_boundary(self) -> None:
        role = {
            "RoleName": "app", "Path": "/", "AssumeRolePolicyDocument": "%7B%7D",
            "RoleLastUsed": {"LastUsedDate": NOW, "Region": "us-east-1"},
            "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::1:policy/limits"},
        }  # fmt: skip
        client = stubbed("iam", "get_account_authorization_details", {"RoleDetailList": [role]})
        [found] = authorizations(client).identities
        assert (found.last_used, found.boundary) == (NOW, "arn:aws:iam::1:policy/limits")

    def test_the_caller_and_the_partition(self) -> None:
        session = SESSION
        assert account_probe(session).whereabouts() == Whereabouts(
            "123456789012", "aws", "us-east-1"
        )

    def test_a_region_without_bedrock_is_not_asked_for_it(self) -> None:
        """Moto knows no batch jobs, so to ask for them would fail."""
        without = {*SESSION.get_available_regions("cloudwatch")} - {
            *SESSION.get_available_regions("bedrock")
        }
        nowhere = min(without)
        assert account_probe(SESSION).region(nowhere, SINCE, NOW) == RegionFound(nowhere)

    def test_active_accounts_of_the_organisation(self) -> None:
        client = SESSION.client("organizations")
        client.create_organization(FeatureSet="ALL")
        made = client.create_account(Email="a@example.com", AccountName="dev")
        assert OtherAccount(made["CreateAccountStatus"]["AccountId"], "dev") in accounts(client)


def event(arn: str, **more: Any) -> dict[str, Any]:
    record = {
        "eventSource": "bedrock.amazonaws.com", "userIdentity": {"arn": arn} if arn else {}, **more,
    }  # fmt: skip
    return {"EventTime": NOW, "CloudTrailEvent": json.dumps(record)}


class _History:
    """Pages of the event history, by the name of the event."""

    def __init__(self, pages: dict[str, list[list[dict[str, Any]]]]) -> None:
        self.pages = pages
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, operation: str, /) -> Any:
        assert operation == "lookup_events"
        return self

    def paginate(self, **asked: Any) -> Any:
        self.asked.append(asked)
        name = asked["LookupAttributes"][0]["AttributeValue"]
        return ({"Events": page} for page in self.pages.get(name, []))


class TestEventHistory:
    def test_callers_of_each_kind_of_call_that_did_not_fail(self) -> None:
        failed = event("arn:x", errorCode="AccessDenied")
        other = event("arn:x", eventSource="other.amazonaws.com")
        history = _History({"Converse": [[event(ALICE), failed, other, event("")]]})
        assert newest_calls(history, SINCE) == [CallSeen(ALICE, NOW)]
        assert [each["LookupAttributes"][0]["AttributeValue"] for each in history.asked] == list(
            CALLS
        )
        assert {each["StartTime"] for each in history.asked} == {SINCE}

    def test_only_the_newest_pages_are_read(self) -> None:
        history = _History({"InvokeModel": [[event(ALICE)]] * 100})
        assert len(newest_calls(history, SINCE)) == 2


def test_accounts_whose_metrics_are_shown_here() -> None:
    answer = {"Metrics": [], "OwningAccounts": ["111122223333", "444455556666", "111122223333"]}
    client = stubbed(
        "cloudwatch", "list_metrics", answer,
        Namespace="AWS/Bedrock", MetricName="Invocations", IncludeLinkedAccounts=True,
    )  # fmt: skip
    assert BedrockTraffic(client).linked() == {"111122223333", "444455556666"}
