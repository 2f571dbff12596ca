"""The sandbox as people use it: one for all tests of this file, in a process of its own."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from quota_enforcer.cli.main import app
from quota_enforcer.local.embedded import EmbeddedAws

COMMAND = [sys.executable, "-m", "quota_enforcer.cli"]
Done = subprocess.CompletedProcess[str]


class Desk:
    """A terminal beside the sandbox's."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self._pointed: dict[str, dict[str, str]] = {}
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("AWS_")
        } | {"TMPDIR": str(temporary), "XDG_RUNTIME_DIR": str(temporary), "PYTHONPATH": path}

    def run(self, *arguments: str, inside: str | None = None) -> Done:
        """Run a command; `inside` of a shell that was pointed to the sandbox.

        Here and not in a process of its own, whose start takes longer than most commands.
        """
        found = self.environment if inside is None else self.environment | self.pointed(inside)
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("AWS_", "QUOTA_"))]:
                patch.delenv(name)
            for name, value in found.items():
                patch.setenv(name, value)
            result = CliRunner().invoke(app, arguments)
        self.settle()
        return Done(arguments, result.exit_code, result.stdout, result.stderr)

    def settle(self) -> None:
        """Until what a command set off is over, as it is when people type the next one."""
        if known := self._pointed.get(""):
            clock = Path(known["QUOTA_ENFORCER_CLOCK_FILE"])
            with EmbeddedAws.attached(known["AWS_ENDPOINT_URL"], clock) as aws:
                aws.settle()

    def pointed(self, name: str) -> dict[str, str]:
        """What `sandbox env` adds to an environment."""
        if name not in self._pointed:
            printed = self.run("sandbox", "env", *name.split(), "--json").stdout
            self._pointed[name] = json.loads(printed)
        return self._pointed[name]

    def in_a_shell(self, *arguments: str) -> Done:
        """The same as people do it."""
        ours = " ".join(COMMAND)
        line = f'eval "$({ours} sandbox env)" && exec {ours} "$@"'
        return self._apart("bash", "-c", line, "bash", *arguments)

    def apart(self, *arguments: str) -> Done:
        """A command in a process of its own."""
        return self._apart(*COMMAND, *arguments)

    def _apart(self, *line: str) -> Done:
        return subprocess.run(  # noqa: S603 - our own commands
            line, env=self.environment, capture_output=True, text=True, check=False
        )

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json", inside="")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def started(self, *options: str) -> "subprocess.Popen[str]":
        """A sandbox that is up."""
        sandbox = subprocess.Popen(  # noqa: S603 - our own command
            [*COMMAND, "sandbox", *options],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert sandbox.stdout is not None
        assert "The sandbox is up" in (sandbox.stdout.readline() or sandbox.communicate()[1])
        return sandbox


def processes_in(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink().is_relative_to(folder):
                found.append(process.name)
        except OSError:
            continue  # gone, or not ours
    return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The last test kills the sandbox; it is ended here if an earlier one failed."""
    desk = Desk(tmp_path_factory.mktemp("sandbox"))
    sandbox = desk.started("--weeks", "1")
    desk.environment["SANDBOX_PID"] = str(sandbox.pid)
    yield desk
    sandbox.kill()
    sandbox.communicate()


def test_it_begins_with_weeks_of_real_conversations(desk: Desk) -> None:
    ten_days_ago = datetime.now(UTC).date() - timedelta(days=10)
    assert desk.json("usage", "--from", str(ten_days_ago))["total"]["requests"] > 100
    assert desk.run("history", inside="").stdout.count("blocked") > 1


def test_a_call_is_answered_and_the_one_after_the_block_refused_by_iam(desk: Desk) -> None:
    first = desk.run("sandbox", "call", "alice", "500k")
    assert "Bedrock answered user/alice: 500,000 input tokens" in first.stdout, first.stderr
    assert "blocked since" in first.stdout
    told = json.loads(desk.run("sandbox", "call", "alice", "--json").stdout)
    assert (told["principal"], told["refused"]) == ("user/alice", True)
    assert told["standings"][0]["state"] == "blocked"
    second = desk.run("sandbox", "call", "alice")
    assert second.stdout.startswith("IAM refused user/alice: ")
    assert "AccessDeniedException" in second.stdout
    assert "see-your-notice" in second.stdout


def test_a_limit_is_found_and_tried_on_what_was_really_called(desk: Desk, tmp_path: Path) -> None:
    """`suggest` by the ledger and `simulate --days` by the log agree on whom a limit blocks."""
    suggested = desk.json("suggest", "tried", "--blocks-at-most", "2", "--measure", "total_tokens",
                          "--window", "day", "--days", "8")  # fmt: skip
    quotas, picture = tmp_path / "quotas.json", tmp_path / "limits.html"
    tried = {"principal": "default", "quota": "tried", "measure": "total_tokens", "window": "day",
             "limit": suggested["suggested"]}  # fmt: skip
    quotas.write_text(json.dumps([tried]), encoding="utf-8")
    found = desk.json("simulate", "--days", "8", "--quotas", str(quotas), "--picture", str(picture))
    blocked = {
        who
        for who, each in found["principals"].items()
        if any(event["kind"] == "blocked" for event in each["events"])
    }
    [chosen] = [each for each in suggested["candidates"] if each["limit"] == tried["limit"]]
    assert blocked == {*chosen["blocked"]}
    assert 1 <= len(blocked) <= 2
    assert picture.read_text(encoding="utf-8").count("<svg") >= 2
    in_force = desk.json("simulate", "--days", "8")["principals"]
    assert in_force.keys() >= found["principals"].keys()


def test_somebody_behind_a_gate_is_refused_too(desk: Desk) -> None:
    assert "Bedrock answered sso/heidi" in desk.run("sandbox", "call", "heidi", "2M").stdout
    assert "IAM refused sso/heidi" in desk.run("sandbox", "call", "heidi").stdout
    assert "Bedrock answered sso/grace" in desk.run("sandbox", "call", "grace").stdout


def test_every_command_works_on_it_unchanged(desk: Desk) -> None:
    printed = desk.in_a_shell("status", "--json")
    states = {(row["principal"], row["state"]) for row in json.loads(printed.stdout)["standings"]}
    assert ("user/alice", "blocked") in states
    assert desk.run("doctor", inside="").returncode in {0, 1}
    raised = desk.run("quota", "set", "user/erin", "hold", "--measure", "requests", "--limit", "0",
                      "--window", "day", "--yes", inside="")  # fmt: skip
    assert raised.returncode == 0, raised.stderr


def test_it_can_be_used_as_one_of_its_users(desk: Desk) -> None:
    """Whose rights are those of its key: nothing but two models."""
    told = desk.run("status", inside="alice")
    assert told.returncode == 1
    assert "user/alice is not authorized" in told.stderr


def test_boto3_finds_it_by_its_environment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in desk.apart("sandbox", "env").stdout.splitlines():
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            monkeypatch.setenv(name, value)
    assert os.environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    outputs = boto3.client("cloudformation").describe_stacks()["Stacks"][0]["Outputs"]
    assert "EnforcerFunction" in {output["OutputKey"] for output in outputs}


def test_the_mail_is_shown_again_and_by_person(desk: Desk) -> None:
    for _ in range(2):
        letters = json.loads(desk.run("sandbox", "mail", "alice", "--json").stdout)
        assert {letter["principal"] for letter in letters} == {"user/alice"}
        assert letters[-1]["kind"] == "blocked"
    everything = desk.run("sandbox", "mail").stdout
    assert "Subject: Blocked until" in everything
    assert "Subject: OK" not in everything


def test_time_passes_when_the_clock_is_moved_and_the_window_ends(desk: Desk) -> None:
    before = desk.run("sandbox", "clock").stdout
    moved = desk.run("sandbox", "clock", "+25h")
    assert moved.returncode == 0, moved.stderr
    assert moved.stdout != before
    assert "Bedrock answered" in desk.run("sandbox", "call", "alice").stdout
    assert desk.run("sandbox", "clock", "2020-01-01").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["call", "alcie"], "did you mean alice"),
        (["call", "alice", "lots"], "write 2000, 500k"),
        (["call", "alice", "1k", "--model", "gpt"], "sonnet, haiku"),
        (["env", "batch"], "has no key of its own"),
        (["clock", "+lots"], "write +2h"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(
    desk: Desk, arguments: list[str], words: str
) -> None:
    done = desk.run("sandbox", *arguments)
    assert done.returncode in {1, 2}
    assert words in " ".join(done.stderr.replace("│", " ").split())


def test_the_tour_shows_what_its_lines_print(desk: Desk) -> None:
    """Line by line and in order; only times and how people's tables are spaced may differ."""
    page = (Path(__file__).parents[2] / "docs/tour.md").read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"```console\n(.*?)```", page, re.DOTALL))
    shown = [step.splitlines() for step in blocks.split("$ quota-enforcer ")[1:]]
    assert len(shown) > 10
    for command, *expected in shown:
        arguments = shlex.split(command)
        done = desk.run(*arguments, inside=None if arguments[0] == "sandbox" else "")
        assert done.returncode == 0, (command, done.stderr)
        said = _timeless(done.stdout + done.stderr)
        assert [line for line in expected if _timeless(line) not in said] == [], (command, said)


def _timeless(text: str) -> str:
    return " ".join(re.sub(r"newest usage .* old|\d+ (d|h|min) ago", "", text).split())


def test_a_second_one_is_refused_with_where_the_first_is(desk: Desk) -> None:
    done = desk.apart("sandbox")
    assert done.returncode == 1
    assert f"process {desk.environment['SANDBOX_PID']}, http://127.0.0.1:" in done.stderr


def test_a_killed_one_takes_its_server_along_and_the_next_removes_its_files(desk: Desk) -> None:
    os.kill(int(desk.environment["SANDBOX_PID"]), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while processes_in(desk.temporary) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_in(desk.temporary) == []
    assert "no sandbox runs" in desk.apart("sandbox", "env").stderr
    left = list(desk.temporary.glob("quota-enforcer-aws-*"))
    assert len(left) == 1
    sandbox = desk.started()
    assert not left[0].exists()
    assert desk.apart("sandbox", "stop").returncode == 0
    _, told = sandbox.communicate()
    assert (sandbox.returncode, "nothing of it remains" in told) == (0, True)
    assert [path for path in desk.temporary.rglob("*") if path.is_file()] == []
    assert processes_in(desk.temporary) == []
