"""`me --line`: one short line for a prompt, kept for a minute, that nothing breaks."""

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from builders import NOON
from cli_world import Shell, a_shell
from quota_enforcer.aws.functions.function_url import MayNotAsk, NoUrl
from quota_enforcer.cli.deployment.target import DEFAULT_STACK
from quota_enforcer.cli.insight.me import cached, line, question
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.errors import NotThere

ROOT = Path(__file__).parents[3]
ASKED: cached.Asked = (None, None, None, None)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where lines are kept."""
    for name in [each for each in os.environ if each.startswith(("AWS_", "QUOTA_ENFORCER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    return tmp_path / "quota-enforcer"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Shell:
    del folder
    return a_shell(monkeypatch)


def forget(folder: Path) -> None:
    for each in folder.iterdir():
        each.unlink()


class TestWhatItSays:
    def test_how_full_the_fullest_quota_is_and_when_it_resets(self, shell: Shell) -> None:
        shell.world.quota()
        shell.world.quota(quota="monthly", window="month", limit=10_000)
        shell.used("alice", 620)
        shell.sweep()
        assert shell.out("me", "--line") == "bedrock 62 % · resets Wed 00:00\n"

    def test_when_it_opens_again(self, shell: Shell, folder: Path) -> None:
        shell.world.quota(window="hour")
        shell.world.stream("alice", NOON, 1150)
        shell.sweep()
        assert shell.out("me", "--line") == "bedrock 115 % · opens 13:00\n"
        forget(folder)
        shell.world.quota(window="month")
        shell.sweep()
        assert shell.out("me", "--line") == "bedrock 115 % · opens 1 Dec\n"

    def test_a_block_that_only_an_admin_ends(self, shell: Shell) -> None:
        shell.world.quota(limit=0)
        shell.sweep()
        assert shell.out("me", "--line") == "bedrock 100 % · blocked until an admin acts\n"

    def test_which_model_where_not_all_are_blocked(self, shell: Shell) -> None:
        model = "anthropic.claude-3-opus*"
        standing = {"denied": [model], "until": "2026-11-24T18:00:00Z", "quotas": []}
        said = line.line_of({"standings": [standing], "mode": "enforce"}, NOON)
        assert said == "bedrock · claude-3-opus* opens 18:00"
        del shell

    def test_who_has_no_limit(self, shell: Shell) -> None:
        assert shell.out("me", "--line") == "bedrock: no limit\n"

    def test_observe_mode_where_it_would_be_blocked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shell = a_shell(monkeypatch, Mode.OBSERVE)
        shell.world.quota()
        shell.used("alice", 1200)
        shell.sweep()
        assert shell.out("me", "--line") == "bedrock 120 % · observe mode\n"

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (NoCredentialsError(), "no credentials"),
            (ClientError({"Error": {"Code": "ExpiredTokenException"}}, "x"), "session expired"),
            (MayNotAsk("Forbidden"), "may not ask"),
            (NotThere("no stack"), "not set up"),
            (NoUrl("nowhere"), "not set up"),
            (TimeoutError(), "no answer"),
            (KeyError("standings"), "no answer"),
        ],
    )
    def test_what_goes_wrong_is_two_words_and_no_failure(
        self, error: Exception, said: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def ask(*_: object) -> Any:
            raise error

        monkeypatch.setattr(question, "ask", ask)
        result = shell.run("me", "--line")
        assert (result.exit_code, result.output) == (0, f"bedrock: {said}\n")

    def test_only_one_form_at_a_time(self, shell: Shell) -> None:
        assert shell.run("me", "--line", "--json").exit_code == 2


class TestKept:
    def test_the_function_is_asked_once_in_a_minute(self, shell: Shell) -> None:
        first = shell.out("me", "--line")
        shell.world.quota()
        assert shell.out("me", "--line") == first
        path = Path(cached.path_of(ASKED))
        assert cached.read(ASKED, path.stat().st_mtime + cached.HOLDS + 1) is None

    def test_so_is_that_there_was_no_answer(self, folder: Path) -> None:
        cached.keep(ASKED, "bedrock: no answer")
        assert cached.warm_line(["me", "--line"]) == "bedrock: no answer"
        assert [each.name[:3] for each in folder.iterdir()] == ["me-"]

    @pytest.mark.parametrize(
        "arguments",
        [
            ["me", "--line", "--profile", "work"],
            ["me", "--profile=work", "--line"],
            ["me", "--line", "--profile", "work", "--stack", DEFAULT_STACK],
        ],
    )
    def test_it_is_found_whatever_the_order_and_spelling(self, arguments: list[str]) -> None:
        cached.keep((DEFAULT_STACK, "work", None, None), "bedrock 1 %")
        assert cached.warm_line(arguments) == "bedrock 1 %"

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["me"],
            ["status", "--line"],
            ["me", "--line", "--profile", "home"],
            ["me", "--line", "--region", "eu-west-1"],
            ["me", "--line", "--stack", "other"],
            ["me", "--line", "--url", "https://other"],
            ["me", "--line", "--json"],
            ["me", "--line", "--profile"],
            ["me", "ask", "--line"],
        ],
    )
    def test_nothing_else_is_answered_by_it(self, arguments: list[str]) -> None:
        cached.keep(ASKED, "bedrock 1 %")
        assert cached.warm_line(arguments) is None

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("AWS_PROFILE", "home"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDOTHER"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("QUOTA_ENFORCER_STACK", "other"),
            ("QUOTA_ENFORCER_URL", "https://other"),
        ],
    )
    def test_somebody_else_somewhere_else_has_another(
        self, name: str, value: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cached.keep(ASKED, "bedrock 1 %")
        monkeypatch.setenv(name, value)
        assert cached.warm_line(["me", "--line"]) is None

    def test_another_login_in_the_same_profile_is_somebody_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "credentials"
        file.write_text("one", encoding="utf-8")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
        cached.keep(ASKED, "bedrock 1 %")
        os.utime(file, (1, 1))
        assert cached.warm_line(["me", "--line"]) is None

    def test_no_secret_is_in_it(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
        cached.keep(ASKED, "bedrock 1 %", json.dumps({"a": 1}))
        path = cached.path_of(ASKED)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
        assert cached.path_of(ASKED) == path
        assert all("hush" not in each.read_text(encoding="utf-8") for each in folder.iterdir())

    def test_only_its_owner_can_read_it(self, folder: Path) -> None:
        cached.keep(ASKED, "bedrock 1 %")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert [each.stat().st_mode & 0o777 for each in folder.iterdir()] == [0o600]

    @pytest.mark.parametrize("mode", [0o644, 0o660])
    def test_what_others_could_have_written_is_not_believed(self, mode: int) -> None:
        cached.keep(ASKED, "bedrock 1 %")
        Path(cached.path_of(ASKED)).chmod(mode)
        assert cached.warm_line(["me", "--line"]) is None

    def test_into_a_folder_that_is_everybodys_nothing_is_written(self, folder: Path) -> None:
        folder.mkdir()
        folder.chmod(0o777)
        cached.keep(ASKED, "bedrock 1 %")
        assert list(folder.iterdir()) == []

    def test_a_link_that_somebody_laid_there_is_not_followed(
        self, folder: Path, tmp_path: Path
    ) -> None:
        cached.keep(ASKED, "bedrock 1 %")
        path = Path(cached.path_of(ASKED))
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
        assert cached.warm_line(["me", "--line"]) is None
        assert folder.is_dir()

    @pytest.mark.parametrize("contents", ["", "x\ny\nz\n", "1\n", "nan\na\n\n", "9e99\na\n\n"])
    def test_what_is_no_such_file_is_asked_again(self, contents: str) -> None:
        cached.keep(ASKED, "bedrock 1 %")
        Path(cached.path_of(ASKED)).write_text(contents, encoding="utf-8")
        assert cached.warm_line(["me", "--line"]) is None

    def test_what_nobody_has_asked_for_a_day_goes(self, folder: Path) -> None:
        cached.keep(("old", None, None, None), "bedrock 1 %")
        (old,) = folder.iterdir()
        os.utime(old, (1, 1))
        cached.keep(ASKED, "bedrock 1 %")
        assert not old.exists()

    def test_where_nothing_can_be_kept_it_still_answers(
        self, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        assert shell.out("me", "--line") == "bedrock: no limit\n"


def test_the_stack_by_default_is_the_same_here_and_there() -> None:
    assert cached.DEFAULT_STACK == DEFAULT_STACK


def test_a_prompt_waits_no_longer_than_it_must(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What AWS says later is not waited for, and not asked again within the minute."""
    ended: list[int] = []
    monkeypatch.setattr(line, "PATIENCE", 0)
    monkeypatch.setattr(line, "_told", lambda *_: iter(()).__next__)
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(line, "Thread", NeverAnswers)
    assert shell.out("me", "--line") == "bedrock: no answer\n"
    assert ended == [0]
    assert cached.warm_line(["me", "--line"]) == "bedrock: no answer"


class NeverAnswers:
    """A thread that AWS keeps waiting."""

    def __init__(self, **_: object) -> None:
        """Whatever it is to do."""

    def start(self) -> None:
        """It does not."""

    def join(self, _: float) -> None:
        """And is not done in time."""


def test_a_warm_line_loads_nothing_heavy(folder: Path) -> None:
    """As a shell runs it; whatever stdin has, such as what a status line is handed."""
    cached.keep(ASKED, "bedrock 62 % · resets 18:00")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "quota_enforcer.cli", "me", "--line"],
        input='{"model": {"id": "x"}}',
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"},
    )
    assert done.stdout == "bedrock 62 % · resets 18:00\n"
    loaded = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    heavy = {"boto3", "botocore", "rich", "typer", "click", "json", "re", "datetime", "asyncio"}
    at_start = {
        row.rpartition("|")[2].strip()
        for row in subprocess.run(
            [sys.executable, "-X", "importtime", "-c", ""],
            capture_output=True,
            text=True,
            check=True,
        ).stderr.splitlines()
    }
    assert not heavy & (loaded - at_start)
    assert {each for each in loaded if each.startswith("quota_enforcer.")} == {
        "quota_enforcer.cli",
        "quota_enforcer.cli.insight",
        "quota_enforcer.cli.insight.me",
        "quota_enforcer.cli.insight.me.cached",
    }
    assert folder.is_dir()


def test_a_minute_later_it_is_asked_again(shell: Shell, folder: Path) -> None:
    first = shell.out("me", "--line")
    path = Path(cached.path_of(ASKED))
    kept = path.read_text(encoding="utf-8").split("\n", 1)
    ago = float(kept[0]) - timedelta(seconds=cached.HOLDS + 1).total_seconds()
    path.write_text(f"{ago}\n{kept[1]}", encoding="utf-8")
    shell.world.quota()
    assert shell.out("me", "--line") != first
    assert folder.is_dir()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`quota-enforcer` on the path, as this source has it."""
    command = tmp_path / "bin" / "quota-enforcer"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m quota_enforcer.cli "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))


def manual(language: str) -> str:
    """The one block of this language on the page for people."""
    page = (ROOT / "docs" / "reference" / "people.md").read_text(encoding="utf-8")
    (block,) = page.split(f"```{language}\n")[1:]
    return block.partition("```")[0]


@pytest.mark.usefixtures("installed")
def test_the_status_line_of_the_manual_prints_its_line() -> None:
    """Run as Claude Code runs it: by a shell, with what it knows of its session on stdin."""
    cached.keep(ASKED, "bedrock 62 % · resets 18:00")
    status_line = json.loads(manual("json"))["statusLine"]
    assert status_line["type"] == "command"
    session = json.dumps({"session_id": "1", "model": {"display_name": "x"}, "cwd": "/"})
    done = subprocess.run(  # noqa: S603 - what the manual says
        ["/bin/sh", "-c", status_line["command"]],
        input=session,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("bedrock 62 % · resets 18:00\n", "")


@pytest.mark.usefixtures("installed")
def test_so_does_the_prompt_of_the_manual() -> None:
    page = (ROOT / "docs" / "reference" / "people.md").read_text(encoding="utf-8")
    prompt = page.partition("`PS1='")[2].partition("'`")[0]
    cached.keep(ASKED, "bedrock 62 % · resets 18:00")
    shown = f"PS1='{prompt}'; printf '%s' \"${{PS1@P}}\""
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run([bash, "-c", shown], capture_output=True, text=True, check=True)  # noqa: S603 - likewise
    assert done.stdout.startswith("bedrock 62 % · resets 18:00 ")
