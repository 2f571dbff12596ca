"""Who removed a quota, a price or a block by hand stands in the history."""

from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from builders import an_item
from cli_world import ADMIN, Shell, a_shell
from quota_enforcer.cli.files.json import written
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.quotas.diff import ELSEWHERE

PRICE = {"principal": "price/acme.big-v1", "quota": "price", "input": 1}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice's quota, her block by hand and a price, all written in the console and acted on."""
    shell = a_shell(monkeypatch)
    shell.world.quota()
    shell.world.quota(quota="blocked-by-hand", limit=0, measure="requests")
    shell.world.quotas.put(PRICE)
    shell.sweep()
    return shell


def removal(shell: Shell) -> Notice:
    """What the next look at the table notes of it."""
    shell.now += timedelta(minutes=1)
    shell.world.enforcer().edited(shell.now)
    return next(
        each
        for each in reversed(shell.world.ledger.whole_history())
        if each.kind is NoticeKind.EDITED and each.reason.startswith("removed")
    )


@pytest.mark.parametrize(
    "command",
    [
        ("quota", "remove", "user/alice", "daily"),
        ("quota", "unblock", "user/alice"),
        ("prices", "remove", "acme.big-v1"),
        ("release", "user/alice"),
    ],
    ids=" ".join,
)
def test_a_command_that_removes_names_who_ran_it(shell: Shell, command: tuple[str, ...]) -> None:
    shell.out(*command)
    assert removal(shell).by == ADMIN
    assert f"by {ADMIN}" in shell.out("history")


def test_an_import_that_removes_does_too(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "quotas.json"
    file.write_text(written([]), encoding="utf-8")
    shell.out("quota", "import", str(file), "--prune", "--end-raises", "--yes")
    removal(shell)
    edits = [each for each in shell.world.ledger.whole_history() if each.reason[:7] == "removed"]
    assert [each.by for each in edits] == [ADMIN] * 3


def test_who_may_not_write_the_ledger_removes_without_a_name(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "UpdateItem")

    monkeypatch.setattr(shell.world.ledger, "announce_removal", refused)
    shell.out("quota", "remove", "user/alice", "daily")
    assert removal(shell).by == ELSEWHERE


def test_a_removal_in_the_console_names_nobody(shell: Shell) -> None:
    shell.world.quotas.delete("user/alice", "daily")
    assert removal(shell).by == ELSEWHERE


def test_a_removal_that_somebody_elses_edit_stopped_is_forgotten(shell: Shell) -> None:
    shell.table.overtaken = True
    assert shell.run("quota", "remove", "user/alice", "daily").exit_code == 1
    shell.world.quota(limit=7)
    shell.world.enforcer().edited(shell.now)
    shell.world.quotas.delete("user/alice", "daily")
    assert removal(shell).by == ELSEWHERE


def test_a_removal_that_was_never_made_is_forgotten_by_the_next_sweep(shell: Shell) -> None:
    shell.world.ledger.announce_removal("user/alice", "daily", ADMIN)
    shell.sweep()
    assert [each.removed_by for each in shell.world.ledger.quota_memories()] == [""] * 3
    shell.world.quotas.put(an_item(limit="lots"))
    shell.world.ledger.announce_removal("user/alice", "daily", ADMIN)
    shell.sweep()
    assert [each.removed_by for each in shell.world.ledger.quota_memories()] == [""] * 3


def test_who_read_before_the_announcement_leaves_the_telling_to_the_next(shell: Shell) -> None:
    cached = shell.world.enforcer()
    memories = shell.world.ledger.quota_memories()
    shell.out("quota", "remove", "user/alice", "daily")
    stale = next(each for each in memories if each.name == "daily")
    assert not shell.world.ledger.forget_quota(stale)
    cached.edited(shell.now)
    assert removal(shell).by == ADMIN
