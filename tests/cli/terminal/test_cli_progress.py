"""Long work shows on a terminal what is being done, and writes nothing of it into a pipe."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import an_item
from cli_world import Shell, a_shell
from log_records import a_record
from quota_enforcer.cli.terminal import output
from quota_enforcer.cli.terminal.output import EscapingConsole, going_by, progress, waiting


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    monkeypatch.chdir(tmp_path)
    shell = a_shell(monkeypatch)
    shell.world.quota(principal="default", limit=500)
    shell.used("alice", 900)
    record = a_record(timestamp="2026-11-23T04:00:00Z", requestId="r")
    shell.logged = [record]
    (tmp_path / "calls.jsonl").write_text(f"{json.dumps(record)}\n", encoding="utf-8")
    (tmp_path / "quotas.json").write_text(json.dumps([an_item()]), encoding="utf-8")
    (tmp_path / "teams.yaml").write_text("research: [user/alice]\n", encoding="utf-8")
    shell.sweep()
    return shell


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal's stderr gets."""
    written = io.StringIO()
    ours = output.console

    def console(*, stderr: bool = False) -> Any:
        shown = EscapingConsole(file=written, force_terminal=True, width=100, markup=False)
        return shown if stderr else ours()

    monkeypatch.setattr(output, "console", console)
    return written


LONG = [
    ("status", "Deciding"),
    ("forecast", "Deciding"),
    ("sweep", "Sweeping"),
    ("release user/alice --until 1h --yes", "Sweeping"),
    ("simulate --log calls.jsonl --quotas quotas.json", "Replaying 1 call"),
    ("simulate --days 7", "Asking Logs Insights"),
    ("simulate --days 7 --picture limits.svg", "Drawing"),
    ("read-log calls.jsonl", "Reading the log: 1"),
    ("report --html report.html", "Drawing the page"),
    ("suggest daily --blocks-at-most 1 --measure total_tokens", "Reading the usage"),
    ("usage", "Reading the usage"),
    ("doctor", "Checking"),
    ("teams pull iam:team --yes", "Reading who is in which team"),
    ("quota import quotas.json --yes", "Writing"),
    ("recount 2026-11-24T10", "Recounting"),
]


@pytest.mark.parametrize(("command", "words"), LONG)
def test_long_work_says_on_a_terminal_what_it_does(
    shell: Shell, terminal: io.StringIO, command: str, words: str
) -> None:
    shell.run(*command.split())
    assert words in terminal.getvalue()


@pytest.mark.parametrize(("command", "words"), LONG)
def test_a_pipe_gets_none_of_it(shell: Shell, command: str, words: str) -> None:
    result = shell.run(*command.split())
    assert words not in result.stdout + result.stderr


def test_a_log_as_json_is_not_mixed_with_it(shell: Shell, terminal: io.StringIO) -> None:
    shell.run("read-log", "calls.jsonl", "--json")
    assert "Reading the log" not in terminal.getvalue()


def test_what_makes_the_first_may_show_its_own(terminal: io.StringIO) -> None:
    def made() -> Iterator[int]:
        with waiting("Making the first"):
            pass
        assert "Deciding" not in terminal.getvalue()
        yield from (1, 2)

    assert list(progress(made(), "Deciding", 2)) == [1, 2]
    assert "Deciding" in terminal.getvalue()


def test_nothing_shows_nothing(terminal: io.StringIO) -> None:
    assert list(progress([], "Deciding", 0)) == []
    assert terminal.getvalue() == ""


def test_an_error_on_the_way_ends_the_display(terminal: io.StringIO) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken off")

    with pytest.raises(ValueError, match="broken off"):
        list(going_by(broken(), "Reading"))
    assert terminal.getvalue().endswith("\x1b[2K")
    assert "\x1b[?25h" in terminal.getvalue()  # the cursor is there again
