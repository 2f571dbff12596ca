"""A quota for somebody whom IAM does not know says so at once, with the nearest names."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from builders import an_item
from cli_world import Shell, a_shell
from world import principal

A_QUOTA = ("--measure", "total_tokens", "--limit", "1_000", "--window", "day")
THERE = ("user/alice", "user/alina", "role/reporting", "user/dev-01")
DENIED = ClientError(
    {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: iam:GetUser on *"}},
    "GetUser",
)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    shell.names.there = set(map(principal, THERE))
    return shell


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("user/alcie", "IAM has no user alcie; did you mean user/alice?"),
        ("user/Alice", "IAM has no user Alice; did you mean user/alice?"),
        ("user/bob", "IAM has no user bob"),
        ("user/dev-02", "IAM has no user dev-02"),
        ("role/reportnig", "IAM has no role reportnig; did you mean role/reporting?"),
        ("role/alice", "IAM has no role alice"),
        ("session/reportnig/x", "IAM has no role reportnig; did you mean role/reporting?"),
    ],
)
def test_the_quota_is_written_and_the_name_is_named(shell: Shell, subject: str, said: str) -> None:
    result = shell.run("quota", "set", subject, "daily", *A_QUOTA)
    assert result.exit_code == 0
    warning = f"warning: {said}; this limits nobody until there is one"
    assert result.stderr.splitlines()[0] == warning
    assert (subject, "daily") in shell.world.quotas.table


@pytest.mark.parametrize(
    "subject", ["user/alice", "role/reporting", "session/reporting/x", "sso/ann@x.com", "default"]
)
def test_whom_iam_knows_or_cannot_know_is_not_mentioned(shell: Shell, subject: str) -> None:
    assert "IAM has no" not in shell.run("quota", "set", subject, "daily", *A_QUOTA).stderr


def test_machines_are_told_too(shell: Shell) -> None:
    document = shell.json("quota", "set", "user/alcie", "daily", *A_QUOTA)
    assert document["unknown_to_iam"] == [{"principal": "user/alcie", "nearest": ["user/alice"]}]


def test_a_block_of_nobody_says_so(shell: Shell) -> None:
    """A leaked key goes on working if the name was mistyped."""
    assert "IAM has no user alcie" in shell.run("quota", "block", "user/alcie").stderr


def test_members_are_looked_up_and_only_the_new_ones(shell: Shell) -> None:
    members = ("--members", "user/alice,user/alcie")
    assert (
        "IAM has no user alcie"
        in shell.run("quota", "set", "team/x", "daily", *A_QUOTA, *members).stderr
    )
    shell.names.asked.clear()
    added = ("--members", "user/alice,user/alcie,user/alnia")
    result = shell.run("quota", "set", "team/x", "daily", *added)
    assert "IAM has no user alnia; did you mean user/alina?" in result.stderr
    assert "alcie;" not in result.stderr
    assert shell.names.asked == ["has user/alnia", "names user"]


def test_an_edit_of_what_is_there_asks_nothing(shell: Shell) -> None:
    shell.world.quota()
    shell.out("quota", "set", "user/alice", "daily", "--limit", "2000")
    assert shell.names.asked == []


def test_where_iam_cannot_be_asked_that_is_said_and_it_goes_on(shell: Shell) -> None:
    shell.names.fails = DENIED
    result = shell.run("quota", "set", "user/alcie", "daily", *A_QUOTA)
    assert result.exit_code == 0
    assert "Whether IAM knows user/alcie was not checked: you may not iam:GetUser" in result.stderr
    assert ("user/alcie", "daily") in shell.world.quotas.table


def test_many_names_are_read_at_once(shell: Shell) -> None:
    members = ("--members", ",".join(f"user/m{each}" for each in "abcdef"))
    shell.out("quota", "set", "team/x", "daily", *A_QUOTA, *members)
    assert shell.names.asked == ["names user"]


def test_quota_check_finds_them(shell: Shell) -> None:
    shell.used("alice", 5)
    shell.world.quota(principal="user/alcie")
    shell.sweep()  # it writes a record of everybody whom a quota names
    shell.world.quota(principal="team/x", members=["role/reportnig"])
    shell.world.quota()
    printed = shell.out("quota", "check").splitlines()
    assert printed[:2] == [
        (
            "warning: daily of team/x names role/reportnig, but IAM has no role reportnig; "
            "did you mean role/reporting?"
        ),
        (
            "warning: daily of user/alcie names user/alcie, but IAM has no user alcie; "
            "did you mean user/alice?"
        ),
    ]
    assert shell.json("quota", "check")["warnings"][0]["doubt"] == "unknown_to_iam"


def test_quota_check_of_a_file_finds_them_too(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "quotas.yaml"
    file.write_text(
        "- {principal: user/alcie, quota: daily, limit: 5 requests, window: day}\n", "utf-8"
    )
    assert "IAM has no user alcie" in shell.out("quota", "check", str(file))
    assert "IAM has no user" not in shell.out("quota", "check", str(file), "--offline")


def test_an_import_names_them_before_it_asks(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "quotas.yaml"
    file.write_text(
        "- {principal: user/alcie, quota: daily, limit: 5 requests, window: day}\n", "utf-8"
    )
    result = shell.run("quota", "import", str(file), "--dry-run")
    assert "warning: user/alcie: IAM has no user alcie; did you mean user/alice?" in result.stderr


def test_doctor_finds_them(shell: Shell) -> None:
    shell.used("alice", 5)
    shell.sweep()
    shell.world.quota(principal="user/alcie")
    shell.world.quota()
    checks = json.loads(shell.run("doctor", "--json").stdout)["checks"]
    [check] = [each for each in checks if each["check"] == "users and roles"]
    assert [each["about"] for each in check["findings"]] == [
        ["user/alcie (did you mean user/alice?)"]
    ]


def test_quota_check_goes_on_where_iam_cannot_be_asked(shell: Shell) -> None:
    shell.world.quotas.put(an_item(principal="user/alcie"))
    shell.names.fails = DENIED
    result = shell.run("quota", "check")
    assert result.exit_code == 0
    assert "was not checked: you may not iam:GetUser" in result.stderr
