"""Each function may do what its code calls, and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from boto_calls import actions_in, actions_of
from template_source import RESOURCES, of_type

FUNCTIONS = {
    "EnforcerRole": "quota_enforcer.handlers.enforcer",
    "SetupRole": "quota_enforcer.handlers.setup",
}
NOT_CALLED = {
    "iam:PassRole": "Bedrock asks for it when it is given the log role",
    "logs:CreateLogStream": "Lambda writes the function's log as the function",
    "logs:PutLogEvents": "Lambda writes the function's log as the function",
    "sqs:SendMessage": "Lambda hands over a failed event as the function",
    "xray:PutTelemetryRecords": "the X-Ray daemon sends as the function",
    "xray:PutTraceSegments": "the X-Ray daemon sends as the function",
}
NEEDS_ANY_RESOURCE = {
    "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:PutModelInvocationLoggingConfiguration",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions that know no resource, says AWS's Service Authorization Reference."""
ATTACHING = {
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
}
PROTECTED = {
    "role/aws-reserved/*",
    "role/aws-service-role/*",
    "role/bedrock-quota/*",
    "role/break-glass/*",
    "user/bedrock-quota/*",
    "user/break-glass/*",
}


def a_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: str, effect: str = "Allow") -> Iterator[dict[str, Any]]:
    for policy in RESOURCES[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == effect:
                yield statement


def actions(role: str, effect: str = "Allow") -> set[str]:
    return {action for each in statements(role, effect) for action in a_list(each["Action"])}


def statement(role: str, sid: str) -> dict[str, Any]:
    (found,) = (
        each
        for effect in ("Allow", "Deny")
        for each in statements(role, effect)
        if each["Sid"] == sid
    )
    return found


@pytest.mark.parametrize("role", FUNCTIONS)
def test_every_call_of_the_code_is_granted(role: str) -> None:
    assert actions_of(FUNCTIONS[role]) <= actions(role)


@pytest.mark.parametrize("role", FUNCTIONS)
def test_every_action_granted_is_called_or_has_a_reason(role: str) -> None:
    assert actions(role) - set(NOT_CALLED) <= actions_of(FUNCTIONS[role])


def test_every_reason_is_still_needed() -> None:
    assert set(NOT_CALLED) <= actions("EnforcerRole") | actions("SetupRole")


def test_every_function_has_its_role_here() -> None:
    roles = {
        resource["Properties"]["Role"]["Fn::GetAtt"][0]
        for resource in RESOURCES.values()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    assert roles == set(FUNCTIONS)


ROLES = of_type("AWS::IAM::Role")


@pytest.mark.parametrize("role", ROLES)
def test_no_grant_names_actions_by_wildcard(role: str) -> None:
    assert not [action for action in actions(role) if "*" in action]


@pytest.mark.parametrize("role", ROLES)
def test_any_resource_is_granted_only_where_the_action_knows_none(role: str) -> None:
    anywhere = {
        action
        for each in statements(role)
        if each["Resource"] == "*"
        for action in a_list(each["Action"])
    }
    assert anywhere <= NEEDS_ANY_RESOURCE


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_out_of_the_enforcers_reach(role: str) -> None:
    path = RESOURCES[role]["Properties"]["Path"]["Fn::Sub"]
    assert path == "/bedrock-quota/${AWS::StackName}/"


@pytest.mark.parametrize("role", ROLES)
def test_no_role_has_a_policy_beyond_its_own_statements(role: str) -> None:
    assert "ManagedPolicyArns" not in RESOURCES[role]["Properties"]


def test_policies_are_attached_to_nobody_by_the_template() -> None:
    """Neither inline nor managed: the enforcer alone attaches the deny, at run time."""
    managed = RESOURCES["DenyAllPolicy"]["Properties"]
    assert not {"Users", "Roles", "Groups"} & set(managed)
    types = {resource["Type"] for resource in RESOURCES.values()}
    assert not {"AWS::IAM::Policy", "AWS::IAM::UserPolicy", "AWS::IAM::RolePolicy"} & types


def test_the_enforcer_attaches_and_detaches_exactly_the_deny_policy() -> None:
    assert set(statement("EnforcerRole", "Denies")["Action"]) == ATTACHING
    condition = statement("EnforcerRole", "Denies")["Condition"]
    assert condition == {"ArnEquals": {"iam:PolicyARN": [{"Ref": "DenyAllPolicy"}]}}


def test_any_other_policy_is_denied_whatever_else_the_role_may_get() -> None:
    other = statement("EnforcerRole", "NeverAnotherPolicy")
    assert other["Effect"] == "Deny"
    assert set(other["Action"]) == {"iam:Attach*Policy", "iam:Detach*Policy"}
    assert other["Resource"] == "*"
    assert other["Condition"] == {"ArnNotEquals": {"iam:PolicyARN": [{"Ref": "DenyAllPolicy"}]}}


def test_reserved_break_glass_and_own_principals_are_never_touched() -> None:
    protected = statement("EnforcerRole", "NeverTheseReservedOrBreakGlass")
    assert protected["Effect"] == "Deny"
    assert set(protected["Action"]) == {"iam:Attach*Policy", "iam:Detach*Policy"}
    assert "Condition" not in protected
    resources = {resource["Fn::Sub"] for resource in protected["Resource"]}
    prefix = "arn:${AWS::Partition}:iam::${AWS::AccountId}:"
    assert resources == {prefix + each for each in PROTECTED}


def test_the_enforcer_only_reads_the_quotas() -> None:
    assert statement("EnforcerRole", "Quotas")["Action"] == "dynamodb:Scan"
    users = [each["Sid"] for each in statements("EnforcerRole") if "QuotaTable" in json.dumps(each)]
    assert users == ["Quotas"]


def test_no_function_can_write_the_invocation_log() -> None:
    for role in FUNCTIONS:
        for each in statements(role):
            if any(action.startswith("logs:") for action in a_list(each["Action"])):
                assert "Invocation" not in json.dumps(each["Resource"])


class TestReadingTheCode:
    def test_a_client_method_that_is_handed_on_counts(self) -> None:
        assert set(actions_in("retry(self._client.delete_item, Key=1)", "m")) == {
            "dynamodb:DeleteItem"
        }

    def test_a_paginator_counts(self) -> None:
        assert set(actions_in("client.get_paginator('list_metrics')", "m")) == {
            "cloudwatch:ListMetrics"
        }

    def test_a_transaction_needs_the_actions_of_its_parts(self) -> None:
        source = "self._client.transact_write_items(TransactItems=[{'Put': 1, 'Delete': 2}])"
        assert set(actions_in(source, "m")) == {"dynamodb:PutItem", "dynamodb:DeleteItem"}

    def test_an_unknown_method_is_an_error(self) -> None:
        with pytest.raises(LookupError, match="put_cat"):
            set(actions_in("client.put_cat()", "m"))
