"""`forecast`: when each quota runs out, and never more than the data says."""

from datetime import timedelta

import pytest

from builders import NOON
from cli_world import Shell, a_shell

DAY = timedelta(days=1)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


def calls(shell: Shell, who: str, tokens: int, days: int = 0) -> None:
    """Six calls in the six hours before noon, so many days ago."""
    for hours in range(6):
        shell.world.call(who, NOON - days * DAY - timedelta(hours=hours, minutes=10), tokens // 6)


def rows(printed: str) -> list[list[str]]:
    lines = printed.partition("─\n")[2].splitlines()
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]


def test_who_runs_out_first_comes_first(shell: Shell) -> None:
    shell.world.quota(principal="user/*")
    for who, tokens in (("alice", 300), ("bob", 600), ("carol", 900), ("dan", 1200), ("erin", 30)):
        calls(shell, who, tokens)
    shell.sweep()
    printed = shell.out("forecast")
    assert [(row[0], row[4]) for row in rows(printed)] == [
        ("user/dan", "used up"),
        ("user/carol", "1,800 a day: runs out Tue 2026-11-24 13:20 UTC"),
        ("user/bob", "1,200 a day: runs out Tue 2026-11-24 20:00 UTC"),
        ("user/alice", "600 a day: 60 % at the reset"),
        ("user/erin", "60 a day: 6 % at the reset"),
    ]


def test_the_days_before_have_a_pace_of_their_own(shell: Shell) -> None:
    shell.world.quota(window="month", limit=20_000)
    for days in range(1, 8):
        calls(shell, "alice", 1200, days)
    calls(shell, "alice", 60)
    shell.sweep()
    [row] = rows(shell.out("forecast", "user/alice"))
    assert row[:4] == ["user/alice", "daily", "8,460 of 20,000 total tokens", "42"]
    assert row[4] == "360 a day: 54 % at the reset"
    assert row[5] == "1,200 a day (7 days): 81 % at the reset"


def test_little_data_is_too_little(shell: Shell) -> None:
    shell.world.quota()
    shell.used("alice", 999)
    shell.sweep()
    [row] = rows(shell.out("forecast", "user/alice"))
    assert row[4:] == ["too little data", "too little data"]


def test_by_the_hour_and_for_rolling_windows(shell: Shell) -> None:
    shell.world.quota(measure="requests", window="rolling 24 hours", limit=20)
    calls(shell, "alice", 60)
    shell.sweep()
    [row] = rows(shell.out("forecast"))
    assert row[4] == "1 an hour: runs out Wed 2026-11-25 02:00 UTC"
    shell.world.quota(measure="requests", window="rolling 24 hours", limit=200)
    [row] = rows(shell.out("forecast"))
    assert row[4] == "1 an hour: stays below the limit"


def test_quotas_without_a_limit_are_left_out(shell: Shell) -> None:
    shell.world.quota(limit=0)
    shell.world.quota(quota="other", raise_to="unlimited", raise_until="2027-01-01")
    assert shell.out("forecast") == "There is no quota with a limit to forecast.\n"


def test_money_and_weighted_tokens_run_out_too(shell: Shell) -> None:
    shell.world.quota(measure="cost_usd", limit=10, window="month")
    shell.world.quota(
        quota="weighted", measure="weighted_tokens", weights={"input_tokens": "0.5"},
        window="rolling 3 days", limit=1000,
    )  # fmt: skip
    for hours in range(6):
        shell.world.stream("alice", NOON - timedelta(hours=hours), 100, "1.25")
    shell.world.wake(NOON, "user/alice")
    by_quota = {row[1]: row[4] for row in rows(shell.out("forecast"))}
    assert by_quota["daily"] == "$0.31 a day: 95 % at the reset"
    assert by_quota["weighted"].startswith("600 a day: runs out ")


def test_a_terminal_gets_a_screenful(shell: Shell) -> None:
    shell.world.quota(principal="user/*")
    for number in range(5):
        calls(shell, f"u{number}", 60)
    shell.sweep()
    result = shell.run("forecast", "--limit", "2")
    assert len(rows(result.stdout)) == 2
    assert "3 more rows: --limit 0 shows all." in result.stderr
    assert len(rows(shell.out("forecast"))) == 5


def test_a_stranger_gets_a_hint(shell: Shell) -> None:
    result = shell.run("forecast", "user/nobody")
    assert result.exit_code == 0
    assert "user/nobody has not used Bedrock yet" in result.stderr


def test_as_json(shell: Shell) -> None:
    shell.world.quota()
    calls(shell, "alice", 600)
    shell.sweep()
    [line] = shell.json("forecast", "user/alice")["forecasts"]
    assert (line["principal"], line["quota"], line["percent"]) == ("user/alice", "daily", 60)
    assert line["of_window"] == {
        "pace": "1200",
        "per": "day",
        "days": None,
        "runs_out": "2026-11-24T20:00:00Z",
        "percent_at_reset": 120,
    }
    assert line["of_days"] is None
