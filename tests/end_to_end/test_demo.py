"""The demo as people and machines run it, and that it tells when something is not as it should."""

import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quota_enforcer.cli.main import app
from quota_enforcer.cli.offline import demo
from quota_enforcer.local.demo.account import DemoStopped
from quota_enforcer.local.demo.cast import CAST
from quota_enforcer.local.demo.checks.blocking import SECONDS
from quota_enforcer.local.demo.checks.run import results
from quota_enforcer.local.demo.record import RunRecord
from quota_enforcer.local.demo.story import Story
from quota_enforcer.local.demo.traffic import conversations
from quota_enforcer.local.schedules import FunctionError

COMMAND = [sys.executable, "-m", "quota_enforcer.cli", "demo"]
Done = subprocess.CompletedProcess[str]


def environment(temporary: Path) -> dict[str, str]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": path}


def processes_in(folder: Path) -> list[str]:
    """The server and the functions run in folders of their own below this one."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink().is_relative_to(folder):
                found.append(process.name)
        except OSError:
            continue  # gone, or not ours
    return found


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def run(temporary: Path) -> Done:
    return subprocess.run(  # noqa: S603 - our own interpreter
        [*COMMAND, "--json"],
        env=environment(temporary),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def said(run: Done) -> dict[str, Any]:
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_it_prints_one_json_object_and_nothing_else_on_stdout(said: dict[str, Any]) -> None:
    assert set(said) == {
        "principals", "calls", "refused", "sweeps", "wakes", "lags", "dollars", "events", "checks",
    }  # fmt: skip


def test_every_check_is_true(said: dict[str, Any]) -> None:
    assert said["checks"] == dict.fromkeys(results(RunRecord()), True)


def test_the_whole_of_the_traffic_is_called(said: dict[str, Any]) -> None:
    assert said["principals"] == len(CAST)
    assert said["calls"] == sum(map(len, conversations().values()))
    assert 0 < said["refused"] < said["calls"]
    assert said["sweeps"] > 0


def test_not_every_call_that_went_through_woke_the_enforcer(said: dict[str, Any]) -> None:
    """The deliveries of whoever has room end with the meter; but many are near a limit here."""
    went_through = said["calls"] - said["refused"]
    assert went_through / 3 < said["wakes"] < went_through * 3 / 4


def test_the_lag_of_every_block_is_measured_and_the_first_is_a_budget_in_dollars(
    said: dict[str, Any],
) -> None:
    blocked = [event for event in said["events"] if event["kind"] == "blocked"]
    first = said["lags"][0]
    assert (first["principal"], first["quota"]) == ("user/frank", "budget")
    assert all(0 < lag["seconds"] < SECONDS for lag in said["lags"])
    # All but the one by hand, which no call sets off.
    assert len(said["lags"]) == len(blocked) - 1
    money = next(event for event in blocked if event["quota"] == "budget")
    assert (money["used"], money["limit"]) == ("0.2944305", "0.25")
    assert said["dollars"]["user/frank"] == "0.2944305"


def test_the_events_are_warnings_blocks_and_restorations_in_order(said: dict[str, Any]) -> None:
    events = said["events"]
    assert {event["kind"] for event in events} == {"warning", "blocked", "restored"}
    assert events == sorted(events, key=lambda event: str(event["at"]))
    assert all(
        event.keys() == {"at", "kind", "principal", "quota", "used", "limit"} for event in events
    )


def test_progress_goes_to_stderr_as_plain_lines(run: Done) -> None:
    assert "user/alice  " in run.stderr
    assert "\x1b" not in run.stderr


def test_the_readmes_picture_shows_lines_that_it_prints(run: Done) -> None:
    """But for the dates, which are of the day it was drawn, and the seconds of that machine."""
    _command, _head, _rule, *shown = _text_of(Path(__file__).parents[2] / "docs/pictures/demo.svg")
    printed = {_undated(line) for line in run.stderr.splitlines()}
    whole = re.sub(r"\n(?!\w{3} \d\d:\d\d )", " ", "\n".join(shown)).splitlines()
    assert len(whole) > 20
    assert {_undated(line) for line in whole} <= printed


def _text_of(picture: Path) -> list[str]:
    """The lines of a drawn terminal, which has one element for each colour in a line."""
    lines: dict[str, str] = defaultdict(str)
    element = re.compile(r'<text class="demo-r\d+" x="[\d.]+" y="([\d.]+)"[^>]*>([^<]*)</text>')
    for height, text in element.findall(picture.read_text(encoding="utf-8")):
        lines[height] += html.unescape(text).replace("\xa0", " ") + " "
    return [line.rstrip() for line in lines.values() if line.strip()]


def _undated(line: str) -> str:
    """Without the day of the week, the date of a raise, a lag, and the spaces of the table."""
    timeless = re.sub(r"\d+\.\d s after", "N s after", line)
    return " ".join(timeless[3:].partition(" --until ")[0].split())


def test_it_leaves_no_process_and_no_file(run: Done, temporary: Path) -> None:
    assert run.returncode == 0
    assert list(temporary.iterdir()) == []
    assert processes_in(temporary) == []


@pytest.mark.parametrize(
    ("number", "moment"), [(signal.SIGINT, "server"), (signal.SIGTERM, "functions")]
)
def test_ended_half_way_it_leaves_no_process_and_no_file(
    tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    """While the stack is being deployed, and when it stands."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        COMMAND,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stderr is not None
        if moment == "server":
            while not list(tmp_path.rglob("clock")) and started.poll() is None:
                time.sleep(0.02)
        else:
            next(line for line in started.stderr if "deploys stack" in line)
        assert processes_in(tmp_path)
        started.send_signal(number)
        out, _ = started.communicate()
    assert (started.returncode, out) == (128 + number, "")
    assert list(tmp_path.iterdir()) == []
    assert processes_in(tmp_path) == []


def test_no_check_is_true_where_nothing_happened() -> None:
    assert not any(results(RunRecord()).values())


@contextmanager
def no_aws() -> Iterator[None]:
    yield


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_check_that_is_false_fails_the_run_and_is_named(
    monkeypatch: pytest.MonkeyPatch, how: list[str]
) -> None:
    monkeypatch.setattr(demo, "EmbeddedAws", no_aws)
    monkeypatch.setattr(Story, "play", lambda *_: None)
    done = CliRunner().invoke(app, ["demo", *how])
    assert done.exit_code == 1
    assert "a raised limit brought access back" in done.stdout
    assert "not as it should be: a warning came before the limit was reached" in done.stderr


def test_a_function_that_fails_is_shown_with_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise FunctionError("enforcer", {"errorType": "SweepFailed"}, "what the log said")

    monkeypatch.setattr(demo, "EmbeddedAws", no_aws)
    monkeypatch.setattr(Story, "play", fail)
    done = CliRunner().invoke(app, ["demo", "--json"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "SweepFailed" in done.stderr
    assert "what the log said" in done.stderr


def test_without_a_template_it_says_where_it_looked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "lib" / "quota_enforcer"
    monkeypatch.setattr("quota_enforcer.__file__", str(package / "__init__.py"))
    with pytest.raises(DemoStopped, match=rf"{tmp_path} nor in {package}/templates: install"):
        demo.find_template()


def test_beside_a_package_without_a_checkout_its_template_is_the_one_installed_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = tmp_path / "lib" / "quota_enforcer" / "templates" / "template.yaml"
    installed.parent.mkdir(parents=True)
    installed.touch()
    monkeypatch.setattr("quota_enforcer.__file__", str(installed.parents[1] / "__init__.py"))
    assert demo.find_template() == installed


def test_without_the_emulator_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "quota_enforcer.cli.offline.demo")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    done = CliRunner().invoke(app, ["demo"])
    assert done.exit_code == 1
    assert "the demo needs ministack: pip install" in done.stderr
