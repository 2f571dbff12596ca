"""`doctor --before` as a shell sees it, on an account of fakes."""

import json
import re
import shlex
from datetime import timedelta
from typing import Any

import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError
from typer.testing import CliRunner, Result

from account_fakes import (
    ACCOUNT_TRUST,
    HERE,
    PERMISSION_SET,
    SAML_TRUST,
    USE_MODELS,
    FakeAccount,
    a_permission_set,
    a_trust,
    an_identity,
)
from builders import NOON
from quota_enforcer import clock
from quota_enforcer.cli.main import app
from quota_enforcer.cli.operate.doctor import before
from quota_enforcer.core.policies.callers.doctor import BEFORE_NEEDS
from quota_enforcer.doctor.before.account import MOST_ASKED
from quota_enforcer.doctor.before.facts import OtherAccount
from quota_enforcer.doctor.before.run import CHECKS
from quota_enforcer.doctor.rules.logging import LoggingFound
from template_source import PARAMETERS

NAMED_BY_USER = a_trust(
    {"AWS": f"arn:aws:iam::{HERE}:root"},
    Condition={"StringEquals": {"sts:RoleSessionName": "${aws:username}"}},
)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> FakeAccount:
    fake = FakeAccount()
    monkeypatch.setattr(before, "probe_of", lambda _: fake)
    monkeypatch.setattr(clock, "now", lambda: NOON)
    for name in ("QUOTA_ENFORCER_STACK", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    return fake


def look(*more: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--before", *more])


def said(*more: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(look("--json", *more).stdout)
    return document


def findings(check: str) -> list[dict[str, Any]]:
    [found] = [each for each in said()["checks"] if each["check"] == check]
    several: list[dict[str, Any]] = found["findings"]
    return several


def the_finding(check: str) -> dict[str, Any]:
    [found] = findings(check)
    return found


def commands() -> list[str]:
    return [each["command"] for each in said()["commands"]]


class TestQuiet:
    def test_an_account_without_bedrock_is_fine_and_gets_commands_all_the_same(
        self, account: FakeAccount
    ) -> None:
        account.identities = [an_identity("user/alice")]
        result = look()
        assert result.exit_code == 0, result.output
        assert "nobody may, of 1 user and role" in result.stdout
        assert "no call in 14 days in 2 enabled Regions" in result.stdout
        assert "Nothing is wrong." in result.stderr
        assert commands()[1].startswith(
            ".venv-sam/bin/sam deploy --region us-east-1 --stack-name bedrock-quota "
        )

    def test_json_has_every_check_and_what_it_needs(self, account: FakeAccount) -> None:
        del account
        document = said()
        assert (document["account"], document["region"]) == (HERE, "us-east-1")
        assert [each["check"] for each in document["checks"]] == list(CHECKS) == list(BEFORE_NEEDS)
        assert all(each["needs"] for each in document["checks"])


class TestWho:
    def test_may_call_users_permission_sets_and_roles_apart(self, account: FakeAccount) -> None:
        account.identities = [
            an_identity("user/alice", USE_MODELS),
            a_permission_set(USE_MODELS, last_used=NOON - timedelta(days=3)),
            an_identity("role/app", {"Effect": "Allow", "Action": "*", "Resource": "*"}),
            an_identity("role/other"),
        ]
        users, sets, roles, asked = findings("who may call")
        assert users["what"] == "1 user may call Bedrock"
        assert users["about"] == ["user/alice (models)"]
        assert sets["about"] == ["permission set Developers (models; last used 3 days ago)"]
        assert roles["about"] == [
            "role/app (models, mantle, batch; never used, or not for 400 days)"
        ]
        assert "asked about 3 of the 3" in asked["what"]

    def test_whom_the_simulator_refuses_may_not(self, account: FakeAccount) -> None:
        account.identities = [an_identity("user/alice", USE_MODELS)]
        account.refused = {f"arn:aws:iam::{HERE}:user/alice"}
        asked = the_finding("who may call")
        assert asked["about"] == ["user/alice"]

    def test_what_holds_under_conditions_no_simulation_refuses(self, account: FakeAccount) -> None:
        under = {**USE_MODELS, "Condition": {"StringEquals": {"aws:SourceVpc": "v"}}}
        account.identities = [an_identity("user/alice", under)]
        account.refused = {f"arn:aws:iam::{HERE}:user/alice"}
        users, _ = findings("who may call")
        assert users["about"] == ["user/alice (models; under conditions)"]

    def test_of_many_only_so_many_are_asked_about_those_in_use_first(
        self, account: FakeAccount
    ) -> None:
        account.identities = [
            an_identity(f"role/r{number:03}", USE_MODELS) for number in range(MOST_ASKED + 30)
        ]
        account.identities.append(an_identity("role/used", USE_MODELS, last_used=NOON))
        *_, asked = findings("who may call")
        assert f"asked about {MOST_ASKED} of the {MOST_ASKED + 31}" in asked["what"]
        assert f"arn:aws:iam::{HERE}:role/used" in account.asked[:3]

    def test_a_service_linked_role_is_nobody(self, account: FakeAccount) -> None:
        path = "/aws-service-role/bedrock.amazonaws.com/"
        account.identities = [an_identity("role/AWSServiceRoleForX", USE_MODELS, path=path)]
        assert findings("who may call") == []

    def test_who_called_is_known_without_any_log(self, account: FakeAccount) -> None:
        account.traffic("eu-west-1", 3)
        for who in ("user/alice", "ci/build-1", "ci/build-1", f"{PERMISSION_SET}/Ann@example.com"):
            account.call("eu-west-1", who)
        assert the_finding("who called")["about"] == [
            "session/ci/build-1 (2 calls)", "user/alice (1 call)", "sso/ann@example.com (1 call)",
        ]  # fmt: skip


class TestSharedRoles:
    def test_a_role_whose_callers_choose_their_name_is_a_warning(
        self, account: FakeAccount
    ) -> None:
        account.identities = [an_identity("role/ci", USE_MODELS, trust=ACCOUNT_TRUST)]
        account.traffic("us-east-1", 2)
        account.call("us-east-1", "ci/one")
        account.call("us-east-1", "ci/two")
        finding = the_finding("shared roles")
        assert finding["severity"] == "warning"
        [about] = finding["about"]
        assert about.startswith(f"role/ci (trusts arn:aws:iam::{HERE}:root; 2 session names seen: ")
        assert about.endswith(": one, two; never used, or not for 400 days)")

    @pytest.mark.parametrize("trust", [SAML_TRUST, NAMED_BY_USER], ids=["saml", "condition"])
    def test_a_role_whose_session_names_say_who_it_is_is_a_note(
        self, account: FakeAccount, trust: str
    ) -> None:
        account.identities = [an_identity("role/ci", USE_MODELS, trust=trust)]
        assert the_finding("shared roles")["severity"] == "note"

    def test_a_machines_role_is_not_shared(self, account: FakeAccount) -> None:
        account.identities = [an_identity("role/function", USE_MODELS)]
        assert findings("shared roles") == []


class TestRoom:
    def test_without_a_free_slot_nobody_can_be_blocked(self, account: FakeAccount) -> None:
        full = tuple(f"arn:{number}" for number in range(10))
        account.identities = [
            an_identity("user/full", USE_MODELS, managed=full),
            an_identity("user/room", USE_MODELS, managed=full[1:]),
        ]
        finding = the_finding("room for denies")
        assert (finding["severity"], finding["about"]) == ("problem", ["user/full (10 of 10)"])

    def test_a_boundary_that_is_taken_matters_for_shared_roles_only(
        self, account: FakeAccount
    ) -> None:
        boundary = "arn:aws:iam::111122223333:policy/limits"
        account.identities = [
            a_permission_set(USE_MODELS, boundary=boundary),
            an_identity("role/app", USE_MODELS, boundary=boundary),
            an_identity("user/alice", USE_MODELS, boundary=boundary),
        ]
        finding = the_finding("room for denies")
        assert finding["about"] == [f"permission set Developers ({boundary})"]

    def test_who_is_out_of_reach_is_a_note(self, account: FakeAccount) -> None:
        account.identities = [an_identity("user/root-like", USE_MODELS, path="/break-glass/")]
        finding = the_finding("room for denies")
        assert (finding["severity"], finding["about"]) == (
            "note", ["user/root-like (/break-glass/)"],
        )  # fmt: skip


class TestTraffic:
    def test_regions_with_traffic_busiest_first(self, account: FakeAccount) -> None:
        account.traffic("us-east-1", 5, mantle=2, jobs=1)
        account.traffic("eu-west-1", 7_000, stacks=("old",))
        finding = the_finding("traffic")
        [check] = [each for each in said()["checks"] if each["check"] == "traffic"]
        assert check["fine"] == "Bedrock was used in 14 days in 2 of 2 enabled Regions"
        assert finding["about"] == [
            "eu-west-1 (7,000 calls; deployed there: old)",
            "us-east-1 (5 calls, 2 calls of bedrock-mantle, 1 batch job)",
        ]

    def test_what_share_quotas_would_count(self, account: FakeAccount) -> None:
        account.traffic("us-east-1", 75, mantle=25, jobs=2)
        share, mantle, batch = findings("coverage")
        assert "would count 75 of 100 calls of 14 days (75.0 %)" in share["what"]
        assert mantle["fix"] == "quota-enforcer policy lock --mantle"
        assert batch["what"] == "2 batch jobs would not be metered"
        account.traffic("us-east-1", 75)
        assert findings("coverage") == []

    def test_batch_alone_is_a_problem_too(self, account: FakeAccount) -> None:
        account.traffic("us-east-1", 0, jobs=1)
        assert the_finding("coverage")["severity"] == "problem"

    def test_where_logging_is_on_already_and_to_what(self, account: FakeAccount) -> None:
        account.traffic("us-east-1", 5, logging=LoggingFound("/theirs", "arn:role", bodies=True))
        account.traffic("eu-west-1", 5)
        account.traffic("ap-south-1", 0, logging=LoggingFound(bucket="b"))
        group, bucket, off = findings("logging")
        assert group["about"] == ["us-east-1 (/theirs, with prompts and answers)"]
        assert (bucket["severity"], bucket["about"]) == (
            "warning", ["ap-south-1 (bucket b, without prompts and answers)"],
        )  # fmt: skip
        assert off["about"] == ["eu-west-1"]

    def test_other_accounts_as_far_as_they_can_be_seen(self, account: FakeAccount) -> None:
        account.traffic("us-east-1", 5, linked=frozenset({"444455556666", HERE}))
        account.others = [OtherAccount("444455556666", "dev"), OtherAccount("777788889999", "x")]
        using, unseen = findings("accounts")
        assert using["about"] == ["444455556666 (dev)"]
        assert unseen["about"] == ["777788889999 (x)"]
        assert all(each["severity"] == "note" for each in (using, unseen))


def refused(action: str) -> ClientError:
    message = f"User: x is not authorized to perform: {action} on resource: *"
    denied: Any = {"Code": "AccessDenied", "Message": message}
    return ClientError({"Error": denied}, action.partition(":")[2])


class TestRefused:
    @pytest.mark.parametrize(
        ("reading", "action", "checks"),
        [
            ("authorizations", "iam:GetAccountAuthorizationDetails",
             {"who may call", "shared roles", "room for denies"}),
            ("may", "iam:SimulatePrincipalPolicy",
             {"who may call", "shared roles", "room for denies"}),
            ("slots", "iam:GetAccountSummary", {"room for denies"}),
            ("regions", "account:ListRegions",
             {"traffic", "accounts", "logging", "coverage", "who called"}),
            ("calls", "cloudtrail:LookupEvents", {"who called"}),
            ("accounts", "organizations:ListAccounts", set()),
        ],
    )  # fmt: skip
    def test_the_action_is_named_and_everything_else_goes_on(
        self, account: FakeAccount, reading: str, action: str, checks: set[str]
    ) -> None:
        account.identities = [an_identity("role/ci", USE_MODELS, trust=SAML_TRUST)]
        account.traffic("us-east-1", 5)
        account.fails = {reading: refused(action)}
        result = look("--json")
        document = json.loads(result.stdout)
        unmade = {each["check"]: each["findings"][0] for each in document["checks"]
                  if not each["healthy"]}  # fmt: skip
        assert set(unmade) == checks
        assert result.exit_code == (1 if checks else 0)
        for check, finding in unmade.items():
            assert finding["what"] == f"could not check: needs {action}"
            assert finding["fix"] == "quota-enforcer policy doctor --before"
            assert action in BEFORE_NEEDS[check]
        assert len(document["commands"]) >= 4

    def test_one_region_that_does_not_answer_is_named_once(self, account: FakeAccount) -> None:
        account.traffic("us-east-1", 5)
        account.fails = {"eu-west-1": EndpointConnectionError(endpoint_url="https://x")}
        used, unasked = findings("traffic")
        assert used["about"] == ["us-east-1 (5 calls)"]
        assert (unasked["severity"], unasked["about"]) == ("unchecked", ["eu-west-1"])

    @pytest.mark.parametrize("check", ["traffic", "logging", "coverage", "who called"])
    def test_what_no_region_said_is_unknown_and_never_nothing(
        self, account: FakeAccount, check: str
    ) -> None:
        no = refused("cloudwatch:ListMetrics")
        account.fails = {"us-east-1": no, "eu-west-1": no}
        finding = the_finding(check)
        assert finding["severity"] == "unchecked"
        assert finding["what"] == "could not look into 2 Regions: needs cloudwatch:ListMetrics"
        assert finding["about"] == ["eu-west-1", "us-east-1"]

    def test_accounts_that_may_not_be_listed_are_said_and_no_harm(
        self, account: FakeAccount
    ) -> None:
        account.fails = {"accounts": refused("organizations:ListAccounts")}
        finding = the_finding("accounts")
        assert finding["severity"] == "note"
        assert "(needs organizations:ListAccounts)" in finding["what"]

    def test_without_credentials_it_says_so_in_one_sentence(self, account: FakeAccount) -> None:
        account.fails = {"whereabouts": refused("sts:GetCallerIdentity")}
        result = look()
        assert result.exit_code == 1
        assert "you may not sts:GetCallerIdentity" in result.stderr


class TestCommands:
    def test_the_busiest_region_is_home_with_the_log_that_is_there(
        self, account: FakeAccount
    ) -> None:
        account.traffic("us-east-1", 5)
        account.traffic("eu-west-1", 900, logging=LoggingFound("/theirs", "arn:role"))
        [home] = [each for each in commands() if "sam deploy" in each]
        assert "--region eu-west-1 --stack-name bedrock-quota " in home
        assert "Mode=observe" in home
        assert "ExistingLogGroup=/theirs" in home
        assert "Satellites=regions" in home

    def test_every_other_region_with_traffic_gets_a_satellite_and_no_deployment_of_its_own(
        self, account: FakeAccount
    ) -> None:
        for name, calls in (("us-east-1", 9), ("eu-west-1", 5), ("us-west-2", 3)):
            account.traffic(name, calls, logging=LoggingFound(f"/of/{name}"))
        account.traffic("ap-south-1", 2, stacks=("old",))
        [plan] = [each for each in commands() if "satellites plan" in each]
        assert "--regions eu-west-1,us-west-2 --stack bedrock-quota --region us-east-1" in plan
        said = look().stdout
        assert "eu-west-1: /of/eu-west-1, us-west-2: /of/us-west-2" in " ".join(said.split())

    def test_one_region_alone_needs_no_satellites(self, account: FakeAccount) -> None:
        account.traffic("us-east-1", 9)
        assert not any("atellites" in each for each in commands())

    def test_gates_for_people_of_identity_center(self, account: FakeAccount) -> None:
        account.identities = [an_identity("user/alice", USE_MODELS)]
        assert "Gates" not in commands()[1]
        account.identities.append(a_permission_set(USE_MODELS))
        assert "Gates=1" in commands()[1]

    def test_first_quotas_only_tell_and_fit_who_there_is(self, account: FakeAccount) -> None:
        account.identities = [
            an_identity("user/alice", USE_MODELS),
            an_identity("role/app", USE_MODELS),
            an_identity("role/staff", USE_MODELS, trust=SAML_TRUST),
            an_identity("role/ci", USE_MODELS, trust=ACCOUNT_TRUST),
        ]
        quotas = [each for each in commands() if " quota set " in each]
        assert [shlex.split(each)[3] for each in quotas] == [
            "default", "role/*", "session/staff/*",
        ]  # fmt: skip
        assert all("--action notify" in each for each in quotas)

    def test_what_no_log_has_is_locked(self, account: FakeAccount) -> None:
        account.traffic("us-east-1", 5, mantle=1, jobs=1)
        assert "quota-enforcer policy lock --mantle --batch" in commands()

    def test_a_region_with_a_deployment_gets_none(self, account: FakeAccount) -> None:
        account.traffic("us-east-1", 5, stacks=("bedrock-quota",))
        assert not any("sam deploy" in each for each in commands())

    def test_each_is_a_command_that_we_have_with_parameters_of_the_template(
        self, account: FakeAccount
    ) -> None:
        account.identities = [
            a_permission_set(USE_MODELS), an_identity("role/staff", USE_MODELS, trust=SAML_TRUST),
        ]  # fmt: skip
        account.traffic("us-east-1", 5, mantle=1, jobs=1)
        account.traffic("eu-west-1", 5, logging=LoggingFound("/theirs"))
        given = commands()
        for each in given:
            program, *words = shlex.split(each)
            if program == "quota-enforcer":
                found = typer.main.get_command(app)
                while hasattr(found, "commands"):
                    found = found.commands[words.pop(0)]
                found.make_context("x", words)
            else:
                assert re.match(r"make package$|\.venv-sam/bin/sam deploy ", each)
                overrides = each.partition("--parameter-overrides ")[2].split()
                assert {word.partition("=")[0] for word in overrides} <= PARAMETERS.keys()

    def test_they_stand_at_the_end_each_on_a_line_of_its_own(self, account: FakeAccount) -> None:
        del account
        lines = look("--stack", "quotas").stdout.splitlines()
        after = lines[lines.index("To begin with:") + 1 :]
        assert "  make package" in after
        assert any(line.startswith("  quota-enforcer doctor --stack quotas") for line in after)


def test_the_policy_for_it_reads_and_names_every_action() -> None:
    printed = json.loads(CliRunner().invoke(app, ["policy", "doctor", "--before"]).stdout)
    [statement] = printed["Statement"]
    assert set(statement["Action"]) == {each for needs in BEFORE_NEEDS.values() for each in needs}
    reads = re.compile(r"[\w-]+:(Get|List|Describe|Lookup|Simulate)\w+")
    assert all(map(reads.fullmatch, statement["Action"]))


def test_the_policy_of_a_deployment_still_wants_the_account() -> None:
    result = CliRunner().invoke(app, ["policy", "doctor"])
    assert result.exit_code == 2
    assert "--account" in result.output
