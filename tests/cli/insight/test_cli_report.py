"""`report`: the file that it writes, and what happens where it cannot."""

import builtins
import webbrowser
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from builders import NOON
from cli_world import Shell, a_shell
from page_reading import PageReading, leave_undrawn
from quota_enforcer.cli.insight import report as command
from quota_enforcer.core.deployment import Mode
from world import ACCOUNT


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """What pages draw is no matter of the command, and tests/insight/report looks at it."""
    leave_undrawn(monkeypatch)
    return a_shell(monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bedrock.html"


def tables(file: Path) -> dict[str, list[list[str]]]:
    return PageReading(file.read_text(encoding="utf-8")).tables


def test_the_report_shows_who_is_blocked_as_the_enforcer_decided(shell: Shell, file: Path) -> None:
    shell.world.quota(principal="user/*")
    shell.used("alice", 1200)
    shell.used("bob", 850)
    shell.sweep()
    result = shell.run("report", "--html", str(file))
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{file}: 2 principals, 60 days, 0." in result.stderr
    [stopped] = tables(file)["Used-up quotas"][1:]
    assert stopped == [
        "user/alice",
        "blocked",
        "1,200 of 1,000 total tokens used today (quota daily of user/*)",
        "2026-11-24 12:00",
        "2026-11-25 00:00",
        "every model",
    ]
    quotas = tables(file)["Every quota of every principal"][1:]
    assert [(row[0], row[2], row[3]) for row in quotas] == [
        ("user/alice", "120 % | 1,200 of 1,000", "blocked"),
        ("user/bob", "85 % | 850 of 1,000", "warned"),
    ]


def test_blocks_and_restores_are_in_it(shell: Shell, file: Path) -> None:
    shell.world.quota()
    shell.used("alice", 1200)
    shell.sweep()
    shell.now = NOON + timedelta(hours=12, minutes=5)
    shell.sweep()
    shell.out("report", "--html", str(file))
    [block] = tables(file)["Every block, from when to when"][1:]
    assert block == [
        "user/alice",
        "daily",
        "blocked",
        "2026-11-24 12:00",
        "2026-11-25 00:05 | the window has rolled over",
        "12 h 5 min",
        "1,200 of 1,000 total tokens used today (quota daily of user/alice)",
    ]


def test_in_observe_mode_it_shows_what_would_have_been_blocked(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    shell.world.quota()
    shell.used("alice", 1200)
    shell.sweep()
    shell.now = NOON + timedelta(hours=1)
    shell.out("report", "--html", str(file))
    [block] = tables(file)["Every block, from when to when"][1:]
    assert block[2:6] == [
        "would have been blocked",
        "2026-11-24 12:00",
        "now | until 2026-11-25 00:00",
        "1 h",
    ]


def test_status_and_report_tell_the_same_of_observe_mode(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    """A raise ends what would have been blocked, hours before the reset that the warning names."""
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    shell.world.quota()
    shell.used("alice", 1200)
    shell.sweep()
    shell.world.quota(limit="5000")
    shell.now = NOON + timedelta(hours=1)
    shell.sweep()
    shell.now = NOON + timedelta(hours=5)
    shell.out("report", "--html", str(file))
    [block] = tables(file)["Every block, from when to when"][1:]
    assert block[2:6] == [
        "would have been blocked",
        "2026-11-24 12:00",
        "2026-11-24 13:00 | the limit is now 5,000",
        "1 h",
    ]
    [told] = shell.json("status")["would_have_been_blocked"]["blocks"]
    assert (told["first"], told["seconds"]) == ("2026-11-24T12:00:00Z", 3600)


def test_an_empty_deployment_has_a_report_too(shell: Shell, file: Path) -> None:
    shell.out("report", "--html", str(file))
    assert "Nothing was metered in these days." in file.read_text(encoding="utf-8")


def test_without_a_name_it_is_called_after_the_stack_and_the_day(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = shell.run("report")
    assert result.exit_code == 0
    assert [each.name for each in tmp_path.iterdir()] == ["bedrock-quota-2026-11-24.html"]
    assert "bedrock-quota-2026-11-24.html: " in result.stderr


@pytest.mark.parametrize("found", [True, False])
def test_it_is_opened_in_the_browser_where_there_is_one(
    shell: Shell, file: Path, monkeypatch: pytest.MonkeyPatch, *, found: bool
) -> None:
    opened: list[str] = []

    def open_(address: str) -> bool:
        opened.append(address)
        return found

    monkeypatch.setattr(webbrowser, "open", open_)
    result = shell.run("report", "--html", str(file), "--open")
    assert opened == [file.as_uri()]
    assert ("No browser is here" in result.stderr) is not found


def test_it_says_of_what_it_is_and_what_made_it(shell: Shell, file: Path) -> None:
    shell.parameters = {"BudgetDollars": "120.50"}
    shell.used("alice", 1200)
    shell.out("report", "--html", str(file))
    said = PageReading(file.read_text(encoding="utf-8")).text
    assert f"Account {ACCOUNT}, us-east-1." in said
    assert f"Made by quota-enforcer report {version('quota-enforcer')} from" in said
    assert "of the budget of $120.50" in said


@pytest.mark.parametrize("parameters", [{}, {"BudgetDollars": "0"}, {"BudgetDollars": ""}])
def test_a_stack_without_a_budget_has_none(
    shell: Shell, file: Path, parameters: dict[str, str]
) -> None:
    shell.parameters = parameters
    shell.out("report", "--html", str(file))
    assert "budget" not in PageReading(file.read_text(encoding="utf-8")).text


def test_it_covers_the_days_asked_for(shell: Shell, file: Path) -> None:
    shell.out("report", "--html", str(file), "--days", "14")
    assert "Covers 14 days: Wed 11 Nov 2026 to Tue 24 Nov 2026." in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("days", ["0", "401", "many"])
def test_days_that_cannot_be_are_refused(shell: Shell, file: Path, days: str) -> None:
    result = shell.run("report", "--html", str(file), "--days", days)
    assert result.exit_code == 2
    assert not file.exists()


def test_an_older_report_is_replaced_whole(shell: Shell, file: Path) -> None:
    file.write_text("old", encoding="utf-8")
    shell.out("report", "--html", str(file))
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_named_with_the_fix(shell: Shell, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "bedrock.html"
    result = shell.run("report", "--html", str(missing))
    assert result.exit_code == 1
    assert f"cannot write {missing}: No such file or directory; name another" in result.stderr


def test_where_the_libraries_are_missing_it_says_what_to_install(
    shell: Shell, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "quota_enforcer.insight.report" and args[2] == ("page",):
            raise ModuleNotFoundError("No module named 'vl_convert'", name="vl_convert")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    result = shell.run("report", "--html", str(file))
    assert result.exit_code == 1
    assert "the report needs vl_convert: pip install 'quota-enforcer[report]'" in result.stderr


def test_a_page_too_large_for_a_browser_says_how_to_make_it_smaller(
    shell: Shell, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "LARGE", 1_000)
    result = shell.run("report", "--html", str(file))
    assert "A browser may be slow to open so much: --days 14" in result.stderr
