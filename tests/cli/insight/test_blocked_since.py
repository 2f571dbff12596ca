"""Since when somebody is blocked: whoever asks, and whatever the reason is by now."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from builders import NOON
from cli_world import Shell, a_shell
from page_reading import PageReading, leave_undrawn
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.errors import CannotDeny
from quota_enforcer.core.ledger import Level
from world import principal

DAYS = timedelta(days=1)
SINCE = "2026-11-20 12:00 UTC"
"""When the first of the reasons came up."""
NOW = NOON + timedelta(minutes=1)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """For four days alice is blocked, of each day by another quota; now the last of them is new."""
    shell = a_shell(monkeypatch)
    world = shell.world
    world.metering(Metering.STREAM)
    world.quota()
    at(shell, NOON - 4 * DAYS, 1200)
    world.quota(quota="monthly", window="month", limit=1100)
    at(shell, NOON - 3 * DAYS, 0)
    world.quota(quota="hand", limit=0, measure="requests")
    world.quotas.delete("user/alice", "monthly")
    at(shell, NOON - 2 * DAYS, 0)
    world.quota(quota="monthly", window="month", limit=1000)
    world.quotas.delete("user/alice", "hand")
    at(shell, NOON, 0)
    shell.now = NOW
    assert world.denied == {"user/alice"}
    return shell


def at(shell: Shell, moment: datetime, tokens: int) -> None:
    """She uses some, and the next sweep looks at her."""
    shell.world.stream("alice", moment, tokens)
    shell.world.sweep(moment)


def test_status_says_since_when_nothing_worked(shell: Shell) -> None:
    assert f"blocked since {SINCE}" in shell.out("status", "user/alice")
    [row] = [each for each in shell.json("status")["standings"] if each["state"] == "blocked"]
    assert row["since"] == "2026-11-20T12:00:00Z"
    assert shell.json("status", "user/alice")["since"] == "2026-11-20T12:00:00Z"
    assert shell.json("explain", "user/alice")["since"] == "2026-11-20T12:00:00Z"


def test_she_herself_is_told_the_same(shell: Shell) -> None:
    assert f"since {SINCE}" in shell.out("me")


def test_the_report_tells_the_same(shell: Shell, tmp_path: Path) -> None:
    leave_undrawn(shell.monkeypatch)
    file = tmp_path / "bedrock.html"
    shell.run("report", "--html", str(file), "--days", "2")
    [stopped] = PageReading(file.read_text(encoding="utf-8")).tables["Used-up quotas"][1:]
    assert "2026-11-20 12:00" in stopped


def test_the_end_is_told_with_all_of_it(shell: Shell) -> None:
    shell.world.quota(quota="monthly", window="month", limit=5000)
    shell.world.enforcer().edited(NOW)
    assert "it was blocked for 4 d" in shell.out("history", "user/alice")
    body = shell.world.topic.sent[-1][1].body
    assert f"Blocked since: {SINCE}, for 4 d." in body


def test_a_change_of_the_reason_is_told_with_the_first_moment(shell: Shell) -> None:
    changed = [notice for notice, _ in shell.world.topic.sent if notice.kind == "changed"]
    assert len(changed) == 3
    assert {notice.since for notice in changed} == {NOON - 4 * DAYS}


def test_the_end_of_the_stack_is_told_with_all_of_it(shell: Shell) -> None:
    shell.world.close(NOW)
    [restored] = [n for n, _ in shell.world.topic.sent if n.kind == "restored"]
    assert restored.since == NOON - 4 * DAYS


def test_who_could_not_be_denied_is_blocked_since_it_could(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = a_shell(monkeypatch)
    alice = principal("user/alice")
    shell.world.quota(window="month")
    shell.world.denies.refuse[alice] = CannotDeny("no policy slot is left")
    shell.world.call("alice", NOON - timedelta(minutes=10), 1200)
    shell.world.sweep(NOON)
    del shell.world.denies.refuse[alice]
    shell.world.sweep(NOON + 2 * DAYS)
    standing = shell.world.ledger.records([alice])[alice].standing
    assert (standing.level, standing.blocked_since) == (Level.OVER, NOON + 2 * DAYS)
