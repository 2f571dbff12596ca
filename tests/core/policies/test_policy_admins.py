"""`policy viewer` looks at everything and changes nothing; `policy admin` edits quotas besides."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from iam_decisions import ACCOUNT, Caller
from quota_enforcer.cli.main import app
from quota_enforcer.core.policies.document import MANAGED_LIMIT, size

LEDGER = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/bedrock-quota-LedgerTable-X"
QUOTAS = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/bedrock-quota-QuotaTable-X"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:bedrock-quota"
STACK = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/bedrock-quota/1-2"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:bedrock-quota-NoticeTopic-X"
DENY = f"arn:aws:iam::{ACCOUNT}:policy/bedrock-quota/bedrock-quota/x"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
READING = ("Describe", "Get", "List", "BatchGet", "Query", "Scan", "Decrypt")
Call = tuple[str, str, dict[str, object]]

LOOKS: list[Call] = [
    ("cloudformation:DescribeStacks", STACK, {}),
    ("lambda:GetFunctionConfiguration", f"{FUNCTION}-EnforcerFunction-X", {}),
    ("dynamodb:Scan", QUOTAS, {}),
    ("dynamodb:Scan", LEDGER, {}),
    ("dynamodb:Query", f"{LEDGER}/index/by-due", {}),
    ("iam:GetPolicyVersion", DENY, {}),
]
ACTS: list[Call] = [
    ("dynamodb:PutItem", QUOTAS, {}),
    ("dynamodb:DeleteItem", QUOTAS, {}),
    ("dynamodb:UpdateItem", LEDGER, {"dynamodb__LeadingKeys": ["quotas"]}),
    ("dynamodb:UpdateItem", LEDGER, {"dynamodb__LeadingKeys": ["requests"]}),
    ("lambda:InvokeFunction", f"{FUNCTION}-EnforcerFunction-X", {}),
    ("lambda:InvokeFunction", f"{FUNCTION}-MeterFunction-X", {}),
    ("sns:Subscribe", TOPIC, {}),
    ("iam:GetUser", ALICE, {}),
]
NEVER: list[Call] = [
    ("dynamodb:PutItem", LEDGER, {"dynamodb__LeadingKeys": ["requests"]}),
    ("dynamodb:UpdateItem", LEDGER, {"dynamodb__LeadingKeys": ["user/alice"]}),
    ("dynamodb:UpdateItem", LEDGER, {"dynamodb__LeadingKeys": ["requests", "user/alice"]}),
    ("dynamodb:UpdateItem", LEDGER, {}),
    ("dynamodb:DeleteItem", LEDGER, {}),
    ("dynamodb:DeleteTable", QUOTAS, {}),
    ("lambda:InvokeFunction", f"{FUNCTION}-MeFunction-X", {}),
    ("lambda:InvokeFunction", f"{FUNCTION}-AuthorFunction-X", {}),
    ("lambda:InvokeFunction", f"{FUNCTION}-SetupFunction-X", {}),
    ("lambda:UpdateFunctionCode", f"{FUNCTION}-EnforcerFunction-X", {}),
    ("lambda:UpdateFunctionConfiguration", f"{FUNCTION}-EnforcerFunction-X", {}),
    ("iam:AttachUserPolicy", ALICE, {"iam__PolicyARN": DENY}),
    ("iam:DetachUserPolicy", ALICE, {"iam__PolicyARN": DENY}),
    ("iam:CreatePolicyVersion", DENY, {}),
    ("sns:Publish", TOPIC, {}),
    ("bedrock:InvokeModel", "*", {}),
    ("logs:FilterLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:x:*", {}),
]


LEADS: list[Call] = [
    ("dynamodb:PutItem", QUOTAS, {"dynamodb__LeadingKeys": ["lead/research"]}),
    ("dynamodb:DeleteItem", QUOTAS, {"dynamodb__LeadingKeys": ["lead/research"]}),
]
OTHERS: list[Call] = [
    (f"dynamodb:{action}", QUOTAS, {"dynamodb__LeadingKeys": keys})
    for action in ("PutItem", "DeleteItem", "UpdateItem", "BatchWriteItem")
    for keys in (
        ["team/research"],
        ["lead/ops"],
        ["lead/research2"],
        ["user/alice"],
        ["default"],
        ["lead/research", "team/research"],
    )
]
NOT_LEADS: list[Call] = [
    *OTHERS,
    ("dynamodb:UpdateItem", QUOTAS, {"dynamodb__LeadingKeys": ["lead/research"]}),
    ("dynamodb:PutItem", QUOTAS, {}),
    ("dynamodb:PartiQLInsert", QUOTAS, {"dynamodb__LeadingKeys": ["lead/research"]}),
    *(each for each in ACTS if not each[0].startswith("iam:")),
]


def printed(which: str, *args: str) -> Any:
    words = ["policy", *which.split(), "--account", ACCOUNT, "--region", "us-east-1", *args]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(which: str, calls: list[Call]) -> list[Call]:
    caller = Caller([printed(which)])
    return [each for each in calls if not caller.may(each[0], each[1], **each[2])]


def test_a_viewer_sees_everything_and_changes_nothing() -> None:
    assert refused("viewer", LOOKS) == []
    assert refused("viewer", [*ACTS, *NEVER]) == [*ACTS, *NEVER]


def test_an_admin_edits_quotas_and_answers_and_nothing_else() -> None:
    assert refused("admin", [*LOOKS, *ACTS]) == []
    assert refused("admin", NEVER) == NEVER


def test_every_action_of_a_viewer_reads() -> None:
    for statement in printed("viewer", "--kms-key", KEY)["Statement"]:
        assert all(each.split(":")[1].startswith(READING) for each in statement["Action"])


def test_a_lead_looks_and_writes_under_one_key_alone() -> None:
    lead = "team-lead team/research"
    assert refused(lead, [*LOOKS, *LEADS]) == []
    assert refused(lead, [*NOT_LEADS, *NEVER]) == [*NOT_LEADS, *NEVER]


@pytest.mark.parametrize(
    "team", ["research", "team/", "team/*", "team/${aws:username}", "team/a b "]
)
def test_what_is_no_team_gets_no_policy(team: str) -> None:
    words = ["policy", "team-lead", team, "--account", ACCOUNT]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "write team/NAME" in " ".join(result.output.split())


@pytest.mark.parametrize("which", ["viewer", "admin", "team-lead team/research"])
def test_it_fits_into_one_managed_policy(which: str) -> None:
    assert size(printed(which, "--kms-key", KEY)) < MANAGED_LIMIT
