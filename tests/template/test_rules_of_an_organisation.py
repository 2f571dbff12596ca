"""A boundary, a path, a key and tags that an organisation demands: each off unless it is given."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.deployed import checked_key
from quota_enforcer.core.policies.names import checked_role_path, policy_path
from quota_enforcer.gates.settings import AuthorSettings
from template_source import PARAMETERS, of_type
from template_values import KEY, LEAST, SIGNED_WITH, Deployed

SIGNING = "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0"
BOUNDARY = "arn:aws:iam::123456789012:policy/limits"
HOOK = {"WebhookUrl": "https://hooks.example.com", "WebhookSecretArn": SIGNED_WITH}
EVERYTHING: dict[str, str] = {
    "Gates": "4",
    "Metering": "cloudwatch",
    "BudgetDollars": "5",
    "BudgetRoles": "ci",
    **HOOK,
    "TeamsFrom": "iam",
}
GIVEN = Deployed(
    **EVERYTHING, PermissionsBoundary=BOUNDARY, RolePath="/platform/", KmsKeyArn=KEY, GateTags="a=b"
)
PLAIN = Deployed(**EVERYTHING)


@pytest.mark.parametrize("role", of_type("AWS::IAM::Role"))
class TestRoles:
    def test_every_role_has_the_boundary(self, role: str) -> None:
        assert GIVEN.properties(role)["PermissionsBoundary"] == BOUNDARY
        assert "PermissionsBoundary" not in PLAIN.properties(role)

    def test_every_role_lives_below_the_path_and_ends_as_before(self, role: str) -> None:
        assert GIVEN.properties(role)["Path"] == "/platform/bedrock-quota/bedrock-quota/"
        assert PLAIN.properties(role)["Path"] == policy_path("bedrock-quota")


def test_policies_stay_where_they_are() -> None:
    """People and permission sets name the gates, and a deny that moved would be another one."""
    for policy in of_type("AWS::IAM::ManagedPolicy"):
        if GIVEN.has(policy):
            assert GIVEN.properties(policy)["Path"] == policy_path("bedrock-quota")


def test_the_enforcer_touches_no_role_of_ours_wherever_it_lives() -> None:
    def untouched(of: Deployed) -> set[str]:
        statements = of.policy("EnforcerRole")["Statement"]
        (found,) = (each for each in statements if each["Sid"] == "NeverTheseReservedOrBreakGlass")
        return set(found["Resource"])

    more = untouched(GIVEN) - untouched(PLAIN)
    assert more == {"arn:aws:iam::123456789012:role/platform/bedrock-quota/*"}
    assert untouched(PLAIN) <= untouched(GIVEN)


ENCRYPTED: list[tuple[str, tuple[str, ...]]] = [
    *((group, ("KmsKeyId",)) for group in of_type("AWS::Logs::LogGroup")),
    *((table, ("SSESpecification", "KMSMasterKeyId")) for table in of_type("AWS::DynamoDB::Table")),
    *((topic, ("KmsMasterKeyId",)) for topic in of_type("AWS::SNS::Topic")),
]


@pytest.mark.parametrize(("resource", "path"), ENCRYPTED)
def test_tables_logs_and_the_topic_are_encrypted_with_the_key(
    resource: str, path: tuple[str, ...]
) -> None:
    def found(of: Deployed) -> Any:
        value: Any = of.properties(resource)
        for each in path:
            value = value.get(each)
        return value

    assert found(GIVEN) == KEY
    assert found(PLAIN) is None


@pytest.mark.parametrize("role", of_type("AWS::IAM::Role"))
def test_the_key_serves_a_role_only_by_way_of_what_it_uses(role: str) -> None:
    """Never KMS itself, so that no function can decrypt anything else under the same key."""
    uses = {
        "MeterRole": ["dynamodb"],
        "EnforcerRole": ["dynamodb", "sns"],
        "AuthorRole": ["dynamodb"],
        "MeRole": ["dynamodb"],
        "WebhookRole": ["secretsmanager"],
        "TeamsRole": ["dynamodb"],
    }
    found = [each for each in GIVEN.policy(role)["Statement"] if "kms:" in str(each.get("Action"))]
    assert "kms:" not in str(PLAIN.policy(role))
    assert len(found) == (role in uses)
    for each in found:
        via = [f"{service}.us-east-1.*" for service in uses[role]]
        assert each["Resource"] == KEY
        assert each["Condition"] == {"StringLike": {"kms:ViaService": via}}


@pytest.mark.parametrize("function", of_type("AWS::Serverless::Function"))
def test_every_function_runs_signed_code_alone_where_a_configuration_is_given(
    function: str,
) -> None:
    signing = Deployed(CodeSigningConfigArn=SIGNING, Gates="1", TeamsFrom="iam", **HOOK)
    assert signing.properties(function)["CodeSigningConfigArn"] == SIGNING
    assert "CodeSigningConfigArn" not in PLAIN.properties(function)


def test_the_gates_tags_reach_the_author() -> None:
    assert LEAST.parameters["GateTags"] == ""
    told = GIVEN.environment("AuthorFunction")["GATE_TAGS"]
    settings = {"LEDGER_TABLE": "l", "DENY_AGENT_CORE": "true", "GATES": f'["{GATE}"]'}
    assert AuthorSettings.from_environment(settings | {"GATE_TAGS": told}).tags == (("a", "b"),)
    assert AuthorSettings.from_environment(settings | {"GATE_TAGS": ""}).tags == ()


GATE = "arn:aws:iam::123456789012:policy/bedrock-quota/q/q-gate-1-BOUNDARY-ONLY"


PAGE = Path(__file__).parents[2] / "docs/reference/deploying.md"


def test_the_page_lets_every_service_that_publishes_or_logs_use_the_key() -> None:
    """The services that the topic's policy names, and CloudWatch Logs."""
    text = PAGE.read_text(encoding="utf-8").partition("```json\n")[2].partition("```")[0]
    services = {each["Principal"]["Service"] for each in json.loads(text)}
    publishing = GIVEN.properties("NoticeTopicPolicy")["PolicyDocument"]["Statement"]
    expected = {each["Principal"]["Service"] for each in publishing}
    budget = {"budgets.amazonaws.com"}  # named further down, since there is none by default
    assert services == expected - budget | {"logs.eu-central-1.amazonaws.com"}


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("PermissionsBoundary", BOUNDARY, True),
        ("PermissionsBoundary", "arn:aws:iam::aws:policy/PowerUserAccess", True),
        ("PermissionsBoundary", "arn:aws-us-gov:iam::123456789012:policy/a/b/limits", True),
        ("PermissionsBoundary", "limits", False),
        ("PermissionsBoundary", "arn:aws:iam::123456789012:role/limits", False),
        ("RolePath", "/", True),
        ("RolePath", "/platform/team/", True),
        ("RolePath", "platform/", False),
        ("RolePath", "/platform", False),
        ("RolePath", "//", False),
        ("RolePath", "", False),
        ("RolePath", "/*/", False),
        ("KmsKeyArn", KEY, True),
        ("KmsKeyArn", "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1234", True),
        ("KmsKeyArn", "alias/quota", False),
        ("KmsKeyArn", "arn:aws:kms:us-east-1:123456789012:alias/quota", False),
        ("KmsKeyArn", "1234abcd-12ab-34cd-56ef-1234567890ab", False),
        ("CodeSigningConfigArn", SIGNING, True),
        ("CodeSigningConfigArn", "", True),
        ("CodeSigningConfigArn", "csc-0123456789abcdef0", False),
        ("CodeSigningConfigArn", SIGNING[:-1], False),
        ("GateTags", "team=platform,cost centre=47-11", True),
        ("GateTags", "team=", True),
        ("GateTags", "team", False),
        ("GateTags", "=platform", False),
        ("GateTags", "a=b,", False),
        ("GateTags", "aws:team=x", False),
        ("GateTags", "a=b,AWS:team=x", False),
    ],
)
def test_what_a_parameter_may_be(parameter: str, value: str, *, allowed: bool) -> None:
    pattern = PARAMETERS[parameter]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) == allowed
    check = {"RolePath": checked_role_path, "KmsKeyArn": checked_key}.get(parameter)
    if check and allowed:
        assert check(value) == value
    elif check:
        with pytest.raises(InvalidPolicyInput, match=re.escape(repr(value))):
            check(value)
