"""`teams`: what a preview shows, what a pull writes, and what is refused with its fix."""

from pathlib import Path

import pytest

from builders import an_item
from cli_world import ADMIN, Shell, a_shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


@pytest.fixture
def teams(tmp_path: Path) -> Path:
    file = tmp_path / "teams.yaml"
    file.write_text("- team: research\n  members: [user/alice, user/bob]\n", "utf-8")
    return file


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_preview_writes_nothing(shell: Shell, teams: Path) -> None:
    said = words(shell.out("teams", "preview", str(teams)))
    assert "team/research added user/alice, user/bob - 0" in said
    assert "file:teams.yaml: 1 added." in said
    assert shell.world.quotas.table == {}


def test_a_pull_shows_asks_and_writes_who_did_it(shell: Shell, teams: Path) -> None:
    result = shell.run("teams", "pull", str(teams), typed="y\n")
    assert result.exit_code == 0
    assert "Write this (1 added)?" in result.stderr
    assert shell.item("team/research", "members") == {
        "principal": "team/research", "quota": "members", "kept_in": "file:teams.yaml",
        "members": ["user/alice", "user/bob"], "edited_by": ADMIN,
    }  # fmt: skip


@pytest.mark.parametrize("typed", [None, "n\n"])
def test_without_consent_nothing_is_written(shell: Shell, teams: Path, typed: str | None) -> None:
    assert shell.run("teams", "pull", str(teams), typed=typed).exit_code != 0
    assert shell.world.quotas.table == {}


def test_both_say_whom_it_would_block(shell: Shell, teams: Path) -> None:
    shell.out("teams", "pull", str(teams), "--yes")
    shell.out("quota", "set", "team/research", "daily",
              "--measure", "total_tokens", "--limit", "1000", "--window", "day")  # fmt: skip
    shell.used("carol", 2000)
    shell.sweep()
    teams.write_text("- team: research\n  members: [user/alice, user/bob, user/carol]\n", "utf-8")
    assert len(shell.json("teams", "preview", str(teams))["would_block"]) == 1
    assert "would block 1 of 3 people now: user/carol" in words(
        shell.out("teams", "preview", str(teams))
    )
    shell.out("teams", "pull", str(teams), "--yes")
    shell.sweep()
    assert shell.world.denied == {"user/carol"}


def test_a_second_pull_has_nothing_to_do(shell: Shell, teams: Path) -> None:
    shell.out("teams", "pull", str(teams), "--yes")
    before = shell.item("team/research", "members")
    said = shell.json("teams", "pull", str(teams), "--yes")
    assert (said["written"], said["teams"][0]["state"]) == ([], "unchanged")
    assert shell.item("team/research", "members") == before


def test_without_a_source_it_is_the_one_that_the_teams_are_kept_in(shell: Shell) -> None:
    refused = shell.run("teams", "preview")
    assert refused.exit_code == 1
    assert "no other place yet" in words(refused.stderr)
    shell.out("teams", "pull", "iam:team", "--yes", "--source-role", "arn:aws:iam::1:role/r")
    shell.out("teams", "preview", "--source-profile", "p", "--source-region", "eu-west-1")
    assert shell.teams_asked == [
        ("iam:team", None, "arn:aws:iam::1:role/r", None),
        ("iam:team", "p", None, "eu-west-1"),
    ]


@pytest.mark.parametrize(
    ("kind", "name", "source"),
    [("iam", "team", "iam:team"), ("s3", "teams/a.csv", "s3://teams/a.csv")],
)
def test_without_a_source_it_is_the_one_that_the_stack_reads(
    shell: Shell, kind: str, name: str, source: str
) -> None:
    shell.parameters = {"TeamsFrom": kind, "TeamsName": name}
    shell.out("teams", "preview")
    assert [asked[0] for asked in shell.teams_asked] == [source]


def test_what_is_refused_is_told_with_the_fix_and_the_rest_is_written(
    shell: Shell, teams: Path
) -> None:
    shell.out("teams", "pull", str(teams), "--yes")
    teams.write_text("- team: ops\n  members: [role/ci]\n", "utf-8")
    result = shell.run("teams", "pull", str(teams), "--yes")
    assert result.exit_code == 1
    assert "refused: nobody would be in it" in words(result.stderr)
    assert shell.item("team/research", "members")["members"] == ["user/alice", "user/bob"]
    assert shell.item("team/ops", "members")["members"] == ["role/ci"]


def test_a_team_shrinks_when_an_admin_says_so(shell: Shell, teams: Path) -> None:
    members = [f"user/{each}" for each in "abcd"]
    table = shell.world.quotas.table
    table[("team/research", "members")] = {
        "principal": "team/research", "quota": "members", "members": members,
        "kept_in": "file:teams.yaml",
    }  # fmt: skip
    teams.write_text("- team: research\n  members: [user/a]\n", "utf-8")
    result = shell.run("teams", "pull", str(teams), "--yes")
    assert result.exit_code == 1
    assert "--allow-shrink team/research" in words(result.stderr)
    shell.out("teams", "pull", str(teams), "--yes", "--allow-shrink", "research")
    assert shell.item("team/research", "members")["members"] == ["user/a"]


def test_a_team_kept_by_hand_is_left_alone_until_it_is_taken_over(
    shell: Shell, teams: Path
) -> None:
    shell.out("quota", "set", "team/research", "members", "--members", "user/alice")
    shell.out("teams", "pull", str(teams), "--yes")
    assert shell.item("team/research", "members")["members"] == ["user/alice"]
    shell.out("teams", "pull", str(teams), "--yes", "--take-over", "team/research")
    assert shell.item("team/research", "members")["members"] == ["user/alice", "user/bob"]


def test_an_edit_by_hand_of_a_team_that_is_kept_elsewhere_is_warned_of(
    shell: Shell, teams: Path
) -> None:
    shell.out("teams", "pull", str(teams), "--yes")
    edit = ("quota", "set", "team/research", "members")
    said = words(shell.run(*edit, "--members", "user/zoe").stderr)
    assert "it is kept in file:teams.yaml, and the next reading undoes this" in said
    assert "quota set team/research members --unset kept_in" in said
    assert "undoes" not in shell.run(*edit, "--unset", "kept_in").stderr
    shell.out("teams", "pull", str(teams), "--yes")
    assert shell.item("team/research", "members")["members"] == ["user/zoe"]


def test_what_could_not_be_read_is_named_and_nobody_leaves_for_it(
    shell: Shell, teams: Path
) -> None:
    shell.out("teams", "pull", str(teams), "--yes")
    teams.write_text("- team: research\n  members: [user/alice, user/eng/bob]\n", "utf-8")
    result = shell.run("teams", "pull", str(teams), "--yes")
    assert "not read: line 1: 'user/eng/bob' is no member of a team" in words(result.stderr)
    assert "user/bob would leave, and stay until all of it can be read" in words(result.stderr)
    assert shell.item("team/research", "members")["members"] == ["user/alice", "user/bob"]


def test_a_team_that_somebody_edits_meanwhile_keeps_their_edit(shell: Shell, teams: Path) -> None:
    shell.table.overtaken = True
    result = shell.run("teams", "pull", str(teams), "--yes")
    assert result.exit_code == 1
    assert "team/research was changed by somebody else meanwhile" in words(result.stderr)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("teams.json", "{}", "holds no list of teams"), ("teams.yaml", "x: [", "cannot read"),
     ("teams.csv", "a,b\n", "expected a header"), ("gone.yaml", None, "No such file"),
     ("teams.txt", "", "no place where teams are kept")],
)  # fmt: skip
def test_a_file_that_holds_no_teams_is_refused(
    shell: Shell, tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    result = shell.run("teams", "preview", str(tmp_path / name))
    assert result.exit_code == 2
    assert said in words(result.stderr).replace("│ ", "")


def test_kept_in_is_only_of_teams(shell: Shell) -> None:
    shell.world.quota(**an_item(principal="user/a", kept_in="iam:team"))
    assert "kept_in is" in words(shell.out("quota", "list"))
