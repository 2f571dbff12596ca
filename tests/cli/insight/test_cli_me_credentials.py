"""`me --credential-process`: credentials for AWS tools, unless Bedrock is blocked."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.exceptions import CredentialRetrievalError
from typer.testing import CliRunner

from builders import NOON
from cli_world import Shell, a_shell
from quota_enforcer.aws.functions.function_url import NotAnswered
from quota_enforcer.cli.insight.me import question
from quota_enforcer.cli.insight.me.credentials import INSIDE
from quota_enforcer.cli.main import app

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials but those of a test, and nothing kept from another."""
    for name in [each for each in os.environ if each.startswith(("AWS_", "QUOTA_ENFORCER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class Expiring(Credentials):
    """As boto3 has them of a role or of Identity Center."""

    _expiry_time = NOON + timedelta(minutes=5)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice's, with the key of a user."""
    shell = a_shell(monkeypatch)
    has(monkeypatch, Credentials("AKIDALICE", "secret"))
    monkeypatch.setattr(question, "ask", shell.ask_me)
    return shell


def has(monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> None:
    monkeypatch.setattr(question, "credentials_of", lambda _: credentials)


def printed(shell: Shell) -> Any:
    # The process that prints them is another one each time.
    shell.monkeypatch.delenv(INSIDE, raising=False)
    return json.loads(shell.out("me", "--credential-process"))


def refused(shell: Shell) -> str:
    shell.monkeypatch.delenv(INSIDE, raising=False)
    result = shell.run("me", "--credential-process")
    assert (result.exit_code, result.stdout) == (1, "")
    return " ".join(result.stderr.split())


def test_within_limits_they_are_the_callers_for_twenty_minutes(shell: Shell) -> None:
    shell.world.quota()
    assert printed(shell) == {
        "Version": 1,
        "AccessKeyId": "AKIDALICE",
        "SecretAccessKey": "secret",
        "Expiration": "2026-11-24T12:20:00Z",
    }


def test_no_longer_than_they_last_themselves(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, Expiring("ASIDALICE", "secret", "token"))
    said = printed(shell)
    assert (said["SessionToken"], said["Expiration"]) == ("token", "2026-11-24T12:05:00Z")


def test_who_is_blocked_hears_why_and_when_it_opens_again(shell: Shell) -> None:
    shell.world.quota()
    shell.used("alice", 1200)
    shell.sweep()
    said = refused(shell)
    assert "Amazon Bedrock is blocked for user/alice (quota daily)." in said
    assert "Opens again: 2026-11-25 00:00 UTC, in 12 h." in said
    assert "ask the platform team" in said
    assert "secret" not in said


def test_once_it_is_open_again_it_is_so_at_once(shell: Shell) -> None:
    shell.world.quota()
    shell.used("alice", 1200)
    shell.sweep()
    refused(shell)
    shell.world.quota(limit=5000)
    shell.sweep()
    assert printed(shell)["AccessKeyId"] == "AKIDALICE"


def test_within_a_minute_aws_is_not_asked_again(shell: Shell) -> None:
    printed(shell)
    shell.monkeypatch.setattr(question, "ask", None)
    assert printed(shell)["AccessKeyId"] == "AKIDALICE"
    assert shell.out("me", "--line") == "bedrock: no limit\n"


def test_who_is_blocked_for_some_models_only_may_call_the_others(shell: Shell) -> None:
    answer = shell.ask_me()
    answer["standings"][0] |= {"denied": ["anthropic.claude-3-opus*"], "until": None}
    shell.monkeypatch.setattr(question, "ask", lambda *_: answer)
    assert printed(shell)["AccessKeyId"] == "AKIDALICE"


def test_observe_mode_and_a_quota_that_only_notifies_refuse_nobody(shell: Shell) -> None:
    shell.world.quota(action="notify")
    shell.used("alice", 1200)
    shell.sweep()
    assert printed(shell)["AccessKeyId"] == "AKIDALICE"


@pytest.mark.parametrize("error", [NotAnswered("answered 502"), TimeoutError("read timed out")])
def test_that_it_cannot_be_asked_keeps_nobody_from_working(shell: Shell, error: Exception) -> None:
    def ask(*_: object) -> Any:
        raise error

    shell.monkeypatch.setattr(question, "ask", ask)
    result = shell.run("me", "--credential-process")
    assert (result.exit_code, json.loads(result.stdout)["Version"]) == (0, 1)
    assert "Whether Bedrock is blocked is not known" in result.stderr
    assert str(error) in result.stderr


def test_without_credentials_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = a_shell(monkeypatch)
    assert "there are no AWS credentials" in refused(shell)


@dataclass
class Function:
    """A self-service function on this machine."""

    url: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    asked: int = 0


@pytest.fixture
def function() -> Iterator[Function]:
    function = Function()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            function.asked += 1
            body = json.dumps(function.answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    function.url = f"http://127.0.0.1:{server.server_address[1]}/"
    yield function
    server.shutdown()
    server.server_close()
    thread.join()


def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profiles that the manual shows, with this source's command for the installed one."""
    page = (ROOT / "docs" / "reference" / "people.md").read_text(encoding="utf-8")
    profiles = page.partition("```ini\n")[2].partition("```")[0]
    run = f"{sys.executable} -m quota_enforcer.cli"
    assert "credential_process = quota-enforcer me --credential-process" in profiles
    (tmp_path / "config").write_text(profiles.replace("quota-enforcer me", f"{run} me"))
    keys = "[work]\naws_access_key_id = AKIDALICE\naws_secret_access_key = secret\n"
    (tmp_path / "credentials").write_text(keys)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))


def an_answer(denied: list[str]) -> dict[str, Any]:
    quota = {"quota": "daily", "state": "blocked", "percent": 120, "resets_at": None}
    standing = {"principal": "user/alice", "denied": denied, "until": "2099-01-01T00:00:00Z",
                "quotas": [quota]}  # fmt: skip
    return {"standings": [standing], "time_zone": "UTC", "contact": "us", "mode": "enforce"}


def test_the_profile_of_the_manual_works_in_boto3(
    function: Function, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it hands out, and what a caller reads who is blocked, before any call to Bedrock."""
    documented(tmp_path, monkeypatch)
    monkeypatch.setenv("QUOTA_ENFORCER_URL", function.url)
    function.answer = an_answer([])
    credentials = boto3.Session(profile_name="bedrock").get_credentials()
    assert credentials is not None
    assert credentials.get_frozen_credentials()[:2] == ("AKIDALICE", "secret")
    assert (credentials.method, function.asked) == ("custom-process", 1)
    function.answer = an_answer(["*"])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a-minute-later"))
    with pytest.raises(CredentialRetrievalError, match="Opens again: 2099-01-01 00:00 UTC"):
        boto3.Session(profile_name="bedrock").get_credentials()


def test_a_profile_that_asks_itself_says_so_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documented(tmp_path, monkeypatch)
    config = tmp_path / "config"
    said = config.read_text(encoding="utf-8").replace(" --profile work", " --profile bedrock")
    config.write_text(said, encoding="utf-8")
    monkeypatch.setenv(INSIDE, "")
    # What this begins is a process of its own, which reads the same profile.
    asking = ["me", "--credential-process", "--profile", "bedrock"]
    result = CliRunner().invoke(app, asking)
    assert result.exit_code == 1
    assert "takes its credentials from itself" in " ".join(result.stderr.split())
