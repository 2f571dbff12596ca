"""`status`: the table, its reasons and hints, and the JSON document."""

import io
from datetime import timedelta
from itertools import takewhile

import pytest
from rich.console import Console

from builders import NOON
from cli_world import Shell, a_shell
from quota_enforcer.cli.terminal import output
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.errors import CannotDeny
from quota_enforcer.core.ledger import Record
from world import principal


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


def cells(printed: str) -> list[list[str]]:
    """The table's rows; two spaces and more part its columns."""
    _, _, table = printed.partition("─\n")
    lines = takewhile(lambda line: "  " in line, table.splitlines())
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]


def test_status_shows_usage_limit_percent_state_and_reset(shell: Shell) -> None:
    shell.world.quota(principal="user/*")
    shell.used("alice", 1200)
    shell.used("bob", 850)
    shell.used("carol", 5)
    shell.sweep()
    printed = shell.out("status", "--all")
    assert printed.splitlines()[0] == (
        "bedrock-quota, enforce mode, newest usage 0 min old, last sweep 0 min ago"
    )
    reset = "2026-11-25 00:00 UTC"
    used = "of 1,000 total tokens"
    assert cells(printed) == [
        [
            "user/alice",
            "daily",
            f"1,200 {used}",
            "120",
            "blocked since 2026-11-24 12:00 UTC",
            reset,
        ],
        ["user/bob", "daily", f"850 {used}", "85", "warned", reset],
        ["user/carol", "daily", f"5 {used}", "0", "ok", reset],
    ]


def test_status_counts_usage_that_no_sweep_has_judged_yet(shell: Shell) -> None:
    shell.used("alice", 1200)
    shell.sweep()
    shell.world.quota()
    [row] = shell.json("status")["standings"]
    assert (row["state"], row["why"]) == ("over", "the next sweep blocks")
    assert "user/alice daily: the next sweep blocks." in shell.out("status")


def test_status_as_json_is_one_document(shell: Shell) -> None:
    shell.world.quota(principal="user/*")
    shell.used("alice", 1200)
    shell.sweep()
    shell.now = NOON + timedelta(minutes=3)
    assert shell.json("status") == {
        "stack": "bedrock-quota",
        "mode": "enforce",
        "time_zone": "UTC",
        "now": "2026-11-24T12:03:00Z",
        "last_sweep": "2026-11-24T12:00:00Z",
        "data_age_seconds": 180,
        "breaker_since": None,
        "paused_until": None,
        "standings": [
            {
                "principal": "user/alice",
                "quota": "daily",
                "whom": "user/*",
                "measure": "total_tokens",
                "window": "day",
                "used": 1200,
                "limit": 1000,
                "percent": 120,
                "state": "blocked",
                "why": "",
                "since": "2026-11-24T12:00:00Z",
                "until": "2026-11-25T00:00:00Z",
                "resets_at": "2026-11-25T00:00:00Z",
                "cost_usd": "0.0003",
                "assumed_usd": "0",
                "saved_usd": "0",
                "unpriced": [],
                "regions": [],
                "accounts": [],
            },
        ],
        "unpriced_models": [],
        "would_have_been_blocked": None,
        "coverage": {
            "requests": 0,
            "cost_usd": "0",
            "assumed_usd": "0",
            "of_requests": 1,
            "of_cost_usd": "0.0003",
            "exempt_requests": 0,
            "exempt_cost_usd": "0",
            "rules": [],
            "principals": [],
        },
    }


def test_what_no_quota_counts_is_said_below_the_table(shell: Shell) -> None:
    shell.world.quota(principal="role/*")
    shell.used("alice", 1200)
    shell.sweep()
    assert "Last 7 days: under no quota: 1 call of 1 (100 %)" in shell.out("status")
    assert shell.json("status")["coverage"]["rules"] == ["user/alice"]
    shell.world.quota(principal="default")
    assert "under no quota" not in shell.out("status")


def test_in_observe_mode_status_shows_who_would_be_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    shell.world.quota()
    shell.used("alice", 1200)
    shell.sweep()
    result = shell.run("status")
    assert cells(result.stdout)[0][4] == "would be blocked"
    assert "In observe mode nobody is blocked" in result.stderr


def test_status_says_who_could_not_be_blocked_and_why(shell: Shell) -> None:
    shell.world.quota(principal="default")
    shell.world.denies.refuse[principal("user/alice")] = CannotDeny("all policy slots are full")
    shell.used("alice", 1200)
    shell.used("sso:ann", 1200)
    shell.sweep()
    printed = shell.out("status")
    assert [row[4] for row in cells(printed)] == ["could not be blocked"] * 2
    assert "user/alice daily: all policy slots are full." in printed
    assert "sso/ann daily: Identity Center roles cannot be modified through IAM" in printed


def test_who_has_no_quota_is_shown_with_the_usage_of_today(shell: Shell) -> None:
    shell.used("alice", 70)
    shell.sweep()
    assert cells(shell.out("status")) == [
        ["user/alice", "70 total tokens", "-", "no quota", "resets in 12 h"],
    ]


def test_whom_a_quota_names_is_shown_before_its_first_call(shell: Shell) -> None:
    shell.world.quota()
    shell.world.quota(principal="team/t", members=["role/ci", "user/bob"])
    shell.world.quota(principal="team/pool", members=["user/bob"], share="pool")
    shell.world.quota(principal="user/dave", exempt=True)
    rows = shell.json("status")["standings"]
    assert [(row["principal"], row["whom"]) for row in rows] == [
        ("role/ci", "team/t"),
        ("team/pool", "team/pool"),
        ("user/alice", "user/alice"),
        ("user/bob", "team/t"),
        ("user/bob", "team/pool"),
    ]


def test_a_spent_pool_shows_with_its_team_and_with_each_member(shell: Shell) -> None:
    shell.world.quota(principal="team/t", members=["user/alice", "user/bob"], share="pool")
    shell.world.quota(principal="team/each", members=["user/carol"], quota="own")
    shell.used("alice", 1200)
    shell.sweep()
    shell.sweep()
    state = "blocked since 2026-11-24 12:00 UTC"
    reset = "2026-11-25 00:00 UTC"
    pool = ["daily", "1,200 of 1,000 total tokens", "120", state, reset]
    assert cells(shell.out("status", "--all")) == [
        ["team/t", *pool],
        ["user/alice", *pool],
        ["user/bob", *pool],
        ["user/carol", "own", "0 of 1,000 total tokens", "0", "ok", reset],
    ]


def test_a_block_without_an_end_and_a_rolling_window_say_so(shell: Shell) -> None:
    shell.world.quota(limit=0)
    shell.world.quota(principal="user/bob", window="rolling 24 hours")
    shell.sweep()
    for every, by_hand in (((), "an admin opens"), (("--all",), "an admin changes the quota")):
        alice, bob = cells(shell.out("status", *every))
        assert alice[-1] == by_hand
        assert bob[-1] == "rolling 24 hours"


@pytest.mark.parametrize("command", ["status", "forecast"])
def test_everybody_is_listed_once(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """It takes most of what there is to read; a team with a group needs it for its rules too."""
    members = ["user/*", "user/bob"]
    shell.world.quota(principal="team/t", quota="pool", share="pool", members=members)
    shell.used("alice", 900)
    shell.sweep()
    everybody, listings = shell.world.ledger.everybody, list[int]()

    def listed() -> list[Record]:
        listings.append(1)
        return everybody()

    monkeypatch.setattr(shell.world.ledger, "everybody", listed)
    assert "user/alice" in shell.out(command)
    assert len(listings) == 1


def test_status_of_an_unused_deployment_says_so(shell: Shell) -> None:
    assert shell.out("status").splitlines() == [
        "bedrock-quota, enforce mode, no usage seen yet, not swept yet",
        "Nobody has used Bedrock yet, and there is no quota for a single principal.",
    ]


def test_status_tells_of_the_breaker_and_of_the_end(shell: Shell) -> None:
    state = shell.world.ledger.state()
    shell.world.ledger.turn_breaker(NOON, state, "token", ())
    shell.world.ledger.close()
    told = shell.run("status").stderr
    assert "The breaker holds new blocks since 2026-11-24 12:00 UTC" in told
    assert "The stack is being deleted" in told


def glance(shell: Shell, monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    """The lines of `status` on a terminal that wide."""
    screen = Console(file=io.StringIO(), width=width, markup=False)
    monkeypatch.setattr(output, "console", lambda **_: screen)
    shell.out("status")
    return screen.file.getvalue().splitlines()  # type: ignore[attr-defined,no-any-return]


def test_at_a_glance_each_principal_is_one_line_of_its_worst_quota(shell: Shell) -> None:
    shell.world.quota(principal="user/*")
    shell.world.quota(principal="user/*", quota="monthly", limit=2000, window="month")
    for name, tokens in (("alice", 1200), ("bob", 850), ("carol", 5)):
        shell.used(name, tokens)
    shell.sweep()
    shell.now = NOON + timedelta(hours=2)
    printed = shell.out("status")
    assert printed.splitlines()[:2] == [
        "bedrock-quota, enforce mode, newest usage 2 h old, last sweep 2 h ago",
        "3 principals: 1 blocked, 1 warned, 1 ok.",
    ]
    assert cells(printed) == [
        ["user/alice", "████████", "120", "daily +1", "blocked for 2 h", "opens in 10 h"],
        ["user/bob", "██████░░", "85", "daily +1", "warned", "resets in 10 h"],
        ["user/carol", "░░░░░░░░", "0", "daily +1", "ok", "resets in 10 h"],
    ]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_line_fits_the_terminal_and_keeps_both_ends_of_a_name(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    name = "user/alice.with-a-long-name@subsidiary.example.com"
    shell.world.ledger.put(Record(principal(name), version=1))
    shell.world.quota(principal="user/*", quota="a-quota-with-quite-a-long-name")
    shell.world.denies.refuse[principal(name)] = CannotDeny("full")
    shell.world.quota(principal=name, quota="by-hand", limit=0)
    shell.sweep()
    lines = glance(shell, monkeypatch, width)
    assert max(map(len, lines)) <= width
    [line] = (each for each in lines if "an admin opens" in each)
    assert ".com " in line
    assert ("█" in line) == (width > 60)
    assert ("could not be blocked" in line) == (width > 60)


def test_on_a_narrow_terminal_whole_names_stay_readable(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Console(file=io.StringIO(), width=80, markup=False)
    monkeypatch.setattr(output, "console", lambda **_: screen)
    name = "user/alice.with-a-long-name@subsidiary.example.com"
    shell.world.ledger.put(Record(principal(name), version=1))
    shell.world.quota(principal="user/*", limit=123_456_789)
    shell.out("status", "--all")
    lines = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 80
    [head] = (line for line in lines if line.startswith("Principal"))
    width = head.index("Quota")
    assert name in "".join(line[:width].strip() for line in lines)
