"""`pause` and `resume`: what they write, ask and say."""

from datetime import datetime, timedelta

import pytest

from cli_world import Shell, a_shell

KEY = ("pause", "new-blocks")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    shell.world.quota()
    return shell


def test_it_writes_an_item_that_ends_by_itself(shell: Shell) -> None:
    result = shell.run("pause", "--until", "2h", "--note", "incident 4711", "--yes")
    assert result.exit_code == 0, result.output
    assert "New blocks are paused until 2026-11-24 14:00 UTC." in result.stdout
    item = shell.world.quotas.table[KEY]
    assert item["until"] == "2026-11-24T14:00:00+00:00"
    assert (item["note"], item["edited_by"]) == (
        "incident 4711",
        shell.caller.replace("alice", "admin"),
    )


def test_without_a_terminal_it_wants_yes(shell: Shell) -> None:
    result = shell.run("pause", "--until", "2h")
    assert result.exit_code == 2
    assert "Nobody new is blocked until 2026-11-24 14:00 UTC" in result.stderr
    assert KEY not in shell.world.quotas.table


def test_a_dry_run_writes_nothing(shell: Shell) -> None:
    assert "would be paused until" in shell.out("pause", "--until", "2h", "--dry-run")
    assert KEY not in shell.world.quotas.table


@pytest.mark.parametrize("until", ["25h", "2d", "2027-01-01"])
def test_it_is_for_a_day_at_most(shell: Shell, until: str) -> None:
    result = shell.run("pause", "--until", until, "--yes")
    assert result.exit_code == 2
    assert "allowed: at most 1 d" in result.stderr.replace("\n", " ")


def test_the_rules_are_read_without_listing_anybody(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in any command that only needs the rules, where no team has a group."""
    monkeypatch.setattr(shell.world.ledger, "everybody", lambda: pytest.fail("it listed everybody"))
    assert "New blocks are not paused." in shell.out("resume")


def test_an_end_is_wanted(shell: Shell) -> None:
    assert shell.run("pause", "--yes").exit_code == 2
    assert shell.run("pause", "--until", "yesterday", "--yes").exit_code == 2


def test_all_that_look_say_so_while_it_stands_and_no_longer(shell: Shell) -> None:
    shell.used("alice", 1200)
    shell.sweep()
    shell.world.quota(limit=5000)
    shell.sweep()
    shell.run("pause", "--until", "2h", "--yes")
    shell.world.enforcer().edited(shell.now)
    shell.world.quota(limit=1000)
    assert "New blocks are paused until 2026-11-24 14:00 UTC" in shell.run("status").stderr
    assert "new blocks are paused" in shell.out("status", "user/alice")
    paused = datetime.fromisoformat(shell.json("status")["paused_until"])
    assert paused == shell.now + timedelta(hours=2)
    assert "in force until 2026-11-24 14:00 UTC" in shell.out("quota", "list")
    assert shell.run("resume").stdout == (
        "New blocks are made again; they were paused until 2026-11-24 14:00 UTC.\n"
    )
    assert KEY not in shell.world.quotas.table
    shell.world.enforcer().edited(shell.now)
    assert "paused" not in shell.run("status").stderr
    assert shell.json("status")["paused_until"] is None


def test_an_edit_says_that_it_waits_for_the_end_of_the_pause(shell: Shell) -> None:
    shell.out("pause", "--until", "2h", "--yes")
    edit = ("quota", "set", "user/alice", "daily", "--limit", "5", "--window", "day")
    result = shell.run(*edit, "--measure", "requests", "--yes")
    assert "New blocks are paused until" in result.output
    assert "takes effect in seconds" not in result.output


def test_to_resume_what_is_not_paused_is_no_error(shell: Shell) -> None:
    assert shell.out("resume") == "New blocks are not paused.\n"


def test_a_pause_does_not_go_into_a_file_of_what_holds_for_good(shell: Shell) -> None:
    shell.run("pause", "--until", "2h", "--yes")
    assert "new-blocks" not in shell.out("quota", "export", "--permanent")
    assert "new-blocks" in shell.out("quota", "export")
    assert shell.run("quota", "check").exit_code == 0
