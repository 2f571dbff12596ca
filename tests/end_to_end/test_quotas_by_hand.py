"""An admin's day with the command line, on the real template: import, block, release, raise."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployed_stack import ALLOW, DeployedStack, call, is_refused
from embedded_account import Caller

QUOTAS = """\
- {principal: default, quota: daily, measure: total_tokens, limit: 1_000_000, window: day}
- {principal: team/研究, quota: members, members: [user/alice, user/bob], note: für alle 😀}
- {principal: team/研究, quota: money, measure: cost_usd, limit: 12.50, window: month}
- {principal: price/acme.big-v1, quota: price, input: 0.35}
"""


def ran(stack: DeployedStack, *arguments: str) -> str:
    """What a command that must succeed prints."""
    done = stack.command(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def today(stack: DeployedStack) -> DeployedStack:
    """Commands go by the real clock, so the simulated one is set to it."""
    stack.aws.set_time(datetime.now(UTC))
    return stack


def test_a_file_becomes_the_table_and_the_table_the_same_file(
    today: DeployedStack, tmp_path: Path
) -> None:
    file, exported = tmp_path / "quotas.yaml", tmp_path / "exported.yaml"
    file.write_text(QUOTAS, encoding="utf-8")
    assert "4 of 4 written." in ran(today, "quota", "import", str(file), "--yes")
    assert today.command_apart("quota", "export", str(exported)).returncode == 0
    again = ran(today, "quota", "import", str(exported), "--prune", "--yes")
    assert again == "0 added, 0 changed, 0 removed, 4 unchanged.\n"
    checked = json.loads(ran(today, "quota", "check", "--json"))
    assert (checked["items"], checked["invalid"]) == (4, [])


def test_a_block_by_hand_is_a_deny_in_iam_until_it_is_released(
    today: DeployedStack, user: Caller
) -> None:
    mallory = user("mallory", ALLOW)
    call(mallory)
    ran(today, "quota", "block", "user/mallory", "--until", "2d", "--note", "key leaked")
    today.sweep()
    assert is_refused(lambda: call(mallory))
    printed = ran(today, "release", "user/mallory")
    assert "The block by hand is over: the item blocked-by-hand is removed." in printed
    assert today.denied() == set()
    call(mallory)
    edits = json.loads(ran(today, "history", "user/mallory", "--json"))["history"]
    [removed] = [each for each in edits if each["reason"].startswith("removed: ")]
    assert removed["by"].startswith("arn:aws:")


def test_a_raise_lets_through_whom_a_default_blocks(today: DeployedStack, user: Caller) -> None:
    alice = user("alice", ALLOW)
    today.quota(window="rolling 24 hours")
    call(alice, 1_200)
    today.sweep()
    today.sweep()
    assert today.denied() == {"alice"}
    ran(today, "quota", "raise", "user/alice", "daily", "5_000", "--until", "1h")
    today.sweep()
    assert today.denied() == set()
