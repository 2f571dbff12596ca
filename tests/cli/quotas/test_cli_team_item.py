"""Who is in a team, said once: what the commands of `quota` make of it."""

from pathlib import Path
from typing import Any

import pytest

from builders import NOON, an_item
from cli_world import ADMIN, Shell, a_shell
from quota_enforcer.cli.files.json import written

TEAM = {"principal": "team/x", "quota": "members", "members": ["user/alice", "user/bob"]}
QUOTA = ("--measure", "total_tokens", "--limit", "1000", "--window", "day")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A team with a quota that names nobody; alice and bob have used more than that."""
    shell = a_shell(monkeypatch)
    shell.out("quota", "set", "team/x", "members", "--members", "user/alice,user/bob")
    shell.out("quota", "set", "team/x", "daily", *QUOTA)
    for who in ("alice", "bob", "carol"):
        shell.used(who, 1200)
    return shell


def test_set_writes_both_and_both_count(shell: Shell) -> None:
    assert shell.item("team/x", "members") == {**TEAM, "edited_by": ADMIN}
    assert "members" not in shell.item("team/x")
    shell.sweep()
    assert shell.world.denied == {"user/alice", "user/bob"}


def test_members_are_edited_in_one_place(shell: Shell) -> None:
    shell.out("quota", "set", "team/x", "weekly", *QUOTA[:-1], "week")
    shell.out("quota", "set", "team/x", "members", "--members", "user/carol")
    shell.sweep()
    assert shell.world.denied == {"user/carol"}


def test_a_quota_of_a_team_that_nobody_is_in_is_refused(shell: Shell) -> None:
    result = shell.run("quota", "set", "team/y", "daily", *QUOTA)
    assert result.exit_code == 2
    assert "here or in the item 'members' of the team" in " ".join(result.stderr.split())


def test_list_and_show_say_who_it_is(shell: Shell) -> None:
    listed = {each["quota"]: each for each in shell.json("quota", "list")["quotas"]}
    assert [listed[name]["state"] for name in ("daily", "members")] == ["in force"] * 2
    assert "each of 2 members" in shell.out("quota", "list")
    assert "who is in the team: 2 members" in shell.out("quota", "list")
    assert "each of 2 members" in shell.out("quota", "show", "team/x", "daily")
    assert "for every quota of it that names none" in shell.out(
        "quota", "show", "team/x", "members"
    )


def test_check_says_where_a_quota_names_others(shell: Shell) -> None:
    shell.sweep()
    assert shell.json("quota", "check")["warnings"] == []
    shell.world.quota(principal="team/x", quota="weekly", members=["user/carol"])
    [warning] = shell.json("quota", "check")["warnings"]
    assert warning == {
        "principal": "team/x", "quota": "weekly", "doubt": "members_differ",
        "words": "names other members than members of the same team; without members of its own "
        "it takes those of team/x",
    }  # fmt: skip


def test_check_knows_members_who_have_not_used_bedrock(shell: Shell) -> None:
    shell.sweep()
    shell.out("quota", "set", "team/x", "members", "--members", "user/alcie")
    [daily, members] = shell.json("quota", "check")["warnings"]
    assert {daily["doubt"], members["doubt"]} == {"unseen_member"}
    assert "did you mean user/alice?" in members["words"]


@pytest.mark.parametrize("options", [[], ["--offline"]])
def test_a_file_with_both_is_checked_and_imported(
    shell: Shell, tmp_path: Path, options: list[str]
) -> None:
    file = tmp_path / "quotas.yaml"
    shell.out("quota", "export", str(file))
    shell.world.quotas.table.clear()
    assert "2 items: 0 not valid" in shell.out("quota", "check", str(file), *options)
    assert "2 of 2 written." in shell.out("quota", "import", str(file), "--yes")
    shell.sweep()
    assert shell.world.denied == {"user/alice", "user/bob"}


def test_a_team_is_written_before_its_quotas_and_removed_after_them(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []
    table = shell.table
    put, remove = table.put, table.remove

    def noted(item: Any, expected: Any) -> None:
        seen.append(("put", item["quota"]))
        put(item, expected)

    def gone(subject: str, name: str, expected: Any = None) -> Any:
        seen.append(("remove", name))
        return remove(subject, name, expected)

    monkeypatch.setattr(table, "put", noted)
    monkeypatch.setattr(table, "remove", gone)
    file = tmp_path / "quotas.json"
    new = {**TEAM, "principal": "team/a"}
    file.write_text(written([an_item(principal="team/a"), new]), encoding="utf-8")
    shell.out("quota", "import", str(file), "--prune", "--yes")
    assert seen == [
        ("put", "members"), ("put", "daily"), ("remove", "daily"), ("remove", "members")
    ]  # fmt: skip


def test_a_file_may_leave_the_team_to_the_table(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "quotas.json"
    file.write_text(written([an_item(principal="team/x", limit=7)]), encoding="utf-8")
    shell.out("quota", "check", str(file))
    shell.out("quota", "import", str(file), "--yes")
    assert shell.item("team/x")["limit"] == 7


def test_a_raise_of_it_names_no_members_either(shell: Shell) -> None:
    shell.out("quota", "raise", "team/x", "daily", "5000", "--until", "2d")
    assert shell.item("team/x")["raise_to"] == 5000
    assert "members" not in shell.item("team/x")
    result = shell.run("quota", "raise", "team/x", "members", "5000", "--until", "2d")
    assert (result.exit_code, "has no limit to raise" in result.stderr) == (1, True)


def test_a_block_of_a_team_without_quotas_holds_for_its_members(shell: Shell) -> None:
    shell.out("quota", "remove", "team/x", "daily")
    shell.out("quota", "block", "team/x", "--yes")
    shell.now = NOON
    shell.sweep()
    assert shell.world.denied == {"user/alice", "user/bob"}


def test_explain_of_a_team_names_its_quotas_and_not_the_item_of_its_members(shell: Shell) -> None:
    shell.sweep()
    printed = shell.out("explain", "team/x")
    assert "Its members each have daily of team/x: 1,000 total tokens per day" in printed
    assert "who is in the team" not in printed


def test_who_removes_it_reads_what_becomes_of_its_quotas(shell: Shell) -> None:
    shell.sweep()
    assert "they keep whom they have" in shell.out("quota", "remove", "team/x", "members")
    shell.world.sweep(shell.now)
    assert shell.world.denied == {"user/alice", "user/bob"}
