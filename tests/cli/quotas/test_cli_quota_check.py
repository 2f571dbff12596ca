"""`quota check`: what is not valid in a file or in the table, and what may not be meant."""

import json
from pathlib import Path

import pytest

from builders import an_item
from cli_world import Shell, a_shell

UNCOVERED = (
    "Last 7 days: under no quota: 1 call of 1 (100 %) and $0.0000012 of $0.0000012, by user/alice. "
    "A quota for all models for user/alice would cover it."
)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    shell.used("alice", 5)
    shell.sweep()
    return shell


def test_a_table_in_order_is_said_so(shell: Shell) -> None:
    shell.world.quota()
    assert shell.out("quota", "check").splitlines() == [
        "1 item: 0 not valid, 0 warnings.",
        "Last 7 days: every call is under a quota.",
    ]


def test_what_no_quota_counts_is_said_of_the_table_and_of_a_file(
    shell: Shell, tmp_path: Path
) -> None:
    shell.world.quota(principal="role/*")
    [*_, last] = shell.out("quota", "check").splitlines()
    assert last.startswith(
        "Last 7 days: under no quota: 1 call of 1 (100 %) and $0.0000012 of $0.0000012"
    )
    assert last.endswith("by user/alice. A quota for all models for user/alice would cover it.")
    file = tmp_path / "quotas.json"
    file.write_text(json.dumps([an_item(principal="default")]), encoding="utf-8")
    assert shell.json("quota", "check", str(file))["coverage"]["requests"] == 0
    assert shell.json("quota", "check", str(file), "--offline")["coverage"] is None


def test_what_is_not_valid_in_the_table_is_exit_code_2(shell: Shell) -> None:
    shell.world.quota(limit="lots")
    shell.world.quotas.put({"principal": "price/x", "quota": "price", "inputs": 5})
    result = shell.run("quota", "check")
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "quota 'daily' of 'user/alice' is not valid:",
        "  - limit is 'lots'; allowed: a whole number, 0 or more",
        "quota 'price' of 'price/x' is not valid:",
        "  - attribute 'inputs' is unknown; did you mean input?",
        "2 items: 2 not valid, 0 warnings.",
        UNCOVERED,
    ]


def test_a_disabled_item_that_is_not_valid_would_not_do_when_enabled(shell: Shell) -> None:
    shell.world.quota(limit="lots", enabled=False)
    assert shell.run("quota", "check").exit_code == 2


def test_what_may_not_be_meant_is_a_warning(shell: Shell) -> None:
    shell.world.quota(principal="user/alcie")
    shell.world.quota(limit=0)
    shell.world.quota(principal="team/x", members=["user/bob", "user/alice"])
    shell.world.quota(principal="default")
    shell.world.quota(principal="user/*")
    shell.world.quota(principal="sso/*")
    shell.world.quota(quota="past", until="2026-11-01")
    assert shell.out("quota", "check").splitlines() == [
        (
            "warning: daily of default never applies: there is a nearer one of that name for "
            "user/*, sso/*"
        ),
        "warning: daily of sso/* covers nobody who has used Bedrock yet",
        "warning: daily of team/x has the member user/bob, who has not used Bedrock yet",
        (
            "warning: daily of user/alcie covers nobody who has used Bedrock yet; "
            "did you mean user/alice?"
        ),
        (
            "warning: daily of user/alice has limit 0 and no `until`: it blocks until somebody "
            "removes it"
        ),
        "warning: past of user/alice has ended and does nothing any more",
        "7 items: 0 not valid, 6 warnings.",
        "Last 7 days: every call is under a quota.",
    ]


def test_a_disabled_item_is_not_warned_of(shell: Shell) -> None:
    shell.world.quota(limit=0, enabled=False)
    expected = ["1 item: 0 not valid, 0 warnings.", UNCOVERED]
    assert shell.out("quota", "check").splitlines() == expected


def test_before_anybody_used_bedrock_it_says_what_was_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shell = a_shell(monkeypatch)
    shell.world.quota()
    assert "Nobody has used Bedrock yet" in shell.run("quota", "check").stderr


def test_a_file_is_checked_against_the_deployment(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "quotas.yaml"
    file.write_text(
        "- {principal: user/alice, quota: a, measure: requests, limit: 0, window: day}\n"
        "- {principal: user/alice, quota: b, measure: requests, limit: 1, window: day,\n"
        "   models: acme.big}\n",
        encoding="utf-8",
    )
    result = shell.run("quota", "check", str(file), "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert document["items"] == 2
    [invalid] = document["invalid"]
    assert (invalid["item"], invalid["line"], invalid["quota"]) == (2, 2, "b")
    assert "models is 'acme.big'" in invalid["problems"][0]
    assert [(each["quota"], each["doubt"]) for each in document["warnings"]] == [("a", "no_end")]
    assert shell.world.quotas.table == {}


def test_offline_a_file_needs_no_aws(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object) -> None:
        raise AssertionError("AWS was asked")

    monkeypatch.setattr("quota_enforcer.cli.deployment.by_stack.find", nowhere)
    file = tmp_path / "quotas.json"
    file.write_text(json.dumps([an_item(models=["acme.big"])]), encoding="utf-8")
    assert "1 item: 0 not valid" in shell.out("quota", "check", str(file), "--offline")
    assert shell.run("quota", "check", "--offline").exit_code == 2


def test_a_file_that_is_not_there_is_refused(shell: Shell) -> None:
    result = shell.run("quota", "check", "nowhere.yaml")
    assert result.exit_code == 2
    assert "there is no file 'nowhere.yaml'" in result.stderr
