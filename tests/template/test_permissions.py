"""Each function may do what its code calls, and nothing else."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boto_calls import actions_in, actions_of
from quota_enforcer.core.policies.deployed import WRITING
from quota_enforcer.core.policies.functions import roles as functions
from quota_enforcer.core.policies.functions import self_service, teams, webhook
from quota_enforcer.core.policies.functions.statements import ATTACHING, WRITING_ITEMS
from quota_enforcer.core.policies.names import MODEL_SCOPES, RESOLVING
from quota_enforcer.satellites.names import READING, Part, role_arn
from reached_code import reached
from template_source import RESOURCES, of_type
from template_values import LEAST, MOST, Deployed, spelled_out, teams_kept

FUNCTIONS = {
    "MeterRole": "quota_enforcer.lambdas.meter.handler",
    "EnforcerRole": "quota_enforcer.lambdas.enforcer.handler",
    "AuthorRole": "quota_enforcer.lambdas.author.handler",
    "MeRole": "quota_enforcer.lambdas.self_service.handler",
    "WebhookRole": "quota_enforcer.lambdas.webhook.handler",
    "TeamsRole": "quota_enforcer.lambdas.teams.handler",
    "SetupRole": "quota_enforcer.lambdas.setup.handler",
}
NOT_CALLED = {
    **dict.fromkeys(functions.READING_A_STREAM, "Lambda reads the stream as the function"),
    **dict.fromkeys(WRITING, "DynamoDB and SNS use the key as whoever asks them"),
    "iam:PassRole": "Bedrock asks for it when it is given the log role",
    "logs:CreateLogStream": "Lambda writes the function's log as the function",
    "logs:PutLogEvents": "Lambda writes the function's log as the function",
    **dict.fromkeys(webhook.READING_A_QUEUE, "Lambda reads the queue as the function"),
    "sts:AssumeRole": "they take roles of satellites, and that which reads teams, as they sign",
    "sqs:SendMessage": "Lambda hands over a failed event as the function",
    "xray:PutTelemetryRecords": "the X-Ray daemon sends as the function",
    "xray:PutTraceSegments": "the X-Ray daemon sends as the function",
}
NEEDS_ANY_RESOURCE = {
    "account:ListRegions",
    "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:PutModelInvocationLoggingConfiguration",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "iam:GetAccountAuthorizationDetails",
    "sso:ListInstances",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions that know no resource, says AWS's Service Authorization Reference."""
PROTECTED = {
    "role/aws-reserved/*",
    "role/aws-service-role/*",
    "role/bedrock-quota/*",
    "role/break-glass/*",
    "user/bedrock-quota/*",
    "user/break-glass/*",
}


DENIES = [
    MOST.value({"Ref": name})
    for name in ("DenyAllPolicy", *(f"DenyModelScope{n + 1}Policy" for n in range(MODEL_SCOPES)))
]


def a_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: str, effect: str = "Allow") -> Iterator[dict[str, Any]]:
    for statement in MOST.policy(role)["Statement"]:
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
    """But for what the roles that it takes are granted."""
    elsewhere = {"MeterRole": READING, "TeamsRole": teams.READS}.get(role, ())
    assert actions_of(FUNCTIONS[role]) <= actions(role) | set(elsewhere)


@pytest.mark.parametrize(
    ("source", "reads"),
    [("iam:team", teams.READS_IAM), ("s3://teams/all.json", teams.READS_OBJECT),
     ("identity-center:bedrock-*", (*teams.READS_INSTANCES, *teams.READS_GROUPS))],
)  # fmt: skip
def test_what_reads_teams_may_only_read_and_only_its_source(
    source: str, reads: tuple[str, ...]
) -> None:
    policy = Deployed(**teams_kept(source)).policy("TeamsReaderRole")
    said = spelled_out(policy)
    allowed = [each for each in said if each["Effect"] == "Allow"]
    assert sorted(action for each in allowed for action in each["Action"]) == sorted(reads)
    assert set(reads) <= actions_of(FUNCTIONS["TeamsRole"])
    [never] = [each for each in said if each["Effect"] == "Deny"]
    assert sorted(never["NotAction"]) == sorted(reads)


def test_all_that_the_function_reads_by_another_role_is_read_of_some_source() -> None:
    calls = actions_of(FUNCTIONS["TeamsRole"]) - actions("TeamsRole")
    assert calls == set(teams.READS)


def test_the_meter_does_nothing_in_a_satellite_that_its_reader_may_not() -> None:
    """What it does only there is not granted at home."""
    assert set(READING) - actions("MeterRole") < actions_of(FUNCTIONS["MeterRole"])
    assert {each for each in READING if not each.startswith("sqs:")} <= actions("MeterRole")


@pytest.mark.parametrize(("satellites", "whose"), [("regions", "123456789012"), ("o-abc", "*")])
def test_the_meter_takes_the_readers_of_satellites_and_no_other_role(
    satellites: str, whose: str
) -> None:
    policy = Deployed(Satellites=satellites).policy("MeterRole")
    found = {each["Sid"]: each for each in policy["Statement"]}
    readers = role_arn("aws", whose, "bedrock-quota", Part.READER, "*")
    assert found["Satellites"]["Action"] == "sts:AssumeRole"
    assert found["Satellites"]["Resource"] == readers
    never = found["NeverAnotherRole"]
    assert (never["Effect"], never["Action"]) == ("Deny", "sts:AssumeRole*")
    assert never["NotResource"] == readers
    assert found["NeverAnyAccess"]["Action"] == ["iam:*"]


@pytest.mark.parametrize("role", FUNCTIONS)
def test_every_action_granted_is_called_or_has_a_reason(role: str) -> None:
    assert actions(role) - set(NOT_CALLED) <= actions_of(FUNCTIONS[role])


def test_every_reason_is_still_needed() -> None:
    assert set(NOT_CALLED) <= {action for role in FUNCTIONS for action in actions(role)}


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
    assert path == "${RolePath}bedrock-quota/${AWS::StackName}/"


@pytest.mark.parametrize("role", ROLES)
def test_no_role_has_a_policy_beyond_its_own_statements(role: str) -> None:
    assert "ManagedPolicyArns" not in RESOURCES[role]["Properties"]


@pytest.mark.parametrize("role", ROLES)
def test_its_policies_fit_a_role_at_most(role: str) -> None:
    """See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html ."""
    longest = Deployed({"AWS::StackName": "s" * 80}, **MOST.parameters)
    documents = [longest.policy(role)]
    if role in longest.properties("OwnFunctionsOnly")["Roles"]:
        documents.append(longest.properties("OwnFunctionsOnly")["PolicyDocument"])
    assert sum(len(json.dumps(each, separators=(",", ":"))) for each in documents) < 10_000


def test_policies_are_attached_to_nobody_by_the_template() -> None:
    """Neither inline nor managed: the enforcer alone attaches the denies, at run time.

    The one that holds our roles to our functions is for these roles, and only denies.
    """
    for policy in of_type("AWS::IAM::ManagedPolicy"):
        assert not {"Users", "Roles", "Groups"} & set(RESOURCES[policy]["Properties"])
    types = {resource["Type"] for resource in RESOURCES.values()}
    assert not {"AWS::IAM::UserPolicy", "AWS::IAM::RolePolicy"} & types
    assert of_type("AWS::IAM::Policy") == ["OwnFunctionsOnly"]
    ours = MOST.properties("OwnFunctionsOnly")
    assert not {"Users", "Groups"} & set(ours)
    assert set(ours["Roles"]) <= set(of_type("AWS::IAM::Role"))
    assert {each["Effect"] for each in ours["PolicyDocument"]["Statement"]} == {"Deny"}


def test_the_enforcer_attaches_and_detaches_exactly_the_denies() -> None:
    assert set(statement("EnforcerRole", "Denies")["Action"]) == set(ATTACHING)
    condition = statement("EnforcerRole", "Denies")["Condition"]
    assert condition == {"ArnEquals": {"iam:PolicyARN": DENIES}}


def test_any_other_policy_is_denied_whatever_else_the_role_may_get() -> None:
    other = statement("EnforcerRole", "NeverAnotherPolicy")
    assert other["Effect"] == "Deny"
    assert set(other["Action"]) == {"iam:Attach*Policy", "iam:Detach*Policy"}
    assert other["Resource"] == "*"
    assert other["Condition"] == {"ArnNotEquals": {"iam:PolicyARN": DENIES}}


def test_reserved_break_glass_and_own_principals_are_never_touched() -> None:
    protected = statement("EnforcerRole", "NeverTheseReservedOrBreakGlass")
    assert protected["Effect"] == "Deny"
    assert set(protected["Action"]) == {"iam:Attach*Policy", "iam:Detach*Policy"}
    assert "Condition" not in protected
    prefix = "arn:aws:iam::123456789012:"
    assert set(protected["Resource"]) == {prefix + each for each in PROTECTED}


def test_no_function_can_both_write_a_policy_and_attach_one() -> None:
    for role in FUNCTIONS:
        writes = {each for each in actions(role) if each.startswith("iam:CreatePolicy")}
        assert not (writes and actions(role) & set(ATTACHING)), role


def test_no_policy_is_both_written_by_a_function_and_attached_by_one() -> None:
    written = set(statement("AuthorRole", "Gates")["Resource"])
    assert len(written) == 4
    attached = statement("EnforcerRole", "Denies")["Condition"]["ArnEquals"]["iam:PolicyARN"]
    assert not written & set(attached)


def test_without_gates_there_is_no_author() -> None:
    assert [name for name in RESOURCES if "Author" in name and LEAST.has(name)] == []
    assert LEAST.environment("EnforcerFunction")["AUTHOR_FUNCTION"] == ""
    assert "Author" not in json.dumps(LEAST.policy("EnforcerRole"))


def test_the_enforcer_only_reads_the_quotas() -> None:
    assert statement("EnforcerRole", "Quotas")["Action"] == "dynamodb:Scan"
    users = [each["Sid"] for each in statements("EnforcerRole") if "QuotaTable" in json.dumps(each)]
    assert users == ["Quotas", "Edits"]
    edits = statement("EnforcerRole", "Edits")
    assert edits["Resource"] == "QuotaTable.StreamArn"
    assert set(edits["Action"]) == set(functions.READING_A_STREAM)


def test_without_metrics_the_enforcer_reads_none() -> None:
    streaming = Deployed(**{**MOST.parameters, "Metering": "stream"}).policy("EnforcerRole")
    kept = {action for each in streaming["Statement"] for action in a_list(each["Action"])}
    metrics = {"cloudwatch:GetMetricData"}
    assert actions("EnforcerRole") - kept == metrics | set(RESOLVING)
    assert "cloudwatch:ListMetrics" in kept, "for the service tiers in use"


def test_no_function_can_write_the_invocation_log() -> None:
    """The meter reads it."""
    for role in FUNCTIONS:
        for each in statements(role):
            given = {action for action in a_list(each["Action"]) if action.startswith("logs:")}
            if given - {*functions.READING_THE_LOG, "logs:DescribeLogGroups"}:
                assert "nvocation" not in json.dumps(each["Resource"])
                assert not json.dumps(each["Resource"]).endswith(':*"')


def test_the_meter_never_touches_iam_or_a_quota() -> None:
    """Whatever else its role may get."""
    (never,) = (
        each for each in LEAST.policy("MeterRole")["Statement"] if each["Sid"] == "NeverAnyAccess"
    )
    assert (never["Action"], never["Resource"]) == (["iam:*", "sts:AssumeRole*"], "*")
    assert statement("MeterRole", "NeverAnyAccess")["Resource"] == "*"
    quotas = statement("MeterRole", "NeverAQuota")
    assert (quotas["Effect"], quotas["Resource"]) == ("Deny", "QuotaTable.Arn")
    assert tuple(quotas["Action"]) == WRITING_ITEMS


def test_the_self_service_function_reads_the_tables_and_puts_requests() -> None:
    """Whatever else its role may get."""
    never = statement("MeRole", "NeverAnyAccess")
    assert (tuple(never["Action"]), never["Resource"]) == (self_service.NEVER, "*")
    change = statement("MeRole", "NeverAChange")
    assert set(change["Action"]) == set(WRITING_ITEMS) - {"dynamodb:PutItem"}
    assert change["Resource"] == "LedgerTable.Arn"
    quotas = statement("MeRole", "NeverAQuota")
    assert tuple(quotas["Action"]) == WRITING_ITEMS
    assert quotas["Resource"] == "QuotaTable.Arn"
    only = {"dynamodb:LeadingKeys": ["requests"]}
    assert statement("MeRole", "Requests")["Condition"]["ForAllValues:StringEquals"] == only
    elsewhere = statement("MeRole", "NeverAnotherPart")
    assert elsewhere["Condition"] == {"ForAnyValue:StringNotEquals": only}
    assert (elsewhere["Action"], elsewhere["Resource"]) == ("dynamodb:PutItem", "LedgerTable.Arn")
    assert {
        action for action in actions("MeRole") if not action.startswith(("kms:", "logs:", "xray:"))
    } == {
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:Scan",
    }


def test_the_meter_invokes_nothing_but_the_enforcer() -> None:
    assert statement("MeterRole", "Enforcer")["Resource"] == "EnforcerFunction.Arn"


class TestReadingTheCode:
    @staticmethod
    def actions(source: str) -> set[str]:
        return set(actions_in(ast.parse(source), "m"))

    def test_a_client_method_that_is_handed_on_counts(self) -> None:
        assert self.actions("retry(self._client.delete_item, Key=1)") == {"dynamodb:DeleteItem"}

    def test_a_paginator_counts(self) -> None:
        assert self.actions("client.get_paginator('list_metrics')") == {"cloudwatch:ListMetrics"}

    def test_a_transaction_needs_the_actions_of_its_parts(self) -> None:
        source = "self._client.transact_write_items(TransactItems=[{'Put': 1, 'Delete': 2}])"
        assert self.actions(source) == {"dynamodb:PutItem", "dynamodb:DeleteItem"}

    def test_an_unknown_method_is_an_error(self) -> None:
        with pytest.raises(LookupError, match="put_cat"):
            self.actions("client.put_cat()")


class TestFollowingTheCode:
    """A package of two modules: what its handler reaches of the adapters."""

    ADAPTERS = """
from typing import TYPE_CHECKING

class Reader:
    def get(self): self._client.get_item()

class Writer(Reader):
    def put(self): self._client.put_item()

def scan(client): return client.get_paginator("scan")

ALIAS = Writer
"""

    def actions(self, folder: Path, handler: str) -> set[str]:
        root = folder / "package"
        root.mkdir()
        (root / "adapters.py").write_text(self.ADAPTERS, encoding="utf-8")
        (root / "wiring.py").write_text("from package.adapters import Reader", encoding="utf-8")
        (root / "handler.py").write_text(handler, encoding="utf-8")
        return {
            action
            for place, definitions in reached(root, "package.handler").items()
            for definition in definitions
            for action in actions_in(definition, place.module)
        }

    @pytest.mark.parametrize(
        ("handler", "found"),
        [
            ("from package import adapters", set()),
            ("from package.adapters import Writer", set()),
            ("from package.adapters import Reader\nReader()", {"GetItem"}),
            ("from package.wiring import Reader as R\nR()", {"GetItem"}),
            ("from package import adapters as a\na.Writer()", {"GetItem", "PutItem"}),
            ("from package import adapters as a\na.scan(1)", {"Scan"}),
            ("from package.adapters import ALIAS\nALIAS", {"GetItem", "PutItem"}),
            (
                "def handler():\n    from package.adapters import scan\n    return [scan]",
                {"Scan"},
            ),
            ("from package.adapters import Writer\ndef f(w: Writer) -> Writer: w", set()),
            ("from package.adapters import Writer\nw: Writer", set()),
            (
                (
                    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
                    "    from package.adapters import scan\n    scan"
                ),
                set(),
            ),
        ],
    )
    def test_what_a_name_reaches(self, tmp_path: Path, handler: str, found: set[str]) -> None:
        assert self.actions(tmp_path, handler) == {f"dynamodb:{each}" for each in found}
