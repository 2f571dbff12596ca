"""What IAM's policy simulator is asked, and how its answer is read."""

from typing import Any

import boto3
from botocore.stub import Stubber

from quota_enforcer.aws.iam.simulation import allowed
from quota_enforcer.core.policies.guard.keys import Key, KeyTargets, keys

ALICE = "arn:aws:iam::111122223333:user/alice"
DENY = "arn:aws:iam::111122223333:policy/bedrock-quota/q/q-deny"
TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/q"
PUT = Key("edit", "dynamodb:PutItem", TABLE)
DELETE = Key("empty", "dynamodb:DeleteItem", TABLE)
DETACH = Key("detach", "iam:DetachUserPolicy", ALICE, (("iam:PolicyARN", DENY),))


def result(action: str, decision: str) -> dict[str, Any]:
    return {"EvalActionName": action, "EvalDecision": decision}


def test_each_resource_is_one_question_with_what_the_request_says() -> None:
    client = boto3.Session("testing", "testing", region_name="us-east-1").client("iam")
    with Stubber(client) as stub:
        stub.add_response(
            "simulate_principal_policy",
            {
                "EvaluationResults": [
                    result("dynamodb:PutItem", "allowed"),
                    result("dynamodb:DeleteItem", "explicitDeny"),
                ]
            },
            {
                "PolicySourceArn": ALICE,
                "ActionNames": ["dynamodb:PutItem", "dynamodb:DeleteItem"],
                "ResourceArns": [TABLE],
                "ContextEntries": [],
            },
        )
        stub.add_response(
            "simulate_principal_policy",
            {"EvaluationResults": [result("iam:DetachUserPolicy", "implicitDeny")]},
            {
                "PolicySourceArn": ALICE,
                "ActionNames": ["iam:DetachUserPolicy"],
                "ResourceArns": [ALICE],
                "ContextEntries": [
                    {
                        "ContextKeyName": "iam:PolicyARN",
                        "ContextKeyValues": [DENY],
                        "ContextKeyType": "string",
                    }
                ],
            },
        )
        assert allowed(client, ALICE, [PUT, DELETE, DETACH]) == [PUT]
        stub.assert_no_pending_responses()


def test_a_role_has_no_name_to_change_and_what_is_not_there_no_key() -> None:
    lock = KeyTargets("", "", "", "", "stack", "log", DENY)
    role = "arn:aws:iam::111122223333:role/ci"
    actions = [key.action for key in keys(lock, role)]
    assert "iam:UpdateUser" not in actions
    assert "iam:DetachRolePolicy" in actions
    assert "dynamodb:PutItem" not in actions
    assert "iam:UpdateUser" in [key.action for key in keys(lock, ALICE)]
