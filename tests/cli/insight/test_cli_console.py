"""`console`: it prints the address that lets one browser in, and ends with Ctrl-C."""

import http.client
import re
import signal
import socket
import sys
from urllib.parse import urlsplit

import pytest

from cli_world import Shell, a_shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


def test_it_answers_on_loopback_until_it_is_interrupted(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    answers: list[int] = []

    def visit() -> None:
        where = urlsplit(opened[0])
        connection = http.client.HTTPConnection(where.netloc)
        connection.request("GET", f"{where.path}?{where.query}")
        answers.append(connection.getresponse().status)
        connection.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(signal, "pause", visit)
    printed = shell.out("console", "--open")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}\n", printed)
    assert opened == [printed.strip()]
    assert answers == [303]


def test_a_port_that_is_taken_is_said_with_what_to_do(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = shell.run("console", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert "give another one with --port" in result.stderr


def test_without_its_extra_it_says_what_to_install(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("quota_enforcer.console")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette.requests", None)
    result = shell.run("console")
    assert result.exit_code == 1
    assert "pip install 'quota-enforcer[console]'" in result.stderr
