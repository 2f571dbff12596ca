import os
import select
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from embedded_account import START
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.patches.functions.tracebacks import raised

TEMPLATE = Path(__file__).parent / "stack" / "template.yaml"


def test_stopping_leaves_no_process_no_port_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with EmbeddedAws(START) as aws:
        endpoint = aws.endpoint
        assert aws.time == START
        aws.deploy(TEMPLATE, "tiny")
        workers = processes_of(tmp_path)
        assert len(workers) >= 2
    assert list(tmp_path.iterdir()) == []
    assert processes_of(tmp_path) == []
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1)  # noqa: S310 - loopback


def processes_of(folder: Path) -> list[str]:
    """The processes whose working folder is inside of this one."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and str((process / "cwd").readlink()).startswith(str(folder)):
                found.append(process.name)
        except OSError:
            continue  # gone, or not ours
    return found


def test_the_server_does_not_outlive_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import os; from quota_enforcer.local.embedded import EmbeddedAws\n"
        "aws = EmbeddedAws(); aws.start(); print(aws.endpoint, flush=True); os._exit(1)"
    )
    environment = os.environ | {
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
    }
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("http://127.0.0.1:"), done.stderr
    # The server's end of the pipe is gone with its parent; it ends as soon as it notices.
    for process in processes_of(tmp_path):
        try:
            descriptor = os.pidfd_open(int(process))
        except ProcessLookupError:
            continue
        assert select.select([descriptor], [], [], 10)[0], "the server is still there"
        os.close(descriptor)


def test_the_embedded_aws_listens_on_loopback_only(embedded_aws: EmbeddedAws) -> None:
    assert embedded_aws.endpoint.startswith("http://127.0.0.1:")


def test_the_users_own_aws_settings_do_not_reach_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    with EmbeddedAws() as aws:
        assert aws.client("sts").get_caller_identity()["Account"] == aws.account_id


def test_simulated_time_needs_a_time_zone(aws: EmbeddedAws) -> None:
    with pytest.raises(ValueError, match="time zone"):
        aws.set_time(datetime(2027, 3, 1))  # noqa: DTZ001 - the point of the test


def test_using_it_before_it_runs_is_a_clear_error() -> None:
    with pytest.raises(RuntimeError, match="`with` statement"):
        _ = EmbeddedAws().endpoint


def test_a_reset_forgets_the_account_and_sets_the_clock(aws: EmbeddedAws) -> None:
    aws.client("iam").create_user(UserName="alice")
    aws.reset(START.replace(year=2030))
    assert aws.client("iam").list_users()["Users"] == []
    assert aws.time == START.replace(year=2030)


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        ("Traceback (most recent call last):\n  File x\nValueError: no\n", "ValueError"),
        ("Traceback (most recent call last):\n  File x\na.b.Oops: no\nmore", "Oops"),
        ("Traceback (most recent call last):\n  File x\nKeyboardInterrupt\n", "KeyboardInterrupt"),
        ("no traceback", None),
    ],
)
def test_the_class_of_an_exception_is_read_from_the_log(log: str, kind: str | None) -> None:
    assert raised(log) == kind


def test_the_server_tells_what_it_was_asked_and_how_long_that_took(aws: EmbeddedAws) -> None:
    aws.journal()
    aws.client("iam").list_users()
    aws.client("dynamodb").list_tables()
    told = aws.journal()
    assert [each.what for each in told] == ["iam:ListUsers", "dynamodb:ListTables"]
    assert all(each.who.endswith(":root") and each.began < each.ended for each in told)
    assert aws.journal() == []


def test_headers_for_web_pages_are_sent_to_those_that_ask(aws: EmbeddedAws) -> None:
    client: Any = aws.session().client("dynamodb", region_name=aws.region)

    def of_pages() -> set[str]:
        headers = client.list_tables()["ResponseMetadata"]["HTTPHeaders"]
        return {name for name in headers if name.startswith("access-control-")}

    def from_page(request: Any, **_: object) -> None:
        request.headers["Origin"] = "https://example.com"

    assert of_pages() == set()
    client.meta.events.register("before-sign.dynamodb", from_page)
    assert "access-control-allow-origin" in of_pages()
