"""Shell completion: what is offered, and that it keeps silent where AWS cannot be asked."""

from typing import Any

import pytest
from typer.testing import CliRunner

from cli_world import Shell, a_shell
from quota_enforcer.cli.deployment import by_stack
from quota_enforcer.cli.main import app
from quota_enforcer.cli.terminal.completion.values import VALUES
from quota_enforcer.cli.terminal.errors import NoDeployment
from quota_enforcer.core.usage.place import Place

KINDS = ["default", "role/*", "sso/*", "user/*"]
FORMS = ["user/", "role/", "sso/", "session/", "team/"]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    shell.used("alice", 5)
    shell.used("bob", 5)
    shell.sweep()
    shell.world.quota(principal="user/alice")
    shell.world.quota(principal="user/alice", quota="weekly")
    shell.world.quota(principal="team/x", quota="pool", members=["user/bob"])
    shell.world.quotas.put({"principal": "price/x", "quota": "price", "input": 5})
    return shell


def offered(*line: str) -> list[str]:
    """What fish is offered for the last, unfinished word of a line."""
    asked = {
        "_ROOT_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": " ".join(["root", *line]),
    }
    result = CliRunner().invoke(app, [], env=asked)
    assert result.stderr == ""
    return [each.split("\t")[0] for each in result.stdout.splitlines() if each]


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("command", ["set", "show", "raise", "remove"])
def test_a_subject_is_whoever_has_a_quota_or_is_a_kind(command: str) -> None:
    assert offered("quota", command, "") == sorted([*KINDS, "team/x", "user/alice"])
    assert offered("quota", command, "user/a") == ["user/alice"]


def test_the_groups_of_member_accounts_are_offered_where_there_are_satellites(
    shell: Shell,
) -> None:
    there = "444455556666"
    shell.world.satellites.places.add(Place(there, "eu-west-1"))
    assert offered("quota", "set", "4") == []
    shell.world.member(there)
    assert offered("quota", "set", "4") == [f"{there}/{each}" for each in ("*", "role/*", "user/*")]


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("command", ["set", "show", "raise", "remove"])
def test_names_are_those_of_the_subject_that_the_line_names(command: str) -> None:
    assert offered("quota", command, "user/alice", "") == ["daily", "weekly"]
    assert offered("quota", command, "user/zoe", "") == ["daily", "pool", "weekly"]
    assert offered("quota", command, "user/alice", "w") == ["weekly"]


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("command", ["release", "status", "explain"])
def test_a_principal_is_whoever_is_known_and_teams(command: str) -> None:
    assert offered(command, "") == ["team/x", "user/alice", "user/bob"]


def test_the_deployment_is_the_lines(shell: Shell) -> None:
    offered("quota", "show", "--stack", "other", "--region", "eu-central-1", "")
    assert list(shell.wanted) == ["other", None, "eu-central-1"]
    offered("quota", "show", "")
    assert list(shell.wanted) == ["bedrock-quota", None, None]


@pytest.mark.usefixtures("shell")
def test_without_aws_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object) -> None:
        raise NoDeployment("there is no stack")

    monkeypatch.setattr("quota_enforcer.cli.deployment.by_stack.find", nowhere)
    assert offered("quota", "show", "") == KINDS
    assert offered("quota", "show", "user/alice", "") == []
    assert offered("release", "") == FORMS
    assert offered("status", "us") == ["user/"]


def test_commands_are_offered_too() -> None:
    assert {"set", "show", "raise", "block", "unblock", "import", "export", "check"} <= set(
        offered("quota", "")
    )


PLAN = ("satellites", "plan")


class FakeOrganization:
    """A root with two units, one of them with another below."""

    below = {"r-1": ["ou-1-a", "ou-1-b"], "ou-1-a": ["ou-1-c"]}  # noqa: RUF012 - never changed

    def get_paginator(self, operation: str) -> "FakeOrganization":
        self.operation = operation
        return self

    def paginate(self, ParentId: str = "") -> list[dict[str, Any]]:  # noqa: N803 - as boto3 has it
        if not ParentId:
            return [{"Roots": [{"Id": "r-1"}]}]
        found = self.below.get(ParentId, [])
        return [{"OrganizationalUnits": [{"Id": each} for each in found]}]


def test_regions_are_offered_one_after_the_other() -> None:
    offer = VALUES["--regions"]
    assert offer("eu-west") == ["eu-west-1", "eu-west-2", "eu-west-3"]
    assert offer("eu-west-1,eu-west") == ["eu-west-1,eu-west-2", "eu-west-1,eu-west-3"]
    assert VALUES["--account-region"]("sa-") == ["sa-east-1"]


def test_units_are_those_of_the_organisation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_stack, "organizations", lambda _: FakeOrganization())
    assert offered(*PLAN, "--units", "") == ["ou-1-a", "ou-1-b", "ou-1-c", "r-1"]
    assert offered(*PLAN, "--units", "ou-1-a,ou") == ["ou-1-a,ou-1-b", "ou-1-a,ou-1-c"]


def test_who_may_not_list_the_organisation_is_offered_no_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(FakeOrganization, "get_paginator")
    monkeypatch.setattr(by_stack, "organizations", lambda _: FakeOrganization())
    assert offered(*PLAN, "--units", "") == []
