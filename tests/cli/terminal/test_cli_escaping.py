"""What the command line prints: in every encoding, at every width, and nothing of it acts."""

import csv
import io
import json
import os
import pty
import select
import subprocess
import sys
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner, Result

from log_records import ACCOUNT, a_record
from quota_enforcer.cli.insight.usage import as_csv_text
from quota_enforcer.cli.main import app
from quota_enforcer.cli.terminal import output, tables
from quota_enforcer.cli.terminal.escaping import escaped, spreadsheet_cell
from quota_enforcer.core.quotas.diff import author
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.insight.usage import By, SpendQuery

EVIL = "mallory\x1b[2J\x1b]0;owned\x1b\\\u202egpj.exe\x9b31m"
HARMLESS = "mallory\\x1b[2J\\x1b]0;owned\\x1b\\\\u202egpj.exe\\x9b31m"
BELL = "ring\x07\rover"
TODAY = date(2026, 11, 30)
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
CLI = (sys.executable, "-m", "quota_enforcer.cli")
NOWHERE = "nö/ł\udc80"
"""A file that is not there, whose name no encoding has."""


def piped(*args: str, encoding: str) -> Result:
    return CliRunner(charset=encoding).invoke(app, list(args), catch_exceptions=False)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("log") / "calls-ł.jsonl"
    record = a_record(identity__arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/reporting/run-1")
    file.write_text(f"{json.dumps(record)}\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize(("file", "code"), [(None, 0), (NOWHERE, 2)])
def test_no_encoding_of_a_pipe_is_an_error(
    log: Path, file: str | None, code: int, encoding: str
) -> None:
    assert piped("read-log", file or str(log), encoding=encoding).exit_code == code


def test_a_process_prints_the_same(log: Path) -> None:
    """As a shell starts it: its streams are the interpreter's."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [*CLI, "read-log", str(log)],
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    here = piped("read-log", str(log), encoding="ascii")
    assert (done.stdout, done.stderr) == (here.stdout_bytes, here.stderr_bytes)


def test_what_an_encoding_lacks_is_replaced_by_what_looks_alike(log: Path) -> None:
    plain = piped("read-log", str(log), encoding="ascii").stdout_bytes.decode("ascii")
    fine = piped("read-log", str(log), encoding="utf-8").stdout_bytes.decode()
    assert plain == fine.replace("─", "-")
    assert set(plain.splitlines()[1]) == {"-"}


def on_terminal(width: int, *args: str) -> str:
    """What a terminal of this width shows."""
    shown, ours = pty.openpty()
    environment = os.environ | {"COLUMNS": str(width), "TERM": "xterm"}
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [*CLI, *args], stdout=ours, stderr=ours, stdin=subprocess.DEVNULL, env=environment
    ) as process:
        os.close(ours)
        found = b""
        while select.select([shown], [], [], 60)[0]:
            try:
                part = os.read(shown, 65_536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            found += part
        assert process.wait() == 0
    os.close(shown)
    return found.decode()


def test_no_terminal_is_too_narrow(log: Path) -> None:
    assert "Traceback" not in on_terminal(1, "read-log", str(log))


def test_on_a_narrow_terminal_every_word_is_there(log: Path) -> None:
    environment = {"COLUMNS": "40", "TTY_COMPATIBLE": "1"}
    shown = CliRunner().invoke(app, ["read-log", str(log)], env=environment)
    assert "\x1b[1m" in shown.stdout  # as no pipe has it
    assert "1 line: 1 counted" in " ".join(shown.output.split())


def test_ctrl_c_at_start_is_no_traceback() -> None:
    """Whatever is being loaded when it comes; a real signal would be a matter of luck."""
    begun = ["cli.main", "cli.offline.read_log", "core.pricing.table"]
    script = (
        "import sys, quota_enforcer.cli.__main__ as start\n"
        "class CtrlC:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == f'quota_enforcer.{loading}': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, CtrlC())\n"
        "sys.argv = ['quota-enforcer', 'read-log', '-']\n"
        f"for loading in {begun}:\n"
        "    try: start.run()\n"
        "    except SystemExit as end: print(end.code)\n"
    )
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script], input="", capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == ["130"] * len(begun)
    assert ended.stderr.split() == ["Aborted."] * len(begun)


def test_what_somebody_else_wrote_does_nothing_to_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Table("Who")
    table.add_row(EVIL)
    output.say(EVIL)
    output.say(Text.assemble("by ", (EVIL, "bold red")))
    output.say(table)
    tables.say_table(("Who", "What"), [(EVIL, "x"), (Text(EVIL), "y")])
    output.say_facts([("by", EVIL)])
    output.say_lines([EVIL])
    output.echo(EVIL)
    output.hint(EVIL)
    output.fail(EVIL)
    output.say(BELL)
    output.echo(BELL)
    told = "".join(capsys.readouterr())
    assert told.count(HARMLESS) == 9  # rich measures a table of its own before it is escaped
    assert escaped(told) == told


def test_a_narrow_table_folds_what_it_escapes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "WIDE", 12)
    monkeypatch.setattr(output.EscapingConsole, "width", 12)
    tables.say_table(("Who",), [(EVIL,), (Text(EVIL, "red"),)])
    told = "".join(capsys.readouterr().out.split())
    assert told.count(HARMLESS) == 2


def test_who_says_that_they_edited_is_escaped_wherever_it_is_told() -> None:
    assert author(None, {"edited_by": EVIL}) == HARMLESS
    assert author(None, {"edited_by": "a\nuser/bob: restored"}) == r"a\nuser/bob: restored"


@given(st.text())
def test_an_escaped_text_is_seen_as_it_is(text: str) -> None:
    assert escaped(escaped(text)) == escaped(text)
    assert not {unicodedata.category(each) for each in escaped(text) if each not in "\n\t"} & UNSEEN


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\t=1", "\uff1d1"])
def test_a_cell_never_begins_a_formula(name: str) -> None:
    assert spreadsheet_cell(name) == f"'{name}"
    written = as_csv_text(
        {(name, "user/a"): Counts(1)}, SpendQuery(TODAY, TODAY, (By.MODEL, By.PRINCIPAL))
    )
    [_, row] = csv.reader(io.StringIO(written, newline=""))
    assert row[:3] == [f"'{name}", "user/a", "1"]


def test_an_ordinary_cell_stays_as_it_is() -> None:
    assert spreadsheet_cell("role/a=b+c") == "role/a=b+c"
    assert spreadsheet_cell("a\r=b") == r"a\r=b"
