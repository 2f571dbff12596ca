"""`policy doctor`: reading, as narrow as it goes, and all that the checks need."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from quota_enforcer.cli.main import app
from quota_enforcer.core.policies.callers.doctor import FINDING, NEEDS, WITNESS_NEEDS, doctor
from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.document import MANAGED_LIMIT, VERSION, size

ACCOUNT = "111122223333"
READING = ("Describe", "Get", "List", "BatchGet", "Query", "Scan", "Simulate")
OF_NO_RESOURCE = {
    "account:ListRegions",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:ListModelInvocationJobs",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountSummary",
    "logs:DescribeAccountPolicies",
}


def printed(*args: str) -> Any:
    result = CliRunner().invoke(app, ["policy", "doctor", "--account", ACCOUNT, *args])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def actions(document: Any) -> set[str]:
    return {action for each in document["Statement"] for action in each["Action"]}


def test_it_grants_what_the_checks_need_and_nothing_else() -> None:
    needed = {action for needs in NEEDS.values() for action in needs} | set(FINDING)
    assert actions(printed()) == needed


def test_it_only_reads_and_no_record_of_the_log() -> None:
    for action in actions(printed()):
        service, name = action.split(":")
        assert name.startswith(READING), action
        assert (service, name) not in {("logs", "GetLogEvents"), ("logs", "FilterLogEvents")}


def test_only_what_knows_no_resource_is_granted_on_any() -> None:
    anywhere = {
        action
        for each in printed()["Statement"]
        if each["Resource"] == "*"
        for action in each["Action"]
    }
    assert anywhere == OF_NO_RESOURCE


def test_the_log_group_the_stack_and_the_partition_are_those_that_are_given() -> None:
    options = ("--stack", "mine", "--partition", "aws-cn", "--log-group", "/theirs")
    text = json.dumps(printed(*options, "--region", "cn-north-1"))
    assert "arn:aws-cn:logs:cn-north-1:111122223333:log-group:/theirs:*" in text
    assert "policy/bedrock-quota/mine/*" in text
    assert "bedrock-quota-" not in text


def test_it_is_a_policy_that_iam_takes() -> None:
    document = doctor(Deployed.named("q", ACCOUNT, "aws", "*"), "q")
    assert document["Version"] == VERSION
    assert size(document) <= MANAGED_LIMIT


@pytest.mark.parametrize(
    ("group", "resource"),
    [
        ("trail", f"arn:aws:logs:*:{ACCOUNT}:log-group:trail:*"),
        (
            f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:org/trail:*",
            f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:org/trail:*",
        ),
    ],
)
def test_with_a_trail_it_grants_one_query_of_that_log_group(group: str, resource: str) -> None:
    document = printed("--trail", group)
    assert actions(document) - actions(printed()) == {
        "logs:StartQuery",
        "logs:GetQueryResults",
    }
    assert set(WITNESS_NEEDS) < actions(document)
    [query] = [each for each in document["Statement"] if each["Action"] == ["logs:StartQuery"]]
    assert query["Resource"] in (resource, [resource])


def test_what_is_no_log_group_is_refused() -> None:
    for group in ("a b", "arn:aws:s3:::trail", "x" * 513):
        result = CliRunner().invoke(
            app, ["policy", "doctor", "--account", ACCOUNT, "--trail", group]
        )
        assert result.exit_code == 2, group
        assert "nor its ARN" in " ".join(result.stderr.replace("│", "").split())
