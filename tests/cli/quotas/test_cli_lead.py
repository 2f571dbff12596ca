"""`quota raise` by a lead: the same command, an item of their own, and the bound of the team."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli_world import ADMIN, Shell, a_shell
from quota_enforcer.core.quotas.item import Item

DAILY = ("--measure", "total_tokens", "--limit", "1000", "--window", "day")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice is over the limit of her team, whose leads may raise it to 5,000."""
    shell = a_shell(monkeypatch)
    shell.out("quota", "set", "team/x", "members", "--members", "user/alice,user/bob")
    shell.out("quota", "set", "team/x", "daily", *DAILY, "--leads-raise-to", "5k")
    shell.used("alice", 1_200)
    shell.sweep()
    assert shell.world.denied == {"user/alice"}
    return shell


@pytest.fixture
def of_lead(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The same by somebody whom IAM lets write under `lead/x` alone."""
    put = shell.table.put

    def guarded(item: Item, expected: Item | None) -> None:
        if item["principal"] != "lead/x":
            said: Any = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
            raise ClientError(said, "PutItem")
        put(item, expected)

    monkeypatch.setattr(shell.table, "put", guarded)
    return shell


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_lead_raises_with_the_same_command_and_the_member_is_free(of_lead: Shell) -> None:
    result = of_lead.run("quota", "raise", "user/alice", "daily", "3k", "--until", "1d")
    assert result.exit_code == 0, result.output
    assert "You may not edit quotas; as a lead of team/x:" in words(result.stderr)
    item = of_lead.item("lead/x", "daily:user/alice")
    assert (item["raise_to"], item["edited_by"]) == (3_000, ADMIN)
    of_lead.sweep()
    assert of_lead.world.denied == set()
    assert of_lead.world.denied == set()


def test_explain_says_by_which_bound_and_history_who(of_lead: Shell) -> None:
    of_lead.out("quota", "raise", "user/alice", "daily", "3k", "--until", "1d", "--lead", "team/x")
    of_lead.sweep()
    said = words(of_lead.out("explain", "user/alice"))
    assert "raised to 3,000 until" in said
    assert "by a lead of team/x, who may raise it to 5,000" in said
    history = words(of_lead.out("history", "user/alice"))
    assert "by a lead of team/x, who says to be" in history


def test_the_raise_ends_and_the_team_limit_holds_again(of_lead: Shell) -> None:
    of_lead.out("quota", "raise", "user/alice", "daily", "3k", "--until", "2h")
    of_lead.sweep()
    of_lead.now += timedelta(hours=2, minutes=1)
    of_lead.sweep()
    assert of_lead.world.denied == {"user/alice"}


@pytest.mark.parametrize("to", ["6k", "unlimited", "1000", "500"])
def test_beyond_the_bound_it_is_refused_with_what_is_allowed(of_lead: Shell, to: str) -> None:
    result = of_lead.run("quota", "raise", "user/alice", "daily", to, "--until", "1d",
                         "--lead", "team/x")  # fmt: skip
    assert result.exit_code == 2
    said = words(result.stderr).replace("│ ", "")
    assert "above 1,000 total tokens and up to 5,000 total tokens" in said


@pytest.mark.parametrize(
    ("who", "name", "team"),
    [("user/carol", "daily", "team/x"), ("user/alice", "weekly", "team/x"),
     ("user/alice", "daily", "team/y")],
)  # fmt: skip
def test_what_a_lead_may_not_raise_is_told_with_the_fix(
    of_lead: Shell, who: str, name: str, team: str
) -> None:
    result = of_lead.run("quota", "raise", who, name, "3k", "--until", "1d", "--lead", team)
    assert result.exit_code == 1
    assert f"quota set {team} {name} --leads-raise-to NUMBER" in words(result.stderr)


def test_who_may_neither_is_told_of_the_refusal(
    of_lead: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutItem")

    monkeypatch.setattr(of_lead.table, "put", refuse)
    result = of_lead.run("quota", "raise", "user/alice", "daily", "3k", "--until", "1d")
    assert result.exit_code == 1
    assert "PutItem" in result.stderr
    assert ("lead/x", "daily:user/alice") not in of_lead.world.quotas.table


def test_an_admin_edits_the_item_of_the_member_as_before(shell: Shell) -> None:
    shell.out("quota", "raise", "user/alice", "daily", "9k", "--until", "1d")
    assert shell.item("user/alice", "daily")["limit"] == 9_000


def test_it_is_listed_shown_exported_kept_by_an_import_and_removed(
    shell: Shell, tmp_path: Any
) -> None:
    shell.out("quota", "export", str(tmp_path / "q.yaml"), "--permanent")
    shell.out("quota", "raise", "user/alice", "daily", "3k", "--until", "1d", "--lead", "team/x")
    shell.sweep()
    assert "3,000 as the limit of daily of team/x for user/alice" in words(
        shell.out("quota", "list")
    )
    shown = words(shell.out("quota", "show", "lead/x", "daily:user/alice"))
    assert "Applies to user/alice" in shown
    assert shell.json("quota", "check")["warnings"] == []
    shell.out("quota", "import", str(tmp_path / "q.yaml"), "--prune", "--yes")
    assert shell.item("lead/x", "daily:user/alice")["raise_to"] == 3_000
    shell.out("quota", "export", str(tmp_path / "q.json"))
    shell.out("quota", "remove", "lead/x", "daily:user/alice", "--yes")
    shell.sweep()
    assert shell.world.denied == {"user/alice"}
    shell.out("quota", "import", str(tmp_path / "q.json"), "--yes")
    assert shell.item("lead/x", "daily:user/alice")["raise_to"] == 3_000
    for command in (("status",), ("usage", "--by", "team"), ("simulate", "--days", "1")):
        assert "lead/" not in shell.run(*command).output


def test_a_dry_run_writes_nothing(of_lead: Shell) -> None:
    of_lead.out("quota", "raise", "user/alice", "daily", "3k", "--until", "1d", "--lead",
                "team/x", "--dry-run")  # fmt: skip
    assert ("lead/x", "daily:user/alice") not in of_lead.world.quotas.table
