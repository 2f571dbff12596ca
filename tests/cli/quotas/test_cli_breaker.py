"""What commands say while the breaker holds new blocks: of an edit, and of whoever is held."""

from dataclasses import replace
from pathlib import Path

import pytest

from builders import ALICE, an_item
from cli_world import Shell, a_shell
from page_reading import leave_undrawn
from quota_enforcer.cli.quotas.edit import EFFECTIVE
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.ledger import SweepState

NEW = ("--measure", "requests", "--limit", "0", "--window", "day")
BY_HAND = [
    ("quota", "set", "user/bob", "daily", *NEW, "--yes"),
    ("quota", "block", "user/bob"),
]
EDITS = [
    ("quota", "set", "default", "daily", *NEW, "--yes"),
    ("quota", "set", "user/alice", "daily", "--limit", "5"),
    ("quota", "raise", "user/alice", "daily", "unlimited", "--until", "2h"),
    ("quota", "unblock", "user/mallory"),
    ("quota", "remove", "user/alice", "daily"),
]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice has a quota, and mallory is blocked by hand."""
    shell = a_shell(monkeypatch)
    shell.world.quota()
    shell.run("quota", "block", "user/mallory")
    return shell


@pytest.mark.parametrize("edit", BY_HAND, ids=" ".join)
def test_a_block_by_hand_takes_effect_in_seconds_whatever_the_breaker_does(
    shell: Shell, edit: tuple[str, ...]
) -> None:
    shell.world.ledger.turn_breaker(shell.now, SweepState(), "tripped")
    assert EFFECTIVE in shell.run(*edit).stderr


@pytest.mark.parametrize("edit", EDITS, ids=" ".join)
def test_an_edit_takes_effect_in_seconds(shell: Shell, edit: tuple[str, ...]) -> None:
    assert EFFECTIVE in shell.run(*edit).stderr


@pytest.mark.parametrize("edit", EDITS, ids=" ".join)
def test_while_the_breaker_holds_it_only_opens_in_seconds(
    shell: Shell, edit: tuple[str, ...]
) -> None:
    shell.world.ledger.turn_breaker(shell.now, SweepState(), "tripped")
    result = shell.run(*edit)
    assert result.exit_code == 0, result.output
    assert EFFECTIVE not in result.stderr
    assert "The breaker holds new blocks since 2026-11-24 12:00 UTC" in result.stderr
    assert "`quota-enforcer sweep --confirm-blocks`" in result.stderr


def test_an_import_says_so_too(shell: Shell, tmp_path: Path) -> None:
    shell.world.quotas.put(an_item(limit=7))
    file = tmp_path / "quotas.yaml"
    shell.run("quota", "export", str(file))
    shell.world.quotas.put(an_item(limit=8))
    shell.world.ledger.turn_breaker(shell.now, SweepState(), "tripped")
    result = shell.run("quota", "import", str(file), "--yes")
    assert EFFECTIVE not in result.stderr
    assert "The breaker holds new blocks" in result.stderr


@pytest.mark.parametrize("holds", [True, False])
def test_who_is_not_blocked_yet_reads_what_keeps_them_from_it(
    shell: Shell, tmp_path: Path, *, holds: bool
) -> None:
    shell.used("alice", 1200)
    shell.world.metrics.now = shell.now
    shell.sweep()
    shell.world.quota(quota="new", limit=1)
    shell.world.quota(limit=5000)
    if holds:
        shell.world.ledger.turn_breaker(shell.now, SweepState(), "tripped")
        record = shell.world.ledger.records([ALICE])[ALICE]
        held = replace(record.standing, held={"user/alice#new": 120_000})
        shell.world.ledger.put(record.next(standing=held))
    words, not_words = "the breaker holds new blocks", "the next sweep blocks"
    words, not_words = (words, not_words) if holds else (not_words, words)
    leave_undrawn(shell.monkeypatch)
    file = tmp_path / "bedrock.html"
    shell.run("report", "--html", str(file))
    for said in (
        shell.out("status"),
        shell.out("status", "user/alice"),
        shell.out("explain", "user/alice"),
        shell.json("me")["standings"][0]["quotas"][1]["why"],
        file.read_text(encoding="utf-8"),
    ):
        assert words in said
        assert not_words not in said


@pytest.mark.parametrize("mode", Mode)
def test_an_edit_that_trips_the_breaker_blocks_nobody_in_seconds(
    shell: Shell, tmp_path: Path, mode: Mode
) -> None:
    shell.world.mode(mode)
    for number in range(12):
        shell.used(f"u{number}", 100)
    shell.sweep()
    written = shell.run("quota", "set", "default", "typo", *NEW, "--yes")
    file = tmp_path / "quotas.yaml"
    shell.run("quota", "export", str(file))
    shell.world.quotas.delete("default", "typo")
    imported = shell.run("quota", "import", str(file), "--yes")
    for result in (written, imported):
        assert result.exit_code == 0, result.output
        assert (EFFECTIVE in result.stderr) is (mode is Mode.OBSERVE)
        assert ("The breaker holds what it would block." in result.stderr) is (mode is Mode.ENFORCE)


def test_an_edit_that_mends_says_that_the_breaker_may_let_go(shell: Shell) -> None:
    shell.world.quota(limit=1)
    shell.world.ledger.turn_breaker(shell.now, SweepState(), "tripped")
    result = shell.run("quota", "set", "user/alice", "daily", "--limit", "5000")
    assert "it lets go at once if few enough are left" in result.stderr
