"""`policy` and `scopes` as a shell sees them: JSON on stdout, words on stderr, exit codes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from quota_enforcer.aws.iam.analyzer import AccessAnalyzer, PolicyKind
from quota_enforcer.cli.main import app
from quota_enforcer.core.policies import deployed
from quota_enforcer.core.policies.boundary import deny_statements, gate
from quota_enforcer.core.policies.callers import self_service
from quota_enforcer.core.policies.callers.allow import allow_models
from quota_enforcer.core.policies.deny import deny_all, deny_models
from quota_enforcer.core.policies.document import MANAGED_LIMIT, size
from quota_enforcer.core.policies.functions import roles as functions
from quota_enforcer.core.policies.functions.self_service import me
from quota_enforcer.core.policies.functions.setup import setup
from quota_enforcer.core.policies.guard.guard import guard
from quota_enforcer.core.policies.guard.guarded import Guarded, GuardKind

ACCOUNT = "111122223333"
OPUS = "anthropic.claude-3-opus-20240229-v1:0"


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither credentials nor a Region, nor a place to find any."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("QUOTA_ENFORCER_STACK", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


def run(*args: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, ["policy", *args], input=typed)


def printed(*args: str) -> Any:
    result = run(*args)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(*args: str) -> str:
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return " ".join(result.stderr.split())


class TestDeny:
    def test_without_options_it_is_the_deny_of_everything(self) -> None:
        assert printed("deny") == deny_all()

    def test_agent_core_can_be_left_out(self) -> None:
        assert printed("deny", "--no-agent-core") == deny_all(agent_core=False)

    def test_models_are_closed_together(self) -> None:
        both = deny_models([OPUS, "amazon.nova-*"], partition="aws-us-gov")
        args = ["--model", OPUS, "--model", "amazon.nova-*", "--partition", "aws-us-gov"]
        assert printed("deny", *args) == both

    def test_models_that_are_too_many_for_one_policy_make_a_list(self) -> None:
        models = [f"--model=anthropic.claude-{number}-20240229-v1:0" for number in range(60)]
        documents = printed("deny", *models)
        assert len(documents) > 1
        assert all(size(each) <= MANAGED_LIMIT for each in documents)
        assert "policies, since one holds 6,144 characters" in run("deny", *models).stderr

    def test_user_ids_make_the_deny_part_of_a_gate(self) -> None:
        ids = ["--user-id", "AROAEXAMPLE:alice", "--user-id", "*:bob@example.com"]
        denied = {"AROAEXAMPLE:alice": [OPUS], "*:bob@example.com": [OPUS]}
        written = printed("deny", *ids, "--model", OPUS)
        assert written["Statement"] == deny_statements(denied)
        assert {each["Effect"] for each in written["Statement"]} == {"Deny"}

    def test_many_user_ids_make_a_list(self) -> None:
        documents = printed("deny", *(f"--user-id=*:person{n:03d}@example.com" for n in range(300)))
        assert len(documents) > 1
        assert all(size(each) <= MANAGED_LIMIT for each in documents)

    def test_a_scope_of_no_known_vendor_is_written_with_a_word_about_it(self) -> None:
        result = run("deny", "--model", "antropic.claude")
        assert result.exit_code == 0
        assert json.loads(result.stdout) == deny_models(["antropic.claude"])
        assert "antropic.claude is of no vendor known so far" in result.stderr
        assert "warning" not in run("deny", "--model", "anthropic.claude-9").stderr

    def test_what_is_no_scope_is_refused(self) -> None:
        assert f"write '{OPUS}'" in refusal("deny", "--model", f"us.{OPUS}")
        assert "is no user id to deny" in refusal("deny", "--user-id", "bob")
        assert "is no AWS partition" in refusal("deny", "--model", OPUS, "--partition", "x")


class TestGate:
    def test_it_is_the_whole_boundary(self) -> None:
        assert printed("gate", "--user-id", "*:bob") == gate({"*:bob": ["*"]})
        assert printed("gate", "--user-id", "*:bob", "--model", OPUS) == gate({"*:bob": [OPUS]})

    def test_it_says_how_full_it_is(self) -> None:
        assert "19 % of the 6,144 characters" in run("gate", "--user-id", "*:bob").stderr

    def test_one_that_would_be_too_large_is_refused(self) -> None:
        ids = [f"--user-id=*:person{n:03d}@example.com" for n in range(300)]
        assert "300 user ids take" in refusal("gate", *ids)


class TestAllow:
    def test_it_opens_the_models_named(self) -> None:
        args = ["--account", ACCOUNT, "--model", OPUS, "--model", "deepseek.r1-v1:0"]
        expected = allow_models([OPUS, "deepseek.r1-v1:0"], ACCOUNT)
        assert [printed("allow", *args)] == expected
        with_console = allow_models([OPUS, "deepseek.r1-v1:0"], ACCOUNT, console=True)
        assert [printed("allow", *args, "--console")] == with_console

    def test_a_pattern_and_a_wrong_account_are_refused(self) -> None:
        pattern = refusal("allow", "--account", ACCOUNT, "--model", "anthropic.*")
        assert "nobody has looked at" in pattern
        assert "12 digits" in refusal("allow", "--account", "1", "--model", OPUS)

    def test_the_account_and_a_model_are_needed(self) -> None:
        assert "--model" in refusal("allow", "--account", ACCOUNT)
        assert "--account" in refusal("allow", "--model", OPUS)


class TestRoles:
    def test_the_enforcer_as_the_template_has_it_by_default(self) -> None:
        of = deployed.Deployed.named("bedrock-quota", ACCOUNT, "aws", "*", scopes=0, gates=0)
        assert printed("enforcer", "--account", ACCOUNT) == functions.enforcer(of)

    def test_the_enforcer_with_scopes_and_gates_of_another_stack(self) -> None:
        of = deployed.Deployed.named("team", ACCOUNT, "aws-cn", "cn-north-1", scopes=2, gates=1)
        args = ["--stack", "team", "--partition", "aws-cn", "--region", "cn-north-1"]
        args += ["--scopes", "2", "--gates", "1"]
        assert printed("enforcer", "--account", ACCOUNT, *args) == functions.enforcer(of)

    def test_the_author_with_its_gates(self) -> None:
        of = deployed.Deployed.named("bedrock-quota", ACCOUNT, "aws", "*", scopes=0, gates=2)
        written = printed("author", "--account", ACCOUNT, "--gates", "2")
        assert written == functions.author(of)

    def test_the_self_service_function(self) -> None:
        of = deployed.Deployed.named("bedrock-quota", ACCOUNT, "aws", "*")
        assert printed("self-service", "--account", ACCOUNT) == me(of)

    def test_the_set_up_function_with_and_without_logging_to_manage(self) -> None:
        for manages, option in ((True, []), (False, ["--no-manage-logging"])):
            of = deployed.Deployed.named(
                "bedrock-quota", ACCOUNT, "aws", "*", manages_logging=manages
            )
            assert printed("setup", "--account", ACCOUNT, *option) == setup(of)

    def test_what_people_need_to_see_their_own_usage(self) -> None:
        assert printed("me") == self_service.asking("bedrock-quota")
        args = ["--account", ACCOUNT, "--stack", "team", "--region", "cn-north-1"]
        written = printed("me", *args, "--partition", "aws-cn")
        function = f"arn:aws-cn:lambda:cn-north-1:{ACCOUNT}:function:team-MeFunction-*"
        assert [each["Resource"] for each in written["Statement"]] == [function, function]

    def test_no_policy_for_an_account_that_is_none(self) -> None:
        assert "12 digits" in refusal("me", "--account", "1*")

    @pytest.mark.parametrize("satellites", ["off", "regions", "o-exampleorgid"])
    def test_the_roles_that_are_taken_in_member_accounts_come_with_an_organisation(
        self, satellites: str
    ) -> None:
        members = satellites.startswith("o-")
        of = deployed.Deployed.named("bedrock-quota", ACCOUNT, "aws", "*", gates=1, members=members)
        args = ("--account", ACCOUNT, "--satellites", satellites, "--gates", "1")
        assert printed("enforcer", *args) == functions.enforcer(of)
        assert printed("author", *args) == functions.author(of)
        refused = run("author", "--account", ACCOUNT, "--satellites", "all")
        assert refused.exit_code == 2
        assert "allowed: off, regions, or the id" in " ".join(refused.stderr.split())

    def test_the_patterns_in_place_of_generated_names_are_explained(self) -> None:
        for command in ("enforcer", "author"):
            stderr = " ".join(run(command, "--account", ACCOUNT).stderr.split())
            assert "the deployed policy has the exact ARNs" in stderr

    def test_more_gates_than_there_can_be_are_refused(self) -> None:
        assert "--gates" in refusal("author", "--account", ACCOUNT, "--gates", "5")


class TestGuard:
    guarded = Guarded(ACCOUNT, "bedrock-quota", ("Admin",))
    least = ("guard", "--account", ACCOUNT, "--admin-role", "Admin")

    def test_it_is_printed_without_white_space_that_organizations_would_count(self) -> None:
        result = run(*self.least)
        expected = guard(self.guarded)
        assert json.loads(result.stdout) == expected
        assert result.stdout.strip() == json.dumps(expected, separators=(",", ":"))
        assert "2 policies, since one holds 5,120 characters" in result.stderr

    def test_of_an_existing_log_group_it_spares_who_writes_it(self) -> None:
        role = f"arn:aws:iam::{ACCOUNT}:role/Bedrock"
        args = ["--log-group", "bedrock", "--log-role", role]
        of = replace(self.guarded, log_group="bedrock", log_roles=(role,))
        assert printed(*self.least, *args) == guard(of)
        assert "name it with --log-role" in refusal(*self.least, "--log-group", "bedrock")

    def test_it_needs_an_admin_role(self) -> None:
        assert "--admin-role" in refusal("guard", "--account", ACCOUNT)

    @pytest.mark.parametrize(
        ("kind", "given"), [("identity", "a policy"), ("boundary", "boundary")]
    )
    def test_without_an_organisation_it_says_where_to_put_it(self, kind: str, given: str) -> None:
        result = run("guard", "--account", ACCOUNT, "--kind", kind)
        assert [json.loads(result.stdout)] == guard(
            replace(self.guarded, admin_roles=(), kind=GuardKind(kind))
        )
        words = " ".join(result.stderr.split())
        assert "bedrock-quota-quota-guard in the path /bedrock-quota/bedrock-quota/" in words
        assert f"{given} to those who are limited" in words

    def test_what_is_not_metered_is_closed_in_all_regions_but_those_named(self) -> None:
        written = printed(*self.least, "--unmetered", "--region", "eu-central-1")
        assert written == guard(replace(self.guarded, regions=("eu-central-1",)))
        assert "name these with --region" in refusal(*self.least, "--unmetered")
        assert "goes with --unmetered" in refusal(*self.least, "--region", "eu-central-1")


class Analyzer:
    """Access Analyzer, answering with two pages or an error."""

    def __init__(self, *types: str, error: str = "") -> None:
        self.types = types
        self.error = error
        self.asked: list[dict[str, str]] = []

    def get_paginator(self, operation: str, /) -> "Analyzer":
        assert operation == "validate_policy"
        return self

    def paginate(self, **request: str) -> Iterator[dict[str, Any]]:
        self.asked.append(request)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "ValidatePolicy")
        for kind in self.types:
            yield {
                "findings": [
                    {
                        "findingType": kind,
                        "issueCode": "CODE",
                        "findingDetails": "what it is",
                        "learnMoreLink": "https://docs.aws.amazon.com/x",
                    }
                ]
            }


class TestCheck:
    @pytest.fixture
    def analyzer(self, monkeypatch: pytest.MonkeyPatch) -> Analyzer:
        """Credentials, a Region, and an Access Analyzer without findings."""
        found = Analyzer()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setattr(boto3.Session, "client", lambda *_args, **_more: found)
        return found

    def test_without_credentials_it_fails_and_says_so(self, tmp_path: Path) -> None:
        file = tmp_path / "deny.json"
        file.write_text(json.dumps(deny_all()))
        result = run("check", str(file))
        assert result.exit_code == 1
        assert result.stdout == ""
        assert "not validated by AWS: there are no credentials, or no Region" in result.stderr

    def test_without_credentials_for_machines(self) -> None:
        result = run("check", "-", "--json", typed=json.dumps(deny_all()))
        assert result.exit_code == 1
        assert json.loads(result.stdout) == {"findings": [], "validated_by_aws": False}

    @pytest.mark.parametrize(
        ("typed", "finding"),
        [
            ("{}x", "it is no JSON"),
            ("", "it is no JSON"),
            ("[" * 100_000, "it is no JSON"),
            ("[]", "the list holds no policy document"),
            ('"x"', '"x" is no policy document: expected an object'),
        ],
    )
    def test_what_holds_no_document_fails(
        self, analyzer: Analyzer, typed: str, finding: str
    ) -> None:
        result = run("check", "-", "--json", typed=typed)
        assert result.exit_code == 1
        document = json.loads(result.stdout)
        assert document["validated_by_aws"] is False
        assert document["findings"][0].startswith(finding)
        assert analyzer.asked == []

    def test_what_is_no_document_fails_beside_those_that_are(self, analyzer: Analyzer) -> None:
        result = run("check", "-", typed=json.dumps([deny_all(), 1]))
        assert result.exit_code == 1
        assert result.stdout == "1 is no policy document: expected an object\n"
        assert len(analyzer.asked) == 1

    def test_a_file_that_is_not_there_is_wrong_usage(self, tmp_path: Path) -> None:
        assert run("check", str(tmp_path / "none.json")).exit_code == 2

    def test_with_credentials_aws_validates_every_document(self, analyzer: Analyzer) -> None:
        result = run("check", "-", "--kind", "scp", typed=json.dumps([deny_all(), deny_all()]))
        assert result.exit_code == 0
        assert "Nothing found." in result.stderr
        assert [each["policyType"] for each in analyzer.asked] == ["SERVICE_CONTROL_POLICY"] * 2
        assert json.loads(analyzer.asked[0]["policyDocument"]) == deny_all()

    def test_what_aws_finds_fails_and_what_it_suggests_does_not(self, analyzer: Analyzer) -> None:
        analyzer.types = ("SUGGESTION", "ERROR")
        result = run("check", "-", typed=json.dumps(deny_all()))
        assert result.exit_code == 1
        words = "CODE: what it is (https://docs.aws.amazon.com/x)"
        assert result.stdout == f"AWS says ERROR {words}\n"
        assert f"AWS says SUGGESTION {words}" in result.stderr
        analyzer.types = ("SUGGESTION",)
        assert run("check", "-", typed=json.dumps(deny_all())).exit_code == 0

    def test_without_the_permission_it_fails_and_says_so(self, analyzer: Analyzer) -> None:
        analyzer.error = "AccessDeniedException"
        result = run("check", "-", typed=json.dumps(deny_all()))
        assert result.exit_code == 1
        assert "not validated by AWS: you may not ValidatePolicy" in result.stderr


def test_a_boundary_is_validated_as_an_identity_policy() -> None:
    client = Analyzer()
    assert list(AccessAnalyzer(client).findings(deny_all(), PolicyKind.BOUNDARY)) == []
    assert client.asked[0]["policyType"] == "IDENTITY_POLICY"
