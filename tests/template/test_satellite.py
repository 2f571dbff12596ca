"""The template of a satellite: what stack sets take, what home's code expects, and nothing more."""

import ast
import hashlib
import json
import re
import runpy
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

import pytest

from quota_enforcer.core.policies.document import Document
from quota_enforcer.lambdas.satellite import home
from quota_enforcer.satellites.following import FOLLOWED, digest
from quota_enforcer.satellites.names import VERSION, Part, queue_name, role_name
from template_source import SATELLITE, SATELLITE_TEMPLATE
from template_values import HOME, LEAST, MEMBER, MOST, SCOPES, Deployed, DeployedSatellite

TEXT = SATELLITE_TEMPLATE.read_text("utf-8")
WEAVE: dict[str, Any] = runpy.run_path(str(SATELLITE_TEMPLATE.with_name("package") / "weave.py"))
IN_MEMBER = DeployedSatellite(**SCOPES, Gates="4", NoticeEmail="a@example.com")
ELSEWHERE_IN_MEMBER = DeployedSatellite({"AWS::Region": "us-west-2"}, **SCOPES)
IN_HOME_ACCOUNT = DeployedSatellite({"AWS::AccountId": HOME["HomeAccount"]}, **SCOPES)
ALL = (IN_MEMBER, ELSEWHERE_IN_MEMBER, IN_HOME_ACCOUNT)
ROLES = [name for name, each in SATELLITE["Resources"].items() if each["Type"] == "AWS::IAM::Role"]
FUNCTIONS = ("ForwarderFunction", "SetupFunction")


def statement(document: Document, sid: str) -> Any:
    [found] = [each for each in document["Statement"] if each["Sid"] == sid]
    return found


class TestAsAStackSetTakesIt:
    def test_it_is_plain_cloudformation_that_fits_into_a_call_without_a_bucket(self) -> None:
        """A template's body in a call.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
        """
        assert "Transform" not in SATELLITE
        assert len(TEXT.encode()) <= 51_200
        assert "s3://" not in TEXT

    def test_it_reads_well_to_cfn_lint(self, findings: Mapping[str, list[Any]]) -> None:
        assert findings["satellite"] == []

    def test_its_sections_are_those_that_it_lists_on_top(self) -> None:
        top = TEXT.partition("Parameters:")[0]
        listed = re.findall(r"^# +(\d+)\. (.+?)(?:  .*)?$", top, re.MULTILINE)
        assert re.findall(r"^ *# (\d+)\. (.+?) -+$", TEXT, re.MULTILINE) == listed

    @pytest.mark.parametrize("name", ROLES)
    def test_its_roles_are_named_after_home_below_the_path_of_its_policies(self, name: str) -> None:
        role = IN_MEMBER.properties(name)
        assert role["Path"] == "/bedrock-quota/bedrock-quota/"
        assert role["RoleName"].startswith("bedrock-quota-")

    @pytest.mark.parametrize("name", ROLES)
    def test_an_organisations_boundary_is_on_every_role(self, name: str) -> None:
        boundary = "arn:aws:iam::444455556666:policy/limits"
        bound = DeployedSatellite(PermissionsBoundary=boundary)
        assert bound.properties(name)["PermissionsBoundary"] == boundary
        assert "PermissionsBoundary" not in IN_MEMBER.properties(name)

    def test_the_longest_name_of_a_home_leaves_room_for_every_role(self) -> None:
        allowed = SATELLITE["Parameters"]["HomeStack"]["AllowedPattern"]
        longest = next(n for n in range(64, 0, -1) if re.fullmatch(allowed, "a" * n))
        at = DeployedSatellite({"AWS::Region": "ap-southeast-2"}, HomeStack="a" * longest,
                               AccountRegion="ap-southeast-2")  # fmt: skip
        assert all(len(at.properties(name)["RoleName"]) <= 64 for name in ROLES)


class TestTheCodeInIt:
    @pytest.mark.parametrize("name", ["forwarder", "setup"])
    def test_it_is_the_code_of_the_modules(self, name: str) -> None:
        """If this fails: make satellite."""
        found = re.search(rf"ZipFile: \|  # woven: {name}\n(.*?)\n\n", TEXT, re.DOTALL)
        assert found
        parsed = ast.parse(textwrap.dedent(found[1]))
        assert ast.dump(parsed) == ast.dump(ast.parse(WEAVE["module"](name)))

    @pytest.mark.parametrize("name", ["forwarder", "setup"])
    def test_it_imports_only_what_lambda_has(self, name: str) -> None:
        imported = {
            (each.module or "") if isinstance(each, ast.ImportFrom) else each.names[0].name
            for each in ast.parse(WEAVE["module"](name)).body
            if isinstance(each, ast.Import | ast.ImportFrom)
        }
        roots = {each.partition(".")[0] for each in imported}
        assert roots <= {*sys.stdlib_module_names, "boto3", "botocore"}

    def test_it_speaks_the_version_that_home_knows(self) -> None:
        assert home.VERSION == VERSION

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_it_finds_what_it_reads_from_its_environment(self, name: str) -> None:
        code = SATELLITE["Resources"][name]["Properties"]["Code"]["ZipFile"]
        read = set(re.findall(r"os\.environ\['(\w+)'\]", code))
        assert read == set(IN_MEMBER.environment(name))

    def test_setup_digests_what_home_decides(self) -> None:
        given = {**HOME, **SCOPES, "Gates": "4", "DenyAgentCore": "true", "AskWhom": "me"}
        joined = DeployedSatellite(**given).environment("SetupFunction")["PARAMETERS"]
        assert hashlib.sha256(joined.encode()).hexdigest()[:16] == digest(given)

    def test_cloudformation_asks_setup_again_when_what_home_decides_changes(self) -> None:
        for name in FOLLOWED:
            changed = DeployedSatellite(**{name: "other"})
            assert changed.properties("Setup") != DeployedSatellite().properties("Setup")


class TestForwarding:
    def test_the_roles_are_those_whose_names_home_knows(self) -> None:
        names = {name: IN_MEMBER.properties(name)["RoleName"] for name in ROLES}
        assert names["ForwarderRole"] == role_name("bedrock-quota", Part.FORWARDER, "eu-west-1")
        assert names["SetupRole"] == role_name("bedrock-quota", Part.SETUP, "eu-west-1")
        assert names["ReaderRole"] == role_name("bedrock-quota", Part.READER, "eu-west-1")

    @pytest.mark.parametrize("role", ["ForwarderRole", "SetupRole"])
    def test_home_is_invoked_by_its_url_alone(self, role: str) -> None:
        """Without the URL, AWS would not tell home who asks."""
        document = IN_MEMBER.policy(role)
        meter = "arn:aws:lambda:us-east-1:123456789012:function:bedrock-quota-MeterFunction-*"
        by_url, direct = statement(document, "HomeUrl"), statement(document, "OnlyByTheUrl")
        assert by_url["Resource"] == direct["Resource"] == meter
        assert direct["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}

    def test_only_the_log_group_hands_batches_to_the_forwarder(self) -> None:
        permission = DeployedSatellite(ExistingLogGroup="/theirs").properties(
            "InvocationSubscriptionPermission"
        )
        assert permission["SourceArn"] == "arn:aws:logs:eu-west-1:444455556666:log-group:/theirs:*"
        assert permission["SourceAccount"] == MEMBER

    def test_the_queue_has_the_name_that_home_looks_for(self) -> None:
        assert IN_MEMBER.properties("Undelivered")["QueueName"] == queue_name("bedrock-quota")

    def test_no_destination_holds_a_copy_of_the_log(self) -> None:
        assert "DestinationConfig" not in IN_MEMBER.properties("ForwarderRetries")

    def test_it_comes_last_and_goes_first(self) -> None:
        assert "Setup" in SATELLITE["Resources"]["InvocationSubscription"]["DependsOn"]

    def test_a_second_one_in_the_same_place_fails_before_its_set_up_could_do_anything(self) -> None:
        """The role of its set-up has a name that is taken: IAM has each name once in an account."""
        assert IN_MEMBER.properties("SetupRole")["RoleName"] == role_name(
            "bedrock-quota", Part.SETUP, "eu-west-1"
        )
        assert IN_MEMBER.properties("SetupFunction")["Role"] == "SetupRole.Arn"
        assert IN_MEMBER.properties("Setup")["ServiceToken"] == "SetupFunction.Arn"

    @pytest.mark.parametrize("alarm", ["UndeliveredWaiting", "ForwarderDropping"])
    def test_its_alarms_tell_who_was_named_and_nobody_where_nobody_was(self, alarm: str) -> None:
        assert IN_MEMBER.properties(alarm)["AlarmActions"] == ["NoticeTopic"]
        assert DeployedSatellite().properties(alarm)["AlarmActions"] == []
        assert len(IN_MEMBER.properties(alarm)["AlarmDescription"]) <= 1024


class TestDenies:
    @pytest.mark.parametrize("agent_core", ["true", "false"])
    def test_a_member_account_has_the_same_denies_by_the_same_names_as_home(
        self, agent_core: str
    ) -> None:
        said = {"DenyAgentCore": agent_core, "AskWhom": "ask-us"} | SCOPES
        at_home, there = Deployed(**said), DeployedSatellite(**said)
        names = [name for name in SATELLITE["Resources"] if name.startswith("Deny")]
        assert len(names) == 6
        for name in names:
            assert there.properties(name) == at_home.properties(name)

    @pytest.mark.parametrize("at", [ELSEWHERE_IN_MEMBER, IN_HOME_ACCOUNT])
    def test_they_are_made_once_in_each_member_account_and_never_in_homes(
        self, at: DeployedSatellite
    ) -> None:
        assert not any(at.has(name) for name in SATELLITE["Resources"] if name.startswith("Deny"))
        assert at.environment("SetupFunction")["DENIES"] == "[]"
        sids = {each["Sid"] for each in at.policy("SetupRole")["Statement"]}
        assert not sids & {"DeniesTakenOff", "DeniesInForce"}

    def test_setup_takes_all_of_them_off_and_puts_none_on(self) -> None:
        listed = json.loads(IN_MEMBER.environment("SetupFunction")["DENIES"])
        assert len(listed) == 6
        allowed = {
            action
            for each in IN_MEMBER.policy("SetupRole")["Statement"]
            for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
            if action.startswith("iam:")
        }
        gates = {"iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:ListPolicyVersions"}
        assert allowed - gates == {"iam:PassRole", "iam:DetachRolePolicy", "iam:DetachUserPolicy",
                           "iam:ListEntitiesForPolicy"}  # fmt: skip


class TestTrust:
    def test_only_homes_meter_reads_here_with_the_external_id_and_of_the_organisation(self) -> None:
        [trust] = IN_MEMBER.properties("ReaderRole")["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
        assert trust["Condition"] == {
            "ArnEquals": {"aws:PrincipalArn": HOME["HomeMeterRole"]},
            "StringEquals": {
                "sts:ExternalId": "51af3dc0",
                "aws:PrincipalOrgID": "o-exampleorgid",
            },
        }

    def test_in_homes_own_account_there_need_be_no_organisation(self) -> None:
        alone = DeployedSatellite({"AWS::AccountId": HOME["HomeAccount"]}, HomeOrganization="")
        [trust] = alone.properties("ReaderRole")["AssumeRolePolicyDocument"]["Statement"]
        assert set(trust["Condition"]["StringEquals"]) == {"sts:ExternalId"}

    def test_the_log_is_written_as_at_home(self) -> None:
        def said(at: Deployed) -> str:
            role = at.properties("InvocationLogRole")
            text = json.dumps([role["AssumeRolePolicyDocument"], at.policy("InvocationLogRole")])
            for name in ("AWS::AccountId", "AWS::Region"):
                text = text.replace(at.pseudo[name], name)
            return text

        group = {"ExistingLogGroup": "/theirs"}
        assert said(DeployedSatellite(**group)) == said(Deployed(**group))

    def test_it_reads_what_homes_meter_reads_at_home_and_takes_pointers_out(self) -> None:
        document = IN_MEMBER.policy("ReaderRole")
        actions = {
            action
            for each in document["Statement"]
            for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
        }
        assert {each for each in actions if each.startswith("sqs:")} == {
            "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage",
        }  # fmt: skip
        at_home = {
            action
            for sid in ("InvocationLog", "Models")
            for action in statement(LEAST.policy("MeterRole"), sid)["Action"]
        }
        others = {each for each in actions if not each.startswith("sqs:")}
        assert others <= at_home | {"logs:DescribeLogGroups"}


def test_home_and_satellite_take_the_same_gates_scopes_and_words() -> None:
    for name in ("Gates", "DenyAgentCore", "LogRetentionDays", "AskWhom"):
        ours, theirs = SATELLITE["Parameters"][name], MOST.source["Parameters"][name]
        for key in ("Type", "AllowedValues", "AllowedPattern", "Default"):
            assert ours.get(key) == theirs.get(key)
